"""The connections of one process to a SQLite file: lent, given back, and never shared by a fork."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from livegate.errors import StoreBrokenError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PASSING: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_INTERRUPT,
    },
)
"""What may be over when it is tried again."""

_MAX_IDLE: Final = 8
"""More connections than this are open only while they are needed."""


class Connections:
    """Lends connections to the threads of a process.

    Args:
        connect: Opens a new one, in autocommit mode and usable by any thread.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._pid = os.getpid()
        self._idle: list[sqlite3.Connection] = []
        self._lent = 0
        self._closed = False
        with _gate.change:
            _all.add(self)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a transaction that may write: all of it is kept, or nothing."""
        with self.reading() as connection, transaction(connection):
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that nobody else uses meanwhile; each statement is its own transaction."""
        with wrapped():
            connection = self._borrow()
            try:
                yield connection
            finally:
                self._give_back(connection)

    def close(self) -> None:
        """Close the connections; those in use close when they are given back."""
        with _gate.change:
            self._closed = True
            self.close_idle()

    def close_idle(self) -> None:
        """Close the connections that are not in use."""
        with _gate.change:
            self._leave_what_is_the_parents()
            while self._idle:
                self._idle.pop().close()

    @property
    def is_in_use(self) -> bool:
        """Whether a thread of this process works with a connection."""
        return self._lent > 0 and self._pid == os.getpid()

    def _borrow(self) -> sqlite3.Connection:
        with _gate.change:
            _gate.change.wait_for(lambda: not _gate.forks)
            if self._closed:
                raise StoreError("The SQLite store is closed.")
            self._leave_what_is_the_parents()
            self._lent += 1
            if self._idle:
                return self._idle.pop()
        try:
            return self._connect()
        except BaseException:
            self._give_back(None)
            raise

    def _give_back(self, connection: sqlite3.Connection | None) -> None:
        with _gate.change:
            self._lent -= 1
            _gate.change.notify_all()
            if connection is None:
                return
            if self._closed or len(self._idle) >= _MAX_IDLE:
                connection.close()
            else:
                self._idle.append(connection)

    def _leave_what_is_the_parents(self) -> None:
        if self._pid != os.getpid():
            _left_to_the_parent.extend(self._idle)
            self._idle.clear()
            self._lent = 0
            self._pid = os.getpid()


@contextmanager
def wrapped() -> Iterator[None]:
    """Let SQLite's errors leave as ours, with SQLite's own as the cause."""
    try:
        yield
    except sqlite3.Error as error:
        raise error_of(error) from error


def code_of(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 when the error comes from Python's module."""
    extended: int = getattr(error, "sqlite_errorcode", 0)
    return extended & 0xFF


def error_of(error: sqlite3.Error) -> StoreError:
    """Our error for one of SQLite's: retryable or not."""
    kind = StoreError if code_of(error) in _PASSING else StoreBrokenError
    return kind(f"SQLite could not do its work: {error}.")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Do all that follows, or nothing; nobody else writes meanwhile."""
    # IMMEDIATE: what is read in it is still true when it is written over.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


# --- forks -----------------------------------------------------------------------------------
#
# SQLite counts its locks per process, and a child inherits the count but not the locks: what it
# then writes can be lost. So no connection may be open across a fork. Where Python forks, we close
# them first; where something else does (uWSGI), the child sees it by the process id and leaves
# alone what is not its own.

_all: Final[WeakSet[Connections]] = WeakSet()

_left_to_the_parent: Final[list[sqlite3.Connection]] = []
"""Connections that a child must neither use nor close."""

_FORK_PATIENCE: Final = 10.0
"""Seconds that a fork waits for connections in use: more than an operation takes."""


class _Gate:
    """Where threads pass to get a connection and to give it back; closed while a fork waits."""

    def __init__(self) -> None:
        self.change = Condition()
        self.forks = 0

    def before_fork(self) -> None:
        self.change.acquire()
        # Counted first: threads that keep coming would never leave all connections unused.
        self.forks += 1
        self.change.wait_for(lambda: not any(each.is_in_use for each in _all), _FORK_PATIENCE)
        for each in _all:
            each.close_idle()

    def after_in_parent(self) -> None:
        self.forks -= 1
        self.change.notify_all()
        self.change.release()

    def after_in_child(self) -> None:
        self.forks = 0  # whoever else was about to fork is not here
        self.change.release()


_gate: Final = _Gate()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_gate.before_fork,
        after_in_parent=_gate.after_in_parent,
        after_in_child=_gate.after_in_child,
    )
