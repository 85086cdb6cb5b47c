"""The first rules for reference images: what the service would refuse anyway, before it costs.

Formats and sizes are those of the service's documentation of face detection: JPEG, PNG, GIF (its
first frame) or BMP, 1 KB to 6 MB. Nothing here decodes a picture; the formats are told by the
bytes, and only marks at known places are read to see whether the file is whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from livegate.hooks import hookimpl
from livegate.session import Objection

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate.session import ReferenceImage

MIN_BYTES: Final = 1024
MAX_BYTES: Final = 6 * 1024 * 1024


@hookimpl
def review_reference_image(image: ReferenceImage) -> list[Objection]:
    """Object to a picture of a wrong size or format, or to one that is cut off."""
    content = image.content
    objections = []
    if len(content) < MIN_BYTES:
        objections.append(
            Objection(
                "image_too_small",
                f"The image has {len(content)} bytes; it has to have at least {MIN_BYTES}.",
            )
        )
    if len(content) > MAX_BYTES:
        objections.append(
            Objection(
                "image_too_large",
                f"The image has {len(content)} bytes; it may have at most {MAX_BYTES}.",
            )
        )
    image_format = format_of(content)
    if image_format is None:
        objections.append(
            Objection(
                "image_format_unknown",
                "The image is none of JPEG, PNG, GIF and BMP; send it in one of these formats.",
            )
        )
    elif not _IS_WHOLE[image_format](content):
        objections.append(
            Objection("image_truncated", f"The {image_format} image is cut off; send it whole.")
        )
    return objections


_SIGNATURES: Final = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
}


def format_of(content: bytes) -> str | None:
    """``JPEG``, ``PNG``, ``GIF`` or ``BMP`` by the first bytes, else None."""
    for signature, image_format in _SIGNATURES.items():
        if content.startswith(signature):
            return image_format
    return None


def _jpeg_is_whole(content: bytes) -> bool:
    """Whether the end-of-image mark follows the last start of a scan.

    A thumbnail's own marks lie in an application segment, which is passed over by its length.
    """
    at = 2
    while at + 4 <= len(content) and content[at : at + 1] == b"\xff":
        match content[at + 1 : at + 2]:
            case b"\xff":  # fill bytes may stand before a marker
                at += 1
            case b"\xda":  # the scan: within it, nothing but the end of the image reads ff d9
                return content.find(b"\xff\xd9", at) != -1
            case _:
                at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return False


def _png_is_whole(content: bytes) -> bool:
    at = 8
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        if content[at + 4 : at + 8] == b"IEND":
            return True
        at += 12 + length
    return False


def _gif_is_whole(content: bytes) -> bool:
    return content.rstrip(b"\x00").endswith(b";")


def _bmp_is_whole(content: bytes) -> bool:
    return len(content) >= max(26, int.from_bytes(content[2:6], "little"))


_IS_WHOLE: Final[dict[str, Callable[[bytes], bool]]] = {
    "JPEG": _jpeg_is_whole,
    "PNG": _png_is_whole,
    "GIF": _gif_is_whole,
    "BMP": _bmp_is_whole,
}
