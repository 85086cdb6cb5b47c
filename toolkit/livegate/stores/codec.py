"""A session as JSON text and back, exactly.

What a store keeps must be readable by the versions before and after this one, which may run beside
it. So the shape is written out here and does not follow from the classes: a field that this version
does not know is passed over, a field that is missing takes its default, and what cannot be read
otherwise is refused rather than guessed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, TypeVar

from livegate.errors import StoreBrokenError
from livegate.session import (
    Attempt,
    AttemptStatus,
    LivenessSession,
    OperationMode,
    RemoteState,
    SessionKind,
    SessionState,
)

if TYPE_CHECKING:
    from enum import StrEnum

FORMAT: Final = 1
"""Goes up when an older version must not read the record; new fields alone do not raise it."""

T = TypeVar("T")


def encode(session: LivenessSession) -> str:
    """The session as JSON text, in ASCII.

    Raises:
        TypeError: A value is of another kind than it is when it is read.
        ValueError: A time has no time zone, a number is not finite, or a word is none of ours.
    """
    data = {"format": FORMAT, **_write(_SESSION, session)}
    return json.dumps(data, allow_nan=False, separators=(",", ":"))


def decode(text: str) -> LivenessSession:
    """The session that :func:`encode` made *text* of.

    Raises:
        StoreBrokenError: It is no session, or one that only a later version can read.
    """
    try:
        data = _object(json.loads(text))
        _check_format(data.get("format", FORMAT))
        return LivenessSession(**_read(_SESSION, data))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise StoreBrokenError(f"A stored session cannot be read: {error}.") from error


def _check_format(value: object) -> None:
    if _whole(value) > FORMAT:
        raise ValueError("a later version of livegate wrote it")


# --- kinds of values -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a kind of value is written as JSON and read back; ``read`` refuses all other kinds."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _expect(kind: type[T], value: object) -> T:
    # Not isinstance: true is an int in Python, and is not one in a record.
    if type(value) is not kind:
        raise TypeError(f"{kind.__name__} expected, {type(value).__name__} found")
    return value


def _write_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"str expected, {type(value).__name__} found")
    return value


def _text(value: object) -> str:
    return _expect(str, value)


def _whole(value: object) -> int:
    return _expect(int, value)


def _flag(value: object) -> bool:
    return _expect(bool, value)


def _number(value: object) -> float:
    number = float(value if type(value) is int else _expect(float, value))
    if not isfinite(number):
        raise ValueError("a number is not finite")
    return number


def _object(value: object) -> dict[str, Any]:
    return _expect(dict, value)


def _write_time(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("a time without a time zone cannot be stored")
    return value.astimezone(UTC).isoformat(timespec="microseconds")


def _read_time(value: object) -> datetime:
    time = datetime.fromisoformat(_text(value))
    if time.tzinfo is None:
        raise ValueError("a time has no time zone")
    return time.astimezone(UTC)


def _word(kind: type[StrEnum]) -> _Kind:
    return _Kind(lambda value: kind(value).value, lambda value: kind(_text(value)))


def _maybe(kind: _Kind) -> _Kind:
    return _Kind(
        lambda value: None if value is None else kind.write(value),
        lambda value: None if value is None else kind.read(value),
    )


def _several(kind: _Kind) -> _Kind:
    return _Kind(
        lambda values: [kind.write(value) for value in values],
        lambda values: tuple(kind.read(value) for value in _expect(list, values)),
    )


# Checked on both ways: a record that cannot be read again must not take the place of one that can.
_TEXT: Final = _Kind(_write_text, _text)
_WHOLE: Final = _Kind(_whole, _whole)
_FLAG: Final = _Kind(_flag, _flag)
_NUMBER: Final = _Kind(_number, _number)
_TIME: Final = _Kind(_write_time, _read_time)


# --- the shapes ------------------------------------------------------------------------------

_Shape = Mapping[str, _Kind]

_ATTEMPT: Final[_Shape] = {
    "number": _WHOLE,
    "status": _word(AttemptStatus),
    "decision": _maybe(_TEXT),
    "error_code": _maybe(_TEXT),
    "digest": _maybe(_TEXT),
    "is_identical": _maybe(_FLAG),
    "match_confidence": _maybe(_NUMBER),
    "reference_sha256": _maybe(_TEXT),
    "abuse_detected": _maybe(_FLAG),
}

_SESSION: Final[_Shape] = {
    "id": _TEXT,
    "subject": _TEXT,
    "purpose": _TEXT,
    "kind": _word(SessionKind),
    "mode": _word(OperationMode),
    "api_version": _TEXT,
    "correlation_id": _TEXT,
    "created_at": _TIME,
    "updated_at": _TIME,
    "expires_at": _TIME,
    "version": _WHOLE,
    "state": _word(SessionState),
    "idempotency_key": _maybe(_TEXT),
    "fingerprint": _TEXT,
    "asked_at": _maybe(_TIME),
    "remote": _word(RemoteState),
    "remote_id": _maybe(_TEXT),
    "remote_retry_at": _maybe(_TIME),
    "remote_tries": _WHOLE,
    "reference_sha256": _maybe(_TEXT),
    "client_digests": _several(_TEXT),
    "client_error": _maybe(_TEXT),
    "attempts": _several(
        _Kind(
            lambda attempt: _write(_ATTEMPT, attempt),
            lambda data: Attempt(**_read(_ATTEMPT, _object(data))),
        ),
    ),
    "reasons": _several(_TEXT),
    "consumed_at": _maybe(_TIME),
}


def _write(shape: _Shape, value: object) -> dict[str, Any]:
    return {name: kind.write(getattr(value, name)) for name, kind in shape.items()}


def _read(shape: _Shape, data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _read_field(name, kind, data[name]) for name, kind in shape.items() if name in data
    }


def _read_field(name: str, kind: _Kind, value: object) -> Any:
    try:
        return kind.read(value)
    except (ValueError, TypeError, OverflowError) as error:
        # Without its cause, which quotes the value: that may be personal, and this is logged.
        raise ValueError(f"{name}: {type(error).__name__}") from None
