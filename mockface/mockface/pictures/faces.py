"""A face in a picture: where it is, how it looks, and what follows from that.

Pure functions over values. The landmarks are those of the drawn portraits; a photograph's face gets
the same ones, moved and turned so that the pupils meet its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Mapping

Glasses = Literal["noGlasses", "readingGlasses", "sunglasses", "swimmingGoggles"]
Mask = Literal["noMask", "faceMask", "otherMaskOrOcclusion", "uncertain"]
GLASSES: tuple[str, ...] = get_args(Glasses)
MASKS: tuple[str, ...] = get_args(Mask)
DARK_GLASSES = ("sunglasses", "swimmingGoggles")
QUALITIES = LEVELS = ("low", "medium", "high")
EXPOSURES = ("underExposure", "goodExposure", "overExposure")
"""The service's words, as its published client library lists them."""

_Pixel = Annotated[int, Meta(ge=0, le=65_535)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Angle = Annotated[float, Meta(ge=-90, le=90)]

BLUR_BOUNDS = (0.25, 0.75)
EXPOSURE_BOUNDS = (0.25, 0.75)
NOISE_BOUNDS = (0.3, 0.7)
"""Where the second and the third level of a measure begin (assumption: no source states them)."""

_GOOD_SIDE, _POOR_SIDE = 200, 100  # pixels of a face's shorter side (contract section 10: 200)
_GOOD_TURN, _POOR_TURN = 15, 35  # degrees away from the camera

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Where a face is, in pixels."""

    left: _Pixel
    top: _Pixel
    width: _Pixel
    height: _Pixel


@dataclass(frozen=True, slots=True)
class Look:
    """How a face looks in a picture.

    Attributes:
        glasses: What they wear.
        mask: What covers the mouth.
        blur: 0 to 1, the larger the blurrier.
        exposure: 0 to 1; a half is right, less is too dark, more is too bright.
        noise: 0 to 1, the larger the noisier.
        roll: Degrees that the head leans towards its own left shoulder.
        yaw: Degrees that the head is turned to its own left.
        pitch: Degrees that the head looks up.
        eyes_covered: Whether the eyes cannot be seen.
    """

    glasses: Glasses = "noGlasses"
    mask: Mask = "noMask"
    blur: _Share = 0.06
    exposure: _Share = 0.5
    noise: _Share = 0.08
    roll: _Angle = 0.0
    yaw: _Angle = 0.0
    pitch: _Angle = 0.0
    eyes_covered: bool = False

    @property
    def mouth_covered(self) -> bool:
        """Whether something hides the mouth."""
        return self.mask in {"faceMask", "otherMaskOrOcclusion"}


@dataclass(frozen=True, slots=True)
class Face:
    """A face in a picture.

    Attributes:
        box: Where it is, in pixels.
        look: How it looks.
        quality: How well it can be recognised: `low`, `medium` or `high`.
        pupils: Where the pupils were found, the one on the picture's left first; `None` puts them
            where a face of this box and look has them.
    """

    box: Rectangle
    look: Look = field(default_factory=Look)
    quality: str = "high"
    pupils: tuple[Point, Point] | None = None


def level(value: float, bounds: tuple[float, float]) -> int:
    """0, 1 or 2: below, between or from the bounds on."""
    return sum(value >= bound for bound in bounds)


def quality(box: Rectangle, look: Look) -> str:
    """How well a face can be recognised, by its size and its look.

    The service's own measure is not public; this one asks for what its documentation recommends: a
    face of 200 pixels, sharp, well lit, uncovered and turned to the camera (assumption).
    """
    side = min(box.width, box.height)
    turn = max(abs(look.roll), abs(look.yaw), abs(look.pitch))
    hidden = look.mouth_covered or look.eyes_covered or look.glasses in DARK_GLASSES
    blur, noise = level(look.blur, BLUR_BOUNDS), level(look.noise, NOISE_BOUNDS)
    well_lit = level(look.exposure, EXPOSURE_BOUNDS) == 1
    if side < _POOR_SIDE or turn > _POOR_TURN or max(blur, noise) > 1 or not well_lit:
        return "low"
    if look.mask == "faceMask" or look.eyes_covered:
        return "low"
    if side < _GOOD_SIDE or turn > _GOOD_TURN or blur + noise > 0 or hidden:
        return "medium"
    return "high"


def landmarks(face: Face) -> Mapping[str, Point]:
    """The 27 points of a face, by the service's names; left is the picture's left."""
    box, shift = face.box, turned(face.look.yaw)
    drawn = {
        name: complex(box.left + (x + shift) * box.width, box.top + y * box.height)
        for name, (x, y) in LANDMARKS.items()
    }
    if face.pupils is not None:
        left, right = (complex(*pupil) for pupil in face.pupils)
        turn = (right - left) / (drawn["pupilRight"] - drawn["pupilLeft"])
        origin = drawn["pupilLeft"]
        drawn = {name: left + turn * (point - origin) for name, point in drawn.items()}
    return {name: (point.real, point.imag) for name, point in drawn.items()}


def turned(yaw: float) -> float:
    """How far, in widths of the face, eyes, nose and mouth move aside when the head turns."""
    return math.sin(math.radians(yaw)) / 4


EYE_LINE, NOSE_LINE, MOUTH_LINE = 0.40, 0.60, 0.745
EYE_APART, EYE_WIDE, EYE_HIGH = 0.20, 0.092, 0.034
BROW_LINE, MOUTH_WIDE = 0.315, 0.155
"""The drawn face in shares of its box, from its top and from its middle."""


def _mirrored(stem: str, x: float, y: float) -> dict[str, Point]:
    """A point and its mirror image; the service has the side in the middle of the name."""
    return {stem.format("Left"): (0.5 - x, y), stem.format("Right"): (0.5 + x, y)}


LANDMARKS: Mapping[str, Point] = MappingProxyType(
    _mirrored("pupil{}", EYE_APART, EYE_LINE)
    | {"noseTip": (0.5, NOSE_LINE - 0.02)}
    | _mirrored("mouth{}", MOUTH_WIDE, MOUTH_LINE)
    | _mirrored("eyebrow{}Outer", EYE_APART + 0.11, BROW_LINE + 0.01)
    | _mirrored("eyebrow{}Inner", EYE_APART - 0.11, BROW_LINE + 0.01)
    | _mirrored("eye{}Outer", EYE_APART + EYE_WIDE, EYE_LINE)
    | _mirrored("eye{}Top", EYE_APART, EYE_LINE - EYE_HIGH)
    | _mirrored("eye{}Bottom", EYE_APART, EYE_LINE + EYE_HIGH)
    | _mirrored("eye{}Inner", EYE_APART - EYE_WIDE, EYE_LINE)
    | _mirrored("noseRoot{}", 0.04, EYE_LINE + 0.02)
    | _mirrored("nose{}AlarTop", 0.05, NOSE_LINE - 0.05)
    | _mirrored("nose{}AlarOutTip", 0.08, NOSE_LINE)
    | {
        "upperLipTop": (0.5, MOUTH_LINE - 0.015),
        "upperLipBottom": (0.5, MOUTH_LINE),
        "underLipTop": (0.5, MOUTH_LINE + 0.01),
        "underLipBottom": (0.5, MOUTH_LINE + 0.05),
    }
)
"""The points of a drawn face that looks straight ahead, in shares of its box."""
