"""What may be forgotten is, and nothing else."""
# ruff: noqa: S101 - a kit of assertions

from __future__ import annotations

from typing import TYPE_CHECKING

from livegate.session import FINAL_STATES, RemoteState, SessionState
from livegate.stores.base import FORGETTABLE, SessionQuery
from livegate.testing.store_suite.driven import StoreSuite
from livegate.testing.store_suite.samples import HOUR, NOW, SECOND, a_full_session, a_session

if TYPE_CHECKING:
    from livegate.testing.store_suite.driven import DrivenStore


def ids_in(store: DrivenStore) -> set[str]:
    """The ids of all sessions in the store."""
    return {session.id for session in store.find(SessionQuery(limit=100)).sessions}


class Forgetting(StoreSuite):
    """``purge`` and ``erase``."""

    def test_purge_takes_what_is_final_here_and_there(self, driven: DrivenStore) -> None:
        """Given old sessions in all states, here and at the service; only those done with go."""
        sessions = [
            a_session(f"{state} {remote}", state=state, remote=remote, remote_retry_at=NOW)
            for state in SessionState
            for remote in RemoteState
        ]
        for session in sessions:
            driven.insert(session)
        gone = {s.id for s in sessions if s.state in FINAL_STATES and s.remote in FORGETTABLE}
        assert driven.purge(NOW + SECOND) == len(gone)
        assert ids_in(driven) == {session.id for session in sessions} - gone
        assert driven.purge(NOW + SECOND) == 0

    def test_purge_goes_by_the_last_change(self, driven: DrivenStore) -> None:
        """Given sessions that changed before, at and after a moment; only the first goes."""
        changes = {"before": NOW - SECOND, "at": NOW, "after": NOW + SECOND}
        for name, moment in changes.items():
            old = NOW - 1000 * HOUR
            state = SessionState.PASSED
            driven.insert(a_session(name, state=state, created_at=old, updated_at=moment))
        assert driven.purge(NOW) == 1
        assert ids_in(driven) == {"at", "after"}

    def test_purge_sets_the_key_free(self, driven: DrivenStore) -> None:
        """Given a purged session; its id and its idempotency key can be used anew."""
        session = a_session(state=SessionState.FAILED, idempotency_key="key-1")
        driven.insert(session)
        assert driven.purge(NOW + SECOND) == 1
        assert driven.get(session.id) is None
        assert driven.lookup("alice", "key-1") is None
        driven.insert(session)
        assert driven.lookup("alice", "key-1") == session

    def test_erase_takes_all_of_one_subject(self, driven: DrivenStore) -> None:
        """Given sessions of two subjects in all states; all of one go, none of the other."""
        for subject in ("alice", "bob"):
            for state in SessionState:
                session_id = f"{subject} {state}"
                driven.insert(
                    a_session(session_id, subject=subject, state=state, idempotency_key=state),
                )
        assert driven.erase("alice") == len(SessionState)
        assert ids_in(driven) == {f"bob {state}" for state in SessionState}
        assert driven.lookup("alice", SessionState.READY) is None
        assert driven.lookup("bob", SessionState.READY) is not None
        assert driven.erase("alice") == 0

    def test_erase_sets_the_key_free(self, driven: DrivenStore) -> None:
        """Given an erased session; its id and its idempotency key can be used anew."""
        session = a_full_session()
        driven.insert(session)
        assert driven.erase(session.subject) == 1
        assert driven.get(session.id) is None
        driven.insert(session)
        assert driven.get(session.id) == session

    def test_what_is_gone_is_gone_everywhere(
        self,
        driven: DrivenStore,
        other: DrivenStore,
    ) -> None:
        """Given sessions that one handle forgets; the other does not find them either."""
        driven.insert(a_session("1", state=SessionState.PASSED))
        driven.insert(a_session("2", subject="bob"))
        assert ids_in(other) == {"1", "2"}
        assert driven.purge(NOW + SECOND) == 1
        assert other.erase("bob") == 1
        assert ids_in(driven) == ids_in(other) == set()
