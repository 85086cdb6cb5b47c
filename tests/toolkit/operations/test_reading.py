"""Reading a session: the service is asked when something is due, and at most once in a while."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from tests.toolkit.operations.samples import ALICE, DIGEST, PASSES, RUNS, S, passed, start

from livegate import AsyncOrchestrator, Orchestrator, Outcome, Settings
from livegate.errors import FaceUnavailableError
from livegate.testing import AsyncFakeFaceService, FakeFaceService

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate import SessionKind
    from livegate.stores.memory import MemoryStore
    from livegate.testing import ManualClock
    from orchestrators import EitherOrchestrator


def awaiting(orchestrator: EitherOrchestrator, face: FakeFaceService) -> str:
    """The id of a session that waits for its result."""
    face.outcome = RUNS
    session = start(orchestrator)
    done = orchestrator.finish(session.id, subject="alice", digest=DIGEST)
    assert done.state is S.AWAITING_RESULT
    face.calls.clear()
    return session.id


@pytest.mark.both_kinds
def test_a_get_shows_the_session_as_it_is_stored(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    session_id = awaiting(orchestrator, face)
    stored = orchestrator.get(session_id, subject="alice")
    clock.advance(10_000)

    for _ in range(10):
        assert orchestrator.get(session_id, subject="alice") == stored
    assert face.calls == []


def test_a_read_of_a_session_with_nothing_due_asks_nothing_and_changes_nothing(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    session = start(orchestrator)
    done = passed(orchestrator, face)
    face.calls.clear()
    clock.advance(100)

    assert orchestrator.read(session.id, subject="alice") == session
    assert orchestrator.read(done.id, subject="alice") == done
    assert face.calls == []


@pytest.mark.both_kinds
@pytest.mark.parametrize("interval", [2, 7])
def test_many_reads_within_the_interval_ask_the_service_once(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    clock: ManualClock,
    interval: int,
) -> None:
    # Given a session that waits for its result, which was just asked for
    orchestrator = make_orchestrator(settings=Settings(poll_interval=interval))
    session_id = awaiting(orchestrator, face)
    for _ in range(100):
        clock.advance((interval - 0.001) / 100)
        orchestrator.read(session_id, subject="alice")
    assert face.calls == []

    # When the interval is over, then many reads ask the service once
    clock.advance(0.001)
    states = {orchestrator.read(session_id, subject="alice").state for _ in range(100)}
    assert face.calls == ["read"]
    assert states == {S.AWAITING_RESULT}

    # And in the next interval once more, which shows the result
    face.outcome = PASSES
    assert orchestrator.read(session_id, subject="alice").state is S.AWAITING_RESULT
    clock.advance(interval)
    states = {orchestrator.read(session_id, subject="alice").state for _ in range(100)}
    assert states == {S.PASSED}
    assert face.calls == ["read", "read", "delete"]


def test_a_finish_that_is_repeated_counts_as_a_read(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    session_id = awaiting(orchestrator, face)
    stored = orchestrator.get(session_id, subject="alice")

    for _ in range(50):
        again = orchestrator.finish(session_id, subject="alice", digest=DIGEST)
        silent = orchestrator.finish(session_id, subject="alice")
        assert again == silent == stored
    assert face.calls == []

    clock.advance(2)
    for _ in range(50):
        orchestrator.finish(session_id, subject="alice", digest=DIGEST)
    assert face.calls == ["read"]


def test_no_number_of_different_reports_asks_the_service_more_than_a_few_times(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    session_id = awaiting(orchestrator, face)

    for number in range(50):
        orchestrator.finish(
            session_id, subject="alice", digest=f"{number:X}", client_error=f"Error{number}"
        )

    assert face.calls == ["read"]


def test_a_read_that_fails_counts_too(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    session_id = awaiting(orchestrator, face)
    face.failures["read"] = FaceUnavailableError("no response")
    clock.advance(2)

    with pytest.raises(FaceUnavailableError):
        orchestrator.read(session_id, subject="alice")
    for _ in range(100):
        assert orchestrator.read(session_id, subject="alice").state is S.AWAITING_RESULT
    assert face.calls == ["read"]


def test_reads_after_the_end_of_the_lifetime_ask_once_in_a_while_too(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    # Given a session that was never finished, with an attempt that still runs at its end
    session = start(orchestrator)
    face.outcome = RUNS
    clock.advance(600)

    # When it is read many times, then the service is asked as often as for an awaited result
    for _ in range(10):
        orchestrator.read(session.id, subject="alice")
    clock.advance(1)
    orchestrator.read(session.id, subject="alice")
    assert face.calls == ["create", "read"]
    clock.advance(1)
    orchestrator.read(session.id, subject="alice")
    assert face.calls == ["create", "read", "read"]


def test_many_threads_that_read_at_the_same_moment_ask_the_service_once(
    store: MemoryStore, clock: ManualClock
) -> None:
    # Given a service that is slow enough for all threads to come before it responds
    count = 20
    arrived = threading.Barrier(count)

    class Face(FakeFaceService):
        def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
            result = super().read(kind, remote_id, api_version)
            if threading.current_thread() is not threading.main_thread():
                responded.wait(10)
            return result

    responded = threading.Event()
    face = Face(outcome=RUNS)
    orchestrator = Orchestrator(Settings(), face=face, store=store, clock=clock)
    session = orchestrator.start(ALICE).session
    orchestrator.finish(session.id, subject="alice", digest=DIGEST)
    face.calls.clear()
    clock.advance(2)

    # When they all read, then one of them asks, and the others do not wait for it
    states: list[str] = []

    def read() -> None:
        arrived.wait(10)
        states.append(orchestrator.read(session.id, subject="alice").state)
        if len(states) == count - 1:
            responded.set()

    threads = [threading.Thread(target=read) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert face.calls == ["read"]
    assert states == ["awaiting_result"] * count


def test_many_tasks_that_read_at_the_same_moment_ask_the_service_once(
    face: FakeFaceService, store: MemoryStore, clock: ManualClock
) -> None:
    class SlowFace(AsyncFakeFaceService):
        async def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
            result = await super().read(kind, remote_id, api_version)
            await asyncio.sleep(0.01)
            return result

    async def run() -> list[str]:
        orchestrator = AsyncOrchestrator(Settings(), face=SlowFace(face), store=store, clock=clock)
        session = (await orchestrator.start(ALICE)).session
        face.outcome = RUNS
        await orchestrator.finish(session.id, subject="alice", digest=DIGEST)
        face.calls.clear()
        clock.advance(2)
        reads = [orchestrator.read(session.id, subject="alice") for _ in range(100)]
        return [each.state for each in await asyncio.gather(*reads)]

    assert asyncio.run(run()) == ["awaiting_result"] * 100
    assert face.calls == ["read"]
