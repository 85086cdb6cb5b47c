"""The SQLite file: who may read it, what is refused at the start, its schema, and closing it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from livegate.errors import ConfigurationError, StoreError
from livegate.protocols import DURABLE, SHARED
from livegate.stores import _sqlite_connections, _sqlite_file
from livegate.stores.sqlite import SqliteStore
from livegate.testing.store_suite.base import race
from livegate.testing.store_suite.samples import a_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOBODY = 65534


def pragmas(store: SqliteStore, *names: str) -> list[Any]:
    return store._pool.run(
        lambda each: [each.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    )


# --- who may read and write it ---------------------------------------------------------------


def test_only_the_owner_may_read_the_files(path: Path) -> None:
    """Given a process that makes all files readable by everybody; the store's are not."""
    before = os.umask(0)
    try:
        with closing(SqliteStore(path)) as store:
            store.insert(a_record())
            modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    finally:
        os.umask(before)
    assert modes == dict.fromkeys([path.name, f"{path.name}-wal", f"{path.name}-shm"], 0o600)


def test_mode_of_an_existing_file_stays(path: Path) -> None:
    """Given a file that its owner made readable by a group; the store leaves it so."""
    path.touch()
    path.chmod(0o640)
    SqliteStore(path).close()
    assert path.stat().st_mode & 0o777 == 0o640


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Without the rights of root, for whom nothing is read-only; as any other user, as they are."""
    if os.geteuid() != 0:
        yield
        return
    try:
        os.seteuid(NOBODY)
    except OSError:
        pytest.skip("root, and cannot become another user here")
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public_path() -> Iterator[Path]:
    """A path that any user reaches, which pytest's own folders are not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder / "sessions.db"
        folder.chmod(0o777)


def read_only_file(path: Path) -> None:
    path.chmod(0o444)


def read_only_folder(path: Path) -> None:
    path.parent.chmod(0o555)


