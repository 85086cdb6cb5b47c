"""Everything that is kept of a subject: handed out whole, and erased at the service first."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.operations.samples import ALICE, S, passed, start

from livegate import Attempt, LivenessSession, Orchestrator, Settings
from livegate._record import to_record, to_session
from livegate._sync import run_sync
from livegate.errors import (
    FaceUnavailableError,
    StoreCorruptError,
    SubjectRequiredError,
    VersionConflictError,
)
from livegate.lifecycle import Created
from livegate.protocols import FaceSession, FaceSessionRequest, Record, RecordQuery
from livegate.stores.memory import MemoryStore
from livegate.testing import FakeFaceService

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate import SessionKind
    from livegate.testing import ManualClock
    from orchestrators import EitherOrchestrator


def everything(store: MemoryStore, subject: str = "alice") -> list[LivenessSession]:
    return [to_session(record) for record in store.find(RecordQuery(subject, limit=100))]


# --- export --------------------------------------------------------------------------------------


@pytest.mark.both_kinds
def test_an_export_holds_every_field_of_every_session_in_the_types_of_json(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    done = passed(orchestrator, face, transaction="payout 7", idempotency_key="k")
    clock.advance(1)
    ready = start(orchestrator)
    start(orchestrator, subject="bob")

    exported = orchestrator.export("alice")

    assert json.loads(json.dumps(exported)) == exported
    assert [each["id"] for each in exported] == [ready.id, done.id]
    assert all(each.keys() == {each.name for each in fields(LivenessSession)} for each in exported)
    session, attempt = exported[1], exported[1]["attempts"][0]
    assert attempt.keys() == {each.name for each in fields(Attempt)}
    assert session["created_at"] == done.created_at.isoformat()
    assert (session["subject"], session["transaction"]) == ("alice", "payout 7")
    assert (session["state"], session["remote"]) == ("passed", "deleted")
    assert (attempt["digest"], attempt["is_identical"]) == (done.attempts[0].digest, True)
    assert session["client_digests"] == list(done.client_digests)


def test_an_export_keeps_fields_of_a_later_version(
    orchestrator: EitherOrchestrator, store: MemoryStore
) -> None:
    session = start(orchestrator)
    later = replace(session, version=session.version + 1, unknown={"colour_of_eyes": ["green"]})
    store.save(to_record(later, orchestrator.runtime.timing), session.version)

    assert orchestrator.export("alice")[0]["unknown"] == {"colour_of_eyes": ["green"]}


@pytest.mark.parametrize("count", [99, 100, 101, 200])
def test_an_export_holds_all_sessions_however_many_and_reads_them_in_pages(
    make_orchestrator: Callable[..., EitherOrchestrator], count: int
) -> None:
    class Store(MemoryStore):
        def find(self, query: RecordQuery) -> tuple[Record, ...]:
            found = super().find(query)
            pages.append(len(found))
            return found

    pages: list[int] = []
    store = Store()
    orchestrator = make_orchestrator(store=store)
    session = start(orchestrator)
    for number in range(1, count):
        created_at = session.created_at + timedelta(seconds=number)
        another = replace(session, id=f"{number:032}", created_at=created_at)
        store.insert(to_record(another, orchestrator.runtime.timing))

    exported = [each["id"] for each in orchestrator.export("alice")]
    assert (len(exported), len(set(exported))) == (count, count)
    assert max(pages) <= 100


@pytest.mark.parametrize("method", ["export", "erase"])
def test_a_subject_is_needed_and_is_a_str(orchestrator: EitherOrchestrator, method: str) -> None:
    wrong: list[tuple[Any, type[Exception]]] = [
        (None, SubjectRequiredError),
        ("", SubjectRequiredError),
        (7, TypeError),
        ("a" * 256, ValueError),
    ]
    for subject, error in wrong:
        with pytest.raises(error):
            getattr(orchestrator, method)(subject)


# --- erase ---------------------------------------------------------------------------------------


@pytest.mark.both_kinds
def test_an_erasure_deletes_at_the_service_and_then_removes_every_record(
    orchestrator: EitherOrchestrator, face: FakeFaceService, store: MemoryStore, clock: ManualClock
) -> None:
    open_one, done = start(orchestrator), passed(orchestrator, face)
    other = start(orchestrator, subject="bob")

    receipt = orchestrator.erase("alice")

    assert set(receipt.sessions) == {open_one.id, done.id}
    assert (receipt.remote_pending, receipt.erased_at) == ((), clock())
    assert everything(store) == []
    assert face.sessions == {other.remote_id}
    assert orchestrator.get(other.id, subject="bob") == other


def test_an_erasure_that_is_repeated_has_nothing_to_do(
    orchestrator: EitherOrchestrator, clock: ManualClock
) -> None:
    start(orchestrator)
    orchestrator.erase("alice")

    again = orchestrator.erase("alice")

    assert (again.sessions, again.remote_pending, again.erased_at) == ((), (), clock())


@pytest.mark.both_kinds
def test_an_erasure_waits_for_the_service_and_the_worker_completes_it(
    orchestrator: EitherOrchestrator, face: FakeFaceService, store: MemoryStore, clock: ManualClock
) -> None:
    # Given a service that does not delete
    session, done = start(orchestrator), passed(orchestrator, face)
    face.failures["delete"] = FaceUnavailableError("no response")

    # When the subject is erased, then the receipt says what is pending, and nothing is open
    receipt = orchestrator.erase("alice")
    assert set(receipt.sessions) == {session.id, done.id}
    assert (receipt.remote_pending, receipt.erased_at) == ((session.id,), None)
    kept = {each.id: each for each in everything(store)}
    assert kept[session.id].state is S.CANCELLED
    assert kept[session.id].erase_requested_at == clock()
    assert kept[done.id] == done

    # And when the service responds again, the worker completes it
    face.failures.clear()
    clock.advance(30)
    orchestrator.sweep()
    assert everything(store) == []
    assert face.sessions == set()


def test_an_erasure_that_waits_can_be_repeated(
    orchestrator: EitherOrchestrator, face: FakeFaceService, store: MemoryStore, clock: ManualClock
) -> None:
    session = start(orchestrator)
    face.failures["delete"] = FaceUnavailableError("no response")
    orchestrator.erase("alice")
    face.failures.clear()

    assert orchestrator.erase("alice").remote_pending == (session.id,)
    clock.advance(30)
    receipt = orchestrator.erase("alice")

    assert (receipt.sessions, receipt.erased_at) == ((session.id,), clock())
    assert everything(store) == []
    assert face.sessions == set()


def test_an_erasure_ends_a_start_that_is_under_way(
    make_orchestrator: Callable[..., EitherOrchestrator], store: MemoryStore, clock: ManualClock
) -> None:
    # Given a subject that is erased while the service creates a session for it
    class Face(FakeFaceService):
        def create(self, request: FaceSessionRequest, api_version: str) -> FaceSession:
            receipts.append(other.erase("alice"))
            return super().create(request, api_version)

    receipts: list[Any] = []
    face = Face()
    other = Orchestrator(Settings(), face=face, store=store, clock=clock)
    orchestrator = make_orchestrator(face=face)

    # When the service has created it, then it is deleted, and no token leaves
    with pytest.raises(VersionConflictError):
        start(orchestrator)
    assert receipts[0].erased_at == clock()
    assert everything(store) == []
    assert face.sessions == set()


def test_a_session_that_is_started_during_an_erasure_is_erased_too(
    make_orchestrator: Callable[..., EitherOrchestrator], store: MemoryStore, clock: ManualClock
) -> None:
    # Given a session that is started while the service deletes another one
    class Face(FakeFaceService):
        def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
            if len(self.requests) == 1:
                other.start(ALICE)
            super().delete(kind, remote_id, api_version)

    face = Face()
    other = Orchestrator(Settings(), face=face, store=store, clock=clock)
    orchestrator = make_orchestrator(face=face)
    start(orchestrator)

    # When the subject is erased, then the receipt covers both, and the worker completes it
    receipt = orchestrator.erase("alice")
    assert len(receipt.sessions) == 2
    assert len(receipt.remote_pending) == 1
    orchestrator.sweep()
    assert everything(store) == []
    assert face.sessions == set()


def test_an_erasure_forgets_no_session_that_the_service_creates_at_the_last_moment(
    make_orchestrator: Callable[..., EitherOrchestrator], clock: ManualClock
) -> None:
    # Given a start whose result is stored between two steps of an erasure
    class Face(FakeFaceService):
        def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
            if len(self.requests) == 1:
                self.requests.append(self.requests[0])
                self.failures["create"] = KeyError("no response yet")
                with pytest.raises(KeyError):
                    other.start(ALICE)
                store.is_late = True
            super().delete(kind, remote_id, api_version)

    class Store(MemoryStore):
        is_late = False

        def find(self, query: RecordQuery) -> tuple[Record, ...]:
            found = super().find(query)
            for record in found if self.is_late else ():
                if record.state == "requested":
                    face.sessions.add("late-1")
                    created = Created("late-1", clock())
                    run_sync(other.runtime.commit(to_session(record), created))
            return found

    face, store = Face(), Store()
    other = Orchestrator(Settings(), face=face, store=store, clock=clock)
    orchestrator = make_orchestrator(face=face, store=store)
    start(orchestrator)

    # When the subject is erased, then no session is forgotten that the service still has
    receipt = orchestrator.erase("alice")
    assert face.sessions == {"late-1"}
    assert receipt.erased_at is None
    store.is_late = False
    orchestrator.sweep()
    assert everything(store) == []
    assert face.sessions == set()


def test_an_erasure_forgets_no_session_that_is_started_as_it_ends(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService, clock: ManualClock
) -> None:
    # Given a whole start between the last look at the subject's sessions and their removal
    class Store(MemoryStore):
        def erase(self, subject: str) -> int:
            other.start(ALICE)
            return super().erase(subject)

    store = Store()
    other = Orchestrator(Settings(), face=face, store=store, clock=clock)
    orchestrator = make_orchestrator(store=store)
    first = start(orchestrator)

    # When the subject is erased, then what was there is gone, and the new session is known
    receipt = orchestrator.erase("alice")
    assert (receipt.sessions, receipt.erased_at) == ((first.id,), clock())
    (second,) = orchestrator.find(subject="alice").sessions
    assert (second.state, face.sessions) == (S.READY, {second.remote_id})


def test_an_erasure_needs_to_read_only_what_is_not_finished(
    orchestrator: EitherOrchestrator, store: MemoryStore
) -> None:
    # Given two records that cannot be read, of a finished session and of an open one
    finished = orchestrator.cancel(start(orchestrator).id, subject="alice")
    for session in (finished, start(orchestrator, subject="bob")):
        record = store.get(session.id)
        assert record is not None
        store.save(replace(record, body=b"?", version=record.version + 1), record.version)

    # When the subjects are erased, then no session is forgotten that the service may have
    assert orchestrator.erase("alice").erased_at is not None
    with pytest.raises(StoreCorruptError):
        orchestrator.erase("bob")
    assert [record.subject for record in store.find(RecordQuery("alice"))] == []
    assert [record.subject for record in store.find(RecordQuery("bob"))] == ["bob"]
