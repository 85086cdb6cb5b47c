"""What the tests of the flows start with, and what the service says in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from livegate import (
    Outcome,
    ReferenceImage,
    SessionState,
    StartRequest,
)
from livegate.errors import (
    FaceAccessError,
    FaceAnswerError,
    FaceThrottledError,
    FaceUnavailableError,
)
from livegate.session import Attempt, AttemptStatus, OutcomeStatus

if TYPE_CHECKING:
    from doors import Door
    from livegate import LivenessSession


S = SessionState
DIGEST = "B0A8" * 16
REAL = Attempt(1, AttemptStatus.SUCCEEDED, decision="realface", digest=DIGEST)
MASK = Attempt(1, AttemptStatus.FAILED, error_code="FaceWithMaskDetected")
PASSES = Outcome(OutcomeStatus.ENDED, (REAL,))
RUNS = Outcome(OutcomeStatus.RUNNING, (Attempt(1, AttemptStatus.RUNNING),))
JPEG = ReferenceImage(b"\xff\xd8\xff\xda" + bytes(2000) + b"\xff\xd9")
ALICE = StartRequest("alice")
ODD: list[Any] = [1, b"bytes", ["list"], {}, "\ud800"]
"""What is no text, or none that a store could look up."""
RETRYABLE = [
    FaceUnavailableError("no answer"),
    FaceThrottledError("slow down", retry_after=26),
    FaceAccessError("wrong key", service_status=401),
    FaceAnswerError("garbage"),
]


def start(gate: Door, **changes: Any) -> LivenessSession:
    return gate.start(replace(ALICE, **changes)).session
