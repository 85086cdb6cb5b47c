"""Whatever the moment of a crash, a later call or a sweep finishes or closes the session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from livegate import Outcome, SessionState, StartRequest
from livegate.session import Attempt, AttemptStatus, OutcomeStatus
from livegate.stores.memory import MemoryStore
from livegate.testing.doubles import ManualClock, ScriptedFace

if TYPE_CHECKING:
    from collections.abc import Callable

    from doors import Door

REAL = Attempt(1, AttemptStatus.SUCCEEDED, decision="realface", digest="AB")
PASSES = Outcome(OutcomeStatus.ENDED, (REAL,))
STEPS = ("lookup", "insert", "get", "create", "save", "read", "delete")


class Crash(BaseException):
    """The process is gone: nothing of ours may catch it."""


class CrashPoints:
    """Counts the steps between which a process can die, and dies at the chosen one."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.deadly: int | None = None

    def reach(self, name: str) -> None:
        self.passed.append(name)
        if len(self.passed) - 1 == self.deadly:
            raise Crash(name)


def mortal(cls: type[Any], points: CrashPoints) -> Any:
    """An instance of *cls* with a crash point before and after each of its steps."""

    def around(name: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            points.reach(f"before {name}")
            answer = step(self, *args, **kwargs)
            points.reach(f"after {name}")
            return answer

        return call

    steps = {name: around(name, getattr(cls, name)) for name in STEPS if hasattr(cls, name)}
    return type(f"Mortal{cls.__name__}", (cls,), steps)()


def whole_life(gate: Door) -> SessionState:
    session = gate.start(StartRequest("alice", idempotency_key="k")).session
    done: SessionState = gate.finish(session.id, subject="alice", digest="AB").state
    return done


def count_points(make_gate: Callable[..., Door]) -> int:
    points = CrashPoints()
    face = mortal(ScriptedFace, points)
    face.outcome = PASSES
    assert whole_life(make_gate(face=face, store=mortal(MemoryStore, points))) == "passed"
    return len(points.passed)


def test_there_is_a_crash_point_around_every_step(make_gate: Callable[..., Door]) -> None:
    # lookup, insert, create, save; get, save, read, save, delete, save: two points each
    assert count_points(make_gate) == 20


@pytest.mark.parametrize("deadly", range(20))
@pytest.mark.parametrize("later", ["a later call", "a sweep"])
def test_a_crash_at_any_step_leaves_what_can_be_finished_or_closed(
    make_gate: Callable[..., Door], clock: ManualClock, deadly: int, later: str
) -> None:
    # Given a process that dies at one step of a session's life
    points = CrashPoints()
    points.deadly = deadly
    face, store = mortal(ScriptedFace, points), mortal(MemoryStore, points)
    face.outcome = PASSES
    with pytest.raises(Crash):
        whole_life(make_gate(face=face, store=store))
    # The one thing nobody can know: the service created a session and the answer was never stored.
    lost = ["remote-1"] if points.passed[-1] in ("after create", "before save") else []
    lost = [] if "after save" in points.passed else lost

    # When another process takes over
    gate = make_gate(face=face, store=store)
    clock.advance(150)
    known = gate.find(subject="alice").sessions
    states = {each.state for each in known}
    if later == "a later call" and states <= {SessionState.REQUESTED}:
        assert whole_life(gate) == "passed"
    elif later == "a later call":
        assert gate.finish(known[0].id, subject="alice", digest="AB").state == "passed"
    clock.advance(3600)
    gate.sweep()

    # Then nothing is open, nothing is left at the service but what nobody could know of
    known = gate.find(subject="alice").sessions
    assert len(known) <= 1
    assert all(each.state.is_final for each in known)
    assert all(each.remote in ("none", "deleted") for each in known)
    assert sorted(face.sessions) == lost
    if later == "a later call":
        assert known[0].state == "passed"
