"""Stores with faults in ``find``; see :mod:`tests.toolkit.stores.faults`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from tests.toolkit.stores.faults import Events, fails

from livegate.protocols import Record, RecordQuery
from livegate.stores.memory import MemoryStore


@fails(
    "test_unknown_name_finds_nothing",
)
class FindsAllForAnEmptySubject(MemoryStore):
    def find(self, query: RecordQuery) -> tuple[Record, ...]:
        if query.subject == "":
            return tuple(row.record for row in self._rows.values())[: query.limit]
        return super().find(query)


@fails(
    "test_record_is_read_back_equal_with_the_same_types",
)
class FindsTimesOfAnotherZone(MemoryStore):
    def find(self, query: RecordQuery) -> tuple[Record, ...]:
        zone = timezone(timedelta(hours=2))
        return tuple(
            replace(record, created_at=record.created_at.astimezone(zone))
            for record in super().find(query)
        )


@fails(
    "test_any_legal_name_is_kept_and_found",
    "test_page_has_what_was_saved_last",
    "test_save_replaces_the_record",
)
class FindsWhatWasInserted(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self._inserted: dict[str, Record] = {}

    def insert(self, record: Record, events: Events = ()) -> None:
        super().insert(record, events)
        self._inserted[record.id] = record

    def find(self, query: RecordQuery) -> tuple[Record, ...]:
        return tuple(self._inserted[record.id] for record in super().find(query))


@fails(
    "test_every_condition_has_to_hold",
    "test_ids_are_ordered_by_code_points",
    "test_new_records_move_no_page",
    "test_pages_of_any_size_return_each_record_once",
    "test_removed_records_move_no_page",
)
class PagesByTimeAlone(MemoryStore):
    def find(self, query: RecordQuery) -> tuple[Record, ...]:
        if query.after is not None:
            query = replace(query, after=(query.after[0], ""))
        return super().find(query)


@fails(
    "test_ids_are_ordered_by_code_points",
)
class OrdersIdsWithoutCase(MemoryStore):
    def find(self, query: RecordQuery) -> tuple[Record, ...]:
        def place(created_at: datetime, session_id: str) -> tuple[datetime, str]:
            return created_at, session_id.lower()

        found = list(super().find(RecordQuery(query.subject, limit=10_000)))
        found.sort(key=lambda record: place(record.created_at, record.id), reverse=True)
        after = query.after and place(*query.after)
        return tuple(
            record
            for record in found
            if (after is None or place(record.created_at, record.id) < after)
            and (not query.states or record.state in query.states)
        )[: query.limit]


@fails(
    "test_records_behind_1100_others_are_found",
)
class FindsAmongThe1000Newest(MemoryStore):
    def find(self, query: RecordQuery) -> tuple[Record, ...]:
        found = super().find(replace(query, states=frozenset(), limit=1000))
        matching = [each for each in found if not query.states or each.state in query.states]
        return tuple(matching[: query.limit])


@fails(
    "test_limit_may_be_one_above_a_page",
)
class FindsOnePageAtMost(MemoryStore):
    def find(self, query: RecordQuery) -> tuple[Record, ...]:
        return super().find(replace(query, limit=min(query.limit, 100)))
