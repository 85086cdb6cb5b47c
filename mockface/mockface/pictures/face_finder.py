"""Finds faces in photographs with OpenCV, whose wheel contains the trained cascades.

Import it late: NumPy and OpenCV take a third of a second to load and 60 MB to keep.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from PIL import Image

from mockface.pictures.faces import Face, Look, Point, Rectangle, quality
from mockface.pictures.files import DECODED_SIDE

if TYPE_CHECKING:
    from mockface.pictures.files import Picture

    Grey = np.ndarray[Any, np.dtype[Any]]

_SIDE = 200  # pixels to which a face is brought before it is measured

_STEP, _NEIGHBOURS = 1.1, 5
_FINE_STEP, _MANY_NEIGHBOURS, _FEW_NEIGHBOURS = 1.05, 6, 3
_UPPER, _LOWER = slice(20, 110), slice(110, 200)  # rows of a measured face with eyes, with mouth

_SHARPNESS_OF_A_BLUR = 0.035  # sharpness at which the measure of blur is a half
_GRAIN_OF_A_NOISE = 12.0  # standard deviation of the grain, of 255, at which noise is a half

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its orientation in Exif."""


class FaceFinder:
    """Finds faces; not safe from several threads at once.

    Raises:
        ImportError: The installed OpenCV is not version 4: later ones have no cascades.
    """

    def __init__(self) -> None:
        if not cv2.__version__.startswith("4."):
            raise ImportError(
                f"OpenCV {cv2.__version__} cannot find faces; "
                "run: pip install 'livegate[mock,vision]'"
            )
        self._face = _cascade("frontalface_alt2")
        self._eye = _cascade("eye_tree_eyeglasses")
        self._mouth = _cascade("smile")

    def faces(self, picture: Picture, *, min_size: int, limit: int) -> list[Face]:
        """The faces of a picture, the largest first.

        Args:
            picture: The decoded file.
            min_size: Pixels that a face has at least.
            limit: How many faces at most.
        """
        grey = _grey(picture)
        scale = min(1.0, DECODED_SIDE / max(grey.shape))
        small = grey if scale == 1 else _resized(grey, scale)
        found = self._face.detectMultiScale(
            small, _STEP, _NEIGHBOURS, minSize=(max(20, round(min_size * scale)),) * 2
        )
        boxes = [tuple(round(int(n) / scale) for n in box) for box in found]
        boxes.sort(key=lambda box: (-box[2], box))  # OpenCV's threads find them in any order
        across = picture.width / grey.shape[1]  # a large JPEG is decoded at a part of its size
        return [self._seen(grey, box, across) for box in boxes[:limit]]

    def _seen(self, grey: Grey, box: tuple[int, ...], across: float) -> Face:
        left, top, width, height = box
        cut = grey[top : top + height, left : left + width]
        face = cv2.resize(cut, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        pupils = self._pupils(face)
        look = Look(
            mask="noMask" if self._has_mouth(face) else "uncertain",
            blur=_blur(face),
            exposure=round(float(face.mean()) / 255, 2),
            noise=_noise(cut),
            roll=_roll(pupils),
            yaw=_yaw(pupils),
            eyes_covered=pupils is None,
        )
        where = Rectangle(*(round(number * across) for number in box))
        return Face(where, look, quality(where, look), pupils and _within(pupils, where))

    def _pupils(self, face: Grey) -> tuple[Point, Point] | None:
        """The two eyes of a measured face: the pair that lies most evenly."""
        found = self._eye.detectMultiScale(face[_UPPER], _FINE_STEP, _MANY_NEIGHBOURS)
        middles = sorted((x + w / 2, y + h / 2 + _UPPER.start) for x, y, w, h in found)
        left = [point for point in middles if point[0] < _SIDE / 2]
        right = [point for point in middles if point[0] >= _SIDE / 2]
        pairs = [(a, b) for a in left for b in right]
        if not pairs:
            return None
        return min(pairs, key=lambda pair: (abs(pair[0][1] - pair[1][1]), pair))

    def _has_mouth(self, face: Grey) -> bool:
        found = self._mouth.detectMultiScale(face[_LOWER], _FINE_STEP, _FEW_NEIGHBOURS)
        return any(x <= _SIDE / 2 <= x + w for x, _, w, _ in found)


def _cascade(name: str) -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(
        str(Path(cv2.__file__).with_name("data") / f"haarcascade_{name}.xml")
    )


def _grey(picture: Picture) -> Grey:
    """The picture in grey, 8 bits, upright."""
    image = picture.image
    if image.mode.startswith("I"):  # 16 bits, of which Pillow would keep the lower ones
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    grey = image.convert("L")
    turn = _UPRIGHT.get(picture.orientation)
    return np.asarray(grey if turn is None else grey.transpose(turn))


def _resized(grey: Grey, scale: float) -> Grey:
    height, width = (max(1, round(side * scale)) for side in grey.shape)
    return cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)


def _within(pupils: tuple[Point, Point], box: Rectangle) -> tuple[Point, Point]:
    """Pupils of a measured face as pixels of the picture."""
    (a, b), (c, d) = pupils
    wide, high = box.width / _SIDE, box.height / _SIDE
    return (box.left + a * wide, box.top + b * high), (box.left + c * wide, box.top + d * high)


def _blur(face: Grey) -> float:
    """1 for no edge at all; the contrast of the face does not count."""
    edges = float(cv2.Laplacian(face, cv2.CV_64F).var())
    sharpness = edges / max(1.0, float(face.var()))
    return round(_SHARPNESS_OF_A_BLUR / (_SHARPNESS_OF_A_BLUR + sharpness), 2)


def _noise(cut: Grey) -> float:
    """By what is left when the edges, which a median keeps, are taken away."""
    rest = cv2.absdiff(cut, cv2.medianBlur(cut, 3))
    grain = float(np.median(rest)) * 1.4826  # the standard deviation of a normal distribution
    return round(grain / (grain + _GRAIN_OF_A_NOISE), 2)


def _roll(pupils: tuple[Point, Point] | None) -> float:
    """By the line through the eyes, in degrees."""
    if pupils is None:
        return 0.0
    (a, b), (c, d) = pupils
    return round(math.degrees(math.atan2(d - b, c - a)), 1)


def _yaw(pupils: tuple[Point, Point] | None) -> float:
    """By how far the eyes lie beside the middle of the face, in degrees: a rough measure."""
    if pupils is None:
        return 0.0
    aside = ((pupils[0][0] + pupils[1][0]) / 2 - _SIDE / 2) / _SIDE
    return round(math.degrees(math.asin(max(-1.0, min(1.0, aside * 4)))), 1)
