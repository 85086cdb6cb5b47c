"""Failures are a StoreError that quotes nothing; a closed store fails; close waits."""
# ruff: noqa: S101 - a suite of assertions

from __future__ import annotations

import inspect
import traceback
from itertools import count
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import pytest

from livegate.errors import DuplicateKeyError, StoreError, VersionConflictError
from livegate.protocols import DURABLE, MAX_PAGE, SHARED, Claim, EventRecord, RecordQuery
from livegate.testing.store_suite.base import StoreSuite
from livegate.testing.store_suite.handles import StoreHandle
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
    from collections.abc import Callable

    from livegate.testing.store_suite.base import BreakStore, OpenHandle

SECRET: Final = "".join(map(chr, range(0x61, 0x7B))) + "-secret"
"""In every column; put together here, so that no line of a traceback has it."""
STORED: Final = due_since(NOW, SECRET, subject=SECRET, key=SECRET, body=SECRET.encode())
OPERATIONS: Final[dict[str, tuple[Any, ...]]] = {
    "insert": (a_record("new", subject=SECRET, body=SECRET.encode()), [an_event()]),
    "get": (SECRET,),
    "get_by_idempotency_key": (SECRET, SECRET),
    "save": (next_of(STORED), 1, [EventRecord(3, SECRET.encode())]),
    "find": (RecordQuery(SECRET),),
    "claim": (NOW, 1, HOUR),
    "release": (Claim(STORED, 1, (), SECRET.encode()), None, 1, SECRET.encode()),
    "purge": (NOW, ALL),
    "erase": (SECRET,),
}


def assert_quotes_nothing(error: BaseException) -> None:
    """Assert that a log of *error*, with its causes, names no column of a record."""
    assert SECRET not in "".join(traceback.format_exception(error)), "the error quotes a row"


class Failing(StoreSuite):
    """Errors, a driver that fails, and ``close``."""

    def test_capabilities_are_a_frozenset_of_str(self, store: StoreHandle) -> None:
        """Given a store; its capabilities cannot be changed, and are names."""
        assert isinstance(store.capabilities, frozenset)
        assert all(isinstance(name, str) for name in store.capabilities)

    def test_for_event_loop_returns_the_store_or_an_async_one(self, store: StoreHandle) -> None:
        """Given a store with ``for_event_loop``; what it returns works on the same data."""
        for_event_loop = getattr(store.raw, "for_event_loop", None)
        if for_event_loop is None:
            pytest.skip("the store has no for_event_loop")
        twin = for_event_loop()
        if twin is store.raw:
            return
        handle = StoreHandle(twin, store.loop)
        assert handle.is_async
        assert all(inspect.iscoroutinefunction(getattr(twin, name)) for name in OPERATIONS)
        store.insert(STORED)
        assert handle.get(STORED.id) == STORED
        handle.save(next_of(STORED), 1)
        assert store.get(STORED.id) == next_of(STORED)
        handle.close()

    def test_duplicate_key_error_quotes_nothing(self, store: StoreHandle) -> None:
        """Given a taken id, and a taken key; neither is in the errors."""
        store.insert(STORED)
        for session_id in (SECRET, "new"):
            with pytest.raises(DuplicateKeyError) as caught:
                store.insert(a_record(session_id, subject=SECRET, key=SECRET))
            assert_quotes_nothing(caught.value)

    def test_version_conflict_error_quotes_nothing(self, store: StoreHandle) -> None:
        """Given a record that is gone, and one of another version; neither is in the errors."""
        for _ in range(2):
            with pytest.raises(VersionConflictError) as caught:
                store.save(next_of(STORED, version=3), 2)
            assert_quotes_nothing(caught.value)
            if store.get(STORED.id) is None:
                store.insert(STORED)

    def test_driver_failure_is_a_store_error_that_quotes_nothing(
        self, store: StoreHandle, break_store: BreakStore | None
    ) -> None:
        """Given a driver that fails; each operation fails, and has done nothing afterwards."""
        if break_store is None:
            pytest.skip("the fixture break_store is not given")
        events = (an_event(1), an_event(2))
        store.insert(STORED, events)
        store.insert(finished("2", subject="bob", updated_at=NOW - HOUR))
        for turn, (operation, arguments) in enumerate(OPERATIONS.items()):
            with break_store(store.raw), pytest.raises(StoreError) as caught:
                getattr(store, operation)(*arguments)
            assert type(caught.value) not in {DuplicateKeyError, VersionConflictError}
            assert_quotes_nothing(caught.value)
            assert store.get("new") is None
            assert store.get(STORED.id) == STORED
            assert store.find(RecordQuery("bob")) != ()
            (claim,) = store.claim(NOW + turn * SECOND, ALL, HOUR)
            assert claim.events == events
            assert store.release(claim)

    def test_closed_store_raises_a_store_error(self, store: StoreHandle) -> None:
        """Given a closed store; every operation fails."""
        store.insert(STORED)
        store.close()
        for operation, arguments in OPERATIONS.items():
            with pytest.raises(StoreError) as caught:
                getattr(store, operation)(*arguments)
            assert_quotes_nothing(caught.value)

    def test_closing_twice_is_no_error(self, store: StoreHandle) -> None:
        """Given a closed store; when it is closed again, nothing happens."""
        store.insert(a_record())
        store.close()
        store.close()

    def test_close_waits_for_calls_under_way(
        self, store: StoreHandle, open_handle: OpenHandle, race: Callable[..., list[Any]]
    ) -> None:
        """Given calls at the time of close; each has ended by then, or fails as closed."""
        can_be_opened_again = bool(store.capabilities & {DURABLE, SHARED})
        has_begun, is_closed = Event(), Event()
        found_after_close: set[str] = set()

        def work(number: int) -> list[str]:
            if number == 0:
                has_begun.wait()
                store.close()
                is_closed.set()
                if can_be_opened_again:
                    again = open_handle()
                    for subject in "123":
                        found = again.find(RecordQuery(subject, limit=MAX_PAGE))
                        found_after_close.update(record.id for record in found)
                return []
            inserted: list[str] = []
            try:
                for turn in count():
                    was_closed = is_closed.is_set()
                    session_id, subject = f"{number} {turn}", f"{number}"
                    created_at = NOW + turn * SECOND
                    store.insert(a_record(session_id, subject=subject, created_at=created_at))
                    assert not was_closed, "a closed store inserted a record"
                    inserted.append(session_id)
                    if turn == 10:  # noqa: PLR2004 - the others have begun too
                        has_begun.set()
            except StoreError:
                has_begun.set()
            return inserted

        results = race(work, 4)
        assert [result for result in results if isinstance(result, Exception)] == []
        if can_be_opened_again:
            last = {session_id for inserted in results for session_id in inserted[-MAX_PAGE // 2 :]}
            assert last <= found_after_close, "written after close had returned"
