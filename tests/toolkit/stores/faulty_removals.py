"""Stores with faults in ``purge`` and ``erase``; see :mod:`tests.toolkit.stores.faults`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.toolkit.stores.faults import Events, fails

from livegate.protocols import FINAL, PURGEABLE, Record
from livegate.stores.memory import MemoryStore, _Row

if TYPE_CHECKING:
    from collections.abc import Iterable


class ChoosesWhatToPurge(MemoryStore):
    """Purges what it has chosen."""

    def chosen(self, before: datetime, limit: int) -> Iterable[_Row]:
        rows = [row for row in self._rows.values() if self.is_purgeable(row, before)]
        return sorted(rows, key=lambda row: row.record.updated_at)[:limit]

    def is_purgeable(self, row: _Row, before: datetime) -> bool:
        record = row.record
        is_done = record.state in FINAL and record.remote in PURGEABLE and not row.events
        return is_done and record.updated_at < before

    def purge(self, before: datetime, limit: int) -> int:
        with self._lock:
            self._check_open()
            ids = {row.record.id for row in self.chosen(before, limit)}
            for row in self._rows.values():
                moment = row.record.updated_at if row.record.id in ids else None
                self._purgeable.put(row.record.id, moment)
        return super().purge(datetime.max.replace(tzinfo=UTC), len(ids))


@fails(
    "test_purge_removes_final_records_with_nothing_left_at_the_service",
)
class PurgesWhatIsStillAtTheService(ChoosesWhatToPurge):
    def is_purgeable(self, row: _Row, before: datetime) -> bool:
        record = row.record
        return record.state in FINAL and not row.events and record.updated_at < before


@fails(
    "test_purge_removes_final_records_with_nothing_left_at_the_service",
)
class PurgesWhatIsNotFinal(ChoosesWhatToPurge):
    def is_purgeable(self, row: _Row, before: datetime) -> bool:
        record = row.record
        is_over = record.state in FINAL | {"needs_review"} and record.remote in PURGEABLE
        return is_over and not row.events and record.updated_at < before


@fails(
    "test_purge_keeps_records_with_undelivered_events",
)
class PurgesUndeliveredEvents(ChoosesWhatToPurge):
    def is_purgeable(self, row: _Row, before: datetime) -> bool:
        record = row.record
        is_done = record.state in FINAL and record.remote in PURGEABLE
        return is_done and record.updated_at < before


@fails(
    "test_purge_compares_updated_at",
    "test_purge_goes_by_what_was_saved_last",
)
class PurgesWhatChangedAtThatTime(ChoosesWhatToPurge):
    def chosen(self, before: datetime, limit: int) -> Iterable[_Row]:
        return super().chosen(before + timedelta(microseconds=1), limit)


@fails(
    "test_purge_removes_up_to_its_limit_the_oldest_first",
)
class PurgesWithoutALimit(ChoosesWhatToPurge):
    def chosen(self, before: datetime, limit: int) -> Iterable[_Row]:
        return super().chosen(before, 10_000)


@fails(
    "test_purge_removes_up_to_its_limit_the_oldest_first",
)
class PurgesTheNewestFirst(ChoosesWhatToPurge):
    def chosen(self, before: datetime, limit: int) -> Iterable[_Row]:
        return list(super().chosen(before, 10_000))[::-1][:limit]


@fails(
    "test_records_behind_1100_others_are_found",
)
class PurgesAmongThe1000Oldest(ChoosesWhatToPurge):
    def chosen(self, before: datetime, limit: int) -> Iterable[_Row]:
        rows = sorted(self._rows.values(), key=lambda row: row.record.updated_at)
        return [row for row in rows[:1000] if self.is_purgeable(row, before)][:limit]


@fails(
    "test_erase_goes_by_what_was_saved_last",
    "test_erase_removes_finished_records_of_one_subject",
)
class ErasesWhatIsNotFinished(MemoryStore):
    def erase(self, subject: str) -> int:
        with self._lock:
            self._check_open()
            ids = [each for _, each in self._places_by_subject.get(subject, [])]
            for session_id in ids:
                self._remove(session_id)
        return len(ids)


class LeavesSomethingBehind(MemoryStore):
    """Gives a new session what is left of a removed one with its id."""

    def __init__(self) -> None:
        super().__init__()
        self._removed: dict[str, _Row] = {}

    def _remove(self, session_id: str) -> None:
        self._removed[session_id] = self._rows[session_id]
        super()._remove(session_id)

    def insert(self, record: Record, events: Events = ()) -> None:
        super().insert(record, events)
        removed = self._removed.pop(record.id, None)
        if removed is not None:
            self.inherit(self._rows[record.id], removed)
            self._queue(self._rows[record.id])

    def inherit(self, row: _Row, removed: _Row) -> None:
        raise NotImplementedError


@fails(
    "test_erase_drops_undelivered_events",
)
class LeavesEventsBehind(LeavesSomethingBehind):
    def inherit(self, row: _Row, removed: _Row) -> None:
        row.events = removed.events + row.events


@fails(
    "test_fences_never_restart",
    "test_nothing_of_a_removed_session_is_left_for_its_id",
)
class LeavesLeasesBehind(LeavesSomethingBehind):
    def inherit(self, row: _Row, removed: _Row) -> None:
        row.held_until = removed.held_until


@fails(
    "test_nothing_of_a_removed_session_is_left_for_its_id",
)
class LeavesFencesBehind(LeavesSomethingBehind):
    def inherit(self, row: _Row, removed: _Row) -> None:
        row.fence = removed.fence


@fails(
    "test_nothing_of_a_removed_session_is_left_for_its_id",
)
class LeavesProgressBehind(LeavesSomethingBehind):
    def inherit(self, row: _Row, removed: _Row) -> None:
        row.progress = removed.progress


@fails(
    "test_nothing_of_a_removed_session_is_left_for_its_id",
    "test_purged_id_and_key_can_be_used_again",
)
class LeavesKeysBehind(MemoryStore):
    def _remove(self, session_id: str) -> None:
        record = self._rows[session_id].record
        super()._remove(session_id)
        if record.key is not None:
            self._ids_by_key[record.subject, record.key] = session_id

    def get_by_idempotency_key(self, subject: str, key: str) -> Record | None:
        if self._ids_by_key.get((subject, key), "") in self._rows:
            return super().get_by_idempotency_key(subject, key)
        return self.get("no session, or is it closed?")
