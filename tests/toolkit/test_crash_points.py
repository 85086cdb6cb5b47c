"""Whatever the moment of a crash, a later call or the worker finishes what was begun, or closes it.

The process dies before or after one call to a port, at each of those calls in turn.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.test_delivery import Destination

from livegate import Orchestrator, Purpose, Settings, StartRequest
from livegate._record import to_session
from livegate.hooks import Attempt, AttemptStatus, Outcome, OutcomeStatus, SessionState
from livegate.protocols import RecordQuery
from livegate.stores.memory import MemoryStore
from livegate.testing import FakeFaceService, ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate import LivenessSession

REAL = Attempt(1, AttemptStatus.SUCCEEDED, decision="realface", digest="AB")
PASSES = Outcome(OutcomeStatus.ENDED, (REAL,))
SPOOF = Outcome(
    OutcomeStatus.ENDED, (Attempt(1, AttemptStatus.SUCCEEDED, decision="spoofface", digest="AB"),)
)


class Crash(BaseException):
    """The process is gone: nothing of ours may catch it."""


class CrashPoints:
    """Counts the moments at which a process can die, and dies at the chosen one."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.deadly: int | None = None

    def reach(self, name: str) -> None:
        self.passed.append(name)
        if len(self.passed) - 1 == self.deadly:
            raise Crash(name)


def crashing(cls: type[Any], points: CrashPoints) -> Any:
    """An instance of *cls* with a crash point before and after each call of its methods."""

    def around(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            points.reach(f"before {name}")
            result = method(self, *args, **kwargs)
            points.reach(f"after {name}")
            return result

        return call

    methods = {
        name: around(name, method)
        for name, method in vars(cls).items()
        if inspect.isfunction(method)
        and not name.startswith("_")
        and name not in ("close", "for_event_loop")
    }
    return type(f"Crashing{cls.__name__}", (cls,), methods)()


class World:
    """A service and a store that outlive the processes that use them."""

    def __init__(self) -> None:
        self.points = CrashPoints()
        self.clock = ManualClock()
        self.face: FakeFaceService = crashing(FakeFaceService, self.points)
        self.store: MemoryStore = crashing(MemoryStore, self.points)
        self.events: Destination = crashing(Destination, self.points)
        self.face.outcome = PASSES

    def process(self) -> Orchestrator:
        """A new process on the same service and store."""
        return Orchestrator(
            Settings(),
            face=self.face,
            store=self.store,
            clock=self.clock,
            notifiers=[self.events],
            purposes=[Purpose("default", max_retries=9)],
        )

    def sessions(self) -> list[LivenessSession]:
        records = MemoryStore.find(self.store, RecordQuery("alice", limit=100))
        return [to_session(record) for record in records]

    def let_workers_finish(self) -> None:
        """Workers sweep until everything is due, and done."""
        process = self.process()
        for _ in range(8):
            self.clock.advance(700)
            process.sweep()


# --- lives -------------------------------------------------------------------------------------


def passing(process: Orchestrator, world: World) -> None:
    session = process.start(StartRequest("alice", idempotency_key="k")).session
    process.finish(session.id, subject="alice", digest="AB")
    process.consume(session.id, subject="alice", purpose="default")
    process.sweep()


def retried(process: Orchestrator, world: World) -> None:
    world.face.outcome = SPOOF
    first = process.start(StartRequest("alice", idempotency_key="k")).session
    process.finish(first.id, subject="alice", digest="AB")
    second = process.retry(first.id, subject="alice").session
    third = process.retry(second.id, subject="alice").session
    process.cancel(third.id, subject="alice")
    process.sweep()


def swept(process: Orchestrator, world: World) -> None:
    process.start(StartRequest("alice", idempotency_key="k"))
    process.start(StartRequest("alice"))
    world.clock.advance(600)
    process.sweep()


def erased(process: Orchestrator, world: World) -> None:
    process.start(StartRequest("alice", idempotency_key="k"))
    session = process.start(StartRequest("alice")).session
    process.finish(session.id, subject="alice", digest="AB")
    process.erase("alice")
    process.sweep()


LIVES = {each.__name__: each for each in (passing, retried, swept, erased)}


def crash_points() -> list[tuple[str, int]]:
    """Each moment of each life, counted in a run without a crash."""
    found = []
    for name, life in LIVES.items():
        world = World()
        life(world.process(), world)
        found += [(name, number) for number in range(len(world.points.passed))]
    return found


def crash(world: World, life: str, deadly: int) -> str:
    """Live until the process dies at the moment *deadly*; return the name of that moment."""
    world.points.deadly = deadly
    with pytest.raises(Crash):
        LIVES[life](world.process(), world)
    return world.points.passed[-1]


def is_lost(world: World, moment: str) -> bool:
    """Whether a session at the service cannot be known: its id was never stored."""
    calls = [name.partition(" ")[2] for name in world.points.passed]
    if moment == "after create":
        return True
    return moment == "before save" and calls[-2] == "create"


@pytest.mark.parametrize(("life", "deadly"), crash_points())
def test_after_a_crash_workers_leave_nothing_open_and_nothing_at_the_service(
    life: str, deadly: int
) -> None:
    # Given a process that died at one moment
    world = World()
    moment = crash(world, life, deadly)
    known = {each.remote_id for each in world.sessions()}
    lost = world.face.sessions - known if is_lost(world, moment) else set()
    assert len(lost) <= 1

    # When workers go on
    world.let_workers_finish()

    # Then nothing is open, and the service has nothing that the store does not know
    sessions = world.sessions()
    assert all(each.state.is_final for each in sessions)
    assert all(each.remote in ("none", "deleted") for each in sessions)
    assert world.face.sessions == lost
    # And nothing has passed without a real face, nor was used without having passed
    for session in sessions:
        assert session.state != "passed" or session.attempts == (REAL,)
        assert session.consumed_at is None or session.state == "passed"
    if life == "erased" and any(each.erase_requested_at for each in sessions):
        pytest.fail("an erasure that was begun is not over")
    # And every event has arrived, in order
    for session in sessions:
        arrived = world.events.sequences(session)
        assert list(dict.fromkeys(arrived)) == list(range(1, session.sequence + 1))


@pytest.mark.parametrize("deadly", [number for life, number in crash_points() if life == "passing"])
def test_after_a_crash_the_caller_can_carry_on(deadly: int) -> None:
    # Given a process that died at one moment
    world = World()
    crash(world, "passing", deadly)
    world.clock.advance(150)

    # When the caller repeats its calls to another process
    process = world.process()
    known = world.sessions()
    if not known or known[0].state is SessionState.REQUESTED:
        session_id = process.start(StartRequest("alice", idempotency_key="k")).session.id
    else:
        session_id = known[0].id
    done = process.finish(session_id, subject="alice", digest="AB")
    if done.consumed_at is None:
        process.consume(session_id, subject="alice", purpose="default")

    # Then there is one session, which has passed and was used once
    (session,) = world.sessions()
    assert (session.id, session.state) == (session_id, "passed")
    assert session.consumed_at is not None
