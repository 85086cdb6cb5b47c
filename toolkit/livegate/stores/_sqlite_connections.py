"""The connections of one process to a SQLite file: pooled, and never shared by a fork."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypeVar
from weakref import WeakSet

from livegate.errors import StoreError
from livegate.stores._sqlite_file import TRUNCATE_LOG, in_transaction, store_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate.stores._sqlite_file import Connection, DatabaseFile, FileId

T = TypeVar("T")

_MAX_IDLE: Final = 8
"""More connections than this are open only while they are needed."""

_MAX_WAIT: Final = 10.0
"""Seconds that ``close`` and a fork wait for operations under way: more than one takes."""


class _Process:
    """What one process has open.

    Attributes:
        lock: Guards the rest; no I/O is done under it, but for a file that was replaced.
        changed: Notified when operations or forks end.
        idle: Open connections that no operation uses.
        open: All open connections.
        in_use: How many operations are under way.
        forks: How many threads are forking; no operation begins meanwhile.
        file: The database that was opened last, or None.
        log: Its log, or None.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.idle: list[Connection] = []
        self.open: set[Connection] = set()
        self.in_use = 0
        self.forks = 0
        self.file: FileId | None = None
        self.log: FileId | None = None

    def take_idle(self) -> list[Connection]:
        """The connections that no operation uses; they are to be closed."""
        with self.lock:
            idle = self.idle.copy()
            self.idle.clear()
        return idle

    def close(self, connections: list[Connection]) -> None:
        """Close *connections*, which nothing uses any more."""
        for connection in connections:
            connection.close()
        with self.lock:
            self.open.difference_update(connections)


class ConnectionPool:
    """Runs operations on connections to *file*: from any thread, and on both sides of a fork.

    A file that was replaced since the last operation is opened anew; one that is gone is an error.
    """

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
        self._is_closed = False
        # By process id. What a forked child inherits stays in here, neither used nor closed: SQLite
        # counts its locks per process, and the child has inherited the count but not the locks.
        self._processes: dict[int, _Process] = {}
        with _pools_lock:
            _pools.add(self)

    def run(self, operation: Callable[[Connection], T]) -> T:
        """The result of *operation*; each of its statements is a transaction of its own.

        Raises:
            StoreError: SQLite could not do it, or the store is closed.
        """
        process = self._enter()
        connection = None
        try:
            connection = self._take(process)
            return operation(connection)
        except sqlite3.Error as error:
            raise store_error(error) from error
        finally:
            self._leave(process, connection)

    def run_transaction(self, operation: Callable[[Connection], T]) -> T:
        """The result of *operation*, which is written as a whole or not at all.

        Raises:
            StoreError: SQLite could not do it, or the store is closed.
        """
        return self.run(lambda connection: in_transaction(connection, operation))

    def close(self) -> None:
        """Close the connections, once the operations under way have ended.

        One that still runs after ten seconds closes its connection itself, at its end.
        """
        process = self._process()
        with process.lock:
            self._is_closed = True
            process.changed.wait_for(lambda: not process.in_use, _MAX_WAIT)
        process.close(process.take_idle())

    # --- one operation -----------------------------------------------------------------------

    def _process(self) -> _Process:
        # By the id, since not everything that forks runs Python's hooks. setdefault is atomic: of
        # several threads that come first, all get the same.
        pid = os.getpid()
        return self._processes.get(pid) or self._processes.setdefault(pid, _Process())

    def _enter(self) -> _Process:
        process = self._process()
        with process.lock:
            if process.forks:
                process.changed.wait_for(lambda: not process.forks)
            if self._is_closed:
                raise StoreError("The SQLite store is closed.")
            process.in_use += 1
        return process

    def _take(self, process: _Process) -> Connection:
        try:
            file = self._file.identify()
        except StoreError:
            self._abandon(process, process.take_idle(), None)
            raise
        with process.lock:
            connection = process.idle.pop() if process.idle else None
        if connection is not None:
            if connection.file == file:
                return connection
            self._abandon(process, [connection, *process.take_idle()], file)
        return self._connect(process, file)

    def _leave(self, process: _Process, connection: Connection | None) -> None:
        with process.lock:
            if connection is not None and self._is_reusable(process, connection):
                process.idle.append(connection)
                connection = None
            if connection is None:
                self._end(process)
                return
        process.close([connection])
        with process.lock:  # only now: a fork has to find no connection open
            self._end(process)

    def _end(self, process: _Process) -> None:
        process.in_use -= 1
        if process.forks or self._is_closed:
            process.changed.notify_all()

    def _is_reusable(self, process: _Process, connection: Connection) -> bool:
        return (
            connection.file == process.file
            and len(process.idle) < _MAX_IDLE
            and not self._is_closed
            and not connection.in_transaction
        )

    def _connect(self, process: _Process, file: FileId) -> Connection:
        if process.file not in {None, file}:
            self._abandon(process, process.take_idle(), file)
        connection = self._file.connect()
        with process.lock:
            process.open.add(connection)
            process.file, process.log = connection.file, connection.log
        return connection

    def _abandon(
        self, process: _Process, connections: list[Connection], successor: FileId | None
    ) -> None:
        """Close *connections* to a file that was removed, or replaced by *successor*."""
        if connections:
            # What the log holds belongs to that file, and not to the next one of the same name.
            with suppress(sqlite3.Error):
                connections[0].execute(TRUNCATE_LOG)
        with process.lock:
            if successor not in {None, process.file}:
                # As long as its log is open here, no other file can have got the log's inode.
                if process.log and any(each.file == process.file for each in process.open):
                    self._file.discard_log(process.log)
                process.file, process.log = successor, None
        process.close(connections)

    # --- forks -------------------------------------------------------------------------------

    def before_fork(self) -> None:
        """Let operations end, and close all connections."""
        process = self._process()
        with process.lock:
            process.forks += 1
            process.changed.wait_for(lambda: not process.in_use, _MAX_WAIT)
        process.close(process.take_idle())

    def after_fork_in_parent(self) -> None:
        """Let operations begin again."""
        process = self._process()
        with process.lock:
            process.forks -= 1
            process.changed.notify_all()

    def after_fork_in_child(self) -> None:
        """Begin with nothing open, and with a lock that no thread of the parent holds."""
        self._processes[os.getpid()] = _Process()


# SQLite's locks do not survive a fork, so no connection may be open across one. Where Python forks,
# they are closed before; where something else does (uWSGI), a child sees it by its process id.

_pools: Final[WeakSet[ConnectionPool]] = WeakSet()
_pools_lock = threading.RLock()
"""Held across a fork, so that no pool is added meanwhile; reentrant for greenlets of a thread."""

_forking: Final[list[list[ConnectionPool]]] = []


def _before_fork() -> None:
    _pools_lock.acquire()
    waiting: list[ConnectionPool] = []
    _forking.append(waiting)
    for pool in list(_pools):
        waiting.append(pool)  # first: an error is not the end of the fork
        pool.before_fork()


def _after_fork_in_parent() -> None:
    for pool in _forking.pop():
        pool.after_fork_in_parent()
    _pools_lock.release()


def _after_fork_in_child() -> None:
    global _pools_lock  # noqa: PLW0603 - the inherited one is held, maybe by another thread
    _pools_lock = threading.RLock()
    _forking.clear()
    for pool in list(_pools):
        pool.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
