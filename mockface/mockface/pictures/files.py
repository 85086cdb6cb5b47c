"""Reads a picture's file without decoding a pixel: what it is, how large, and whether it is whole.

Everything here is a walk over lengths that the file states. A step reads a handful of bytes, and
the number of steps is bounded, so neither a size that lies nor a chain of tiny blocks costs memory
or time.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_PIXELS = 25_000_000
"""Width times height; more is refused before anything is decoded (assumption: the service states
no bound, and a phone's photograph within 6 MB stays below it)."""

_MOST_BLOCKS = 100_000  # an encoder that fills its blocks needs a quarter of it for 6 MB
_MOST_BEHIND = 4  # further pictures in a JPEG
_MOST_SCANS = 32  # a progressive JPEG has about ten; each one costs a pass over all pixels

_PNG, _GIFS, _BMP, _JPEG = b"\x89PNG\r\n\x1a\n", (b"GIF87a", b"GIF89a"), b"BM", b"\xff\xd8\xff"
_PADDING = b"\0\t\n\r \x1a"

# JPEG markers (ITU T.81, table B.1)
_START_OF_SCAN, _END_OF_IMAGE, _APP1 = 0xDA, 0xD9, 0xE1
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_FILLING = re.compile(rb"\xff+")
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # no stuffed byte, no restart, no filling
_ORIENTATION = 0x0112  # Exif 2.32, table 4
_ORIENTATIONS = range(1, 9)
_LYING = frozenset({5, 6, 7, 8})

# GIF blocks (GIF89a, appendix A)
_EXTENSION, _FRAME, _TRAILER = 0x21, 0x2C, 0x3B

_OS2_HEADER, _UNCOMPRESSED = 12, frozenset({0, 3, 6})

# What a page or a program begins with. No picture needs it, and who sees it in one may run it.
_SECOND_NATURES = (b"<script", b"<html", b"<!doctype", b"<svg", b"<?php", b"%pdf-")
_ZIP_END, _ZIP_WITHIN = b"PK\x05\x06", 65_557  # a ZIP is read from its end, wherever it starts


@dataclass(frozen=True, slots=True)
class PictureFile:
    """What a picture's header says.

    Attributes:
        format: `JPEG`, `PNG`, `GIF` or `BMP`.
        width: Pixels of the picture as it is shown.
        height: Pixels of the picture as it is shown.
        orientation: How the stored pixels lie, 1 to 8 (Exif); 1 is upright.
    """

    format: str
    width: int
    height: int
    orientation: int = 1


def inspect(data: bytes) -> PictureFile:
    """Looks at a file's structure from its first to its last byte.

    The name that a file was given and the content type that came with it are not asked for: the
    first bytes say what it is (assumption).

    Args:
        data: The whole file.

    Raises:
        ValueError: It is no picture of the four formats, cut off, damaged, larger than
            `MOST_PIXELS`, or it is something else besides. The message is a sentence.
    """
    read = next((read for magic, read in _READERS if data.startswith(magic)), None)
    if read is None:
        raise ValueError("The file is no JPEG, PNG, GIF or BMP picture.")
    try:
        name, width, height, orientation, end = read(data)
        alone = _ends(name, data[end:].strip(_PADDING))
    except (struct.error, IndexError):
        raise ValueError("The picture is cut off.") from None
    if width < 1 or height < 1:
        raise ValueError("The picture has no pixels.")
    if width * height > MOST_PIXELS:
        raise ValueError(f"The picture has {width} x {height} pixels; allowed are {MOST_PIXELS}.")
    if not alone:
        raise ValueError("Something else stands behind the end of the picture.")
    lowered = data.lower()
    if any(start in lowered for start in _SECOND_NATURES) or _ZIP_END in data[-_ZIP_WITHIN:]:
        raise ValueError("The file is a picture and something else at once.")
    if orientation in _LYING:
        width, height = height, width
    return PictureFile(name, width, height, orientation)


def _ends(name: str, rest: bytes) -> bool:
    """Whether nothing follows a picture that does not belong to it.

    Phones put more JPEGs behind the first: a thumbnail, the map of its depth or brightness.
    """
    for _ in range(_MOST_BEHIND):
        if name != "JPEG" or not rest.startswith(_JPEG):
            break
        *_, end = _jpeg(rest)
        rest = rest[end:].strip(_PADDING)
    return not rest


_Read = tuple[str, int, int, int, int]
"""Format, stored width and height, orientation, and where the picture ends."""


def _png(data: bytes) -> _Read:
    width, height = struct.unpack_from(">II", data, 16)
    at, pixels = len(_PNG), False
    for block in _blocks():
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        (crc,) = struct.unpack_from(">I", data, end - 4)
        if (kind == b"IHDR") != (block == 0) or crc != zlib.crc32(data[at + 4 : end - 4]):
            break
        at, pixels = end, pixels or kind == b"IDAT"
        if kind == b"IEND":
            if pixels:
                return "PNG", width, height, 1, at
            break
    raise _damaged()


def _gif(data: bytes) -> _Read:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    at, frames = 13 + _colours(flags), 0
    blocks = _blocks()
    for _ in blocks:
        kind = data[at]
        if kind == _TRAILER and frames:
            return "GIF", width, height, 1, at + 1
        if kind == _EXTENSION:
            at += 2
        elif kind == _FRAME:
            left, top, wide, high, flags = struct.unpack_from("<HHHHB", data, at + 1)
            if left + wide > width or top + high > height:
                raise ValueError("A frame of the picture is larger than the picture.")
            at, frames = at + 11 + _colours(flags), frames + 1
        else:
            break
        while data[at]:
            at += 1 + data[at]
            next(blocks)
        at += 1
    raise _damaged()


def _colours(flags: int) -> int:
    """The bytes of a GIF's table of colours."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _bmp(data: bytes) -> _Read:
    length, _, start, header = struct.unpack_from("<IIII", data, 2)
    if header == _OS2_HEADER:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        packing, packed = 0, 0
    else:
        width, height, _, bits, packing, packed = struct.unpack_from("<iiHHII", data, 18)
    rows = (width * bits + 31) // 32 * 4 * abs(height)
    end = max(length, start + (rows if packing in _UNCOMPRESSED else packed))
    if end > len(data):
        raise ValueError("The picture is cut off.")
    return "BMP", width, abs(height), 1, end


def _jpeg(data: bytes) -> _Read:
    at, scans, orientation = 2, 0, 0
    size: tuple[int, int] | None = None
    for _ in _blocks():
        marker, at = _marker(data, at)
        if marker == _END_OF_IMAGE and size and scans:
            return "JPEG", size[1], size[0], orientation or 1, at
        (length,) = struct.unpack_from(">H", data, at)
        if marker in _FRAME_HEADERS:
            if size:
                break  # a decoder may go by the other one
            size = struct.unpack_from(">HH", data, at + 3)
        elif marker == _APP1 and not orientation:
            orientation = _orientation(data[at + 2 : at + length])
        at += length
        if marker == _START_OF_SCAN:
            scans += 1
            at = _behind_pixels(data, at)
        if marker == _END_OF_IMAGE or scans > _MOST_SCANS:
            break
    raise _damaged()


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """The marker of a JPEG that stands here, and where its segment goes on."""
    filling = _FILLING.match(data, at)
    if filling is None:
        raise _damaged()
    return data[filling.end()], filling.end() + 1


def _behind_pixels(data: bytes, at: int) -> int:
    """Where the next marker of a JPEG stands."""
    found = _NEXT_MARKER.search(data, at)
    if found is None:
        raise ValueError("The picture is cut off.")
    return found.start()


def _orientation(segment: bytes) -> int:
    """How the pixels lie, by the Exif data of a JPEG; 0 if this segment does not say."""
    if not segment.startswith((b"Exif\0\0II*\0", b"Exif\0\0MM\0*")):
        return 0
    order, tiff = "<" if segment[6:7] == b"I" else ">", segment[6:]
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(entries):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", tiff, at + 2 + 12 * entry)
            if tag == _ORIENTATION:
                return value if value in _ORIENTATIONS else 0
    except struct.error:
        pass  # Exif data that end too early say nothing; the picture itself may be whole
    return 0


def _blocks() -> Iterator[int]:
    """The numbers of a file's blocks; ends in an error when there are far too many."""
    yield from range(_MOST_BLOCKS)
    raise ValueError("The picture is cut into far too many pieces.")


def _damaged() -> ValueError:
    return ValueError("The picture is damaged.")


_READERS = (
    (_JPEG, _jpeg),
    (_PNG, _png),
    (_GIFS, _gif),
    (_BMP, _bmp),
)
