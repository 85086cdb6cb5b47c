"""Pictures of made-up people: they can be posted, and the emulator knows what they show."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from types import MappingProxyType

from mockface.dice import Dice
from mockface.extras import needs
from mockface.people import person_id
from mockface.pictures.faces import GLASSES, QUALITIES, Look, Rectangle, quality
from mockface.pictures.marks import Mark

WIDTH, HEIGHT = 640, 800
FORMATS = ("JPEG", "PNG")
MOST_FACES = 2
MOST_TURNED = 45
"""Degrees."""

LIGHTS = MappingProxyType({"normal": Look().exposure, "dark": 0.12, "bright": 0.9})
"""The exposure for each word."""

_FRAME = (1080, 1920)  # pixels of the video that `mockface.sessions.judging` has the face in


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
    known = (
        (isinstance(seed, int | str), "seed is a text or a whole number."),
        (image_format in FORMATS, f"image_format is one of {', '.join(FORMATS)}."),
        (
            _is_whole(faces) and 0 <= faces <= MOST_FACES,
            f"faces is a whole number from 0 to {MOST_FACES}.",
        ),
        (isinstance(mask, bool), "mask is True or False."),
        (glasses in GLASSES, f"glasses is one of {', '.join(GLASSES)}."),
        (_is_within(0, blur, 1), "blur is a number from 0 to 1."),
        (light in tuple(LIGHTS), f"light is one of {', '.join(LIGHTS)}."),
        (
            _is_within(-MOST_TURNED, turned, MOST_TURNED),
            f"turned is a number of degrees from -{MOST_TURNED} to {MOST_TURNED}.",
        ),
    )
    for right, message in known:
        if not right:
            raise ValueError(message)
    look = Look(
        mask="faceMask" if mask else "noMask",
        glasses=glasses,
        blur=max(float(blur), Look().blur),
        exposure=LIGHTS[light],
        yaw=float(turned),
        eyes_covered=glasses in {"sunglasses", "swimmingGoggles"},
    )
    person = person_id(seed)
    return _file(_Scene((WIDTH, HEIGHT), person, _boxes(faces, person), look), image_format)


def session_image(person: str, face: Rectangle) -> bytes:
    """Draws what the camera saw in an attempt: a JPEG of the video's size.

    Args:
        person: The id of a person, whom it shows.
        face: Where the face is.
    """
    return _file(_Scene(_FRAME, person, (face,), Look()), "JPEG")


@dataclass(frozen=True, slots=True)
class _Scene:
    """What is to be drawn."""

    size: tuple[int, int]
    person: str
    boxes: tuple[Rectangle, ...]
    look: Look

    def mark(self) -> Mark:
        """What the picture says of itself; of several faces the worst one's quality."""
        qualities = [quality(box, self.look) for box in self.boxes]
        return Mark(
            self.person, self.boxes, min(qualities, key=QUALITIES.index, default="low"), self.look
        )


def _is_within(low: float, value: object, high: float) -> bool:
    return isinstance(value, int | float) and low <= value <= high


def _is_whole(value: object) -> bool:
    return isinstance(value, int)


def _boxes(faces: int, person: str) -> tuple[Rectangle, ...]:
    """Where the faces are; side by side they are smaller."""
    dice = Dice(f"boxes {person}")
    if faces == 1:
        return (
            Rectangle(
                left=dice.integer(120, 150, "left"),
                top=dice.integer(150, 190, "top"),
                width=dice.integer(350, 390, "width"),
                height=dice.integer(450, 500, "height"),
            ),
        )
    return tuple(
        Rectangle(
            left=dice.integer(20, 60, "left", side) + side * WIDTH // 2,
            top=dice.integer(200, 300, "top", side),
            width=dice.integer(200, 230, "width", side),
            height=dice.integer(260, 300, "height", side),
        )
        for side in range(faces)
    )


def _file(scene: _Scene, image_format: str) -> bytes:
    # Pillow costs time to import, and only those who draw need it.
    with needs("mock"):
        from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415 - see above

        from mockface.pictures.drawing import draw  # noqa: PLC0415 - see above

    picture = draw(scene.size, scene.boxes, scene.look, Dice(f"portrait {scene.person}"))
    mark = scene.mark().to_bytes()
    file = BytesIO()
    if image_format == "JPEG":
        picture.save(file, "JPEG", quality=88, comment=mark)
    else:
        text = PngInfo()
        text.add_text("Comment", mark.decode("ascii"))
        picture.save(file, "PNG", pnginfo=text)
    return file.getvalue()
