"""The file under :mod:`livegate.stores.sqlite`: creating it, its schema, connecting to it."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from livegate.errors import ConfigurationError, StoreCorruptError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

FileId = tuple[int, int]
"""Device and inode: what tells two files of one name apart."""

APPLICATION_ID: Final = int.from_bytes(b"lvgt")
"""In the file's header, so that no other program's file is taken for ours."""

# The time from which a session is claimable, by what makes it so: the latest of these that it has.
_READY: Final = (
    "max({0}, coalesce(claimed_at, {0}), coalesce(next_at, {0}), coalesce(leased_until, {0}))"
)
DUE_READY: Final = _READY.format("due_at")
EVENTS_READY: Final = _READY.format("events_since")
LAST_SEEN: Final = "max(coalesce(claimed_at, events_since), coalesce(events_since, claimed_at))"

MIGRATIONS: Final = (
    (
        # All times are microseconds since 1970 in UTC. The columns up to body are those of a
        # record, the others are the queue's; see livegate.stores.sqlite for what each of them is.
        """
        CREATE TABLE session (
            id TEXT NOT NULL PRIMARY KEY,
            subject TEXT NOT NULL,
            key TEXT,
            state TEXT NOT NULL,
            remote TEXT NOT NULL,
            purpose TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            due_at INTEGER,
            version INTEGER NOT NULL,
            purgeable_at INTEGER,
            events_since INTEGER,
            has_news INTEGER NOT NULL DEFAULT 1,
            next_at INTEGER,
            claimed_at INTEGER,
            leased_until INTEGER,
            fence INTEGER NOT NULL DEFAULT 0,
            progress BLOB,
            body BLOB NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX session_by_key ON session (subject, key) WHERE key IS NOT NULL",
        "CREATE INDEX session_by_subject ON session (subject, created_at, id)",
        f"""
        CREATE INDEX session_by_due ON session (has_news, {DUE_READY}, fence)
        WHERE due_at IS NOT NULL
        """,
        f"""
        CREATE INDEX session_by_events ON session ({EVENTS_READY}, fence)
        WHERE events_since IS NOT NULL
        """,
        f"CREATE INDEX session_by_last_seen ON session ({LAST_SEEN})",
        """
        CREATE INDEX session_by_purge ON session (purgeable_at)
        WHERE purgeable_at IS NOT NULL AND events_since IS NULL
        """,
        """
        CREATE TABLE event (
            session_id TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (session_id, sequence)
        ) WITHOUT ROWID
        """,
        # One row: the last fence that was given out. It never goes back, whatever is erased.
        "CREATE TABLE fence (last INTEGER NOT NULL)",
        "INSERT INTO fence VALUES (0)",
    ),
)
"""From each schema version to the next; a new file goes through all of them.

What was released is never edited: a change is another entry. ``PRAGMA user_version`` counts them.
"""

SYNCHRONOUS: Final = ("full", "normal")
"""When a commit waits for the disk: always, or only where the log is copied into the file."""

TRUNCATE_LOG: Final = "PRAGMA wal_checkpoint(TRUNCATE)"
"""Copies what the log holds into the file, and empties the log."""

_RETRYABLE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_INTERRUPT,
    },
)
"""What may be over when it is tried again."""

_UNWRITABLE: Final = frozenset(
    {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY},
)
"""At the start a matter of configuration; later, of a file that was usable once."""

_MAX_ATTEMPTS: Final = 3
"""How often a file is opened that was replaced at the same moment."""

_EMPTY: Final = (0, 0, 0)
"""The header of a file that nothing was written to: application, schema version, tables."""


class Connection(sqlite3.Connection):
    """A connection that knows which files it has open.

    Attributes:
        file: The database.
        log: Its write-ahead log, or None where it is not found.
    """

    file: FileId
    log: FileId | None


