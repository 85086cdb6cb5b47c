"""The pieces of answers that are the same in every version."""

from __future__ import annotations

from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from mockface.scenarios import Decision

if TYPE_CHECKING:
    from mockface.pictures.faces import Rectangle

Json = dict[str, object]

DECISIONS: MappingProxyType[Decision, str | None] = MappingProxyType(
    {
        Decision.REAL: "realface",
        Decision.SPOOF: "spoofface",
        Decision.UNCERTAIN: "uncertain",
        # What the service never says: clients must not take any of it for a real face.
        Decision.UNSAID: None,
        Decision.UNHEARD_OF: "syntheticface",
        Decision.MISSPELT: "RealFace",
    }
)


def rectangle(face: Rectangle) -> Json:
    """A `FaceRectangle`."""
    return {"top": face.top, "left": face.left, "width": face.width, "height": face.height}


def timestamp(seconds: float) -> str:
    """A time with seven decimals and `+00:00`, as in recorded answers of the service."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06}0+00:00"


def present(**fields: object) -> Json:
    """The fields that have a value: the service leaves the others out."""
    return {name: value for name, value in fields.items() if value is not None}
