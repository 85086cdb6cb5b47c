"""Sessions as text and back: exact, tolerant of other versions, and never guessing."""

from __future__ import annotations

import dataclasses
import json
import traceback
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.toolkit.stores.strategies import sessions

from livegate.errors import StoreBrokenError
from livegate.session import Attempt, AttemptStatus, LivenessSession
from livegate.stores import codec
from livegate.testing.store_suite.samples import NOW, a_full_session, a_session

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=5,
)


def data_of(session: LivenessSession) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(codec.encode(session))
    return data


@given(sessions)
def test_the_round_trip_is_exact(session: LivenessSession) -> None:
    text = codec.encode(session)
    again = codec.decode(text)
    assert again == session
    assert codec.encode(again) == text
    assert text.isascii()


@given(sessions)
def test_the_types_are_exact_too(session: LivenessSession) -> None:
    again = codec.decode(codec.encode(session))
    for field in dataclasses.fields(LivenessSession):
        assert type(getattr(again, field.name)) is type(getattr(session, field.name))
    assert again.created_at.tzinfo is session.created_at.tzinfo


@pytest.mark.parametrize("example", [a_full_session(), a_full_session().attempts[1]], ids=repr)
def test_no_field_is_forgotten(example: LivenessSession | Attempt) -> None:
    data = data_of(a_full_session())
    written = data["attempts"][1] if isinstance(example, Attempt) else data
    fields = {field.name for field in dataclasses.fields(example)}
    assert fields == written.keys() - {"format"}


def test_the_shape_is_the_one_that_was_released() -> None:
    """What is in databases already does not change because a class does."""
    assert codec.encode(a_full_session()) == (
        '{"format":1,"id":"session-1","subject":"alice","purpose":"open an account",'
        '"kind":"livenessWithVerify","mode":"PassiveActive","api_version":"v1.2",'
        '"correlation_id":"device-1","created_at":"2026-02-03T04:05:06.789012+00:00",'
        '"updated_at":"2026-02-03T04:05:06.789012+00:00",'
        '"expires_at":"2026-02-03T05:05:06.789012+00:00","version":7,"state":"inconclusive",'
        f'"idempotency_key":"key-1","fingerprint":"{"f" * 64}",'
        '"asked_at":"2026-02-03T04:05:05.789012+00:00","remote":"deleting",'
        '"remote_id":"remote-1","remote_retry_at":"2026-02-03T04:05:06.789013+00:00",'
        f'"remote_tries":3,"reference_sha256":"{"A" * 64}","client_digests":["one","two"],'
        '"client_error":"CameraPermissionDenied","attempts":[{"number":1,"status":"failed",'
        '"decision":null,"error_code":"FaceWithMaskDetected","digest":null,"is_identical":null,'
        '"match_confidence":null,"reference_sha256":null,"abuse_detected":null},{"number":2,'
        '"status":"succeeded","decision":"uncertain","error_code":null,"digest":"two",'
        '"is_identical":false,"match_confidence":0.30000000000000004,'
        f'"reference_sha256":"{"A" * 64}",'
        '"abuse_detected":true}],"reasons":["uncertain","abuse_detected"],'
        '"consumed_at":"2026-02-03T05:05:06.789012+00:00"}'
    )


def test_times_of_other_zones_are_the_same_moments() -> None:
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    again = codec.decode(codec.encode(a_session(created_at=tokyo)))
    assert again.created_at == NOW
    assert again.created_at.utcoffset() == timedelta(0)


@given(sessions, st.dictionaries(st.text().map("later_{}".format), json_values))
def test_fields_of_later_versions_are_passed_over(
    session: LivenessSession,
    later: dict[str, Any],
) -> None:
    data = {**later, **data_of(session)}
    data["attempts"] = [{**later, **attempt} for attempt in data["attempts"]]
    assert codec.decode(json.dumps(data)) == session


def test_fields_of_later_versions_are_missing_in_earlier_ones() -> None:
    required = {"id", "subject", "purpose", "kind", "mode", "api_version", "correlation_id"}
    required |= {"created_at", "updated_at", "expires_at"}
    data = {name: value for name, value in data_of(a_session()).items() if name in required}
    assert codec.decode(json.dumps(data)) == a_session()


