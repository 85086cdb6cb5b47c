"""The built-in rules for reference images: size and format, and nothing that a decoder reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livegate.models import ReferenceImage
from livegate.policies.reference_image import check_reference_image, format_of
from livegate.validation import MAX_IMAGE_BYTES, MIN_IMAGE_BYTES

FILLER = bytes(range(1, 250)) * 8
HEADS = {
    "JPEG": b"\xff\xd8\xff",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "GIF": b"GIF89a",
    "BMP": b"BM",
}


def codes(content: bytes) -> list[str]:
    return [each.code for each in check_reference_image(ReferenceImage(content))]


@pytest.mark.parametrize("image_format", HEADS)
def test_an_image_of_a_known_format_is_valid(image_format: str) -> None:
    content = HEADS[image_format] + FILLER

    assert format_of(content) == image_format
    assert codes(content) == []
    assert codes(HEADS[image_format][:-1] + FILLER) == ["image_format_unknown"]


def test_the_older_gif_is_known_too() -> None:
    assert format_of(b"GIF87a") == "GIF"
    assert format_of(b"GIF88a") is None


@pytest.mark.parametrize(
    "content",
    [
        # Decoders skip bytes between two segments, and do not need the end-of-image marker.
        b"\xff\xd8\xff\xe0\x00\x04ab" + b"stray" + b"\xff\xda\x00\x02" + FILLER,
        # A BMP whose size field is wrong.
        b"BM" + b"\xff\xff\xff\x7f" + FILLER,
        # A PNG and a GIF with bytes behind their end.
        b"\x89PNG\r\n\x1a\n" + FILLER + b"\0\0\0\0IEND\xae\x42\x60\x82" + FILLER,
        b"GIF89a" + FILLER + b";" + FILLER,
    ],
)
def test_what_decoders_read_is_not_rejected(content: bytes) -> None:
    assert codes(content) == []


def test_all_violations_are_reported_at_once() -> None:
    assert codes(b"") == ["image_too_small", "image_format_unknown"]
    assert codes(b"RIFF" + bytes(2000)) == ["image_format_unknown"]
    assert codes(b"<svg>" + bytes(MAX_IMAGE_BYTES)) == ["image_too_large", "image_format_unknown"]


def test_the_limits_are_the_services_to_the_byte() -> None:
    assert (MIN_IMAGE_BYTES, MAX_IMAGE_BYTES) == (1024, 6 * 1024 * 1024)
    assert codes(b"BM" + bytes(1021)) == ["image_too_small"]
    assert codes(b"BM" + bytes(1022)) == []
    assert codes(b"BM" + bytes(MAX_IMAGE_BYTES - 2)) == []
    assert codes(b"BM" + bytes(MAX_IMAGE_BYTES - 1)) == ["image_too_large"]


def test_a_violation_says_what_is_wrong_and_what_to_do_in_two_languages() -> None:
    violations = [
        *check_reference_image(ReferenceImage(b"")),
        *check_reference_image(ReferenceImage(b"BM" + bytes(MAX_IMAGE_BYTES))),
    ]

    assert {each.status for each in violations} == {422}
    for each in violations:
        english, german = each.in_language(["en"]), each.in_language(["de-AT"])
        assert all(english)
        assert all(german)
        assert english != german
        assert each.in_language(["fr"]) == english


@given(st.sampled_from([*HEADS.values(), b""]), st.binary())
def test_any_bytes_get_an_answer(start: bytes, rest: bytes) -> None:
    assert set(codes(start + rest)) <= {"image_too_small", "image_format_unknown"}


def test_an_image_is_in_no_repr() -> None:
    assert "JFIF" not in repr(ReferenceImage(b"\xff\xd8\xff\xe0\0\x10JFIF"))
