"""Delivering events: at least once, in order, and no destination holds anything else up."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.operations.samples import ALICE, passed, start

from livegate import CallbackNotifier, Orchestrator, Settings, worker
from livegate._delivery import Place, Progress, backoff
from livegate._record import to_event, to_record
from livegate._sync import run_sync
from livegate.errors import FaceUnavailableError
from livegate.hooks import ClientStarted, GiveUp, RetryLater, SessionEvent
from livegate.protocols import EventRecord, Record
from livegate.stores.memory import MemoryStore
from livegate.testing import FakeFaceService, ManualClock
from livegate.worker import SweepReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from livegate import LivenessSession
    from livegate.operations import Runtime
    from livegate.protocols import Claim
    from orchestrators import EitherOrchestrator

    Factory = Callable[..., EitherOrchestrator]

DAY = 86_400


@dataclass(eq=False)
class Destination:
    """A notifier that keeps what it is given, or raises *failure*."""

    name: str = "destination"
    failure: Exception | None = None
    delivered: list[SessionEvent] = field(default_factory=list)
    tries: list[str] = field(default_factory=list)

    def deliver(self, event: SessionEvent) -> None:
        self.tries.append(event.id)
        if self.failure is not None:
            raise self.failure
        self.delivered.append(event)

    def close(self) -> None: ...

    def sequences(self, session: LivenessSession) -> list[int]:
        return [each.sequence for each in self.delivered if each.session_id == session.id]


@dataclass(eq=False)
class Planned(Destination):
    """A notifier that fails (``F``) or succeeds (``S``) as planned, and succeeds from then on."""

    results: str = ""

    def deliver(self, event: SessionEvent) -> None:
        is_failure = self.results[len(self.tries) : len(self.tries) + 1] == "F"
        self.failure = DOWN if is_failure else None
        super().deliver(event)


class AsyncDestination(Destination):
    async def deliver(self, event: SessionEvent) -> None:  # type: ignore[override]
        super().deliver(event)


DOWN = ConnectionError("https://user:hunter2@hooks.example")


@pytest.fixture
def good() -> Destination:
    return Destination("good")


@pytest.fixture
def dead() -> Destination:
    return Destination("dead", DOWN)


def work_once(runtime: Runtime) -> SweepReport:
    """What one claim of the worker does."""
    report = SweepReport()
    run_sync(worker.work_once(runtime, report))
    return report


def sweep_for(orchestrator: EitherOrchestrator, clock: ManualClock, seconds: float) -> None:
    """Sweep every ten seconds, as a worker does."""
    end = clock() + timedelta(seconds=seconds)
    while clock() < end:
        clock.advance(10)
        orchestrator.sweep()


# --- what is delivered -------------------------------------------------------------------------


@pytest.mark.both_kinds
@pytest.mark.parametrize("destination", [Destination(), AsyncDestination()], ids=["def", "async"])
def test_every_change_is_delivered_in_order_and_without_a_gap(
    make_orchestrator: Factory,
    face: FakeFaceService,
    clock: ManualClock,
    destination: Destination,
) -> None:
    # Given a session that passes, is consumed, and whose details are removed in the end
    destination.delivered.clear()
    orchestrator = make_orchestrator(
        notifiers=[destination], settings=Settings(detail_retention=DAY)
    )
    session = passed(orchestrator, face, transaction="payout 7")
    orchestrator.consume(session.id, subject="alice", purpose="default", transaction="payout 7")
    report = orchestrator.sweep()
    clock.advance(DAY)
    orchestrator.sweep()

    # Then each change is there once, in order
    events = destination.delivered
    assert [event.name for event in events] == [
        "requested",
        "created",
        "client_finished",
        "result_read",
        "remote_deleted",
        "consumed",
        "details_removed",
    ]
    assert [event.sequence for event in events] == [1, 2, 3, 4, 5, 6, 7]
    assert [event.id for event in events] == [f"{session.id}.{n}" for n in range(1, 8)]
    assert {event.subject for event in events} == {"alice"}
    assert {event.transaction for event in events} == {"payout 7"}
    assert (events[3].state, events[3].remote) == ("passed", "deleting")
    assert (events[4].state, events[4].remote) == ("passed", "deleted")
    assert events[6].occurred_at == clock()
    assert report.delivered == 6


def test_polls_of_the_service_leave_no_gap_in_the_sequence(
    make_orchestrator: Factory, face: FakeFaceService, clock: ManualClock, good: Destination
) -> None:
    orchestrator = make_orchestrator(notifiers=[good])
    session = start(orchestrator)
    orchestrator.finish(session.id, subject="alice")
    for _ in range(5):
        clock.advance(2)
        orchestrator.read(session.id, subject="alice")
    orchestrator.cancel(session.id, subject="alice")

    orchestrator.sweep()

    assert face.calls.count("read") == 6
    assert good.sequences(session) == [1, 2, 3, 4, 5]
    assert orchestrator.get(session.id, subject="alice").version > 5


def test_without_a_notifier_no_event_is_stored(make_orchestrator: Factory) -> None:
    stored: list[EventRecord] = []

    class Store(MemoryStore):
        def insert(self, record: Record, events: Sequence[EventRecord] = ()) -> None:
            stored.extend(events)
            super().insert(record, events)

        def save(
            self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
        ) -> None:
            stored.extend(events)
            super().save(record, expected_version, events)

    start(make_orchestrator(store=Store()))

    assert stored == []


@pytest.mark.both_kinds
def test_a_callback_is_a_destination(make_orchestrator: Factory) -> None:
    seen: list[SessionEvent] = []
    orchestrator = make_orchestrator(notifiers=[CallbackNotifier("billing", seen.append)])

    start(orchestrator)
    orchestrator.sweep()

    assert [event.name for event in seen] == ["requested", "created"]


# --- failures ----------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [DOWN, RetryLater(), RetryLater(0), RetryLater(-5)], ids=str)
def test_an_event_that_fails_is_delivered_again_after_growing_pauses(
    make_orchestrator: Factory,
    clock: ManualClock,
    good: Destination,
    failure: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:
    orchestrator = make_orchestrator(notifiers=[good], settings=Settings(token_lifetime=DAY))
    session = start(orchestrator)
    good.failure = failure
    pauses, last = [], clock()
    orchestrator.sweep()
    while len(good.tries) < 10:
        tries = len(good.tries)
        clock.advance(10)
        report = orchestrator.sweep()
        if len(good.tries) > tries:
            assert (report.delivered, report.failed) == (0, 1)
            pauses.append((clock() - last).total_seconds())
            last = clock()
    assert pauses == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert set(good.tries) == {f"{session.id}.1"}

    # And when the destination takes it, the next event follows
    good.failure = None
    clock.advance(600)
    orchestrator.sweep()
    assert good.sequences(session) == [1, 2]
    if failure is DOWN:
        assert f"event {session.id}.1 is not delivered to good yet: ConnectionError" in caplog.text
    assert "hunter2" not in caplog.text


def test_the_pause_is_short_again_after_a_success(
    make_orchestrator: Factory, clock: ManualClock
) -> None:
    # Given a destination that takes the first event at the third try, and then fails again
    planned = Planned("planned", results="FFSFS")
    orchestrator = make_orchestrator(notifiers=[planned])
    session = start(orchestrator)
    for pause in (0, 10, 20):
        clock.advance(pause)
        orchestrator.sweep()
    assert planned.sequences(session) == [1]

    clock.advance(9)
    orchestrator.sweep()
    assert planned.sequences(session) == [1]
    clock.advance(1)
    orchestrator.sweep()
    assert planned.sequences(session) == [1, 2]


@pytest.mark.parametrize(("after", "pause"), [(3, 10), (75, 80), (90_000, DAY)])
def test_a_destination_says_when_it_is_to_be_tried_again(
    make_orchestrator: Factory, clock: ManualClock, good: Destination, after: float, pause: float
) -> None:
    orchestrator = make_orchestrator(notifiers=[good], settings=Settings(event_max_age=7 * DAY))
    session = start(orchestrator)
    good.failure = RetryLater(after)
    orchestrator.sweep()
    good.failure = None

    clock.advance(pause - 10)
    orchestrator.sweep()
    assert good.delivered == []
    clock.advance(10)
    orchestrator.sweep()
    assert good.sequences(session)[:2] == [1, 2]


def test_an_event_that_can_never_be_delivered_is_left_out(
    make_orchestrator: Factory, good: Destination, caplog: pytest.LogCaptureFixture
) -> None:
    class Picky(Destination):
        def deliver(self, event: SessionEvent) -> None:
            super().deliver(event)
            if event.sequence == 1:
                self.delivered.pop()
                raise GiveUp("410 Gone")

    picky = Picky("picky")
    orchestrator = make_orchestrator(notifiers=[picky, good])
    session = start(orchestrator)

    report = orchestrator.sweep()

    assert picky.sequences(session) == [2]
    assert good.sequences(session) == [1, 2]
    assert f"event {session.id}.1 cannot be delivered to picky: 410 Gone" in caplog.text
    assert (report.delivered, report.failed) == (2, 0)


def test_events_of_a_session_stay_in_order_when_one_of_them_fails(
    make_orchestrator: Factory, clock: ManualClock
) -> None:
    class Flaky(Destination):
        def deliver(self, event: SessionEvent) -> None:
            self.failure = DOWN if len(self.tries) % 3 else None
            super().deliver(event)

    flaky = Flaky("flaky")
    orchestrator = make_orchestrator(notifiers=[flaky])
    sessions = [start(orchestrator) for _ in range(5)]
    for session in sessions:
        orchestrator.cancel(session.id, subject="alice")

    sweep_for(orchestrator, clock, 6000)

    for session in sessions:
        assert flaky.sequences(session) == [1, 2, 3, 4]


def test_a_crash_after_a_delivery_delivers_the_event_again_with_the_same_id(
    make_orchestrator: Factory, clock: ManualClock
) -> None:
    # Given a worker that dies after it has delivered and before it has stored that
    class Dies(Destination):
        def deliver(self, event: SessionEvent) -> None:
            super().deliver(event)
            if len(self.delivered) == 2:
                raise KeyboardInterrupt

    dies = Dies("hook")
    orchestrator = make_orchestrator(notifiers=[dies])
    session = start(orchestrator)
    with pytest.raises(KeyboardInterrupt):
        orchestrator.sweep()

    # When another one goes on after the lease, then nothing is missing
    clock.advance(3600)
    orchestrator.sweep()
    assert dies.sequences(session)[:4] == [1, 2, 1, 2]
    assert len({event.id for event in dies.delivered if event.sequence == 1}) == 1


def test_an_event_that_cannot_be_read_waits_and_holds_no_other_session_up(
    make_orchestrator: Factory,
    good: Destination,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Store(MemoryStore):
        def insert(self, record: Record, events: Sequence[EventRecord] = ()) -> None:
            if record.subject == "mallory":
                events = [EventRecord(each.sequence, b"{") for each in events]
            super().insert(record, events)

    orchestrator = make_orchestrator(store=Store(), notifiers=[good])
    broken, other = start(orchestrator, subject="mallory"), start(orchestrator)

    orchestrator.sweep()

    assert (good.sequences(broken), good.sequences(other)) == ([], [1, 2])
    assert "An event cannot be read" in caplog.text
    caplog.clear()
    clock.advance(590)
    orchestrator.sweep()
    assert caplog.text == ""
    clock.advance(3010)
    orchestrator.sweep()
    assert "An event cannot be read" in caplog.text
    assert good.sequences(broken) == []


# --- several destinations ----------------------------------------------------------------------


@pytest.mark.both_kinds
def test_a_dead_destination_holds_no_other_one_up(
    make_orchestrator: Factory, clock: ManualClock, good: Destination, dead: Destination
) -> None:
    orchestrator = make_orchestrator(notifiers=[dead, good])
    first = start(orchestrator)
    orchestrator.sweep()
    second = start(orchestrator)
    orchestrator.cancel(first.id, subject="alice")
    orchestrator.sweep()

    assert good.sequences(first) == [1, 2, 3, 4]
    assert good.sequences(second) == [1, 2]

    # And when it is back, it gets everything, and the other one nothing twice
    dead.failure = None
    sweep_for(orchestrator, clock, 600)
    assert dead.sequences(first)[:4] == [1, 2, 3, 4]
    assert good.sequences(first) == [1, 2, 3, 4]


def test_what_the_worker_did_is_delivered_at_once_although_another_destination_is_dead(
    make_orchestrator: Factory, clock: ManualClock, good: Destination, dead: Destination
) -> None:
    # Given a session whose events wait for a dead destination
    orchestrator = make_orchestrator(notifiers=[dead, good])
    session = start(orchestrator)
    sweep_for(orchestrator, clock, 590)

    # When the worker closes it, then the other destination gets that from the same sweep
    clock.advance(10)
    orchestrator.sweep()
    assert good.sequences(session) == [1, 2, 3, 4]


def test_nothing_is_kept_of_destinations_that_have_everything(
    make_orchestrator: Factory, good: Destination
) -> None:
    kept: list[bytes | None] = []

    class Store(MemoryStore):
        def release(
            self,
            claim: Claim,
            next_at: Any = None,
            delivered_up_to: int | None = None,
            progress: bytes | None = None,
        ) -> bool:
            kept.append(progress)
            return super().release(claim, next_at, delivered_up_to, progress)

    orchestrator = make_orchestrator(store=Store(), notifiers=[good])
    start(orchestrator)
    orchestrator.sweep()

    assert kept == [None]


@pytest.mark.parametrize(
    ("failure", "expected"),
    [(DOWN, [0, 0, 0, 10, 30, 70, 150, 310, 630, 1230, 1830, 2430, 3030]), (RetryLater(3600), [0])],
    ids=["down", "retry after"],
)
def test_a_dead_destination_is_left_alone_for_all_sessions(
    make_orchestrator: Factory, clock: ManualClock, failure: Exception, expected: list[int]
) -> None:
    # Given many sessions whose events wait for a dead destination
    class Timed(Destination):
        def deliver(self, event: SessionEvent) -> None:
            tried_at.append((clock() - began).total_seconds())
            super().deliver(event)

    dead = Timed("dead", failure)
    orchestrator = make_orchestrator(
        notifiers=[dead], settings=Settings(token_lifetime=DAY, event_max_age=7 * DAY)
    )
    for _ in range(400):
        start(orchestrator)
    began = clock()
    tried_at: list[float] = []

    # When the worker sweeps for an hour, then it is tried a few times, not once for each session
    orchestrator.sweep()
    sweep_for(orchestrator, clock, 3500)
    assert tried_at == expected

    # And when it is back, everything is delivered
    dead.failure = None
    sweep_for(orchestrator, clock, 1300)
    assert len(dead.delivered) == 800


@pytest.mark.parametrize(
    ("results", "is_left_alone"),
    [("FF", False), ("FFSSFF", False), ("FFF", True), ("FFSSFFF", True)],
)
def test_a_destination_is_left_alone_after_three_failures_in_a_row(
    make_orchestrator: Factory,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
    results: str,
    is_left_alone: bool,
) -> None:
    # Given a destination that fails for some sessions, in the order in which they are delivered
    planned = Planned("planned", results=results)
    orchestrator = make_orchestrator(notifiers=[planned])
    sessions = []
    for _ in range(12):
        sessions.append(start(orchestrator))
        clock.advance(1)

    # When the worker sweeps, then the last session gets its events at once, or has to wait
    orchestrator.sweep()
    assert planned.sequences(sessions[-1]) == ([] if is_left_alone else [1, 2])
    assert ("notifier planned failed 3 times in a row" in caplog.text) is is_left_alone

    # And in the end everything is delivered
    sweep_for(orchestrator, clock, 60)
    assert all(planned.sequences(each) == [1, 2] for each in sessions)


def test_a_sweep_ends_although_one_destination_has_only_the_earlier_events(
    make_orchestrator: Factory, good: Destination, dead: Destination
) -> None:
    # Given events for two destinations, followed by events for the dead one alone
    both = make_orchestrator(notifiers=[good, dead])
    session = start(both)
    make_orchestrator(notifiers=[dead]).cancel(session.id, subject="alice")

    report = both.sweep()

    assert report.claimed <= 2
    assert good.sequences(session) == [1, 2]
    assert len(dead.tries) == 1


def test_a_deletion_that_becomes_due_does_not_wait_for_a_dead_destination(
    store: MemoryStore, clock: ManualClock, dead: Destination
) -> None:
    # Given 400 sessions whose events wait for a destination that is dead for an hour
    face = FakeFaceService()
    orchestrator = Orchestrator(
        Settings(token_lifetime=DAY), face=face, store=store, clock=clock, notifiers=[dead]
    )
    sessions = [orchestrator.start(ALICE).session for _ in range(400)]
    for _ in range(360):
        orchestrator.sweep()
        clock.advance(10)

    # When a deletion becomes due among them, then it is done by the next claim
    face.failures["delete"] = FaceUnavailableError("no response")
    orchestrator.cancel(sessions[200].id, subject="alice")
    face.failures.clear()
    clock.advance(30)
    assert work_once(orchestrator.runtime).deleted == 1


@pytest.mark.parametrize("failure", [DOWN, RetryLater(DAY)], ids=["down", "retry after"])
def test_due_work_does_not_wait_until_its_own_events_can_be_delivered(
    make_orchestrator: Factory,
    face: FakeFaceService,
    clock: ManualClock,
    dead: Destination,
    failure: Exception,
) -> None:
    # Given a session whose events wait for a day
    dead.failure = failure
    orchestrator = make_orchestrator(notifiers=[dead])
    session = start(orchestrator)
    sweep_for(orchestrator, clock, 590)

    # When it expires, then it is closed, and deleted at the service, at once
    clock.advance(10)
    orchestrator.sweep()
    done = orchestrator.get(session.id, subject="alice")
    assert (done.state, done.remote) == ("expired", "deleted")
    assert face.sessions == set()


# --- age ---------------------------------------------------------------------------------------


def test_an_event_that_is_too_old_is_dropped_so_that_its_record_can_be_purged(
    make_orchestrator: Factory,
    clock: ManualClock,
    dead: Destination,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = Settings(event_max_age=DAY, record_retention=3 * DAY)
    orchestrator = make_orchestrator(notifiers=[dead], settings=settings)
    session = start(orchestrator)
    orchestrator.cancel(session.id, subject="alice")
    orchestrator.sweep()

    # When the destination is dead for longer than the events may wait, then they are dropped
    clock.advance(DAY)
    orchestrator.sweep()
    assert orchestrator.sweep().purged == 0
    clock.advance(600)
    assert orchestrator.sweep().delivered == 4
    assert f"event {session.id}.1 is too old, and not delivered to dead" in caplog.text

    # And the record goes when its time comes
    clock.advance(2 * DAY)
    assert orchestrator.sweep().purged == 1


def test_old_events_are_dropped_although_their_destination_is_left_alone(
    make_orchestrator: Factory, clock: ManualClock, dead: Destination
) -> None:
    # Given a dead destination, for which old events wait behind fresh ones
    orchestrator = make_orchestrator(
        notifiers=[dead], settings=Settings(event_max_age=DAY, token_lifetime=DAY)
    )
    old = [orchestrator.cancel(start(orchestrator).id, subject="alice") for _ in range(20)]
    sweep_for(orchestrator, clock, DAY - 600)
    fresh = [start(orchestrator) for _ in range(20)]
    dead.tries.clear()

    # When the old ones are too old, then they are dropped, which is no success of the destination
    clock.advance(1200)
    assert orchestrator.sweep().delivered == 80
    assert len(dead.tries) == 1
    dead.failure = None
    sweep_for(orchestrator, clock, 600)
    assert {each.session_id for each in dead.delivered} == {each.id for each in fresh}
    assert not {each.session_id for each in dead.delivered} & {each.id for each in old}


# --- changes of the configuration --------------------------------------------------------------


def test_what_a_destination_has_is_remembered_across_restarts(
    make_orchestrator: Factory, clock: ManualClock, good: Destination, dead: Destination
) -> None:
    session = start(make_orchestrator(notifiers=[good, dead]))
    make_orchestrator(notifiers=[good, dead]).sweep()
    dead.failure = None
    clock.advance(10)

    make_orchestrator(notifiers=[good, dead]).sweep()

    assert good.sequences(session) == [1, 2]
    assert dead.sequences(session) == [1, 2]


def test_a_destination_that_is_added_gets_the_events_that_follow(
    make_orchestrator: Factory, clock: ManualClock, good: Destination, dead: Destination
) -> None:
    before = make_orchestrator(notifiers=[dead])
    session = start(before)
    before.sweep()
    clock.advance(10)
    after = make_orchestrator(notifiers=[dead, good])

    after.cancel(session.id, subject="alice")
    after.sweep()

    assert good.sequences(session) == [3, 4]


@pytest.mark.parametrize("known", [0, 1])
def test_a_worker_loses_no_event_of_a_destination_that_it_does_not_have(
    make_orchestrator: Factory, clock: ManualClock, good: Destination, dead: Destination, known: int
) -> None:
    # Given events for two destinations, and a worker that has one of them or none
    application = make_orchestrator(notifiers=[good, dead])
    session = start(application)
    make_orchestrator(notifiers=[good][:known]).sweep()

    # When a worker that has both comes
    dead.failure = None
    clock.advance(30)
    application.sweep()

    # Then each has every event once
    assert good.sequences(session) == [1, 2]
    assert dead.sequences(session) == [1, 2]


def test_the_events_of_a_removed_destination_are_dropped_once_they_are_too_old(
    make_orchestrator: Factory, clock: ManualClock, good: Destination, dead: Destination
) -> None:
    settings = Settings(record_retention=DAY, event_max_age=2 * DAY)
    before = make_orchestrator(notifiers=[good, dead], settings=settings)
    session = start(before)
    before.cancel(session.id, subject="alice")
    before.sweep()
    after = make_orchestrator(notifiers=[good], settings=settings)

    clock.advance(DAY + 1)
    assert after.sweep().purged == 0
    clock.advance(DAY)

    assert after.sweep().purged == 1
    assert good.sequences(session) == [1, 2, 3, 4]


# --- leases ------------------------------------------------------------------------------------


def test_a_slow_destination_gets_nothing_after_the_end_of_the_lease(
    make_orchestrator: Factory, clock: ManualClock
) -> None:
    # Given a destination that takes seven seconds for each event, under a lease of 96 seconds
    class Store(MemoryStore):
        def claim(self, now: Any, limit: int, lease: timedelta) -> tuple[Claim, ...]:
            claims = super().claim(now, limit, lease)
            if claims:
                ends.append(now + lease)
            return claims

    class Slow(Destination):
        def deliver(self, event: SessionEvent) -> None:
            assert clock() < ends[-1] - timedelta(seconds=5)
            super().deliver(event)
            clock.advance(7)

    ends: list[Any] = []
    slow = Slow("slow")
    orchestrator = make_orchestrator(
        store=Store(), notifiers=[slow], settings=Settings(token_lifetime=DAY)
    )
    session = start(orchestrator)
    for number in range(20):
        orchestrator.runtime.store.save(*_touched(orchestrator, session, number))

    # When the worker sweeps, then everything is delivered once, under several leases
    orchestrator.sweep()
    assert slow.sequences(session) == list(range(1, 23))
    assert len(ends) > 1


def _touched(
    orchestrator: EitherOrchestrator, session: LivenessSession, number: int
) -> tuple[Record, int, list[EventRecord]]:
    """What saves *session* with one more event."""
    version = session.version + number
    after = replace(session, version=version + 1, sequence=session.sequence + number + 1)
    now = orchestrator.runtime.now()
    event = to_event(after, ClientStarted(), now, destinations=["slow"])
    return to_record(after, orchestrator.runtime.timing), version, [event]


def test_a_worker_whose_lease_has_ended_takes_nothing_back_that_another_one_delivered(
    store: MemoryStore, face: FakeFaceService, clock: ManualClock
) -> None:
    # Given a worker that hangs in a delivery until its lease is over, and then fails
    class Hangs(Destination):
        def deliver(self, event: SessionEvent) -> None:
            if not self.tries:
                clock.advance(1000)
                self.tries.append(event.id)
                other.sweep()
                raise DOWN
            super().deliver(event)

    hangs = Hangs("hook")
    settings = Settings(token_lifetime=DAY)
    first, other = (
        Orchestrator(settings, face=face, store=store, clock=clock, notifiers=[hangs])
        for _ in range(2)
    )
    session = first.start(ALICE).session

    # When another one has delivered the events, then nothing is delivered again
    first.sweep()
    clock.advance(1000)
    first.sweep()
    assert hangs.sequences(session) == [1, 2]


# --- what the worker keeps ---------------------------------------------------------------------


def test_progress_comes_back_as_it_was(clock: ManualClock) -> None:
    progress = Progress(3, {"hook": Place(7, 2, clock()), "log": Place(9)})

    assert Progress.decode(progress.encode()) == progress
    assert Progress().encode() is None
    assert Progress.decode(None) == Progress()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"\xff",
        b'{"failures": "x"}',
        b'{"places": []}',
        b'{"places": {"hook": [1]}}',
        b'{"places": {"hook": [1, 2, "yesterday"]}}',
        json.dumps({"places": {"hook": None}}).encode(),
    ],
)
def test_progress_that_cannot_be_read_is_begun_anew(data: bytes) -> None:
    assert Progress.decode(data) == Progress()


def test_the_pause_doubles_from_ten_seconds_to_ten_minutes() -> None:
    pauses = [backoff(failures).total_seconds() for failures in range(1, 10)]

    assert pauses == [10, 20, 40, 80, 160, 320, 600, 600, 600]
    assert backoff(10**6).total_seconds() == 600
