"""Sessions in a SQLite file: durable, and shared by the processes of one machine.

The file is created on first use, readable by its owner alone. A returned operation survives the
loss of power; ``erase`` and ``purge`` overwrite what they remove, in the file and in its log. Keep
the file on a local disk: network file systems do not lock well enough for SQLite. Replace or remove
it only while nothing uses it.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from livegate.errors import ConfigurationError, DuplicateKeyError, VersionConflictError
from livegate.protocols import (
    DURABLE,
    IMMUTABLE_FIELDS,
    SHARED,
    Claim,
    EventRecord,
    Record,
)
from livegate.stores._sqlite_connections import ConnectionPool
from livegate.stores._sqlite_file import (
    DUE_READY,
    EVENTS_READY,
    LAST_SEEN,
    SYNCHRONOUS,
    TRUNCATE_LOG,
    DatabaseFile,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from livegate.protocols import RecordQuery
    from livegate.stores._sqlite_file import Connection

T = TypeVar("T")

_log = logging.getLogger(__name__)

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

_CHECKPOINT_TIMEOUT: Final = 0.25
"""Seconds to wait for readers with the log locked: no other connection can write meanwhile."""

# Beside a record's columns, a row has
#   purgeable_at  its updated_at, once only undelivered events can keep it
#   events_since  the updated_at of the record that brought the oldest undelivered event
#   has_news      whether it was saved since its last claim was released, or was never claimed
#   claimed_at, leased_until, fence   of the last claim; leased_until only until it is released
#   next_at, progress                 of the last release; next_at only until the next save

COLUMNS: Final = (
    "id, subject, key, state, remote, purpose, created_at, updated_at, due_at, version, body"
)
GET: Final = f"SELECT {COLUMNS} FROM session WHERE id = ?"  # noqa: S608 - as in all of these, ours
GET_BY_KEY: Final = f"SELECT {COLUMNS} FROM session WHERE subject = ? AND key = ?"  # noqa: S608
INSERT: Final = f"""
    INSERT INTO session ({COLUMNS}, purgeable_at, events_since)
    VALUES (:id, :subject, :key, :state, :remote, :purpose, :created_at, :updated_at, :due_at,
        :version, :body, :purgeable_at, :events_since)
    ON CONFLICT DO NOTHING
"""  # noqa: S608
SAVE: Final = """
    UPDATE session SET state = :state, remote = :remote, updated_at = :updated_at,
        due_at = :due_at, version = :version, body = :body, purgeable_at = :purgeable_at,
        events_since = coalesce(events_since, :events_since), has_news = 1, next_at = NULL
    WHERE id = :id AND version = :version - 1 AND subject = :subject AND key IS :key
        AND purpose = :purpose AND created_at = :created_at
"""
ADD_EVENT: Final = "INSERT INTO event (session_id, sequence, body) VALUES (?, ?, ?)"
FIND: Final = f"""
    SELECT {COLUMNS} FROM session
    WHERE subject = ? {{conditions}}
    ORDER BY created_at DESC, id DESC LIMIT ?
"""  # noqa: S608

# A clock that was set back must not keep sessions waiting that were seen in its future.
FORGET_FUTURE: Final = f"""
    UPDATE session SET claimed_at = min(claimed_at, :now), events_since = min(events_since, :now)
    WHERE {LAST_SEEN} > :now
"""  # noqa: S608
_WAITING: Final = f"SELECT {COLUMNS}, progress, events_since FROM session WHERE "  # noqa: S608
DUE: Final = f"""
    {_WAITING} due_at IS NOT NULL AND has_news = :has_news AND {DUE_READY} <= :now
    ORDER BY {DUE_READY}, fence LIMIT :limit
"""
ONLY_EVENTS: Final = f"""
    {_WAITING} events_since IS NOT NULL AND {EVENTS_READY} <= :now
    AND (due_at IS NULL OR due_at > :now)
    ORDER BY {EVENTS_READY}, fence LIMIT :limit
