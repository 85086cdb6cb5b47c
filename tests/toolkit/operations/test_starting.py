"""Starting a session: what is stored when, what reaches the service, and what is rejected."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.operations.samples import ALICE, JPEG, RETRYABLE, S, start

from livegate import (
    AsyncOrchestrator,
    OperationMode,
    Orchestrator,
    Purpose,
    ReferenceImage,
    SessionKind,
    Settings,
    StartRequest,
    operations,
)
from livegate.errors import (
    ConfigurationError,
    FaceBadRequestError,
    FaceError,
    FaceUnavailableError,
    InvalidRequestError,
    ReferenceImageRejectedError,
    StoreError,
    SubjectRequiredError,
    VersionConflictError,
)
from livegate.protocols import EventRecord, FaceSession, FaceSessionRequest, Record, RecordQuery
from livegate.stores.memory import MemoryStore
from livegate.stores.threads import ThreadedStore
from livegate.testing import AsyncFakeFaceService, FakeFaceService, ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from orchestrators import EitherOrchestrator

# --- what is stored, and what reaches the service ----------------------------------------------


@pytest.mark.both_kinds
def test_a_start_gives_a_ready_session_and_its_token(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    started = orchestrator.start(ALICE)

    session = started.session
    assert started.auth_token == "token-of-remote-1"
    assert (session.state, session.remote, session.remote_id) == ("ready", "present", "remote-1")
    assert (session.subject, session.purpose, session.kind) == ("alice", "default", "liveness")
    assert (session.transaction, session.reference_source) == (None, None)
    assert (session.created_at, session.create_requested_at) == (clock(), None)
    assert orchestrator.get(session.id, subject="alice") == session
    assert face.calls == ["create"]


def test_the_settings_of_a_session_reach_the_service(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    settings = Settings(mode=OperationMode.PASSIVE, token_lifetime=120)
    orchestrator = make_orchestrator(settings=settings)

    session = start(orchestrator, correlation_id="device-7")

    request = face.requests[0]
    assert (request.kind, request.mode) == ("liveness", "Passive")
    assert (request.correlation_id, request.token_lifetime) == ("device-7", 120)
    assert face.versions == [session.api_version] == ["v1.2"]
    assert (session.mode, session.correlation_id) == ("Passive", "device-7")
    assert session.expires_at - session.created_at == timedelta(seconds=120)


def test_the_mode_of_the_purpose_goes_before_that_of_the_settings(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    purposes = [
        Purpose("default"),
        Purpose("quick", mode=OperationMode.PASSIVE),
        Purpose("slow", mode=OperationMode.PASSIVE_ACTIVE),
    ]
    settings = Settings(mode=OperationMode.PASSIVE)
    orchestrator = make_orchestrator(purposes=purposes, settings=settings)

    modes = [start(orchestrator, purpose=name).mode for name in ("default", "quick", "slow")]

    assert modes == ["Passive", "Passive", "PassiveActive"]
    assert [request.mode for request in face.requests] == modes


def test_times_are_in_utc_whatever_the_zone_of_the_clock(
    make_orchestrator: Callable[..., EitherOrchestrator],
) -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))

    session = start(make_orchestrator(clock=lambda: noon))

    assert session.created_at == noon
    assert session.created_at.tzinfo is session.expires_at.tzinfo is UTC


def test_ids_are_random_and_ours(orchestrator: EitherOrchestrator) -> None:
    sessions = [start(orchestrator) for _ in range(20)]

    assert len({session.id for session in sessions}) == 20
    assert len({session.correlation_id for session in sessions}) == 20
    assert not {each.id for each in sessions} & {each.correlation_id for each in sessions}
    assert all(len(session.id) == 32 for session in sessions)


def test_the_intent_is_stored_before_the_create_and_the_result_before_the_token(
    make_orchestrator: Callable[..., EitherOrchestrator], store: MemoryStore
) -> None:
    # Given a service that looks at the store while it creates a session
    seen: list[str] = []

    class Face(FakeFaceService):
        def create(self, request: FaceSessionRequest, api_version: str) -> FaceSession:
            seen.extend(each.state for each in store.find(RecordQuery("alice")))
            return super().create(request, api_version)

    # When a session is started
    session = start(make_orchestrator(face=Face()))

    # Then its intent was there, and when the token leaves, the service's result
    assert seen == ["requested"]
    record = store.get(session.id)
    assert record is not None
    assert record.state == "ready"


def test_the_expiry_counts_from_before_the_create(
    make_orchestrator: Callable[..., EitherOrchestrator], clock: ManualClock
) -> None:
    class SlowFace(FakeFaceService):
        def create(self, request: FaceSessionRequest, api_version: str) -> FaceSession:
            clock.advance(9)
            return super().create(request, api_version)

    began = clock()
    session = start(make_orchestrator(face=SlowFace()))

    assert session.expires_at == began + timedelta(seconds=600)
    assert session.updated_at == began + timedelta(seconds=9)


# --- requests that cannot be used --------------------------------------------------------------

NOT_A_STR: list[Any] = [1, b"bytes", ["list"], {}, True]
UNUSABLE: list[Any] = ["", "a\0b", "\ud800"]
WRONG: dict[str, tuple[type[Exception], str, list[Any]]] = {
    "no subject": (SubjectRequiredError, "subject", ["", None]),
    "subject of a wrong type": (TypeError, "subject", NOT_A_STR),
    "subject": (ValueError, "subject", ["a" * 256, "a\0b", "\ud800"]),
    "purpose of a wrong type": (TypeError, "purpose", [*NOT_A_STR, None]),
    "purpose": (InvalidRequestError, "purpose", ["", "nope"]),
    "transaction of a wrong type": (TypeError, "transaction", NOT_A_STR),
    "transaction": (InvalidRequestError, "transaction", [*UNUSABLE, "t" * 129]),
    "key of a wrong type": (TypeError, "idempotency_key", NOT_A_STR),
    "key": (InvalidRequestError, "idempotency_key", [*UNUSABLE, "k" * 256, "livegate-retry:x"]),
    "correlation_id of a wrong type": (TypeError, "correlation_id", NOT_A_STR),
    "correlation_id": (ValueError, "correlation_id", [*UNUSABLE, "c" * 65]),
    "image": (TypeError, "reference_image", [b"\xff\xd8", "x", ReferenceImage(bytearray(9))]),  # type: ignore[arg-type]
    "context": (TypeError, "context", [None, {}]),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_request_that_cannot_be_used_is_rejected_before_anything_happens(
    orchestrator: EitherOrchestrator, face: FakeFaceService, case: str
) -> None:
    error, name, values = WRONG[case]

    for value in values:
        with pytest.raises(error):
            start(orchestrator, **{name: value})

    assert face.calls == []
    assert orchestrator.find(subject="alice").sessions == ()


def test_a_subject_that_is_not_a_str_names_the_remedy(orchestrator: EitherOrchestrator) -> None:
    with pytest.raises(TypeError, match=r"return str\(user\.id\)"):
        start(orchestrator, subject=42)


def test_names_as_long_as_the_limits_can_be_used(orchestrator: EitherOrchestrator) -> None:
    long = "\N{GRINNING FACE}" * 255

    session = start(
        orchestrator,
        subject=long,
        idempotency_key=long,
        transaction=long[:128],
        correlation_id="c" * 64,
    )

    assert orchestrator.get(session.id, subject=long) == session


@pytest.mark.parametrize("wrong", [None, "alice", {"subject": "alice"}])
def test_a_start_takes_a_start_request(orchestrator: EitherOrchestrator, wrong: Any) -> None:
    with pytest.raises(TypeError, match="StartRequest"):
        orchestrator.start(wrong)


@pytest.mark.parametrize("session_id", ["short", "", 5, None, "ä" * 32, "\ud800" * 20, "x" * 65])
def test_an_id_that_could_not_be_found_again_starts_nothing(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService, session_id: Any
) -> None:
    orchestrator = make_orchestrator(new_id=lambda: session_id)

    with pytest.raises(ConfigurationError) as error:
        orchestrator.start(ALICE)
    assert str(error.value) == (
        "new_id has to return 16 to 64 letters, digits, '-' and '_'; a session with another id "
        "could not be found again."
    )
    assert face.calls == []


# --- failures of the service -------------------------------------------------------------------


@pytest.mark.parametrize("error", RETRYABLE, ids=lambda error: error.code)
def test_a_start_that_the_service_did_not_create_carries_on_with_its_key(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock, error: FaceError
) -> None:
    face.failures["create"] = error
    with pytest.raises(type(error)):
        start(orchestrator, idempotency_key="k")
    kept = orchestrator.find(subject="alice").sessions[0]
    assert (kept.state, kept.create_requested_at) == (S.REQUESTED, None)
    assert kept.expires_at == clock() + timedelta(seconds=600)

    del face.failures["create"]
    session = start(orchestrator, idempotency_key="k")

    assert (session.id, session.state) == (kept.id, "ready")


def test_a_start_that_the_service_rejects_for_good_has_failed(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    failure = FaceBadRequestError("bad mode", service_code="BadArgument")
    face.failures["create"] = failure

    with pytest.raises(FaceBadRequestError) as error:
        start(orchestrator)

    assert error.value is failure

    session = orchestrator.find(subject="alice").sessions[0]
    assert (session.state, session.reasons, session.remote) == ("failed", ("BadArgument",), "none")


@pytest.mark.parametrize("code", ["InvalidImage", "InvalidImageSize"])
def test_an_image_that_the_service_cannot_use_is_an_error_of_the_image(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService, code: str
) -> None:
    orchestrator = make_orchestrator(purposes=[Purpose("default", verify=True)])
    face.failures["create"] = FaceBadRequestError("no face", service_code=code)

    with pytest.raises(ReferenceImageRejectedError) as error:
        start(orchestrator, reference_image=JPEG)

    assert (error.value.code, error.value.field) == ("image_unusable", "referenceImage")
    assert orchestrator.find(subject="alice").sessions[0].reasons == (code,)


@pytest.mark.both_kinds
@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_session_that_the_service_created_too_late_is_deleted(
    orchestrator: EitherOrchestrator,
    face: FakeFaceService,
    caplog: pytest.LogCaptureFixture,
    is_deleted: bool,
) -> None:
    # Given a service whose response to the create was too late, and named what it created
    face.sessions.add("late-1")
    late = FaceUnavailableError("no response in time", orphan_id="late-1")
    face.failures["create"] = late
    if not is_deleted:
        face.failures["delete"] = FaceUnavailableError("no response")

    # When a session is started, then the late one is deleted, and the first error is raised
    with pytest.raises(FaceUnavailableError) as error:
        start(orchestrator, idempotency_key="k")
    assert error.value is late
    assert face.calls == ["create", "delete"]
    assert face.sessions == (set() if is_deleted else {"late-1"})
    (session,) = orchestrator.find(subject="alice").sessions
    message = f"session {session.id} left an unused session at the service"
    assert caplog.messages.count(message) == (not is_deleted)
    assert "late-1" not in caplog.text

    # And the start can be repeated
    face.failures.clear()
    assert start(orchestrator, idempotency_key="k").state is S.READY


@pytest.mark.parametrize("kind_of_session", list(SessionKind))
def test_what_the_service_created_in_vain_is_deleted_as_it_was_created(
    make_orchestrator: Callable[..., EitherOrchestrator], kind_of_session: SessionKind
) -> None:
    # Given a service that keeps sessions of two kinds and several versions apart
    class Face(FakeFaceService):
        def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
            deleted.append((kind, remote_id, api_version))

    deleted: list[tuple[SessionKind, str, str]] = []
    face = Face(api_version="v1.3-of-the-start")
    face.failures["create"] = FaceUnavailableError("no response in time", orphan_id="late-1")
    verify = kind_of_session is SessionKind.LIVENESS_WITH_VERIFY
    orchestrator = make_orchestrator(face=face, purposes=[Purpose("default", verify=verify)])

    # When its response to a create is too late, then the deletion has the same kind and version
    with pytest.raises(FaceUnavailableError):
        start(orchestrator, reference_image=JPEG if verify else None)
    assert deleted == [(kind_of_session, "late-1", "v1.3-of-the-start")]


# --- results that cannot be stored -------------------------------------------------------------


class UnreliableStore(MemoryStore):
    """Raises *failure* from each save of a session in the state *when*."""

    def __init__(self, failure: Exception, when: str) -> None:
        super().__init__()
        self.failure = failure
        self.when = when

    def save(
        self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
    ) -> None:
        if record.state == self.when:
            raise self.failure
        super().save(record, expected_version, events)


@pytest.mark.both_kinds
@pytest.mark.parametrize(
    "failure",
    [StoreError("disk full"), VersionConflictError("changed"), ConnectionResetError()],
    ids=lambda failure: type(failure).__name__,
)
@pytest.mark.parametrize("is_deleted", [True, False])
def test_a_result_that_cannot_be_stored_gives_no_token_and_deletes_the_remote_session(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    failure: Exception,
    is_deleted: bool,
) -> None:
    # Given a store that cannot keep the service's result, and perhaps a service that fails next
    orchestrator = make_orchestrator(store=UnreliableStore(failure, when="ready"))
    if not is_deleted:
        face.failures["delete"] = FaceUnavailableError("no response")

    # When a session is started, then the store's error is raised, also when the clean-up fails
    with pytest.raises(type(failure)) as error:
        start(orchestrator)
    assert error.value is failure
    assert face.calls == ["create", "delete"]
    assert face.sessions == (set() if is_deleted else {"remote-1"})


@pytest.mark.both_kinds
def test_a_failure_of_the_service_is_raised_although_it_cannot_be_stored(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given a service that fails, and then a store that fails
    store = UnreliableStore(StoreError("disk full"), when="requested")
    orchestrator = make_orchestrator(store=store)
    face.failures["create"] = FaceUnavailableError("no response")

    # When a session is started, then the first of both errors is raised, the other is logged
    with pytest.raises(FaceUnavailableError):
        start(orchestrator, idempotency_key="k")
    (session,) = orchestrator.find(subject="alice").sessions
    assert f"session {session.id}: its failed start is not recorded: disk full" in caplog.messages

    # And the start can be repeated once it counts as dead
    store.when = ""
    face.failures.clear()
    clock.advance(30)
    assert start(orchestrator, idempotency_key="k").state is S.READY


def test_a_session_that_was_cancelled_during_its_create_gives_no_token(
    make_orchestrator: Callable[..., EitherOrchestrator], store: MemoryStore, clock: ManualClock
) -> None:
    # Given a start that another process cancels while the service works on it
    other = Orchestrator(Settings(), face=FakeFaceService(), store=store, clock=clock)

    class Face(FakeFaceService):
        def create(self, request: FaceSessionRequest, api_version: str) -> FaceSession:
            (record,) = store.find(RecordQuery("alice"))
            other.cancel(record.id, subject="alice")
            return super().create(request, api_version)

    face = Face()
    orchestrator = make_orchestrator(face=face)

    # When the service has created it, then it is deleted, and no token leaves
    with pytest.raises(VersionConflictError):
        start(orchestrator)
    assert face.sessions == set()
    assert orchestrator.find(subject="alice").sessions[0].state is S.CANCELLED


# --- callers that do not wait any more ---------------------------------------------------------


class WaitingStore(ThreadedStore):
    """An async store in which a save of a ready session never returns."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.waits = asyncio.Event()

    async def save(
        self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
    ) -> None:
        self.waits.set()
        await asyncio.Event().wait()


