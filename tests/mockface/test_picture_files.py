"""What is taken for a picture, and what the looking costs."""

from __future__ import annotations

import struct
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import needs
import pictures
from mockface.errors import Reason, RefusedError
from mockface.images import portrait
from mockface.pictures.files import MOST_PIXELS, inspect
from mockface.vision import LARGEST, SMALLEST, Eyes

if TYPE_CHECKING:
    from tests.mockface.conftest import Face

MIB = 1024 * 1024
UNHURRIED = settings(deadline=None)


@pytest.mark.parametrize("name", pictures.ACCEPTED)
def test_sound_pictures_are_taken(name: str) -> None:
    file = inspect(pictures.ACCEPTED[name])

    assert file.format in pictures.FORMATS
    assert 0 < file.width * file.height <= MOST_PIXELS


@pytest.mark.parametrize("name", pictures.REFUSED)
def test_everything_else_is_refused_and_costs_little(name: str) -> None:
    # Given eyes that decode nothing
    eyes, data = Eyes("portraits"), pictures.REFUSED[name]
    assert SMALLEST <= len(data) <= LARGEST

    # When they look at it
    tracemalloc.start()
    try:
        with pytest.raises(RefusedError) as refused:
            eyes.reference(data)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    # Then it is no picture, and no more was kept of it than a copy
    assert refused.value.reason is Reason.IMAGE_INVALID
    assert most < len(data) + MIB


def test_the_service_s_error_says_what_is_wrong(face: Face) -> None:
    for name, data in pictures.REFUSED.items():
        answer = face.create(verify=True, image=data)
        assert (answer.status, answer.code) == (400, "InvalidImage"), name


@pytest.mark.parametrize(
    ("image", "status"),
    [
        (portrait(1).ljust(LARGEST, b"\0"), 200),
        (portrait(1).ljust(LARGEST + 1, b"\0"), 400),
        (portrait(1)[: SMALLEST - 1], 400),
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


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_has_the_size_in_which_it_is_shown(orientation: int) -> None:
    file = inspect(pictures.turned(orientation))

    assert file.orientation == orientation
    lying = orientation >= 5
    assert (file.width, file.height) == ((400, 300) if lying else (300, 400))


def test_what_follows_the_exif_data_does_not_undo_them() -> None:
    data = pictures.turned(6)
    other = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>"
    end = data.index(b"\xff\xdb")
    segment = b"\xff\xe1" + struct.pack(">H", len(other) + 2) + other

    assert inspect(data[:end] + segment + data[end:]).orientation == 6


@pytest.mark.parametrize(
    "exif",
    [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"],
)
def test_damaged_exif_data_say_nothing(exif: bytes) -> None:
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    data = pictures.picture("JPEG")
    file = inspect(data[:2] + segment + data[2:])

    assert (file.width, file.height, file.orientation) == (300, 400, 1)


@pytest.mark.parametrize("name", ["a JPEG", "a PNG", "a GIF", "a BMP"])
@UNHURRIED
@given(cut=st.floats(0, 1, exclude_max=True))
def test_no_part_of_a_picture_is_a_picture(name: str, cut: float) -> None:
    data = pictures.ACCEPTED[name.removeprefix("a ")]

    with pytest.raises(ValueError, match="picture"):
        inspect(data[: int(len(data) * cut)])


@UNHURRIED
@given(
    start=st.sampled_from([b"\xff\xd8\xff", b"BM", b"GIF89a", pictures.PNG_START]),
    data=st.binary(max_size=300),
)
def test_any_bytes_get_an_answer(start: bytes, data: bytes) -> None:
    try:
        file = inspect(start + data)
    except ValueError as wrong:
        assert str(wrong).endswith(".")
    else:
        assert file.width * file.height <= MOST_PIXELS


@UNHURRIED
@given(at=st.floats(0, 1, exclude_max=True), by=st.integers(1, 255))
def test_any_changed_byte_gets_an_answer(at: float, by: int) -> None:
    for name in pictures.FORMATS:
        data = bytearray(pictures.ACCEPTED[name])
        index = int(len(data) * at)
        data[index] = (data[index] + by) % 256
        try:
            assert inspect(bytes(data)).format in pictures.FORMATS
        except ValueError as wrong:
            assert str(wrong).endswith(".")


@pytest.mark.process
def test_decoding_the_largest_picture_has_bounded_memory() -> None:
    """In a process of its own: the memory of NumPy, Pillow and OpenCV is not Python's."""
    needs.module("cv2")
    script = """if True:
        import resource, sys
        sys.path.insert(0, 'tests/support')
        import pictures
        from mockface.errors import RefusedError
        from mockface.vision import Eyes
        eyes, deep = Eyes('opencv'), pictures.deep_bomb(5000, 5000)
        eyes.look(pictures.picture())
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        eyes.look(deep)
        for data in pictures.REFUSED.values():
            try:
                assert not eyes.look(data).faces
            except RefusedError:
                pass
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert int(done.stdout) < 200 * 1024  # KiB; all pixels in colour would be 75 MB more than grey
