"""Stores with faults in races, in their errors and in ``close``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from tests.toolkit.stores.faults import Events, fails, pause
from tests.toolkit.stores.faulty_claims import ChoosesClaims

from livegate.errors import DuplicateKeyError, VersionConflictError
from livegate.protocols import SHARED, Claim, Record
from livegate.stores.memory import MemoryStore
from livegate.stores.threads import ThreadedStore

if TYPE_CHECKING:
    from datetime import datetime, timedelta


@fails(
    "test_no_save_is_lost",
    "test_one_of_many_saves_wins",
)
class LooksLongBeforeItSaves(MemoryStore):
    def save(self, record: Record, expected_version: int, events: Events = ()) -> None:
        found = self.get(record.id)
        if found is None or found.version != expected_version:
            raise VersionConflictError("changed")
        pause()
        found = self.get(record.id)
        if found is not None:
            super().save(record, found.version, events)


@fails(
    "test_one_of_many_inserts_takes_the_id",
    "test_one_of_many_inserts_takes_the_key",
)
class LooksLongBeforeItInserts(MemoryStore):
    def insert(self, record: Record, events: Events = ()) -> None:
        key = (record.subject, record.key or "")
        if record.id in self._rows or key in self._ids_by_key:
            raise DuplicateKeyError("taken")
        pause()
        self._rows.pop(record.id, None)
        self._ids_by_key.pop(key, None)
        super().insert(record, events)


@fails(
    "test_no_event_is_lost_or_delivered_twice",
    "test_no_session_is_leased_twice",
)
class LooksLongBeforeItClaims(ChoosesClaims):
    def claim(self, now: datetime, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        if limit < 1:
            raise ValueError("limit must be at least 1")
        self.get("is it open?")
        ids = list(dict.fromkeys(self.chosen(now)))[:limit]
        pause()
        return tuple(
            self._lease(self._rows[each], now, lease) for each in ids if each in self._rows
        )


@fails(
    "test_interrupted_save_writes_nothing",
    "test_reads_return_whole_records",
)
class ReadsAndUpdatesInsteadOfReplacing(MemoryStore):
    """Writes the columns before the body."""

    def save(self, record: Record, expected_version: int, events: Events = ()) -> None:
        found = self.get(record.id)
        if found is not None and found.version == expected_version:
            self._rows[record.id].record = replace(found, state=record.state)
            pause()
        super().save(record, expected_version, events)


@fails(
    "test_erase_wins_over_saves_at_the_same_time",
)
class SavesWhatWasErasedMeanwhile(MemoryStore):
    def save(self, record: Record, expected_version: int, events: Events = ()) -> None:
        found = self.get(record.id)
        if found is None or found.version != expected_version:
            raise VersionConflictError("changed")
        pause()
        try:
            super().save(record, expected_version, events)
        except VersionConflictError:
            if record.id in self._rows:
                raise
            self.insert(record, events)


@fails(
    "test_duplicate_key_error_quotes_nothing",
)
class QuotesTheKey(MemoryStore):
    def insert(self, record: Record, events: Events = ()) -> None:
        try:
            super().insert(record, events)
        except DuplicateKeyError:
            raise DuplicateKeyError(f"{record.key} is taken") from None


@fails(
    "test_version_conflict_error_quotes_nothing",
)
class QuotesTheRowInTheCause(MemoryStore):
    def save(self, record: Record, expected_version: int, events: Events = ()) -> None:
        try:
            super().save(record, expected_version, events)
        except VersionConflictError as error:
            raise error from ValueError(f"no row for {record.id}")


@fails(
    "test_close_waits_for_calls_under_way",
    "test_closed_store_raises_a_store_error",
)
class GoesOnWhenClosed(MemoryStore):
    def close(self) -> None:
        """Not even this."""


@fails(
    "test_close_waits_for_calls_under_way",
    "test_closed_store_raises_a_store_error",
)
class RaisesOthersWhenClosed(MemoryStore):
    def _check_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("closed")


@fails(
    "test_close_waits_for_calls_under_way",
    "test_closed_store_raises_a_store_error",
    "test_closing_twice_is_no_error",
)
class FailsWhenClosedTwice(MemoryStore):
    def close(self) -> None:
        with self._lock:
            self._check_open()
        super().close()


@fails(
    "test_capabilities_are_a_frozenset_of_str",
)
class HasASetOfCapabilities(MemoryStore):
    capabilities: ClassVar[Any] = set()


@fails(
    "test_for_event_loop_returns_the_store_or_an_async_one",
)
class HasAnEventLoopTwinOfItsOwn(MemoryStore):
    def for_event_loop(self) -> Any:
        return ThreadedStore(MemoryStore())


@fails(
    "test_close_waits_for_calls_under_way",
    "test_each_handle_reads_what_the_other_wrote",
    "test_fences_do_not_restart_when_the_store_is_opened_again",
    "test_kill_leaves_no_half_of_a_save",
    "test_leases_are_there_when_the_store_is_opened_again",
    "test_no_save_of_two_processes_is_lost",
    "test_no_session_is_leased_to_two_processes",
    "test_one_of_many_inserts_takes_the_key_over_two_handles",
    "test_one_of_many_saves_wins_over_two_handles",
    "test_one_of_two_processes_takes_each_key",
    "test_records_are_there_when_the_store_is_opened_again",
    "test_returned_operations_survive_a_kill",
    "test_what_release_wrote_is_there_when_the_store_is_opened_again",
    "test_work_and_leases_hold_for_the_other_handle",
    "test_work_is_there_when_the_store_is_opened_again",
)
class OnlySaysThatItIsShared(MemoryStore):
    capabilities: ClassVar[frozenset[str]] = frozenset({SHARED})
