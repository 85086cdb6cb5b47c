"""Sessions in the memory of one process: for tests, and for applications that need no more.

Every guarantee of the contract holds among the threads of the process. The sessions end with it,
also those that are still to be deleted at the service.
"""

from __future__ import annotations

import os
from bisect import bisect_left, insort
from datetime import UTC, datetime
from itertools import chain, count, islice, takewhile
from operator import attrgetter
from threading import Lock
from typing import TYPE_CHECKING, ClassVar, Final

from livegate.errors import DuplicateKeyError, StoreError, VersionConflictError
from livegate.protocols import IMMUTABLE_FIELDS, Claim

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from livegate.protocols import EventRecord, Record, RecordQuery

_LOCK: Final = Lock()
"""One for all stores, which a fork takes: a child must not inherit it from a thread at work."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_LOCK.acquire, after_in_parent=_LOCK.release, after_in_child=_LOCK.release
    )

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_immutable = attrgetter(*IMMUTABLE_FIELDS)


class _Row:
    """A record and what the queue knows of it.

    Attributes:
        events_since: The time of the store's last claim when the oldest undelivered event came.
        turn: Counts inserts and claims; orders what has been waiting since the same time.
        fence: The turn of the last claim; 0 before the first.
        claimed_at: The time of the last claim.
        held_until: Not claimable before: the end of the lease, or else the ``next_at``.
        is_leased: Claimed, and not released since.
        has_news: Never claimed, or saved since and not released at that version.
    """

    __slots__ = (
        "claimed_at",
        "events",
        "events_since",
        "fence",
        "has_news",
        "held_until",
        "is_leased",
        "progress",
        "record",
        "turn",
    )

    def __init__(self, record: Record, events: tuple[EventRecord, ...]) -> None:
        self.record = record
        self.events = events
        self.progress: bytes | None = None
        self.turn = self.fence = 0
        self.events_since = _LONG_AGO
        self.claimed_at = self.held_until = _LONG_AGO
        self.is_leased = False
        self.has_news = True


class _Queue:
    """Ids of sessions in the order of a time each, and of their turns where that is the same."""

    def __init__(self) -> None:
        self._places: list[tuple[datetime, int, str]] = []
        self._place_of: dict[str, tuple[datetime, int, str]] = {}

    def put(self, session_id: str, moment: datetime | None, turn: int = 0) -> None:
        """Move the session to *moment*, or out of the queue."""
        before = self._place_of.pop(session_id, None)
        if before is not None:
            del self._places[bisect_left(self._places, before)]
        if moment is not None:
            place = self._place_of[session_id] = (moment, turn, session_id)
            insort(self._places, place)

    def until(self, end: datetime) -> Iterator[str]:
        """The ids up to and including *end*, in order."""
        return (place[2] for place in takewhile(lambda place: place[0] <= end, self._places))

    def before(self, end: datetime) -> Iterator[str]:
        """The ids before *end*, in order."""
        return (place[2] for place in takewhile(lambda place: place[0] < end, self._places))


class MemoryStore:
    """A :class:`livegate.protocols.SessionStore` of its own for each object; ``memory://``.

    No operation takes noticeably longer when there are many sessions, waits for anything, or does
    I/O.
    """

    capabilities: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        self._lock = _LOCK
        self._is_closed = False
        self._turns = count(1)
        self._last_claim = _LONG_AGO
        self._rows: dict[str, _Row] = {}
        self._ids_by_key: dict[tuple[str, str], str] = {}
        self._places_by_subject: dict[str, list[tuple[datetime, str]]] = {}
        self._due_with_news = _Queue()
        self._due_without_news = _Queue()
        self._with_events = _Queue()
        self._purgeable = _Queue()

    def for_event_loop(self) -> MemoryStore:
        """The store itself: its operations do not block."""
        return self

    def insert(self, record: Record, events: Sequence[EventRecord] = ()) -> None:
        """See :meth:`livegate.protocols.SessionStore.insert`."""
        row = _Row(record, tuple(events))
        with self._lock:
            self._check_open()
            key = None if record.key is None else (record.subject, record.key)
            if record.id in self._rows or key in self._ids_by_key:
                raise DuplicateKeyError("The id or the idempotency key is taken; nothing was saved")
            self._rows[record.id] = row
            if key is not None:
                self._ids_by_key[key] = record.id
            places = self._places_by_subject.setdefault(record.subject, [])
            insort(places, (record.created_at, record.id))
            row.turn, row.events_since = next(self._turns), self._last_claim
            self._queue(row)

    def get(self, session_id: str) -> Record | None:
        """See :meth:`livegate.protocols.SessionStore.get`."""
        with self._lock:
            self._check_open()
            row = self._rows.get(session_id)
            return None if row is None else row.record

    def get_by_idempotency_key(self, subject: str, key: str) -> Record | None:
        """See :meth:`livegate.protocols.SessionStore.get_by_idempotency_key`."""
        with self._lock:
            self._check_open()
            session_id = self._ids_by_key.get((subject, key))
            return None if session_id is None else self._rows[session_id].record

    def save(
        self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
    ) -> None:
        """See :meth:`livegate.protocols.SessionStore.save`.

        Raises:
            ValueError: A field that never changes is another one; nothing was written.
        """
        added = tuple(events)
        with self._lock:
            self._check_open()
            row = self._rows.get(record.id)
            if row is None or row.record.version != expected_version:
                raise VersionConflictError("The session was changed or removed; nothing was saved")
            if _immutable(row.record) != _immutable(record):
                raise ValueError(f"save never changes {', '.join(IMMUTABLE_FIELDS)}")
            row.record = record
            if added and not row.events:
                row.events_since = self._last_claim
            row.events += added
            if not row.is_leased:
                row.held_until = row.claimed_at
            row.has_news = True
            self._queue(row)

    def find(self, query: RecordQuery) -> tuple[Record, ...]:
        """See :meth:`livegate.protocols.SessionStore.find`."""
        found: list[Record] = []
        with self._lock:
            self._check_open()
            places = self._places_by_subject.get(query.subject, [])
            end = len(places) if query.after is None else bisect_left(places, query.after)
            for position in range(end - 1, -1, -1):
                record = self._rows[places[position][1]].record
                if not query.states or record.state in query.states:
                    found.append(record)
                    if len(found) == query.limit:
                        break
        return tuple(found)

    def claim(self, now: datetime, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        """See :meth:`livegate.protocols.SessionStore.claim`."""
        if limit < 1:
            raise ValueError("limit must be at least 1")
        with self._lock:
            self._check_open()
            self._last_claim = max(now, self._last_claim)
            queues = (self._due_with_news, self._due_without_news, self._with_events)
            ids: dict[str, None] = {}
            for session_id in chain.from_iterable(queue.until(now) for queue in queues):
                ids[session_id] = None  # once, though it may be due and have events
                if len(ids) == limit:
                    break
            return tuple(self._lease(self._rows[each], now, lease) for each in ids)

    def release(
        self,
        claim: Claim,
        next_at: datetime | None = None,
        delivered_up_to: int | None = None,
        progress: bytes | None = None,
    ) -> bool:
        """See :meth:`livegate.protocols.SessionStore.release`."""
        with self._lock:
            self._check_open()
            row = self._rows.get(claim.record.id)
            if row is None or row.fence != claim.fence:
                return False
            row.is_leased = False
            row.has_news = row.record.version != claim.record.version
            row.held_until = row.claimed_at
            if next_at is not None and not row.has_news:
                row.held_until = max(next_at, row.claimed_at)
            if delivered_up_to is not None:
                row.events = tuple(each for each in row.events if each.sequence > delivered_up_to)
            row.progress = progress
            self._queue(row)
            return True

    def purge(self, before: datetime, limit: int) -> int:
        """See :meth:`livegate.protocols.SessionStore.purge`."""
        with self._lock:
            self._check_open()
            ids = list(islice(self._purgeable.before(before), limit))
            for session_id in ids:
                self._remove(session_id)
            return len(ids)

    def erase(self, subject: str) -> int:
        """See :meth:`livegate.protocols.SessionStore.erase`."""
        with self._lock:
            self._check_open()
            places = self._places_by_subject.get(subject, [])
            ids = [each for _, each in places if self._rows[each].record.is_finished]
            for session_id in ids:
                self._remove(session_id)
            return len(ids)

    def close(self) -> None:
        """Forget everything: nothing can open this store again."""
        with self._lock:
            self._is_closed = True
            self._rows.clear()
            self._ids_by_key.clear()
            self._places_by_subject.clear()
            self._due_with_news = self._due_without_news = _Queue()
            self._with_events = self._purgeable = _Queue()

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreError("The memory store is closed")

    def _lease(self, row: _Row, now: datetime, lease: timedelta) -> Claim:
        row.fence = row.turn = next(self._turns)
        row.claimed_at = now
        row.held_until = now + lease
        row.is_leased = True
        row.has_news = False
        self._queue(row)
        return Claim(row.record, row.fence, row.events, row.progress)

    def _queue(self, row: _Row) -> None:
        """Put the session into each queue where it is claimable from."""
        record, held_until = row.record, row.held_until
        due_at = record.due_at and max(record.due_at, held_until)
        self._due_with_news.put(record.id, due_at if row.has_news else None, row.turn)
        self._due_without_news.put(record.id, None if row.has_news else due_at, row.turn)
        events_at = max(row.events_since, held_until) if row.events else None
        self._with_events.put(record.id, events_at, row.turn)
        is_done = record.is_finished and not row.events
        self._purgeable.put(record.id, record.updated_at if is_done else None)

    def _remove(self, session_id: str) -> None:
        record = self._rows.pop(session_id).record
        if record.key is not None:
            del self._ids_by_key[record.subject, record.key]
        places = self._places_by_subject[record.subject]
        del places[bisect_left(places, (record.created_at, record.id))]
        if not places:
            del self._places_by_subject[record.subject]
        for queue in (
            self._due_with_news,
            self._due_without_news,
            self._with_events,
            self._purgeable,
        ):
            queue.put(session_id, None)
