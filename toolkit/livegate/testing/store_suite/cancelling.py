"""A cancelled call of an async store is done or not done, and the store works on."""
# ruff: noqa: S101 - a suite of assertions

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import pytest

from livegate.protocols import RecordQuery
from livegate.testing.store_suite.base import StoreSuite
from livegate.testing.store_suite.samples import (
    ALL,
    HOUR,
    NOW,
    SECOND,
    a_record,
    an_event,
    due_since,
    finished,
    next_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from livegate.testing.store_suite.handles import StoreHandle

    Call = Callable[[int], Coroutine[Any, Any, object]]

CALLS: Final = 100
IDS: Final = [f"{number:03}" for number in range(CALLS)]
LONG_AGO: Final = NOW - 1000 * HOUR
EVENTS: Final = (an_event(1), an_event(2))


async def cancelled(call: Call, number: int, typical: float) -> None:
    """Begin ``call(number)`` and cancel it.

    Even ones after a number of turns of the event loop, so that a call that suspends often is
    cancelled at each await; odd ones after a part of the *typical* seconds that a call takes, so
    that one that waits for a driver is cancelled at any time of it.
    """
    task = asyncio.ensure_future(call(number))
    if number % 2:
        end = perf_counter() + typical * 1.2 * number / CALLS
        while perf_counter() < end and not task.done():  # noqa: ASYNC110 - it is about the time
            await asyncio.sleep(0)
    else:
        for _ in range(number // 2):
            await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def duration_of(call: Callable[[], Coroutine[Any, Any, object]]) -> float:
    """Seconds that *call* takes: the median of five."""
    durations: list[float] = []
    for _ in range(5):
        begin = perf_counter()
        await call()
        durations.append(perf_counter() - begin)
    return sorted(durations)[2]


class Cancelling(StoreSuite):
    """100 cancelled calls of each operation."""

    @pytest.fixture
    def cancel(self, store: StoreHandle) -> Callable[[Call], None]:
        """Makes and cancels 100 calls, and then uses the store."""
        if not store.is_async:
            pytest.skip("the calls of a sync store cannot be cancelled")

        raw: Any = store.raw

        async def cancel_all(call: Call) -> None:
            typical = await duration_of(lambda: raw.get("typical"))
            for number in range(CALLS):
                await cancelled(call, number, 2 * typical)

        def cancel(call: Call) -> None:
            store.loop.value_of(cancel_all(call))
            self._assert_works(store)

        return cancel

    def test_store_works_after_cancelled_reads(
        self, store: StoreHandle, cancel: Callable[[Call], None]
    ) -> None:
        """Given 100 cancelled reads; the store works on."""
        raw: Any = store.raw
        store.insert(a_record(key="key-1"))

        def read(number: int) -> Any:
            reads = (
                lambda: raw.get("session-1"),
                lambda: raw.find(RecordQuery("alice")),
                lambda: raw.get_by_idempotency_key("alice", "key-1"),
            )
            return reads[number % 3]()

        cancel(read)

    def test_cancelled_insert_is_done_or_not_done(
        self, store: StoreHandle, cancel: Callable[[Call], None]
    ) -> None:
        """Given 100 cancelled inserts; each record that is there has all its events."""
        raw: Any = store.raw
        cancel(lambda number: raw.insert(due_since(NOW, IDS[number], key=IDS[number]), EVENTS))
        for claim in store.claim(NOW, ALL, HOUR):
            session_id = claim.record.id
            assert claim.record == due_since(NOW, session_id, key=session_id)
            assert claim.events == EVENTS
            assert store.get_by_idempotency_key("alice", session_id) == claim.record

    def test_cancelled_save_is_done_or_not_done(
        self, store: StoreHandle, cancel: Callable[[Call], None]
    ) -> None:
        """Given 100 cancelled saves; each record is the old one, or the new one with its events."""
        raw: Any = store.raw
        for session_id in IDS:
            store.insert(due_since(NOW, session_id))
        cancel(lambda number: raw.save(next_of(due_since(NOW, IDS[number])), 1, EVENTS))
        claims = store.claim(NOW, ALL, HOUR)
        assert sorted(claim.record.id for claim in claims) == IDS
        for claim in claims:
            old = due_since(NOW, claim.record.id)
            assert (claim.record, claim.events) in [(old, ()), (next_of(old), EVENTS)]

    def test_cancelled_claim_is_done_or_not_done(
        self, store: StoreHandle, cancel: Callable[[Call], None]
    ) -> None:
        """Given 100 cancelled claims; all sessions are there, claimed once at the leases' end."""
        raw: Any = store.raw
        for session_id in IDS:
            store.insert(due_since(LONG_AGO, session_id), EVENTS)
        cancel(lambda number: raw.claim(LONG_AGO, 1 + number % 2, SECOND))
        claims = store.claim(NOW + HOUR, ALL, HOUR)
        assert sorted(claim.record.id for claim in claims) == IDS
        assert {claim.events for claim in claims} == {EVENTS}

    def test_cancelled_release_is_done_or_not_done(
        self, store: StoreHandle, cancel: Callable[[Call], None]
    ) -> None:
        """Given 100 cancelled releases; of each all is kept that it handed over, or nothing."""
        raw: Any = store.raw
        for session_id in IDS:
            store.insert(due_since(NOW, session_id), EVENTS)
        claims = store.claim(NOW, ALL, HOUR)
        cancel(lambda number: raw.release(claims[number], NOW, 1, b"progress"))
        after = store.claim(NOW + HOUR, ALL, HOUR)
        assert sorted(claim.record.id for claim in after) == IDS
        for claim in after:
            assert (claim.events, claim.progress) in [(EVENTS, None), (EVENTS[1:], b"progress")]

    def test_cancelled_removal_is_done_or_not_done(
        self, store: StoreHandle, cancel: Callable[[Call], None]
    ) -> None:
        """Given 100 cancelled removals; a subject's two records are both there or both gone."""
        raw: Any = store.raw
        for number, subject in enumerate(IDS):
            for name in "ab":
                record = finished(name + subject, subject=subject, key=name, updated_at=NOW)
                store.insert(record, EVENTS[: number % 2])

        def remove(number: int) -> Any:
            return raw.erase(IDS[number]) if number % 4 else raw.purge(NOW - HOUR, ALL)

        cancel(remove)
        for subject in IDS:
            by_key = [store.get_by_idempotency_key(subject, key) for key in "ab"]
            # After the keys: a thread may still be at work on a removal that was cancelled.
            left = store.find(RecordQuery(subject))
            assert len(left) in {0, 2}
            assert not left or set(by_key) == set(left)

    @staticmethod
    def _assert_works(store: StoreHandle) -> None:
        """Assert that every operation still does what it did, and does not wait for ever.

        A thread may still be at work on a call that was cancelled: nothing here is due for it.
        """
        record = finished("works", due_at=LONG_AGO + HOUR, subject="bob", key="works")
        store.insert(record, EVENTS)
        assert store.get("works") == record
        saved = next_of(record)
        store.save(saved, 1)
        assert store.find(RecordQuery("bob")) == (saved,)
        claims = {claim.record.id: claim for claim in store.claim(LONG_AGO + HOUR, ALL, HOUR)}
        assert (claims["works"].record, claims["works"].events) == (saved, EVENTS)
        assert store.release(claims["works"])
        assert store.erase("bob") == 1