def test_an_attempt_too_may_lack_what_came_later() -> None:
    data = data_of(a_session()) | {"attempts": [{"number": 1, "status": "running"}]}
    again = codec.decode(json.dumps(data))
    assert again.attempts == (Attempt(1, AttemptStatus.RUNNING),)


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", "null", "[]", '"text"', "{}", "1", "[" * 100_000, '{"id": "1"}'],
    ids=lambda text: text[:10],
)
def test_what_is_no_session_is_refused(text: str) -> None:
    with pytest.raises(StoreBrokenError):
        codec.decode(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("format", 2),
        ("format", "1"),
        ("id", None),
        ("id", 1),
        ("subject", ["alice"]),
        ("kind", "unheard-of"),
        ("state", "PASSED"),
        ("created_at", 1770091506),
        ("created_at", "yesterday"),
        ("created_at", "2026-02-03T04:05:06"),
        ("created_at", "0001-01-01T00:00:00+23:59"),
        ("asked_at", ""),
        ("version", True),
        ("version", 1.0),
        ("version", "1"),
        ("remote_tries", None),
        ("reasons", "spoof"),
        ("reasons", {"spoof": 1}),
        ("reasons", [1]),
        ("client_digests", None),
        ("attempts", [[]]),
        ("attempts", [{"number": 1}]),
        ("attempts", [{"number": 1, "status": "unheard-of"}]),
        ("attempts", [{"number": 1, "status": "failed", "is_identical": 1}]),
        ("attempts", [{"number": 1, "status": "failed", "match_confidence": True}]),
        ("attempts", [{"number": 1, "status": "failed", "match_confidence": "0.9"}]),
        ("attempts", [{"number": 1, "status": "failed", "match_confidence": float("nan")}]),
        ("attempts", [{"number": 1, "status": "failed", "match_confidence": float("inf")}]),
        ("attempts", [{"number": 1, "status": "failed", "match_confidence": 10**400}]),
    ],
)
def test_what_has_another_type_is_refused(field: str, value: object) -> None:
    data = data_of(a_session()) | {field: value}
    with pytest.raises(StoreBrokenError) as caught:
        codec.decode(json.dumps(data))
    assert not caught.value.retryable


@given(sessions, st.data())
def test_a_damaged_record_is_refused_or_a_session(
    session: LivenessSession,
    data: st.DataObject,
) -> None:
    damaged = data_of(session)
    damaged[data.draw(st.sampled_from(sorted(damaged)))] = data.draw(json_values)
    try:
        again = codec.decode(json.dumps(damaged))
    except StoreBrokenError:
        return
    assert codec.decode(codec.encode(again)) == again


def test_the_error_names_the_field_and_not_the_value() -> None:
    data = data_of(a_session()) | {"kind": "personal"}
    with pytest.raises(StoreBrokenError, match="kind") as caught:
        codec.decode(json.dumps(data))
    assert "personal" not in "".join(traceback.format_exception(caught.value))


def test_a_whole_number_is_a_number() -> None:
    data = data_of(a_session())
    data["attempts"] = [{"number": 1, "status": "failed", "match_confidence": 1}]
    confidence = codec.decode(json.dumps(data)).attempts[0].match_confidence
    assert (confidence, type(confidence)) == (1.0, float)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_not_written(number: float) -> None:
    attempt = Attempt(1, AttemptStatus.SUCCEEDED, match_confidence=number)
    with pytest.raises(ValueError, match="not finite"):
        codec.encode(a_session(attempts=(attempt,)))


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": 1},
        {"purpose": b"bytes"},
        {"purpose": None},
        {"mode": "nonsense"},
        {"state": None},
        {"client_digests": (1,)},
        {"client_error": 1},
        {"reasons": (None,)},
        {"version": True},
        {"remote_tries": 1.0},
    ],
    ids=repr,
)
def test_what_could_not_be_read_again_is_not_written(changes: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        codec.encode(a_session(**changes))


def test_a_time_without_a_zone_is_not_written() -> None:
    naive = datetime(2026, 2, 3)  # noqa: DTZ001 - the mistake itself
    with pytest.raises(ValueError, match="time zone"):
        codec.encode(replace(a_session(), created_at=naive))
