"""Concurrent reads and saves of one session behave as if they came one after the other."""

from __future__ import annotations

import random
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from tests.toolkit.stores.linearizability import Call, Recorder, is_linearizable

from livegate.errors import VersionConflictError
from livegate.stores.memory import MemoryStore
from livegate.stores.sqlite import SqliteStore
from livegate.stores.threads import ThreadedStore
from livegate.testing.store_suite.base import race
from livegate.testing.store_suite.handles import EventLoop, StoreHandle
from livegate.testing.store_suite.samples import a_record, next_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from livegate.protocols import AnyStore, Record

THREADS = 6
CALLS = 8
HISTORIES = 10

HANDLES: dict[str, Callable[[Path], list[AnyStore]]] = {
    "memory": lambda path: [MemoryStore()],
    "threaded memory": lambda path: [ThreadedStore(MemoryStore())],
    "sqlite, two handles": lambda path: [SqliteStore(path), SqliteStore(path)],
}

Value = tuple[int, bytes]


def value_of(record: Record) -> Value:
    """The record as the register's value: its version, and who wrote it."""
    return (record.version, record.body)


def history_of(handles: list[StoreHandle], record: Record, seed: int) -> list[Call]:
    """What several threads see that read, and save over what they have read some time ago."""
    recorder = Recorder()

    def work(number: int) -> None:
        store = handles[number % len(handles)]
        chance = random.Random(f"{seed} {number}")
        known = record
        for step in range(CALLS):
            begin = recorder.tick()
            if chance.random() < 0.4:
                found = store.get(record.id)
                assert found is not None
                known = found
                recorder.note(begin, None, value_of(known))
            else:
                mine = next_of(known, body=b"%d %d" % (number, step))
                saved = save(store, mine)
                recorder.note(begin, (value_of(known), value_of(mine)), saved)
                known = mine if saved else known

    assert race(work, THREADS) == [None] * THREADS
    return recorder.calls


def save(store: StoreHandle, record: Record) -> bool:
    try:
        store.save(record, record.version - 1)
    except VersionConflictError:
        return False
    return True


@pytest.mark.parametrize("kind", HANDLES)
def test_some_order_explains_every_history(kind: str, tmp_path: Path) -> None:
    with closing(EventLoop()) as loop:
        handles = [StoreHandle(store, loop) for store in HANDLES[kind](tmp_path / "sessions.db")]
        for seed in range(HISTORIES):
            record = a_record(f"{seed}", body=b"first")
            handles[0].insert(record)
            calls = history_of(handles, record, seed)
            assert len(calls) == THREADS * CALLS
            assert is_linearizable(calls, value_of(record)), calls
        for handle in handles:
            handle.close()


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([], True),
        ([Call(0, 1, None, "a")], True),
        ([Call(0, 1, None, "b")], False),
        ([Call(0, 1, ("a", "b"), True), Call(2, 3, None, "b")], True),
        # A stale read: the swap had ended before the read began.
        ([Call(0, 1, ("a", "b"), True), Call(2, 3, None, "a")], False),
        # The same results are fine when the calls overlap.
        ([Call(0, 3, ("a", "b"), True), Call(1, 2, None, "a")], True),
        ([Call(0, 3, ("a", "b"), True), Call(1, 2, None, "b")], True),
        # Two winners over one value.
        ([Call(0, 2, ("a", "b"), True), Call(1, 3, ("a", "c"), True)], False),
        # No winner although one must have won.
        ([Call(0, 2, ("a", "b"), False), Call(1, 3, ("a", "c"), False)], False),
        # A loser that wrote nevertheless.
        ([Call(0, 1, ("z", "c"), False), Call(2, 3, None, "c")], False),
        # Reads that go back in time.
        ([Call(0, 9, ("a", "b"), True), Call(1, 2, None, "b"), Call(3, 4, None, "a")], False),
    ],
)  # fmt: skip
def test_check_accepts_exactly_the_histories_with_an_order(
    calls: list[Call], expected: bool
) -> None:
    assert is_linearizable(calls, "a") is expected
