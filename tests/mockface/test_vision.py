"""What the emulator sees in pictures: drawn ones, and with OpenCV real ones."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.mockface.conftest import Face as Caller

import needs
import photographs
import pictures
from mockface import vision
from mockface.engine import Engine
from mockface.errors import Reason, RefusedError
from mockface.images import LIGHTS, portrait
from mockface.people import person_id
from mockface.pictures import faces, files
from mockface.pictures.faces import Face, Look, Rectangle
from mockface.pictures.marks import Mark, read_mark
from mockface.server import Mockface
from mockface.service import Service
from mockface.vision import ImageInspector, min_face
from mockface_command import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def plain() -> ImageInspector:
    return ImageInspector()


@pytest.fixture(scope="module")
def finder() -> ImageInspector:
    needs.module("cv2")
    return ImageInspector(vision=True)


@pytest.fixture(scope="module")
def astronaut() -> Image.Image:
    return photographs.astronaut()


class TestPicturesWithoutAMark:
    """Without vision one good face is assumed."""

    @pytest.mark.parametrize("image_format", pictures.FORMATS)
    def test_one_face_is_assumed_in_the_picture(
        self, plain: ImageInspector, image_format: str
    ) -> None:
        data = pictures.picture(image_format)

        found = plain.reference(data)

        assert found == ImageInspector().reference(data)
        assert (found.person, found.quality) == (None, "high")
        face = found.face
        assert 0 <= face.left < face.left + face.width <= 300
        assert 0 <= face.top < face.top + face.height <= 400

    def test_a_picture_that_lies_on_its_side_is_looked_at_upright(
        self, plain: ImageInspector
    ) -> None:
        lying = plain.reference(pictures.turned(6)).face

        assert lying.left + lying.width <= 400
        assert lying.top + lying.height <= 300

    def test_what_was_seen_is_remembered_within_bounds(
        self, plain: ImageInspector, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(vision, "_REMEMBERED", 3)
        read = Mock(wraps=files.read_picture)
        monkeypatch.setattr(files, "read_picture", read)
        for comment in (b"1", b"2", b"3", b"1", b"4", b"1"):
            plain.inspect(pictures.with_comment(comment))

        assert read.call_count == 5  # 1 was forgotten when 4 came


class TestPortraits:
    @pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
    def test_they_say_where_their_face_is_and_whose(
        self, plain: ImageInspector, image_format: str
    ) -> None:
        found = plain.reference(portrait(5, image_format))

        mark = read_mark(portrait(5, image_format))
        assert mark is not None
        assert (found.face, found.person) == (mark.faces[0], person_id(5))
        assert found.quality == "high"

    @pytest.mark.parametrize(
        ("options", "attribute", "value"),
        [
            ({"mask": True}, "mask", "faceMask"),
            ({"glasses": "sunglasses"}, "glasses", "sunglasses"),
            ({"blur": 0.8}, "blur", 0.8),
            ({"light": "dark"}, "exposure", LIGHTS["dark"]),
            ({"light": "bright"}, "exposure", LIGHTS["bright"]),
            ({"turned": -40.0}, "yaw", -40.0),
        ],
    )
    def test_what_is_bad_about_them_is_seen(
        self, plain: ImageInspector, options: dict[str, Any], attribute: str, value: object
    ) -> None:
        (face,) = plain.inspect(portrait(1, **options)).faces

        assert getattr(face.look, attribute) == value
        assert face.quality == "low"

    @pytest.mark.parametrize(("count", "word"), [(0, "no face"), (2, "2 faces")])
    def test_there_has_to_be_one_face(self, plain: ImageInspector, count: int, word: str) -> None:
        data = portrait(1, faces=count)
        assert len(plain.inspect(data).faces) == count

        with pytest.raises(RefusedError, match=word) as refused:
            plain.reference(data)
        assert refused.value.reason is Reason.IMAGE_INVALID

    def test_two_people_do_not_overlap_and_the_larger_one_comes_first(self) -> None:
        for seed in range(30):
            first, second = ImageInspector().inspect(portrait(seed, faces=2)).faces
            left, right = sorted((first.box, second.box), key=lambda box: box.left)
            assert left.left + left.width < right.left
            assert first.box.width * first.box.height >= second.box.width * second.box.height

    @pytest.mark.parametrize(
        "options",
        [
            {"image_format": "GIF"},
            {"faces": 3},
            {"glasses": "monocle"},
            {"blur": 1.1},
            {"blur": float("nan")},
            {"light": "red"},
            {"turned": 46},
        ],
    )
    def test_other_options_are_errors(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=r"\.$"):
            portrait(1, **options)

    def test_the_picture_is_as_dark_and_as_blurred_as_it_says(self) -> None:
        def grey(**options: Any) -> Image.Image:
            return Image.open(BytesIO(portrait(3, **options))).convert("L").resize((64, 80))

        def mean(image: Image.Image) -> float:
            return sum(image.tobytes()) / len(image.tobytes())

        dark, normal, bright = (mean(grey(light=light)) for light in ("dark", "normal", "bright"))
        assert dark < normal / 2
        assert bright > normal
        sharp, blurred = grey().getextrema(), grey(blur=1.0).getextrema()
        assert blurred[1] - blurred[0] < sharp[1] - sharp[0]  # type: ignore[operator]  # of one band

    def test_the_control_api_draws_them(self, service: Service) -> None:
        face = Caller(service, "v1.2")
        drawn = face.send("GET", "/_mock/portraits/eve.jpg", query="faces=2&blur=0.5&mask=true")
        assert drawn.headers["Content-Type"] == "image/jpeg"
        assert drawn.response.body == portrait("eve", faces=2, blur=0.5, mask=True)
        assert face.send("GET", "/_mock/portraits/eve.png").response.body == portrait("eve", "PNG")
        for wrong in ("faces=3", "faces=x", "blur=nan", "light=red", "turned=90", "mask=perhaps"):
            answer = face.send("GET", "/_mock/portraits/eve.jpg", query=wrong)
            assert (answer.status, answer.code) == (400, "BadArgument"), wrong

    def test_the_command_draws_them(self, tmp_path: Path) -> None:
        out = tmp_path / "bad.png"
        words = ["portrait", "--seed", "eve", "--out", str(out)]

        drawn = run(*words, "--mask", "--light", "dark", "--turned", "-30", "--faces", "1")
        wrong = run(*words, "--glasses", "monocle")

        assert drawn.exit_code == 0
        assert out.read_bytes() == portrait("eve", "PNG", mask=True, light="dark", turned=-30)
        assert wrong.exit_code == 2
        assert "readingGlasses" in wrong.stderr


class TestMarks:
    @given(
        look=st.builds(
            Look,
            glasses=st.sampled_from(faces.GLASSES),
            mask=st.sampled_from(faces.MASKS),
            blur=st.floats(0, 1),
            yaw=st.floats(-90, 90),
            eyes_covered=st.booleans(),
        ),
        boxes=st.lists(st.builds(Rectangle, *[st.integers(0, 65_535)] * 4), max_size=8),
    )
    def test_a_mark_says_what_was_put_into_it(self, look: Look, boxes: list[Rectangle]) -> None:
        mark = Mark("somebody", tuple(boxes), look)
        assert read_mark(b"\xff\xd8" + mark.to_bytes()) == mark

    @pytest.mark.parametrize(
        "said",
        [
            b"",
            b"{}",
            b"[]",
            b"[" * 900,
            b'{"x":' + b"[" * 3000,
            b'{"person":"p","faces":[{"left":1,"top":2,"width":3}]}',
            b'{"person":"p","faces":[{"left":-1,"top":2,"width":3,"height":4}]}',
            b'{"person":"p","faces":[{"left":1,"top":2,"width":3,"height":1e9}]}',
            b'{"person":"p","faces":7}',
            b'{"person":"p","faces":[],"look":{"blur":2}}',
            b'{"person":"p","faces":[],"look":{"mask":"beard"}}',
            b'{"person":"p","faces":[],"look":{"mask":["beard"]}}',
            b'{"person":"p","faces":[],"look":{"yaw":"much"}}',
            b'{"person":"\xff","faces":[]}',
        ],
    )
    def test_a_damaged_mark_is_none(self, said: bytes) -> None:
        assert read_mark(b"mockface-portrait:" + said) is None


class TestRules:
    def test_a_small_face_is_none(self, plain: ImageInspector) -> None:
        for side, count in ((36, 1), (35, 0)):
            mark = Mark("somebody", (Rectangle(1, 1, side, 100),)).to_bytes()
            assert len(plain.inspect(pictures.with_comment(mark)).faces) == count

    def test_a_larger_picture_needs_a_larger_face(self) -> None:
        assert min_face(640, 480) == min_face(1080, 1920) == 36
        assert min_face(3840, 2160) == min_face(2160, 3840) == 72
        assert min_face(1920, 2160) == 64

    @pytest.mark.parametrize(
        ("side", "look", "wanted"),
        [
            (200, Look(), "high"),
            (200, Look(glasses="readingGlasses"), "high"),
            (199, Look(), "medium"),
            (99, Look(), "low"),
            (200, Look(blur=0.25), "medium"),
            (200, Look(blur=0.75), "low"),
            (200, Look(noise=0.3), "medium"),
            (200, Look(noise=0.7), "low"),
            (200, Look(exposure=0.24), "low"),
            (200, Look(exposure=0.75), "low"),
            (200, Look(roll=-16), "medium"),
            (200, Look(yaw=36), "low"),
            (200, Look(glasses="sunglasses"), "medium"),
            (200, Look(eyes_covered=True), "low"),
            (200, Look(mask="otherMaskOrOcclusion"), "medium"),
            (200, Look(mask="faceMask"), "low"),
            (200, Look(mask="uncertain"), "high"),
        ],
    )
    def test_quality(self, side: int, look: Look, wanted: str) -> None:
        assert faces.quality(Rectangle(0, 0, side, 300), look) == wanted

    @settings(deadline=None)
    @given(
        pupils=st.tuples(*[st.tuples(st.floats(0, 500), st.floats(0, 500))] * 2).filter(
            lambda pair: abs(pair[0][0] - pair[1][0]) > 1
        )
    )
    def test_landmarks_meet_the_pupils(self, pupils: tuple[faces.Point, faces.Point]) -> None:
        points = faces.landmarks(Face(Rectangle(50, 60, 200, 260), pupils=pupils))

        assert len(points) == 27
        assert points["pupilLeft"] == pytest.approx(pupils[0])
        assert points["pupilRight"] == pytest.approx(pupils[1])

    def test_landmarks_lie_where_they_are_drawn(self) -> None:
        """The mouth of a portrait is red, its teeth are not shown, and the finder are white."""
        (face,) = ImageInspector().inspect(portrait(7)).faces
        picture = Image.open(BytesIO(portrait(7))).convert("RGB")
        points = faces.landmarks(face)

        def colour(name: str, aside: float = 0) -> tuple[int, ...]:
            x, y = points[name]
            found = picture.getpixel((round(x + aside), round(y)))
            assert isinstance(found, tuple)
            return found

        red, green, _ = colour("underLipTop")
        assert red > green + 40
        assert min(colour("pupilLeft", aside=face.box.width * 0.07)) > 200
        assert max(colour("pupilLeft")) < 110


class TestChoosing:
    def test_what_is_installed_changes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A picture that shows nobody is taken without vision, with OpenCV and without it."""
        monkeypatch.setitem(sys.modules, "cv2", None)

        assert len(Engine().inspector.inspect(pictures.picture()).faces) == 1

    def test_vision_needs_opencv(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "mockface.pictures.face_finder", raising=False)
        monkeypatch.setitem(sys.modules, "cv2", None)

        with pytest.raises(ImportError, match=r"cv2 .*pip install 'livegate\[mock,vision\]'"):
            Mockface(vision=True)

    def test_opencv_5_has_no_cascades(self, monkeypatch: pytest.MonkeyPatch) -> None:
        cv2 = needs.module("cv2")
        monkeypatch.setattr(cv2, "__version__", "5.0.0")

        with pytest.raises(ImportError, match=r"OpenCV 5.0.0 .*pip install"):
            ImageInspector(vision=True)

    def test_the_command_says_what_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "mockface.pictures.face_finder", raising=False)
        monkeypatch.setitem(sys.modules, "cv2", None)

        done = run("serve", "--port", "0", "--vision")

        assert done.exit_code == 1
        assert "pip install 'livegate[mock,vision]'" in done.stderr


