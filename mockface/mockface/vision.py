"""Looks at a posted picture without decoding it: format, size, and where the face is.

Drawn portraits (`mockface.images`) carry a mark that says where their face is and whose it is. In
any other picture one face is assumed, at a place that follows from the bytes.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from hashlib import sha256

from mockface.errors import Reason, RefusedError
from mockface.sessions import Rectangle, ReferenceImage

SMALLEST, LARGEST = 1024, 6 * 1024 * 1024
"""Bytes that a reference image may have (contract: 1 KB to 6 MB)."""

MARK = b"mockface-portrait:"
"""What stands before the JSON object that a drawn portrait carries."""

_SMALLEST_FACE = 36  # pixels, contract section 10
_MARK_WITHIN = 4096  # bytes from the start in which a mark may stand
_MARK_LENGTH = 512

# JPEG markers (ITU T.81, table B.1)
_FILL, _START_OF_SCAN, _END_OF_IMAGE = 0xFF, 0xDA, b"\xff\xd9"
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Mark:
    """What a drawn portrait says of itself.

    Attributes:
        person: Who it is.
        faces: Where the faces are.
        quality: `low`, `medium` or `high`.
    """

    person: str
    faces: tuple[Rectangle, ...]
    quality: str

    def to_bytes(self) -> bytes:
        """The mark as it is put into a picture."""
        faces = [[face.left, face.top, face.width, face.height] for face in self.faces]
        said = {"person": self.person, "faces": faces, "quality": self.quality}
        return MARK + json.dumps(said, separators=(",", ":")).encode("ascii")


def reference_image(data: bytes) -> ReferenceImage:
    """Takes a reference image in.

    Args:
        data: The posted bytes.

    Raises:
        RefusedError: `IMAGE_SIZE` for a size out of bounds; `IMAGE_INVALID` for a format that is
            none of JPEG, PNG, GIF and BMP, for a picture that is cut off, and for any number of
            faces but one.
    """
    if not SMALLEST <= len(data) <= LARGEST:
        raise RefusedError(
            Reason.IMAGE_SIZE,
            f"The image has {len(data)} bytes; allowed are {SMALLEST} to {LARGEST} (1 KB to 6 MB).",
        )
    size = _size(data)
    if size is None:
        raise RefusedError(
            Reason.IMAGE_INVALID,
            "The image cannot be decoded: send a whole JPEG, PNG, GIF or BMP file.",
        )
    digest = sha256(data)
    mark = read_mark(data)
    faces = (_assumed_face(*size, digest.digest()),) if mark is None else mark.faces
    faces = tuple(face for face in faces if min(face.width, face.height) >= _SMALLEST_FACE)
    if len(faces) != 1:
        found = "no face" if not faces else f"{len(faces)} faces"
        raise RefusedError(
            Reason.IMAGE_INVALID, f"The image has to show one face, and {found} was found."
        )
    return ReferenceImage(
        face=faces[0],
        quality="high" if mark is None else mark.quality,
        sha256=digest.hexdigest().upper(),
        person=None if mark is None else mark.person,
    )


def read_mark(data: bytes) -> Mark | None:
    """The mark in a picture's first bytes, or `None` if there is none that can be read."""
    start = data.find(MARK, 0, _MARK_WITHIN)
    if start < 0:
        return None
    start += len(MARK)
    text = data[start : start + _MARK_LENGTH].decode("latin-1")
    try:
        said, _ = json.JSONDecoder().raw_decode(text)
        faces = tuple(Rectangle(*(_pixel(number) for number in face)) for face in said["faces"])
        quality = said["quality"]
        if quality not in ("low", "medium", "high"):
            return None
        return Mark(str(said["person"]), faces, quality)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


def _pixel(number: object) -> int:
    if isinstance(number, int) and 0 <= number < 1 << 16:
        return number
    raise ValueError("not a pixel")


def _assumed_face(width: int, height: int, digest: bytes) -> Rectangle:
    """About half the picture, near its middle; the digest decides the rest."""
    face_width = width * (40 + digest[0] % 20) // 100
    face_height = height * (40 + digest[1] % 20) // 100
    left = (width - face_width) * (40 + digest[2] % 20) // 100
    top = (height - face_height) * (40 + digest[3] % 20) // 100
    return Rectangle(left, top, face_width, face_height)


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels by the file's header, or `None` if it is no whole picture."""
    for magic, read in _FORMATS.items():
        if data.startswith(magic):
            try:
                size = read(data)
            except struct.error:
                return None
            return size if size is not None and min(size) > 0 else None
    return None


def _png(data: bytes) -> tuple[int, int] | None:
    width, height = struct.unpack_from(">II", data, 16)
    whole = data[12:16] == b"IHDR" and b"IEND\xaeB`\x82" in data
    return (width, height) if whole else None


def _gif(data: bytes) -> tuple[int, int] | None:
    width, height = struct.unpack_from("<HH", data, 6)
    return (width, height) if data.rstrip(b"\0").endswith(b";") else None


def _bmp(data: bytes) -> tuple[int, int] | None:
    (length,) = struct.unpack_from("<I", data, 2)
    width, height = struct.unpack_from("<ii", data, 18)
    return (width, abs(height)) if length <= len(data) else None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    """Walks from segment to segment up to the frame header; each step is at least one byte."""
    at = 2
    while at + 4 <= len(data) and data[at] == _FILL:
        marker, length = struct.unpack_from(">BH", data, at + 1)
        if marker == _FILL:
            at += 1
        elif marker in _FRAME_HEADERS:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return (width, height) if data.find(_END_OF_IMAGE, at) > 0 else None
        elif marker == _START_OF_SCAN:
            return None
        else:
            at += 2 + length
    return None


_FORMATS = {b"\xff\xd8\xff": _jpeg, b"\x89PNG\r\n\x1a\n": _png, b"GIF8": _gif, b"BM": _bmp}
