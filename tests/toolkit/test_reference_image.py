"""The first rules for reference images: told by the bytes, and never by decoding them."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livegate import ReferenceImage
from livegate.policies.reference_image import MAX_BYTES, format_of, review_reference_image


def chunk(name: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


FILLER = bytes(range(1, 250)) * 8
JPEG = (
    b"\xff\xd8\xff\xe1" + struct.pack(">H", 6) + b"\xff\xd9th"  # a thumbnail's end in a segment
    b"\xff\xff\xda" + struct.pack(">H", 2) + FILLER + b"\xff\xd9"
)
PNG = b"\x89PNG\r\n\x1a\n" + chunk(b"IDAT", FILLER) + chunk(b"IEND", b"")
GIF = b"GIF89a" + FILLER + b";"
BMP = b"BM" + struct.pack("<I", 6 + len(FILLER)) + FILLER
WHOLE = {"JPEG": JPEG, "PNG": PNG, "GIF": GIF, "BMP": BMP}


def codes(content: bytes) -> list[str]:
    return [each.code for each in review_reference_image(ReferenceImage(content))]


@pytest.mark.parametrize("image_format", WHOLE)
def test_a_whole_image_of_a_known_format_is_taken(image_format: str) -> None:
    assert format_of(WHOLE[image_format]) == image_format
    assert codes(WHOLE[image_format]) == []


@pytest.mark.parametrize("image_format", WHOLE)
def test_an_image_that_is_cut_off_is_told_so(image_format: str) -> None:
    content = WHOLE[image_format]

    for length in (1024, len(content) - 20, len(content) - 1):
        assert codes(content[:length]) == ["image_truncated"], length


def test_sizes_and_formats_are_told_all_at_once() -> None:
    assert codes(b"") == ["image_too_small", "image_format_unknown"]
    assert codes(b"RIFF" + bytes(2000)) == ["image_format_unknown"]
    assert codes(b"<svg>" + bytes(MAX_BYTES)) == ["image_too_large", "image_format_unknown"]
    assert codes(GIF[:-1] + bytes(MAX_BYTES) + b";") == ["image_too_large"]
    assert codes(JPEG[:1023]) == ["image_too_small", "image_truncated"]


def test_the_limits_are_the_services_to_the_byte() -> None:
    assert "image_too_small" in codes(bytes(1023))
    assert "image_too_small" not in codes(bytes(1024))
    assert "image_too_large" not in codes(bytes(MAX_BYTES))
    assert "image_too_large" in codes(bytes(MAX_BYTES + 1))


@given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b""]), st.binary())
def test_no_bytes_are_too_hostile_for_an_answer(start: bytes, rest: bytes) -> None:
    assert isinstance(codes(start + rest), list)


def test_an_image_is_in_no_repr() -> None:
    assert "JFIF" not in repr(ReferenceImage(b"\xff\xd8\xff\xe0\0\x10JFIF"))
