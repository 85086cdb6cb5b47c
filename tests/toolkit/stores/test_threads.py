"""A sync store in an event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Event, get_ident
from typing import TYPE_CHECKING

import pytest

from livegate.stores.base import AsyncSessionStore
from livegate.stores.memory import MemoryStore
from livegate.stores.sqlite import SqliteStore
from livegate.stores.threads import ThreadedStore
from livegate.testing.store_suite.samples import a_session, next_of

if TYPE_CHECKING:
    from pathlib import Path

    from livegate.session import LivenessSession


class SlowStore(MemoryStore):
    """Inserts when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.may_end, self.ended = Event(), Event(), Event()
        self.thread: int | None = None

    def insert(self, session: LivenessSession) -> None:
        self.thread = get_ident()
        self.begun.set()
        assert self.may_end.wait(30)
        super().insert(session)
        self.ended.set()

    async def until_begun(self) -> None:
        with ThreadPoolExecutor() as own:  # the loop's may be busy with the insert
            await asyncio.get_running_loop().run_in_executor(own, self.begun.wait, 30)


def test_it_can_do_what_the_store_can(tmp_path: Path) -> None:
    sqlite = SqliteStore(tmp_path / "x.db")
    assert ThreadedStore(sqlite).capabilities == sqlite.capabilities == {"durable", "shared"}
    sqlite.close()
    assert ThreadedStore(MemoryStore()).capabilities == frozenset()


def test_it_is_an_async_store() -> None:
    store: AsyncSessionStore = ThreadedStore(MemoryStore())  # mypy looks at this
    assert isinstance(store, AsyncSessionStore)


def test_the_loop_goes_on_meanwhile() -> None:
    slow = SlowStore()

    async def main() -> None:
        inserting = asyncio.create_task(ThreadedStore(slow).insert(a_session()))
        await slow.until_begun()
        assert not inserting.done()
        slow.may_end.set()
        await inserting

    asyncio.run(main())
    assert slow.thread not in {None, get_ident()}
    assert slow.get("session-1") == a_session()


def test_an_operation_that_has_begun_happens_as_a_whole() -> None:
    """Given an insert in its thread; when the await is cancelled, the insert still ends."""
    slow = SlowStore()

    async def main() -> None:
        inserting = asyncio.create_task(ThreadedStore(slow).insert(a_session()))
        await slow.until_begun()
        inserting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await inserting
        slow.may_end.set()

    asyncio.run(main())
    assert slow.ended.wait(30)
    assert slow.get("session-1") == a_session()


def test_an_operation_that_has_not_begun_does_not_happen() -> None:
    """Given that all threads are busy; when a waiting insert is cancelled, there is no trace."""
    slow = SlowStore()

    async def main() -> None:
        store = ThreadedStore(slow)
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=1))
        first = asyncio.create_task(store.insert(a_session("first")))
        await slow.until_begun()
        second = asyncio.create_task(store.insert(a_session("second")))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        slow.may_end.set()
        await first

    asyncio.run(main())
    assert slow.get("first") is not None
    assert slow.get("second") is None


def test_a_save_cancelled_at_any_moment_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    sqlite = SqliteStore(tmp_path / "x.db")
    before = [a_session(f"{turns}") for turns in range(30)]
    after = [next_of(session, client_error="x" * 1000) for session in before]
    for session in before:
        sqlite.insert(session)

    async def main() -> None:
        store = ThreadedStore(sqlite)
        for turns, session in enumerate(after):
            saving = asyncio.create_task(store.save(session, 1))
            for _ in range(turns):
                await asyncio.sleep(0)
            saving.cancel()
            await asyncio.wait([saving])

    asyncio.run(main())  # and wait for its threads
    for old, new in zip(before, after, strict=True):
        assert sqlite.get(old.id) in {old, new}
        if sqlite.get(old.id) == old:
            sqlite.save(new, 1)
    sqlite.close()
