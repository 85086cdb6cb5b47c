"""Draws portraits: pictures that can be posted, and whose face the emulator knows."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING

from mockface.dice import Dice
from mockface.people import person_id
from mockface.sessions import Rectangle
from mockface.vision import Mark

if TYPE_CHECKING:
    import random

    from PIL.Image import Image

WIDTH, HEIGHT = 640, 800
FORMATS = ("JPEG", "PNG")

_SKINS = ((255, 219, 188), (241, 194, 155), (224, 172, 125), (170, 118, 80), (110, 74, 50))
_HAIRS = ((35, 25, 20), (90, 56, 37), (160, 120, 70), (210, 190, 150), (120, 120, 125))
_WALLS = ((214, 222, 230), (228, 224, 214), (206, 218, 208), (225, 214, 222))
_INK = (45, 32, 30)


def portrait(seed: int | str, image_format: str = "JPEG") -> bytes:
    """Draws the portrait of the person of this seed.

    Args:
        seed: Whose portrait; the same seed gives the same bytes with the same version of Pillow.
        image_format: `JPEG` or `PNG`.

    Returns:
        The picture file, 640 by 800 pixels, 10 KB to 6 MB, with a mark that `mockface.vision`
        reads.

    Raises:
        ValueError: Another format was asked for.
    """
    if image_format not in FORMATS:
        raise ValueError(f"A portrait is drawn as one of {', '.join(FORMATS)}.")
    # Pillow costs time to import, and only those who draw need it.
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415 - see above

    dice = Dice(f"portrait {seed}")
    face = Rectangle(
        left=dice.integer(120, 150, "left"),
        top=dice.integer(150, 190, "top"),
        width=dice.integer(350, 390, "width"),
        height=dice.integer(450, 500, "height"),
    )
    mark = Mark(person_id(seed), (face,), "high").to_bytes()
    picture = _draw(face, dice.generator("picture"))
    file = BytesIO()
    if image_format == "JPEG":
        picture.save(file, "JPEG", quality=88, comment=mark)
    else:
        text = PngInfo()
        text.add_text("Comment", mark.decode("ascii"))
        picture.save(file, "PNG", pnginfo=text)
    return file.getvalue()


def _draw(face: Rectangle, rng: random.Random) -> Image:
    from PIL import Image, ImageDraw  # noqa: PLC0415 - see `portrait`

    skin, hair, wall = rng.choice(_SKINS), rng.choice(_HAIRS), rng.choice(_WALLS)
    picture = Image.new("RGB", (WIDTH, HEIGHT), wall)
    pen = ImageDraw.Draw(picture)
    x, y, w, h = face.left, face.top, face.width, face.height
    middle = x + w // 2

    pen.ellipse((middle - w, y + h, middle + w, y + 2 * h), fill=tuple(255 - c // 2 for c in hair))
    pen.rectangle((middle - w // 6, y + h * 3 // 4, middle + w // 6, y + h * 6 // 5), fill=skin)
    pen.ellipse((x - 24, y - 50, x + w + 24, y + h * 3 // 4), fill=hair)
    pen.ellipse((x, y, x + w, y + h), fill=skin)
    for side in (-1, 1):
        eye, line = middle + side * w // 5, y + h * 2 // 5
        pen.ellipse((eye - 34, line - 16, eye + 34, line + 16), fill=(250, 250, 248))
        pen.ellipse((eye - 15, line - 15, eye + 15, line + 15), fill=rng.choice(_HAIRS))
        pen.ellipse((eye - 6, line - 6, eye + 6, line + 6), fill=_INK)
        pen.arc((eye - 44, line - 52, eye + 44, line - 8), 200, 340, fill=hair, width=9)
    shade = tuple(channel * 5 // 6 for channel in skin)
    pen.line((middle, y + h * 2 // 5, middle - 18, y + h * 3 // 5), fill=shade, width=6)
    pen.line((middle - 18, y + h * 3 // 5, middle + 16, y + h * 3 // 5), fill=shade, width=6)
    mouth = (middle - w // 6, y + h * 2 // 3, middle + w // 6, y + h * 4 // 5)
    pen.chord(mouth, 10, 170, fill=(172, 84, 80))

    # The grain of a real sensor; a flat drawing would be far smaller than any photograph.
    grain = Image.frombytes("L", (WIDTH // 2, HEIGHT // 2), rng.randbytes(WIDTH * HEIGHT // 4))
    grain = grain.resize((WIDTH, HEIGHT)).convert("RGB")
    return Image.blend(picture, grain, 0.06)
