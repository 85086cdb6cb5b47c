"""``claim`` leases sessions that have work, the longest claimable first, each to one worker."""
# ruff: noqa: S101 - a suite of assertions

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
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
    assert_faithful,
    claimed_ids,
    due_since,
    finished,
    next_of,
)

if TYPE_CHECKING:
    from livegate.testing.store_suite.handles import StoreHandle


class Claiming(StoreSuite):
    """``claim`` and its leases."""

    def test_session_has_work_from_its_due_time_on(self, store: StoreHandle) -> None:
        """Given a due time; the session is not claimed a microsecond earlier, but then."""
        store.insert(due_since(NOW))
        assert store.claim(NOW - TICK, ALL, HOUR) == ()
        assert claimed_ids(store, NOW) == ["session-1"]

    def test_session_with_undelivered_events_has_work(self, store: StoreHandle) -> None:
        """Given sessions with events, due later or never; they are claimed with their events."""
        events = (an_event(1), an_event(2))
        store.insert(finished("never due", updated_at=NOW + SECOND), events)
        store.insert(due_since(NOW + HOUR, "due later"), events)
        store.insert(a_record("no work"))
        claims = store.claim(NOW, ALL, HOUR)
        assert {claim.record.id for claim in claims} == {"never due", "due later"}
        assert [claim.events for claim in claims] == [events, events]

    def test_events_come_in_order_with_a_due_session_too(self, store: StoreHandle) -> None:
        """Given a due session with events from its insert and its saves; one claim has all."""
        record = due_since(NOW)
        store.insert(record, [an_event(1), an_event(2)])
        record = next_of(record)
        store.save(record, 1, [an_event(3)])
        store.save(next_of(record), 2, [an_event(number) for number in range(4, 13)])
        (claim,) = store.claim(NOW, ALL, HOUR)
        assert claim.events == tuple(an_event(number) for number in range(1, 13))

    def test_claim_has_the_record_as_it_was_saved_last(self, store: StoreHandle) -> None:
        """Given sessions that were saved after an insert and after a claim; both are up to date."""
        first = due_since(NOW)
        store.insert(first)
        second = next_of(first, state="started")
        store.save(second, 1)
        (claim,) = store.claim(NOW, ALL, HOUR)
        assert_faithful(claim.record, second)
        third = next_of(second, state="passed")
        store.save(third, 2)
        (again,) = store.claim(NOW + HOUR, ALL, HOUR)
        assert_faithful(again.record, third)

    def test_session_due_longest_comes_first(self, store: StoreHandle) -> None:
        """Given due sessions; they come by their due time, not by their ids or their inserts."""
        for session_id, minutes in {"e": 3, "d": 1, "b": 4, "a": 2, "c": 5}.items():
            store.insert(due_since(NOW + timedelta(minutes=minutes), session_id))
        assert claimed_ids(store, NOW + HOUR, limit=2) == ["d", "a"]
        assert claimed_ids(store, NOW + HOUR, limit=2) == ["e", "b"]
        assert claimed_ids(store, NOW + HOUR, limit=2) == ["c"]
        assert claimed_ids(store, NOW + HOUR, limit=2) == []

    def test_oldest_event_comes_first(self, store: StoreHandle) -> None:
        """Given sessions with events alone; they come by the time of their events."""
        for number, session_id in enumerate("cadb"):
            record = finished(session_id, updated_at=NOW + number * SECOND)
            store.insert(record, [an_event()])
        assert claimed_ids(store, NOW + HOUR, limit=2) == ["c", "a"]
        assert claimed_ids(store, NOW + HOUR, limit=2) == ["d", "b"]

    def test_due_sessions_come_before_those_with_events_alone(self, store: StoreHandle) -> None:
        """Given events that have waited for an hour; what became due now comes first."""
        store.insert(finished("1 events", updated_at=NOW - HOUR), [an_event()])
        store.insert(due_since(NOW + HOUR, "2 later", updated_at=NOW - HOUR), [an_event()])
        store.insert(due_since(NOW, "3 due"))
        store.insert(due_since(NOW - SECOND, "4 due", updated_at=NOW), [an_event()])
        assert claimed_ids(store, NOW, limit=1) == ["4 due"]
        assert claimed_ids(store, NOW, limit=2)[0] == "3 due"
        assert len(claimed_ids(store, NOW)) == 1

    def test_due_sessions_with_news_come_before_those_without(self, store: StoreHandle) -> None:
        """Given sessions claimed and released, at once or until later; what is new comes first."""
        store.insert(due_since(NOW - HOUR, "released"))
        store.insert(due_since(NOW - HOUR, "put off"))
        store.insert(finished("events", updated_at=NOW - HOUR), [an_event()])
        for claim in store.claim(NOW, ALL, HOUR):
            next_at = NOW + SECOND if claim.record.id == "put off" else None
            assert store.release(claim, next_at=next_at)
        store.insert(due_since(NOW + 2 * SECOND, "new"))
        order = ["new", "released", "put off", "events"]
        assert claimed_ids(store, NOW + 3 * SECOND) == order

    def test_saved_session_has_news_until_it_is_released_as_saved(self, store: StoreHandle) -> None:
        """Given saves without and with a claim; what the worker has not seen comes first."""
        names = ("saved by the worker", "not saved", "saved by others", "saved later")
        for session_id in names:
            store.insert(due_since(NOW - HOUR, session_id))
        claims = {claim.record.id: claim for claim in store.claim(NOW, ALL, HOUR)}
        for session_id in ("saved by others", "saved by the worker"):
            store.save(next_of(claims[session_id].record), 1)
        seen = next_of(claims["saved by the worker"].record)
        claims["saved by the worker"] = replace(claims["saved by the worker"], record=seen)
        for claim in claims.values():
            assert store.release(claim)
        store.save(next_of(claims["saved later"].record), 1)
        found = claimed_ids(store, NOW + SECOND)
        assert set(found[:2]) == {"saved by others", "saved later"}
        assert set(found[2:]) == {"saved by the worker", "not saved"}

    @pytest.mark.parametrize("kind", ["due", "events"])
    def test_released_session_goes_behind_the_others(self, store: StoreHandle, kind: str) -> None:
        """Given sessions that stay as they are; claimed and released, each gets its turn."""
        for number, session_id in enumerate("cab"):
            moment = NOW - (10 - number) * SECOND
            if kind == "due":
                store.insert(due_since(moment, session_id))
            else:
                store.insert(finished(session_id, updated_at=moment), [an_event()])
        order = ""
        for number in range(6):
            (claim,) = store.claim(NOW + number * SECOND, 1, HOUR)
            order += claim.record.id
            assert store.release(claim)
        assert order == "cabcab"

    def test_claim_gives_no_more_than_its_limit(self, store: StoreHandle) -> None:
        """Given five sessions with work, due, with events, or both; two claims give 3 and 2."""
        store.insert(due_since(NOW, "1"))
        store.insert(due_since(NOW, "2"), [an_event()])
        store.insert(due_since(NOW, "3"), [an_event()])
        store.insert(finished("4"), [an_event()])
        store.insert(finished("5"), [an_event()])
        first, second = claimed_ids(store, NOW, limit=3), claimed_ids(store, NOW, limit=3)
        assert (set(first), set(second)) == (set("123"), set("45"))
        assert len(first + second) == len("12345")

    @pytest.mark.parametrize("limit", [0, -1])
    def test_claim_rejects_a_limit_below_one(self, store: StoreHandle, limit: int) -> None:
        """Given a limit below 1; it is a ValueError, and nothing is leased."""
        store.insert(due_since(NOW))
        with pytest.raises(ValueError, match="limit"):
            store.claim(NOW, limit, HOUR)
        assert claimed_ids(store, NOW) == ["session-1"]

    @pytest.mark.parametrize("kind", ["due", "events"])
    def test_lease_lasts_to_its_end(self, store: StoreHandle, kind: str) -> None:
        """Given a leased session; it is claimed again at the end of the lease, not before."""
        if kind == "due":
            store.insert(due_since(NOW))
        else:
            store.insert(finished(), [an_event()])
        assert len(store.claim(NOW, ALL, 60 * SECOND)) == 1
        assert store.claim(NOW, ALL, HOUR) == ()
        assert store.claim(NOW + 60 * SECOND - TICK, ALL, HOUR) == ()
        assert len(store.claim(NOW + 60 * SECOND, ALL, HOUR)) == 1
        assert store.claim(NOW + 60 * SECOND, ALL, HOUR) == ()

    def test_fences_rise_over_all_sessions(self, store: StoreHandle) -> None:
        """Given claims of several sessions; each has higher fences than all claims before."""
        last = 0
        for turn in range(4):
            store.insert(due_since(NOW, f"{9 - turn}"))
            claims = store.claim(NOW + turn * 2 * HOUR, ALL, HOUR)
            assert len(claims) > turn
            assert min(claim.fence for claim in claims) > last
            last = max(claim.fence for claim in claims)

    def test_fences_never_restart(self, store: StoreHandle) -> None:
        """Given that all sessions are erased or purged; the next claim's fence is still higher."""
        last = 0
        for _ in range(3):
            store.insert(finished("1", due_at=NOW))
            store.insert(finished("2", due_at=NOW, subject="bob"))
            claims = store.claim(NOW, ALL, HOUR)
            assert min(claim.fence for claim in claims) > last
            last = max(claim.fence for claim in claims)
            assert store.erase("alice") == store.purge(NOW + HOUR, ALL) == 1

    def test_save_is_not_blocked_by_a_claim_and_does_not_end_it(self, store: StoreHandle) -> None:
        """Given a leased session; a save by others is kept, and the lease lasts to its end."""
        record = due_since(NOW)
        store.insert(record)
        (claim,) = store.claim(NOW, ALL, HOUR)
        saved = next_of(record)
        store.save(saved, 1, [an_event()])
        assert store.get(record.id) == saved
        assert claim.events == ()
        assert store.claim(NOW + HOUR - TICK, ALL, HOUR) == ()
        (again,) = store.claim(NOW + HOUR, ALL, HOUR)
        assert again.events == (an_event(),)

    def test_save_moves_the_due_time(self, store: StoreHandle) -> None:
        """Given a due session; a save with a later due time puts it off, one without ends it."""
        record = due_since(NOW)
        store.insert(record)
        later = next_of(record, due_at=NOW + HOUR)
        store.save(later, 1)
        assert store.claim(NOW + HOUR - TICK, ALL, HOUR) == ()
        assert claimed_ids(store, NOW + HOUR) == ["session-1"]
        store.save(next_of(later, due_at=None), 2)
        assert store.claim(NOW + 1000 * HOUR, ALL, HOUR) == ()

    def test_save_makes_a_session_due_earlier(self, store: StoreHandle) -> None:
        """Given a session that is due later or never; a save with an earlier due time counts."""
        for session_id, due_at in {"never": None, "later": NOW + HOUR}.items():
            record = a_record(session_id, due_at=due_at)
            store.insert(record)
            store.save(next_of(record, due_at=NOW), 1)
        assert set(claimed_ids(store, NOW)) == {"never", "later"}

    def test_rejected_save_leaves_the_lease(self, store: StoreHandle) -> None:
        """Given a leased session; a save over an old version changes nothing of the lease."""
        record = due_since(NOW)
        store.insert(record)
        store.save(next_of(record), 1)
        assert claimed_ids(store, NOW) == [record.id]
        with pytest.raises(VersionConflictError):
            store.save(next_of(record), 1)
        assert store.claim(NOW + HOUR - TICK, ALL, HOUR) == ()
