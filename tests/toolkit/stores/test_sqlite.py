"""What goes wrong with SQLite, and what it forgets."""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING

import pytest

from livegate.errors import StoreBrokenError, StoreError
from livegate.session import SessionState
from livegate.stores.base import SessionQuery
from livegate.stores.paging import micros
from livegate.testing.store_suite.samples import (
    HOUR,
    NOW,
    SECOND,
    a_full_session,
    a_session,
    due_since,
    next_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from livegate.stores.sqlite import SqliteStore


def everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


# --- errors ----------------------------------------------------------------------------------


def test_a_locked_file_is_worth_another_try(store: SqliteStore, raw: sqlite3.Connection) -> None:
    raw.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked") as caught:
        store.insert(a_session())
    assert caught.value.retryable
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    assert store.get("session-1") is None
    raw.execute("ROLLBACK")
    store.insert(a_session())


def test_a_full_disk_is_worth_another_try(store: SqliteStore) -> None:
    first = a_session()
    store.insert(first)
    with store._connections.reading() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full") as caught:
        store.save(next_of(first, client_error="x" * 100_000), 1)
    assert caught.value.retryable
    assert store.get(first.id) == first
    store._connections.close_idle()
    store.save(next_of(first, client_error="x" * 100_000), 1)


def test_a_damaged_file_is_not(store: SqliteStore, path: Path) -> None:
    for number in range(100):
        store.insert(a_session(f"{number}"))
    store._connections.close_idle()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    with pytest.raises(StoreBrokenError, match="malformed") as caught:
        store.get("1")
    assert not caught.value.retryable
    assert isinstance(caught.value.__cause__, sqlite3.DatabaseError)


@pytest.mark.parametrize("operation", ["due", "purge", "erase", "save", "insert"])
def test_what_fails_in_the_middle_leaves_nothing(
    operation: str,
    store: SqliteStore,
    raw: sqlite3.Connection,
) -> None:
    """RAISE(FAIL) keeps what a statement has done so far: undoing it is up to us."""
    for number in range(5):
        store.insert(due_since(NOW, f"due {number}"))
        store.insert(a_session(f"old {number}", state=SessionState.FAILED))
    for event in ("UPDATE", "DELETE", "INSERT"):
        row = "OLD" if event == "DELETE" else "NEW"
        raw.execute(
            f"CREATE TRIGGER crash_{event} AFTER {event} ON session "
            f"WHEN {row}.id LIKE '% 3' BEGIN SELECT RAISE(FAIL, 'crash'); END"
        )
    before = raw.execute("SELECT * FROM session ORDER BY id").fetchall()
    work: dict[str, Callable[[], object]] = {
        "due": lambda: store.due(NOW, 5, HOUR),
        "purge": lambda: store.purge(NOW + SECOND),
        "erase": lambda: store.erase("alice"),
        "save": lambda: store.save(next_of(due_since(NOW, "due 3")), 1),
        "insert": lambda: store.insert(a_session("new 3")),
    }
    with pytest.raises(StoreError, match="crash"):
        work[operation]()
    assert raw.execute("SELECT * FROM session ORDER BY id").fetchall() == before
    assert not raw.in_transaction
    store.insert(a_session("new 4"))


def test_a_record_that_cannot_be_read_is_in_nobodys_way(
    store: SqliteStore,
    raw: sqlite3.Connection,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Given one that only a later version reads; the sweep of this version goes on without it."""
    for number in range(3):
        store.insert(due_since(NOW + number * SECOND, f"{number}"))
    raw.execute("""UPDATE session SET record = '{"format":2}' WHERE id = '0'""")
    assert [session.id for session in store.due(NOW + HOUR, 2, HOUR)] == ["1"]
    assert [session.id for session in store.due(NOW + HOUR, 2, HOUR)] == ["2"]
    assert [(r.levelno, r.args) for r in caplog.records] == [(logging.ERROR, ("0",))]
    with pytest.raises(StoreBrokenError, match="later version"):
        store.get("0")


# --- forgetting ------------------------------------------------------------------------------


def personal(number: int) -> str:
    return f"do-not-keep-me-{number}"


def test_erase_removes_the_bytes(store: SqliteStore, tmp_path: Path) -> None:
    for number in range(50):
        store.insert(a_session(f"keep {number}", subject="bob"))
        name = personal(number)
        session = a_session(name, subject="do-not-keep-me", idempotency_key=name, purpose=name)
        store.insert(session)
        store.save(next_of(session, client_error=name * 50), 1)
    assert b"do-not-keep-me" in everything_in(tmp_path)
    assert store.erase("do-not-keep-me") == 50
    assert b"do-not-keep-me" not in everything_in(tmp_path)
    assert len(store.find(SessionQuery(limit=100)).sessions) == 50


def test_purge_removes_the_bytes(store: SqliteStore, tmp_path: Path) -> None:
    for number in range(50):
        name = personal(number)
        store.insert(a_session(name, subject=name, state=SessionState.PASSED))
    assert b"do-not-keep-me" in everything_in(tmp_path)
    assert store.purge(NOW + SECOND) == 50
    assert b"do-not-keep-me" not in everything_in(tmp_path)


def test_a_reader_delays_the_removal_and_says_so(
    store: SqliteStore,
    raw: sqlite3.Connection,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Given somebody who reads meanwhile; the sessions are gone, the bytes with the next erase."""
    store.insert(a_session(subject="do-not-keep-me"))
    raw.execute("BEGIN")
    raw.execute("SELECT * FROM session").fetchall()
    assert store.erase("do-not-keep-me") == 1
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert store.find(SessionQuery(subject="do-not-keep-me")).sessions == ()
    raw.execute("ROLLBACK")
    assert store.erase("nobody") == 0
    assert b"do-not-keep-me" not in everything_in(tmp_path)


def test_the_columns_are_those_of_the_record(store: SqliteStore, raw: sqlite3.Connection) -> None:
    session = a_full_session()
    store.insert(a_session(idempotency_key="key-1"))
    second = next_of(a_session(idempotency_key="key-1"), state=session.state, remote=session.remote,
                     remote_retry_at=session.remote_retry_at)  # fmt: skip
    store.save(second, 1)
    row = raw.execute(
        "SELECT state, remote, created_at, updated_at, due_at, leased_until, version FROM session"
    ).fetchone()
    assert session.remote_retry_at is not None
    assert row == (
        second.state,
        second.remote,
        micros(second.created_at),
        micros(second.updated_at),
        micros(session.remote_retry_at),
        None,
        2,
    )
