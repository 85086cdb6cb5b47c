"""One suite for sync and async stores: a sync face for both, and threads that really race."""

from __future__ import annotations

import asyncio
import inspect
import sys
from contextlib import contextmanager
from threading import Barrier, Thread
from typing import TYPE_CHECKING, Any, Final, TypeVar

import pytest

from livegate.stores.base import DURABLE, SHARED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from datetime import datetime, timedelta

    from livegate.session import LivenessSession, Page
    from livegate.stores.base import AnyStore, SessionQuery

T = TypeVar("T")

CROWD: Final = 32
"""How many threads race."""


class EventLoop:
    """An event loop in a thread of its own, in which any thread can await."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="store-contract-loop")
        self._thread.start()

    def value_of(self, value: T | Awaitable[T]) -> T:
        """*value*, or what it gives when it is awaited."""
        if not inspect.isawaitable(value):
            return value

        async def wait() -> T:
            return await value

        return asyncio.run_coroutine_threadsafe(wait(), self._loop).result()

    def close(self) -> None:
        """End the loop and its threads."""
        ending = self._loop.shutdown_default_executor()
        asyncio.run_coroutine_threadsafe(ending, self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class DrivenStore:
    """A store of either colour, used as a sync one."""

    def __init__(self, store: AnyStore, loop: EventLoop) -> None:
        self._store = store
        self._value_of = loop.value_of

    @property
    def capabilities(self) -> frozenset[str]:
        """What the store claims to be capable of."""
        return self._store.capabilities

    def insert(self, session: LivenessSession) -> None:
        """As the store does it."""
        self._value_of(self._store.insert(session))

    def get(self, session_id: str) -> LivenessSession | None:
        """As the store does it."""
        return self._value_of(self._store.get(session_id))

    def lookup(self, subject: str, idempotency_key: str) -> LivenessSession | None:
        """As the store does it."""
        return self._value_of(self._store.lookup(subject, idempotency_key))

    def save(self, session: LivenessSession, expected_version: int) -> None:
        """As the store does it."""
        self._value_of(self._store.save(session, expected_version))

    def find(self, query: SessionQuery) -> Page:
        """As the store does it."""
        return self._value_of(self._store.find(query))

    def due(self, now: datetime, limit: int, lease: timedelta) -> tuple[LivenessSession, ...]:
        """As the store does it."""
        return self._value_of(self._store.due(now, limit, lease))

    def purge(self, before: datetime) -> int:
        """As the store does it."""
        return self._value_of(self._store.purge(before))

    def erase(self, subject: str) -> int:
        """As the store does it."""
        return self._value_of(self._store.erase(subject))

    def close(self) -> None:
        """As the store does it."""
        self._value_of(self._store.close())


class StoreSuite:
    """The fixtures that every part of the contract stands on."""

    @pytest.fixture
    def other_store(self) -> AnyStore | None:
        """A second handle on the same data; None where there can be none."""
        return None

    @pytest.fixture
    def loop(self) -> Iterator[EventLoop]:
        """Where async stores are awaited."""
        loop = EventLoop()
        yield loop
        loop.close()

    @pytest.fixture
    def driven(
        self,
        store: Any,
        loop: EventLoop,
    ) -> Iterator[DrivenStore]:
        """The store under test."""
        opened: AnyStore = loop.value_of(store)
        driven = DrivenStore(opened, loop)
        yield driven
        driven.close()

    @pytest.fixture
    def other(
        self,
        driven: DrivenStore,
        other_store: Any,
        loop: EventLoop,
    ) -> Iterator[DrivenStore]:
        """The second handle; a test that asks for it is skipped where no store needs one."""
        if other_store is None:
            claimed = driven.capabilities & {DURABLE, SHARED}
            if claimed:
                names = " and ".join(sorted(claimed))
                pytest.fail(f"the store claims to be {names}: define the fixture other_store")
            pytest.skip(f"the store claims neither {DURABLE!r} nor {SHARED!r}")
        opened: AnyStore = loop.value_of(other_store)
        other = DrivenStore(opened, loop)
        yield other
        other.close()


def race(work: Callable[[int], T], threads: int = CROWD) -> list[T | Exception]:
    """What ``work(0)``, ``work(1)``, ... return or raise when all of them begin at one moment."""
    results: dict[int, T | Exception] = {}
    start = Barrier(threads)

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = work(number)
        except Exception as error:  # noqa: BLE001 - the test judges it
            results[number] = error

    crowd = [Thread(target=run, args=(number,)) for number in range(threads)]
    with _hectic():
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
    return [results[number] for number in range(threads)]


@contextmanager
def _hectic() -> Iterator[None]:
    """Threads take turns as often as they can, so that a missing lock shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
