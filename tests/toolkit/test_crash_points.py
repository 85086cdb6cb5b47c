"""Whatever the moment of a crash, a repeated call or the worker finishes what was begun.

The process dies before or after one call to a port, at each of those calls in turn. From then on no
call of it reaches a port, as after SIGKILL: no handler of an exception can tidy up.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.test_delivery import Destination

from livegate import LivegateError, Orchestrator, Purpose, Settings, StartRequest
from livegate._record import to_session
from livegate.errors import FaceSessionNotFoundError
from livegate.hooks import Attempt, AttemptStatus, Outcome, OutcomeStatus, SessionState
from livegate.protocols import RecordQuery
from livegate.stores.memory import MemoryStore
from livegate.testing import FakeFaceService, ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate import LivenessSession, SessionKind

    Step = Callable[["World"], None]

REAL = Attempt(1, AttemptStatus.SUCCEEDED, decision="realface", digest="AB")
PASSES = Outcome(OutcomeStatus.ENDED, (REAL,))
RUNS = Outcome(OutcomeStatus.RUNNING, (Attempt(1, AttemptStatus.RUNNING),))
SPOOF = Outcome(
    OutcomeStatus.ENDED, (Attempt(1, AttemptStatus.SUCCEEDED, decision="spoofface", digest="AB"),)
)
DAY = 86400
S = SessionState


class Crash(BaseException):
    """The process is gone: nothing of ours may catch it."""


class CrashPoints:
    """Counts the moments at which a process can die, and dies at the chosen one for good."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.deadly: int | None = None
        self.is_dead = False

    def reach(self, name: str) -> None:
        if self.is_dead:
            raise Crash("a dead process does nothing")
        self.passed.append(name)
        if len(self.passed) - 1 == self.deadly:
            self.is_dead = True
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
        for name, method in inspect.getmembers(cls, inspect.isfunction)
        if not name.startswith("_") and name not in ("close", "for_event_loop", "sequences")
    }
    return type(f"Crashing{cls.__name__}", (cls,), methods)()


class Service(FakeFaceService):
    """A service that forgets what was deleted."""

    def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        if remote_id not in self.sessions:
            raise FaceSessionNotFoundError("gone")
        return super().read(kind, remote_id, api_version)


@dataclass
class World:
    """A service, a store and a destination that outlive the processes that use them."""

    points: CrashPoints = field(default_factory=CrashPoints)
    clock: ManualClock = field(default_factory=ManualClock)
    step: int = 0

    def __post_init__(self) -> None:
        self.face: FakeFaceService = crashing(Service, self.points)
        self.store: MemoryStore = crashing(MemoryStore, self.points)
        self.events: Destination = crashing(Destination, self.points)
        self.face.outcome = PASSES
        self.new_process()

    def new_process(self) -> None:
        """Another process on the same service and store, which does not crash."""
        self.points.deadly, self.points.is_dead = None, False
        self.process = Orchestrator(
            Settings(event_max_age=365 * DAY),
            face=self.face,
            store=self.store,
            clock=self.clock,
            notifiers=[self.events],
            purposes=[Purpose("default", max_retries=9, max_age=timedelta(days=1))],
        )

    def sessions(self) -> list[LivenessSession]:
        """What is stored, the oldest first; the clock moves between two starts."""
        records = MemoryStore.find(self.store, RecordQuery("alice", limit=100))
        return [to_session(record) for record in reversed(records)]

    def let_workers_finish(self) -> None:
        """Workers sweep until everything is due, and done."""
        for _ in range(8):
            self.clock.advance(700)
            self.process.sweep()


# --- steps: each can be repeated, and checks the response ----------------------------------------


def code_of(call: Callable[[], Any]) -> str:
    """``ok``, or the code of the error."""
    try:
        call()
    except LivegateError as error:
        return error.code
    return "ok"


def start_or_retry(
    world: World, call: Callable[[], Any], find: Callable[[LivenessSession], bool]
) -> None:
    """Start; *find* says whether a stored session is the one that is started."""
    found = next(filter(find, world.sessions()), None)
    expected = "ok"
    if found is not None:
        is_created = found.state is not S.REQUESTED
        expected = "token_already_issued" if is_created else "start_in_progress"
    assert code_of(call) == expected
    if expected == "start_in_progress":
        world.clock.advance(30)
        assert code_of(call) == "ok"
    (started,) = filter(find, world.sessions())
    assert started.state is not S.REQUESTED
    world.clock.advance(1)


def start(world: World) -> None:
    start_or_retry(
        world,
        lambda: world.process.start(StartRequest("alice", idempotency_key="k")),
        lambda session: session.idempotency_key == "k",
    )


def retry(world: World, earlier: int) -> None:
    first = world.sessions()[earlier]
    start_or_retry(
        world,
        lambda: world.process.retry(first.id, subject="alice"),
        lambda session: session.retry_of == first.id,
    )


def finish(world: World, state: SessionState) -> None:
    world.clock.advance(2)
    session = world.sessions()[0]
    assert world.process.finish(session.id, subject="alice", digest="AB").state is state


def consume(world: World) -> None:
    (session,) = world.sessions()
    expected = "ok" if session.consumed_at is None else "verdict_used"
    call = lambda: world.process.consume(session.id, subject="alice", purpose="default")  # noqa: E731
    assert code_of(call) == expected
    assert code_of(call) == "verdict_used"


