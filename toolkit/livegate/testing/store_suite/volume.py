"""Many records hide nothing."""
# ruff: noqa: S101 - a suite of assertions

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from livegate.protocols import RecordQuery
from livegate.testing.store_suite.base import StoreSuite
from livegate.testing.store_suite.samples import (
    ALL,
    HOUR,
    NOW,
    SECOND,
    an_event,
    claimed_ids,
    due_since,
    finished,
)

if TYPE_CHECKING:
    from livegate.testing.store_suite.handles import StoreHandle

MANY: Final = 1100


class Volume(StoreSuite):
    """Operations among more records than a statement should read."""

    def test_records_behind_1100_others_are_found(self, store: StoreHandle) -> None:
        """Given 1,100 sessions that come first in each order; what does not match hides nothing."""
        events = [an_event()]
        for number in range(MANY):
            record = due_since(NOW - HOUR, f"{number}", state="started", updated_at=NOW - HOUR)
            store.insert(record, events)
        old = NOW - HOUR
        store.insert(finished("done", created_at=old, updated_at=NOW))
        assert [r.id for r in store.find(RecordQuery("alice", frozenset({"passed"})))] == ["done"]
        assert store.purge(NOW + SECOND, 1) == 1
        assert store.get("done") is None

        assert len(store.claim(NOW, ALL, HOUR)) == MANY
        store.insert(due_since(NOW, "due"))
        store.insert(finished("events"), events)
        assert claimed_ids(store, NOW, limit=1) == ["due"]
        assert claimed_ids(store, NOW, limit=1) == ["events"]
        assert claimed_ids(store, NOW, limit=1) == []
