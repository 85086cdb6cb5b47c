"""One suite for sync and async stores: a handle that uses either as a sync one."""

from __future__ import annotations

import inspect
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from datetime import datetime, timedelta

    from livegate.protocols import AnyStore, Claim, EventRecord, Record, RecordQuery

T = TypeVar("T")

TIMEOUT: Final = 30.0
"""Seconds that one operation of an async store may take."""


class EventLoop:
    """An event loop in a thread of its own, in which any thread can await.

    Args:
        timeout: Seconds that an awaitable may take.
    """

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        self._lock = Lock()
        self._thread: Thread | None = None

    @overload
    def value_of(self, value: Awaitable[T]) -> T: ...
    @overload
    def value_of(self, value: T | Awaitable[T]) -> T: ...
    def value_of(self, value: Any) -> Any:
        """*value*, or what it gives when it is awaited.

        Raises:
            AssertionError: It took longer than the timeout.
        """
        if not inspect.isawaitable(value):
            return value

        async def wait() -> Any:
            return await value

        import asyncio  # noqa: PLC0415 - the processes of a sync store start sooner without it

        with self._lock:
            if self._thread is None:
                self._loop = asyncio.new_event_loop()
                self._thread = Thread(target=self._loop.run_forever, daemon=True)
                self._thread.start()
        future = asyncio.run_coroutine_threadsafe(wait(), self._loop)
        try:
            return future.result(self._timeout)
        except TimeoutError:
            if future.done():  # the operation's own error
                raise
            future.cancel()
            raise AssertionError(f"an operation took more than {self._timeout} s") from None

    def close(self) -> None:
        """End the loop and its threads."""
        if self._thread is not None:
            try:
                self.value_of(self._loop.shutdown_default_executor())
            finally:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._thread.join()
                self._loop.close()


class StoreHandle:
    """A store, sync or async, used as a :class:`livegate.protocols.SessionStore`.

    Attributes:
        raw: The store.
        loop: Where an async store is awaited.
    """

    def __init__(self, raw: AnyStore, loop: EventLoop) -> None:
        self.raw = raw
        self.loop = loop
        self._value_of = loop.value_of

    @property
    def is_async(self) -> bool:
        """Whether the store's operations have to be awaited."""
        result = self.raw.get("no-such-session")
        self._value_of(result)
        return inspect.isawaitable(result)

    @property
    def capabilities(self) -> frozenset[str]:
        """As the store says."""
        return self.raw.capabilities

    def insert(self, record: Record, events: Sequence[EventRecord] = ()) -> None:
        """As the store does it."""
        self._value_of(self.raw.insert(record, events))

    def get(self, session_id: str) -> Record | None:
        """As the store does it."""
        return self._value_of(self.raw.get(session_id))

    def get_by_idempotency_key(self, subject: str, key: str) -> Record | None:
        """As the store does it."""
        return self._value_of(self.raw.get_by_idempotency_key(subject, key))

    def save(
        self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
    ) -> None:
        """As the store does it."""
        self._value_of(self.raw.save(record, expected_version, events))

    def find(self, query: RecordQuery) -> tuple[Record, ...]:
        """As the store does it."""
        return self._value_of(self.raw.find(query))

    def claim(self, now: datetime, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        """As the store does it."""
        return self._value_of(self.raw.claim(now, limit, lease))

    def release(
        self,
        claim: Claim,
        next_at: datetime | None = None,
        delivered_up_to: int | None = None,
        progress: bytes | None = None,
    ) -> bool:
        """As the store does it."""
        return self._value_of(self.raw.release(claim, next_at, delivered_up_to, progress))

    def purge(self, before: datetime, limit: int) -> int:
        """As the store does it."""
        return self._value_of(self.raw.purge(before, limit))

    def erase(self, subject: str) -> int:
        """As the store does it."""
        return self._value_of(self.raw.erase(subject))

    def close(self) -> None:
        """As the store does it."""
        self._value_of(self.raw.close())