class TestPhotographs:
    """With vision, what is seen is true of the picture."""

    @pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF", "BMP"])
    def test_the_face_is_found(
        self, finder: ImageInspector, astronaut: Image.Image, image_format: str
    ) -> None:
        (face,) = finder.inspect(photographs.file(astronaut, image_format)).faces

        box = face.box
        assert (box.left, box.top, box.width, box.height) == pytest.approx(photographs.FACE, abs=8)
        assert face.look.mask == "noMask"
        assert not face.look.eyes_covered
        assert abs(face.look.roll) < 6
        points = faces.landmarks(face)
        assert points["pupilLeft"] == pytest.approx((202, 100), abs=6)
        assert points["pupilRight"] == pytest.approx((247, 103), abs=6)
        assert box.top + box.height / 2 < points["noseTip"][1] < points["mouthLeft"][1]

    def test_a_small_face_is_good_for_little_and_a_large_sharp_one_for_much(
        self, finder: ImageInspector, astronaut: Image.Image
    ) -> None:
        large = photographs.file(photographs.large_and_sharp(astronaut))

        assert finder.reference(photographs.file(astronaut)).quality == "low"
        assert finder.reference(large).quality == "high"

    @pytest.mark.parametrize("how", photographs.BAD)
    def test_what_is_bad_about_it_is_seen(
        self, finder: ImageInspector, astronaut: Image.Image, how: str
    ) -> None:
        spoil, attribute, level = photographs.BAD[how]
        (face,) = finder.inspect(photographs.file(spoil(astronaut))).faces

        levels, bounds = {
            "blur": (faces.LEVELS, faces.BLUR_BOUNDS),
            "exposure": (faces.EXPOSURES, faces.EXPOSURE_BOUNDS),
        }[attribute]
        assert levels[faces.level(getattr(face.look, attribute), bounds)] == level
        assert face.quality == "low"

    def test_more_blur_is_more_blur(self, finder: ImageInspector, astronaut: Image.Image) -> None:
        seen = [
            finder.inspect(photographs.file(blurred)).faces[0].look.blur
            for blurred in (photographs.blurred(astronaut, radius) for radius in (0, 2, 5))
        ]
        assert seen == sorted(seen)
        assert seen[0] < 0.5 < seen[2]

    def test_noise_is_seen(self, finder: ImageInspector, astronaut: Image.Image) -> None:
        (clean,) = finder.inspect(photographs.file(astronaut)).faces
        (noisy,) = finder.inspect(photographs.file(photographs.noisy(astronaut))).faces
        assert noisy.look.noise > clean.look.noise + 0.1

    def test_a_leaning_head_leans(self, finder: ImageInspector, astronaut: Image.Image) -> None:
        (left,) = finder.inspect(photographs.file(astronaut.rotate(10))).faces
        (right,) = finder.inspect(photographs.file(astronaut.rotate(-10))).faces
        assert left.look.roll < -3 < 9 < right.look.roll

    def test_two_people_are_too_many_and_a_coffee_is_nobody(
        self, finder: ImageInspector, astronaut: Image.Image
    ) -> None:
        with pytest.raises(RefusedError, match="2 faces"):
            finder.reference(photographs.file(photographs.twice(astronaut), "JPEG"))
        with pytest.raises(RefusedError, match="no face"):
            finder.reference(photographs.file(photographs.coffee(), "JPEG"))

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_a_photograph_is_looked_at_upright(
        self, finder: ImageInspector, astronaut: Image.Image, orientation: int
    ) -> None:
        (face,) = finder.inspect(photographs.lying(astronaut, orientation)).faces
        box = face.box
        assert (box.left, box.top, box.width, box.height) == pytest.approx(photographs.FACE, abs=8)

    def test_a_large_photograph_has_its_face_in_its_own_pixels(
        self, finder: ImageInspector, astronaut: Image.Image
    ) -> None:
        large = photographs.file(astronaut.resize((3072, 3072)), "JPEG")
        (face,) = finder.inspect(large).faces
        assert face.box.left == pytest.approx(photographs.FACE[0] * 6, abs=60)
        assert face.box.width == pytest.approx(photographs.FACE[2] * 6, abs=60)

    def test_the_same_picture_gives_the_same_answer(
        self, finder: ImageInspector, astronaut: Image.Image
    ) -> None:
        data = photographs.file(photographs.twice(astronaut))
        seen = finder.inspect(data)
        with ThreadPoolExecutor(4) as pool:
            others = [ImageInspector(vision=True) for _ in range(3)]
            assert set(pool.map(lambda each: each.inspect(data), others)) == {seen}

    @pytest.mark.parametrize("size", [(1_000_000, 2), (2, 1_000_000), (1, 1), (36, 36)])
    def test_a_strip_shows_nobody(self, finder: ImageInspector, size: tuple[int, int]) -> None:
        assert finder.inspect(pictures.deep_bomb(*size).ljust(1100, b"\0")).faces == ()

    def test_a_portrait_is_believed(self, finder: ImageInspector) -> None:
        data = portrait(2, mask=True)
        assert finder.inspect(data) == ImageInspector().inspect(data)

    @pytest.mark.parametrize("mode", ["CMYK", "P", "I;16"])
    def test_the_face_is_found_in_every_kind_of_pixels(
        self, finder: ImageInspector, astronaut: Image.Image, mode: str
    ) -> None:
        data = photographs.file(
            photographs.in_16_bits(astronaut) if mode == "I;16" else astronaut.convert(mode),
            "JPEG" if mode == "CMYK" else "PNG",
        )

        (face,) = finder.inspect(data).faces

        box = face.box
        assert (box.left, box.top, box.width, box.height) == pytest.approx(photographs.FACE, abs=8)

    @pytest.mark.parametrize("name", pictures.TAKEN)
    def test_every_picture_can_be_looked_at(self, finder: ImageInspector, name: str) -> None:
        faces_of = finder.inspect(pictures.TAKEN[name]).faces

        assert len(faces_of) == (1 if "portrait" in name else 0)

    def test_a_session_is_created_with_it(
        self, finder: ImageInspector, astronaut: Image.Image, version: str
    ) -> None:
        caller = Caller(Service(Engine(seed="s", vision=True)), version)
        good = caller.create(verify=True, image=photographs.file(astronaut))
        none = caller.create(verify=True, image=photographs.file(photographs.coffee()))

        assert good.status == 200
        assert (none.status, none.code) == (400, "InvalidImage")


@pytest.mark.process
def test_nothing_heavy_is_loaded_before_a_picture_comes() -> None:
    import subprocess

    script = """if True:
        import sys
        from mockface.server import Mockface
        mock = Mockface()
        mock.engine.tenant("key").sessions()
        print(sorted({"cv2", "numpy", "PIL"} & set(sys.modules)))
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"
