"""The built-in rules for reference images: the formats and sizes that the service takes.

Source: the service's documentation of face detection: JPEG, PNG, GIF (its first frame) or BMP, 1 KB
to 6 MB. Only the first bytes are read. Whether the rest can be decoded is left to the service, or
to a policy with a decoder: what decoders read must not be rejected here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from livegate.models import PolicyViolation
from livegate.plugins.hookspecs import hookimpl
from livegate.validation import MAX_IMAGE_BYTES, MIN_IMAGE_BYTES

if TYPE_CHECKING:
    from livegate.models import ReferenceImage

_STATUS: Final = 422

_SIGNATURES: Final = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
}

_TOO_SMALL: Final = PolicyViolation(
    "image_too_small",
    {
        "en": "The image is smaller than 1 KB.",
        "de": "Das Bild ist kleiner als 1 KB.",
    },
    {
        "en": "Send a photo that shows the whole face.",
        "de": "Senden Sie ein Foto, auf dem das ganze Gesicht zu sehen ist.",
    },
    status=_STATUS,
)
_TOO_LARGE: Final = PolicyViolation(
    "image_too_large",
    {
        "en": "The image is larger than 6 MB.",
        "de": "Das Bild ist größer als 6 MB.",
    },
    {
        "en": "Send the image with a lower resolution.",
        "de": "Senden Sie das Bild mit einer geringeren Auflösung.",
    },
    status=_STATUS,
)
_FORMAT_UNKNOWN: Final = PolicyViolation(
    "image_format_unknown",
    {
        "en": "The image is not a JPEG, PNG, GIF or BMP file.",
        "de": "Das Bild ist keine JPEG-, PNG-, GIF- oder BMP-Datei.",
    },
    {
        "en": "Send the image in one of these formats.",
        "de": "Senden Sie das Bild in einem dieser Formate.",
    },
    status=_STATUS,
)


@hookimpl
def check_reference_image(image: ReferenceImage) -> list[PolicyViolation]:
    """Violations for an image of a wrong size or format."""
    violations = []
    if len(image.content) < MIN_IMAGE_BYTES:
        violations.append(_TOO_SMALL)
    if len(image.content) > MAX_IMAGE_BYTES:
        violations.append(_TOO_LARGE)
    if format_of(image.content) is None:
        violations.append(_FORMAT_UNKNOWN)
    return violations


def format_of(content: bytes) -> str | None:
    """``JPEG``, ``PNG``, ``GIF`` or ``BMP`` by the first bytes, else None."""
    for signature, image_format in _SIGNATURES.items():
        if content.startswith(signature):
            return image_format
    return None
