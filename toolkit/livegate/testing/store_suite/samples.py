"""What the suite puts into a store, and how it compares what comes out."""
# ruff: noqa: S101 - a suite of assertions, which explain themselves: pytest does not rewrite them

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from livegate.models import RemoteState, SessionState
from livegate.protocols import EventRecord, Record

if TYPE_CHECKING:
    from livegate.protocols import SessionStore

NOW: Final = datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)
SECOND: Final = timedelta(seconds=1)
HOUR: Final = timedelta(hours=1)
ALL: Final = 10_000
"""A limit that is never reached."""

STATES: Final = tuple(state.value for state in SessionState)
REMOTES: Final = tuple(remote.value for remote in RemoteState)

HOSTILE: Final = (
    'it\'s "quoted" and `quoted`',
    "100% _ %s %(x)s",
    "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{ROCKET} \N{PILE OF POO}",
    "../../../etc/passwd",
    "'; DROP TABLE session; --",
    "one\r\ntwo\ttab\N{LINE SEPARATOR}\N{NEXT LINE}",
    "\N{NO-BREAK SPACE} blanks on both ends ",
    "*?[a-z]{0}${env}\\",
    '{"id": null}',
    "\x01\x7f\ud7ff\ue000\ufffe\uffff\U0010ffff",
    "007",
    "NULL",
    "0123456789abcde/" * 15 + "the longest one",
    "\N{ROCKET}\N{PILE OF POO}\U0010ffff" * 85,
)
"""Legal names that careless code takes for something else; the last two have 255 characters."""

LOOK_ALIKES: Final = (
    "alice",
    "Alice",
    "ALICE",
    "alice ",
    " alice",
    "ali\N{ZERO WIDTH SPACE}ce",
    "alic\u0065\u0301",
    "alic\u00e9",
    "\uff41lice",
    "a:lice",
    "a%",
    "stra\u00dfe",
    "strasse",
)
"""Different names, all of them: no collation, no padding, no normal form may make two equal."""


def a_record(session_id: str = "session-1", **changes: Any) -> Record:
    """A record with no work to do, with *changes*."""
    record = Record(
        id=session_id,
        subject="alice",
        key=None,
        state="ready",
        remote="present",
        purpose="sign-in",
        created_at=NOW,
        updated_at=NOW,
        due_at=None,
        version=1,
        body=b"version 1",
    )
    return replace(record, **changes)


def next_of(record: Record, **changes: Any) -> Record:
    """The next version of *record*, with *changes*."""
    advanced: dict[str, Any] = {
        "version": record.version + 1,
        "updated_at": record.updated_at + SECOND,
        "body": b"version %d" % (record.version + 1),
    }
    return replace(record, **(advanced | changes))


def due_since(moment: datetime, session_id: str = "session-1", **changes: Any) -> Record:
    """A record that needs work from *moment* on."""
    return a_record(session_id, due_at=moment, **changes)


def finished(session_id: str = "session-1", **changes: Any) -> Record:
    """A record that can be purged."""
    return a_record(session_id, **({"state": "passed", "remote": "deleted"} | changes))


def an_event(sequence: int = 1) -> EventRecord:
    """An event."""
    return EventRecord(sequence, b"event %d" % sequence)


def assert_faithful(found: Record | None, expected: Record) -> None:
    """Assert that *found* equals *expected*, with the same types, and with its times in UTC."""
    assert found is not None, "there is no record"
    for each in fields(Record):
        value, wanted = getattr(found, each.name), getattr(expected, each.name)
        assert value == wanted, f"{each.name} is {value!r}, not {wanted!r}"
        assert type(value) is type(wanted), f"{each.name} is {type(value)}, not {type(wanted)}"
        if isinstance(value, datetime):
            assert value.utcoffset() == timedelta(0), f"{each.name} is not in UTC"


def claimed_ids(store: SessionStore, now: datetime, limit: int = ALL) -> list[str]:
    """The ids of the sessions that a claim at *now* gives; they are leased for an hour."""
    return [claim.record.id for claim in store.claim(now, limit, HOUR)]
