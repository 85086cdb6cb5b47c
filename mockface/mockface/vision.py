"""Inspects posted pictures: whether they can be decoded, which faces they show, whose face it is.

Drawn portraits (`mockface.images`) carry a mark that says what they show. In any other picture
OpenCV finds the faces, if `vision` is on; otherwise one good face is assumed, at a place that
follows from the bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock
from typing import TYPE_CHECKING

from mockface.errors import Reason, RefusedError
from mockface.extras import needs
from mockface.pictures.faces import Face, Rectangle, quality
from mockface.pictures.marks import read_mark

if TYPE_CHECKING:
    from mockface.pictures.face_finder import FaceFinder
    from mockface.pictures.files import Picture

MIN_BYTES, MAX_BYTES = 1024, 6 * 1024 * 1024
"""The size of a file (contract: 1 KB to 6 MB)."""

_MIN_FACE = 36  # pixels, in a picture of at most 1920 x 1080 (contract section 10)
_LONG_SIDE, _SHORT_SIDE = 1920, 1080
_MAX_FACES = 100  # that the service's documentation says it returns
_REMEMBERED = 512  # pictures, so that the one that all tests post is decoded once


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a picture shows.

    Attributes:
        faces: The largest one first; none that is too small.
        sha256: The hash of the file, in upper-case hex digits.
        person: The id of the person, if the picture is a drawn portrait.
    """

    faces: tuple[Face, ...]
    sha256: str
    person: str | None = None


@dataclass(frozen=True, slots=True)
class ReferenceImage:
    """What the service keeps of a reference image: never the picture itself.

    Attributes:
        face: Where the face is.
        quality: `low`, `medium` or `high`.
        sha256: The hash of the posted bytes, in upper-case hex digits.
        person: The id of the person, if the picture is a drawn portrait.
    """

    face: Rectangle
    quality: str
    sha256: str
    person: str | None


class ImageInspector:
    """Inspects pictures; safe from any thread.

    Decoding takes up to half a second, so an event loop calls it in a thread. One picture is
    decoded at a time, so that memory is bounded by one picture's.

    Args:
        vision: Whether OpenCV looks for faces.

    Raises:
        ImportError: `vision` without OpenCV 4; the message names the remedy.
    """

    def __init__(self, *, vision: bool = False) -> None:
        self._finder: FaceFinder | None = None
        if vision:
            with needs("mock,vision"):
                from mockface.pictures.face_finder import FaceFinder  # noqa: PLC0415 - heavy, and optional
            self._finder = FaceFinder()
        self._lock = Lock()
        self._seen: OrderedDict[str, Inspection] = OrderedDict()

    def reference(self, data: bytes) -> ReferenceImage:
        """Inspects a reference image.

        Args:
            data: The posted file.

        Raises:
            RefusedError: `IMAGE_SIZE` and `IMAGE_INVALID` as of `inspect`, and `IMAGE_INVALID` for
                any number of faces but one (assumption, after the codes of detection).
        """
        seen = self.inspect(data)
        if len(seen.faces) != 1:
            found = f"{len(seen.faces)} faces were" if seen.faces else "no face was"
            raise RefusedError(
                Reason.IMAGE_INVALID, f"The image has to show one face, and {found} found."
            )
        face = seen.faces[0]
        return ReferenceImage(face.box, face.quality, seen.sha256, seen.person)

    def inspect(self, data: bytes) -> Inspection:
        """Inspects a picture; the same bytes give the same result every time.

        Args:
            data: The posted file.

        Raises:
            RefusedError: `IMAGE_SIZE` for a size out of bounds; `IMAGE_INVALID` for a file that is
                not a picture in one of the four formats.
        """
        if not MIN_BYTES <= len(data) <= MAX_BYTES:
            raise RefusedError(
                Reason.IMAGE_SIZE,
                f"The image has {len(data)} bytes; {MIN_BYTES} to {MAX_BYTES} are allowed "
                "(1 KB to 6 MB).",
            )
        digest = sha256(data)
        name = digest.hexdigest().upper()
        seen = self._seen.get(name)
        if seen is None:
            with self._lock:
                seen = self._seen[name] = self._inspect(data, name, digest.digest())
                if len(self._seen) > _REMEMBERED:
                    self._seen.popitem(last=False)
        return seen

    def _inspect(self, data: bytes, name: str, digest: bytes) -> Inspection:
        with needs("mock"):
            from mockface.pictures.files import read_picture  # noqa: PLC0415 - few runs need Pillow
        try:
            picture = read_picture(data)
        except ValueError as error:
            raise RefusedError(
                Reason.IMAGE_INVALID,
                f"The image cannot be decoded. {error} Send a whole JPEG, PNG, GIF or BMP file.",
            ) from None
        min_size = min_face(picture.width, picture.height)
        mark = read_mark(data)
        if mark is not None:
            faces = [Face(box, mark.look, quality(box, mark.look)) for box in mark.faces]
        elif self._finder is not None:
            faces = self._finder.faces(picture, min_size=min_size, limit=_MAX_FACES)
        else:
            faces = [Face(_assumed_box(picture, digest))]
        seen = [face for face in faces if min(face.box.width, face.box.height) >= min_size]
        seen.sort(key=lambda face: (-face.box.width * face.box.height, face.box.left, face.box.top))
        return Inspection(tuple(seen), name, None if mark is None else mark.person)


def min_face(width: int, height: int) -> int:
    """Pixels that a face needs at least, in proportion above 1920 x 1080.

    That the larger of the two proportions counts is an assumption.
    """
    long, short = max(width, height), min(width, height)
    return round(_MIN_FACE * max(1.0, long / _LONG_SIDE, short / _SHORT_SIDE))


def _assumed_box(picture: Picture, digest: bytes) -> Rectangle:
    """About half the picture, near its middle; the digest decides the rest."""
    width = picture.width * (40 + digest[0] % 20) // 100
    height = picture.height * (40 + digest[1] % 20) // 100
    left = (picture.width - width) * (40 + digest[2] % 20) // 100
    top = (picture.height - height) * (40 + digest[3] % 20) // 100
    return Rectangle(left, top, width, height)
