"""A sync store in an event loop: each operation in a worker thread."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from livegate.session import LivenessSession, Page
    from livegate.stores.base import SessionQuery, SessionStore

T = TypeVar("T")


class ThreadedStore:
    """Any :class:`livegate.stores.base.SessionStore` as an ``AsyncSessionStore``.

    Cancelling an operation that has begun does not stop it: it still happens, and as a whole. One
    that still waits for a thread does not happen at all.

    Args:
        store: The store; closed with this one.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    @property
    def capabilities(self) -> frozenset[str]:
        """What the wrapped store can do."""
        return self._store.capabilities

    async def insert(self, session: LivenessSession) -> None:
        """See :meth:`livegate.stores.base.SessionStore.insert`."""
        await _in_thread(lambda: self._store.insert(session))

    async def get(self, session_id: str) -> LivenessSession | None:
        """See :meth:`livegate.stores.base.SessionStore.get`."""
        return await _in_thread(lambda: self._store.get(session_id))

    async def lookup(self, subject: str, idempotency_key: str) -> LivenessSession | None:
        """See :meth:`livegate.stores.base.SessionStore.lookup`."""
        return await _in_thread(lambda: self._store.lookup(subject, idempotency_key))

    async def save(self, session: LivenessSession, expected_version: int) -> None:
        """See :meth:`livegate.stores.base.SessionStore.save`."""
        await _in_thread(lambda: self._store.save(session, expected_version))

    async def find(self, query: SessionQuery) -> Page:
        """See :meth:`livegate.stores.base.SessionStore.find`."""
        return await _in_thread(lambda: self._store.find(query))

    async def due(
        self,
        now: datetime,
        limit: int,
        lease: timedelta,
    ) -> tuple[LivenessSession, ...]:
        """See :meth:`livegate.stores.base.SessionStore.due`."""
        return await _in_thread(lambda: self._store.due(now, limit, lease))

    async def purge(self, before: datetime) -> int:
        """See :meth:`livegate.stores.base.SessionStore.purge`."""
        return await _in_thread(lambda: self._store.purge(before))

    async def erase(self, subject: str) -> int:
        """See :meth:`livegate.stores.base.SessionStore.erase`."""
        return await _in_thread(lambda: self._store.erase(subject))

    async def close(self) -> None:
        """See :meth:`livegate.stores.base.SessionStore.close`."""
        await _in_thread(self._store.close)


async def _in_thread(operation: Callable[[], T]) -> T:
    import asyncio  # noqa: PLC0415 - whoever awaits this has imported it, others need not

    answer = await asyncio.to_thread(operation)
    # An ``async def`` that does not look like one, or one among others: it must happen too.
    return await answer if inspect.isawaitable(answer) else answer
