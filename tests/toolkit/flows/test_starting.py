"""Starting, in both colours: what is stored when, what is refused, and keys that are used again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from livegate import (
    ReferenceImage,
    SessionKind,
    Settings,
    StartRequest,
)
from livegate.errors import (
    FaceError,
    FaceRefusedError,
    IdempotencyError,
    InvalidRequestError,
    ReferenceImageRefusedError,
    StoreError,
    SubjectRequiredError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from doors import Door
    from livegate import LivenessSession
    from livegate.stores.memory import MemoryStore
    from livegate.testing.doubles import ManualClock, ScriptedFace


from tests.toolkit.flows.samples import ALICE, JPEG, ODD, RETRYABLE, S, start

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
