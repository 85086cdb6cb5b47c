"""The SQLite file under :mod:`livegate.stores.sqlite`: its making, its schema, opening it."""

from __future__ import annotations

import os
import sqlite3
from threading import Lock
from typing import TYPE_CHECKING, Final

from livegate.errors import ConfigurationError
from livegate.stores.sqlite_connections import code_of, error_of, transaction

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION_ID: Final = int.from_bytes(b"lvgt")
"""In the file's header, so that no other program's file is taken for ours."""

MIGRATIONS: Final = (
    (
        # All times are microseconds since 1970 in UTC. The record is the whole session as JSON;
        # the columns before it are what a session is found by.
        """
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
        )
        """,
        """
        CREATE UNIQUE INDEX session_by_key ON session (subject, idempotency_key)
        WHERE idempotency_key IS NOT NULL
        """,
        "CREATE INDEX session_by_subject ON session (subject, created_at, id)",
        "CREATE INDEX session_by_state ON session (state, created_at, id)",
        "CREATE INDEX session_by_creation ON session (created_at, id)",
        "CREATE INDEX session_by_change ON session (state, updated_at)",
        "CREATE INDEX session_by_due ON session (due_at, id) WHERE due_at IS NOT NULL",
    ),
)
"""From each schema version to the next; a new file goes through all of them.

What was released is never edited: a change is another entry. ``PRAGMA user_version`` counts them.
"""

_HOPELESS: Final = frozenset(
    {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY},
)
"""At the start: a matter of configuration. Later, the file was fine and somebody changed it."""

_EMPTY: Final = (0, 0, 0)
"""The header of a file that nobody has written to: application, schema version, tables."""

_making = Lock()


def make(path: Path, busy_timeout: float) -> None:
    """See that there is a file of ours at *path*, with today's schema.

    Args:
        path: Absolute.
        busy_timeout: Seconds to wait for others who use it.

    Raises:
        ConfigurationError: There can be no such file, it is another program's, or a later
            livegate has written it.
        StoreError: The file cannot be used now.
    """
    _make_empty(path)
    try:
        connect(path, busy_timeout).close()
    except sqlite3.Error as error:
        if code_of(error) in _HOPELESS:
            raise ConfigurationError(
                f"{path} cannot be used as a SQLite store: {error}. Choose another file."
            ) from error
        raise error_of(error) from error


def connect(path: Path, busy_timeout: float) -> sqlite3.Connection:
    """Open the file that :func:`make` made, for any thread, in autocommit mode.

    Raises:
        ConfigurationError: Somebody has put another program's file in its place.
        sqlite3.Error: The file cannot be opened.
    """
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",  # makes no file: a new one would be everybody's to read
        uri=True,
        timeout=busy_timeout,
        isolation_level=None,  # transactions begin and end where we say so
        check_same_thread=False,  # one thread at a time: the one it is lent to
    )
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_empty(path: Path) -> None:
    """Make an empty file that only its owner may read; one that exists stays as it is."""
    try:
        # One at a time: closing a file lets go of all locks that this process has on it, so
        # nobody may have opened it as a database in between.
        with _making:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The SQLite store {path} cannot be made: {error}. Its folder has to exist, and this "
            "process has to be allowed to write to it."
        ) from error


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if _schema_version(connection, path) < len(MIGRATIONS):
        _migrate(connection, path)
    connection.execute("PRAGMA journal_mode = WAL")
    # With FULL a commit returns when the disk has it; WAL's usual NORMAL may lose the last ones.
    connection.execute("PRAGMA synchronous = FULL")
    # What is erased is overwritten, not just left unreferenced.
    connection.execute("PRAGMA secure_delete = ON")


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    with transaction(connection):
        # Asked again: another process may have been faster.
        for statements in MIGRATIONS[_schema_version(connection, path) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _schema_version(connection: sqlite3.Connection, path: Path) -> int:
    """How many of the migrations the file has gone through.

    Raises:
        ConfigurationError: The file is another program's, or a later livegate's.
    """
    (header,) = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master) "
        "FROM pragma_application_id, pragma_user_version"
    )
    application_id, version, _ = header
    if application_id != APPLICATION_ID and header != _EMPTY:
        raise ConfigurationError(f"{path} is the SQLite file of another program; choose another.")
    if version > len(MIGRATIONS):
        raise ConfigurationError(
            f"{path} was written by a later livegate: it has schema {version}, this one knows "
            f"{len(MIGRATIONS)}. Install that one, or choose another file."
        )
    return int(version)
