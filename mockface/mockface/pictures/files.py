"""Reads picture files with Pillow, within limits that hold before a pixel is decoded."""

from __future__ import annotations

import struct
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

MAX_PIXELS = 25_000_000
"""Width times height (assumption: the service states no limit, and a phone's photograph within 6 MB
stays below it)."""

DECODED_SIDE = 1280
"""Pixels; a larger JPEG is decoded at a half, a quarter or an eighth of its size."""

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_DECODERS: dict[bytes, Callable[[BytesIO], ImageFile]] = {
    _JPEG: JpegImageFile,
    _PNG: PngImageFile,
    b"GIF8": GifImageFile,
    b"BM": BmpImageFile,
}
"""By the first bytes. `Image.open` would take more formats, and would warn of large pictures."""

_START_OF_SCAN = b"\xff\xda"
_MAX_SCANS = 64  # of the largest JPEG: each costs a pass over all pixels
_ORIENTATION = 0x0112  # Exif 2.32, table 4
_TRANSPOSED = frozenset({5, 6, 7, 8})


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture; of an animation the first frame.

    Attributes:
        width: Pixels of the file's picture as it is shown.
        height: Pixels of the file's picture as it is shown.
        orientation: How the pixels are stored, 1 to 8 (Exif); 1 is upright.
        image: The pixels as they are stored, those of a large JPEG fewer than the file's.
    """

    width: int
    height: int
    orientation: int
    image: Image


def read_picture(data: bytes) -> Picture:
    """Decodes a JPEG, PNG, GIF or BMP file; the first bytes decide which one it is.

    What stands behind the picture's end, or between its segments, does not matter.

    Args:
        data: The whole file.

    Raises:
        ValueError: Pillow cannot decode it, or it has more than `MAX_PIXELS`; the message is a
            sentence.
    """
    try:
        return _read(data)
    except Warning:
        # Pillow warns of metadata that it cannot read. Where warnings are errors, as in many test
        # suites, the picture is still a picture.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _read(data)


def _read(data: bytes) -> Picture:
    magic = next((each for each in _DECODERS if data.startswith(each)), None)
    if magic is None:
        raise ValueError("The file is not a JPEG, PNG, GIF or BMP picture.")
    # Trailers of phones may have these two bytes too, so this is an upper limit.
    scans = data.count(_START_OF_SCAN) if magic == _JPEG else 1
    if scans == 0:
        raise ValueError("The picture is damaged.")
    if magic == _PNG:
        data = _without_metadata(data)
    with _damage_as_value_error():
        image = _DECODERS[magic](BytesIO(data))
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ValueError(f"The picture has {width} x {height} pixels, more than {MAX_PIXELS}.")
    if scans * width * height > _MAX_SCANS * MAX_PIXELS:
        raise ValueError(f"The picture has too many scans for {width} x {height} pixels.")
    with _damage_as_value_error():
        image.draft("L", (DECODED_SIDE, DECODED_SIDE))
        image.load()
        orientation = image.getexif().get(_ORIENTATION, 1)
    if orientation in _TRANSPOSED:
        width, height = height, width
    return Picture(width, height, orientation, image)


@contextmanager
def _damage_as_value_error() -> Iterator[None]:
    try:
        yield
    except Warning:
        raise
    except Exception as error:  # noqa: BLE001 - Pillow raises whatever a damaged file leads to
        raise ValueError(f"The picture is damaged or cut off ({type(error).__name__}).") from None


def _without_metadata(png: bytes) -> bytes:
    """A PNG with its critical chunks and its orientation only.

    Pillow refuses a picture for its metadata: for more than 1 MB of text, for a wrong checksum.
    """
    kept, start = [png[: len(_PNG)]], len(_PNG)
    while start + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, start)
        end = start + 12 + length  # length, kind and checksum have 4 bytes each
        if kind[:1].isupper() or kind == b"eXIf":
            kept.append(png[start:end])
        start = end
    return b"".join(kept)
