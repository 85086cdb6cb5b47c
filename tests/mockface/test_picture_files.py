"""What is taken for a picture, and what reading it costs."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
import warnings
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import needs
import pictures
from mockface.errors import Reason, RefusedError
from mockface.images import portrait
from mockface.pictures.files import MAX_PIXELS, read_picture
from mockface.vision import MAX_BYTES, MIN_BYTES, ImageInspector

if TYPE_CHECKING:
    from tests.mockface.conftest import Face

MIB = 1024 * 1024
UNHURRIED = settings(deadline=None, max_examples=50)


@pytest.mark.parametrize("name", pictures.TAKEN)
def test_what_a_decoder_reads_is_a_picture(name: str) -> None:
    data = pictures.TAKEN[name]
    assert MIN_BYTES <= len(data) <= MAX_BYTES

    picture = read_picture(data)

    assert (picture.width, picture.height) == pictures.SIZES.get(name, pictures.SIZE)


@pytest.mark.parametrize("name", pictures.REFUSED)
def test_everything_else_is_refused_and_costs_little(name: str) -> None:
    # Given a file of an allowed size
    inspector, data = ImageInspector(), pictures.REFUSED[name]
    assert MIN_BYTES <= len(data) <= MAX_BYTES

    # When it is inspected
    tracemalloc.start()
    try:
        with pytest.raises(RefusedError) as refused:
            inspector.reference(data)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # Then it is not a picture, and Python has kept no more than two copies of it
    assert refused.value.reason is Reason.IMAGE_INVALID
    assert most < 2 * len(data) + MIB


def test_a_create_takes_pictures_and_refuses_the_rest(face: Face) -> None:
    for name in ("a large JPEG", "a GIF that moves", "a BMP of OS/2"):
        assert face.create(verify=True, image=pictures.TAKEN[name]).status == 200, name
    for name in ("a HEIC", "a WebP", "a bomb", "50 % of a JPEG"):
        answer = face.create(verify=True, image=pictures.REFUSED[name])
        assert (answer.status, answer.code) == (400, "InvalidImage"), name


def test_a_decompression_bomb_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("it was decoded"))

    for name in ("a bomb", "a JPEG bomb", "a BMP bomb", "more pixels than are allowed"):
        with pytest.raises(ValueError, match=f"more than {MAX_PIXELS}"):
            read_picture(pictures.REFUSED[name])


@pytest.mark.parametrize(
    ("image", "status"),
    [
        (portrait(1).ljust(MAX_BYTES, b"\0"), 200),
        (portrait(1).ljust(MAX_BYTES + 1, b"\0"), 400),
        (portrait(1)[: MIN_BYTES - 1], 400),
        (b"", 400),
    ],
    ids=["6 MB", "6 MB and a byte", "a byte less than 1 KB", "nothing"],
)
def test_the_size_of_the_file(face: Face, image: bytes, status: int) -> None:
    answer = face.create(verify=True, image=image)

    assert answer.status == status
    if status != 200:
        assert answer.code == "InvalidImageSize"


def test_the_bytes_count_and_not_the_name(face: Face) -> None:
    """The form calls the file .jpg, and it is a PNG."""
    assert face.create(verify=True, image=portrait(1, "PNG")).status == 200


def test_a_warning_of_pillow_is_not_damage() -> None:
    data = pictures.TAKEN["a JPEG with Exif data that are cut off"]
    assert warnings.filters[0][0] == "error"  # in these tests; elsewhere it is only a warning

    assert read_picture(data).orientation == 1
    with pytest.warns(UserWarning, match="Corrupt EXIF data"):
        Image.open(BytesIO(data)).getexif()


@UNHURRIED
@given(
    start=st.sampled_from([b"\xff\xd8\xff", b"BM", b"GIF89a", pictures.PNG_START]),
    data=st.binary(max_size=300),
)
def test_any_bytes_get_an_answer(start: bytes, data: bytes) -> None:
    try:
        picture = read_picture(start + data)
    except ValueError as wrong:
        assert str(wrong).endswith(".")
    else:
        assert picture.width * picture.height <= MAX_PIXELS


@UNHURRIED
@given(at=st.floats(0, 1, exclude_max=True), by=st.integers(1, 255))
def test_any_changed_byte_gets_an_answer(at: float, by: int) -> None:
    for name in pictures.FORMATS:
        data = bytearray(pictures.TAKEN[f"{name} in grey"])
        index = int(len(data) * at)
        data[index] = (data[index] + by) % 256
        try:
            assert read_picture(bytes(data)).width
        except ValueError as wrong:
            assert str(wrong).endswith(".")


@pytest.mark.process
@pytest.mark.parametrize("vision", [False, True])
def test_decoding_the_largest_picture_has_bounded_memory(*, vision: bool) -> None:
    """In a process of its own: the memory of NumPy, Pillow and OpenCV is not Python's."""
    if vision:
        needs.module("cv2")
    script = f"""if True:
        import resource, sys
        sys.path.insert(0, 'tests/support')
        import pictures
        from mockface.errors import RefusedError
        from mockface.vision import ImageInspector
        inspector, deep = ImageInspector(vision={vision}), pictures.deep_bomb()
        inspector.inspect(pictures.picture())
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        inspector.inspect(deep)
        for data in pictures.REFUSED.values():
            try:
                inspector.inspect(data)
            except RefusedError:
                pass
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert int(done.stdout) < 200 * 1024  # KiB
