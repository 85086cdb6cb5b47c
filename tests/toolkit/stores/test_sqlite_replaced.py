"""A SQLite file that is removed or replaced while connections to it are open."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from livegate.errors import StoreCorruptError, StoreError
from livegate.stores.sqlite import SqliteStore
from livegate.testing.store_suite.base import race
from livegate.testing.store_suite.samples import a_record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONG = b"x" * 3000
"""A body for which a few records fill several pages, of the file and of its log."""

WRITE = """
import sys
from livegate.errors import StoreError
from livegate.stores.sqlite import SqliteStore
from livegate.testing.store_suite.samples import a_record

path, name = sys.argv[1:]
store = SqliteStore(path)
store.insert(a_record(name))
print("ready", flush=True)
number = kept = 0
while kept < 100:
    is_new = store.get("marker") is not None
    number += 1
    store.insert(a_record(f"{name} {number}"))
    if is_new:
        kept += 1
        print(f"{name} {number}", flush=True)
store.close()
"""


@pytest.fixture
def other_path(path: Path) -> Path:
    """The closed file of another store, with one record: ``marker``."""
    other = path.with_name("other.db")
    with closing(SqliteStore(other)) as store:
        store.insert(a_record("marker"))
    return other


def fill(store: SqliteStore) -> None:
    for number in range(20):
        store.insert(a_record(f"{number}", body=LONG))


def open_connections(store: SqliteStore) -> int:
    return len(store._pool._process().open)


# --- removed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("remains", [["", "-wal", "-shm"], [""]], ids=["all", "the file alone"])
def test_removed_file_is_an_error_and_not_created_again(
    store: SqliteStore, path: Path, remains: list[str]
) -> None:
    """Given a file removed under pooled connections; every operation says so, and closes them."""
    fill(store)
    for suffix in remains:
        path.with_name(path.name + suffix).unlink()
    operations: list[Callable[[], object]] = [
        lambda: store.get("1"),
        lambda: store.insert(a_record("new")),
    ]
    for operation in operations:
        with pytest.raises(StoreError, match=r"is gone.*Restore") as caught:
            operation()
        assert caught.value.retryable
    assert open_connections(store) == 0
    assert not path.exists()


def test_file_that_comes_back_has_all_that_was_written(store: SqliteStore, path: Path) -> None:
    """Given a file that is moved away, noticed, and moved back; nothing of it is lost."""
    fill(store)
    aside = path.rename(path.with_name("aside"))
    with pytest.raises(StoreError, match="is gone"):
        store.get("1")
    aside.rename(path)
    assert [store.get(f"{number}") is not None for number in range(20)] == [True] * 20


def test_backup_that_is_restored_is_not_mixed_with_the_removed_file(
    store: SqliteStore, path: Path, other_path: Path
) -> None:
    """Given a file removed without its log, and a backup in its place; only that is read."""
    fill(store)
    path.unlink()
    with pytest.raises(StoreError, match="is gone"):
        store.get("1")
    other_path.rename(path)
    assert store.get("marker") == a_record("marker")
    assert store.get("1") is None
    assert integrity_of(path) == "ok"


def test_empty_file_in_its_place_is_an_error(store: SqliteStore, path: Path) -> None:
    """Given a file replaced by an empty one; it does not silently become a new store."""
    fill(store)
    path.unlink()
    path.touch()
    with pytest.raises(StoreError, match=r"is empty.*Restore"):
        store.get("1")
    assert path.read_bytes() == b""


def test_file_of_another_program_in_its_place_is_an_error(store: SqliteStore, path: Path) -> None:
    """Given a file replaced by another program's; it is neither read nor written."""
    fill(store)
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE session (id)")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    before = path.read_bytes()
    with pytest.raises(StoreCorruptError, match="another program"):
        store.get("1")
    assert path.read_bytes() == before


# --- replaced --------------------------------------------------------------------------------


def test_replaced_file_is_read_and_the_old_one_kept_whole(
    store: SqliteStore, path: Path, other_path: Path
) -> None:
    """Given another file moved over it; reads and writes go there, the old file has its own."""
    fill(store)
    old_path = path.with_name("old.db")
    os.link(path, old_path)
    other_path.replace(path)
    assert store.get("1") is None
    assert store.get("marker") == a_record("marker")
    store.insert(a_record("new"))
    store.close()
    assert ids_in(path) == {"marker", "new"}
    assert ids_in(old_path) == {f"{number}" for number in range(20)}
    assert integrity_of(path) == integrity_of(old_path) == "ok"


def test_all_threads_notice_a_replaced_file(
    store: SqliteStore, path: Path, other_path: Path
) -> None:
    """Given four pooled connections; no thread is served from the old file any more."""
    fill(store)
    pool = store._pool
    pool.run(lambda _: pool.run(lambda _: pool.run(lambda _: store.get("1"))))
    old = pool._process().open.copy()
    assert len(old) == 4
    other_path.replace(path)
    found = race(lambda number: (store.get("1"), store.get("marker")), threads=16)
    assert found == [(None, a_record("marker"))] * 16
    assert not old & pool._process().open


def test_operation_under_way_ends_on_the_old_file(
    store: SqliteStore, path: Path, other_path: Path
) -> None:
    """Given a file replaced within an operation; it ends, and its connection is not used again."""
    fill(store)

    def operation(connection: sqlite3.Connection) -> list[int]:
        counts = []
        for step in (lambda: None, lambda: other_path.replace(path), lambda: store.get("marker")):
            step()
            (count,) = connection.execute("SELECT count(*) FROM session").fetchone()
            counts.append(count)
        return counts

    assert store._pool.run(operation) == [20, 20, 20]
    assert store.get("marker") == a_record("marker")
    assert open_connections(store) == 1
    store.insert(a_record("new"))
    assert integrity_of(path) == "ok"


def test_replaced_file_after_a_fork_closed_all_connections(
    store: SqliteStore, path: Path, other_path: Path
) -> None:
    """Given no open connection when the file is replaced; the next one opens the new file."""
    fill(store)
    process = store._pool._process()
    process.close(process.take_idle())
    other_path.replace(path)
    assert store.get("marker") == a_record("marker")


@pytest.mark.process
def test_two_processes_lose_nothing_that_they_write_to_the_new_file(
    path: Path, other_path: Path
) -> None:
    """Given two processes that write while the file is replaced; both go on in the new one."""
    SqliteStore(path).close()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(path), name], stdout=subprocess.PIPE, text=True
        )
        for name in ("one", "two")
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    other_path.replace(path)
    acknowledged = {
        line for each in processes for line in each.communicate(timeout=60)[0].splitlines()
    }
    assert [process.returncode for process in processes] == [0, 0]
    assert len(acknowledged) == 200
    assert acknowledged <= ids_in(path)
    assert integrity_of(path) == "ok"


def ids_in(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {session_id for (session_id,) in connection.execute("SELECT id FROM session")}


def integrity_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
