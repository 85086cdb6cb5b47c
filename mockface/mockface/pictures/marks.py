"""The mark that a drawn portrait carries: what it shows, in the picture's own words."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any

from mockface.pictures.faces import GLASSES, MASKS, QUALITIES, Look, Rectangle

MARK = b"mockface-portrait:"
"""What stands before the JSON object that a drawn portrait carries."""

_WITHIN = 4096  # bytes from the start in which a mark may stand
_LENGTH = 512
_MOST_FACES = 8

_WORDS = {"glasses": GLASSES, "mask": MASKS}
_SPANS = dict.fromkeys(("blur", "exposure", "noise"), (0, 1)) | dict.fromkeys(
    ("roll", "yaw", "pitch"), (-90, 90)
)
_UPRIGHT = Look()


@dataclass(frozen=True, slots=True)
class Mark:
    """What a drawn portrait says of itself.

    Attributes:
        person: Who it is.
        faces: Where the faces are.
        quality: `low`, `medium` or `high`.
        look: How the faces look.
    """

    person: str
    faces: tuple[Rectangle, ...]
    quality: str
    look: Look = field(default_factory=Look)

    def to_bytes(self) -> bytes:
        """The mark as it is put into a picture; of the look only what is unusual."""
        faces = [[face.left, face.top, face.width, face.height] for face in self.faces]
        names = [each.name for each in fields(Look)]
        look = {name: getattr(self.look, name) for name in names}
        unusual = {name: value for name, value in look.items() if value != getattr(_UPRIGHT, name)}
        said = {"person": self.person, "faces": faces, "quality": self.quality} | unusual
        return MARK + json.dumps(said, separators=(",", ":")).encode("ascii")


def read_mark(data: bytes) -> Mark | None:
    """The mark in a picture's first bytes, or `None` if there is none that can be read."""
    start = data.find(MARK, 0, _WITHIN)
    if start < 0:
        return None
    start += len(MARK)
    text = data[start : start + _LENGTH].decode("latin-1")
    try:
        said, _ = json.JSONDecoder().raw_decode(text)
        faces = tuple(Rectangle(*(_pixel(number) for number in face)) for face in said["faces"])
        quality = _word(said["quality"], QUALITIES)
        look = _look(said)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return Mark(str(said["person"]), faces[:_MOST_FACES], quality, look)


def _look(said: dict[str, Any]) -> Look:
    look = {name: _word(said[name], known) for name, known in _WORDS.items() if name in said}
    numbers = {name: _number(said[name], *span) for name, span in _SPANS.items() if name in said}
    return Look(**look, **numbers, eyes_covered=said.get("eyes_covered") is True)


def _word(value: object, known: tuple[str, ...]) -> Any:
    if value in known:
        return value
    raise ValueError("not a word of the service's")


def _number(value: object, low: float, high: float) -> Any:
    if isinstance(value, int | float) and low <= value <= high:
        return float(value)
    raise ValueError("not a measure")


def _pixel(number: object) -> int:
    if isinstance(number, int) and 0 <= number < 1 << 16:
        return number
    raise ValueError("not a pixel")
