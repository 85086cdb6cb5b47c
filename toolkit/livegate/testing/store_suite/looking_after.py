"""Due sessions are handed out longest due first, each to one caller at a time."""
# ruff: noqa: S101 - a kit of assertions

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from livegate.errors import VersionConflictError
from livegate.lifecycle import due_at
from livegate.session import RemoteState, SessionState
from livegate.testing.store_suite.driven import StoreSuite
from livegate.testing.store_suite.samples import HOUR, NOW, SECOND, a_session, due_since, next_of

if TYPE_CHECKING:
    from datetime import datetime

    from livegate.testing.store_suite.driven import DrivenStore

TICK: Final = timedelta(microseconds=1)


def due_ids(store: DrivenStore, now: datetime, limit: int = 100) -> list[str]:
    """The ids of what is due, leased for an hour."""
    return [session.id for session in store.due(now, limit, HOUR)]


class LookingAfter(StoreSuite):
    """``due`` and its leases."""

    def test_a_session_is_due_from_its_moment_on(self, driven: DrivenStore) -> None:
        """Given a session that is due now; it is not a microsecond earlier."""
        session = due_since(NOW)
        driven.insert(session)
        assert driven.due(NOW - TICK, 10, HOUR) == ()
        assert driven.due(NOW, 10, HOUR) == (session,)
        assert driven.get(session.id) == session

    def test_the_longest_due_come_first(self, driven: DrivenStore) -> None:
        """Given several due sessions; they come in the order in which they became due."""
        # Neither the order of the ids nor the one in which they came.
        for session_id, minutes in {"e": 3, "d": 1, "b": 4, "a": 2, "c": 5}.items():
            driven.insert(due_since(NOW + timedelta(minutes=minutes), session_id))
        assert due_ids(driven, NOW + HOUR, limit=2) == ["d", "a"]
        assert due_ids(driven, NOW + HOUR, limit=2) == ["e", "b"]
        assert due_ids(driven, NOW + HOUR, limit=2) == ["c"]
        assert due_ids(driven, NOW + HOUR, limit=2) == []

    def test_the_state_machine_says_what_is_due(self, driven: DrivenStore) -> None:
        """Given a session in each state, here and at the service; those with a due time are due."""
        sessions = [
            due_since(NOW, f"{state} {remote}", remote_retry_at=NOW)
            for state in SessionState
            for remote in RemoteState
        ]
        sessions = [
            next_of(session, version=1, state=SessionState(state), remote=RemoteState(remote))
            for session in sessions
            for state, remote in [session.id.split()]
        ]
        for session in sessions:
            driven.insert(session)
        expected = {session.id for session in sessions if due_at(session) is not None}
        assert set(due_ids(driven, NOW + HOUR)) == expected

    def test_a_lease_lasts_to_its_end(self, driven: DrivenStore) -> None:
        """Given a leased session; nobody else gets it before the end of the lease, then they do."""
        session = due_since(NOW)
        driven.insert(session)
        assert driven.due(NOW, 10, 60 * SECOND) == (session,)
        assert driven.due(NOW + 60 * SECOND - TICK, 10, HOUR) == ()
        assert driven.due(NOW + 60 * SECOND, 10, HOUR) == (session,)
        assert driven.due(NOW + 60 * SECOND, 10, HOUR) == ()

    def test_a_leased_session_is_not_in_the_way(self, driven: DrivenStore) -> None:
        """Given that the longest due is leased; the next ones get their turn."""
        driven.insert(due_since(NOW - SECOND, "first"))
        assert due_ids(driven, NOW) == ["first"]
        driven.insert(due_since(NOW, "second"))
        assert due_ids(driven, NOW, limit=1) == ["second"]

    def test_a_save_ends_the_lease(self, driven: DrivenStore) -> None:
        """Given a leased session; when it is saved and still due, it is handed out again."""
        session = due_since(NOW)
        driven.insert(session)
        assert driven.due(NOW, 10, HOUR) == (session,)
        saved = next_of(session)
        driven.save(saved, 1)
        assert driven.due(NOW, 10, HOUR) == (saved,)

    def test_a_save_moves_the_due_time(self, driven: DrivenStore) -> None:
        """Given a due session; when a save puts it off, it is due then; when final, never."""
        session = due_since(NOW)
        driven.insert(session)
        later = next_of(session, expires_at=NOW + HOUR)
        driven.save(later, 1)
        assert driven.due(NOW + HOUR - TICK, 10, SECOND) == ()
        assert driven.due(NOW + HOUR, 10, SECOND) == (later,)
        final = next_of(later, state=SessionState.EXPIRED, remote=RemoteState.DELETED)
        driven.save(final, 2)
        assert driven.due(NOW + 1000 * HOUR, 10, HOUR) == ()

    def test_a_refused_save_leaves_the_lease(self, driven: DrivenStore) -> None:
        """Given a leased session; when somebody saves over a version long gone, the lease stays."""
        session = due_since(NOW)
        driven.insert(session)
        driven.save(next_of(session), 1)
        assert due_ids(driven, NOW) == [session.id]
        with pytest.raises(VersionConflictError):
            driven.save(next_of(session), 1)
        assert due_ids(driven, NOW) == []

    def test_a_lease_is_gone_with_its_session(self, driven: DrivenStore) -> None:
        """Given a leased session that is erased; a new one with its id is due as any other."""
        session = due_since(NOW)
        driven.insert(session)
        assert due_ids(driven, NOW) == [session.id]
        driven.erase(session.subject)
        assert due_ids(driven, NOW + 1000 * HOUR) == []
        driven.insert(session)
        assert due_ids(driven, NOW) == [session.id]

    @pytest.mark.parametrize("limit", [0, -1])
    def test_somebody_has_to_want_something(self, driven: DrivenStore, limit: int) -> None:
        """Given a limit below 1; that is a mistake, and nothing is leased."""
        driven.insert(due_since(NOW))
        with pytest.raises(ValueError, match="limit"):
            driven.due(NOW, limit, HOUR)
        assert due_ids(driven, NOW) == ["session-1"]

    def test_a_lease_holds_on_the_other_handle(
        self,
        driven: DrivenStore,
        other: DrivenStore,
    ) -> None:
        """Given a session leased through one handle; the other does not get it."""
        driven.insert(due_since(NOW))
        driven.insert(a_session("not due", state=SessionState.PASSED))
        assert due_ids(driven, NOW) == ["session-1"]
        assert due_ids(other, NOW) == []
