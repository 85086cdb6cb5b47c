"""Whose session it is, that a verdict is used once, and two at the same moment."""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from livegate import (
    Outcome,
    Settings,
    hookimpl,
)
from livegate.errors import (
    InvalidRequestError,
    SessionNotFoundError,
    StoreError,
    SubjectRequiredError,
    TransitionError,
    VersionConflictError,
)
from livegate.session import OutcomeStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from doors import Door
    from livegate import LivenessSession
    from livegate.stores.memory import MemoryStore
    from livegate.testing.doubles import ManualClock, ScriptedFace


from tests.toolkit.flows.samples import ALICE, DIGEST, JPEG, ODD, PASSES, REAL, S, start

# --- whose session it is -----------------------------------------------------------------------

VERBS: dict[str, dict[str, str]] = {
    "get": {},
    "finish": {},
    "read_result": {},
    "cancel": {},
    "expire": {},
    "refresh": {},
    "delete_remote": {},
    "consume": {"purpose": "default"},
}


@pytest.mark.parametrize("verb", VERBS)
def test_another_subjects_session_and_no_session_are_the_same(
    gate: Door, face: ScriptedFace, verb: str
) -> None:
    session = start(gate)
    face.outcome = PASSES
    answers = []
    names: list[Any] = ["x" * 32, "short", "../../etc/passwd", "ä" * 32, "a\0" * 16, *ODD, None]
    for session_id in (session.id, *names):
        with pytest.raises(SessionNotFoundError) as error:
            getattr(gate, verb)(session_id, subject="bob", **VERBS[verb])
        answers.append((str(error.value), error.value.public_message, error.value.code))

    assert len(set(answers)) == 1
    assert gate.get(session.id, subject="alice") == session
    assert face.calls == ["create"]


def test_every_verb_on_one_session_asks_whose_it_is() -> None:
    import inspect

    from livegate import AsyncOrchestrator, Orchestrator

    for door in (Orchestrator, AsyncOrchestrator):
        verbs = {
            name: inspect.signature(verb).parameters
            for name, verb in vars(door).items()
            if inspect.isfunction(verb) and not name.startswith("_")
        }
        touching = {name for name, parameters in verbs.items() if "session_id" in parameters}
        assert touching == set(VERBS)
        assert all("subject" in verbs[name] for name in touching)


def test_a_list_holds_the_subjects_own_sessions_only(gate: Door) -> None:
    mine = start(gate)
    start(gate, subject="bob")

    assert [each.id for each in gate.find(subject="alice").sessions] == [mine.id]
    assert gate.find(subject="carol").sessions == ()
    for nobody in ("", None):
        with pytest.raises(SubjectRequiredError):
            gate.find(subject=nobody)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("limit", odd) for odd in (0, 101, None, "5", 1.5, True, 10**30)),
        *(("cursor", odd) for odd in (1, b"x", "", "\ud800")),
        *(("states", odd) for odd in (None, 1, "ready", S.READY, ["nonsense"], [1])),
    ],
)
def test_a_list_that_cannot_be_made_is_refused_by_its_field(
    gate: Door, field: str, value: Any
) -> None:
    with pytest.raises(InvalidRequestError) as error:
        gate.find(subject="alice", **{field: value})
    assert error.value.field == field


def test_states_may_be_asked_for_by_their_words(gate: Door) -> None:
    mine = start(gate)

    assert gate.find(subject="alice", states=["ready"]).sessions == (mine,)


def test_a_number_for_a_subject_is_told_and_not_taken_for_somebody_else(gate: Door) -> None:
    session = start(gate, subject="42")

    with pytest.raises(InvalidRequestError, match="subject has to be a text") as number:
        gate.get(session.id, subject=42)
    with pytest.raises(SubjectRequiredError):
        gate.get(session.id, subject=None)

    assert number.value.field == "subject"


def test_an_id_that_the_application_never_kept_is_no_session(gate: Door) -> None:
    with pytest.raises(SessionNotFoundError):
        gate.consume(None, subject="alice", purpose="default")


@pytest.mark.parametrize("wrong", [12, True, ["x"], {"a": 1}, b"x", "", "z" * 256, "\ud800"])
@pytest.mark.parametrize(
    ("argument", "field"), [("digest", "digest"), ("client_error", "clientError")]
)
def test_what_no_client_can_say_is_refused_and_not_kept(
    gate: Door, argument: str, field: str, wrong: Any
) -> None:
    session = start(gate)

    with pytest.raises(InvalidRequestError) as error:
        gate.finish(session.id, subject="alice", **{argument: wrong})

    assert error.value.field == field
    assert gate.get(session.id, subject="alice") == session


