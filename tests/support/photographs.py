"""Photographs of a real person, made from one that is in the public domain."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageEnhance, ImageFilter

if TYPE_CHECKING:
    from collections.abc import Callable

FACE = (176, 65, 98, 98)
"""Left, top, width and height of the face in the photograph, by eye."""


def astronaut() -> Image.Image:
    """512 x 512 pixels, one face; it lies in the wheel of scikit-image."""
    return _of_skimage("astronaut")


def file(image: Image.Image, image_format: str = "PNG", **options: Any) -> bytes:
    """The picture as somebody would post it."""
    written = BytesIO()
    image.save(written, image_format, **options)
    return written.getvalue()


def twice(image: Image.Image) -> Image.Image:
    """The same person two times."""
    both = Image.new("RGB", (image.width * 2, image.height))
    both.paste(image, (0, 0))
    both.paste(image, (image.width, 0))
    return both


def large_and_sharp(image: Image.Image) -> Image.Image:
    """The head of the person, three times as large, with the edges that a camera would see."""
    head = image.crop((100, 10, 360, 270)).resize((780, 780), Image.Resampling.LANCZOS)
    return head.filter(ImageFilter.UnsharpMask(radius=3, percent=400, threshold=0))


BAD: dict[str, tuple[Callable[[Image.Image], Image.Image], str, str]] = {
    "blurred": (lambda image: image.filter(ImageFilter.GaussianBlur(3)), "blur", "high"),
    "dark": (
        lambda image: ImageEnhance.Brightness(image).enhance(0.3),
        "exposure",
        "underExposure",
    ),
    "bright": (
        lambda image: ImageEnhance.Brightness(image).enhance(1.5),
        "exposure",
        "overExposure",
    ),
}
"""How a photograph is spoilt, the attribute in which it shows, and its level."""


def blurred(image: Image.Image, radius: float) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(radius))


def noisy(image: Image.Image) -> Image.Image:
    """With the noise of a bad sensor."""
    import numpy as np

    noise = np.random.default_rng(1).normal(0, 20, (image.height, image.width, 3))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype("uint8"))


def in_16_bits(image: Image.Image) -> Image.Image:
    """In grey with 16 bits, the lower ones without meaning, as a scanner gives it."""
    grey = image.convert("L")
    return Image.frombytes(
        "I;16", grey.size, bytes(n for pixel in grey.tobytes() for n in (7, pixel))
    )


def coffee() -> Image.Image:
    """A photograph without a person."""
    return _of_skimage("coffee")


def lying(image: Image.Image, orientation: int) -> bytes:
    """A JPEG whose pixels lie as a camera stores them that was held in one of eight ways."""
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    turn = turns.get(orientation)
    return file(image if turn is None else image.transpose(turn), "JPEG", exif=exif)


def _of_skimage(name: str) -> Image.Image:
    from skimage import data

    read: Callable[[], Any] = getattr(data, name)
    return Image.fromarray(read())
