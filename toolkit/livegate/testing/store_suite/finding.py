"""``find`` returns every record that a query describes, newest first, each one once."""
# ruff: noqa: S101 - a suite of assertions

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from livegate.protocols import MAX_PAGE, RecordQuery
from livegate.testing.store_suite.base import StoreSuite
from livegate.testing.store_suite.samples import HOUR, NOW, SECOND, STATES, a_record, next_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from livegate.protocols import Record
    from livegate.testing.store_suite.handles import StoreHandle


def a_mixture() -> list[Record]:
    """Records of two subjects, in three states, several of them created at the same moment."""
    return [
        a_record(
            f"{number:02}",
            subject=("alice", "bob")[number % 2],
            state=("requested", "passed", "needs_review")[number // 2 % 3],
            created_at=NOW + number // 5 * SECOND,
        )
        for number in (7 * number % 30 for number in range(30))  # in no order
    ]


def newest_first(records: list[Record]) -> list[str]:
    """The ids of *records* in the order of ``find``."""
    ordered = sorted(records, key=lambda record: (record.created_at, record.id), reverse=True)
    return [record.id for record in ordered]


def pages(store: StoreHandle, query: RecordQuery) -> Iterator[list[str]]:
    """The ids of each page, the last one empty."""
    while True:
        found = store.find(query)
        assert len(found) <= query.limit
        yield [record.id for record in found]
        if not found:
            return
        query = replace(query, after=(found[-1].created_at, found[-1].id))


class Finding(StoreSuite):
    """``find``."""

    def test_pages_of_any_size_return_each_record_once(self, store: StoreHandle) -> None:
        """Given records with equal times; the pages return each of them once, newest first."""
        records = a_mixture()
        for record in records:
            store.insert(record)
        for limit in (1, 4, 14, 15, MAX_PAGE + 1):
            found = [
                one for page in pages(store, RecordQuery("alice", limit=limit)) for one in page
            ]
            assert found == newest_first([each for each in records if each.subject == "alice"])

    def test_every_condition_has_to_hold(self, store: StoreHandle) -> None:
        """Given records of two subjects; a page has those of one, in the named states."""
        records = a_mixture()
        for record in records:
            store.insert(record)
        some_states = ((), ("requested",), ("passed", "needs_review"), ("failed",), STATES)
        for states, limit in product(some_states, (1, 4, MAX_PAGE)):
            query = RecordQuery("alice", frozenset(states), limit)
            expected = [r for r in records if r.subject == "alice"]
            expected = [r for r in expected if not states or r.state in states]
            assert [one for page in pages(store, query) for one in page] == newest_first(expected)

    def test_ids_are_ordered_by_code_points(self, store: StoreHandle) -> None:
        """Given records of one moment; they are ordered as no language orders their ids."""
        ids = ["a", "B", "Z", "_", "-", "a-b", "aa", "ab", "10", "9", "\u00e4", "\uffff"]
        ids += ["\U00010000", "\U0010ffff", "~", "a b", "\u0430"]
        for session_id in ids:
            store.insert(a_record(session_id))
        found = [one for page in pages(store, RecordQuery("alice", limit=2)) for one in page]
        assert found == sorted(ids, reverse=True)

    def test_limit_may_be_one_above_a_page(self, store: StoreHandle) -> None:
        """Given more records than a page has; the next one is found too, as a sign of more."""
        for number in range(MAX_PAGE + 2):
            store.insert(a_record(f"{number:03}"))
        assert len(store.find(RecordQuery("alice", limit=MAX_PAGE + 1))) == MAX_PAGE + 1

    def test_page_has_what_was_saved_last(self, store: StoreHandle) -> None:
        """Given a session that was saved; the page has its newest version, in its old place."""
        for session_id in "123":
            store.insert(a_record(session_id))
        saved = next_of(a_record("2"), state="passed")
        store.save(saved, 1)
        assert store.find(RecordQuery("alice")) == (a_record("3"), saved, a_record("1"))

    def test_new_records_move_no_page(self, store: StoreHandle) -> None:
        """Given a first page; when newer and older ones come, none is returned twice or missed."""
        records = [record for record in a_mixture() if record.subject == "alice"]
        for record in records:
            store.insert(record)
        found: list[str] = []
        for number, page in enumerate(pages(store, RecordQuery("alice", limit=4))):
            found += page
            store.insert(a_record(f"newer {number}", created_at=NOW + HOUR))
            if number == 0:
                store.insert(a_record("older", created_at=NOW - HOUR))
        assert found == [*newest_first(records), "older"]

    def test_removed_records_move_no_page(self, store: StoreHandle) -> None:
        """Given a first page; when its records are purged, the next page begins where it would."""
        records = [
            a_record(f"{number}", state="passed", remote="none", updated_at=NOW + number * SECOND)
            for number in (4, 3, 5, 2, 1)
        ]
        for record in records:
            store.insert(record)
        (last,) = store.find(RecordQuery("alice", limit=1))
        assert last.id == "5"
        store.purge(NOW + HOUR, 5)
        store.insert(a_record("3"))
        found = store.find(RecordQuery("alice", after=(last.created_at, last.id)))
        assert [record.id for record in found] == ["3"]
