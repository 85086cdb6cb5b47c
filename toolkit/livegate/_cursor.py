"""A page's place in the order of sessions, in characters that need no escaping in a URL.

A place is a position, not a count, so that sessions that come or go in the meantime move nothing:
following the cursors shows every session that stays once.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from livegate.errors import InvalidRequestError

if TYPE_CHECKING:
    from livegate.protocols import Record

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def encode(record: Record) -> str:
    """The cursor of the page that follows *record*."""
    return _to_text((record.created_at - _EPOCH) // _MICROSECOND, record.id)


def decode(cursor: object) -> tuple[datetime, str]:
    """The ``created_at`` and the ``id`` that :func:`encode` made *cursor* of.

    Raises:
        InvalidRequestError: It made no such cursor.
    """
    if isinstance(cursor, str):
        try:
            match json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))):
                case [int(micros), str(session_id)] if (
                    session_id.isascii() and _to_text(micros, session_id) == cursor
                ):
                    return _EPOCH + micros * _MICROSECOND, session_id
                case _:
                    pass
        except (ValueError, OverflowError, RecursionError):
            pass
    raise InvalidRequestError("cursor is not one that an earlier page returned.", field="cursor")


def _to_text(micros: int, session_id: str) -> str:
    place = json.dumps([int(micros), session_id]).encode()  # int: JSON spells True otherwise
    return base64.urlsafe_b64encode(place).rstrip(b"=").decode()