"""
TAKE_FENCES: Final = "UPDATE fence SET last = last + ?"
LAST_FENCE: Final = "SELECT last FROM fence"
LEASE: Final = """
    UPDATE session SET claimed_at = ?, leased_until = ?, fence = ?, has_news = 0 WHERE id = ?
"""
EVENTS: Final = "SELECT sequence, body FROM event WHERE session_id = ? ORDER BY sequence"

REMOVE_DELIVERED: Final = """
    DELETE FROM event WHERE session_id = :id AND sequence <= :delivered_up_to
        AND EXISTS (SELECT 1 FROM session WHERE id = :id AND fence = :fence)
"""
RELEASE: Final = """
    UPDATE session SET leased_until = NULL, progress = :progress,
        next_at = CASE WHEN version = :version THEN :next_at END,
        has_news = version <> :version,
        events_since = CASE
            WHEN EXISTS (SELECT 1 FROM event WHERE session_id = :id) THEN events_since
        END
    WHERE id = :id AND fence = :fence
"""
PURGE: Final = """
    DELETE FROM session WHERE rowid IN (
        SELECT rowid FROM session WHERE purgeable_at < ? AND events_since IS NULL
        ORDER BY purgeable_at LIMIT ?
    )
"""
ERASE_EVENTS: Final = """
    DELETE FROM event WHERE session_id IN (
        SELECT id FROM session WHERE subject = ? AND purgeable_at IS NOT NULL
    )