def cancel(world: World) -> None:
    session = world.sessions()[-1]
    cancelled = world.process.cancel(session.id, subject="alice")
    assert (cancelled.state, cancelled.remote) == ("cancelled", "deleted")


def erase(world: World) -> None:
    assert world.process.erase("alice").erased_at is not None
    assert world.sessions() == []


def sweep(world: World) -> None:
    world.process.sweep()
    world.clock.advance(100)  # the lease of a worker that died is over
    world.process.sweep()


def _set(outcome: Outcome) -> Step:
    def step(world: World) -> None:
        world.face.outcome = outcome

    return step


def _wait(seconds: int) -> Step:
    def step(world: World) -> None:
        world.clock.advance(seconds)

    return step


# --- lives: steps, and the states in which the sessions end --------------------------------------

LIVES: dict[str, tuple[tuple[Step, ...], list[SessionState]]] = {
    "passing": ((start, partial(finish, state=S.PASSED), consume, sweep), [S.PASSED]),
    "late": (
        (
            start,
            _set(RUNS),
            partial(finish, state=S.AWAITING_RESULT),
            _set(PASSES),
            _wait(30),
            sweep,
            consume,
            sweep,
        ),
        [S.PASSED],
    ),
    "retried": (
        (
            _set(SPOOF),
            start,
            partial(finish, state=S.REJECTED),
            partial(retry, earlier=0),
            partial(retry, earlier=1),
            cancel,
            sweep,
        ),
        [S.REJECTED, S.CANCELLED, S.CANCELLED],
    ),
    "abandoned": ((start, partial(retry, earlier=0), _wait(1200), sweep), [S.CANCELLED, S.EXPIRED]),
    "erased": ((start, partial(retry, earlier=0), erase, sweep), []),
    "kept": (
        (
            start,
            partial(finish, state=S.PASSED),
            sweep,
            _wait(30 * DAY),
            sweep,
            _wait(90 * DAY),
            sweep,
        ),
        [],
    ),
}


def live(world: World, life: str, first: int = 0) -> None:
    """Take the steps of *life* from the one numbered *first* on; keep the number in ``step``."""
    for number, step in enumerate(LIVES[life][0][first:], first):
        world.step = number
        step(world)


def at_each_moment(life: str, check_after: Callable[[World, set[str]], None]) -> None:
    """Let the process die at each moment of *life*, counted in a run without a crash.

    *check_after* takes the world after the crash, and what :func:`crash` returns.
    """
    counted = World()
    live(counted, life)
    for deadly, moment in enumerate(counted.points.passed):
        world = World()
        try:
            check_after(world, crash(world, life, deadly))
        except AssertionError as error:
            error.add_note(f"The process died at moment {deadly}, {moment}.")
            raise


def crash(world: World, life: str, deadly: int) -> set[str]:
    """Live until the process dies at the moment *deadly*.

    Returns:
        The service's sessions that nobody can know, since their ids were never stored.
    """
    world.points.deadly = deadly
    with pytest.raises(Crash):
        live(world, life)
    moments = world.points.passed
    is_lost = moments[-1] == "after create" or moments[-2:] == ["after create", "before save"]
    known = {each.remote_id for each in world.sessions()}
    lost = world.face.sessions - known
    assert len(lost) == is_lost
    world.new_process()
    return lost


def check(world: World, lost: set[str]) -> None:
    """What holds after any life, whoever carried it on."""
    sessions = world.sessions()
    assert all(each.state.is_final for each in sessions)
    assert all(each.remote in ("none", "deleted") for each in sessions)
    assert world.face.sessions == lost
    for session in sessions:
        assert session.state != "passed" or [a.decision for a in session.attempts] == ["realface"]
        assert session.consumed_at is None or session.state == "passed"
        arrived = world.events.sequences(session)
        assert list(dict.fromkeys(arrived)) == list(range(1, session.sequence + 1))
    # Also those of sessions that were removed since: in order, without a gap.
    by_session: dict[str, dict[int, str]] = {}
    for event in world.events.delivered:
        by_session.setdefault(event.session_id, {}).setdefault(event.sequence, event.name)
    for names in by_session.values():
        assert list(names) == list(range(1, len(names) + 1))
        assert list(names.values()).count("consumed") <= 1


@pytest.mark.parametrize("life", LIVES)
def test_after_a_crash_workers_leave_nothing_open_and_nothing_at_the_service(life: str) -> None:
    # Given a process that died at one moment
    def then(world: World, lost: set[str]) -> None:
        # When workers go on
        world.let_workers_finish()

        # Then everything is over
        check(world, lost)
        # And an erasure that was begun is done
        assert not any(each.erase_requested_at for each in world.sessions())

    at_each_moment(life, then)


@pytest.mark.parametrize("life", LIVES)
def test_after_a_crash_the_caller_repeats_its_call_and_carries_on(life: str) -> None:
    # Given a process that died at one moment
    def then(world: World, lost: set[str]) -> None:
        # When the caller repeats the call to another process, goes on, and workers do
        live(world, life, world.step)
        world.let_workers_finish()

        # Then every session ends as without the crash
        check(world, lost)
        assert [each.state for each in world.sessions()] == LIVES[life][1]

    at_each_moment(life, then)
