"""Sessions in a SQLite file: durable, and shared by the processes of one machine.

Made on first use, for the owner's eyes alone. A returned ``insert`` or ``save`` survives the loss
of power; ``erase`` and ``purge`` overwrite what they forget, in the file and in its log. Keep the
file on a local disk: network file systems do not lock well enough for SQLite.
"""

from __future__ import annotations

import logging
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from livegate.errors import ConfigurationError, KeyTakenError, StoreBrokenError
from livegate.lifecycle import due_at
from livegate.session import FINAL_STATES, Page
from livegate.stores import codec, paging, sqlite_file
from livegate.stores.base import (
    DURABLE,
    FORGETTABLE,
    SHARED,
    check_due,
    check_insert,
    check_save,
)
from livegate.stores.paging import micros
from livegate.stores.sqlite_connections import Connections
from livegate.stores.uri import sqlite_path

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from datetime import datetime, timedelta
    from typing import Self

    from livegate.session import LivenessSession
    from livegate.stores.base import SessionQuery

_log = logging.getLogger(__name__)

INSERT: Final = """
    INSERT INTO session (id, subject, idempotency_key, created_at,
        state, remote, updated_at, due_at, version, record)
    VALUES (:id, :subject, :idempotency_key, :created_at,
        :state, :remote, :updated_at, :due_at, :version, :record)
    ON CONFLICT DO NOTHING
"""
GET: Final = "SELECT record FROM session WHERE id = ?"
LOOKUP: Final = "SELECT record FROM session WHERE subject = ? AND idempotency_key = ?"
SAVE: Final = """
    UPDATE session SET state = :state, remote = :remote, updated_at = :updated_at,
        due_at = :due_at, leased_until = NULL, version = :version, record = :record
    WHERE id = :id
"""
FIND: Final = """
    SELECT created_at, id, record FROM session
    WHERE {condition} AND (created_at, id) < (?, ?)
    ORDER BY created_at DESC, id DESC LIMIT ?
"""
DUE: Final = """
    SELECT id, record FROM session
    WHERE due_at <= :now AND (leased_until IS NULL OR leased_until <= :now)
    ORDER BY due_at, id LIMIT :limit
"""
LEASE: Final = "UPDATE session SET leased_until = ? WHERE id = ?"
PURGE: Final = """
    DELETE FROM session
    WHERE state IN ({states}) AND updated_at < ? AND remote IN ({remotes})
"""
ERASE: Final = "DELETE FROM session WHERE subject = ?"
TRUNCATE_LOG: Final = "PRAGMA wal_checkpoint(TRUNCATE)"