def test_a_repr_holds_no_score_no_digest_and_no_id_of_the_service(
    make_gate: Callable[..., Door], face: ScriptedFace
) -> None:
    seen: list[object] = []

    class Observer:
        @hookimpl
        def session_changed(self, after: object, event: object) -> None:
            seen.extend((after, event))

    gate = make_gate(plugins=[Observer()])
    session = start(gate)
    face.outcome = Outcome(OutcomeStatus.ENDED, (replace(REAL, match_confidence=0.8125),))
    done = gate.finish(session.id, subject="alice", digest=DIGEST)

    assert (done.remote_id, done.client_digests) == ("remote-1", (DIGEST,))
    assert "ClientFinished" in repr(seen)
    for secret in ("remote-1", DIGEST, "0.8125"):
        assert secret not in repr(seen)


# --- one use -----------------------------------------------------------------------------------


def test_a_verdict_is_used_once_and_for_its_purpose(gate: Door, face: ScriptedFace) -> None:
    session = start(gate, purpose="login")
    face.outcome = PASSES
    gate.finish(session.id, subject="alice")

    with pytest.raises(TransitionError) as other:
        gate.consume(session.id, subject="alice", purpose="payment")
    assert gate.consume(session.id, subject="alice", purpose="login").consumed_at is not None
    with pytest.raises(TransitionError):
        gate.consume(session.id, subject="alice", purpose="login")

    assert other.value.code == "purpose_differs"


def test_of_many_callers_at_once_one_uses_the_verdict(
    face: ScriptedFace, store: MemoryStore, clock: ManualClock
) -> None:
    from livegate import Orchestrator

    gate = Orchestrator(Settings(), face=face, store=store, clock=clock)
    session = gate.start(ALICE).session
    face.outcome = PASSES
    gate.finish(session.id, subject="alice")
    won: list[str] = []
    barrier = threading.Barrier(16)

    def use() -> None:
        barrier.wait()
        with contextlib.suppress(TransitionError, VersionConflictError):
            won.append(gate.consume(session.id, subject="alice", purpose="default").id)

    threads = [threading.Thread(target=use) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert won == [session.id]


# --- two at the same moment --------------------------------------------------------------------


def test_a_verb_starts_over_when_the_session_changed_at_the_same_moment(
    make_gate: Callable[..., Door], face: ScriptedFace, store: MemoryStore
) -> None:
    rivals: list[str] = []

    class Store(type(store)):  # type: ignore[misc]  # a rival writes between a read and a save
        def save(self, session: LivenessSession, expected_version: int) -> None:
            if session.state is S.AWAITING_RESULT and len(rivals) < 3:
                rivals.append(session.id)
                stored = self.get(session.id)
                super().save(replace(stored, version=stored.version + 1), stored.version)
            super().save(session, expected_version)

    gate = make_gate(store=Store())
    session = start(gate)
    face.outcome = PASSES

    assert gate.finish(session.id, subject="alice").state is S.PASSED
    assert len(rivals) == 3


def test_a_verb_that_loses_every_time_says_so(
    make_gate: Callable[..., Door], face: ScriptedFace, store: MemoryStore
) -> None:
    class Store(type(store)):  # type: ignore[misc]  # a store in which somebody is always faster
        def save(self, session: LivenessSession, expected_version: int) -> None:
            if session.state is S.AWAITING_RESULT:
                raise VersionConflictError("somebody was faster")
            super().save(session, expected_version)

    gate = make_gate(store=Store())
    session = start(gate)

    with pytest.raises(VersionConflictError):
        gate.finish(session.id, subject="alice")


def test_the_service_is_let_go_of_although_the_store_cannot_be_closed(
    make_gate: Callable[..., Door], store: MemoryStore, face: ScriptedFace
) -> None:
    # Given a store that cannot be closed at first
    class Store(type(store)):  # type: ignore[misc]  # as above
        broken = True

        def close(self) -> None:
            if self.broken:
                raise StoreError("the disk is gone")

    stuck = Store()
    gate = make_gate(store=stuck)

    # When the orchestrator is closed, then the caller is told, and the service is let go of
    with pytest.raises(StoreError):
        gate.close()
    assert face.calls == ["close"]
    stuck.broken = False


# --- logs --------------------------------------------------------------------------------------


def test_each_change_is_one_log_line_without_the_services_id(
    gate: Door, face: ScriptedFace, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    session = start(gate, reference_image=JPEG)
    face.outcome = PASSES
    gate.finish(session.id, subject="alice")

    lines = [record.getMessage() for record in caplog.records if record.name == "livegate.sessions"]
    assert len(lines) == 5
    assert lines[1] == f"session {session.id}: requested -> ready (created)"
    assert "remote-1" not in caplog.text
    assert "token-of" not in caplog.text
    assert "alice" not in caplog.text
