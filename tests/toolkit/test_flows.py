"""The verbs, in both colours: starting, finishing, ending, and whose session it is."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from livegate import (
    Outcome,
    ReferenceImage,
    RemoteState,
    SessionKind,
    SessionState,
    Settings,
    StartRequest,
    hookimpl,
)
from livegate.errors import (
    ConfigurationError,
    FaceAccessError,
    FaceAnswerError,
    FaceError,
    FaceRefusedError,
    FaceSessionNotFoundError,
    FaceThrottledError,
    FaceUnavailableError,
    IdempotencyError,
    InvalidRequestError,
    ReferenceImageRefusedError,
    SessionNotFoundError,
    StoreError,
    SubjectRequiredError,
    TransitionError,
    VersionConflictError,
)
from livegate.session import Attempt, AttemptStatus, OutcomeStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from doors import Door
    from livegate import LivenessSession
    from livegate.stores.memory import MemoryStore
    from livegate.testing.doubles import ManualClock, ScriptedFace

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


def start(gate: Door, **changes: Any) -> LivenessSession:
    return gate.start(replace(ALICE, **changes)).session


# --- start --------------------------------------------------------------------------------------


def test_a_start_gives_a_ready_session_and_its_token(gate: Door, face: ScriptedFace) -> None:
    started = gate.start(StartRequest("alice", purpose="login"))

    session = started.session
    assert started.auth_token == "token-of-remote-1"
    assert (session.state, session.remote, session.remote_id) == ("ready", "present", "remote-1")
    assert (session.subject, session.purpose, session.kind) == ("alice", "login", "liveness")
    assert (session.expires_at - session.created_at).total_seconds() == 600
    assert gate.get(session.id, subject="alice") == session
    assert face.requests[0].token_lifetime == 600


def test_a_reference_image_makes_it_a_verification(gate: Door, face: ScriptedFace) -> None:
    session = start(gate, reference_image=JPEG)

    assert session.kind is SessionKind.LIVENESS_WITH_VERIFY
    assert session.reference_sha256 == JPEG.sha256
    assert face.requests[0].reference_image == JPEG


def test_ids_are_random_and_ours(gate: Door) -> None:
    sessions = [start(gate) for _ in range(20)]

    assert len({session.id for session in sessions}) == 20
    assert len({session.correlation_id for session in sessions}) == 20
    assert all(len(session.id) == 32 and session.remote_id != session.id for session in sessions)


def test_the_intent_is_stored_before_the_service_is_asked_and_its_answer_before_the_token(
    make_gate: Callable[..., Door], face: ScriptedFace, store: MemoryStore
) -> None:
    seen: list[tuple[str, str]] = []

    class Face(type(face)):  # type: ignore[misc]  # a scripted face that looks at the store
        def create(self, request: Any) -> Any:
            seen.extend(("asked", each.state) for each in store.find(everything()).sessions)
            return super().create(request)

    gate = make_gate(face=Face())
    gate.start(ALICE)
    seen.extend(("answered", each.state) for each in store.find(everything()).sessions)

    assert seen == [("asked", "requested"), ("answered", "ready")]


def everything() -> Any:
    from livegate.stores.base import SessionQuery

    return SessionQuery()


@pytest.mark.parametrize(
    ("wrong", "error", "field"),
    [
        ({"subject": ""}, SubjectRequiredError, None),
        ({"subject": None}, SubjectRequiredError, None),
        ({"subject": 42}, InvalidRequestError, "subject"),
        ({"subject": "a" * 256}, InvalidRequestError, "subject"),
        ({"subject": "\ud800"}, InvalidRequestError, "subject"),
        ({"purpose": ""}, InvalidRequestError, "purpose"),
        ({"purpose": None}, InvalidRequestError, "purpose"),
        ({"correlation_id": "c" * 65}, InvalidRequestError, "correlationId"),
        ({"idempotency_key": ""}, InvalidRequestError, "Idempotency-Key"),
        ({"idempotency_key": b"k"}, InvalidRequestError, "Idempotency-Key"),
        ({"mode": "passive"}, InvalidRequestError, "mode"),
        ({"reference_image": JPEG.content}, InvalidRequestError, "referenceImage"),
    ],
)
def test_a_request_that_nobody_could_serve_is_refused_before_anything_happens(
    gate: Door, face: ScriptedFace, wrong: Any, error: type[Exception], field: str
) -> None:
    with pytest.raises(error) as raised:
        start(gate, **wrong)

    assert getattr(raised.value, "field", None) == field
    assert face.calls == []


PICTURES: list[Any] = ["text", None, bytearray(9)]
OF_ANOTHER_KIND: dict[str, tuple[list[Any], str]] = {
    "subject": (ODD, "subject"),
    "purpose": ([*ODD, None], "purpose"),
    "mode": ([*ODD, "passive"], "mode"),
    "correlation_id": (ODD, "correlationId"),
    "idempotency_key": (ODD, "Idempotency-Key"),
    "reference_image": ([*ODD, *map(ReferenceImage, PICTURES)], "referenceImage"),
}


@pytest.mark.parametrize("name", OF_ANOTHER_KIND)
def test_a_part_of_another_kind_is_refused_before_anything_happens(
    gate: Door, face: ScriptedFace, name: str
) -> None:
    values, field = OF_ANOTHER_KIND[name]
    for value in values:
        with pytest.raises(InvalidRequestError) as raised:
            start(gate, **{name: value})
        assert raised.value.field == field
    assert face.calls == []


RETRYABLE = [
    FaceUnavailableError("no answer"),
    FaceThrottledError("slow down", retry_after=26),
    FaceAccessError("wrong key", service_status=401),
    FaceAnswerError("garbage"),
]


@pytest.mark.parametrize("error", RETRYABLE, ids=lambda error: error.code)
def test_when_the_service_fails_the_same_key_carries_on_with_the_same_session(
    gate: Door, face: ScriptedFace, error: FaceError
) -> None:
    face.failures["create"] = error
    with pytest.raises(type(error)):
        start(gate, idempotency_key="k")
    kept = gate.find(subject="alice").sessions[0]
    assert kept.state is S.REQUESTED

    del face.failures["create"]
    session = start(gate, idempotency_key="k")

    assert (session.id, session.state) == (kept.id, "ready")


def test_a_request_that_the_service_refuses_for_good_fails_the_session(
    gate: Door, face: ScriptedFace
) -> None:
    face.failures["create"] = FaceRefusedError("bad mode", service_code="BadArgument")

    with pytest.raises(FaceRefusedError):
        start(gate)

    session = gate.find(subject="alice").sessions[0]
    assert (session.state, session.reasons) == ("failed", ("BadArgument",))


def test_an_image_that_the_service_cannot_use_is_the_callers_to_mend(
    gate: Door, face: ScriptedFace
) -> None:
    face.failures["create"] = FaceRefusedError("no face", service_code="InvalidImage")

    with pytest.raises(ReferenceImageRefusedError) as error:
        start(gate, reference_image=JPEG)

    assert (error.value.code, error.value.field) == ("image_unusable", "referenceImage")
    assert gate.find(subject="alice").sessions[0].reasons == ("InvalidImage",)


def test_if_the_answer_cannot_be_stored_no_token_leaves_and_the_remote_session_goes(
    make_gate: Callable[..., Door], face: ScriptedFace, store: MemoryStore
) -> None:
    class Store(type(store)):  # type: ignore[misc]  # a store that cannot write a second time
        def save(self, session: LivenessSession, expected_version: int) -> None:
            raise StoreError("disk full")

    gate = make_gate(store=Store())

    with pytest.raises(StoreError):
        gate.start(ALICE)
    assert face.sessions == set()


def test_if_a_store_breaks_its_word_the_remote_session_goes_too(
    make_gate: Callable[..., Door], face: ScriptedFace, store: MemoryStore
) -> None:
    class Store(type(store)):  # type: ignore[misc]  # lets its driver's error out
        def save(self, session: LivenessSession, expected_version: int) -> None:
            raise ConnectionResetError

    gate = make_gate(store=Store())

    with pytest.raises(ConnectionResetError):
        gate.start(ALICE)
    assert face.sessions == set()


def test_if_the_caller_gives_up_before_the_answer_is_stored_the_remote_session_goes(
    face: ScriptedFace,
) -> None:
    from livegate import AsyncOrchestrator
    from livegate.stores.memory import MemoryStore
    from livegate.stores.threads import ThreadedStore
    from livegate.testing.doubles import AsyncScriptedFace

    async def give_up() -> None:
        saving = asyncio.Event()

        class Store(ThreadedStore):
            async def save(self, session: LivenessSession, expected_version: int) -> None:
                saving.set()
                await asyncio.Event().wait()

        gate = AsyncOrchestrator(
            Settings(), face=AsyncScriptedFace(face), store=Store(MemoryStore())
        )
        starting = asyncio.create_task(gate.start(ALICE))
        await saving.wait()
        assert face.sessions == {"remote-1"}
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(give_up())

    assert face.sessions == set()


def test_a_store_may_mix_its_colours(face: ScriptedFace) -> None:
    from livegate import AsyncOrchestrator
    from livegate.stores.memory import MemoryStore
    from livegate.testing.doubles import AsyncScriptedFace

    class Mixed(MemoryStore):
        async def save(self, session: LivenessSession, expected_version: int) -> None:  # type: ignore[override]
            super().save(session, expected_version)

    mixed: Any = Mixed()

    async def run() -> None:
        gate = AsyncOrchestrator(Settings(), face=AsyncScriptedFace(face), store=mixed)
        session = (await gate.start(ALICE)).session
        assert await gate.get(session.id, subject="alice") == session

    asyncio.run(run())


# --- what an orchestrator is made of -------------------------------------------------------------


def naive() -> datetime:
    return datetime(2026, 1, 1)  # noqa: DTZ001 - the mistake itself


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"clock": naive}, "clock.*time zone"),
        ({"clock": lambda: 1}, "clock.*time zone"),
        ({"clock": naive()}, "clock.*time zone"),
        ({"settings": {}}, "settings has to be a Settings"),
        ({"store": dict}, "dict is a class"),
    ],
)
def test_a_part_that_does_not_fit_is_named_at_the_start(
    face: ScriptedFace, part: dict[str, Any], says: str
) -> None:
    from livegate import AsyncOrchestrator, Orchestrator
    from livegate.testing.doubles import AsyncScriptedFace

    parts: dict[str, Any] = {"settings": Settings(store="memory://"), **part}
    with pytest.raises(ConfigurationError, match=says):
        Orchestrator(face=face, **parts)
    with pytest.raises(ConfigurationError, match=says):
        AsyncOrchestrator(face=AsyncScriptedFace(face), **parts)


def test_a_face_that_does_not_fit_is_told_at_the_start(face: ScriptedFace) -> None:
    from livegate import AsyncOrchestrator, Orchestrator
    from livegate.testing.doubles import AsyncScriptedFace

    settings = Settings(store="memory://")
    nothing: Any = object()
    sync_one: Any = face
    async_one: Any = AsyncScriptedFace(face)

    with pytest.raises(ConfigurationError, match=r"object cannot be a face service.*create"):
        Orchestrator(settings, face=nothing)
    with pytest.raises(ConfigurationError, match="AsyncScriptedFace is an async face service"):
        Orchestrator(settings, face=async_one)
    with pytest.raises(ConfigurationError, match="ScriptedFace is a sync face service"):
        AsyncOrchestrator(settings, face=sync_one)


@pytest.mark.parametrize("session_id", ["short", "", 5, None, "\ud800" * 20, "x" * 65])
def test_an_id_that_nobody_could_ask_for_starts_nothing(
    face: ScriptedFace, session_id: Any
) -> None:
    from livegate import Orchestrator

    gate = Orchestrator(Settings(store="memory://"), face=face, new_id=lambda: session_id)

    with pytest.raises(ConfigurationError, match="new_id"):
        gate.start(ALICE)
    assert face.calls == []


# --- idempotency --------------------------------------------------------------------------------


def test_a_known_key_never_makes_a_second_session(gate: Door, face: ScriptedFace) -> None:
    session = start(gate, idempotency_key="k")

    with pytest.raises(IdempotencyError) as again:
        start(gate, idempotency_key="k")
    with pytest.raises(IdempotencyError) as other:
        start(gate, idempotency_key="k", purpose="payment")

    assert (again.value.code, again.value.status) == ("token_already_issued", 409)
    assert session.id in str(again.value)
    assert (other.value.code, other.value.status) == ("idempotency_key_reused", 422)
    assert face.calls == ["create"]


def test_keys_of_two_subjects_never_meet(gate: Door) -> None:
    assert start(gate, idempotency_key="k").id != start(gate, subject="bob", idempotency_key="k").id


def test_a_key_whose_start_died_can_be_used_again_after_a_while(
    gate: Door, face: ScriptedFace, clock: ManualClock
) -> None:
    face.failures["create"] = KeyError("the process dies here")
    with pytest.raises(KeyError):
        start(gate, idempotency_key="k")
    del face.failures["create"]

    with pytest.raises(IdempotencyError) as early:
        start(gate, idempotency_key="k")
    clock.advance(120)
    session = start(gate, idempotency_key="k")

    assert (early.value.code, early.value.retry_after) == ("start_in_progress", 1)
    assert session.state is S.READY
    assert len(gate.find(subject="alice").sessions) == 1


# --- finish ------------------------------------------------------------------------------------


def test_a_finish_reads_the_verdict_and_then_deletes_the_remote_session(
    gate: Door, face: ScriptedFace
) -> None:
    session = start(gate)
    face.outcome = PASSES

    done = gate.finish(session.id, subject="alice", digest=DIGEST)

    assert (done.state, done.remote, done.attempts) == ("passed", "deleted", (REAL,))
    assert face.calls == ["create", "read", "delete"]
    assert face.sessions == set()
    assert gate.get(session.id, subject="alice") == done


def test_a_finish_before_the_result_waits_for_it(gate: Door, face: ScriptedFace) -> None:
    session = start(gate)
    face.outcome = RUNS

    waiting = gate.finish(session.id, subject="alice", digest=DIGEST)
    face.outcome = PASSES
    done = gate.read_result(session.id, subject="alice")

    assert waiting.state is S.AWAITING_RESULT
    assert done.state is S.PASSED


def test_a_second_finish_changes_nothing(gate: Door, face: ScriptedFace) -> None:
    session = start(gate)
    face.outcome = PASSES
    done = gate.finish(session.id, subject="alice")

    again = gate.finish(session.id, subject="alice", digest="AB", client_error="TimedOut")

    assert again == done


def test_a_wrong_digest_is_not_forgotten_by_a_right_one(gate: Door, face: ScriptedFace) -> None:
    session = start(gate)
    face.outcome = RUNS
    gate.finish(session.id, subject="alice", digest="AB")
    face.outcome = PASSES

    done = gate.finish(session.id, subject="alice", digest=DIGEST)

    assert (done.state, done.reasons) == ("rejected", ("digest_differs",))


@pytest.mark.parametrize("early", [True, False])
def test_an_error_of_the_client_ends_inconclusive_whenever_the_result_comes(
    gate: Door, face: ScriptedFace, early: bool
) -> None:
    session = start(gate)
    face.outcome = Outcome(OutcomeStatus.NOT_STARTED) if early else PASSES

    done = gate.finish(session.id, subject="alice", client_error="CameraPermissionDenied")

    assert (done.state, done.reasons) == ("inconclusive", ("CameraPermissionDenied",))


@pytest.mark.parametrize("error", RETRYABLE, ids=lambda error: error.code)
def test_when_the_service_does_not_say_the_state_is_kept_and_a_later_try_succeeds(
    gate: Door, face: ScriptedFace, error: FaceError
) -> None:
    session = start(gate)
    face.failures["read"] = error

    with pytest.raises(type(error)):
        gate.finish(session.id, subject="alice", digest=DIGEST)
    kept = gate.get(session.id, subject="alice")
    assert (kept.state, kept.client_digests) == ("awaiting_result", (DIGEST,))

    del face.failures["read"]
    face.outcome = PASSES
    assert gate.finish(session.id, subject="alice").state is S.PASSED


def test_reading_shows_that_the_client_has_begun(gate: Door, face: ScriptedFace) -> None:
    session = start(gate)
    face.outcome = RUNS

    assert gate.read_result(session.id, subject="alice").state is S.STARTED
    assert gate.read_result(session.id, subject="alice").state is S.STARTED


def test_a_failed_attempt_concludes_nothing_as_long_as_the_client_may_try_again(
    gate: Door, face: ScriptedFace
) -> None:
    session = start(gate)
    face.outcome = Outcome(OutcomeStatus.RUNNING, (MASK,))

    assert gate.read_result(session.id, subject="alice").state is S.STARTED
    assert gate.finish(session.id, subject="alice").state is S.INCONCLUSIVE


def test_a_session_that_was_never_created_cannot_be_finished(
    gate: Door, face: ScriptedFace
) -> None:
    face.failures["create"] = FaceUnavailableError("no answer")
    with pytest.raises(FaceUnavailableError):
        start(gate)
    session = gate.find(subject="alice").sessions[0]

    for verb in ("finish", "read_result"):
        with pytest.raises(TransitionError) as error:
            getattr(gate, verb)(session.id, subject="alice")
        assert error.value.code == "not_ready"


# --- time --------------------------------------------------------------------------------------


def test_past_its_lifetime_a_session_without_an_attempt_expires(
    gate: Door, face: ScriptedFace, clock: ManualClock
) -> None:
    session = start(gate)
    clock.advance(600)

    done = gate.finish(session.id, subject="alice")

    assert (done.state, done.remote) == ("expired", "deleted")


def test_a_session_that_the_service_ended_without_an_attempt_expires(
    gate: Door, face: ScriptedFace
) -> None:
    session = start(gate)
    face.outcome = Outcome(OutcomeStatus.ENDED)

    assert gate.finish(session.id, subject="alice").state is S.EXPIRED


def test_a_result_still_counts_within_the_grace_and_not_after_it(
    gate: Door, face: ScriptedFace, clock: ManualClock
) -> None:
    in_time, late = start(gate), start(gate)
    face.outcome = PASSES
    clock.advance(600 + 599)
    assert gate.finish(in_time.id, subject="alice").state is S.PASSED
    clock.advance(1)

    reads = face.calls.count("read")
    assert gate.finish(late.id, subject="alice").state is S.EXPIRED
    assert face.calls.count("read") == reads


def test_an_attempt_under_way_is_waited_for_past_the_lifetime(
    gate: Door, face: ScriptedFace, clock: ManualClock
) -> None:
    session = start(gate)
    face.outcome = RUNS
    clock.advance(601)

    assert gate.expire(session.id, subject="alice").state is S.STARTED
    clock.advance(600)
    assert gate.expire(session.id, subject="alice").state is S.EXPIRED


def test_expire_leaves_a_session_alone_whose_time_is_not_over(
    gate: Door, face: ScriptedFace
) -> None:
    session = start(gate)

    assert gate.expire(session.id, subject="alice") == session
    assert face.calls == ["create"]


def test_a_session_that_the_service_forgot_expires(gate: Door, face: ScriptedFace) -> None:
    session = start(gate)
    face.failures["read"] = FaceSessionNotFoundError("gone")

    done = gate.finish(session.id, subject="alice")

    assert (done.state, done.remote) == ("expired", "deleted")
    assert "delete" not in face.calls


def test_refresh_does_only_what_is_due(gate: Door, face: ScriptedFace, clock: ManualClock) -> None:
    session = start(gate)
    assert gate.refresh(session.id, subject="alice") == session
    assert face.calls == ["create"]

    face.outcome = RUNS
    gate.finish(session.id, subject="alice")
    face.outcome = PASSES
    assert gate.refresh(session.id, subject="alice").state is S.PASSED


# --- cancel and deletion -----------------------------------------------------------------------


def test_a_cancel_ends_the_session_here_and_at_the_service_and_again_does_nothing(
    gate: Door, face: ScriptedFace
) -> None:
    session = start(gate)

    first = gate.cancel(session.id, subject="alice")
    second = gate.cancel(session.id, subject="alice")

    assert (first.state, first.remote) == ("cancelled", "deleted")
    assert second == first
    assert face.sessions == set()


def test_a_cancel_never_takes_a_verdict_away(gate: Door, face: ScriptedFace) -> None:
    session = start(gate)
    face.outcome = PASSES
    gate.finish(session.id, subject="alice")

    assert gate.cancel(session.id, subject="alice").state is S.PASSED


def test_a_deletion_that_fails_does_not_fail_the_verdict_and_is_tried_again(
    gate: Door, face: ScriptedFace, clock: ManualClock
) -> None:
    session = start(gate)
    face.outcome = PASSES
    face.failures["delete"] = FaceUnavailableError("no answer")

    done = gate.finish(session.id, subject="alice")
    assert (done.state, done.remote, done.remote_tries) == ("passed", "deleting", 1)
    assert gate.sweep().due == 0

    clock.advance(30)
    assert gate.sweep().failed == 1
    clock.advance(60)
    del face.failures["delete"]
    assert gate.sweep().deleted == 1
    assert gate.get(session.id, subject="alice").remote is RemoteState.DELETED
    assert face.sessions == set()


def test_a_deletion_can_be_asked_for(gate: Door, face: ScriptedFace, clock: ManualClock) -> None:
    session = start(gate)
    face.failures["delete"] = FaceUnavailableError("no answer")
    gate.cancel(session.id, subject="alice")
    del face.failures["delete"]

    assert gate.delete_remote(session.id, subject="alice").remote is RemoteState.DELETING
    clock.advance(30)
    assert gate.delete_remote(session.id, subject="alice").remote is RemoteState.DELETED


# --- sweep -------------------------------------------------------------------------------------


def test_a_sweep_finds_what_nobody_calls_for(
    gate: Door, face: ScriptedFace, clock: ManualClock
) -> None:
    abandoned, waiting = start(gate), start(gate)
    face.outcome = RUNS
    gate.finish(waiting.id, subject="alice")
    face.failures["create"] = FaceUnavailableError("no answer")
    with pytest.raises(FaceUnavailableError):
        start(gate)
    face.outcome = PASSES

    clock.advance(60)
    first = gate.sweep()
    assert gate.get(waiting.id, subject="alice").state is S.PASSED
    face.outcome = Outcome(OutcomeStatus.NOT_STARTED)
    clock.advance(600)
    second = gate.sweep()

    assert (first.due, first.settled) == (1, 1)
    assert (second.due, second.settled, second.deleted) == (2, 2, 1)
    assert gate.get(abandoned.id, subject="alice").state is S.EXPIRED
    assert face.sessions == set()


def test_a_sweep_goes_on_when_one_session_fails(
    gate: Door, face: ScriptedFace, clock: ManualClock
) -> None:
    sessions = [start(gate), start(gate)]
    clock.advance(600)
    face.failures["read"] = FaceUnavailableError("no answer")

    assert gate.sweep().failed == 2
    del face.failures["read"]
    clock.advance(60)
    assert gate.sweep().settled == 2
    assert {gate.get(each.id, subject="alice").state for each in sessions} == {S.EXPIRED}


def test_a_sweep_goes_on_when_a_program_fails(
    make_gate: Callable[..., Door],
    face: ScriptedFace,
    clock: ManualClock,
    store: MemoryStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    poisoned: list[str] = []

    class Store(type(store)):  # type: ignore[misc]  # fails for one session, and not as a store does
        def save(self, session: LivenessSession, expected_version: int) -> None:
            if session.id in poisoned:
                raise KeyError("a mistake in the store")
            super().save(session, expected_version)

    gate = make_gate(store=Store())
    poisoned.append(start(gate).id)
    other = start(gate)
    clock.advance(600)

    swept = gate.sweep()

    assert (swept.due, swept.settled, swept.failed) == (2, 1, 1)
    assert gate.get(other.id, subject="alice").state is S.EXPIRED
    assert "a mistake in the store" in caplog.text


@pytest.mark.parametrize("limit", [0, -1, None, "5", 1.5, True, 10**30])
def test_a_sweep_of_no_number_is_refused(gate: Door, limit: Any) -> None:
    with pytest.raises(InvalidRequestError) as error:
        gate.sweep(limit)
    assert error.value.field == "limit"


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
