"""What the hooks are called with."""

from __future__ import annotations

from datetime import UTC, datetime

from livegate.hooks import (
    Attempt,
    AttemptStatus,
    LivenessSession,
    OperationMode,
    Outcome,
    OutcomeStatus,
    Purpose,
    ReferenceImage,
    SessionKind,
    SessionState,
    StartAttempt,
    StartRequest,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALICE = StartRequest("alice")
LOGIN = Purpose("login", require_digest=False)
PAYOUT = Purpose("payout", verify=True)
ATTEMPT = StartAttempt("s1")
IMAGE = ReferenceImage(b"\xff\xd8\xff" + bytes(2000))
SESSION = LivenessSession(
    id="s1",
    subject="alice",
    purpose="login",
    kind=SessionKind.LIVENESS,
    mode=OperationMode.PASSIVE,
    api_version="v1.2",
    correlation_id="device",
    created_at=NOW,
    updated_at=NOW,
    expires_at=NOW,
    state=SessionState.AWAITING_RESULT,
)
REAL = Outcome(OutcomeStatus.ENDED, (Attempt(1, AttemptStatus.SUCCEEDED, decision="realface"),))
SPOOF = Outcome(OutcomeStatus.ENDED, (Attempt(1, AttemptStatus.SUCCEEDED, decision="spoofface"),))
SECRET = "redis://:hunter2@host"


class FaultError(Exception):
    pass