class DatabaseFile:
    """A file with our schema.

    Args:
        path: Absolute.
        busy_timeout: Seconds to wait for others who use the file.
        synchronous: One of :data:`SYNCHRONOUS`.
    """

    def __init__(self, path: Path, busy_timeout: float, synchronous: str) -> None:
        self.path = str(path)
        self.busy_timeout = busy_timeout
        self._synchronous = synchronous
        # It creates no file: a new one would be readable by all.
        self._uri = f"{path.as_uri()}?mode=rw"

    def create(self) -> None:
        """Ensure that there is such a file, with the current schema, and that it can be written.

        Raises:
            ConfigurationError: There can be no such file, it is another program's, or a later
                livegate has written it.
            StoreError: The file cannot be used now.
        """
        self._create_empty()
        try:
            connection = self._connect(is_start=True)
            try:
                # Nothing else fails where SQLite could open the file for reading alone.
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("UPDATE fence SET last = last")
                connection.execute("ROLLBACK")
            finally:
                connection.close()
        except sqlite3.Error as error:
            if code_of(error) in _UNWRITABLE:
                raise ConfigurationError(
                    f"{self.path} cannot be used as a SQLite store: {error}. This process has to "
                    "be allowed to write to the file, and to its folder, where SQLite keeps a log."
                ) from error
            if code_of(error) == sqlite3.SQLITE_NOTADB:
                raise ConfigurationError(
                    f"{self.path} is not a SQLite database; choose another file."
                ) from error
            raise store_error(error) from error

    def connect(self) -> Connection:
        """Connect to the file that :meth:`create` made: for any thread, in autocommit mode.

        Raises:
            StoreCorruptError: There is another file in its place, which is not ours.
            StoreError: There is no file, or it is being replaced.
            sqlite3.Error: The file cannot be opened.
        """
        try:
            for _ in range(_MAX_ATTEMPTS):
                connection = self._connect(is_start=False)
                if connection.file == _id_of(self.path):
                    return connection
                connection.close()
        except ConfigurationError as error:
            raise StoreCorruptError(str(error)) from None
        raise StoreError(f"The SQLite file {self.path} is being replaced; try again.")

    def identify(self) -> FileId:
        """Which file there is now.

        Raises:
            StoreError: There is none, or it cannot be reached.
        """
        try:
            status = os.stat(self.path)  # noqa: PTH116 - a Path costs more than the call itself
        except FileNotFoundError:
            raise StoreError(
                f"The SQLite file {self.path} is gone, with the sessions in it. Restore it, or "
                "restart the application to begin with a new one."
            ) from None
        except OSError as error:
            raise StoreError(
                f"The SQLite file {self.path} cannot be reached: {error.strerror}."
            ) from error
        return status.st_dev, status.st_ino

    def discard_log(self, log: FileId) -> None:
        """Remove *log*, the log of a file that was at the path before, if it is still there.

        SQLite finds a log by its name alone, and would write what it holds into the new file. The
        caller has the old file still open, so that *log* cannot name anything else by now.
        """
        if sys.platform == "win32":  # there, a file in use cannot be replaced
            return
        import fcntl  # noqa: PLC0415 - only Unix has it

        real_path = os.path.realpath(self.path)
        log_path = f"{real_path}-wal"
        try:
            descriptor = os.open(log_path, os.O_RDONLY)
        except OSError:
            return
        try:
            # Among processes that all notice the same: the second would remove a new log.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _id_of(log_path) == log:
                Path(f"{real_path}-shm").unlink(missing_ok=True)
                Path(log_path).unlink(missing_ok=True)
        finally:
            os.close(descriptor)

    def _create_empty(self) -> None:
        """Make an empty file that only its owner may read; one that exists stays as it is."""
        try:
            # One at a time: closing a file releases all locks that this process has on it, so no
            # thread may have opened it as a database in between.
            with _creating:
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        except FileExistsError:
            return
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigurationError(
                f"The SQLite store {self.path} cannot be created: {reason}. Its folder has to "
                "exist, and this process has to be allowed to write to it."
            ) from error

    def _connect(self, *, is_start: bool) -> Connection:
        file = self.identify()
        connection = sqlite3.connect(
            self._uri,
            uri=True,
            timeout=self.busy_timeout,
            isolation_level=None,  # transactions begin and end where we say so
            check_same_thread=False,  # one thread at a time: the one that has borrowed it
            factory=Connection,
        )
        try:
            self._prepare(connection, is_start=is_start)
            connection.file = file
            connection.log = _id_of(f"{os.path.realpath(self.path)}-wal")
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: Connection, *, is_start: bool) -> None:
        version = self._schema_version(connection)
        if version == 0 and not is_start:
            raise StoreError(
                f"The SQLite file {self.path} is empty: the one with the sessions is gone. Restore "
                "it, or restart the application to begin with this one."
            )
        if version < len(MIGRATIONS):
            in_transaction(connection, self._migrate)
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise ConfigurationError(
                f"SQLite cannot keep a write-ahead log for {self.path}: its journal mode stays "
                f"{mode!r}. Put the file on a local disk."
            )
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        # What is erased is overwritten, not only unlinked.
        connection.execute("PRAGMA secure_delete = ON")

    def _migrate(self, connection: Connection) -> None:
        # Read again: another process may have been faster.
        for statements in MIGRATIONS[self._schema_version(connection) :]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    def _schema_version(self, connection: Connection) -> int:
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
            raise ConfigurationError(
                f"{self.path} is the SQLite file of another program; choose another file."
            )
        if version > len(MIGRATIONS):
            raise ConfigurationError(
                f"{self.path} was written by a later livegate: it has schema {version}, this one "
                f"knows {len(MIGRATIONS)}. Install that one, or choose another file."
            )
        return int(version)


def in_transaction(connection: Connection, operation: Callable[[Connection], T]) -> T:
    """Run *operation* as a whole or not at all; no other connection writes meanwhile."""
    # IMMEDIATE: what is read in it is still true when it is written over.
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = operation(connection)
        connection.execute("COMMIT")
        return result
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def code_of(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 when the error comes from Python's module."""
    extended: int = getattr(error, "sqlite_errorcode", 0)
    return extended & 0xFF


def store_error(error: sqlite3.Error) -> StoreError:
    """Our error for one of SQLite's, retryable or not; SQLite's texts quote no value."""
    kind = StoreError if code_of(error) in _RETRYABLE else StoreCorruptError
    return kind(f"SQLite could not do its work: {error}.")


def _id_of(path: str) -> FileId | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - as above
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _renew_lock() -> None:
    global _creating  # noqa: PLW0603 - another thread of the parent may hold the inherited one
    _creating = threading.Lock()


_creating = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)