def read_only_file_without_log(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    path.chmod(0o444)


def read_only_folder_without_file(path: Path) -> None:
    path.unlink()
    path.parent.chmod(0o555)


def unreadable_file(path: Path) -> None:
    path.chmod(0)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has other permissions")
@pytest.mark.parametrize(
    "protect",
    [
        read_only_file,
        read_only_folder,
        read_only_file_without_log,
        read_only_folder_without_file,
        unreadable_file,
    ],
)
def test_file_or_folder_that_cannot_be_written_is_a_configuration_error(
    protect: Callable[[Path], None], public_path: Path
) -> None:
    """Given a store's file that this process may not write; the start fails and says what to do.

    Run by root, the test becomes another user while the store starts.
    """
    SqliteStore(public_path).close()
    public_path.chmod(0o666)
    protect(public_path)
    with ordinary_user(), pytest.raises(ConfigurationError, match="allowed to write") as caught:
        SqliteStore(public_path)
    assert "folder" in str(caught.value)
    assert str(public_path) in str(caught.value)


def test_file_system_without_a_log_is_a_configuration_error(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given one of SQLite's own file layers that has no shared memory, as on network disks."""
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda file, **options: connect(f"{file}&vfs=unix-dotfile", **options)
    )
    with pytest.raises(ConfigurationError, match=r"journal mode stays 'delete'.*local disk"):
        SqliteStore(path)


# --- how it is opened ------------------------------------------------------------------------


def test_full_is_the_default_and_durable(store: SqliteStore) -> None:
    """Given no option; commits wait for the disk, and what is erased is overwritten."""
    assert pragmas(store, "journal_mode", "synchronous", "secure_delete") == ["wal", 2, 1]
    assert store.capabilities == {DURABLE, SHARED}


def test_normal_is_not_durable(path: Path) -> None:
    """Given ``synchronous="normal"``; commits do not wait, and the store says what it is not."""
    with closing(SqliteStore(path, synchronous="normal")) as store:
        assert pragmas(store, "journal_mode", "synchronous", "secure_delete") == ["wal", 1, 1]
        assert store.capabilities == {SHARED}


@pytest.mark.parametrize("synchronous", ["off", "FULL", "", "0"])
def test_other_values_of_synchronous_are_configuration_errors(synchronous: str, path: Path) -> None:
    """Given another value; the error says which there are, and there is no file."""
    with pytest.raises(ConfigurationError, match="full or normal"):
        SqliteStore(path, synchronous=synchronous)
    assert not path.exists()


def no_folder(path: Path) -> Path:
    return path / "no" / "such" / "folder"


def a_folder(path: Path) -> Path:
    path.mkdir()
    return path


def a_text(path: Path) -> Path:
    path.write_text("Dear diary, " * 100)
    return path


def another_program(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA application_id = 1")
    return path


def tables_of_another_program(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE session (id)")
    return path


def version_of_another_program(path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1")
    return path


def later_livegate(path: Path) -> Path:
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    return path


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (no_folder, "folder has to exist"),
        (a_folder, "cannot be used as a SQLite store"),
        (a_text, "not a SQLite database; choose another file"),
        (another_program, "another program"),
        (tables_of_another_program, "another program"),
        (version_of_another_program, "another program"),
        (later_livegate, "later livegate: it has schema 2, this one knows 1"),
    ],
)
def test_file_that_is_not_ours_is_refused_and_left_alone(
    make: Callable[[Path], Path], message: str, path: Path
) -> None:
    """Given something else at the path; the error names it, and not a byte of it changes."""
    made = make(path)
    before = made.read_bytes() if made.is_file() else None
    with pytest.raises(ConfigurationError, match=message) as caught:
        SqliteStore(made)
    assert str(made) in str(caught.value)
    assert (made.read_bytes() if made.is_file() else None) == before


def test_memory_is_not_a_file() -> None:
    """Given SQLite's name for a database in memory; the error names the store for that."""
    with pytest.raises(ConfigurationError, match="memory://"):
        SqliteStore(":memory:")


# --- the schema ------------------------------------------------------------------------------


def test_file_of_an_earlier_schema_is_migrated_by_the_first_that_opens_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a file of today and a second migration; it runs once, and the records stay."""
    with closing(SqliteStore(path)) as store:
        store.insert(a_record())
    second = ("CREATE TABLE note (text)", "INSERT INTO note VALUES ('once')")
    monkeypatch.setattr(_sqlite_file, "MIGRATIONS", (*_sqlite_file.MIGRATIONS, second))
    stores = race(lambda number: SqliteStore(path), threads=4)
    with closing(SqliteStore(path)) as store:
        assert store.get("session-1") == a_record()
        notes = store._pool.run(lambda each: each.execute("SELECT text FROM note").fetchall())
        assert notes == [("once",)]
        assert pragmas(store, "user_version") == [2]
    for each in stores:
        assert isinstance(each, SqliteStore)
        each.close()


def test_migration_that_fails_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given a migration whose last statement fails; the version and the tables are the old ones."""
    SqliteStore(path).close()
    broken = ("CREATE TABLE note (text)", "INSERT INTO nowhere VALUES (1)")
    with monkeypatch.context() as patch:
        patch.setattr(_sqlite_file, "MIGRATIONS", (*_sqlite_file.MIGRATIONS, broken))
        with pytest.raises(StoreError, match="nowhere"):
            SqliteStore(path)
    with closing(SqliteStore(path)) as store:
        assert pragmas(store, "user_version") == [1]
        tables = store._pool.run(
            lambda each: each.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table'"
            ).fetchall()
        )
        assert {name for (name,) in tables} == {"session", "event", "fence"}


# --- closing ---------------------------------------------------------------------------------


def test_closing_leaves_one_file(store: SqliteStore, path: Path) -> None:
    """Given inserts of several threads; after close there is no log and no shared memory."""
    race(lambda number: store.insert(a_record(f"{number}")), threads=4)
    store.close()
    assert list(path.parent.iterdir()) == [path]


def test_close_waits_for_the_operation_under_way(store: SqliteStore, path: Path) -> None:
    """Given an operation that a thread is in; close returns after it, and it succeeds."""
    begun, may_end, results = threading.Event(), threading.Event(), []

    def operation(connection: sqlite3.Connection) -> None:
        begun.set()
        assert may_end.wait(30)
        results.extend(connection.execute("SELECT count(*) FROM session").fetchall())

    running = threading.Thread(target=store._pool.run, args=(operation,))
    running.start()
    assert begun.wait(30)
    closer = threading.Thread(target=store.close)
    closer.start()
    closer.join(0.1)
    assert closer.is_alive()
    with pytest.raises(StoreError, match="closed"):
        store.get("later")
    may_end.set()
    closer.join()
    running.join()
    assert results == [(0,)]
    assert list(path.parent.iterdir()) == [path]


def test_close_gives_up_on_an_operation_that_does_not_end(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given an operation that outlives the wait; its connection is closed when it ends."""
    monkeypatch.setattr(_sqlite_connections, "_MAX_WAIT", 0.05)

    def operation(connection: sqlite3.Connection) -> Any:
        store.close()
        return connection.execute("SELECT count(*) FROM session").fetchone()

    assert store._pool.run(operation) == (0,)
    assert list(path.parent.iterdir()) == [path]


def test_connections_do_not_pile_up(store: SqliteStore) -> None:
    """Given many threads at once, three times; at most eight connections stay open."""
    for _ in range(3):
        assert race(lambda number: store.get(f"{number}"), threads=32) == [None] * 32
    process = store._pool._process()
    assert 1 <= len(process.idle) <= 8
    assert process.open == set(process.idle)
    assert process.in_use == 0
