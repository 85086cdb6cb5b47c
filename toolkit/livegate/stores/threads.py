"""A sync store in an event loop: each operation in a worker thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from livegate.protocols import Claim, EventRecord, Record, RecordQuery, SessionStore

P = ParamSpec("P")
T = TypeVar("T")


class ThreadedStore:
    """Any :class:`livegate.protocols.SessionStore` as an ``AsyncSessionStore``.

    A cancelled operation that has begun is not stopped: it is done as a whole. One that still waits
    for a thread is not done.

    Args:
        store: The store; closed with this one, which waits for its running operations.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    @property
    def capabilities(self) -> frozenset[str]:
        """What the wrapped store can do."""
        return self._store.capabilities

    async def insert(self, record: Record, events: Sequence[EventRecord] = ()) -> None:
        """See :meth:`livegate.protocols.SessionStore.insert`."""
        await _in_thread(self._store.insert, record, events)

    async def get(self, session_id: str) -> Record | None:
        """See :meth:`livegate.protocols.SessionStore.get`."""
        return await _in_thread(self._store.get, session_id)

    async def get_by_idempotency_key(self, subject: str, key: str) -> Record | None:
        """See :meth:`livegate.protocols.SessionStore.get_by_idempotency_key`."""
        return await _in_thread(self._store.get_by_idempotency_key, subject, key)

    async def save(
        self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
    ) -> None:
        """See :meth:`livegate.protocols.SessionStore.save`."""
        await _in_thread(self._store.save, record, expected_version, events)

    async def find(self, query: RecordQuery) -> tuple[Record, ...]:
        """See :meth:`livegate.protocols.SessionStore.find`."""
        return await _in_thread(self._store.find, query)

    async def claim(self, now: datetime, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        """See :meth:`livegate.protocols.SessionStore.claim`."""
        return await _in_thread(self._store.claim, now, limit, lease)

    async def release(
        self,
        claim: Claim,
        next_at: datetime | None = None,
        delivered_up_to: int | None = None,
        progress: bytes | None = None,
    ) -> bool:
        """See :meth:`livegate.protocols.SessionStore.release`."""
        return await _in_thread(self._store.release, claim, next_at, delivered_up_to, progress)

    async def purge(self, before: datetime, limit: int) -> int:
        """See :meth:`livegate.protocols.SessionStore.purge`."""
        return await _in_thread(self._store.purge, before, limit)

    async def erase(self, subject: str) -> int:
        """See :meth:`livegate.protocols.SessionStore.erase`."""
        return await _in_thread(self._store.erase, subject)

    async def close(self) -> None:
        """See :meth:`livegate.protocols.SessionStore.close`."""
        await _in_thread(self._store.close)


async def _in_thread(operation: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    # Imported here: every caller has imported it, and sync programs do not pay for it.
    from asyncio import to_thread  # noqa: PLC0415

    return await to_thread(operation, *args, **kwargs)
