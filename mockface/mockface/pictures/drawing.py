"""Draws people with Pillow; import it late, for only those who draw need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from mockface.pictures import faces

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from mockface.dice import Dice
    from mockface.pictures.faces import Look, Rectangle

_SKINS = ((255, 219, 188), (241, 194, 155), (224, 172, 125), (170, 118, 80), (110, 74, 50))
_HAIRS = ((35, 25, 20), (90, 56, 37), (160, 120, 70), (210, 190, 150), (120, 120, 125))
_WALLS = ((214, 222, 230), (228, 224, 214), (206, 218, 208), (225, 214, 222))
_INK, _CLOTH, _FOLD = (45, 32, 30), (196, 220, 226), (150, 180, 190)

_BLURRIEST = 16  # pixels of the radius for a blur of 1
_GRAIN = 0.06  # share of the grain in the picture


def draw(size: tuple[int, int], boxes: Sequence[Rectangle], look: Look, dice: Dice) -> Image.Image:
    """Draws a picture.

    Args:
        size: Width and height in pixels.
        boxes: Where the faces are; each one is somebody else, the first one is whom the dice say.
        look: How all of them look.
        dice: Where colours and grain come from.
    """
    rng = dice.generator("picture")
    picture = Image.new("RGB", size, rng.choice(_WALLS))
    pen = ImageDraw.Draw(picture)
    for box in boxes:
        colours = _Colours(rng.choice(_SKINS), rng.choice(_HAIRS), rng.choice(_HAIRS))
        _person(pen, box, look, colours)
    if look.blur > faces.Look().blur:
        picture = picture.filter(ImageFilter.GaussianBlur(look.blur * _BLURRIEST))
    if look.exposure != faces.Look().exposure:
        picture = ImageEnhance.Brightness(picture).enhance(2 * look.exposure)
    return _grained(picture, rng)


@dataclass(frozen=True, slots=True)
class _Colours:
    """Of one person."""

    skin: tuple[int, int, int]
    hair: tuple[int, int, int]
    iris: tuple[int, int, int]


def _person(pen: ImageDraw.ImageDraw, box: Rectangle, look: Look, colours: _Colours) -> None:
    skin, hair = colours.skin, colours.hair
    x, y, w, h = box.left, box.top, box.width, box.height
    middle = x + w // 2
    front = middle + faces.turned(look.yaw) * w  # eyes, nose and mouth move aside with the head
    shade = tuple(channel * 5 // 6 for channel in skin)

    shirt = tuple(255 - channel // 2 for channel in hair)
    pen.ellipse((middle - w, y + h, middle + w, y + 2 * h), fill=shirt)
    pen.rectangle((middle - w // 6, y + h * 3 // 4, middle + w // 6, y + h * 6 // 5), fill=skin)
    pen.ellipse((x - w * 0.07, y - h * 0.1, x + w * 1.07, y + h * 3 // 4), fill=hair)
    pen.ellipse((x, y, x + w, y + h), fill=skin)

    wide, high, line = w * faces.EYE_WIDE, h * faces.EYE_HIGH, y + h * faces.EYE_LINE
    for side in (-1, 1):
        eye = front + side * w * faces.EYE_APART
        pen.ellipse((eye - wide, line - high, eye + wide, line + high), fill=(250, 250, 248))
        pen.ellipse((eye - high, line - high, eye + high, line + high), fill=colours.iris)
        pupil = high * 0.4
        pen.ellipse((eye - pupil, line - pupil, eye + pupil, line + pupil), fill=_INK)
        brow = y + h * faces.BROW_LINE
        arch = (eye - w * 0.12, brow - h * 0.02, eye + w * 0.12, brow + h * 0.07)
        pen.arc(arch, 200, 340, fill=hair, width=max(1, w // 40))
    tip, nose = w * 0.05, y + h * faces.NOSE_LINE
    pen.line((front, line, front - tip, nose), fill=shade, width=max(1, w // 60))
    pen.line((front - tip, nose, front + tip, nose), fill=shade, width=max(1, w // 60))
    corner, lip, lips = w * faces.MOUTH_WIDE, y + h * faces.MOUTH_LINE, h * 0.06
    mouth = (front - corner, lip - lips, front + corner, lip + lips)
    pen.chord(mouth, 0, 180, fill=(172, 84, 80))

    _worn(pen, box, look, front)


def _worn(pen: ImageDraw.ImageDraw, box: Rectangle, look: Look, front: float) -> None:
    """Glasses and mask, over what they hide."""
    w, h, line = box.width, box.height, box.top + box.height * faces.EYE_LINE
    if look.glasses != "noGlasses":
        dark = None if look.glasses == "readingGlasses" else _INK
        rim = max(2, w // 50)
        for side in (-1, 1):
            eye = front + side * w * faces.EYE_APART
            lens = (eye - w * 0.15, line - h * 0.07, eye + w * 0.15, line + h * 0.08)
            pen.ellipse(lens, fill=dark, outline=_INK, width=rim)
        pen.line((front - w * 0.05, line, front + w * 0.05, line), fill=_INK, width=rim)
    if look.mask == "faceMask":
        top, bottom = box.top + h * 0.53, box.top + h * 0.94
        left, right = front - w * 0.4, front + w * 0.4
        pen.rounded_rectangle((left, top, right, bottom), w * 0.12, fill=_CLOTH, outline=_FOLD)
        for fold in (0.3, 0.5, 0.7):
            height = top + (bottom - top) * fold
            pen.line((left, height, right, height), fill=_FOLD, width=max(1, w // 90))


def _grained(picture: Image.Image, rng: random.Random) -> Image.Image:
    """With the grain of a sensor: a flat drawing would be far smaller than any photograph."""
    half = (picture.width // 2, picture.height // 2)
    grain = Image.frombytes("L", half, rng.randbytes(half[0] * half[1]))
    return Image.blend(picture, grain.resize(picture.size).convert("RGB"), _GRAIN)
