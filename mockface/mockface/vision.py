"""Looks at posted pictures: whether they are sound, what faces they show, whose face it is.

Drawn portraits (`mockface.images`) carry a mark that says what they show, and it is believed. In
any other picture OpenCV finds the faces, if the extra `vision` is installed. Without it nothing is
decoded, and one face is assumed, at a place that follows from the bytes.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from mockface.errors import Reason, RefusedError
from mockface.pictures.faces import Face, Rectangle
from mockface.pictures.files import inspect
from mockface.pictures.marks import Mark, read_mark

if TYPE_CHECKING:
    from mockface.pictures.photographs import Photographs

_log = logging.getLogger("mockface")

SMALLEST, LARGEST = 1024, 6 * 1024 * 1024
"""Bytes that a picture may have (contract: 1 KB to 6 MB)."""

_SMALLEST_FACE = 36  # pixels, in a picture of at most 1920 x 1080 (contract section 10)
_LONG_SIDE, _SHORT_SIDE = 1920, 1080
_MOST_FACES = 100  # that the service's documentation says it gives back
_REMEMBERED = 512  # pictures, so that the one that all tests post is looked at once


class Vision(StrEnum):
    """How pictures are looked at."""

    AUTO = "auto"
    OPENCV = "opencv"
    PORTRAITS = "portraits"


class NoOpenCVError(ValueError):
    """OpenCV was asked for, and it is not installed."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What there is to see in a picture.

    Attributes:
        faces: The largest one first; none that is too small.
        sha256: The hash of the file, in upper-case hex digits.
        person: Who it is, if the picture says so.
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
        person: Who it is, if the picture says so (the drawn portraits do).
    """

    face: Rectangle
    quality: str
    sha256: str
    person: str | None


class Eyes:
    """Looks at pictures; safe from any thread.

    Args:
        vision: `opencv` looks with OpenCV, `portraits` at the marks of drawn portraits only, `auto`
            with OpenCV if it is installed. It is loaded when the first photograph arrives.

    Raises:
        NoOpenCVError: `opencv` without the extra `vision`.
        ValueError: Another word.
    """

    def __init__(self, vision: str = Vision.AUTO) -> None:
        self.vision = Vision(vision)
        self._auto = self.vision is Vision.AUTO
        if self._auto:
            self.vision = Vision.OPENCV if _has_opencv() else Vision.PORTRAITS
        elif self.vision is Vision.OPENCV and not _has_opencv():
            raise NoOpenCVError(
                "Looking at photographs needs OpenCV 4: pip install 'livegate[mock,vision]'."
            )
        self._lock = Lock()
        self._seen: OrderedDict[str, Sight] = OrderedDict()
        self._photographs: Photographs | None = None

    def reference(self, data: bytes) -> ReferenceImage:
        """Takes a reference image in.

        Args:
            data: The posted file.

        Raises:
            RefusedError: `IMAGE_SIZE` and `IMAGE_INVALID` as `look` has them, and `IMAGE_INVALID`
                for any number of faces but one (assumption, after the codes of detection).
        """
        sight = self.look(data)
        if len(sight.faces) != 1:
            found = f"{len(sight.faces)} faces were" if sight.faces else "no face was"
            raise RefusedError(
                Reason.IMAGE_INVALID, f"The image has to show one face, and {found} found."
            )
        face = sight.faces[0]
        return ReferenceImage(
            face=face.box, quality=face.quality, sha256=sight.sha256, person=sight.person
        )

    def look(self, data: bytes) -> Sight:
        """Looks at a picture; the same picture looks the same every time.

        Args:
            data: The posted file.

        Raises:
            RefusedError: `IMAGE_SIZE` for a size out of bounds; `IMAGE_INVALID` for everything that
                is no sound picture in one of the four formats.
        """
        if not SMALLEST <= len(data) <= LARGEST:
            raise RefusedError(
                Reason.IMAGE_SIZE,
                f"The image has {len(data)} bytes; {SMALLEST} to {LARGEST} are allowed "
                "(1 KB to 6 MB).",
            )
        digest = sha256(data)
        name = digest.hexdigest().upper()
        with self._lock:
            sight = self._seen.get(name)
        if sight is None:
            sight = self._look(data, name, digest.digest())
            with self._lock:
                self._seen[name] = sight
                if len(self._seen) > _REMEMBERED:
                    self._seen.popitem(last=False)
        return sight

    def _look(self, data: bytes, name: str, digest: bytes) -> Sight:
        try:
            file = inspect(data)
            least = smallest_face(file.width, file.height)
            mark = read_mark(data)
            if mark is not None:
                faces = _marked(mark)
            elif finder := self._finder():
                faces = finder.faces(data, file, least=least, most=_MOST_FACES)
            else:
                faces = [Face(_assumed_box(file.width, file.height, digest))]
        except ValueError as wrong:
            raise RefusedError(
                Reason.IMAGE_INVALID,
                f"The image cannot be decoded. {wrong} Send a whole JPEG, PNG, GIF or BMP file.",
            ) from None
        seen = [face for face in faces if min(face.box.width, face.box.height) >= least]
        seen.sort(key=_large_first)
        return Sight(tuple(seen[:_MOST_FACES]), name, None if mark is None else mark.person)

    def _finder(self) -> Photographs | None:
        """What finds faces with OpenCV; `None` without it."""
        with self._lock:
            if self.vision is Vision.OPENCV and self._photographs is None:
                try:
                    # NumPy and OpenCV take a third of a second to load and 60 MB to keep.
                    from mockface.pictures.photographs import Photographs  # noqa: PLC0415 - see above
                except ImportError as broken:
                    if not self._auto:
                        raise
                    _log.warning("OpenCV is there and does not load (%s); going without", broken)
                    self.vision = Vision.PORTRAITS
                else:
                    self._photographs = Photographs()
            return self._photographs


def smallest_face(width: int, height: int) -> int:
    """Pixels that a face needs at least, in proportion above 1920 x 1080.

    That the larger of the two proportions counts is an assumption.
    """
    long, short = max(width, height), min(width, height)
    return round(_SMALLEST_FACE * max(1.0, long / _LONG_SIDE, short / _SHORT_SIDE))


def _marked(mark: Mark) -> list[Face]:
    """The faces that a drawn portrait says it has."""
    return [Face(box, mark.look, mark.quality) for box in mark.faces]


def _has_opencv() -> bool:
    """Whether OpenCV is installed with its cascades, which version 5 no longer has."""
    found = find_spec("cv2")
    if found is None or found.origin is None:
        return False
    return any(Path(found.origin).with_name("data").glob("haarcascade_frontalface_*.xml"))


def _assumed_box(width: int, height: int, digest: bytes) -> Rectangle:
    """About half the picture, near its middle; the digest decides the rest."""
    face_width = width * (40 + digest[0] % 20) // 100
    face_height = height * (40 + digest[1] % 20) // 100
    left = (width - face_width) * (40 + digest[2] % 20) // 100
    top = (height - face_height) * (40 + digest[3] % 20) // 100
    return Rectangle(left, top, face_width, face_height)


def _large_first(face: Face) -> tuple[int, int, int]:
    return -face.box.width * face.box.height, face.box.left, face.box.top
