"""The worker: what is due is done although no request comes, once, and nothing holds it up."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.operations.samples import (
    ALICE,
    DIGEST,
    PASSES,
    RUNS,
    S,
    passed,
    start,
)

from livegate import Orchestrator, Outcome, Settings, Verdict, worker
from livegate._record import to_record
from livegate.errors import FaceUnavailableError, SessionNotFoundError, StoreError
from livegate.hooks import hookimpl
from livegate.stores.memory import MemoryStore
from livegate.testing import FakeFaceService, ManualClock
from livegate.worker import SweepReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from livegate import LivenessSession, SessionKind
    from livegate.models import SessionState
    from livegate.protocols import Claim, EventRecord, Record
    from orchestrators import EitherOrchestrator

DAY = 86_400


def state_of(orchestrator: EitherOrchestrator, session: LivenessSession) -> SessionState:
    found: LivenessSession = orchestrator.get(session.id, subject=session.subject)
    return found.state


def awaiting(orchestrator: EitherOrchestrator, face: FakeFaceService) -> LivenessSession:
    face.outcome = RUNS
    session = start(orchestrator)
    done: LivenessSession = orchestrator.finish(session.id, subject="alice", digest=DIGEST)
    return done


def deleting(orchestrator: EitherOrchestrator, face: FakeFaceService) -> LivenessSession:
    """A session whose deletion at the service has failed once."""
    session = start(orchestrator)
    face.failures["delete"] = FaceUnavailableError("no response")
    done: LivenessSession = orchestrator.cancel(session.id, subject="alice")
    face.failures.clear()
    return done


# --- what is due -------------------------------------------------------------------------------


def test_a_sweep_with_nothing_due_does_nothing(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    start(orchestrator)
    passed(orchestrator, face)
    face.calls.clear()

    assert orchestrator.sweep() == SweepReport()
    assert face.calls == []


def test_a_session_that_was_abandoned_expires(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    session = start(orchestrator)
    clock.advance(599)
    assert orchestrator.sweep().claimed == 0
    clock.advance(1)

    report = orchestrator.sweep()

    assert state_of(orchestrator, session) is S.EXPIRED
    assert (report.claimed, report.settled, report.deleted, report.failed) == (1, 1, 1, 0)
    assert face.sessions == set()


@pytest.mark.both_kinds
def test_a_result_that_the_front_end_does_not_wait_for_is_read(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    session = awaiting(orchestrator, face)
    face.outcome = PASSES
    clock.advance(29)
    assert orchestrator.sweep().claimed == 0
    clock.advance(1)

    report = orchestrator.sweep()

    assert state_of(orchestrator, session) is S.PASSED
    assert (report.settled, report.deleted) == (1, 1)


def test_a_result_that_the_front_end_never_reported_is_read_at_the_end_of_its_time(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    # Given an attempt that still runs when the token's lifetime ends
    session = start(orchestrator)
    face.outcome = RUNS
    clock.advance(600)
    orchestrator.sweep()
    assert state_of(orchestrator, session) is S.STARTED

    # When it has ended, then it is judged, without the client's digest
    face.outcome = PASSES
    clock.advance(30)
    orchestrator.sweep()
    done = orchestrator.get(session.id, subject="alice")
    assert (done.state, done.reasons) == (S.INCONCLUSIVE, ("digest_missing",))


@pytest.mark.parametrize("failure", [KeyError("the process dies"), FaceUnavailableError("no")])
def test_a_start_that_is_not_repeated_is_closed(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock, failure: Exception
) -> None:
    face.failures["create"] = failure
    with pytest.raises(type(failure)):
        start(orchestrator)
    clock.advance(29)
    assert orchestrator.sweep().claimed == 0
    clock.advance(1)

    report = orchestrator.sweep()

    (session,) = orchestrator.find(subject="alice").sessions
    assert (session.state, session.remote) == (S.EXPIRED, "none")
    assert (report.settled, report.deleted) == (1, 0)


@pytest.mark.both_kinds
def test_a_deletion_is_tried_until_the_service_confirms_it(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    # Given a deletion that has failed once
    session = deleting(orchestrator, face)
    face.failures["delete"] = FaceUnavailableError("no response")
    assert orchestrator.sweep().claimed == 0

    # When time goes on, then it is tried after pauses that double
    for pause in (30, 60, 120):
        clock.advance(pause - 1)
        assert orchestrator.sweep().claimed == 0
        clock.advance(1)
        report = orchestrator.sweep()
        assert (report.claimed, report.deleted, report.failed) == (1, 0, 1)

    # And when the service confirms it, it is over
    face.failures.clear()
    clock.advance(240)
    assert orchestrator.sweep().deleted == 1
    assert orchestrator.get(session.id, subject="alice").remote == "deleted"
    assert face.sessions == set()


class Reviews:
    """Sends every session to a reviewer."""

    @hookimpl
    def decide(self) -> Verdict:
        return Verdict(S.NEEDS_REVIEW)


def test_a_session_that_is_not_reviewed_expires(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    clock: ManualClock,
) -> None:
    settings = Settings(review_timeout=2 * DAY)
    orchestrator = make_orchestrator(plugins=[Reviews()], settings=settings)
    session = start(orchestrator)
    face.outcome = PASSES
    orchestrator.finish(session.id, subject="alice", digest=DIGEST)
    clock.advance(2 * DAY - 1)
    assert orchestrator.sweep().claimed == 0
    clock.advance(1)

    assert orchestrator.sweep().settled == 1
    assert state_of(orchestrator, session) is S.EXPIRED


def test_the_time_for_a_review_does_not_depend_on_when_the_service_has_deleted(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    clock: ManualClock,
) -> None:
    # Given a session that needs review, and a service that deletes it only a day later
    settings = Settings(review_timeout=2 * DAY)
    orchestrator = make_orchestrator(plugins=[Reviews()], settings=settings)
    session = start(orchestrator)
    face.outcome = PASSES
    face.failures["delete"] = FaceUnavailableError("no response")
    orchestrator.finish(session.id, subject="alice", digest=DIGEST)
    face.failures.clear()
    clock.advance(DAY)

    # When it is deleted, then it still needs review
    assert orchestrator.sweep().deleted == 1
    assert state_of(orchestrator, session) is S.NEEDS_REVIEW

    # And when the time for the review is over, then it expires
    clock.advance(DAY)
    assert orchestrator.sweep().settled == 1
    assert state_of(orchestrator, session) is S.EXPIRED


# --- retention ---------------------------------------------------------------------------------


def test_details_and_then_records_are_removed_when_they_were_kept_long_enough(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    clock: ManualClock,
) -> None:
    settings = Settings(detail_retention=3 * DAY, record_retention=10 * DAY)
    orchestrator = make_orchestrator(settings=settings)
    done = passed(orchestrator, face)
    open_one = start(orchestrator)
    clock.advance(599)

    # When the time for details is over, then they go, and the verdict stays
    clock.advance(3 * DAY - 600)
    assert orchestrator.sweep().purged == 0
    assert orchestrator.get(done.id, subject="alice").has_details
    clock.advance(1)
    orchestrator.sweep()
    kept = orchestrator.get(done.id, subject="alice")
    assert not kept.has_details
    assert (kept.state, kept.decided_at) == (S.PASSED, done.decided_at)

    # And when the time for records is over, then it goes, and what ended later stays
    clock.now = done.updated_at + timedelta(days=10)
    assert orchestrator.sweep().purged == 0
    clock.advance(0.001)
    assert orchestrator.sweep().purged == 1
    with pytest.raises(SessionNotFoundError):
        orchestrator.get(done.id, subject="alice")
    assert state_of(orchestrator, open_one) is S.EXPIRED


def test_details_are_removed_although_the_service_cannot_be_reached(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    # Given a verdict whose remote session cannot be deleted
    session = start(orchestrator)
    face.outcome = PASSES
    face.failures["delete"] = FaceUnavailableError("no response")
    orchestrator.finish(session.id, subject="alice", digest=DIGEST)

    # When the time for details is over, with the deletion tried again and again
    for _ in range(31):
        clock.advance(DAY)
        orchestrator.sweep()

    # Then they are gone, and the record stays: what the service has is not forgotten
    kept = orchestrator.get(session.id, subject="alice")
    assert (kept.has_details, kept.remote) == (False, "deleting")
    clock.advance(365 * DAY)
    assert orchestrator.sweep().purged == 0


def test_records_are_purged_in_batches(
    make_orchestrator: Callable[..., EitherOrchestrator],
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Store(MemoryStore):
        def purge(self, before: Any, limit: int) -> int:
            purged = super().purge(before, limit)
            batches.append((limit, purged))
            return purged

    batches: list[tuple[int, int]] = []
    monkeypatch.setattr(worker, "PURGE_BATCH", 3)
    orchestrator = make_orchestrator(store=Store())
    for _ in range(7):
        orchestrator.cancel(start(orchestrator).id, subject="alice")
    clock.advance(91 * DAY)

    assert orchestrator.sweep().purged == 7
    assert batches == [(3, 3), (3, 3), (3, 1), (3, 0)]


def test_a_worker_that_is_never_idle_purges_too(
    make_orchestrator: Callable[..., EitherOrchestrator], clock: ManualClock
) -> None:
    # Given a record to be purged, and six deletions that take the service 200 s each
    class SlowFace(FakeFaceService):
        def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
            clock.advance(200)
            is_purged.append(store.get(old.id) is None)
            super().delete(kind, remote_id, api_version)

    is_purged: list[bool] = []
    store = MemoryStore()
    orchestrator = make_orchestrator(face=SlowFace(), store=store)
    old = start(orchestrator)
    orchestrator.cancel(old.id, subject="alice")
    clock.advance(91 * DAY)
    for _ in range(6):
        start(orchestrator)
    clock.advance(3600)
    is_purged.clear()

    # When a worker does them, then it purges once ten minutes are over
    orchestrator.sweep()
    assert is_purged == [False, False, False, True, True, True]


# --- what cannot be done -----------------------------------------------------------------------


@pytest.mark.parametrize("failure", [FaceUnavailableError("no response"), KeyError("a fault")])
def test_a_session_that_fails_is_tried_later_and_holds_nothing_up(
    orchestrator: EitherOrchestrator,
    face: FakeFaceService,
    clock: ManualClock,
    failure: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given ten sessions at their end, and a service that fails for all of them
    sessions = [start(orchestrator) for _ in range(10)]
    clock.advance(600)
    face.failures["read"] = failure

    # When the worker sweeps, then each is tried once, and not again at once
    first = orchestrator.sweep()
    assert (first.claimed, first.settled, first.failed) == (10, 0, 10)
    assert face.calls.count("read") == 10
    assert all(each.id in caplog.text for each in sessions)
    assert orchestrator.sweep().claimed == 0

    # And when the service responds again, each of them ends
    face.failures.clear()
    clock.advance(30)
    assert orchestrator.sweep().settled == 10
    assert {state_of(orchestrator, each) for each in sessions} == {S.EXPIRED}


class PoisonedStore(MemoryStore):
    """Raises an error of its own from each save of one session."""

    poisoned = ""

    def save(
        self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
    ) -> None:
        if record.id == self.poisoned:
            raise KeyError("a fault in the store")
        super().save(record, expected_version, events)


def pauses_of(orchestrator: EitherOrchestrator, clock: ManualClock, count: int) -> list[float]:
    """The seconds from each failure of a session that fails to the next."""
    pauses = []
    for _ in range(count):
        began = clock()
        while orchestrator.sweep().failed == 0:
            clock.advance(10)
        pauses.append((clock() - began).total_seconds())
    return pauses


def test_a_fault_with_one_session_is_logged_and_the_others_are_processed(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = PoisonedStore()
    orchestrator = make_orchestrator(store=store)
    first, other = start(orchestrator), start(orchestrator)
    store.poisoned = first.id
    clock.advance(600)

    # When the worker sweeps, then the other one ends, and the pauses of this one grow
    assert orchestrator.sweep() == SweepReport(claimed=2, settled=1, deleted=1, failed=1)
    assert "a fault in the store" in caplog.text
    assert state_of(orchestrator, other) is S.EXPIRED
    assert pauses_of(orchestrator, clock, 8) == [10, 20, 40, 80, 160, 320, 600, 600]

    # And after a success they are short again
    store.poisoned = ""
    clock.now = first.expires_at + timedelta(seconds=3600)
    face.outcome = RUNS
    settings = Settings(result_grace=DAY)
    longer_grace = make_orchestrator(store=store, settings=settings)
    assert longer_grace.sweep().failed == 0
    store.poisoned = first.id
    clock.advance(30)
    assert longer_grace.sweep().failed == 1
    assert pauses_of(longer_grace, clock, 2) == [10, 20]


def unreadable(session: LivenessSession, orchestrator: EitherOrchestrator) -> Record:
    record = to_record(session, orchestrator.runtime.timing)
    return replace(record, id="u" * 32, body=b"{}", key=None)


def test_a_record_that_cannot_be_read_is_left_alone_for_a_while_and_holds_nothing_up(
    orchestrator: EitherOrchestrator,
    store: MemoryStore,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given a record that cannot be read, due before another session
    session = start(orchestrator)
    store.insert(unreadable(session, orchestrator))
    clock.advance(600)

    # When the worker sweeps, then the other is processed, and this one only every hour
    report = orchestrator.sweep()
    assert (report.claimed, report.settled, report.failed) == (2, 1, 1)
    assert f"session {'u' * 32} cannot be read" in caplog.text
    clock.advance(3599)
    assert orchestrator.sweep().claimed == 0
    clock.advance(1)
    assert orchestrator.sweep() == SweepReport(claimed=1, failed=1)
    assert store.get("u" * 32) is not None


def test_a_sweep_ends_although_the_settings_changed_when_sessions_are_due(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    clock: ManualClock,
) -> None:
    # Given records that were written when details were kept for a day
    shorter = make_orchestrator(settings=Settings(detail_retention=DAY))
    sessions = [passed(shorter, face) for _ in range(3)]
    clock.advance(DAY)

    # When they are kept for longer now, then a sweep looks at each once
    longer = make_orchestrator(settings=Settings(detail_retention=9 * DAY))
    assert longer.sweep() == SweepReport(claimed=3)
    clock.advance(8 * DAY - 1)
    assert longer.sweep() == SweepReport()

    # And does what is due when it is due now
    clock.advance(1)
    assert longer.sweep() == SweepReport(claimed=3)
    assert not any(longer.get(each.id, subject="alice").has_details for each in sessions)


def test_a_sweep_ends_although_a_column_says_that_a_session_is_due(
    orchestrator: EitherOrchestrator, store: MemoryStore, clock: ManualClock
) -> None:
    # Given a record that another version of livegate made due, and this one does not
    session = orchestrator.cancel(start(orchestrator).id, subject="alice")
    record = to_record(session, orchestrator.runtime.timing)
    store.save(replace(record, version=session.version + 1, due_at=clock()), session.version)

    assert orchestrator.sweep() == SweepReport(claimed=1)
    assert orchestrator.sweep() == SweepReport()


def test_a_sweep_ends_although_an_erasure_waits_for_the_service(
    make_orchestrator: Callable[..., EitherOrchestrator], clock: ManualClock
) -> None:
    # Given an erasure of two sessions, of which the service deletes one
    class Face(FakeFaceService):
        is_broken = True

        def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
            if self.is_broken and remote_id == "remote-1":
                raise FaceUnavailableError("no response")
            super().delete(kind, remote_id, api_version)

    face = Face()
    orchestrator = make_orchestrator(face=face)
    start(orchestrator)
    start(orchestrator)
    orchestrator.erase("alice")
    clock.advance(30)

    # When workers sweep, then the one that is deleted waits for the other, with growing pauses
    assert orchestrator.sweep() == SweepReport(claimed=2, failed=2)
    assert orchestrator.sweep() == SweepReport()
    clock.advance(10)
    assert orchestrator.sweep() == SweepReport(claimed=1, failed=1)
    clock.advance(19)
    assert orchestrator.sweep() == SweepReport()
    face.is_broken = False
    clock.advance(600)
    orchestrator.sweep()
    assert orchestrator.find(subject="alice").sessions == ()


def test_a_deletion_that_cannot_be_recorded_is_repeated_after_a_pause(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    clock: ManualClock,
) -> None:
    class Store(MemoryStore):
        is_broken = True

        def save(
            self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
        ) -> None:
            if record.remote == "deleted" and self.is_broken:
                raise StoreError("disk full")
            super().save(record, expected_version, events)

    store = Store()
    orchestrator = make_orchestrator(store=store)
    deleting(orchestrator, face)
    clock.advance(30)

    assert orchestrator.sweep() == SweepReport(claimed=1, failed=1)
    assert orchestrator.sweep() == SweepReport()
    store.is_broken = False
    clock.advance(10)
    assert orchestrator.sweep() == SweepReport(claimed=1, deleted=1)


def test_a_store_that_cannot_be_asked_for_work_ends_the_sweep(
    make_orchestrator: Callable[..., EitherOrchestrator],
) -> None:
    class Store(MemoryStore):
        def claim(self, now: Any, limit: int, lease: timedelta) -> tuple[Claim, ...]:
            raise StoreError("the disk is gone")

    with pytest.raises(StoreError):
        make_orchestrator(store=Store()).sweep()


# --- several workers ---------------------------------------------------------------------------


def test_two_workers_never_process_one_session_within_its_lease(
    store: MemoryStore, clock: ManualClock
) -> None:
    # Given a slow service, and a second worker that sweeps while the first one waits for it
    class SlowFace(FakeFaceService):
        depth = 0

        def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
            reads.append(remote_id)
            clock.advance(1)
            if self.depth < 3:
                self.depth += 1
                Orchestrator(Settings(), face=self, store=store, clock=clock).sweep()
                self.depth -= 1
            return super().read(kind, remote_id, api_version)

    reads: list[str] = []
    face = SlowFace()
    first = Orchestrator(Settings(), face=face, store=store, clock=clock)
    for _ in range(20):
        first.start(ALICE)
    clock.advance(600)

    # When both sweep until nothing is due, then each session is read and deleted once
    first.sweep()
    assert sorted(reads) == sorted(f"remote-{number}" for number in range(1, 21))
    assert face.calls.count("delete") == 20


def test_workers_in_many_threads_process_each_session_once(clock: ManualClock) -> None:
    store, face = MemoryStore(), FakeFaceService()
    orchestrators = [
        Orchestrator(Settings(), face=face, store=store, clock=clock) for _ in range(4)
    ]
    for _ in range(200):
        orchestrators[0].start(ALICE)
    clock.advance(600)
    reports: list[SweepReport] = []

    threads = [
        threading.Thread(target=lambda each=each: reports.append(each.sweep()))
        for each in orchestrators
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(report.settled for report in reports) == 200
    assert sum(report.claimed for report in reports) == 200
    assert (face.calls.count("read"), face.calls.count("delete")) == (200, 200)


def test_a_worker_that_died_is_followed_by_another_when_the_lease_ends(
    store: MemoryStore, face: FakeFaceService, clock: ManualClock
) -> None:
    # Given a worker that died while it processed a session
    class Dies(FakeFaceService):
        def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
            raise KeyboardInterrupt

    dead = Orchestrator(Settings(), face=Dies(), store=store, clock=clock)
    other = Orchestrator(Settings(), face=face, store=store, clock=clock)
    dead.start(ALICE)
    clock.advance(600)
    with pytest.raises(KeyboardInterrupt):
        dead.sweep()

    # When another one sweeps, then it takes over once the lease has ended, and not before
    limit = timedelta(seconds=2 * 3 * 11 + 30)
    clock.advance(limit.total_seconds() - 1)
    assert other.sweep().claimed == 0
    clock.advance(1)
    assert other.sweep().settled == 1


def test_a_lease_is_longer_than_the_calls_for_one_session(
    store: MemoryStore, clock: ManualClock
) -> None:
    leases: list[timedelta] = []

    class Store(MemoryStore):
        def claim(self, now: Any, limit: int, lease: timedelta) -> tuple[Claim, ...]:
            leases.append(lease)
            return super().claim(now, limit, lease)

    for timeout, retries in ((10, 2), (60, 5), (0.1, 0)):
        settings = Settings(face_timeout=timeout, face_retries=retries)
        Orchestrator(settings, face=FakeFaceService(), store=Store(), clock=clock).sweep()
        calls = timedelta(seconds=2 * timeout * (1 + retries))
        assert leases[-1] >= calls + timedelta(seconds=30)


def test_a_worker_whose_lease_has_ended_changes_nothing_of_its_successor(
    store: MemoryStore, clock: ManualClock
) -> None:
    # Given a service so slow that the lease ends, and a second worker that takes over
    class SlowFace(FakeFaceService):
        def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
            result = super().read(kind, remote_id, api_version)
            if self.calls.count("read") == 1:
                clock.advance(1000)
                reports.append(
                    Orchestrator(Settings(), face=self, store=store, clock=clock).sweep()
                )
            return result

    reports: list[SweepReport] = []
    face = SlowFace()
    slow = Orchestrator(Settings(), face=face, store=store, clock=clock)
    session = slow.start(ALICE).session
    clock.advance(600)

    # When the first one goes on, then its result is refused, and nothing is done twice
    report = slow.sweep()
    assert (reports[0].settled, report.settled) == (1, 0)
    assert slow.get(session.id, subject="alice").state is S.EXPIRED
    assert face.calls.count("delete") == 1


# --- order -------------------------------------------------------------------------------------


def calls_before_deletion(waiting: int) -> int:
    """Calls to the service before one deletion, behind so many sessions that wait for a result."""
    face, clock = FakeFaceService(outcome=RUNS), ManualClock()
    orchestrator = Orchestrator(Settings(), face=face, store=MemoryStore(), clock=clock)
    for _ in range(waiting):
        session = orchestrator.start(ALICE).session
        orchestrator.finish(session.id, subject="alice", digest=DIGEST)
    for _ in range(2):
        clock.advance(30)
        orchestrator.sweep()
    cancelled = orchestrator.start(ALICE).session
    face.failures["delete"] = FaceUnavailableError("no response")
    orchestrator.cancel(cancelled.id, subject="alice")
    face.failures.clear()
    clock.advance(30)
    face.calls.clear()
    orchestrator.sweep()
    assert face.calls.count("read") == waiting
    return face.calls.index("delete")


def test_a_deletion_is_done_as_soon_behind_many_waiting_sessions_as_behind_few() -> None:
    assert calls_before_deletion(waiting=1000) == calls_before_deletion(waiting=10) == 0


# --- the report --------------------------------------------------------------------------------


def test_a_report_says_what_a_sweep_did() -> None:
    assert str(SweepReport(claimed=3, deleted=2, purged=1)) == (
        "claimed 3, settled 0, deleted 2, delivered 0, failed 0, purged 1"
    )
