"""The loop of the worker, which an application or ``livegate worker`` runs."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from livegate import Settings, StartRequest, worker
from livegate.errors import StoreError
from livegate.stores.memory import MemoryStore
from livegate.testing import FakeFaceService

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate.testing import ManualClock
    from orchestrators import EitherOrchestrator


pytestmark = pytest.mark.both_kinds  # each has a loop of its own


@dataclass(slots=True)
class StoppingFace(FakeFaceService):
    """A Face service during whose first deletion the worker is stopped."""

    stop: Callable[[], None] = field(default=lambda: None)

    def delete(self, *arguments: Any) -> None:
        super(StoppingFace, self).delete(*arguments)
        self.stop()


class ScriptedStore(MemoryStore):
    """A store whose claims do what a test says, one after the other, and then stop the worker."""

    def __init__(self, *script: Exception | None) -> None:
        super().__init__()
        self.script = list(script)
        self.stop: Callable[[], None] = lambda: None

    def claim(self, *arguments: Any) -> Any:
        if not self.script:
            self.stop()
        elif (failure := self.script.pop(0)) is not None:
            raise failure
        return super().claim(*arguments)


def run(orchestrator: EitherOrchestrator, stopper: Any) -> list[float]:
    """Run the worker until *stopper* stops it; returns for how long it wanted to wait each time."""
    waits: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0)
            return self.is_set()

    class AsyncStop(asyncio.Event):
        async def wait(self) -> Any:
            waits.append(orchestrator.runtime.settings.worker_interval)
            raise TimeoutError

    ported = orchestrator._orchestrator
    if not orchestrator.is_async:
        stop = Stop()
        stopper.stop = stop.set
        worker.run(ported, stop)  # type: ignore[arg-type]  # it is the sync one
        return waits

    async def main() -> None:
        stop = AsyncStop()
        stopper.stop = stop.set
        await worker.run_async(ported, stop)  # type: ignore[arg-type]  # it is the async one

    orchestrator._runner.run(main())
    return waits


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "livegate.worker"]


def test_worker_finishes_the_session_in_hand_when_it_is_stopped(
    make_orchestrator: Callable[..., EitherOrchestrator], clock: ManualClock
) -> None:
    # Given two sessions that are due
    face = StoppingFace()
    orchestrator = make_orchestrator(face=face)
    ids = [orchestrator.start(StartRequest("alice")).session.id for _ in range(2)]
    clock.advance(3600)

    # When the worker is stopped while it has the first one deleted
    run(orchestrator, face)

    # Then that one is over, and the other one is left to the next worker
    sessions = [orchestrator.get(each, subject="alice") for each in ids]
    assert sorted(session.remote for session in sessions) == ["deleted", "present"]
    assert orchestrator.sweep().settled == 1


def test_worker_that_is_stopped_first_does_nothing(
    make_orchestrator: Callable[..., EitherOrchestrator], clock: ManualClock
) -> None:
    store = ScriptedStore()
    orchestrator = make_orchestrator(store=store)
    orchestrator.start(StartRequest("alice"))
    stop: Any = asyncio.Event() if orchestrator.is_async else threading.Event()
    stop.set()
    clock.advance(3600)

    started = (worker.run_async if orchestrator.is_async else worker.run)(
        orchestrator._orchestrator,  # type: ignore[arg-type]  # each has its own
        stop,
    )
    if started is not None:
        orchestrator._runner.run(started)

    assert orchestrator.find(subject="alice").sessions[0].state == "ready"


def test_worker_waits_between_two_sweeps(
    make_orchestrator: Callable[..., EitherOrchestrator],
) -> None:
    store = ScriptedStore(None, None)
    orchestrator = make_orchestrator(store=store, settings=Settings(worker_interval=7))

    assert run(orchestrator, store) == [7, 7, 7]


def test_sweep_that_did_something_is_one_line_in_the_log(
    make_orchestrator: Callable[..., EitherOrchestrator],
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = ScriptedStore(None, None, None)
    orchestrator = make_orchestrator(store=store)
    orchestrator.start(StartRequest("alice"))
    clock.advance(3600)
    caplog.set_level(logging.INFO, "livegate.worker")

    run(orchestrator, store)

    assert lines_of(caplog) == [
        "worker: claimed 1, settled 1, deleted 1, delivered 0, failed 0, purged 0"
    ]


def test_store_that_is_down_is_one_line_in_the_log_and_tried_again(
    make_orchestrator: Callable[..., EitherOrchestrator],
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given a store that is down for two sweeps, with a session that is due
    store = ScriptedStore(StoreError("The store is down."), StoreError("The store is down."), None)
    orchestrator = make_orchestrator(store=store)
    orchestrator.start(StartRequest("alice"))
    clock.advance(3600)

    # When the worker runs
    waits = run(orchestrator, store)

    # Then it has tried again, and has done what is due
    assert waits[:2] == [5, 5]
    assert lines_of(caplog) == ["worker: The store is down. Trying again in 5 s."] * 2
    assert orchestrator.find(subject="alice").sessions[0].state == "expired"


def test_worker_goes_on_after_a_fault_in_a_store(
    make_orchestrator: Callable[..., EitherOrchestrator], caplog: pytest.LogCaptureFixture
) -> None:
    store = ScriptedStore(ZeroDivisionError(), None)
    orchestrator = make_orchestrator(store=store)

    run(orchestrator, store)

    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert store.script == []
