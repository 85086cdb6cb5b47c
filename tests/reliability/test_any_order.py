"""Calls in any order, repeated, lost, by two users, while the service fails: what always holds.

A state machine of hypothesis makes up the orders, and runs in both colours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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

from doors import COLOURS, Door
from livegate import LivegateError, Outcome, SessionState, StartRequest
from livegate.errors import FaceSessionNotFoundError, FaceUnavailableError, SessionNotFoundError
from livegate.session import Attempt, AttemptStatus, OutcomeStatus
from livegate.stores.memory import MemoryStore
from livegate.testing.doubles import ManualClock, ScriptedFace

if TYPE_CHECKING:
    from livegate import LivenessSession, SessionKind

S = SessionState
OUTCOMES = {
    "nothing": Outcome(OutcomeStatus.NOT_STARTED),
    "running": Outcome(OutcomeStatus.RUNNING, (Attempt(1, AttemptStatus.RUNNING),)),
    "mask": Outcome(OutcomeStatus.RUNNING, (Attempt(1, AttemptStatus.FAILED, error_code="Mask"),)),
    "real": Outcome(
        OutcomeStatus.ENDED,
        (Attempt(1, AttemptStatus.SUCCEEDED, decision="realface", digest="AB"),),
    ),
    "spoof": Outcome(
        OutcomeStatus.ENDED,
        (Attempt(1, AttemptStatus.SUCCEEDED, decision="spoofface", digest="AB"),),
    ),
}
SUBJECTS = ("alice", "bob")


@dataclass
class Service(ScriptedFace):
    """A service that has an outcome of its own for each session, and forgets what was deleted."""

    outcomes: dict[str, str] = field(default_factory=dict)

    def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        super().read(kind, remote_id, api_version)
        if remote_id not in self.sessions:
            raise FaceSessionNotFoundError("gone")
        return OUTCOMES[self.outcomes.get(remote_id, "nothing")]


class AnyOrder(RuleBasedStateMachine):
    colour = ""
    sessions: Bundle[str] = Bundle("sessions")

    @initialize()
    def open(self) -> None:
        self.clock = ManualClock()
        self.face = Service()
        self.store = MemoryStore()
        self.gate: Any = Door(self.colour, face=self.face, store=self.store, clock=self.clock)
        self.owner: dict[str, str] = {}
        self.said: dict[str, list[tuple[str | None, str | None]]] = {}
        self.ended: dict[str, LivenessSession] = {}

    def teardown(self) -> None:
        if hasattr(self, "gate"):
            self.gate.close()

    def call(self, verb: str, session_id: str, **arguments: Any) -> None:
        """A call of the owner's; the service may fail it."""
        try:
            getattr(self.gate, verb)(session_id, subject=self.owner[session_id], **arguments)
        except LivegateError as error:
            assert error.status < 500 or error.retryable, error

    @rule(target=sessions, subject=st.sampled_from(SUBJECTS), key=st.sampled_from(["k", "l", None]))
    def start(self, subject: str, key: str | None) -> str:
        try:
            session = self.gate.start(StartRequest(subject, idempotency_key=key)).session
        except LivegateError:
            session = next(iter(self.gate.find(subject=subject).sessions), None)
        if session is None:
            return ""
        self.owner[session.id] = subject
        self.said.setdefault(session.id, [])
        return str(session.id)

    @rule(session_id=sessions, outcome=st.sampled_from(sorted(OUTCOMES)))
    def the_client_shows_a_face(self, session_id: str, outcome: str) -> None:
        session = self.stored(session_id)
        if session and session.remote_id and self.clock() < session.expires_at:
            known = self.face.outcomes.get(session.remote_id)
            if known not in ("real", "spoof"):
                self.face.outcomes[session.remote_id] = outcome

    @rule(
        session_id=sessions,
        digest=st.sampled_from(["AB", "CD", None]),
        client_error=st.sampled_from([None, None, "TimedOut"]),
    )
    def finish(self, session_id: str, digest: str | None, client_error: str | None) -> None:
        session = self.stored(session_id)
        if session:
            if session.state.is_open:
                self.said[session_id].append((digest, client_error))
            self.call("finish", session_id, digest=digest, client_error=client_error)

    @rule(
        subject=st.sampled_from(SUBJECTS),
        outcome=st.sampled_from(["real", "spoof"]),
        reports=st.lists(
            st.tuples(st.sampled_from(["AB", "CD", None]), st.sampled_from([None, "TimedOut"])),
            min_size=1,
            max_size=2,
        ),
    )
    def a_whole_session(
        self, subject: str, outcome: str, reports: list[tuple[str | None, str | None]]
    ) -> None:
        session_id = self.start(subject, None)
        self.the_client_shows_a_face(session_id, "running" if len(reports) > 1 else outcome)
        for digest, client_error in reports:
            self.finish(session_id, digest, client_error)
            self.the_client_shows_a_face(session_id, outcome)

    @rule(
        session_id=sessions,
        verb=st.sampled_from(["read_result", "refresh", "expire", "cancel", "delete_remote"]),
    )
    def look(self, session_id: str, verb: str) -> None:
        if self.stored(session_id):
            self.call(verb, session_id)

    @rule(session_id=sessions, verb=st.sampled_from(["get", "finish", "cancel", "refresh"]))
    def the_other_user_finds_nothing(self, session_id: str, verb: str) -> None:
        before = self.stored(session_id)
        if before is None:
            return
        other = next(each for each in SUBJECTS if each != before.subject)
        with pytest.raises(SessionNotFoundError):
            getattr(self.gate, verb)(session_id, subject=other)
        assert self.stored(session_id) == before

    @rule(seconds=st.sampled_from([1, 31, 121, 599, 601, 1300]))
    def time_goes_by(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def sweep(self) -> None:
        self.gate.sweep()

    @rule(call=st.sampled_from(["create", "read", "delete"]))
    def the_service_fails(self, call: str) -> None:
        self.face.failures[call] = FaceUnavailableError("down")

    @rule()
    def the_service_is_well(self) -> None:
        self.face.failures.clear()

    def stored(self, session_id: str) -> LivenessSession | None:
        return self.store.get(session_id)

    @invariant()
    def what_has_ended_never_changes(self) -> None:
        for session_id in getattr(self, "owner", {}):
            session = self.stored(session_id)
            assert session is not None
            if session_id in self.ended:
                first = self.ended[session_id]
                assert (session.state, session.reasons) == (first.state, first.reasons)
            elif session.state.is_final:
                self.ended[session_id] = session
                self.must_be_earned(session)

    def must_be_earned(self, session: LivenessSession) -> None:
        """A verdict is a function of the service's outcome and of what the client said."""
        outcome = self.face.outcomes.get(session.remote_id or "")
        digests = {digest for digest, _ in self.said[session.id] if digest}
        errors = [error for _, error in self.said[session.id] if error]
        if session.state is S.PASSED:
            assert outcome == "real"
            assert digests <= {"AB"}
            assert not errors
        if session.state is S.REJECTED:
            assert outcome == "spoof" or digests - {"AB"}

    @invariant()
    def nothing_is_left_for_ever(self) -> None:
        for session_id in getattr(self, "owner", {}):
            session = self.stored(session_id)
            assert session is not None
            if not session.state.is_final or session.remote == "deleting":
                from livegate.lifecycle import due_at

                assert due_at(session) is not None

    @rule()
    def in_the_end_everything_is_closed_and_deleted(self) -> None:
        self.face.failures.clear()
        for _ in range(3):
            self.clock.advance(3700)
            self.gate.sweep()
        for session_id in self.owner:
            session = self.stored(session_id)
            assert session is not None
            assert session.state.is_final
            assert session.remote in ("none", "deleted")
        assert self.face.sessions == set()


@pytest.mark.parametrize("colour", COLOURS)
def test_calls_in_any_order(colour: str) -> None:
    machine = type(f"AnyOrder{colour}", (AnyOrder,), {"colour": colour})

    run_state_machine_as_test(
        machine, settings=settings(max_examples=150, stateful_step_count=40, deadline=None)
    )