def test_a_caller_that_is_cancelled_before_the_result_is_stored_leaves_no_remote_session(
    face: FakeFaceService, store: MemoryStore
) -> None:
    async def run() -> None:
        waiting = WaitingStore(store)
        orchestrator = AsyncOrchestrator(Settings(), face=AsyncFakeFaceService(face), store=waiting)
        starting = asyncio.create_task(orchestrator.start(ALICE))
        await waiting.waits.wait()
        assert face.sessions == {"remote-1"}
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting

    asyncio.run(run())
    assert face.sessions == set()


class Suspended:
    """An awaitable that suspends once."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def test_a_start_that_is_closed_while_it_stores_the_result_waits_for_nothing_more(
    store: MemoryStore,
) -> None:
    # Given an operation that waits for its store, in a loop that is gone
    class Store(ThreadedStore):
        async def get_by_idempotency_key(self, subject: str, key: str) -> Record | None:
            return store.get_by_idempotency_key(subject, key)

        async def insert(self, record: Record, events: Sequence[EventRecord] = ()) -> None:
            store.insert(record, events)

        async def save(
            self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
        ) -> None:
            await Suspended()

    class Face(AsyncFakeFaceService):
        async def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
            await Suspended()

    runtime = AsyncOrchestrator(Settings(), face=Face(), store=Store(store)).runtime
    operation = operations.start(runtime, StartRequest("alice"))
    operation.send(None)

    # When it is closed, then it ends: an await would be a RuntimeError
    operation.close()
