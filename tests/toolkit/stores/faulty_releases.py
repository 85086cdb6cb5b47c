"""Stores with faults in ``release``, and in what ``save`` does to the queue."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.toolkit.stores.faults import Events, fails
from tests.toolkit.stores.faulty_claims import ChoosesClaims

from livegate.errors import VersionConflictError
from livegate.stores.memory import MemoryStore, _Row

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from livegate.protocols import Claim, Record


class ChangesSaves(MemoryStore):
    """Changes what a save leaves of the queue."""

    def __init__(self) -> None:
        super().__init__()
        self._lock: Any = RLock()

    def after_save(self, row: _Row, before: _Row) -> None:
        raise NotImplementedError

    def save(self, record: Record, expected_version: int, events: Events = ()) -> None:
        with self._lock:
            row = self._rows.get(record.id)
            before = copy(row)
            super().save(record, expected_version, events)
            if row is not None and before is not None:
                self.after_save(row, before)
                self._queue(row)


@fails(
    "test_save_is_not_blocked_by_a_claim_and_does_not_end_it",
)
class EndsTheLeaseWithASave(ChangesSaves):
    def after_save(self, row: _Row, before: _Row) -> None:
        row.held_until = row.claimed_at


@fails(
    "test_save_clears_next_at",
)
class KeepsNextAtOverASave(ChangesSaves):
    def after_save(self, row: _Row, before: _Row) -> None:
        row.held_until = before.held_until


@fails(
    "test_progress_outlives_a_save_and_the_end_of_a_lease",
)
class ForgetsProgressWithASave(ChangesSaves):
    def after_save(self, row: _Row, before: _Row) -> None:
        row.progress = None


@fails(
    "test_events_come_in_order_with_a_due_session_too",
    "test_release_when_the_session_moved_on_ignores_next_at",
)
class ForgetsOlderEventsWithASave(ChangesSaves):
    def after_save(self, row: _Row, before: _Row) -> None:
        row.events = row.events[len(before.events) :]


@fails(
    "test_saved_session_has_news_until_it_is_released_as_saved",
)
class HasNoNewsAfterASave(ChangesSaves):
    def after_save(self, row: _Row, before: _Row) -> None:
        row.has_news = before.has_news


@fails(
    "test_save_makes_a_session_due_earlier",
    "test_save_replaces_the_record",
)
class KeepsTheDueTimeThatComesFirst(ChangesSaves):
    """Where a save brings it forward."""

    def __init__(self) -> None:
        super().__init__()
        self._timers: dict[str, datetime | None] = {}

    def after_save(self, row: _Row, before: _Row) -> None:
        self._timers.setdefault(row.record.id, before.record.due_at)

    def _queue(self, row: _Row) -> None:
        super()._queue(row)
        due_at = self._timers.get(row.record.id, row.record.due_at)
        if due_at is None or (row.record.due_at is not None and due_at > row.record.due_at):
            self._due_with_news.put(row.record.id, due_at)


@fails(
    "test_claim_has_the_record_as_it_was_saved_last",
    "test_next_at_does_not_make_a_session_due",
    "test_release_when_the_session_moved_on_ignores_next_at",
    "test_release_with_the_workers_own_version_keeps_next_at",
    "test_save_is_not_blocked_by_a_claim_and_does_not_end_it",
    "test_save_moves_the_due_time",
    "test_saved_session_has_news_until_it_is_released_as_saved",
)
class RejectsSavesOfLeasedSessions(MemoryStore):
    def save(self, record: Record, expected_version: int, events: Events = ()) -> None:
        if record.id in self._rows and self._rows[record.id].is_leased:
            raise VersionConflictError("leased")
        super().save(record, expected_version, events)


@fails(
    "test_rejected_save_leaves_next_at",
)
class ClearsNextAtWithARejectedSave(MemoryStore):
    def save(self, record: Record, expected_version: int, events: Events = ()) -> None:
        try:
            super().save(record, expected_version, events)
        except VersionConflictError:
            row = self._rows.get(record.id)
            if row is not None and not row.is_leased:
                row.held_until = row.claimed_at
                self._queue(row)
            raise


class ChangesReleases(MemoryStore):
    """Changes the arguments of a release."""

    def changed(self, row: _Row, release: Release) -> Release:
        return release

    def release(
        self,
        claim: Claim,
        next_at: datetime | None = None,
        delivered_up_to: int | None = None,
        progress: bytes | None = None,
    ) -> bool:
        release = Release(claim, next_at, delivered_up_to, progress)
        row = self._rows.get(claim.record.id)
        return super().release(*(release if row is None else self.changed(row, release)))


class Release(NamedTuple):
    claim: Claim
    next_at: datetime | None
    delivered_up_to: int | None
    progress: bytes | None


@fails(
    "test_nothing_of_a_removed_session_is_left_for_its_id",
    "test_old_fence_changes_nothing_after_the_new_release",
    "test_old_fence_releases_nothing",
)
class ReleasesWithAnyFence(ChangesReleases):
    def changed(self, row: _Row, release: Release) -> Release:
        return release._replace(claim=replace(release.claim, fence=row.fence))


@fails(
    "test_old_fence_changes_nothing_after_the_new_release",
    "test_old_fence_releases_nothing",
)
class RemovesEventsWithAnOldFence(ChangesReleases):
    def changed(self, row: _Row, release: Release) -> Release:
        delivered = release.delivered_up_to or 0
        row.events = tuple(event for event in row.events if event.sequence > delivered)
        return release


@fails(
    "test_release_when_the_session_moved_on_ignores_next_at",
    "test_saved_session_has_news_until_it_is_released_as_saved",
)
class KeepsNextAtOfAnOlderVersion(ChangesReleases):
    def changed(self, row: _Row, release: Release) -> Release:
        return release._replace(claim=replace(release.claim, record=row.record))


@fails(
    "test_release_when_the_session_moved_on_ignores_next_at",
)
class ForgetsWhatIsDeliveredOfAnOlderVersion(ChangesReleases):
    def changed(self, row: _Row, release: Release) -> Release:
        if release.claim.record.version == row.record.version:
            return release
        return release._replace(delivered_up_to=None, progress=row.progress)


@fails(
    "test_progress_is_given_to_the_next_claim",
)
class KeepsProgressUntilThereIsOther(ChangesReleases):
    def changed(self, row: _Row, release: Release) -> Release:
        return release._replace(progress=release.progress or row.progress)


@fails(
    "test_body_is_read_back_byte_for_byte",
    "test_delivered_events_are_removed",
    "test_due_sessions_with_news_come_before_those_without",
    "test_events_are_kept_until_they_are_delivered",
    "test_events_of_other_sessions_stay",
    "test_nothing_of_a_removed_session_is_left_for_its_id",
    "test_progress_is_given_to_the_next_claim",
    "test_rejected_save_leaves_next_at",
    "test_release_with_the_workers_own_version_keeps_next_at",
    "test_released_session_can_be_claimed_at_once",
    "test_released_session_goes_behind_the_others",
    "test_released_session_is_not_claimed_before_next_at",
    "test_saved_session_has_news_until_it_is_released_as_saved",
)
class KeepsTheLeaseToItsEnd(ChangesReleases):
    def changed(self, row: _Row, release: Release) -> Release:
        return release._replace(next_at=max(row.held_until, release.next_at or row.held_until))


@fails(
    "test_rejected_save_leaves_next_at",
    "test_release_with_the_workers_own_version_keeps_next_at",
    "test_released_session_is_not_claimed_before_next_at",
)
class IgnoresNextAt(ChangesReleases):
    def changed(self, row: _Row, release: Release) -> Release:
        return release._replace(next_at=None)


@fails(
    "test_release_with_the_workers_own_version_keeps_next_at",
    "test_released_session_is_not_claimed_before_next_at",
)
class DeliversEventsInSpiteOfNextAt(ChoosesClaims):
    def chosen(self, now: datetime) -> Iterable[str]:
        yield from super().chosen(now)
        for session_id, row in self._rows.items():
            if row.events and not row.is_leased:
                yield session_id


@fails(
    "test_late_release_counts_when_nobody_claimed_since",
)
class ReleasesNothingAfterTheLease(MemoryStore):
    def claim(self, now: datetime, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        claims = super().claim(now, limit, lease)
        for row in self._rows.values():
            if row.is_leased and row.held_until <= now:
                row.fence = 0
        return claims


@fails(
    "test_release_of_a_removed_session_is_false",
)
class ReleasesWhatIsGone(MemoryStore):
    def release(self, claim: Claim, *args: Any, **kwargs: Any) -> bool:
        return super().release(claim, *args, **kwargs) or claim.record.id not in self._rows


@fails(
    "test_events_of_other_sessions_stay",
    "test_old_fence_changes_nothing_after_the_new_release",
    "test_old_fence_releases_nothing",
)
class RemovesEventsOfAllSessions(ChangesReleases):
    def changed(self, row: _Row, release: Release) -> Release:
        for other in self._rows.values():
            delivered = release.delivered_up_to or 0
            other.events = tuple(each for each in other.events if each.sequence > delivered)
            self._queue(other)
        return release
