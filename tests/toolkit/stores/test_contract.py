"""Every built-in store keeps the contract, sync and async."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.stores.file_store import SuspendingStore

from livegate.stores.memory import MemoryStore
from livegate.stores.sqlite import SqliteStore
from livegate.stores.threads import ThreadedStore
from livegate.testing.store_contract import StoreContract

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from livegate.testing.store_suite.base import BreakStore


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def open_store(self) -> Callable[[], MemoryStore]:
        return MemoryStore


class TestThreadedMemoryStore(StoreContract):
    @pytest.fixture
    def open_store(self) -> Callable[[], ThreadedStore]:
        return lambda: ThreadedStore(MemoryStore())


class TestSuspendingStore(StoreContract):
    @pytest.fixture
    def open_store(self) -> Callable[[], Coroutine[Any, Any, SuspendingStore]]:
        async def opened() -> SuspendingStore:
            return SuspendingStore()

        return opened


@contextmanager
def interrupted(store: SqliteStore) -> Iterator[None]:
    """Every statement fails; the connection that is set so is the one that is used next."""
    store._pool.run(lambda connection: connection.set_progress_handler(lambda: True, 1))
    try:
        yield
    finally:
        store._pool.run(lambda connection: connection.set_progress_handler(None, 0))


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Callable[[], SqliteStore]:
        return partial(SqliteStore, tmp_path / "sessions.db")

    @pytest.fixture
    def break_store(self) -> BreakStore:
        return interrupted
