"""Pages of sessions: newest first, each page beginning where the one before ended.

A page's place is a position, not a count, so that sessions that come or go in the meantime move
nothing: whoever follows the cursors sees every session that stays once.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from livegate.errors import InvalidRequestError
from livegate.session import Page
from livegate.stores.base import MAX_PAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from livegate.session import LivenessSession
    from livegate.stores.base import SessionQuery

Position = tuple[int, str]
"""Where a session stands among all: when it was created (see :func:`micros`), and its id."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final[Position] = (2**63 - 1, "")
"""After every session: the largest time that a database's integer holds."""


def micros(time: datetime) -> int:
    """Microseconds since 1970, exact: what a database compares faster and safer than text."""
    return (time - _EPOCH) // timedelta(microseconds=1)


def position(session: LivenessSession) -> Position:
    """Where *session* stands; the highest position is shown first."""
    return (micros(session.created_at), session.id)


def bound(query: SessionQuery) -> Position:
    """The position that every session of the page has to be below.

    Raises:
        InvalidRequestError: The limit is out of range, or the cursor is none of ours.
    """
    if not 1 <= query.limit <= MAX_PAGE:
        raise InvalidRequestError(f"limit has to be 1 to {MAX_PAGE}.", field="limit")
    created_before = _END if query.created_before is None else (micros(query.created_before), "")
    after = _END if query.cursor is None else from_cursor(query.cursor)
    return min(created_before, after)


def page(found: Sequence[LivenessSession], limit: int) -> Page:
    """The page of *found*, which holds one session more than *limit* if another page follows."""
    sessions = tuple(found[:limit])
    return Page(sessions, to_cursor(position(sessions[-1])) if len(found) > limit else None)


def to_cursor(place: Position) -> str:
    """*place* in characters that need no escaping in a URL."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).rstrip(b"=").decode()


def from_cursor(cursor: str) -> Position:
    """The position that :func:`to_cursor` made *cursor* of.

    Raises:
        InvalidRequestError: It made no such cursor.
    """
    place = _place_in(cursor)
    if place is None:
        raise InvalidRequestError("cursor is not one that a page before has given.", field="cursor")
    return place


def _place_in(cursor: str) -> Position | None:
    try:
        match json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))):
            case [int(time), str(session_id)] if abs(time) < _END[0]:
                session_id.encode()  # a lone surrogate is in no id, and no database takes it
                place = (int(time), session_id)
                return place if to_cursor(place) == cursor else None
            case _:
                return None
    except (ValueError, RecursionError):
        return None