class SqliteStore:
    """A :class:`livegate.stores.base.SessionStore` in one file; ``sqlite:///PATH``.

    Safe with threads, with several processes, and across a fork.

    Args:
        path: The file; made if it is missing, for its owner alone. Its folder has to exist.
        busy_timeout: Seconds that an operation waits for those of others before it gives up with a
            retryable :class:`livegate.errors.StoreError`.

    Raises:
        ConfigurationError: There can be no such file, it is another program's, or a later
            livegate has written it.
        StoreError: The file cannot be used now.
    """

    capabilities: ClassVar[frozenset[str]] = frozenset({DURABLE, SHARED})

    def __init__(self, path: str | PathLike[str], *, busy_timeout: float = 5.0) -> None:
        if fspath(path) == ":memory:":
            raise ConfigurationError("SqliteStore keeps sessions in a file; use memory:// instead.")
        path = Path(path).absolute()
        sqlite_file.make(path, busy_timeout)
        self._connections = Connections(lambda: sqlite_file.connect(path, busy_timeout))

    @classmethod
    def from_uri(cls, uri: str) -> Self:
        """The store that ``sqlite:///relative.db`` or ``sqlite:////absolute.db`` names.

        Raises:
            ConfigurationError: *uri* is none of these; otherwise as for the class.
        """
        return cls(sqlite_path(uri))

    def insert(self, session: LivenessSession) -> None:
        """See :meth:`livegate.stores.base.SessionStore.insert`."""
        check_insert(session)
        row = _row(session)
        with self._connections.writing() as connection:
            if connection.execute(INSERT, row).rowcount == 0:
                raise KeyTakenError("The id or the idempotency key is taken; nothing was saved.")

    def get(self, session_id: str) -> LivenessSession | None:
        """See :meth:`livegate.stores.base.SessionStore.get`."""
        return self._one(GET, session_id)

    def lookup(self, subject: str, idempotency_key: str) -> LivenessSession | None:
        """See :meth:`livegate.stores.base.SessionStore.lookup`."""
        return self._one(LOOKUP, subject, idempotency_key)

    def save(self, session: LivenessSession, expected_version: int) -> None:
        """See :meth:`livegate.stores.base.SessionStore.save`."""
        row = _row(session)
        with self._connections.writing() as connection:
            found = connection.execute(GET, (session.id,)).fetchone()
            before = None if found is None else codec.decode(found[0])
            check_save(before, session, expected_version)
            connection.execute(SAVE, row)

    def find(self, query: SessionQuery) -> Page:
        """See :meth:`livegate.stores.base.SessionStore.find`."""
        sql, values = find_sql(query)
        if not _is_text(query.subject or ""):
            return Page(())
        with self._connections.reading() as connection:
            rows = connection.execute(sql, values).fetchall()
        return paging.page([codec.decode(record) for *_, record in rows], query.limit)

    def due(self, now: datetime, limit: int, lease: timedelta) -> tuple[LivenessSession, ...]:
        """See :meth:`livegate.stores.base.SessionStore.due`.

        A record that cannot be read is leased too, and logged: the next ones get their turn.
        """
        check_due(limit)
        with self._connections.writing() as connection:
            rows = connection.execute(DUE, {"now": micros(now), "limit": limit}).fetchall()
            until = micros(now + lease)
            connection.executemany(LEASE, [(until, session_id) for session_id, _ in rows])
        return tuple(_readable(rows))

    def purge(self, before: datetime) -> int:
        """See :meth:`livegate.stores.base.SessionStore.purge`."""
        return self._forget(*purge_sql(before))

    def erase(self, subject: str) -> int:
        """See :meth:`livegate.stores.base.SessionStore.erase`."""
        return self._forget(ERASE, [subject]) if _is_text(subject) else 0

    def close(self) -> None:
        """See :meth:`livegate.stores.base.SessionStore.close`."""
        self._connections.close()

    def _one(self, sql: str, *values: str) -> LivenessSession | None:
        if not all(map(_is_text, values)):
            return None
        with self._connections.reading() as connection:
            found = connection.execute(sql, values).fetchone()
        return None if found is None else codec.decode(found[0])

    def _forget(self, sql: str, values: Sequence[str | int]) -> int:
        with self._connections.writing() as connection:
            forgotten = connection.execute(sql, values).rowcount
        # Also when there was nothing: an earlier call may not have come this far.
        self._truncate_log()
        return forgotten

    def _truncate_log(self) -> None:
        """Bring what the log holds into the file, so that no older copy stays in the log."""
        with self._connections.reading() as connection:
            (busy, *_) = connection.execute(TRUNCATE_LOG).fetchone()
        if busy:
            _log.warning("What was erased stays in SQLite's log until the next erase or purge.")


def find_sql(query: SessionQuery) -> tuple[str, list[str | int]]:
    """The statement that finds a page and one more, and its values.

    Raises:
        InvalidRequestError: See :func:`livegate.stores.paging.bound`.
    """
    place = (*paging.bound(query), query.limit + 1)
    states = sorted(query.states)
    if query.subject is not None:
        condition = f"subject = ? AND state IN ({_marks(states)})" if states else "subject = ?"
        return FIND.format(condition=condition), [query.subject, *states, *place]
    if not states:
        return FIND.format(condition="true"), [*place]
    # Each state's newest by its index, then the newest of those: no sorting of a whole table.
    each = f"SELECT * FROM ({FIND.format(condition='state = ?')})"  # noqa: S608 - all of it is ours
    sql = " UNION ALL ".join([each] * len(states)) + " ORDER BY created_at DESC, id DESC LIMIT ?"
    return sql, [*(value for state in states for value in (state, *place)), query.limit + 1]


def purge_sql(before: datetime) -> tuple[str, list[str | int]]:
    """The statement that forgets what is over since *before*, and its values."""
    sql = PURGE.format(states=_marks(FINAL_STATES), remotes=_marks(FORGETTABLE))
    return sql, [*FINAL_STATES, micros(before), *FORGETTABLE]


def _row(session: LivenessSession) -> dict[str, str | int | None]:
    due = due_at(session)
    return {
        "id": session.id,
        "subject": session.subject,
        "idempotency_key": session.idempotency_key,
        "state": session.state,
        "remote": session.remote,
        "created_at": micros(session.created_at),
        "updated_at": micros(session.updated_at),
        "due_at": None if due is None else micros(due),
        "version": session.version,
        "record": codec.encode(session),
    }


def _readable(rows: Iterable[tuple[str, str]]) -> Iterator[LivenessSession]:
    for session_id, record in rows:
        try:
            yield codec.decode(record)
        except StoreBrokenError:
            _log.exception("Session %s is due and cannot be looked after.", session_id)


def _is_text(value: str) -> bool:
    """Whether SQLite can hold *value*: with a lone surrogate it is nobody's name."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
