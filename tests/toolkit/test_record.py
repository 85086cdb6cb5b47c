"""Records: a session comes back as it was, or not at all."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livegate._record import FORMAT, read_event, to_event, to_record, to_session
from livegate.errors import StoreCorruptError
from livegate.lifecycle import DetailsRemoved, ResultRead, Timing, advance, due_at
from livegate.models import (
    Attempt,
    AttemptStatus,
    LivenessSession,
    OperationMode,
    ReferenceSource,
    RemoteState,
    SessionKind,
    SessionState,
    Verdict,
)
from livegate.protocols import EventRecord, Record

NOW = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
TIMING = Timing()
FULL = LivenessSession(
    id="a" * 32,
    subject="alice \N{GRINNING FACE}",
    purpose="payout",
    transaction="payout 7",
    kind=SessionKind.LIVENESS_WITH_VERIFY,
    mode=OperationMode.PASSIVE,
    api_version="v1.2",
    correlation_id="device",
    created_at=NOW,
    updated_at=NOW + timedelta(seconds=9),
    expires_at=NOW + timedelta(minutes=10),
    version=7,
    sequence=5,
    state=SessionState.PASSED,
    idempotency_key="key",
    fingerprint="f" * 64,
    create_requested_at=NOW,
    remote=RemoteState.DELETING,
    remote_id="remote-1",
    remote_retry_at=NOW + timedelta(seconds=30),
    remote_tries=3,
    reference_sha256="CD" * 32,
    reference_source=ReferenceSource.PLUGIN,
    polled_at=NOW + timedelta(seconds=5),
    client_digests=("AB", "CD"),
    client_error="TimedOut",
    attempts=(
        Attempt(1, AttemptStatus.FAILED, error_code="FaceWithMaskDetected"),
        Attempt(
            2,
            AttemptStatus.SUCCEEDED,
            decision="realface",
            digest="AB",
            is_identical=True,
            match_confidence=0.1 + 0.2,
            reference_sha256="CD" * 32,
            abuse_detected=False,
        ),
    ),
    reasons=("why", "and:why-not.2"),
    decided_at=NOW + timedelta(seconds=7),
    reviewer="carol",
    consumed_at=NOW + timedelta(seconds=8),
    retry_of="b" * 32,
    retries=2,
    erase_requested_at=NOW + timedelta(seconds=9),
)
BARE = LivenessSession(
    id="c" * 32,
    subject="bob",
    purpose="default",
    kind=SessionKind.LIVENESS,
    mode=OperationMode.PASSIVE_ACTIVE,
    api_version="v1.2",
    correlation_id="device",
    created_at=NOW,
    updated_at=NOW,
    expires_at=NOW,
)


def body_of(session: LivenessSession, **changes: Any) -> bytes:
    return json.dumps(json.loads(to_record(session, TIMING).body) | changes).encode()


def record_of(session: LivenessSession, **columns: Any) -> Record:
    return replace(to_record(session, TIMING), **columns)


# --- round trips -------------------------------------------------------------------------------


@pytest.mark.parametrize("session", [FULL, BARE], ids=["full", "bare"])
def test_a_session_comes_back_as_it_was(session: LivenessSession) -> None:
    assert to_session(to_record(session, TIMING)) == session


def test_the_full_session_has_no_field_at_its_default() -> None:
    # So the test above compares every field: one that is forgotten in the record is found.
    at_default = {
        each.name for each in fields(FULL) if getattr(FULL, each.name) == getattr(BARE, each.name)
    }
    set_in_attempts = {
        each.name
        for each in fields(Attempt)
        if any(getattr(attempt, each.name) is not None for attempt in FULL.attempts)
    }

    assert at_default == {"api_version", "correlation_id", "created_at", "unknown"}
    assert set_in_attempts == {each.name for each in fields(Attempt)}


def test_states_kinds_and_sources_come_back_as_enums_and_go_out_as_plain_strings() -> None:
    record = to_record(FULL, TIMING)
    session = to_session(record)

    assert (type(record.state), type(record.remote)) == (str, str)
    assert session.state is SessionState.PASSED
    assert session.remote is RemoteState.DELETING
    assert session.kind is SessionKind.LIVENESS_WITH_VERIFY
    assert session.mode is OperationMode.PASSIVE
    assert session.reference_source is ReferenceSource.PLUGIN
    assert session.attempts[0].status is AttemptStatus.FAILED


def test_the_columns_are_those_that_a_store_looks_for() -> None:
    record = to_record(FULL, TIMING)

    assert (record.id, record.subject, record.key) == (FULL.id, FULL.subject, "key")
    assert (record.state, record.remote, record.purpose) == ("passed", "deleting", "payout")
    assert (record.created_at, record.updated_at) == (FULL.created_at, FULL.updated_at)
    assert (record.version, record.due_at) == (7, due_at(FULL, TIMING))


def test_the_body_is_ascii_and_repeats_no_name_and_no_key() -> None:
    body = to_record(FULL, TIMING).body

    assert body.isascii()
    assert b"alice" not in body
    assert not {"id", "subject", "state", "version", "key"} & json.loads(body).keys()


def test_a_record_shows_neither_names_nor_its_body() -> None:
    shown = repr(to_record(FULL, TIMING)) + repr(to_event(FULL, None, NOW, destinations=["log"]))

    for secret in ("alice", "remote-1", "CDCD", "'key'"):
        assert secret not in shown


times = st.datetimes(timezones=st.just(UTC))
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
words = st.text(st.characters(), max_size=9)  # lone surrogates too, since JSON can bring them
attempts = st.builds(
    Attempt,
    st.integers(1, 9),
    st.sampled_from(AttemptStatus),
    decision=st.none() | words,
    error_code=st.none() | words,
    digest=st.none() | words,
    is_identical=st.none() | st.booleans(),
    match_confidence=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    reference_sha256=st.none() | words,
    abuse_detected=st.none() | st.booleans(),
)


@given(
    st.builds(
        replace,
        st.sampled_from([FULL, BARE]),
        subject=texts,
        idempotency_key=st.none() | texts,
        transaction=st.none() | texts,
        updated_at=times,
        expires_at=times,
        polled_at=st.none() | times,
        state=st.sampled_from(SessionState),
        remote=st.sampled_from(RemoteState),
        attempts=st.lists(attempts, max_size=3).map(tuple),
        client_digests=st.lists(texts, max_size=2).map(tuple),
        retries=st.integers(0, 10**20),
    )
)
def test_any_session_comes_back_as_it_was(session: LivenessSession) -> None:
    timing = Timing(*[timedelta(0)] * 4)  # so that no due time is past the end of the calendar

    assert to_session(to_record(session, timing)) == session


# --- versions ----------------------------------------------------------------------------------


def test_fields_of_a_later_version_are_kept_when_the_record_is_saved_again() -> None:
    # Given a record with fields that this version does not know
    body = json.loads(to_record(FULL, TIMING).body)
    body["colour_of_eyes"] = {"left": ["green"]}
    body["attempts"][1]["heart_rate"] = 61
    record = record_of(FULL, body=json.dumps(body).encode())

    # When the session changes and is saved again
    session = to_session(record)
    after = advance(replace(session, consumed_at=None), DetailsRemoved(), NOW)
    saved = json.loads(to_record(replace(session, version=8), TIMING).body)

    # Then they are there, unless they may be details of a person that are removed
    assert session.unknown == {"colour_of_eyes": {"left": ["green"]}}
    assert saved["colour_of_eyes"] == {"left": ["green"]}
    assert saved["attempts"][1]["heart_rate"] == 61
    assert after.attempts[1].unknown == {}


def test_a_record_of_a_later_format_is_refused_with_the_remedy() -> None:
    record = record_of(FULL, body=body_of(FULL, format=FORMAT + 1))

    with pytest.raises(StoreCorruptError, match="later version of livegate; upgrade"):
        to_session(record)


# --- what cannot be read or written ------------------------------------------------------------

WRONG_VALUES: list[tuple[str, Any]] = [
    ("format", None),
    ("format", "1"),
    ("format", True),
    ("kind", "Liveness"),
    ("mode", None),
    ("api_version", None),
    ("expires_at", "2026-01-01T00:00:00"),
    ("expires_at", "yesterday"),
    ("expires_at", 1),
    ("expires_at", None),
    ("sequence", 1.0),
    ("remote_id", 7),
    ("remote_tries", None),
    ("reference_source", "somewhere"),
    ("client_digests", "AB"),
    ("client_digests", [1]),
    ("attempts", None),
    ("attempts", [None]),
    ("attempts", [{}]),
    ("reasons", {"a": 1}),
    ("retries", True),
    ("decided_at", "0001-01-01T00:00:00+23:59"),
]
BROKEN_BODIES: dict[str, bytes] = {
    "empty": b"",
    "not json": b"{",
    "not unicode": b"\xff\xfe",
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "empty object": b"{}",
    "nested too deep": b"[" * 100_000,
    **{f"{name} is {value!r}": body_of(FULL, **{name: value}) for name, value in WRONG_VALUES},
}


@pytest.mark.parametrize("body", BROKEN_BODIES.values(), ids=BROKEN_BODIES)
def test_a_body_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(StoreCorruptError) as error:
        to_session(record_of(FULL, body=body))

    assert FULL.id in str(error.value)
    assert not error.value.retryable


ATTEMPT_FIELDS: dict[str, list[Any]] = {
    "number": ["1", None, True],
    "status": ["done", None],
    "decision": [1],
    "digest": [["AB"]],
    "is_identical": [1, "true"],
    "match_confidence": ["0.5", True],
    "abuse_detected": [0],
}


@pytest.mark.parametrize("name", ATTEMPT_FIELDS)
def test_an_attempt_that_cannot_be_read_is_refused(name: str) -> None:
    for value in ATTEMPT_FIELDS[name]:
        attempt = json.loads(to_record(FULL, TIMING).body)["attempts"][1] | {name: value}
        with pytest.raises(StoreCorruptError):
            to_session(record_of(FULL, body=body_of(FULL, attempts=[attempt])))


REQUIRED = {"format", "kind", "mode", "api_version", "correlation_id", "expires_at", "sequence"}


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_a_body_without_a_field_that_every_session_has_is_refused(name: str) -> None:
    body = json.loads(to_record(FULL, TIMING).body)
    del body[name]

    with pytest.raises(StoreCorruptError):
        to_session(record_of(FULL, body=json.dumps(body).encode()))


def test_a_field_at_its_default_is_left_out_of_the_body() -> None:
    body = json.loads(to_record(BARE, TIMING).body)

    assert body.keys() == REQUIRED
    assert body["format"] == FORMAT == 1


@pytest.mark.parametrize(
    "columns",
    [
        {"id": b"a" * 32},
        {"subject": 7},
        {"subject": None},
        {"key": 7},
        {"state": "done"},
        {"state": None},
        {"remote": "gone"},
        {"created_at": NOW.isoformat()},
        {"created_at": NOW.replace(tzinfo=None)},
        {"updated_at": None},
        {"version": "7"},
        {"body": None},
    ],
    ids=str,
)
def test_columns_of_a_store_that_changes_types_are_refused(columns: dict[str, Any]) -> None:
    with pytest.raises(StoreCorruptError):
        to_session(record_of(FULL, **columns))


def test_times_of_another_zone_are_the_same_times_in_utc() -> None:
    there = timezone(timedelta(hours=5, minutes=30))

    session = to_session(record_of(FULL, created_at=NOW.astimezone(there)))

    assert session.created_at == NOW
    assert session.created_at.tzinfo is UTC


@pytest.mark.parametrize("secret", ["carol", "remote-1", "AB"])
def test_the_error_quotes_nothing_of_the_record(secret: str) -> None:
    body = body_of(FULL, mode=secret)

    with pytest.raises(StoreCorruptError) as error:
        to_session(record_of(FULL, body=body))

    assert secret not in f"{error.value}{error.value.__cause__}{error.value.public_message}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": "1"},
        {"number": True},
        {"decision": 5},
        {"digest": b"AB"},
        {"is_identical": 1},
        {"match_confidence": math.nan},
        {"match_confidence": math.inf},
        {"match_confidence": "0.5"},
        {"unknown": {"number": "1"}},
    ],
    ids=str,
)
def test_what_could_not_be_read_again_is_not_written(wrong: dict[str, Any]) -> None:
    session = replace(FULL, attempts=(replace(FULL.attempts[1], **wrong),))

    with pytest.raises((TypeError, ValueError)):
        to_record(session, TIMING)


# --- events ------------------------------------------------------------------------------------


def test_the_first_event_of_a_session_says_that_it_was_requested() -> None:
    event, destinations = read_event(to_event(BARE, None, NOW, destinations=["log"]))

    assert (event.name, event.sequence) == ("requested", 1)
    assert (event.id, event.occurred_at) == (f"{BARE.id}.1", NOW)
    assert (event.session_id, event.subject, event.purpose) == (BARE.id, "bob", "default")
    assert destinations == ("log",)


def test_an_event_holds_the_change_and_nothing_biometric() -> None:
    before = replace(FULL, state=SessionState.STARTED, remote=RemoteState.PRESENT)
    change = ResultRead(FULL.attempts, Verdict(SessionState.REJECTED, ("spoof_detected",)))
    after = advance(before, change, NOW + timedelta(minutes=1))

    record = to_event(after, change, NOW + timedelta(minutes=1), destinations=["log"])
    event, _ = read_event(record)

    assert (event.name, event.state, event.remote) == ("result_read", "rejected", "deleting")
    assert (event.sequence, event.occurred_at) == (6, NOW + timedelta(minutes=1))
    assert (event.transaction, event.purpose) == ("payout 7", "payout")
    assert set(json.loads(record.body)) == {
        "format",
        "name",
        "session_id",
        "subject",
        "purpose",
        "transaction",
        "state",
        "remote",
        "occurred_at",
        "destinations",
    }


EVENT = json.loads(to_event(BARE, None, NOW, destinations=["log"]).body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        json.dumps(EVENT | {"format": FORMAT + 1}).encode(),
        json.dumps(EVENT | {"state": "done"}).encode(),
        json.dumps(EVENT | {"subject": 7}).encode(),
        json.dumps(EVENT | {"occurred_at": 7}).encode(),
        json.dumps({name: EVENT[name] for name in EVENT if name != "remote"}).encode(),
    ],
)
def test_an_event_that_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(StoreCorruptError):
        read_event(EventRecord(1, body))


def test_fields_of_an_event_of_a_later_version_are_ignored() -> None:
    body = json.dumps(EVENT | {"colour_of_eyes": "green"}).encode()

    assert read_event(EventRecord(1, body)) == read_event(
        to_event(BARE, None, NOW, destinations=["log"])
    )
