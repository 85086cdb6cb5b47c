"""Portraits of made-up people: they can be posted, and the emulator knows what they show."""

from __future__ import annotations

from io import BytesIO
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from mockface.dice import Dice
from mockface.extras import needs
from mockface.people import person_id
from mockface.pictures.faces import DARK_GLASSES, GLASSES, Look, Rectangle
from mockface.pictures.marks import Mark

if TYPE_CHECKING:
    from mockface.pictures.faces import Glasses

FORMATS = ("JPEG", "PNG")
MOST_FACES = 2
MOST_TURNED = 45
"""Degrees."""

LIGHTS = MappingProxyType({"normal": Look().exposure, "dark": 0.12, "bright": 0.9})
"""The exposure for each word."""

_PORTRAIT = (640, 800)  # pixels
_FRAME = (1080, 1920)  # pixels of the video in which `mockface.sessions.judging` places the face


def portrait(
    seed: int | str,
    image_format: str = "JPEG",
    *,
    faces: int = 1,
    mask: bool = False,
    glasses: str = "noGlasses",
    blur: float = 0.0,
    light: str = "normal",
    turned: float = 0.0,
) -> bytes:
    """Draws the portrait of the person of this seed; the options make it a bad reference image.

    Args:
        seed: Whose portrait; the same seed and options give the same bytes with the same version
            of Pillow.
        image_format: `JPEG` or `PNG`.
        faces: How many people are in it: 0, 1 or 2.
        mask: Whether they wear a mask.
        glasses: `noGlasses`, `readingGlasses`, `sunglasses` or `swimmingGoggles`.
        blur: 0 to 1, the larger the blurrier.
        light: `normal`, `dark` or `bright`.
        turned: Degrees that the heads are turned away from the camera, -45 to 45.

    Returns:
        The picture file, 640 by 800 pixels, 10 KB to 6 MB, with a mark that `mockface.vision`
        reads.

    Raises:
        ValueError: An argument is out of its bounds; the message names it.
        ModuleNotFoundError: Pillow is not installed, which the extra `mock` brings.
    """
    for name, valid, accepted in (
        ("seed", isinstance(seed, int | str), "a string or an integer"),
        ("image_format", image_format in FORMATS, f"one of {', '.join(FORMATS)}"),
        ("faces", _is_count(faces), f"an integer from 0 to {MOST_FACES}"),
        ("mask", isinstance(mask, bool), "True or False"),
        ("glasses", glasses in GLASSES, f"one of {', '.join(GLASSES)}"),
        ("blur", _is_in(0, blur, 1), "a number from 0 to 1"),
        ("light", light in tuple(LIGHTS), f"one of {', '.join(LIGHTS)}"),
        ("turned", _is_in(-MOST_TURNED, turned, MOST_TURNED), f"up to {MOST_TURNED} degrees"),
    ):
        if not valid:
            raise ValueError(f"{name} must be {accepted}.")
    look = Look(
        mask="faceMask" if mask else "noMask",
        glasses=cast("Glasses", glasses),
        blur=max(float(blur), Look().blur),
        exposure=LIGHTS[light],
        yaw=float(turned),
        eyes_covered=glasses in DARK_GLASSES,
    )
    person = person_id(seed)
    return _draw(_PORTRAIT, Mark(person, _boxes(faces, person), look), image_format)


def session_image(person: str, face: Rectangle) -> bytes:
    """Draws what the camera saw in an attempt: a JPEG of the video's size.

    It takes 65 ms, so an event loop calls it in a thread.

    Args:
        person: The id of the person whom it shows.
        face: Where the face is.
    """
    return _draw(_FRAME, Mark(person, (face,)), "JPEG")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and 0 <= value <= MOST_FACES


def _is_in(low: float, value: object, high: float) -> bool:
    return isinstance(value, int | float) and low <= value <= high


def _boxes(faces: int, person: str) -> tuple[Rectangle, ...]:
    """Where the faces are; side by side they are smaller."""
    dice = Dice(f"boxes {person}")
    width, left = (350, 120) if faces == 1 else (200, 20)
    return tuple(
        Rectangle(
            left=dice.integer(left, left + 40, "left", side) + side * _PORTRAIT[0] // 2,
            top=dice.integer(150, 190, "top", side),
            width=dice.integer(width, width + 30, "width", side),
            height=dice.integer(width * 13 // 10, width * 14 // 10, "height", side),
        )
        for side in range(faces)
    )


def _draw(size: tuple[int, int], mark: Mark, image_format: str) -> bytes:
    # Pillow takes time to import, and only few runs need it.
    with needs("mock"):
        from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415 - see above

        from mockface.pictures.drawing import draw  # noqa: PLC0415 - see above

    picture = draw(size, mark.faces, mark.look, Dice(f"portrait {mark.person}"))
    text = PngInfo()
    text.add_text("Comment", mark.to_bytes().decode("ascii"))
    file = BytesIO()
    picture.save(file, image_format, quality=88, comment=mark.to_bytes(), pnginfo=text)
    return file.getvalue()