"""
ERASE: Final = "DELETE FROM session WHERE subject = ? AND purgeable_at IS NOT NULL"


class SqliteStore:
    """A :class:`livegate.protocols.SessionStore` in one file; ``sqlite:///PATH``.

    Safe with threads, with several processes, and across a fork.

    Args:
        path: The file; created if it is missing. Its folder has to exist.
        busy_timeout: Seconds that an operation waits for those of others before it gives up with a
            retryable :class:`livegate.errors.StoreError`.
        synchronous: ``full`` waits for the disk at every commit. ``normal`` does not: operations
            are several times faster, and survive the end of the process; but the last ones can be
            lost, though nothing is damaged, when the machine loses power or its system crashes. A
            session that was passed and consumed may then be consumed again, and the store does not
            claim to be ``durable``.

    Raises:
        ConfigurationError: There can be no such file, this process may not write to it or to its
            folder, its file system lacks what SQLite's log needs, it is another program's, or a
            later livegate has written it.
        StoreError: The file cannot be used now.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        busy_timeout: float = 5.0,
        synchronous: str = "full",
    ) -> None:
        if fspath(path) == ":memory:":
            raise ConfigurationError("SqliteStore keeps sessions in a file; use memory:// instead.")
        if synchronous not in SYNCHRONOUS:
            raise ConfigurationError(
                f"synchronous of a SQLite store is {' or '.join(SYNCHRONOUS)}."
            )
        self.capabilities = frozenset({DURABLE, SHARED} if synchronous == "full" else {SHARED})
        self._busy_timeout = busy_timeout
        file = DatabaseFile(Path(path).absolute(), busy_timeout, synchronous)
        file.create()
        self._pool = ConnectionPool(file)

    def insert(self, record: Record, events: Sequence[EventRecord] = ()) -> None:
        """See :meth:`livegate.protocols.SessionStore.insert`."""
        row = _row(record, events)

        def insert(connection: Connection) -> None:
            if connection.execute(INSERT, row).rowcount == 0:
                raise DuplicateKeyError(
                    "The id or the idempotency key is taken; nothing was saved."
                )
            _add_events(connection, record.id, events)

        self._write(insert, is_single_statement=not events)

    def get(self, session_id: str) -> Record | None:
        """See :meth:`livegate.protocols.SessionStore.get`."""
        return self._one(GET, session_id)

    def get_by_idempotency_key(self, subject: str, key: str) -> Record | None:
        """See :meth:`livegate.protocols.SessionStore.get_by_idempotency_key`."""
        return self._one(GET_BY_KEY, subject, key)

    def save(
        self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
    ) -> None:
        """See :meth:`livegate.protocols.SessionStore.save`.

        Raises:
            ValueError: *record* is not of the next version, or a field that never changes is
                another one; nothing was written.
        """
        if record.version != expected_version + 1:
            raise ValueError(f"version {record.version} does not follow {expected_version}")
        row = _row(record, events)

        def save(connection: Connection) -> None:
            if connection.execute(SAVE, row).rowcount == 0:
                raise _refusal(connection, record, expected_version)
            _add_events(connection, record.id, events)

        self._write(save, is_single_statement=not events)

    def find(self, query: RecordQuery) -> tuple[Record, ...]:
        """See :meth:`livegate.protocols.SessionStore.find`."""
        sql, values = find_sql(query)
        rows = self._pool.run(lambda connection: connection.execute(sql, values).fetchall())
        return tuple(map(_record, rows))

    def claim(self, now: datetime, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        """See :meth:`livegate.protocols.SessionStore.claim`."""
        _check_limit(limit)
        moment = _micros(now)
        until = moment + lease // _MICROSECOND
        return self._pool.run_transaction(
            lambda connection: tuple(_claim(connection, moment, limit, until))
        )

    def release(
        self,
        claim: Claim,
        next_at: datetime | None = None,
        delivered_up_to: int | None = None,
        progress: bytes | None = None,
    ) -> bool:
        """See :meth:`livegate.protocols.SessionStore.release`."""
        values = {
            "id": claim.record.id,
            "version": claim.record.version,
            "fence": claim.fence,
            "next_at": None if next_at is None else _micros(next_at),
            "delivered_up_to": delivered_up_to,
            "progress": progress,
        }

        def release(connection: Connection) -> bool:
            if delivered_up_to is not None:
                connection.execute(REMOVE_DELIVERED, values)
            return connection.execute(RELEASE, values).rowcount == 1

        return self._write(release, is_single_statement=delivered_up_to is None)

    def purge(self, before: datetime, limit: int) -> int:
        """See :meth:`livegate.protocols.SessionStore.purge`.

        Raises:
            ValueError: *limit* is less than 1.
        """
        _check_limit(limit)
        values = (_micros(before), limit)
        return self._remove(lambda connection: connection.execute(PURGE, values).rowcount)

    def erase(self, subject: str) -> int:
        """See :meth:`livegate.protocols.SessionStore.erase`."""

        def erase(connection: Connection) -> int:
            connection.execute(ERASE_EVENTS, (subject,))
            return connection.execute(ERASE, (subject,)).rowcount

        return self._remove(erase)

    def close(self) -> None:
        """See :meth:`livegate.protocols.SessionStore.close`; it waits for at most ten seconds."""
        self._pool.close()

    def _one(self, sql: str, *names: str) -> Record | None:
        try:
            row = self._pool.run(lambda connection: connection.execute(sql, names).fetchone())
        except UnicodeEncodeError:  # a lone surrogate, which is in no name
            return None
        return None if row is None else _record(row)

    def _write(self, operation: Callable[[Connection], T], *, is_single_statement: bool) -> T:
        if is_single_statement:  # which is a transaction of its own
            return self._pool.run(operation)
        return self._pool.run_transaction(operation)

    def _remove(self, operation: Callable[[Connection], int]) -> int:
        removed = self._pool.run_transaction(operation)
        # Also when there was nothing: an earlier call may not have come this far.
        self._pool.run(self._truncate_log)
        return removed

    def _truncate_log(self, connection: Connection) -> None:
        """Copy what the log holds into the file, so that no older copy stays in the log."""
        _set_timeout(connection, min(self._busy_timeout, _CHECKPOINT_TIMEOUT))
        try:
            (busy, *_) = connection.execute(TRUNCATE_LOG).fetchone()
        finally:
            _set_timeout(connection, self._busy_timeout)
        if busy:
            _log.warning("What was removed stays in SQLite's log until the next erase or purge.")


def find_sql(query: RecordQuery) -> tuple[str, list[str | int]]:
    """The statement for *query*, and its values."""
    conditions = ""
    values: list[str | int] = [query.subject]
    if query.states:
        conditions += f"AND state IN ({', '.join('?' * len(query.states))}) "
        values += sorted(query.states)
    if query.after is not None:
        conditions += "AND (created_at, id) < (?, ?)"
        values += [_micros(query.after[0]), query.after[1]]
    return FIND.format(conditions=conditions), [*values, query.limit]


def _claim(connection: Connection, now: int, limit: int, until: int) -> Iterator[Claim]:
    connection.execute(FORGET_FUTURE, {"now": now})
    rows: list[tuple[Any, ...]] = []
    for sql, has_news in ((DUE, 1), (DUE, 0), (ONLY_EVENTS, 0)):
        if len(rows) < limit:
            values = {"now": now, "has_news": has_news, "limit": limit - len(rows)}
            rows += connection.execute(sql, values).fetchall()
    if not rows:
        return
    connection.execute(TAKE_FENCES, (len(rows),))
    (last,) = connection.execute(LAST_FENCE).fetchone()
    for fence, (*columns, progress, events_since) in enumerate(rows, last - len(rows) + 1):
        record = _record(columns)
        connection.execute(LEASE, (now, until, fence, record.id))
        events = () if events_since is None else connection.execute(EVENTS, (record.id,))
        yield Claim(record, fence, tuple(EventRecord(*event) for event in events), progress)


def _add_events(connection: Connection, session_id: str, events: Sequence[EventRecord]) -> None:
    if events:
        rows = [(session_id, event.sequence, event.body) for event in events]
        connection.executemany(ADD_EVENT, rows)


def _refusal(connection: Connection, record: Record, expected_version: int) -> Exception:
    """Why :data:`SAVE` found nothing to replace."""
    row = connection.execute(GET, (record.id,)).fetchone()
    stored = None if row is None else _record(row)
    if stored is not None and stored.version == expected_version:
        changed = [
            each for each in IMMUTABLE_FIELDS if getattr(stored, each) != getattr(record, each)
        ]
        if changed:
            return ValueError(f"save never changes {', '.join(changed)}")
    return VersionConflictError("The session was changed or removed; nothing was saved.")


def _check_limit(limit: int) -> None:
    if limit < 1:  # for SQLite a negative one is none at all
        raise ValueError("limit must be at least 1")


def _set_timeout(connection: Connection, seconds: float) -> None:
    connection.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


def _row(record: Record, events: Sequence[EventRecord]) -> dict[str, str | int | bytes | None]:
    updated_at = _micros(record.updated_at)
    return {
        "id": record.id,
        "subject": record.subject,
        "key": record.key,
        "state": record.state,
        "remote": record.remote,
        "purpose": record.purpose,
        "created_at": _micros(record.created_at),
        "updated_at": updated_at,
        "due_at": None if record.due_at is None else _micros(record.due_at),
        "version": record.version,
        "body": record.body,
        "purgeable_at": updated_at if record.is_finished else None,
        "events_since": updated_at if events else None,
    }


def _record(row: Sequence[Any]) -> Record:
    session_id, subject, key, state, remote, purpose, created, updated, due, version, body = row
    return Record(
        session_id,
        subject,
        key,
        state,
        remote,
        purpose,
        _datetime(created),
        _datetime(updated),
        None if due is None else _datetime(due),
        version,
        body,
    )


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _datetime(micros: int) -> datetime:
    return _EPOCH + timedelta(0, 0, micros)
