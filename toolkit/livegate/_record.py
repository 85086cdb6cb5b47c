"""Sessions to records and back: the columns, the body and its version, in this one place.

The body is JSON in ASCII, of all that is not in a column. Fields that this version does not know
are kept; a body whose ``format`` is higher cannot be understood, and is refused. The functions are
written out, field by field, since every operation passes here.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

from livegate.errors import StoreCorruptError
from livegate.lifecycle import due_at, event_name
from livegate.models import (
    Attempt,
    AttemptStatus,
    LivenessSession,
    OperationMode,
    ReferenceSource,
    RemoteState,
    SessionEvent,
    SessionKind,
    SessionState,
)
from livegate.protocols import EventRecord, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from livegate.lifecycle import Event, Timing

FORMAT: Final = 1
"""Goes up when an older version must not read the record; new fields alone do not raise it."""

# A look-up is several times faster than the call of an enumeration.
_STATES: Final = {each.value: each for each in SessionState}
_REMOTES: Final = {each.value: each for each in RemoteState}
_KINDS: Final = {each.value: each for each in SessionKind}
_MODES: Final = {each.value: each for each in OperationMode}
_ATTEMPT_STATUSES: Final = {each.value: each for each in AttemptStatus}
_SOURCES: Final = {each.value: each for each in ReferenceSource}

_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def to_record(session: LivenessSession, timing: Timing) -> Record:
    """The record of *session*.

    Raises:
        ValueError: A value cannot be read back: a plugin or a port made it of a wrong type.
    """
    body = {
        "format": FORMAT,
        "kind": session.kind.value,
        "mode": session.mode.value,
        "api_version": session.api_version,
        "correlation_id": session.correlation_id,
        "expires_at": session.expires_at.isoformat(),
        "transaction": session.transaction,
        "sequence": session.sequence,
        "fingerprint": session.fingerprint,
        "create_requested_at": _iso(session.create_requested_at),
        "remote_id": session.remote_id,
        "remote_retry_at": _iso(session.remote_retry_at),
        "remote_tries": session.remote_tries,
        "reference_sha256": session.reference_sha256,
        "reference_source": session.reference_source,
        "polled_at": _iso(session.polled_at),
        "client_digests": session.client_digests,
        "client_error": session.client_error,
        "attempts": [_from_attempt(attempt) for attempt in session.attempts],
        "reasons": session.reasons,
        "decided_at": _iso(session.decided_at),
        "reviewer": session.reviewer,
        "consumed_at": _iso(session.consumed_at),
        "retry_of": session.retry_of,
        "retries": session.retries,
        "erase_requested_at": _iso(session.erase_requested_at),
    }
    # What is left out has the default of its field, which is false: the body is read faster.
    body = {name: value for name, value in body.items() if value}
    if session.unknown:
        body |= session.unknown
    return Record(
        session.id,
        session.subject,
        session.idempotency_key,
        session.state.value,
        session.remote.value,
        session.purpose,
        session.created_at,
        session.updated_at,
        due_at(session, timing),
        session.version,
        _encode(body).encode("ascii"),
    )


def to_session(record: Record) -> LivenessSession:
    """The session that :func:`to_record` made *record* of.

    Raises:
        StoreCorruptError: It is not such a record, or only a later version can read it.
    """
    try:
        body = json.loads(record.body.decode("ascii"))
        if _int(body.pop("format")) > FORMAT:
            raise StoreCorruptError(
                f"Session {record.id} was stored by a later version of livegate; upgrade this one."
            )
        values: dict[str, Any] = {"sequence": _int(body.pop("sequence"))}
        unknown: dict[str, Any] = {}
        for name, value in body.items():
            if name in _READERS:
                values[name] = _READERS[name](value)
            else:
                unknown[name] = value
        if unknown:
            values["unknown"] = unknown
        return LivenessSession(
            id=_str(record.id),
            subject=_str(record.subject),
            purpose=_str(record.purpose),
            created_at=_utc(record.created_at),
            updated_at=_utc(record.updated_at),
            version=_int(record.version),
            state=_STATES[record.state],
            idempotency_key=_str_or_none(record.key),
            remote=_REMOTES[record.remote],
            **values,
        )
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        # Without its cause, which quotes the value: that may be personal, and this is logged.
        raise StoreCorruptError(
            f"The record of session {record.id} cannot be read ({type(error).__name__})."
        ) from None


def to_event(
    after: LivenessSession,
    event: Event | None,
    now: datetime,
    *,
    destinations: Iterable[str],
) -> EventRecord:
    """The event of a change at *now*, as a store keeps it.

    Args:
        after: The session after the change.
        event: None for a new session.
        now: When.
        destinations: The names of the notifiers that deliver it. They are kept with it: a worker
            may know others.
    """
    name = "requested" if event is None else event_name(event)
    body = {
        "format": FORMAT,
        "name": name,
        "session_id": after.id,
        "subject": after.subject,
        "purpose": after.purpose,
        "transaction": after.transaction,
        "state": after.state.value,
        "remote": after.remote.value,
        "occurred_at": max(now, after.updated_at).isoformat(),
        "destinations": list(destinations),
    }
    return EventRecord(after.sequence, _encode(body).encode("ascii"))


def read_event(record: EventRecord) -> tuple[SessionEvent, tuple[str, ...]]:
    """The event that :func:`to_event` made *record* of, and its destinations.

    Raises:
        StoreCorruptError: It is not such a record, or only a later version can read it.
    """
    try:
        body = json.loads(record.body)
        if _int(body["format"]) > FORMAT:
            raise StoreCorruptError("An event was stored by a later version of livegate.")
        session_id = _str(body["session_id"])
        event = SessionEvent(
            id=f"{session_id}.{record.sequence}",
            sequence=record.sequence,
            name=_str(body["name"]),
            session_id=session_id,
            subject=_str(body["subject"]),
            purpose=_str(body["purpose"]),
            transaction=_str_or_none(body["transaction"]),
            state=_STATES[body["state"]],
            remote=_REMOTES[body["remote"]],
            occurred_at=_time(body["occurred_at"]),
        )
        return event, _strs(body["destinations"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise StoreCorruptError(f"An event cannot be read ({type(error).__name__}).") from None


def _from_attempt(attempt: Attempt) -> dict[str, Any]:
    data = {
        "number": attempt.number,
        "status": attempt.status.value,
        "decision": attempt.decision,
        "error_code": attempt.error_code,
        "digest": attempt.digest,
        "is_identical": attempt.is_identical,
        "match_confidence": attempt.match_confidence,
        "reference_sha256": attempt.reference_sha256,
        "abuse_detected": attempt.abuse_detected,
        **attempt.unknown,
    }
    # A record that cannot be read again must not take the place of one that can: what a port
    # reports is checked before it is written.
    _to_attempt(dict(data))
    return data


def _to_attempt(data: dict[str, Any]) -> Attempt:
    take = data.pop
    return Attempt(
        number=_int(take("number")),
        status=_ATTEMPT_STATUSES[take("status")],
        decision=_str_or_none(take("decision")),
        error_code=_str_or_none(take("error_code")),
        digest=_str_or_none(take("digest")),
        is_identical=_bool_or_none(take("is_identical")),
        match_confidence=_float_or_none(take("match_confidence")),
        reference_sha256=_str_or_none(take("reference_sha256")),
        abuse_detected=_bool_or_none(take("abuse_detected")),
        unknown=data,
    )


# --- values; not isinstance: true is an int in Python, and is not one in a record -------------


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _str(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("a str is expected")
    return value


def _str_or_none(value: Any) -> str | None:
    return None if value is None else _str(value)


def _int(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("an int is expected")
    return value


def _bool_or_none(value: Any) -> bool | None:
    if value is not None and type(value) is not bool:
        raise TypeError("a bool is expected")
    return value


def _float_or_none(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in (float, int) or not isfinite(value):
        raise TypeError("a finite number is expected")
    return float(value)


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise TypeError("a list is expected")
    return value


def _strs(value: Any) -> tuple[str, ...]:
    return tuple(map(_str, _list(value)))


def _time(value: Any) -> datetime:
    return _utc(datetime.fromisoformat(value))


def _utc(time: datetime) -> datetime:
    if time.tzinfo is UTC:
        return time
    if time.tzinfo is None:
        raise ValueError("a time without a time zone")
    return time.astimezone(UTC)


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "kind": _KINDS.__getitem__,
    "mode": _MODES.__getitem__,
    "api_version": _str,
    "correlation_id": _str,
    "expires_at": _time,
    "transaction": _str,
    "fingerprint": _str,
    "create_requested_at": _time,
    "remote_id": _str,
    "remote_retry_at": _time,
    "remote_tries": _int,
    "reference_sha256": _str,
    "reference_source": _SOURCES.__getitem__,
    "polled_at": _time,
    "client_digests": _strs,
    "client_error": _str,
    "attempts": lambda value: tuple(map(_to_attempt, _list(value))),
    "reasons": _strs,
    "decided_at": _time,
    "reviewer": _str,
    "consumed_at": _time,
    "retry_of": _str,
    "retries": _int,
    "erase_requested_at": _time,
}
"""By the name in the body; a field that is not there has its default."""
