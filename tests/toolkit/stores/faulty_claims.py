"""Stores with faults in ``claim``; see :mod:`tests.toolkit.stores.faults`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

from tests.toolkit.stores.faults import fails

from livegate.models import SessionState
from livegate.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from livegate.protocols import Claim, Record


class ChangesClaims(MemoryStore):
    """Changes claims on their way out."""

    def changed(self, claim: Claim) -> Claim:
        return claim

    def claim(self, now: datetime, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        return tuple(map(self.changed, super().claim(now, limit, lease)))


@fails(
    "test_claim_has_the_record_as_it_was_saved_last",
    "test_record_is_read_back_equal_with_the_same_types",
    "test_save_replaces_the_record",
)
class ClaimsRecordsWithEnums(ChangesClaims):
    def changed(self, claim: Claim) -> Claim:
        return replace(claim, record=replace(claim.record, state=SessionState(claim.record.state)))


@fails(
    "test_claim_has_the_record_as_it_was_saved_last",
    "test_release_when_the_session_moved_on_ignores_next_at",
)
class ClaimsStaleRecords(ChangesClaims):
    """Has the record as it was first claimed."""

    def __init__(self) -> None:
        super().__init__()
        self._claimed: dict[str, Record] = {}

    def changed(self, claim: Claim) -> Claim:
        return replace(claim, record=self._claimed.setdefault(claim.record.id, claim.record))


@fails(
    "test_events_come_in_order_with_a_due_session_too",
)
class OrdersEventsAsText(ChangesClaims):
    def changed(self, claim: Claim) -> Claim:
        return replace(claim, events=tuple(sorted(claim.events, key=lambda e: str(e.sequence))))


@fails(
    "test_body_is_read_back_byte_for_byte",
    "test_events_come_in_order_with_a_due_session_too",
    "test_old_fence_changes_nothing_after_the_new_release",
    "test_old_fence_releases_nothing",
    "test_release_when_the_session_moved_on_ignores_next_at",
    "test_save_is_not_blocked_by_a_claim_and_does_not_end_it",
    "test_session_with_undelivered_events_has_work",
)
class ClaimsDueSessionsWithoutTheirEvents(ChangesClaims):
    def changed(self, claim: Claim) -> Claim:
        due_at = claim.record.due_at
        return claim if due_at is None else replace(claim, events=())


@fails(
    "test_fences_rise_over_all_sessions",
)
class FencesEachSessionByItself(ChangesClaims):
    def __init__(self) -> None:
        super().__init__()
        self._own: dict[str, int] = {}

    def _lease(self, row: Any, now: datetime, lease: timedelta) -> Claim:
        claim = super()._lease(row, now, lease)
        row.fence = self._own[claim.record.id] = self._own.get(claim.record.id, 0) + 1
        return replace(claim, fence=row.fence)


@fails(
    "test_fences_never_restart",
    "test_nothing_of_a_removed_session_is_left_for_its_id",
)
class RestartsFences(MemoryStore):
    """When it is empty."""

    def _remove(self, session_id: str) -> None:
        super()._remove(session_id)
        if not self._rows:
            self._turns = count(1)


class ChoosesClaims(MemoryStore):
    """Leases the first of what it has chosen."""

    def chosen(self, now: datetime) -> Iterable[str]:
        for queue in (self._due_with_news, self._due_without_news, self._with_events):
            yield from queue.until(now)

    def claim(self, now: datetime, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        if limit < 1:
            raise ValueError("limit must be at least 1")
        with self._lock:
            self._check_open()
            ids = list(dict.fromkeys(self.chosen(now)))[:limit]
            return tuple(self._lease(self._rows[session_id], now, lease) for session_id in ids)

    def is_held(self, session_id: str, now: datetime) -> bool:
        return self._rows[session_id].held_until > now


@fails(
    "test_lease_lasts_to_its_end",
    "test_next_at_does_not_make_a_session_due",
    "test_nothing_of_a_removed_session_is_left_for_its_id",
    "test_old_fence_releases_nothing",
    "test_rejected_save_leaves_next_at",
    "test_rejected_save_leaves_the_lease",
    "test_release_with_the_workers_own_version_keeps_next_at",
    "test_released_session_is_not_claimed_before_next_at",
    "test_save_is_not_blocked_by_a_claim_and_does_not_end_it",
    "test_save_moves_the_due_time",
    "test_session_has_work_from_its_due_time_on",
)
class ClaimsTooEarly(ChoosesClaims):
    """By the second."""

    def chosen(self, now: datetime) -> Iterable[str]:
        return super().chosen(now.replace(microsecond=999_999))


@fails(
    "test_claim_gives_no_more_than_its_limit",
    "test_due_sessions_come_before_those_with_events_alone",
    "test_late_release_counts_when_nobody_claimed_since",
    "test_lease_lasts_to_its_end",
    "test_old_fence_releases_nothing",
    "test_record_is_read_back_equal_with_the_same_types",
    "test_records_behind_1100_others_are_found",
    "test_rejected_save_leaves_the_lease",
    "test_save_is_not_blocked_by_a_claim_and_does_not_end_it",
    "test_session_due_longest_comes_first",
    "test_times_do_not_depend_on_the_time_zone_of_the_process",
)
class LeasesNothing(MemoryStore):
    def claim(self, now: datetime, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        return super().claim(now, limit, timedelta(0))


@fails(
    "test_claim_has_the_record_as_it_was_saved_last",
    "test_fences_rise_over_all_sessions",
    "test_lease_lasts_to_its_end",
    "test_old_fence_changes_nothing_after_the_new_release",
    "test_old_fence_releases_nothing",
    "test_progress_outlives_a_save_and_the_end_of_a_lease",
    "test_save_is_not_blocked_by_a_claim_and_does_not_end_it",
)
class LeasesForEver(MemoryStore):
    def claim(self, now: datetime, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        return super().claim(now, limit, 10_000 * lease)


@fails(
    "test_claim_rejects_a_limit_below_one",
)
class ClaimsNothingForALimitOfZero(MemoryStore):
    def claim(self, now: datetime, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        return super().claim(now, limit, lease) if limit > 0 else ()


@fails(
    "test_claim_gives_no_more_than_its_limit",
    "test_due_sessions_come_before_those_with_events_alone",
    "test_due_sessions_with_news_come_before_those_without",
    "test_late_release_counts_when_nobody_claimed_since",
    "test_records_behind_1100_others_are_found",
)
class ClaimsEventsBeforeDueSessions(ChoosesClaims):
    def chosen(self, now: datetime) -> Iterable[str]:
        for queue in (self._with_events, self._due_with_news, self._due_without_news):
            yield from queue.until(now)


@fails(
    "test_due_sessions_come_before_those_with_events_alone",
    "test_session_with_undelivered_events_has_work",
)
class ClaimsNoEventsOfSessionsDueLater(ChoosesClaims):
    def chosen(self, now: datetime) -> Iterable[str]:
        for session_id in super().chosen(now):
            due_at = self._rows[session_id].record.due_at
            if due_at is None or due_at <= now:
                yield session_id


@fails(
    "test_due_sessions_come_before_those_with_events_alone",
    "test_due_sessions_with_news_come_before_those_without",
    "test_oldest_event_comes_first",
    "test_released_session_goes_behind_the_others",
    "test_session_due_longest_comes_first",
)
class ClaimsByTheId(ChoosesClaims):
    def chosen(self, now: datetime) -> Iterable[str]:
        for queue in (self._due_with_news, self._due_without_news, self._with_events):
            yield from sorted(queue.until(now))


@fails(
    "test_due_sessions_with_news_come_before_those_without",
    "test_released_session_goes_behind_the_others",
)
class ClaimsByTheDueTimeAlone(ChoosesClaims):
    """However often it was looked at."""

    def chosen(self, now: datetime) -> Iterable[str]:
        def place(session_id: str) -> datetime:
            return self._rows[session_id].record.due_at or now

        due = [*self._due_with_news.until(now), *self._due_without_news.until(now)]
        return [*sorted(due, key=place), *self._with_events.until(now)]


@fails(
    "test_due_sessions_with_news_come_before_those_without",
)
class ClaimsWithoutRegardToNews(ChoosesClaims):
    def chosen(self, now: datetime) -> Iterable[str]:
        def place(session_id: str) -> datetime:
            row = self._rows[session_id]
            return max(row.held_until, row.record.due_at or row.held_until)

        due = [*self._due_with_news.until(now), *self._due_without_news.until(now)]
        return [*sorted(due, key=place), *self._with_events.until(now)]


@fails(
    "test_records_behind_1100_others_are_found",
)
class ClaimsAmongThe1000LongestDue(ChoosesClaims):
    def chosen(self, now: datetime) -> Iterable[str]:
        rows = sorted(
            self._rows.values(), key=lambda row: row.record.due_at or row.record.updated_at
        )
        first = {row.record.id for row in rows[:1000]}
        return [session_id for session_id in super().chosen(now) if session_id in first]
