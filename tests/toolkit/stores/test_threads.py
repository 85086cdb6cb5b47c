"""A sync store in an event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event, get_ident
from typing import TYPE_CHECKING

import pytest

from livegate.protocols import AsyncSessionStore
from livegate.stores.memory import MemoryStore
from livegate.stores.sqlite import SqliteStore
from livegate.stores.threads import ThreadedStore
from livegate.testing.store_suite.samples import (
    ALL,
    HOUR,
    NOW,
    a_record,
    an_event,
    next_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from livegate.protocols import EventRecord, Record


class SlowStore(MemoryStore):
    """A store whose inserts wait for the test."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may_end, self.ended = Event(), Event(), Event()
        self.thread: int | None = None

    def insert(self, record: Record, events: Sequence[EventRecord] = ()) -> None:
        self.thread = get_ident()
        self.begun.set()
        assert self.may_end.wait(30)
        super().insert(record, events)
        self.ended.set()

    async def until_begun(self) -> None:
        with ThreadPoolExecutor() as own:  # the loop's may be busy with the insert
            await asyncio.get_running_loop().run_in_executor(own, self.begun.wait, 30)


def test_capabilities_are_those_of_the_store(tmp_path: Path) -> None:
    """Given a store with capabilities, and one without; they are handed on."""
    sqlite = SqliteStore(tmp_path / "x.db")
    assert ThreadedStore(sqlite).capabilities == sqlite.capabilities == {"durable", "shared"}
    sqlite.close()
    assert ThreadedStore(MemoryStore()).capabilities == frozenset()


def test_threaded_store_is_an_async_store() -> None:
    """Given any sync store; type checkers and isinstance see an async one."""
    store: AsyncSessionStore = ThreadedStore(MemoryStore())  # mypy looks at this
    assert isinstance(store, AsyncSessionStore)


def test_event_loop_goes_on_during_an_operation() -> None:
    """Given an insert that takes its time, in another thread; the loop runs other tasks."""
    slow = SlowStore()

    async def main() -> None:
        inserting = asyncio.create_task(ThreadedStore(slow).insert(a_record()))
        await slow.until_begun()
        assert not inserting.done()
        slow.may_end.set()
        await inserting

    asyncio.run(main())
    assert slow.thread not in {None, get_ident()}
    assert slow.get("session-1") == a_record()


def test_cancelled_operation_that_has_begun_is_done_as_a_whole() -> None:
    """Given an insert in its thread; when the await is cancelled, the insert still ends."""
    slow = SlowStore()

    async def main() -> None:
        inserting = asyncio.create_task(ThreadedStore(slow).insert(a_record()))
        await slow.until_begun()
        inserting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await inserting
        slow.may_end.set()

    asyncio.run(main())
    assert slow.ended.wait(30)
    assert slow.get("session-1") == a_record()


def test_cancelled_operation_that_has_not_begun_is_not_done() -> None:
    """Given that all threads are busy; when a waiting insert is cancelled, there is no trace."""
    slow = SlowStore()

    async def main() -> None:
        store = ThreadedStore(slow)
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=1))
        first = asyncio.create_task(store.insert(a_record("first")))
        await slow.until_begun()
        second = asyncio.create_task(store.insert(a_record("second")))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        slow.may_end.set()
        await first

    asyncio.run(main())
    assert slow.get("first") is not None
    assert slow.get("second") is None


def test_save_that_is_cancelled_is_done_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    """Given saves cancelled after 0 to 29 turns of the loop; each is done with its event or not."""
    sqlite = SqliteStore(tmp_path / "x.db")
    before = [a_record(f"{turns}") for turns in range(30)]
    after = [next_of(record, due_at=NOW, body=b"x" * 1000) for record in before]
    for record in before:
        sqlite.insert(record)

    async def main() -> None:
        store = ThreadedStore(sqlite)
        for turns, record in enumerate(after):
            saving = asyncio.create_task(store.save(record, 1, [an_event(2)]))
            for _ in range(turns):
                await asyncio.sleep(0)
            saving.cancel()
            await asyncio.wait([saving])

    asyncio.run(main())  # and wait for its threads
    saved = {claim.record.id: claim for claim in sqlite.claim(NOW, ALL, HOUR)}
    for old, new in zip(before, after, strict=True):
        if sqlite.get(old.id) == old:
            assert old.id not in saved
            sqlite.save(new, 1)
        else:
            assert (saved[new.id].record, saved[new.id].events) == (new, (an_event(2),))
    sqlite.close()
