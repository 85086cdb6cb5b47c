"""Each store does what a dict would do, and the contract read literally."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.toolkit.stores.strategies import bodies, records

from livegate.errors import DuplicateKeyError, VersionConflictError
from livegate.protocols import FINAL, PURGEABLE, SHARED, Claim, EventRecord, Record, RecordQuery
from livegate.stores.memory import MemoryStore
from livegate.stores.sqlite import SqliteStore
from livegate.testing.store_suite.samples import (
    NOW,
    REMOTES,
    SECOND,
    STATES,
    a_record,
    an_event,
    assert_faithful,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from livegate.protocols import SessionStore

STORES: dict[str, Callable[[Path], SessionStore]] = {
    "memory": lambda path: MemoryStore(),
    # Nothing here is about the loss of power, and it is faster so.
    "sqlite": partial(SqliteStore, synchronous="normal"),
}

EXAMPLES = {"memory": 150, "sqlite": 30}

# Few of each, so that they meet.
IDS = ["1", "2", "3", "4"]
SUBJECTS = ["alice", "bob", "Alice"]
KEYS = ["key", "other"]
ids, subjects = st.sampled_from(IDS), st.sampled_from(SUBJECTS)
moments = st.integers(-5, 5).map(lambda seconds: NOW + seconds * SECOND)
changes = st.fixed_dictionaries(
    {
        "state": st.sampled_from(STATES),
        "remote": st.sampled_from(REMOTES),
        "updated_at": moments,
        "due_at": moments | st.none(),
        "body": bodies,
    }
)
releases = st.tuples(
    st.none() | st.integers(0, 6), st.none() | st.integers(0, 5), st.none() | st.binary(max_size=1)
)
Release = tuple[int | None, int | None, bytes | None]
"""Seconds until ``next_at``, ``delivered_up_to``, and ``progress``."""


@dataclass
class Row:
    """What the contract says of one session.

    Attributes:
        held_until: The end of the lease, or else the later of ``next_at`` and the last claim.
    """

    record: Record
    events: tuple[EventRecord, ...]
    sequence: int
    progress: bytes | None = None
    fence: int = 0
    claimed_at: datetime = NOW - 1000 * SECOND
    held_until: datetime = NOW - 1000 * SECOND
    is_leased: bool = False
    has_news: bool = True

    def place(self, now: datetime) -> tuple[int, datetime] | None:
        """Where a claim finds it: its class, and since when it is claimable; None for nowhere."""
        due_at = self.record.due_at
        if self.held_until > now:
            return None
        if due_at is not None and due_at <= now:
            return (0 if self.has_news else 1, max(due_at, self.held_until))
        # The contract leaves the order to the time of the events, which a store may not know.
        return (2, NOW) if self.events else None


class Model(RuleBasedStateMachine):
    """Does the same to a store and to a dict, and compares the results."""

    open_store: ClassVar[Callable[[Path], SessionStore]]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.path = Path(self.stack.enter_context(tempfile.TemporaryDirectory()), "sessions.db")
        self.store = self.opened()
        self.rows: dict[str, Row] = {}
        self.claims: list[Claim] = []
        self.fence = 0
        self.now = NOW

    def opened(self) -> SessionStore:
        return self.stack.enter_context(closing(type(self).open_store(self.path)))

    def teardown(self) -> None:
        self.stack.close()

    def by_key(self, subject: str, key: str | None) -> Record | None:
        for row in self.rows.values():
            if key is not None and (row.record.subject, row.record.key) == (subject, key):
                return row.record
        return None

    @initialize(all_changes=st.lists(changes, min_size=len(IDS), max_size=len(IDS)))
    def begin(self, all_changes: list[dict[str, Any]]) -> None:
        """Not empty, since hypothesis leaves out some of the rules in each run."""
        for number, changes in enumerate(all_changes):
            self.insert(IDS[number], SUBJECTS[number % 3], None, NOW, changes, number % 3)

    @rule(
        session_id=ids,
        subject=subjects,
        key=st.sampled_from([None, *KEYS]),
        created_at=moments,
        changes=changes,
        count=st.integers(0, 2),
    )
    def insert(
        self,
        session_id: str,
        subject: str,
        key: str | None,
        created_at: datetime,
        changes: dict[str, Any],
        count: int,
    ) -> None:
        record = a_record(session_id, subject=subject, key=key, created_at=created_at, **changes)
        events = tuple(an_event(number) for number in range(1, count + 1))
        if session_id in self.rows or self.by_key(subject, key):
            with pytest.raises(DuplicateKeyError):
                self.store.insert(record, events)
        else:
            self.store.insert(record, events)
            self.rows[session_id] = Row(record, events, count)

    @rule(
        session_id=ids,
        off=st.sampled_from([0, 0, 0, 0, 0, -1, 1]),
        changes=changes,
        count=st.integers(0, 2),
    )
    def save(self, session_id: str, off: int, changes: dict[str, Any], count: int) -> None:
        row = self.rows.get(session_id)
        record = row.record if row else a_record(session_id)
        sequence = row.sequence if row else 0
        saved = replace(record, version=record.version + off + 1, **changes)
        events = tuple(an_event(sequence + number) for number in range(1, count + 1))
        if row is None or off:
            with pytest.raises(VersionConflictError):
                self.store.save(saved, record.version + off, events)
            return
        self.store.save(saved, record.version, events)
        row.record, row.events, row.sequence = saved, row.events + events, sequence + count
        row.has_news = True
        if not row.is_leased:
            row.held_until = row.claimed_at

    @rule(
        later=st.integers(0, 3),
        limit=st.sampled_from([5, 2, 1]),
        seconds=st.integers(1, 6),
        release=st.none() | releases,
    )
    def claim(self, later: int, limit: int, seconds: int, release: Release | None) -> None:
        self.now += later * SECOND
        places = {each: row.place(self.now) for each, row in self.rows.items()}
        claims = self.store.claim(self.now, limit, seconds * SECOND)
        claimed = [claim.record.id for claim in claims]
        assert len(set(claimed)) == len(claimed)
        expected = sorted(place for place in places.values() if place is not None)[:limit]
        assert [places[session_id] for session_id in claimed] == expected
        last = self.fence
        for claim in claims:
            row = self.rows[claim.record.id]
            assert (claim.record, claim.events) == (row.record, row.events)
            assert claim.progress == row.progress
            assert claim.fence > last
            self.fence = max(self.fence, claim.fence)
            row.fence, row.claimed_at, row.is_leased = claim.fence, self.now, True
            row.held_until, row.has_news = self.now + seconds * SECOND, False
        self.claims += claims
        if release is not None:
            for claim in claims:
                self.release_claim(claim, True, release)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), is_seen=st.booleans(), release=releases)
    def release(self, data: st.DataObject, is_seen: bool, release: Release) -> None:
        self.release_claim(data.draw(st.sampled_from(self.claims[:-7:-1])), is_seen, release)

    def release_claim(self, claim: Claim, is_seen: bool, release: Release) -> None:
        next_at, delivered, progress = release
        row = self.rows.get(claim.record.id)
        if row is not None and is_seen:
            claim = replace(claim, record=row.record)
        moment = None if next_at is None else self.now + next_at * SECOND
        is_current = row is not None and row.fence == claim.fence
        assert self.store.release(claim, moment, delivered, progress) is is_current
        if row is None or not is_current:
            return
        row.is_leased, row.progress = False, progress
        row.has_news = row.record.version != claim.record.version
        row.held_until = row.claimed_at
        if moment is not None and not row.has_news:
            row.held_until = max(moment, row.claimed_at)
        if delivered is not None:
            row.events = tuple(event for event in row.events if event.sequence > delivered)

    @rule(
        subject=subjects,
        states=st.frozensets(st.sampled_from(STATES), max_size=4),
        limit=st.integers(1, 4),
    )
    def find(self, subject: str, states: frozenset[str], limit: int) -> None:
        expected = [
            row.record
            for row in self.rows.values()
            if row.record.subject == subject and (not states or row.record.state in states)
        ]
        expected.sort(key=lambda record: (record.created_at, record.id), reverse=True)
        query = RecordQuery(subject, states, limit)
        while found := self.store.find(query):
            assert found == tuple(expected[:limit])
            expected = expected[limit:]
            query = replace(query, after=(found[-1].created_at, found[-1].id))
        assert expected == []

    @rule(before=moments, limit=st.integers(1, 3))
    def purge(self, before: datetime, limit: int) -> None:
        purgeable = {
            each: row.record.updated_at
            for each, row in self.rows.items()
            if row.record.state in FINAL
            and row.record.remote in PURGEABLE
            and row.record.updated_at < before
            and not row.events
        }
        expected = sorted(purgeable.values())[:limit]
        assert self.store.purge(before, limit) == len(expected)
        gone = [each for each in self.rows if self.store.get(each) is None]
        assert sorted(purgeable[each] for each in gone) == expected
        for session_id in gone:
            del self.rows[session_id]

    @rule(subject=subjects)
    def erase(self, subject: str) -> None:
        gone = [
            each
            for each, row in self.rows.items()
            if row.record.subject == subject
            and row.record.state in FINAL
            and row.record.remote in PURGEABLE
        ]
        assert self.store.erase(subject) == len(gone)
        for session_id in gone:
            del self.rows[session_id]

    @precondition(lambda self: SHARED in self.store.capabilities)
    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = self.opened()

    @invariant()
    def every_record_is_found(self) -> None:
        for session_id in IDS:
            row = self.rows.get(session_id)
            assert self.store.get(session_id) == (row and row.record)
        for subject in SUBJECTS:
            for key in KEYS:
                found = self.store.get_by_idempotency_key(subject, key)
                assert found == self.by_key(subject, key)


@pytest.mark.parametrize("name", STORES)
def test_store_does_what_a_dict_would(name: str) -> None:
    machine = type("Machine", (Model,), {"open_store": staticmethod(STORES[name])})
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=EXAMPLES[name], stateful_step_count=40, deadline=None),
    )


@pytest.mark.parametrize("name", STORES)
def test_any_legal_record_is_read_back(name: str, tmp_path: Path) -> None:
    with closing(STORES[name](tmp_path / "sessions.db")) as store:

        @given(records)
        @settings(max_examples=50, deadline=None)
        def read_back(record: Record) -> None:
            store.insert(record)
            assert_faithful(store.get(record.id), record)
            assert store.find(RecordQuery(record.subject)) == (record,)
            if record.key is not None:
                assert_faithful(store.get_by_idempotency_key(record.subject, record.key), record)
            # Out of the way of the next example's names.
            over = replace(record, state="passed", remote="none", version=record.version + 1)
            store.save(over, record.version)
            assert store.erase(record.subject) == 1

        read_back()
