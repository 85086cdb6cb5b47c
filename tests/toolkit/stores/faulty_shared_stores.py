"""Faulty stores in files, which claim to be durable and shared, and async ones.

See :mod:`tests.toolkit.stores.faults`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from tests.toolkit.stores.faults import fails
from tests.toolkit.stores.file_store import BrokenFile, FileStore, SuspendingStore

from livegate.errors import StoreError
from livegate.protocols import DURABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from livegate.protocols import EventRecord, Record

# --- files -----------------------------------------------------------------------------------


@fails(
    "test_kill_leaves_no_half_of_a_save",
    "test_leases_are_there_when_the_store_is_opened_again",
    "test_no_session_is_leased_to_two_processes",
    "test_returned_operations_survive_a_kill",
    "test_what_release_wrote_is_there_when_the_store_is_opened_again",
    "test_work_and_leases_hold_for_the_other_handle",
    "test_work_is_there_when_the_store_is_opened_again",
)
class HasTheDueQueueInOneHandle(FileStore):
    """Others find the records, and no work."""

    _is_catching_up = False

    def _catch_up(self) -> None:
        self._is_catching_up = True
        super()._catch_up()
        self._is_catching_up = False

    def _queue(self, row: Any) -> None:
        if not self._is_catching_up:
            super()._queue(row)


@fails(
    "test_leases_are_there_when_the_store_is_opened_again",
    "test_no_session_is_leased_to_two_processes",
    "test_no_session_is_leased_twice_over_two_handles",
    "test_returned_operations_survive_a_kill",
    "test_what_release_wrote_is_there_when_the_store_is_opened_again",
    "test_work_and_leases_hold_for_the_other_handle",
)
class KeepsLeasesInOneHandle(FileStore):
    def _append(self, operation: str, *args: object) -> None:
        if operation != "claim":
            super()._append(operation, *args)


@fails(
    "test_fences_do_not_restart_when_the_store_is_opened_again",
    "test_returned_operations_survive_a_kill",
    "test_work_and_leases_hold_for_the_other_handle",
)
class RestartsFencesWhenOpened(FileStore):
    def _catch_up(self) -> None:
        is_new = self._position == 0
        super()._catch_up()
        if is_new:
            self._turns = count(1)


@fails(
    "test_kill_leaves_no_half_of_a_save",
    "test_returned_operations_survive_a_kill",
)
class WritesWhenClosed(FileStore):
    capabilities: ClassVar[frozenset[str]] = frozenset({DURABLE})

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._unwritten: list[tuple[Any, ...]] = []

    def _append(self, operation: str, *args: object) -> None:
        self._file.fileno()  # fails when the disk does
        self._unwritten.append((operation, *args))

    def _flush(self) -> None:
        for entry in self._unwritten:
            super()._append(*entry)


@fails(
    "test_no_save_of_two_processes_is_lost",
    "test_no_session_is_leased_to_two_processes",
    "test_one_of_two_processes_takes_each_key",
)
class LocksOneProcessAlone(FileStore):
    _everybody = Lock()

    @contextmanager
    def _up_to_date(self) -> Iterator[None]:
        with self._everybody, super()._up_to_date():
            yield

    def _lock_file(self, kind: int) -> None:
        self._file.fileno()  # fails when the disk does

    def _append(self, operation: str, *args: object) -> None:
        if "pytest" not in sys.modules:  # a process that the suite has started
            time.sleep(0.001)
        super()._append(operation, *args)


@fails(
    "test_kill_leaves_no_half_of_a_save",
)
class CommitsTheRecordBeforeItsEvents(FileStore):
    def save(
        self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
    ) -> None:
        added = tuple(events)
        super().save(record, expected_version)
        if added:
            time.sleep(0.005)
            self._write("_add", record.id, added)

    def _add(self, session_id: str, events: tuple[EventRecord, ...]) -> None:
        row = self._rows.get(session_id)
        if row is not None:
            row.events += events
            self._queue(row)

    def _apply(self, operation: str, *args: Any) -> Any:
        return self._add(*args) if operation == "_add" else super()._apply(operation, *args)


@fails(
    "test_driver_failure_is_a_store_error_that_quotes_nothing",
)
class DoesBeforeItWrites(FileStore):
    """What could not be written is done all the same, for this handle."""

    def _write(self, operation: str, *args: object) -> Any:
        if isinstance(self._file, BrokenFile):
            self._apply(operation, *args)
        return super()._write(operation, *args)


class HandlesErrors(FileStore):
    """Does something else with the driver's errors."""

    @staticmethod
    def handle(error: BaseException, args: tuple[object, ...]) -> None:
        raise NotImplementedError

    def _write(self, operation: str, *args: object) -> Any:
        try:
            return super()._write(operation, *args)
        except StoreError as error:
            if error.__cause__ is None:
                raise
            self.handle(error.__cause__, args)
            return 0


