"""The mark that a drawn portrait carries: who is in the picture, where, and how they look."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from mockface.pictures.faces import Look, Rectangle

_START, _END = b"mockface-portrait:", b"\n"
_WITHIN = 4096  # bytes from the start of a picture in which a mark is looked for
_MAX_FACES = 8


@dataclass(frozen=True, slots=True)
class Mark:
    """What a drawn portrait shows.

    Attributes:
        person: The id of the person.
        faces: Where the faces are.
        look: How the faces look.
    """

    person: str
    faces: Annotated[tuple[Rectangle, ...], msgspec.Meta(max_length=_MAX_FACES)]
    look: Look = field(default_factory=Look)

    def to_bytes(self) -> bytes:
        """The mark as it is written into a picture file."""
        return _START + msgspec.json.encode(self) + _END


def read_mark(data: bytes) -> Mark | None:
    """The mark in a picture file; `None` without one, and for a damaged one."""
    _, _, rest = data[:_WITHIN].partition(_START)
    try:
        return msgspec.json.decode(rest.partition(_END)[0], type=Mark)
    except (msgspec.MsgspecError, RecursionError):
        return None
