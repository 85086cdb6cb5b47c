"""Operations in any order, repeated and lost, by two users, while the service fails.

A state machine of hypothesis makes up the orders; what must always hold is checked after each step.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from livegate import (
    FROM_CLIENT,
    CallbackNotifier,
    LivegateError,
    Outcome,
    Purpose,
    ReferenceImage,
    RemoteState,
    RequestContext,
    SessionState,
    Settings,
    StartRequest,
    Verdict,
    hooks,
)
from livegate.errors import (
    ConsumeError,
    FaceBadRequestError,
    FaceSessionNotFoundError,
    FaceUnavailableError,
    SessionNotFoundError,
)
from livegate.models import Attempt, AttemptStatus, OutcomeStatus
from livegate.stores.memory import MemoryStore
from livegate.testing import FakeFaceService, ManualClock
from orchestrators import KINDS, EitherOrchestrator

if TYPE_CHECKING:
    from livegate import LivenessSession, SessionEvent, SessionKind

S = SessionState
YEAR = 365 * 86400
IMAGE = ReferenceImage(b"\xff\xd8\xff\xda" + bytes(2000) + b"\xff\xd9")
HTTP = RequestContext(is_http=True)
PURPOSES = {
    "sign-in": Purpose("sign-in", max_retries=2),
    "payout": Purpose("payout", reference_image=lambda request: IMAGE),
    "enrol": Purpose("enrol", reference_image=FROM_CLIENT),
}
SUBJECTS = ("alice", "bob")
REAL = Attempt(1, AttemptStatus.SUCCEEDED, decision="realface", digest="AB", is_identical=True)
OUTCOMES = {
    "nothing": Outcome(OutcomeStatus.NOT_STARTED),
    "running": Outcome(OutcomeStatus.RUNNING, (Attempt(1, AttemptStatus.RUNNING),)),
    "mask": Outcome(OutcomeStatus.RUNNING, (Attempt(1, AttemptStatus.FAILED, error_code="Mask"),)),
    "real": Outcome(OutcomeStatus.ENDED, (REAL,)),
    "stranger": Outcome(OutcomeStatus.ENDED, (replace(REAL, is_identical=False),)),
    "spoof": Outcome(OutcomeStatus.ENDED, (replace(REAL, decision="spoofface"),)),
    "odd": Outcome(OutcomeStatus.ENDED, (replace(REAL, match_confidence=0.51),)),
}
DECIDED = ("real", "stranger", "spoof", "odd")


class ReviewOddOnes:
    """Sends what is not sure to a reviewer."""

    @hooks.hookimpl
    def decide(self, outcome: Outcome) -> Verdict | None:
        is_odd = any(attempt.match_confidence == 0.51 for attempt in outcome.attempts)
        return Verdict(S.NEEDS_REVIEW, ("odd",)) if is_odd else None


@dataclass
class Service(FakeFaceService):
    """A service that has an outcome of its own for each session, and forgets what was deleted."""

    outcomes: dict[str, str] = field(default_factory=dict)

    def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        super().read(kind, remote_id, api_version)
        if remote_id not in self.sessions:
            raise FaceSessionNotFoundError("gone")
        return OUTCOMES[self.outcomes.get(remote_id, "nothing")]


class AnyOrder(RuleBasedStateMachine):
    kind: ClassVar[str]
    visited: ClassVar[set[str]]
    sessions: Bundle[str] = Bundle("sessions")

    @initialize()
    def open(self) -> None:
        self.clock = ManualClock()
        self.face = Service()
        self.events: dict[str, list[int]] = {}
        self.orchestrator: Any = EitherOrchestrator(
            self.kind,
            face=self.face,
            store=MemoryStore(),
            clock=self.clock,
            settings=Settings(event_max_age=YEAR, record_retention=9 * YEAR),
            purposes=PURPOSES.values(),
            plugins=[ReviewOddOnes()],
            notifiers=[CallbackNotifier("list", self.take)],
        )
        self.owner: dict[str, str] = {}
        self.reports: dict[str, list[tuple[str | None, str | None]]] = {}
        self.reviewed: set[str] = set()
        self.consumed: set[str] = set()
        self.ended: dict[str, LivenessSession] = {}

    def teardown(self) -> None:
        if hasattr(self, "orchestrator"):
            self.orchestrator.end()

    def take(self, event: SessionEvent) -> None:
        self.events.setdefault(event.session_id, []).append(event.sequence)

    def stored(self, session_id: str) -> LivenessSession | None:
        subject = self.owner.get(session_id)
        if subject is None:
            return None
        try:
            session: LivenessSession = self.orchestrator.get(session_id, subject=subject)
        except SessionNotFoundError:
            return None
        return session

    def call(self, operation: str, *arguments: Any, **options: Any) -> Any:
        """An operation, which the service may fail."""
        try:
            return getattr(self.orchestrator, operation)(*arguments, **options)
        except LivegateError as error:
            assert error.status < 500 or error.retryable, error
            return None

    def know(self, session: LivenessSession) -> str:
        self.owner[session.id] = session.subject
        self.reports.setdefault(session.id, [])
        return session.id

    # --- steps -------------------------------------------------------------------------------

    @rule(
        target=sessions,
        subject=st.sampled_from(SUBJECTS),
        purpose=st.sampled_from(sorted(PURPOSES)),
        key=st.sampled_from(["k", None, None]),
    )
    def start(self, subject: str, purpose: str, key: str | None) -> str:
        image = IMAGE if purpose == "enrol" else None
        request = StartRequest(
            subject, purpose, reference_image=image, idempotency_key=key, context=HTTP
        )
        started = self.call("start", request)
        for found in self.orchestrator.find(subject=subject).sessions:
            self.know(found)
        return self.know(started.session) if started else ""

    @rule(target=sessions, session_id=sessions)
    def retry(self, session_id: str) -> str:
        session = self.stored(session_id)
        if session is None:
            return ""
        image = IMAGE if session.purpose == "enrol" else None
        started = self.call(
            "retry", session_id, subject=session.subject, reference_image=image, context=HTTP
        )
        return self.know(started.session) if started else ""

    @rule(session_id=sessions, outcome=st.sampled_from(sorted(OUTCOMES)))
    def the_client_shows_a_face(self, session_id: str, outcome: str) -> None:
        session = self.stored(session_id)
        if not session or not session.remote_id or self.clock() >= session.expires_at:
            return
        if self.face.outcomes.get(session.remote_id) not in DECIDED:
            self.face.outcomes[session.remote_id] = outcome

    @rule(
        session_id=sessions,
        digest=st.sampled_from(["AB", "AB", "CD", None]),
        client_error=st.sampled_from([None, None, None, "TimedOut"]),
    )
    def finish(self, session_id: str, digest: str | None, client_error: str | None) -> None:
        session = self.stored(session_id)
        if session:
            if session.state.is_open:
                self.reports[session_id].append((digest, client_error))
            self.call(
                "finish",
                session_id,
                subject=session.subject,
                digest=digest,
                client_error=client_error,
            )

    @rule(
        subject=st.sampled_from(SUBJECTS),
        purpose=st.sampled_from(sorted(PURPOSES)),
        outcome=st.sampled_from(DECIDED),
        is_slow=st.booleans(),
    )
    def a_whole_session(self, subject: str, purpose: str, outcome: str, is_slow: bool) -> None:
        session_id = self.start(subject, purpose, None)
        if is_slow:
            self.the_client_shows_a_face(session_id, "running")
            self.finish(session_id, "AB", None)
        self.the_client_shows_a_face(session_id, outcome)
        self.finish(session_id, "AB", None)
        self.time_goes_by(31)
        self.look(session_id, "read")

    @rule(subject=st.sampled_from(SUBJECTS))
    def a_session_that_is_not_finished(self, subject: str) -> None:
        session_id = self.start(subject, "sign-in", None)
        self.the_client_shows_a_face(session_id, "running")
        self.time_goes_by(601)
        self.look(session_id, "read")

    @rule(session_id=sessions, operation=st.sampled_from(["read", "read", "get", "cancel"]))
    def look(self, session_id: str, operation: str) -> None:
        session = self.stored(session_id)
        if session:
            self.call(operation, session_id, subject=session.subject)

    @rule(session_id=sessions, passes=st.booleans())
    def review(self, session_id: str, passes: bool) -> None:
        session = self.stored(session_id)
        if session and session.state is S.NEEDS_REVIEW:
            self.reviewed.add(session_id)
            verdict = Verdict(S.PASSED) if passes else Verdict(S.REJECTED, ("reviewer",))
            self.orchestrator.review(session_id, reviewer="carol", verdict=verdict)

    @rule(session_id=sessions, purpose=st.sampled_from(sorted(PURPOSES)))
    def consume(self, session_id: str, purpose: str) -> None:
        session = self.stored(session_id)
        if session is None:
            return
        try:
            self.orchestrator.consume(session_id, subject=session.subject, purpose=purpose)
        except ConsumeError:
            return
        assert session_id not in self.consumed
        assert session.state is S.PASSED
        assert session.purpose == purpose
        assert session.decided_at is not None
        assert self.clock() - session.decided_at < PURPOSES[purpose].max_age
        self.consumed.add(session_id)

    @rule(session_id=sessions, operation=st.sampled_from(["get", "finish", "cancel", "read"]))
    def the_other_user_finds_nothing(self, session_id: str, operation: str) -> None:
        before = self.stored(session_id)
        if before is None:
            return
        other = next(each for each in SUBJECTS if each != before.subject)
        with pytest.raises(SessionNotFoundError):
            getattr(self.orchestrator, operation)(session_id, subject=other)
        assert self.stored(session_id) == before

    @rule(seconds=st.sampled_from([1, 31, 121, 599, 601, 1300]))
    def time_goes_by(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def sweep(self) -> None:
        self.orchestrator.sweep()

    @rule(call=st.sampled_from(["create", "read", "delete"]))
    def the_service_fails(self, call: str) -> None:
        self.face.failures[call] = FaceUnavailableError("down")

    @rule()
    def the_service_rejects_a_start(self) -> None:
        self.face.failures["create"] = FaceBadRequestError("never", service_code="BadArgument")

    @rule()
    def the_service_works(self) -> None:
        self.face.failures.clear()

    @rule(subject=st.sampled_from(SUBJECTS), chance=st.integers(0, 3))
    def erase(self, subject: str, chance: int) -> None:
        if chance:  # rarely, so that other steps have sessions to work on
            return
        receipt = self.orchestrator.erase(subject)
        if receipt.remote_pending:
            self.face.failures.clear()
            self.clock.advance(3700)
            self.orchestrator.sweep()
        assert self.orchestrator.find(subject=subject).sessions == ()
        self.forget(subject)

    def forget(self, subject: str) -> None:
        for session_id in [each for each, owner in self.owner.items() if owner == subject]:
            for known in (self.owner, self.reports, self.ended, self.events):
                known.pop(session_id, None)

    @rule()
    def in_the_end_everything_is_over_and_deleted(self) -> None:
        self.face.failures.clear()
        for _ in range(3):
            self.clock.advance(8 * 86400)  # longer than a reviewer may take
            self.orchestrator.sweep()
        for session_id in self.owner:
            session = self.stored(session_id)
            assert session is not None
            assert session.state.is_final
            assert session.remote in (RemoteState.NONE, RemoteState.DELETED)
            assert self.events[session_id] == list(range(1, session.sequence + 1))
        assert self.face.sessions == set()

    # --- what always holds -------------------------------------------------------------------

    @invariant()
    def a_final_state_never_changes_and_a_verdict_is_earned(self) -> None:
        for session_id in list(getattr(self, "owner", {})):
            session = self.stored(session_id)
            assert session is not None
            self.visited.update((session.state, session.remote))
            if session_id in self.ended:
                first = self.ended[session_id]
                assert (session.state, session.reasons) == (first.state, first.reasons)
            elif session.state.is_final:
                self.ended[session_id] = session
                if session_id not in self.reviewed:
                    self.check_verdict(session)

    def check_verdict(self, session: LivenessSession) -> None:
        """A verdict is a function of the service's outcome and of what the client reported."""
        outcome = self.face.outcomes.get(session.remote_id or "")
        digests = {digest for digest, _ in self.reports[session.id] if digest}
        errors = [error for _, error in self.reports[session.id] if error]
        if session.state is S.PASSED:
            assert outcome == "real"
            assert digests == {"AB"}
            assert not errors
        if session.state is S.REJECTED:
            assert outcome in ("spoof", "stranger") or digests - {"AB"}


@pytest.mark.parametrize("kind", KINDS)
def test_operations_in_any_order(kind: str) -> None:
    visited: set[str] = set()
    machine = type(f"AnyOrder{kind}", (AnyOrder,), {"kind": kind, "visited": visited})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=120, stateful_step_count=40, deadline=None, derandomize=True
        ),
    )

    assert visited == {*SessionState, *RemoteState}
