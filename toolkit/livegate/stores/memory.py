"""Sessions in the memory of one process: for tests, and for applications that need no more.

Every guarantee of the contract holds among the threads of the process. The sessions end with it,
also those that are still to be deleted at the service, of which nobody knows any more.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from contextlib import contextmanager
from heapq import nlargest
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from livegate.errors import KeyTakenError, StoreError
from livegate.lifecycle import due_at
from livegate.stores import paging
from livegate.stores.base import FORGETTABLE, check_due, check_insert, check_save

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, timedelta

    from livegate.session import LivenessSession, Page
    from livegate.stores.base import SessionQuery


class _Row(NamedTuple):
    """A session and all that it is found by, worked out before anything is changed."""

    session: LivenessSession
    id: str
    key: tuple[str, str] | None
    position: paging.Position
    due: datetime | None

    @classmethod
    def of(cls, session: LivenessSession) -> _Row:
        key = session.idempotency_key
        return cls(
            session,
            session.id,
            None if key is None else (session.subject, key),
            paging.position(session),
            due_at(session),
        )


class MemoryStore:
    """A :class:`livegate.stores.base.SessionStore` of its own for each object; ``memory://``.

    Looking for one session, and for the due ones, takes no longer when there are many; ``find``,
    ``purge`` and ``erase`` look at all of them.
    """

    capabilities: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        self._lock = Lock()
        self._closed = False
        self._rows: dict[str, _Row] = {}
        self._ids_by_key: dict[tuple[str, str], str] = {}
        self._due: list[tuple[datetime, str]] = []  # sorted; the leased ones stay in it
        self._leased_until: dict[str, datetime] = {}

    def insert(self, session: LivenessSession) -> None:
        """See :meth:`livegate.stores.base.SessionStore.insert`."""
        check_insert(session)
        row = _Row.of(session)
        with self._opened():
            if row.id in self._rows or row.key in self._ids_by_key:
                raise KeyTakenError("The id or the idempotency key is taken; nothing was saved.")
            self._put(row)

    def get(self, session_id: str) -> LivenessSession | None:
        """See :meth:`livegate.stores.base.SessionStore.get`."""
        with self._opened():
            row = self._rows.get(session_id)
            return None if row is None else row.session

    def lookup(self, subject: str, idempotency_key: str) -> LivenessSession | None:
        """See :meth:`livegate.stores.base.SessionStore.lookup`."""
        with self._opened():
            session_id = self._ids_by_key.get((subject, idempotency_key))
            return None if session_id is None else self._rows[session_id].session

    def save(self, session: LivenessSession, expected_version: int) -> None:
        """See :meth:`livegate.stores.base.SessionStore.save`."""
        row = _Row.of(session)
        with self._opened():
            before = self._rows.get(row.id)
            check_save(before.session if before else None, session, expected_version)
            self._drop(row.id)
            self._put(row)

    def find(self, query: SessionQuery) -> Page:
        """See :meth:`livegate.stores.base.SessionStore.find`."""
        bound = paging.bound(query)
        with self._opened():
            found = nlargest(
                query.limit + 1,
                (
                    row
                    for row in self._rows.values()
                    if row.position < bound
                    and query.subject in {None, row.session.subject}
                    and (not query.states or row.session.state in query.states)
                ),
                key=lambda row: row.position,
            )
        return paging.page([row.session for row in found], query.limit)

    def due(self, now: datetime, limit: int, lease: timedelta) -> tuple[LivenessSession, ...]:
        """See :meth:`livegate.stores.base.SessionStore.due`."""
        check_due(limit)
        with self._opened():
            ids = list(islice(self._ids_due(now), limit))
            self._leased_until.update(dict.fromkeys(ids, now + lease))
            return tuple(self._rows[session_id].session for session_id in ids)

    def purge(self, before: datetime) -> int:
        """See :meth:`livegate.stores.base.SessionStore.purge`."""
        return self._forget(
            lambda session: (
                session.state.is_final
                and session.updated_at < before
                and session.remote in FORGETTABLE
            ),
        )

    def erase(self, subject: str) -> int:
        """See :meth:`livegate.stores.base.SessionStore.erase`."""
        return self._forget(lambda session: session.subject == subject)

    def close(self) -> None:
        """Forget everything: nobody can open this store again."""
        with self._lock:
            self._closed = True
            self._rows.clear()
            self._ids_by_key.clear()
            self._due.clear()
            self._leased_until.clear()

    @contextmanager
    def _opened(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise StoreError("The memory store is closed.")
            yield

    def _put(self, row: _Row) -> None:
        self._rows[row.id] = row
        if row.key is not None:
            self._ids_by_key[row.key] = row.id
        if row.due is not None:
            insort(self._due, (row.due, row.id))

    def _drop(self, session_id: str) -> None:
        row = self._rows.pop(session_id)
        if row.key is not None:
            del self._ids_by_key[row.key]
        if row.due is not None:
            del self._due[bisect_left(self._due, (row.due, row.id))]
        self._leased_until.pop(session_id, None)

    def _ids_due(self, now: datetime) -> Iterator[str]:
        for due, session_id in self._due:
            if due > now:
                return
            leased_until = self._leased_until.get(session_id)
            if leased_until is None or leased_until <= now:
                yield session_id

    def _forget(self, applies: Callable[[LivenessSession], bool]) -> int:
        with self._opened():
            ids = [row.id for row in self._rows.values() if applies(row.session)]
            for session_id in ids:
                self._drop(session_id)
            return len(ids)
