"""What came back from the service, or why nothing did: values, before anybody judges them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NoReturn

from livegate.errors import FaceAnswerError
from livegate.face.dialects.reading import a_word, an_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from livegate.face.dialects.reading import Json

MAX_BODY: Final = 1024 * 1024
"""Bytes of an answer that are read at most; the longest honest one has some thousands."""

LONGEST_WAIT: Final = 86_400.0
"""Seconds: what a Retry-After is cut to, so that no garbled header locks anybody out for good."""


class Call(StrEnum):
    """What the service was asked to do."""

    CREATE = "create"
    READ = "read"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Reply:
    """The service answered.

    Attributes:
        status: The HTTP status.
        headers: By their names in lower case.
        body: As it came, or None if it was cut off or too long. It may hold a token.
        received_at: Seconds since the epoch.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    received_at: float

    @property
    def request_id(self) -> str | None:
        """The service's ``apim-request-id``, if it is one."""
        return a_word(self.headers.get("apim-request-id"))

    @property
    def error(self) -> Json:
        """The ``error`` object of the body; empty if there is none, or no JSON at all."""
        try:
            return an_object(parse(self).get("error")) or {}
        except FaceAnswerError:
            return {}

    @property
    def retry_after(self) -> float | None:
        """Seconds from now, as the ``Retry-After`` header says in either of its two forms."""
        text = self.headers.get("retry-after", "").strip()
        if text.isdecimal() and text.isascii():
            return min(float(text), LONGEST_WAIT)
        try:
            date = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        if date.tzinfo is None:  # the zone "-0000" says no more than that the time is in UTC
            date = date.replace(tzinfo=UTC)
        return min(max(date.timestamp() - self.received_at, 0.0), LONGEST_WAIT)


class Silence(StrEnum):
    """Why there is no reply."""

    LOST = "lost"
    """No connection, or it broke."""
    TIMED_OUT = "timed_out"
    """Not in the time that one try has."""
    NO_CREDENTIAL = "no_credential"
    """The token credential gave no token; the service was not asked."""
    BROKEN = "broken"
    """Something that the transport never should have raised."""


@dataclass(frozen=True, slots=True)
class NoReply:
    """The service did not answer.

    Attributes:
        why: In one word.
        cause: The name of the class of the innermost error. Of what a transport raises, only this
            is safe to show: the rest may quote a header, and one of them is the key.
    """

    why: Silence
    cause: str


Answer = Reply | NoReply


def parse(reply: Reply) -> Json:
    """The JSON object that is the body of *reply*.

    Raises:
        FaceAnswerError: The body is anything else.
    """
    if reply.body is None:
        raise FaceAnswerError("The Face service's answer was cut off, or is longer than 1 MiB.")
    try:
        value = json.loads(
            reply.body.decode("utf-8-sig"),
            object_pairs_hook=_without_doubles,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise FaceAnswerError("The Face service's answer is no JSON object.")
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> Json:
    """Two values for one field are a contradiction that ``dict`` would hide."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field stands twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
