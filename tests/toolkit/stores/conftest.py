"""A SQLite store, and somebody else's connection to its file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from livegate.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path, busy_timeout=0.05)) as store:
        yield store


@pytest.fixture
def raw(store: SqliteStore, path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody else's connection."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection
