"""What the answers of all versions have in common: types of fields, and models.

An answer is made of these models, and the served OpenAPI documents are made from them. A field that
is `UNSET` is left out, as the service does. Every object is open: it may have more fields.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from mockface.scenarios import Decision
from mockface.validation import Words

if TYPE_CHECKING:
    from mockface.pictures.faces import Rectangle


class Model(Struct, rename="camel"):
    """An object of an answer; `session_id` is `sessionId` on the wire."""


def _schema(**more: Any) -> Meta:
    return Meta(extra_json_schema=more)


Int32 = Annotated[int, _schema(format="int32")]
Int64 = Annotated[int, _schema(format="int64")]
Number = Annotated[float, _schema(format="float")]
Share = Annotated[float, Meta(ge=0, le=1, extra_json_schema={"format": "float"})]
Time = Annotated[str, _schema(format="date-time")]
Uuid = Annotated[str, _schema(format="uuid")]
File = Annotated[str, _schema(format="binary")]
"""A file; forms are read by themselves, so this is for the documents alone."""

Said = Annotated[str, _schema(enum=["uncertain", "realface", "spoofface"])]
"""The documented decisions; hostile scenarios say others."""
Quality = Annotated[str, _schema(enum=["low", "medium", "high"])]
ImageType = Annotated[str, _schema(enum=["Color", "Infrared", "Depth"])]

DECISIONS: dict[Decision, str | UnsetType] = {
    Decision.REAL: "realface",
    Decision.SPOOF: "spoofface",
    Decision.UNCERTAIN: "uncertain",
    # What the service never says: clients must not take any of it for a real face.
    Decision.UNSAID: UNSET,
    Decision.UNHEARD_OF: "syntheticface",
    Decision.MISSPELT: "RealFace",
}


class Mode(Words):
    """How a session checks a face."""

    PASSIVE = "Passive"
    PASSIVE_ACTIVE = "PassiveActive"


class Empty(Model):
    """An object of which nothing is known."""


class FaceError(Model):
    """What went wrong."""

    code: str
    message: str


class FaceErrorResponse(Model):
    """The body of every error."""

    error: FaceError


class FaceRectangle(Model):
    """Where a face is, in pixels."""

    top: Int32
    left: Int32
    width: Int32
    height: Int32


def rectangle(face: Rectangle) -> FaceRectangle:
    """A rectangle as answers have it."""
    return FaceRectangle(top=face.top, left=face.left, width=face.width, height=face.height)


def timestamp(seconds: float) -> str:
    """A time with seven decimals and `+00:00`, as in recorded answers of the service."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06}0+00:00"


def optional(value: Any) -> Any:
    """The value, or `UNSET` in the place of `None`."""
    return UNSET if value is None else value
