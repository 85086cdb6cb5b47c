"""What the tests of the operations start with, and what the service reports in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from livegate import LivenessSession, Outcome, ReferenceImage, SessionState, StartRequest
from livegate.errors import (
    FaceAuthError,
    FaceResponseError,
    FaceThrottledError,
    FaceUnavailableError,
)
from livegate.models import Attempt, AttemptStatus, OutcomeStatus, RequestContext

if TYPE_CHECKING:
    from livegate.testing import FakeFaceService
    from orchestrators import EitherOrchestrator

S = SessionState
DIGEST = "B0A8" * 16
REAL = Attempt(1, AttemptStatus.SUCCEEDED, decision="realface", digest=DIGEST)
MASK = Attempt(1, AttemptStatus.FAILED, error_code="FaceWithMaskDetected")
NOTHING_YET = Outcome(OutcomeStatus.NOT_STARTED)
RUNS = Outcome(OutcomeStatus.RUNNING, (Attempt(1, AttemptStatus.RUNNING),))
PASSES = Outcome(OutcomeStatus.ENDED, (REAL,))
SPOOF = Outcome(OutcomeStatus.ENDED, (replace(REAL, decision="spoofface"),))
UNCERTAIN = Outcome(OutcomeStatus.ENDED, (replace(REAL, decision="uncertain"),))
SAME_PERSON = Outcome(OutcomeStatus.ENDED, (replace(REAL, is_identical=True),))
JPEG = ReferenceImage(b"\xff\xd8\xff\xda" + bytes(2000) + b"\xff\xd9")
OTHER_JPEG = ReferenceImage(b"\xff\xd8\xff\xda" + bytes(3000) + b"\xff\xd9")
ALICE = StartRequest("alice")
HTTP = RequestContext(is_http=True, client_address="192.0.2.7")
RETRYABLE = [
    FaceUnavailableError("no response"),
    FaceThrottledError("slow down", retry_after=26),
    FaceAuthError("wrong key", service_status=401),
    FaceResponseError("garbage"),
]


def start(orchestrator: EitherOrchestrator, **changes: Any) -> LivenessSession:
    """A session that is started for Alice, with *changes* to the request."""
    return orchestrator.start(replace(ALICE, **changes)).session


def passed(
    orchestrator: EitherOrchestrator, face: FakeFaceService, **changes: Any
) -> LivenessSession:
    """A session that has passed."""
    session = start(orchestrator, **changes)
    face.outcome = SAME_PERSON
    done: LivenessSession = orchestrator.finish(session.id, subject=session.subject, digest=DIGEST)
    assert done.state is S.PASSED
    return done
