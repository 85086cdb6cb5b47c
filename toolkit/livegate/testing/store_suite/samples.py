"""What the kit puts into a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from livegate.session import (
    Attempt,
    AttemptStatus,
    LivenessSession,
    OperationMode,
    RemoteState,
    SessionKind,
    SessionState,
)

NOW: Final = datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)
SECOND: Final = timedelta(seconds=1)
HOUR: Final = timedelta(hours=1)

HOSTILE: Final = {
    "quotes": 'it\'s "quoted" and `quoted`',
    "nul": "before\x00after",
    "percent": "100% _ %s %(x)s",
    "emoji": "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{ROCKET} \N{PILE OF POO}",
    "long": "0123456789" * 1000,
    "path": "../../../etc/passwd",
    "sql": "'; DROP TABLE session; --",
    "lines": "one\r\ntwo\ttab\N{LINE SEPARATOR}\N{NEXT LINE}",
    "ends": "\N{NO-BREAK SPACE} blanks on both ends ",
    "globs": "*?[a-z]{0}${env}\\",
    "json": '{"id": null}',
    "bounds": "\x01\x7f\ud7ff\ue000\ufffe\uffff\U0010ffff",
}
"""Texts that careless code takes for something else, by what they are."""

LOOK_ALIKES: Final = (
    "alice",
    "Alice",
    "alice ",
    "ali\N{ZERO WIDTH SPACE}ce",
    "alic\u0065\u0301",
    "alic\u00e9",
    "alice\x00",
    "a:lice",
    "a%",
)
"""Different texts, all of them: no collation, no padding, no normal form may make two equal."""


def a_session(session_id: str = "session-1", **changes: Any) -> LivenessSession:
    """A session just asked for, with *changes*."""
    session = LivenessSession(
        id=session_id,
        subject="alice",
        purpose="open an account",
        kind=SessionKind.LIVENESS,
        mode=OperationMode.PASSIVE,
        api_version="v1.2",
        correlation_id="device-1",
        created_at=NOW,
        updated_at=NOW,
        expires_at=NOW + HOUR,
    )
    return replace(session, **changes)


def a_full_session() -> LivenessSession:
    """A session in which no field has its default."""
    return a_session(
        kind=SessionKind.LIVENESS_WITH_VERIFY,
        mode=OperationMode.PASSIVE_ACTIVE,
        version=7,
        state=SessionState.INCONCLUSIVE,
        idempotency_key="key-1",
        fingerprint="f" * 64,
        asked_at=NOW - SECOND,
        remote=RemoteState.DELETING,
        remote_id="remote-1",
        remote_retry_at=NOW + timedelta(microseconds=1),
        remote_tries=3,
        reference_sha256="A" * 64,
        client_digests=("one", "two"),
        client_error="CameraPermissionDenied",
        attempts=(
            Attempt(1, AttemptStatus.FAILED, error_code="FaceWithMaskDetected"),
            Attempt(
                2,
                AttemptStatus.SUCCEEDED,
                decision="uncertain",
                digest="two",
                is_identical=False,
                match_confidence=0.1 + 0.2,
                reference_sha256="A" * 64,
                abuse_detected=True,
            ),
        ),
        reasons=("uncertain", "abuse_detected"),
        consumed_at=NOW + HOUR,
    )


def due_since(moment: datetime, session_id: str = "session-1", **changes: Any) -> LivenessSession:
    """A session that somebody has to look after from *moment* on."""
    return a_session(
        session_id,
        state=SessionState.READY,
        remote=RemoteState.PRESENT,
        remote_id=f"remote of {session_id}",
        expires_at=moment,
        **changes,
    )


def next_of(session: LivenessSession, **changes: Any) -> LivenessSession:
    """The next version of *session*, with *changes*."""
    advanced: dict[str, Any] = {
        "version": session.version + 1,
        "updated_at": session.updated_at + SECOND,
    }
    return replace(session, **(advanced | changes))
