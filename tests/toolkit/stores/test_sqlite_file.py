"""The SQLite file: who may read it, whose it is, and what is in it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from livegate.errors import ConfigurationError, StoreError
from livegate.session import SessionState
from livegate.stores import sqlite
from livegate.stores.base import SessionQuery
from livegate.stores.sqlite import SqliteStore
from livegate.testing.store_suite.driven import race
from livegate.testing.store_suite.samples import (
    HOUR,
    NOW,
    SECOND,
    a_session,
    due_since,
    next_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA_1 = """
    PRAGMA application_id = 1819699060;
    PRAGMA user_version = 1;
    CREATE TABLE session (
        id TEXT NOT NULL PRIMARY KEY,
        subject TEXT NOT NULL,
        idempotency_key TEXT,
        state TEXT NOT NULL,
        remote TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER NOT NULL,
        due_at INTEGER,
        leased_until INTEGER,
        version INTEGER NOT NULL,
        record TEXT NOT NULL
    );
    CREATE UNIQUE INDEX session_by_key ON session (subject, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
    CREATE INDEX session_by_subject ON session (subject, created_at, id);
    CREATE INDEX session_by_state ON session (state, created_at, id);
    CREATE INDEX session_by_creation ON session (created_at, id);
    CREATE INDEX session_by_change ON session (state, updated_at);
    CREATE INDEX session_by_due ON session (due_at, id) WHERE due_at IS NOT NULL;
"""
"""Schema 1 as it was released. It is never edited: there are such files."""

RECORD_1 = (
    '{"format":1,"id":"session-1","subject":"alice","purpose":"open an account","kind":"liveness",'
    '"mode":"Passive","api_version":"v1.2","correlation_id":"device-1",'
    '"created_at":"2026-02-03T04:05:06.789012+00:00",'
    '"updated_at":"2026-02-03T04:05:07.789012+00:00",'
    '"expires_at":"2026-02-03T05:05:06.789012+00:00","version":2,"state":"ready",'
    '"idempotency_key":"key-1","fingerprint":"","asked_at":null,"remote":"present",'
    '"remote_id":"remote of session-1","remote_retry_at":null,"remote_tries":0,'
    '"reference_sha256":null,"client_digests":[],"client_error":null,"attempts":[],"reasons":[],'
    '"consumed_at":null}'
)

ROW_1 = (
    "session-1",
    "alice",
    "key-1",
    "ready",
    "present",
    1770091506789012,
    1770091507789012,
    1770095106789012,
    None,
    2,
    RECORD_1,
)
"""A row as it was written to such a file."""


# --- the file --------------------------------------------------------------------------------


def test_nobody_else_may_read_the_files(path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(SqliteStore(path)) as store:
            store.insert(a_session())
            modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys([path.name, f"{path.name}-wal", f"{path.name}-shm"], 0o600)


def test_the_mode_of_a_file_that_exists_is_the_owners_choice(path: Path) -> None:
    path.touch()
    path.chmod(0o640)
    SqliteStore(path).close()
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_is_acknowledged_is_on_the_disk_and_what_is_erased_is_not(store: SqliteStore) -> None:
    wanted = {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1}
    with store._connections.reading() as connection:
        found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
    assert found == wanted


def test_closing_leaves_one_file(store: SqliteStore, path: Path) -> None:
    race(lambda number: store.insert(a_session(f"{number}")), threads=4)
    store.close()
    assert list(path.parent.iterdir()) == [path]


def test_closing_lets_an_operation_end(store: SqliteStore, path: Path) -> None:
    store.insert(a_session())
    with store._connections.reading() as connection:
        store.close()
        assert connection.execute("SELECT count(*) FROM session").fetchone() == (1,)
    assert list(path.parent.iterdir()) == [path]


def test_threads_leave_no_connections_behind(store: SqliteStore) -> None:
    for _ in range(3):
        assert race(lambda number: store.get(f"{number}")) == [None] * 32
    assert 1 <= len(store._connections._idle) <= 8
    assert not store._connections.is_in_use


def test_a_file_that_is_gone_is_not_made_anew(store: SqliteStore, path: Path) -> None:
    store._connections.close_idle()
    path.unlink()
    with pytest.raises(StoreError, match="unable to open"):
        store.get("x")
    assert not path.exists()


def no_folder(path: Path) -> Path:
    return path / "no" / "such" / "folder"


def a_folder(path: Path) -> Path:
    path.mkdir()
    return path


def text(path: Path) -> Path:
    path.write_text("Dear diary, " * 100)
    return path


def other_program(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 1")
    return path


def nobodys_tables(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE session (id)")
    return path


def nobodys_version(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1")
    return path


def later_livegate(path: Path) -> Path:
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    return path


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (no_folder, "folder has to exist"),
        (a_folder, "cannot be used as a SQLite store"),
        (text, "cannot be used as a SQLite store"),
        (other_program, "another program"),
        (nobodys_tables, "another program"),
        (nobodys_version, "another program"),
        (later_livegate, "later livegate: it has schema 2, this one knows 1"),
    ],
)
def test_what_cannot_be_our_file_is_refused_and_left_alone(
    make: Any, what: str, path: Path
) -> None:
    made = make(path)
    before = made.read_bytes() if made.is_file() else None
    with pytest.raises(ConfigurationError, match=what) as caught:
        SqliteStore(made)
    assert str(made) in str(caught.value)
    assert (made.read_bytes() if made.is_file() else None) == before


def test_memory_is_no_file() -> None:
    with pytest.raises(ConfigurationError, match="memory://"):
        SqliteStore(":memory:")


# --- the schema ------------------------------------------------------------------------------


def schema_of(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {" ".join(sql.split()) for (sql,) in rows}


def test_a_file_of_version_1_is_read_and_written(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA_1)
        connection.execute(f"INSERT INTO session VALUES ({', '.join('?' * 11)})", ROW_1)
        connection.commit()
    first = due_since(NOW + HOUR, idempotency_key="key-1", version=2, updated_at=NOW + SECOND)
    with closing(SqliteStore(path)) as store:
        assert store.get("session-1") == first
        assert store.lookup("alice", "key-1") == first
        assert store.find(SessionQuery(subject="alice")).sessions == (first,)
        assert store.due(NOW + HOUR - SECOND, 1, HOUR) == ()
        assert store.due(NOW + HOUR, 1, HOUR) == (first,)
        store.save(next_of(first), 2)
        assert store.get("session-1") == next_of(first)


def test_a_new_file_has_the_schema_that_was_released(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "golden.db")) as connection:
        connection.executescript(SCHEMA_1)
    SqliteStore(path).close()
    assert schema_of(path) == schema_of(tmp_path / "golden.db")


def test_a_row_is_written_as_it_was_released(store: SqliteStore, raw: sqlite3.Connection) -> None:
    session = due_since(NOW + HOUR, idempotency_key="key-1", version=2, updated_at=NOW + SECOND)
    store.insert(session)
    assert raw.execute("SELECT * FROM session").fetchall() == [ROW_1]


def every_statement() -> Iterator[tuple[str, Any]]:
    for name in ("GET", "LOOKUP", "ERASE", "LEASE"):
        sql = getattr(sqlite, name)
        yield sql, ["x"] * sql.count("?")
    yield sqlite.SAVE, dict.fromkeys(
        ["id", "state", "remote", "updated_at", "due_at", "version", "record"],
    )  # fmt: skip
    yield sqlite.DUE, {"now": 1, "limit": 1}
    yield sqlite.purge_sql(NOW)
    for subject in (None, "alice"):
        for states in ([], [SessionState.READY], SessionState):
            yield sqlite.find_sql(SessionQuery(subject, frozenset(states)))
            yield sqlite.find_sql(SessionQuery(subject, frozenset(states), NOW))


@pytest.mark.parametrize(("sql", "values"), list(every_statement()))
def test_no_statement_looks_at_the_whole_table(
    sql: str,
    values: Any,
    raw: sqlite3.Connection,
) -> None:
    plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    steps = [step for step in plan if "session" in step]
    assert steps
    assert all(step.startswith("SEARCH session USING INDEX") for step in steps), plan
    # What is sorted is a page of each state, never a table.
    assert "LIMIT ?\n) ORDER BY" in sql or not any("TEMP B-TREE" in step for step in plan), plan
