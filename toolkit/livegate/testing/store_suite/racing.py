"""Of any number of threads at one moment, exactly as many succeed as can."""
# ruff: noqa: S101 - a suite of assertions

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from livegate.errors import DuplicateKeyError, VersionConflictError
from livegate.protocols import RecordQuery
from livegate.testing.store_suite.base import THREADS, StoreSuite
from livegate.testing.store_suite.samples import (
    HOUR,
    NOW,
    a_record,
    an_event,
    due_since,
    finished,
    next_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from livegate.testing.store_suite.handles import StoreHandle

    Race = Callable[..., list[Any]]

ROUNDS: Final = 4
WRITERS: Final = 8
DUE: Final = 40


class Racing(StoreSuite):
    """Operations from many threads, through one handle and, for a shared store, through two."""

    def test_one_of_many_saves_wins(self, store: StoreHandle, race: Race) -> None:
        """Given one version; when many save over it, one is kept, and the others fail."""
        _race_to_save([store], race)

    def test_one_of_many_saves_wins_over_two_handles(
        self, store: StoreHandle, other: StoreHandle, race: Race
    ) -> None:
        """The same, with half of them on another handle."""
        _race_to_save([store, other], race)

    def test_one_of_many_inserts_takes_the_key(self, store: StoreHandle, race: Race) -> None:
        """Given a free idempotency key; when many insert with it, one has it."""
        _race_to_insert([store], race)

    def test_one_of_many_inserts_takes_the_key_over_two_handles(
        self, store: StoreHandle, other: StoreHandle, race: Race
    ) -> None:
        """The same, with half of them on another handle."""
        _race_to_insert([store, other], race)

    def test_one_of_many_inserts_takes_the_id(self, store: StoreHandle, race: Race) -> None:
        """Given a free id; when many insert it for different subjects, one of them has it."""
        results = race(lambda number: store.insert(a_record(subject=f"{number}")))
        winner = _only_winner(results, DuplicateKeyError)
        found = [record for n in range(THREADS) for record in store.find(RecordQuery(f"{n}"))]
        assert found == [a_record(subject=f"{winner}")]

    def test_no_save_is_lost(self, store: StoreHandle, race: Race) -> None:
        """Given many that read, change and save until they win; every change is there."""
        record = a_record(body=b"")
        store.insert(record)

        def add_a_byte(number: int) -> None:
            for _ in range(WRITERS):  # each conflict is the success of one of the others
                found = store.get(record.id)
                assert found is not None
                try:
                    store.save(next_of(found, body=found.body + bytes([number])), found.version)
                except VersionConflictError:
                    continue
                return
            raise AssertionError("there were more conflicts than successful saves")

        assert race(add_a_byte, WRITERS) == [None] * WRITERS
        last = store.get(record.id)
        assert last is not None
        assert last.version == 1 + WRITERS
        assert sorted(last.body) == list(range(WRITERS))

    def test_reads_return_whole_records(self, store: StoreHandle, race: Race) -> None:
        """Given saves of all columns; what others read at that time is one version or another."""
        versions = [a_record(body=b"1")]
        for number in range(2, 31):
            state = ("ready", "started")[number % 2]
            due_at = (None, NOW)[number % 2]
            body = b"%d" % number * 1000
            versions.append(next_of(versions[-1], state=state, due_at=due_at, body=body))
        store.insert(versions[0])

        def work(number: int) -> None:
            if number == 0:
                for version in versions[1:]:
                    store.save(version, version.version - 1)
            else:
                last = 0
                while last < versions[-1].version:
                    found = store.get("session-1")
                    assert found == versions[found.version - 1 if found else 0]
                    assert found.version >= last
                    last = found.version

        assert race(work, 4) == [None] * 4

    def test_no_session_is_leased_twice(self, store: StoreHandle, race: Race) -> None:
        """Given many due sessions; when many claim them at once, each goes to one."""
        _race_to_claim([store], race)

    def test_no_session_is_leased_twice_over_two_handles(
        self, store: StoreHandle, other: StoreHandle, race: Race
    ) -> None:
        """The same, with half of them on another handle."""
        _race_to_claim([store, other], race)

    def test_no_event_is_lost_or_delivered_twice(self, store: StoreHandle, race: Race) -> None:
        """Given saves with events while workers claim and release; each event comes once."""
        records = [a_record(f"{number}") for number in range(3)]
        for record in records:
            store.insert(record)
        delivered: dict[str, list[int]] = {record.id: [] for record in records}
        last = 15

        def work(number: int) -> None:
            if number < len(records):
                record = records[number]
                for sequence in range(1, last + 1):
                    record = next_of(record)
                    store.save(record, record.version - 1, [an_event(sequence)])
                return
            for _ in range(10_000):  # a store that loses events would have it wait for ever
                if all(len(sequences) == last for sequences in delivered.values()):
                    return
                for claim in store.claim(NOW + HOUR, 1, HOUR):
                    sequences = [event.sequence for event in claim.events]
                    delivered[claim.record.id] += sequences
                    assert store.release(claim, delivered_up_to=sequences[-1])

        assert race(work, len(records) + 2) == [None] * (len(records) + 2)
        assert delivered == {record.id: list(range(1, last + 1)) for record in records}

    def test_erase_wins_over_saves_at_the_same_time(self, store: StoreHandle, race: Race) -> None:
        """Given saves of a session while its subject is erased; it is gone, with its work."""
        for turn in range(ROUNDS):
            record = finished(f"{turn}", due_at=NOW, key="key-1")
            store.insert(record, [an_event()])

            def work(number: int, record: Any = record) -> int:
                if number == 0:
                    return store.erase("alice")
                try:
                    for sequence in range(2, 6):
                        record = next_of(record)
                        store.save(record, record.version - 1, [an_event(sequence)])
                except VersionConflictError:
                    pass
                return 1

            assert race(work, 4) == [1] * 4
            assert store.get(record.id) is None
            assert store.get_by_idempotency_key("alice", "key-1") is None
            assert store.claim(NOW + HOUR, 1, HOUR) == ()


def _race_to_save(handles: Sequence[StoreHandle], race: Race) -> None:
    record = a_record()
    handles[0].insert(record)
    for _ in range(ROUNDS):
        candidates = [next_of(record, body=b"%d" % number) for number in range(THREADS)]

        def save(number: int) -> None:
            store = handles[number % len(handles)]
            store.save(candidates[number], record.version)  # noqa: B023 - ends in this round

        winner = _only_winner(race(save), VersionConflictError)
        for store in handles:
            assert store.get(record.id) == candidates[winner]
        record = candidates[winner]


def _race_to_insert(handles: Sequence[StoreHandle], race: Race) -> None:
    candidates = [replace(a_record(f"{number}"), key="key-1") for number in range(THREADS)]
    results = race(lambda number: handles[number % len(handles)].insert(candidates[number]))
    winner = _only_winner(results, DuplicateKeyError)
    for store in handles:
        assert store.get_by_idempotency_key("alice", "key-1") == candidates[winner]
        assert store.find(RecordQuery("alice", limit=100)) == (candidates[winner],)


def _race_to_claim(handles: Sequence[StoreHandle], race: Race) -> None:
    ids = {f"{number}" for number in range(DUE)}
    for session_id in ids:
        handles[0].insert(due_since(NOW, session_id))

    def claim(number: int) -> list[str]:
        claimed: list[str] = []
        for _ in range(DUE):  # a store without leases would give them for ever
            claims = handles[number % len(handles)].claim(NOW, 3, HOUR)
            claimed += [each.record.id for each in claims]
        return claimed

    results = race(claim, WRITERS)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert sorted(one for result in results for one in result) == sorted(ids)


def _only_winner(results: Sequence[object], expected: type[Exception]) -> int:
    winners = [number for number, result in enumerate(results) if result is None]
    losers = [result for result in results if isinstance(result, expected)]
    assert len(winners) == 1, f"{len(winners)} of {len(results)} have succeeded"
    others = [r for r in results if r is not None and not isinstance(r, expected)]
    assert len(losers) == len(results) - 1, others
    return winners[0]
