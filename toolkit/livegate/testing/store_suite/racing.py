"""Of any number of callers at one moment, exactly as many win as can."""
# ruff: noqa: S101 - a kit of assertions

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from livegate.errors import KeyTakenError, VersionConflictError
from livegate.stores.base import SessionQuery
from livegate.testing.store_suite.driven import CROWD, StoreSuite, race
from livegate.testing.store_suite.samples import HOUR, NOW, a_session, due_since, next_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from livegate.testing.store_suite.driven import DrivenStore

ROUNDS: Final = 4
"""How often the crowd goes for one session."""

WRITERS: Final = 8
DUE: Final = 40


class Racing(StoreSuite):
    """Every operation, from many threads, through one handle and through two."""

    def test_one_of_many_saves_wins(self, driven: DrivenStore) -> None:
        """Given one version; when many save over it, one is kept and the others are told."""
        _race_to_save([driven])

    def test_one_of_many_saves_wins_over_two_handles(
        self,
        driven: DrivenStore,
        other: DrivenStore,
    ) -> None:
        """The same, with half of them on another handle."""
        _race_to_save([driven, other])

    def test_one_of_many_inserts_takes_the_key(self, driven: DrivenStore) -> None:
        """Given a free idempotency key; when many insert with it, one has it."""
        _race_to_insert([driven])

    def test_one_of_many_inserts_takes_the_key_over_two_handles(
        self,
        driven: DrivenStore,
        other: DrivenStore,
    ) -> None:
        """The same, with half of them on another handle."""
        _race_to_insert([driven, other])

    def test_one_of_many_inserts_takes_the_id(self, driven: DrivenStore) -> None:
        """Given a free id; when many insert it for different subjects, one of them has it."""
        results = race(lambda number: driven.insert(a_session(subject=f"subject {number}")))
        winner = _only_winner(results, KeyTakenError)
        (kept,) = driven.find(SessionQuery()).sessions
        assert kept.subject == f"subject {winner}"

    def test_no_save_is_lost(self, driven: DrivenStore) -> None:
        """Given many who read, change and save until they win; every change is there at the end."""
        session = a_session()
        driven.insert(session)

        def add_a_reason(number: int) -> None:
            for _ in range(WRITERS):  # each conflict is the success of one of the others
                found = driven.get(session.id)
                assert found is not None
                try:
                    reasons = (*found.reasons, f"{number}")
                    driven.save(next_of(found, reasons=reasons), found.version)
                except VersionConflictError:
                    continue
                return
            raise AssertionError("told of more conflicts than there were successes")

        assert race(add_a_reason, threads=WRITERS) == [None] * WRITERS
        last = driven.get(session.id)
        assert last is not None
        assert last.version == 1 + WRITERS
        assert sorted(last.reasons) == [f"{number}" for number in range(WRITERS)]

    def test_no_session_is_leased_twice(self, driven: DrivenStore) -> None:
        """Given many due sessions; when many claim them at once, each goes to one."""
        _race_to_claim([driven])

    def test_no_session_is_leased_twice_over_two_handles(
        self,
        driven: DrivenStore,
        other: DrivenStore,
    ) -> None:
        """The same, with half of them on another handle."""
        _race_to_claim([driven, other])


def _race_to_save(handles: Sequence[DrivenStore]) -> None:
    session = a_session()
    handles[0].insert(session)
    for _ in range(ROUNDS):
        candidates = [next_of(session, correlation_id=f"{number}") for number in range(CROWD)]

        def save(number: int) -> None:
            store = handles[number % len(handles)]
            store.save(candidates[number], session.version)  # noqa: B023 - ends in this round

        winner = _only_winner(race(save), VersionConflictError)
        for store in handles:
            assert store.get(session.id) == candidates[winner]
        session = candidates[winner]


def _race_to_insert(handles: Sequence[DrivenStore]) -> None:
    candidates = [a_session(f"{number}", idempotency_key="key-1") for number in range(CROWD)]
    results = race(lambda number: handles[number % len(handles)].insert(candidates[number]))
    winner = _only_winner(results, KeyTakenError)
    for store in handles:
        assert store.lookup("alice", "key-1") == candidates[winner]
        assert store.find(SessionQuery(limit=100)).sessions == (candidates[winner],)


def _race_to_claim(handles: Sequence[DrivenStore]) -> None:
    ids = {f"{number}" for number in range(DUE)}
    for session_id in ids:
        handles[0].insert(due_since(NOW, session_id))

    def claim(number: int) -> list[str]:
        claimed: list[str] = []
        for _ in range(DUE):  # a store without leases would hand them out forever
            claimed += [s.id for s in handles[number % len(handles)].due(NOW, 3, HOUR)]
        return claimed

    results = race(claim, threads=WRITERS)
    failures = [result for result in results if isinstance(result, Exception)]
    assert failures == []
    claimed = [one for result in results if isinstance(result, list) for one in result]
    assert sorted(claimed) == sorted(ids)


def _only_winner(results: Sequence[object], told: type[Exception]) -> int:
    winners = [number for number, result in enumerate(results) if result is None]
    losers = [result for result in results if isinstance(result, told)]
    assert len(winners) == 1, f"{len(winners)} of {len(results)} believe that they have won"
    assert len(losers) == len(results) - 1, [r for r in results if not isinstance(r, told)]
    return winners[0]
