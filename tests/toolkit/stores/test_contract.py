"""Every built-in store keeps the contract, sync and async."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from livegate.stores.memory import MemoryStore
from livegate.stores.sqlite import SqliteStore
from livegate.stores.threads import ThreadedStore
from livegate.testing import StoreContract

if TYPE_CHECKING:
    from pathlib import Path


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> SqliteStore:
        return SqliteStore(tmp_path / "sessions.db")

    @pytest.fixture
    def other_store(self, store: SqliteStore, tmp_path: Path) -> SqliteStore:
        return SqliteStore(tmp_path / "sessions.db")


class TestThreadedMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> ThreadedStore:
        return ThreadedStore(MemoryStore())


class TestThreadedSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> ThreadedStore:
        return ThreadedStore(SqliteStore(tmp_path / "sessions.db"))

    @pytest.fixture
    def other_store(self, store: ThreadedStore, tmp_path: Path) -> ThreadedStore:
        return ThreadedStore(SqliteStore(tmp_path / "sessions.db"))