@fails(
    "test_driver_failure_is_a_store_error_that_quotes_nothing",
)
class SwallowsWriteErrors(HandlesErrors):
    @staticmethod
    def handle(error: BaseException, args: tuple[object, ...]) -> None:
        pass


@fails(
    "test_driver_failure_is_a_store_error_that_quotes_nothing",
)
class RaisesErrorsOfTheDriver(HandlesErrors):
    @staticmethod
    def handle(error: BaseException, args: tuple[object, ...]) -> None:
        raise error


@fails(
    "test_driver_failure_is_a_store_error_that_quotes_nothing",
)
class QuotesTheRowThatCouldNotBeWritten(HandlesErrors):
    @staticmethod
    def handle(error: BaseException, args: tuple[object, ...]) -> None:
        values = [getattr(each, "subject", each) for each in args]
        raise StoreError("The file cannot be written") from ValueError(f"{error}: {values}")


@fails(
    "test_close_waits_for_calls_under_way",
)
class ClosesWithoutWaiting(FileStore):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._path = path

    def insert(self, record: Record, events: Sequence[EventRecord] = ()) -> None:
        if self.get(record.id) is None and record.id[1:2] == " ":  # the test of close
            other = FileStore(self._path)
            time.sleep(0.002)
            other.insert(record, events)
            other.close()
        else:
            super().insert(record, events)


# --- event loops -----------------------------------------------------------------------------


@fails(
    "test_cancelled_claim_is_done_or_not_done",
    "test_cancelled_insert_is_done_or_not_done",
    "test_cancelled_release_is_done_or_not_done",
    "test_cancelled_removal_is_done_or_not_done",
    "test_cancelled_save_is_done_or_not_done",
    "test_store_works_after_cancelled_reads",
)
class KeepsItsLockWhenCancelled(SuspendingStore):
    operation_timeout = 0.5

    async def _run(self, operation: str, *args: object) -> Any:
        await self._lock.acquire()
        await asyncio.sleep(0)
        try:
            return getattr(self._store, operation)(*args)
        finally:
            self._lock.release()


@fails(
    "test_cancelled_save_is_done_or_not_done",
)
class SuspendsBetweenARecordAndItsEvents(SuspendingStore):
    async def save(
        self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
    ) -> None:
        added = tuple(events)
        await super().save(record, expected_version)
        row = self._store._rows.get(record.id)
        if row is not None:
            row.events += added
            self._store._queue(row)


@fails(
    "test_cancelled_claim_is_done_or_not_done",
)
class SuspendsBeforeItSetsTheLease(SuspendingStore):
    async def claim(self, now: datetime, limit: int, lease: timedelta) -> Any:
        claims = await self._run("claim", now, limit, lease + timedelta(days=1000))
        for claim in claims:
            row = self._store._rows[claim.record.id]
            row.held_until = now + lease
            self._store._queue(row)
        return claims


@fails(
    "test_cancelled_removal_is_done_or_not_done",
)
class RemovesOneByOne(SuspendingStore):
    async def erase(self, subject: str) -> int:
        places = [*self._store._places_by_subject.get(subject, ())]
        ids = [each for _, each in places if self._store._rows[each].record.is_finished]
        for session_id in ids:
            await self._run("get", session_id)
            self._store._remove(session_id)
        await super().erase(subject)
        return len(ids)
