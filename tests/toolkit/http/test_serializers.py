"""The public view of a session."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from livegate import Orchestrator, Purpose, Settings
from livegate.http._serializers import session_to_json
from livegate.http.types import json_response
from livegate.models import (
    Attempt,
    AttemptStatus,
    LivenessSession,
    OperationMode,
    RemoteState,
    SessionKind,
    SessionState,
)
from livegate.stores.memory import MemoryStore
from livegate.testing import FakeFaceService, ManualClock

if TYPE_CHECKING:
    from livegate.operations import Runtime

NOW = datetime(2026, 1, 1, 12, 0, 59, 999_999, tzinfo=UTC)
SECRETS = {
    "remote_id": "secret-remote",
    "fingerprint": "secret-fingerprint",
    "idempotency_key": "secret-key",
    "correlation_id": "secret-device",
    "reference_sha256": "secret-hash",
    "client_digests": ("secret-digest",),
    "reviewer": "secret-reviewer",
    "subject": "secret-subject",
    "attempts": (
        Attempt(
            1,
            AttemptStatus.SUCCEEDED,
            decision="secret-decision",
            digest="secret-attempt",
            match_confidence=0.123456,
        ),
    ),
}


def a_session(state: SessionState, **changes: object) -> LivenessSession:
    session = LivenessSession(
        id="session-1",
        subject="alice",
        purpose="sign-in",
        kind=SessionKind.LIVENESS,
        mode=OperationMode.PASSIVE,
        api_version="v1.2",
        correlation_id="device",
        created_at=NOW,
        updated_at=NOW,
        expires_at=NOW + timedelta(minutes=10),
        state=state,
    )
    return replace(session, **changes)  # type: ignore[arg-type]  # a test's fields


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def runtime(clock: ManualClock) -> Runtime:
    purpose = Purpose("sign-in", max_age=timedelta(minutes=5), max_retries=2)
    return Orchestrator(
        Settings(), purposes=[purpose], face=FakeFaceService(), store=MemoryStore(), clock=clock
    ).runtime


@pytest.mark.parametrize(
    ("state", "verdict", "next_step"),
    [
        ("requested", None, "wait"),
        ("ready", None, "capture"),
        ("started", None, "capture"),
        ("awaiting_result", None, "wait"),
        ("needs_review", "needs_review", "wait"),
        ("passed", "passed", "continue"),
        ("rejected", "rejected", "retry"),
        ("inconclusive", "inconclusive", "retry"),
        ("failed", None, "retry"),
        ("expired", None, "retry"),
        ("cancelled", None, "start_again"),
    ],
)
def test_verdict_and_next_step_follow_from_the_state(
    runtime: Runtime, state: str, verdict: str | None, next_step: str
) -> None:
    view = session_to_json(runtime, a_session(SessionState(state), decided_at=NOW))

    assert (view["state"], view["verdict"], view["next"]) == (state, verdict, next_step)


def test_every_state_has_a_view(runtime: Runtime) -> None:
    for state in SessionState:
        assert session_to_json(runtime, a_session(state))["state"] == state


def test_used_verdict_is_done(runtime: Runtime) -> None:
    session = a_session(SessionState.PASSED, decided_at=NOW, consumed_at=NOW)

    assert session_to_json(runtime, session)["next"] == "done"


@pytest.mark.parametrize(("age", "next_step"), [(299, "continue"), (300, "start_again")])
def test_verdict_is_good_for_the_maximum_age_of_its_purpose(
    runtime: Runtime, clock: ManualClock, age: int, next_step: str
) -> None:
    session = a_session(SessionState.PASSED, decided_at=NOW)
    clock.advance(age)

    assert session_to_json(runtime, session)["next"] == next_step


@pytest.mark.parametrize(("retries", "next_step"), [(0, "retry"), (1, "retry"), (2, "start_again")])
def test_retry_is_advised_as_long_as_there_is_one(
    runtime: Runtime, retries: int, next_step: str
) -> None:
    session = a_session(SessionState.REJECTED, retries=retries)

    assert session_to_json(runtime, session)["next"] == next_step


def test_session_of_a_purpose_that_is_gone_has_a_view(runtime: Runtime) -> None:
    session = a_session(SessionState.REJECTED, purpose="gone")

    assert session_to_json(runtime, session)["purpose"] == "gone"


def test_times_are_in_whole_seconds(runtime: Runtime) -> None:
    view = session_to_json(runtime, a_session(SessionState.PASSED, decided_at=NOW))

    assert view["createdAt"] == view["decidedAt"] == "2026-01-01T12:00:59Z"
    assert view["expiresAt"] == "2026-01-01T12:10:59Z"


@pytest.mark.parametrize("state", list(SessionState))
def test_view_holds_no_secret(runtime: Runtime, state: SessionState) -> None:
    session = a_session(state, remote=RemoteState.PRESENT, **SECRETS)

    body = json_response(200, session_to_json(runtime, session)).body.decode()

    assert "secret" not in body
    assert "0.123" not in body
    assert json.loads(body)["kind"] == "liveness"
