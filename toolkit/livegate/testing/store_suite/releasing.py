"""``release`` ends a lease, and keeps what the worker hands over; an old fence writes nothing."""
# ruff: noqa: S101 - a suite of assertions

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from livegate.errors import VersionConflictError
from livegate.testing.store_suite.base import StoreSuite
from livegate.testing.store_suite.samples import (
    ALL,
    HOUR,
    NOW,
    SECOND,
    TICK,
    a_record,
    an_event,
    claimed_ids,
    due_since,
    finished,
    next_of,
)

if TYPE_CHECKING:
    from livegate.protocols import Claim, EventRecord, Record
    from livegate.testing.store_suite.handles import StoreHandle

LATER = NOW + 10 * SECOND
EVENTS = (an_event(1), an_event(2), an_event(3))


def a_claim(store: StoreHandle, record: Record | None = None, *, due: bool = True) -> Claim:
    """Insert a due record, or another one, with three events, and claim it."""
    store.insert(record or (due_since(NOW) if due else finished()), EVENTS)
    (claim,) = store.claim(NOW, ALL, HOUR)
    return claim


class Releasing(StoreSuite):
    """``release``, its fence, and what it leaves for the next claim."""

    def test_released_session_can_be_claimed_at_once(self, store: StoreHandle) -> None:
        """Given a leased session that is due; without ``next_at`` it is claimed again."""
        assert store.release(a_claim(store)) is True
        assert claimed_ids(store, NOW + SECOND) == ["session-1"]

    @pytest.mark.parametrize("due", [True, False], ids=["due", "events"])
    def test_released_session_is_not_claimed_before_next_at(
        self, store: StoreHandle, *, due: bool
    ) -> None:
        """Given a ``next_at``; due or with events, the session is claimed then, not before."""
        assert store.release(a_claim(store, due=due), next_at=LATER)
        assert store.claim(LATER - TICK, ALL, HOUR) == ()
        assert claimed_ids(store, LATER) == ["session-1"]

    def test_next_at_does_not_make_a_session_due(self, store: StoreHandle) -> None:
        """Given a session without work; a ``next_at`` that has passed gives it none."""
        claim = a_claim(store)
        store.save(next_of(claim.record, due_at=NOW + HOUR), 1)
        claim = replace(claim, record=next_of(claim.record, due_at=NOW + HOUR))
        assert store.release(claim, next_at=LATER, delivered_up_to=3)
        assert store.claim(NOW + HOUR - TICK, ALL, HOUR) == ()
        assert claimed_ids(store, NOW + HOUR) == ["session-1"]

    def test_delivered_events_are_removed(self, store: StoreHandle) -> None:
        """Given three events, of which two are delivered; the next claim has the third."""
        claim = a_claim(store, due=False)
        assert claim.events == EVENTS
        assert store.release(claim, delivered_up_to=2)
        (again,) = store.claim(LATER, ALL, HOUR)
        assert again.events == EVENTS[2:]
        assert store.release(again, delivered_up_to=3)
        assert store.claim(LATER, ALL, HOUR) == ()

    @pytest.mark.parametrize("delivered_up_to", [None, 0])
    def test_events_are_kept_until_they_are_delivered(
        self, store: StoreHandle, delivered_up_to: int | None
    ) -> None:
        """Given a release that says of no event that it was delivered; all come again."""
        claim = a_claim(store, due=False)
        assert store.release(claim, delivered_up_to=delivered_up_to)
        (again,) = store.claim(LATER, ALL, HOUR)
        assert again.events == EVENTS

    def test_events_of_other_sessions_stay(self, store: StoreHandle) -> None:
        """Given two sessions with events; what is delivered of one stays with the other."""
        store.insert(finished("1"), EVENTS)
        store.insert(finished("2"), EVENTS)
        one, two = store.claim(NOW, ALL, HOUR)
        assert store.release(one, delivered_up_to=3)
        assert store.release(two)
        (again,) = store.claim(LATER, ALL, HOUR)
        assert (again.record.id, again.events) == (two.record.id, EVENTS)

    def test_progress_is_given_to_the_next_claim(self, store: StoreHandle) -> None:
        """Given what a worker hands over; the next claim has it until another takes its place."""
        claim = a_claim(store)
        assert claim.progress is None
        for turn, progress in enumerate([b"one", b"two", None, b"three"], 1):
            assert store.release(claim, progress=progress)
            (claim,) = store.claim(NOW + turn * SECOND, ALL, HOUR)
            assert claim.progress == progress

    def test_progress_outlives_a_save_and_the_end_of_a_lease(self, store: StoreHandle) -> None:
        """Given progress; a save, and a worker that dies with its lease, leave it as it is."""
        claim = a_claim(store)
        assert store.release(claim, progress=b"one")
        store.save(next_of(claim.record), 1)
        assert [each.progress for each in store.claim(LATER, ALL, HOUR)] == [b"one"]
        assert [each.progress for each in store.claim(LATER + HOUR, ALL, HOUR)] == [b"one"]

    def test_old_fence_releases_nothing(self, store: StoreHandle) -> None:
        """Given a session claimed again after its lease; the old claim's release is False."""
        old = a_claim(store)
        (new,) = store.claim(NOW + HOUR, ALL, HOUR)
        assert new.fence > old.fence
        next_at = NOW + 1000 * HOUR
        assert store.release(old, next_at=next_at, delivered_up_to=3, progress=b"old") is False
        assert store.claim(NOW + 2 * HOUR - TICK, ALL, HOUR) == (), "the lease was ended"
        (again,) = store.claim(NOW + 2 * HOUR, ALL, HOUR)
        assert again.events == EVENTS
        assert again.progress is None

    def test_old_fence_changes_nothing_after_the_new_release(self, store: StoreHandle) -> None:
        """Given that the new claim is released already; the old one's release is False too."""
        old = a_claim(store)
        (new,) = store.claim(NOW + HOUR, ALL, HOUR)
        assert store.release(new, delivered_up_to=1, progress=b"new")
        next_at = NOW + 1000 * HOUR
        assert store.release(old, next_at=next_at, delivered_up_to=3, progress=b"old") is False
        (again,) = store.claim(NOW + 2 * HOUR, ALL, HOUR)
        assert again.events == EVENTS[1:]
        assert again.progress == b"new"

    def test_late_release_counts_when_nobody_claimed_since(self, store: StoreHandle) -> None:
        """Given a lease that is over, and no other claim; the release is kept."""
        claim = a_claim(store, due=False)
        store.insert(due_since(NOW + HOUR, "other"))
        assert claimed_ids(store, NOW + 2 * HOUR, limit=1) == ["other"]
        assert store.release(claim, delivered_up_to=2, progress=b"late") is True
        (again,) = store.claim(NOW + 2 * HOUR, ALL, HOUR)
        assert (again.events, again.progress) == (EVENTS[2:], b"late")

    def test_release_of_a_removed_session_is_false(self, store: StoreHandle) -> None:
        """Given sessions erased or purged while they are leased; their release is False."""
        store.insert(finished("erased", due_at=NOW))
        store.insert(finished("purged", subject="bob", due_at=NOW))
        claims = store.claim(NOW, ALL, HOUR)
        assert store.erase("alice") == store.purge(NOW + HOUR, ALL) == 1
        assert [store.release(claim, progress=b"late") for claim in claims] == [False, False]
        assert store.get("erased") is store.get("purged") is None

    def test_release_when_the_session_moved_on_ignores_next_at(self, store: StoreHandle) -> None:
        """Given a save by others since; ``next_at`` does not count, events and progress do."""
        claim = a_claim(store)
        store.save(next_of(claim.record), 1, [an_event(4)])
        assert store.release(claim, next_at=NOW + HOUR, delivered_up_to=2, progress=b"p") is True
        (again,) = store.claim(LATER, ALL, HOUR)
        assert again.events == (an_event(3), an_event(4))
        assert again.progress == b"p"
        assert again.record.version == claim.record.version + 1

    def test_release_with_the_workers_own_version_keeps_next_at(self, store: StoreHandle) -> None:
        """Given a worker that saved and hands over what it saved; ``next_at`` counts."""
        claim = a_claim(store)
        saved = next_of(claim.record)
        store.save(saved, 1)
        assert store.release(replace(claim, record=saved), next_at=LATER)
        assert store.claim(LATER - TICK, ALL, HOUR) == ()
        assert claimed_ids(store, LATER) == ["session-1"]

    @pytest.mark.parametrize("events", [(), (an_event(4),)], ids=["due", "events"])
    def test_save_clears_next_at(self, store: StoreHandle, events: tuple[EventRecord, ...]) -> None:
        """Given a ``next_at``; after a save the session is claimed as soon as it has work."""
        claim = a_claim(store, due=not events)
        assert store.release(claim, next_at=NOW + HOUR, delivered_up_to=3)
        store.save(next_of(claim.record), 1, events)
        (again,) = store.claim(LATER, ALL, HOUR)
        assert again.events == events

    def test_rejected_save_leaves_next_at(self, store: StoreHandle) -> None:
        """Given a ``next_at``; a save over an old version neither clears it nor adds events."""
        claim = a_claim(store, a_record(due_at=NOW, version=2))
        assert store.release(claim, next_at=LATER, delivered_up_to=3)
        with pytest.raises(VersionConflictError):
            store.save(claim.record, 1, [an_event(4)])
        assert store.claim(LATER - TICK, ALL, HOUR) == ()
        (again,) = store.claim(LATER, ALL, HOUR)
        assert again.events == ()
