"""What the sessions of ``test_any_order`` meet: a service that fails, policies and destinations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from livegate import (
    FROM_CLIENT,
    REQUIRED,
    Outcome,
    Purpose,
    ReferenceImage,
    SessionState,
    Verdict,
    hooks,
)
from livegate.errors import (
    FaceBadRequestError,
    FaceResponseError,
    FaceSessionNotFoundError,
    FaceUnavailableError,
)
from livegate.models import Attempt, AttemptStatus, OutcomeStatus, PolicyViolation
from livegate.testing import FakeFaceService

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate import SessionEvent, SessionKind
    from livegate.models import StartAttempt, StartOutcome
    from livegate.protocols import FaceSession, FaceSessionRequest

S = SessionState
IMAGE = ReferenceImage(b"\xff\xd8\xff\xda" + bytes(2000) + b"\xff\xd9")
DIGEST = "AB"
PURPOSES = {
    each.name: each
    for each in (
        Purpose("sign-in", max_retries=2),
        Purpose("kiosk", require_digest=False, max_age=timedelta(minutes=1), max_retries=0),
        Purpose(
            "payout", reference_image=lambda request: IMAGE, transaction=REQUIRED, max_retries=1
        ),
        Purpose("enrol", reference_image=FROM_CLIENT),
    )
}

# --- what the service can report of a session --------------------------------------------------

REAL = Attempt(1, AttemptStatus.SUCCEEDED, decision="realface", digest=DIGEST, is_identical=True)
MASK = Attempt(1, AttemptStatus.FAILED, error_code="Mask")
ENDED = OutcomeStatus.ENDED


@dataclass(frozen=True)
class Case:
    """An outcome, and what must follow from it.

    Attributes:
        outcome: As the service reports it.
        progress: ``none`` before the client began; ``running`` while an attempt is; ``tried`` when
            one has failed and more may come; ``over`` when the service ended it without any; else
            ``decided``.
        has_face: Whether a face was classified.
        findings: What is wrong with it in every session: the verdict, and why.
        of_liveness: What is wrong with it as well in a session without verification.
        of_verify: What is wrong with it as well in a session with verification.
    """

    outcome: Outcome
    progress: str = "decided"
    has_face: bool = True
    findings: tuple[tuple[SessionState, str], ...] = ()
    of_liveness: tuple[tuple[SessionState, str], ...] = ()
    of_verify: tuple[tuple[SessionState, str], ...] = ()


def _ended(*attempts: Attempt) -> Outcome:
    return Outcome(ENDED, tuple(replace(each, number=n) for n, each in enumerate(attempts, 1)))


CASES = {
    "nothing": Case(Outcome(OutcomeStatus.NOT_STARTED), "none", has_face=False),
    "running": Case(
        Outcome(OutcomeStatus.RUNNING, (Attempt(1, AttemptStatus.RUNNING),)),
        "running",
        has_face=False,
    ),
    "mask": Case(
        Outcome(OutcomeStatus.RUNNING, (MASK,)),
        "tried",
        has_face=False,
        findings=((S.INCONCLUSIVE, "Mask"),),
    ),
    "ended": Case(Outcome(ENDED), "over", has_face=False),
    "given_up": Case(_ended(MASK), has_face=False, findings=((S.INCONCLUSIVE, "Mask"),)),
    "real": Case(_ended(REAL)),
    "real_at_last": Case(_ended(MASK, REAL)),
    "not_compared": Case(
        _ended(replace(REAL, is_identical=None)),
        of_verify=((S.INCONCLUSIVE, "verification_missing"),),
    ),
    "same_picture": Case(
        _ended(replace(REAL, reference_sha256=IMAGE.sha256.lower())),
        of_liveness=((S.REJECTED, "reference_differs"),),
    ),
    "other_picture": Case(
        _ended(replace(REAL, reference_sha256="00" * 32)),
        findings=((S.REJECTED, "reference_differs"),),
    ),
    "stranger": Case(
        _ended(replace(REAL, is_identical=False)), findings=((S.REJECTED, "different_person"),)
    ),
    "spoof": Case(
        _ended(replace(REAL, decision="spoofface")), findings=((S.REJECTED, "spoof_detected"),)
    ),
    "spoof_and_real": Case(
        _ended(replace(REAL, decision="spoofface"), REAL),
        findings=((S.REJECTED, "spoof_detected"),),
    ),
    "uncertain": Case(
        _ended(replace(REAL, decision="uncertain")),
        findings=((S.INCONCLUSIVE, "liveness_uncertain"),),
    ),
    "new_decision": Case(
        _ended(replace(REAL, decision="almostface")),
        findings=((S.INCONCLUSIVE, "decision_unknown"),),
    ),
    "new_status": Case(
        _ended(REAL, Attempt(2, AttemptStatus.UNKNOWN)),
        findings=((S.INCONCLUSIVE, "attempt_unknown"),),
    ),
    "abuse": Case(
        _ended(replace(REAL, abuse_detected=True)), findings=((S.REJECTED, "abuse_detected"),)
    ),
    "odd": Case(_ended(replace(REAL, match_confidence=0.51)), findings=((S.NEEDS_REVIEW, "odd"),)),
}
DECIDED = sorted(name for name, case in CASES.items() if case.progress == "decided")
"""These never change again."""


# --- plugins and destinations ------------------------------------------------------------------


@dataclass(eq=False)
class Policies:
    """Sends what is not sure to a reviewer, locks subjects out, and counts starts.

    Attributes:
        is_locked: Whether nobody may start.
        asked: Whether each start that it was asked about was a repeated one.
        settled: What became of the starts, with the ids of their sessions.
    """

    is_locked: bool = False
    asked: list[bool] = field(default_factory=list)
    settled: list[tuple[str, StartOutcome]] = field(default_factory=list)

    @hooks.hookimpl
    def decide(self, outcome: Outcome) -> Verdict | None:
        is_odd = any(attempt.match_confidence == 0.51 for attempt in outcome.attempts)
        return Verdict(S.NEEDS_REVIEW, ("odd",)) if is_odd else None

    @hooks.hookimpl
    def before_start(self, attempt: StartAttempt) -> list[PolicyViolation]:
        self.asked.append(attempt.is_repeat)
        return [PolicyViolation("locked", "You are locked out.")] if self.is_locked else []

    @hooks.hookimpl
    def start_settled(self, attempt: StartAttempt, outcome: StartOutcome) -> None:
        self.settled.append((attempt.session_id, outcome))


@dataclass(eq=False)
class Destination:
    """Keeps the sequences and the names of the events of each session, unless it is down."""

    name: str
    is_down: bool = False
    received: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def deliver(self, event: SessionEvent) -> None:
        if self.is_down:
            raise ConnectionError("down")
        self.received.setdefault(event.session_id, []).append((event.sequence, event.name))

    def close(self) -> None: ...


# --- the service -------------------------------------------------------------------------------

CREATE_FAULTS = ("down", "answer_lost", "answer_unreadable", "bad_request", "bad_image", "late")
DELETE_FAULTS = ("before", "after")
FACE_CODES = {
    "down": "face_unavailable",
    "answer_lost": "face_unavailable",
    "answer_unreadable": "face_response_invalid",
    "bad_request": "face_bad_request",
    "bad_image": "image_unusable",
}
"""The code of a start, by the fault of the create."""


@dataclass
class Service(FakeFaceService):
    """A service with an outcome of its own for each session; it forgets what was deleted.

    Attributes:
        outcomes: The names of :data:`CASES`, by the ids of the sessions.
        create_fault: One of :data:`CREATE_FAULTS`, or None.
        delete_fault: Whether deletions fail ``before`` or ``after`` they are done, or None.
        cannot_read: Whether reads fail.
        before_late_answer: What others do before the service answers a ``late`` create.
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    create_fault: str | None = None
    delete_fault: str | None = None
    cannot_read: bool = False
    before_late_answer: Callable[[], None] = lambda: None

    def heal(self) -> None:
        """Work again."""
        self.create_fault = self.delete_fault = None
        self.cannot_read = False

    def create(self, request: FaceSessionRequest, api_version: str) -> FaceSession:
        fault = self.create_fault
        if fault in ("down", "bad_request", "bad_image"):
            self.calls.append("create")
        match fault:
            case "down":
                raise FaceUnavailableError("down")
            case "bad_request":
                raise FaceBadRequestError("never", service_code="BadArgument")
            case "bad_image":
                raise FaceBadRequestError("never", service_code="InvalidImage")
        created = super().create(request, api_version)
        match fault:
            case "late":
                self.create_fault = None  # for the others
                self.before_late_answer()
            case "answer_lost":
                raise FaceUnavailableError("no response")
            case "answer_unreadable":
                raise FaceResponseError("no token", orphan_id=created.remote_id)
        return created

    def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        super().read(kind, remote_id, api_version)
        if self.cannot_read:
            raise FaceUnavailableError("down")
        if remote_id not in self.sessions:
            raise FaceSessionNotFoundError("gone")
        return CASES[self.outcomes.get(remote_id, "nothing")].outcome

    def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
        if self.delete_fault == "before":
            self.calls.append("delete")
            raise FaceUnavailableError("down")
        super().delete(kind, remote_id, api_version)
        if self.delete_fault == "after":
            raise FaceUnavailableError("no response")
