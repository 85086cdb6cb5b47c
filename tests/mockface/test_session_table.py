"""The table of sessions, compared with a plain list, and what a session costs."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tests.mockface.conftest import KEY, NOON

from mockface.clock import Clock
from mockface.dice import Dice
from mockface.engine import Engine
from mockface.sessions.nouns import LIFETIME_SECONDS, Kind, Options, Session
from mockface.sessions.table import SessionTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockface.sessions.tenant import Tenant

OPTIONS = Options("Passive", "a-model", device_correlation_id="d")
IDS = st.text("0123456789abcdef-Z", max_size=6)
KINDS = st.sampled_from(Kind)


class TableMachine(RuleBasedStateMachine):
    """Random steps on a table and on a list, with ids that share their beginnings."""

    def __init__(self) -> None:
        super().__init__()
        self.table = SessionTable()
        self.model: list[Session] = []
        self.now = 0.0

    @rule(name=IDS, kind=KINDS, seconds=st.integers(0, 5))
    def add(self, name: str, kind: Kind, seconds: int) -> None:
        self.now += seconds
        if self.table.get(name) is None:
            session = Session(name, kind, OPTIONS, self.now)
            self.table[name] = session
            self.model.append(session)

    @rule(data=st.data())
    def change(self, data: st.DataObject) -> None:
        if self.model:
            at = data.draw(st.integers(0, len(self.model) - 1))
            self.model[at] = replace(self.model[at], scenario="spoof")
            self.table[self.model[at].id] = self.model[at]

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        if self.model:
            session = self.model.pop(data.draw(st.integers(0, len(self.model) - 1)))
            del self.table[session.id]

    @rule(seconds=st.integers(0, 10), limit=st.none() | st.integers(0, 3))
    def remove_expired(self, seconds: int, limit: int | None) -> None:
        now = self.now + LIFETIME_SECONDS - seconds
        expired = [s for s in self.model if s.expires_at <= now][:limit]
        assert self.table.remove_expired(now, limit=limit) == len(expired)
        self.model = self.model[len(expired) :]

    @rule(kind=KINDS, after=IDS, limit=st.integers(1, 4))
    def page(self, kind: Kind, after: str, limit: int) -> None:
        wanted = sorted((s for s in self.model if s.kind is kind), key=lambda s: s.id)
        page = [s for s in wanted if s.id > after][:limit]
        assert self.table.page(kind, after=after, limit=limit) == page

    @invariant()
    def same(self) -> None:
        assert list(self.table.values()) == self.model
        assert list(self.table.newest_first()) == self.model[::-1]
        assert len(self.table) == len(self.model)


TestTable = TableMachine.TestCase
TestTable.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def many(tenant: Tenant, count: int) -> list[str]:
    """Creates sessions as the service does."""
    return [
        tenant.create(Kind.LIVENESS, OPTIONS, endpoint="http://localhost")[0].id
        for _ in range(count)
    ]


def test_a_session_takes_less_than_2_kib_and_a_removed_one_gives_it_back() -> None:
    clock = Clock(frozen_at=NOON)
    tenant = Engine(clock=clock, seed="memory").tenant(KEY)
    many(tenant, 10)
    count = 2000
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        ids = many(tenant, count)
        gc.collect()
        living, _ = tracemalloc.get_traced_memory()

        for session_id in ids[::2]:
            tenant.delete(Kind.LIVENESS, session_id)
        clock.advance(LIFETIME_SECONDS)
        tenant.forget_expired()
        del ids
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (living - before) / count < 2048
    assert (after - before) / count < 200  # a dictionary shrinks when it is next filled
    assert tenant.sessions() == []


def work(act: Callable[[], object]) -> int:
    """How many calls of functions it takes, those of the interpreter included."""
    count = 0

    def see(_: object, event: str, __: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(see)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("call", ["create", "get", "page", "delete"])
def test_a_call_is_no_more_work_beside_many_sessions(call: str) -> None:
    tenant = Engine(clock=Clock(frozen_at=NOON), seed="many").tenant(KEY)

    def effort() -> int:
        ids = sorted(many(tenant, 5))
        return work(
            {
                "create": lambda: many(tenant, 1),
                "get": lambda: tenant.get(Kind.LIVENESS, ids[2]),
                "page": lambda: tenant.page(Kind.LIVENESS, after=ids[2], most=3),
                "delete": lambda: tenant.delete(Kind.LIVENESS, ids[2]),
            }[call]
        )

    beside_few = max(effort() for _ in range(5))
    for session_id in many(tenant, 500):
        tenant.delete(Kind.LIVENESS, session_id)
    many(tenant, 1500)

    assert max(effort() for _ in range(5)) <= beside_few + 10


def test_expired_sessions_are_forgotten_without_a_call_for_them() -> None:
    clock = Clock(frozen_at=NOON)
    engine = Engine(clock=clock, seed="memory")
    many(engine.tenant("one"), 3)
    many(engine.tenant("two"), 2)
    clock.advance(LIFETIME_SECONDS - 1)
    engine.forget_expired()
    assert [len(tenant.sessions()) for tenant in engine.tenants()] == [3, 2]

    clock.advance(1)
    engine.forget_expired()

    assert [len(tenant._sessions) for tenant in engine.tenants()] == [0, 0]


def test_no_call_pays_for_all_that_have_expired() -> None:
    clock = Clock(frozen_at=NOON)
    tenant = Engine(clock=clock, seed="memory").tenant(KEY)
    many(tenant, 500)
    clock.advance(LIFETIME_SECONDS)

    many(tenant, 1)

    assert 300 < len(tenant._sessions) < 500
    assert len(tenant.sessions()) == 1


def test_ids_are_uuids_of_version_4() -> None:
    from uuid import UUID

    dice = Dice("ids")
    for number in range(200):
        drawn = dice.uuid("session", number)
        assert drawn == str(UUID(bytes=dice.bytes("session", number, size=16), version=4))
