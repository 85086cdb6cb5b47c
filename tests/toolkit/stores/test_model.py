"""Each store against the simplest one: a dict, and the contract read literally."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.toolkit.stores.strategies import words

from livegate.errors import KeyTakenError, VersionConflictError
from livegate.lifecycle import due_at
from livegate.session import FINAL_STATES, LivenessSession, RemoteState, SessionState
from livegate.stores.base import DURABLE, SessionQuery
from livegate.stores.memory import MemoryStore
from livegate.stores.sqlite import SqliteStore
from livegate.stores.threads import ThreadedStore
from livegate.testing.store_suite.driven import DrivenStore, EventLoop
from livegate.testing.store_suite.samples import NOW, SECOND, a_session

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from livegate.stores.base import AnyStore

STORES: dict[str, Callable[[Path], AnyStore]] = {
    "memory": lambda path: MemoryStore(),
    "sqlite": SqliteStore,
    "threaded memory": lambda path: ThreadedStore(MemoryStore()),
    "threaded sqlite": lambda path: ThreadedStore(SqliteStore(path)),
}

# Few of each, so that they meet.
IDS = ["1", "2", "3", "4", "5"]
SUBJECTS = ["alice", "bob", "Alice"]
KEYS = ["key", "other"]
ids, subjects = st.sampled_from(IDS), st.sampled_from(SUBJECTS)
moments = st.integers(-5, 5).map(lambda seconds: NOW + seconds * SECOND)
changes = st.fixed_dictionaries(
    {
        "state": st.sampled_from(SessionState),
        "remote": st.sampled_from(RemoteState),
        "updated_at": moments,
        "expires_at": moments,
        "remote_retry_at": moments,
        "client_error": words,
    },
)


class Model(RuleBasedStateMachine):
    """Does the same to a store and to a dict, and compares what they say."""

    open_store: ClassVar[Callable[[Path], AnyStore]]

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.path = Path(self.stack.enter_context(tempfile.TemporaryDirectory()), "sessions.db")
        self.loop = EventLoop()
        self.stack.callback(self.loop.close)
        self.store = self.opened()
        self.records: dict[str, LivenessSession] = {}
        self.leases: dict[str, datetime] = {}
        self.now = NOW

    def opened(self) -> DrivenStore:
        store = DrivenStore(type(self).open_store(self.path), self.loop)
        self.stack.callback(store.close)
        return store

    def teardown(self) -> None:
        self.stack.close()

    def by_key(self, subject: str, key: str | None) -> LivenessSession | None:
        for session in self.records.values():
            if key is not None and (session.subject, session.idempotency_key) == (subject, key):
                return session
        return None

    def forget(self, gone: list[LivenessSession]) -> int:
        for session in gone:
            del self.records[session.id]
            self.leases.pop(session.id, None)
        return len(gone)

    @rule(
        session_id=ids,
        subject=subjects,
        key=st.sampled_from([None, *KEYS]),
        created_at=moments,
        changes=changes,
    )
    def insert(
        self,
        session_id: str,
        subject: str,
        key: str | None,
        created_at: datetime,
        changes: dict[str, Any],
    ) -> None:
        session = a_session(
            session_id,
            subject=subject,
            idempotency_key=key,
            created_at=created_at,
            **changes,
        )
        if session_id in self.records or self.by_key(subject, key):
            with pytest.raises(KeyTakenError):
                self.store.insert(session)
        else:
            self.store.insert(session)
            self.records[session_id] = session

    @rule(session_id=ids, off=st.sampled_from([0, 0, 0, -1, 1]), changes=changes)
    def save(self, session_id: str, off: int, changes: dict[str, Any]) -> None:
        record = self.records.get(session_id, a_session(session_id))
        session = replace(record, version=record.version + off + 1, **changes)
        if session_id not in self.records or off:
            with pytest.raises(VersionConflictError):
                self.store.save(session, record.version + off)
        else:
            self.store.save(session, record.version)
            self.records[session_id] = session
            self.leases.pop(session_id, None)

    @rule(seconds=st.integers(1, 60))
    def wait(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule(limit=st.integers(1, 4), seconds=st.integers(1, 60))
    def due(self, limit: int, seconds: int) -> None:
        waiting = [
            (moment, session.id)
            for session in self.records.values()
            if (moment := due_at(session)) is not None
            and moment <= self.now
            and self.leases.get(session.id, self.now) <= self.now
        ]
        expected = [self.records[session_id] for _, session_id in sorted(waiting)[:limit]]
        lease = seconds * SECOND
        assert self.store.due(self.now, limit, lease) == tuple(expected)
        self.leases |= {session.id: self.now + lease for session in expected}

    @rule(
        subject=st.none() | subjects,
        states=st.frozensets(st.sampled_from(SessionState), max_size=4),
        created_before=st.none() | moments,
        limit=st.integers(1, 4),
    )
    def find(
        self,
        subject: str | None,
        states: frozenset[SessionState],
        created_before: datetime | None,
        limit: int,
    ) -> None:
        expected = [
            session
            for session in self.records.values()
            if subject in {None, session.subject}
            and (not states or session.state in states)
            and (created_before is None or session.created_at < created_before)
        ]
        expected.sort(key=lambda session: (session.created_at, session.id), reverse=True)
        query: SessionQuery | None = SessionQuery(subject, states, created_before, limit)
        while query is not None:
            page = self.store.find(query)
            assert page.sessions == tuple(expected[:limit])
            expected = expected[limit:]
            assert (page.cursor is None) == (not expected)
            query = None if page.cursor is None else replace(query, cursor=page.cursor)

    @rule(before=moments)
    def purge(self, before: datetime) -> None:
        gone = [
            session
            for session in self.records.values()
            if session.state in FINAL_STATES
            and session.updated_at < before
            and session.remote in {RemoteState.NONE, RemoteState.DELETED}
        ]
        assert self.store.purge(before) == self.forget(gone)

    @rule(subject=subjects)
    def erase(self, subject: str) -> None:
        gone = [session for session in self.records.values() if session.subject == subject]
        assert self.store.erase(subject) == self.forget(gone)

    @precondition(lambda self: DURABLE in self.store.capabilities)
    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = self.opened()

    @invariant()
    def every_record_is_found(self) -> None:
        for session_id in IDS:
            assert self.store.get(session_id) == self.records.get(session_id)
        for subject in SUBJECTS:
            for key in KEYS:
                assert self.store.lookup(subject, key) == self.by_key(subject, key)


@pytest.mark.parametrize("name", STORES)
def test_the_store_does_what_a_dict_would(name: str) -> None:
    machine = type("Machine", (Model,), {"open_store": staticmethod(STORES[name])})
    run_state_machine_as_test(
        machine,
        settings=settings(max_examples=25, stateful_step_count=30, deadline=None),
    )
