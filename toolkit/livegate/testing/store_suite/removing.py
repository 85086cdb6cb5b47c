"""``purge`` and ``erase`` remove what they say, all of it, and nothing else."""
# ruff: noqa: S101 - a suite of assertions

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from livegate.errors import VersionConflictError
from livegate.protocols import FINAL, PURGEABLE, RecordQuery
from livegate.testing.store_suite.base import StoreSuite
from livegate.testing.store_suite.samples import (
    ALL,
    HOUR,
    NOW,
    REMOTES,
    SECOND,
    STATES,
    TICK,
    a_record,
    an_event,
    claimed_ids,
    due_since,
    finished,
    next_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from livegate.protocols import Record
    from livegate.testing.store_suite.handles import StoreHandle


def ids_in(store: StoreHandle, subject: str = "alice") -> set[str]:
    """The ids of all sessions of *subject*."""
    return {record.id for record in store.find(RecordQuery(subject, limit=100))}


def finished_ids(records: Iterable[Record]) -> set[str]:
    """The ids of those that are final, with nothing left at the service."""
    return {each.id for each in records if each.state in FINAL and each.remote in PURGEABLE}


class Removing(StoreSuite):
    """``purge`` and ``erase``."""

    def test_purge_removes_final_records_with_nothing_left_at_the_service(
        self, store: StoreHandle
    ) -> None:
        """Given old records in all states, here and at the service; only finished ones go."""
        records = [
            a_record(f"{state} {remote}", state=state, remote=remote)
            for state in STATES
            for remote in REMOTES
        ]
        for record in records:
            store.insert(record)
        gone = finished_ids(records)
        assert store.purge(NOW + SECOND, ALL) == len(gone)
        assert ids_in(store) == {record.id for record in records} - gone
        assert store.purge(NOW + SECOND, ALL) == 0

    def test_purge_compares_updated_at(self, store: StoreHandle) -> None:
        """Given records last changed before, at and after a moment; only the first one goes."""
        for name, moment in {"before": NOW - TICK, "at": NOW, "after": NOW + TICK}.items():
            created_at = NOW - 1000 * HOUR
            store.insert(finished(name, created_at=created_at, updated_at=moment))
        assert store.purge(NOW, ALL) == 1
        assert ids_in(store) == {"at", "after"}

    def test_purge_goes_by_what_was_saved_last(self, store: StoreHandle) -> None:
        """Given records that a save made final, or changed later; purge sees them as they are."""
        store.insert(a_record("now final"))
        store.save(next_of(a_record("now final"), state="passed", remote="none"), 1)
        store.insert(finished("changed later"))
        store.save(next_of(finished("changed later"), updated_at=NOW + HOUR), 1)
        assert store.purge(NOW + HOUR, ALL) == 1
        assert ids_in(store) == {"changed later"}

    def test_purge_keeps_records_with_undelivered_events(self, store: StoreHandle) -> None:
        """Given final records with events from an insert or a save; they stay until delivered."""
        store.insert(finished("1"), [an_event()])
        store.insert(a_record("2"))
        store.save(next_of(finished("2")), 1, [an_event()])
        assert store.purge(NOW + HOUR, ALL) == 0
        for claim in store.claim(NOW + HOUR, ALL, HOUR):
            assert store.release(claim, delivered_up_to=1)
        assert store.purge(NOW + HOUR, ALL) == len("12")

    def test_purge_removes_up_to_its_limit_the_oldest_first(self, store: StoreHandle) -> None:
        """Given five records; they go two by two, by the time of their last change."""
        for session_id, minutes in {"e": 3, "d": 1, "b": 4, "a": 2, "c": 5}.items():
            store.insert(finished(session_id, updated_at=NOW + minutes * SECOND))
        removed = []
        for left in ("ebc", "c", ""):
            removed.append(store.purge(NOW + HOUR, 2))
            assert ids_in(store) == set(left)
        assert removed == [2, 2, 1]
        assert store.purge(NOW + HOUR, 2) == 0

    def test_purged_id_and_key_can_be_used_again(self, store: StoreHandle) -> None:
        """Given a purged session; nothing of it is found, and a new one takes its place."""
        record = finished(key="key-1")
        store.insert(record)
        assert store.purge(NOW + SECOND, ALL) == 1
        assert store.get(record.id) is store.get_by_idempotency_key("alice", "key-1") is None
        store.insert(record)
        assert store.get_by_idempotency_key("alice", "key-1") == record

    def test_erase_removes_finished_records_of_one_subject(self, store: StoreHandle) -> None:
        """Given sessions of two subjects in all states; those of one go that are finished.

        What is not may have been inserted at the same moment, and is known to the service.
        """
        records = [
            a_record(
                f"{subject} {state} {remote}",
                subject=subject,
                state=state,
                remote=remote,
                key=f"{state} {remote}",
                due_at=NOW,
            )
            for subject in ("alice", "bob")
            for state in STATES
            for remote in REMOTES
        ]
        for record in records:
            store.insert(record, [an_event()])
        gone = finished_ids(each for each in records if each.subject == "alice")
        assert store.erase("alice") == len(gone)
        for record in records:
            expected = None if record.id in gone else record
            assert record.key is not None
            assert store.get(record.id) == expected
            assert store.get_by_idempotency_key(record.subject, record.key) == expected
        left = {record.id for record in records} - gone
        assert ids_in(store) | ids_in(store, "bob") == left
        assert set(claimed_ids(store, NOW)) == left
        assert store.erase("alice") == 0

    def test_erase_goes_by_what_was_saved_last(self, store: StoreHandle) -> None:
        """Given a record that a save made final; the next erase removes it, and no earlier one."""
        record = a_record()
        store.insert(record)
        assert store.erase("alice") == 0
        store.save(next_of(record, state="passed", remote="deleted"), 1)
        assert store.erase("alice") == 1

    @pytest.mark.parametrize("removal", ["erase", "purge"])
    def test_nothing_of_a_removed_session_is_left_for_its_id(
        self, store: StoreHandle, removal: str
    ) -> None:
        """Given a removed session with lease and progress; a new one of its id has neither."""
        store.insert(finished(due_at=NOW, key="key-1"), [an_event(1)])
        (claim,) = store.claim(NOW, ALL, HOUR)
        assert store.release(claim, next_at=NOW + SECOND, delivered_up_to=1, progress=b"p")
        (old,) = store.claim(NOW + SECOND, ALL, 1000 * HOUR)
        assert self._remove(store, removal) == 1
        assert store.claim(NOW + 2000 * HOUR, ALL, HOUR) == ()
        store.insert(due_since(NOW + HOUR, key="key-1"))
        assert store.release(old, next_at=NOW + 1000 * HOUR, progress=b"old") is False
        assert store.claim(NOW + HOUR - TICK, ALL, HOUR) == ()
        (new,) = store.claim(NOW + HOUR, ALL, HOUR)
        assert new.record.key == "key-1"
        assert (new.events, new.progress) == ((), None)
        assert new.fence > old.fence

    def test_erase_drops_undelivered_events(self, store: StoreHandle) -> None:
        """Given an erased session with events; a new one of its id has none of them."""
        store.insert(finished(), [an_event(1), an_event(2)])
        assert store.erase("alice") == 1
        assert store.claim(NOW, ALL, HOUR) == ()
        store.insert(finished(), [an_event(1)])
        (claim,) = store.claim(NOW, ALL, HOUR)
        assert claim.events == (an_event(1),)

    @pytest.mark.parametrize("removal", ["erase", "purge"])
    def test_save_does_not_bring_back_a_removed_session(
        self, store: StoreHandle, removal: str
    ) -> None:
        """Given a session removed since it was read; a save of it fails and writes nothing."""
        record = finished(key="key-1")
        store.insert(record)
        assert self._remove(store, removal) == 1
        with pytest.raises(VersionConflictError):
            store.save(next_of(record, due_at=NOW), 1, [an_event()])
        assert store.get(record.id) is store.get_by_idempotency_key("alice", "key-1") is None
        assert store.find(RecordQuery("alice")) == ()
        assert store.claim(NOW, ALL, HOUR) == ()

    @staticmethod
    def _remove(store: StoreHandle, removal: str) -> int:
        return store.erase("alice") if removal == "erase" else store.purge(NOW + HOUR, ALL)
