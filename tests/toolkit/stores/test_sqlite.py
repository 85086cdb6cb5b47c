"""What is special to SQLite: its failures, what it removes, and how its statements find rows."""

from __future__ import annotations

import logging
import sqlite3
import traceback
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from livegate.errors import DuplicateKeyError, StoreCorruptError, StoreError
from livegate.protocols import FINAL, RecordQuery
from livegate.stores import sqlite
from livegate.stores.sqlite import SqliteStore
from livegate.testing.store_suite.samples import (
    ALL,
    HOUR,
    NOW,
    SECOND,
    TICK,
    a_record,
    an_event,
    claimed_ids,
    due_since,
    finished,
    next_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


def bytes_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def rows_of(raw: sqlite3.Connection) -> list[Any]:
    tables = ("session ORDER BY id", "event", "fence")
    return [raw.execute(f"SELECT * FROM {table}").fetchall() for table in tables]


# --- failures --------------------------------------------------------------------------------


def test_operation_on_a_locked_file_is_a_retryable_error(
    store: SqliteStore, raw: sqlite3.Connection
) -> None:
    """Given another program's transaction; an insert gives up, and succeeds afterwards."""
    raw.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked") as caught:
        store.insert(a_record())
    assert caught.value.retryable
    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
    assert store.get("session-1") is None
    raw.execute("ROLLBACK")
    store.insert(a_record())


@pytest.mark.parametrize("events", [[], [an_event()]], ids=["record", "record and event"])
def test_save_on_a_full_disk_is_a_retryable_error(store: SqliteStore, events: list[Any]) -> None:
    """Given no room for another page; a save leaves everything as it was."""
    first = a_record()
    store.insert(first)

    def leave_no_room(connection: sqlite3.Connection) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    store._pool.run(leave_no_room)
    long = next_of(first, body=b"x" * 100_000)
    with pytest.raises(StoreError, match="full") as caught:
        store.save(long, 1, events)
    assert caught.value.retryable
    assert store.get(first.id) == first
    store._pool.run(lambda connection: connection.execute("PRAGMA max_page_count = 1000"))
    store.save(long, 1, events)
    assert store.get(first.id) == long


def test_damaged_file_is_an_error_that_is_not_retryable(store: SqliteStore, path: Path) -> None:
    """Given pages that something wrote over; reading them is a StoreCorruptError."""
    for number in range(100):
        store.insert(a_record(f"{number}"))
    store.purge(NOW, 1)  # brings all into the file
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    process = store._pool._process()
    process.close(process.take_idle())
    with pytest.raises(StoreCorruptError, match="malformed") as caught:
        store.get("1")
    assert not caught.value.retryable


@pytest.mark.parametrize(
    "operation", ["insert", "save", "claim", "release", "purge", "erase", "insert duplicate event"]
)
def test_operation_that_fails_midway_writes_nothing(
    operation: str, store: SqliteStore, raw: sqlite3.Connection
) -> None:
    """Given a failure after some rows are written, which undoes nothing by itself."""
    for number in range(5):
        store.insert(due_since(NOW, f"due {number}"), [an_event(1), an_event(2)])
        store.insert(finished(f"old {number}"))
    (claim,) = store.claim(NOW, 1, HOUR)
    raw.execute("CREATE TABLE failure (what TEXT)")
    for table, name in (("session", "id"), ("event", "session_id")):
        for change, row in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            raw.execute(
                f"CREATE TRIGGER fail_{change}_{table} AFTER {change} ON {table} "
                f"WHEN '{change} {table} ' || {row}.{name} IN (SELECT what FROM failure) "
                "BEGIN SELECT RAISE(FAIL, 'failed midway'); END"
            )
    event = [an_event(3)]
    work: dict[str, tuple[str, Callable[[], object]]] = {
        "insert": ("INSERT event new", lambda: store.insert(a_record("new"), event)),
        "save": (
            "INSERT event due 3",
            lambda: store.save(next_of(due_since(NOW, "due 3")), 1, event),
        ),
        "claim": ("UPDATE session due 3", lambda: store.claim(NOW, ALL, HOUR)),
        "release": ("UPDATE session due 0", lambda: store.release(claim, delivered_up_to=1)),
        "purge": ("DELETE session old 3", lambda: store.purge(NOW + SECOND, ALL)),
        "erase": ("DELETE session old 3", lambda: store.erase("alice")),
        "insert duplicate event": ("", lambda: store.insert(a_record("new"), event * 2)),
    }
    failure, run = work[operation]
    raw.execute("INSERT INTO failure VALUES (?)", (failure,))
    before = rows_of(raw)
    with pytest.raises(StoreError, match="failed midway" if failure else "UNIQUE"):
        run()
    assert rows_of(raw) == before
    raw.execute("DELETE FROM failure")
    store.insert(a_record("newer"), [an_event()])
    assert claimed_ids(store, NOW)[-1] == "newer"


def test_errors_quote_no_name_and_no_row(store: SqliteStore, raw: sqlite3.Connection) -> None:
    """Given names and a body that are personal; no error of any kind has them in its chain."""
    record = a_record("id-of-mallory", subject="mallory", key="key-of-mallory", body=b"mallory")
    store.insert(record, [an_event()])
    failing: list[Callable[[], object]] = [
        lambda: store.insert(record),
        lambda: store.save(next_of(record), 1, [an_event()]),
        lambda: store.save(next_of(record), 7),
        lambda: store.save(next_of(record, subject="Mallory"), 1),
        lambda: store.save(replace(record, version=7), 1),
    ]
    raw.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError) as locked:
        store.insert(record)
    raw.execute("ROLLBACK")
    texts = ["".join(traceback.format_exception(locked.value))]
    for each in failing:
        with pytest.raises((StoreError, ValueError)) as caught:
            each()
        texts.append("".join(traceback.format_exception(caught.value)))
    lines = [line for text in texts for line in text.splitlines() if "Error" in line]
    assert len(lines) > len(texts)
    assert not [line for line in lines if "mallory" in line.lower()]


def test_duplicate_insert_adds_no_events(store: SqliteStore, raw: sqlite3.Connection) -> None:
    """Given a taken id, and a taken key; neither insert leaves an event behind."""
    store.insert(a_record(key="key"))
    for record in (a_record(), a_record("session-2", key="key")):
        with pytest.raises(DuplicateKeyError):
            store.insert(record, [an_event()])
    assert raw.execute("SELECT count(*) FROM event").fetchone() == (0,)


def test_save_names_the_field_that_never_changes(store: SqliteStore) -> None:
    """Given another subject in the next version; it is a ValueError that names the field."""
    record = a_record(key="key")
    store.insert(record)
    for changes in (
        {"subject": "bob"},
        {"key": None},
        {"purpose": "p"},
        {"created_at": NOW + TICK},
    ):
        with pytest.raises(ValueError, match=f"changes {next(iter(changes))}$"):
            store.save(next_of(record, **changes), 1)
    with pytest.raises(ValueError, match="version 3 does not follow 1"):
        store.save(next_of(next_of(record)), 1)
    assert store.get(record.id) == record


def test_name_that_no_text_can_have_is_not_found(store: SqliteStore) -> None:
    """Given a lone surrogate, which SQLite cannot look for; there is no such record."""
    store.insert(a_record(key="key"))
    assert store.get("\ud800") is None
    assert store.get_by_idempotency_key("alice", "key\udfff") is None


# --- claims ----------------------------------------------------------------------------------


def test_clock_that_is_set_back_keeps_no_session_waiting(store: SqliteStore) -> None:
    """Given claims and events of an hour ahead; all have work before that, due ones first."""
    for session_id in "ab":
        store.insert(due_since(NOW - HOUR, session_id))
    store.insert(finished("c"), [an_event()])
    for claim in store.claim(NOW + HOUR, ALL, HOUR):
        assert store.release(claim)
    store.insert(finished("d", updated_at=NOW + HOUR), [an_event()])
    claims = store.claim(NOW, ALL, HOUR)
    assert [claim.record.id for claim in claims[:2]] == ["a", "b"]
    assert {claim.record.id for claim in claims[2:]} == {"c", "d"}
    for claim in claims:
        assert store.release(claim)
    assert claimed_ids(store, NOW, limit=2) == ["a", "b"]


def test_sessions_take_turns_while_the_clock_stands_still(store: SqliteStore) -> None:
    """Given claims at one and the same time; no session is claimed twice before all others once."""
    for session_id in "abc":
        store.insert(due_since(NOW, session_id))
    order = ""
    for _ in range(6):
        (claim,) = store.claim(NOW, 1, HOUR)
        order += claim.record.id
        assert store.release(claim)
    assert order == "abcabc"


def test_saved_session_comes_before_due_ones_without_news(store: SqliteStore) -> None:
    """Given due sessions that were looked at, and one that others saved meanwhile; it is first."""
    records = [due_since(NOW - HOUR + number * SECOND, f"{number}") for number in range(3)]
    for record in records:
        store.insert(record)
    claims = store.claim(NOW, ALL, HOUR)
    store.save(next_of(records[2], due_at=NOW), 1)
    assert [store.release(claim) for claim in claims] == [True] * 3
    assert claimed_ids(store, NOW + SECOND) == ["2", "0", "1"]


def test_session_that_the_worker_saved_is_no_news_after_its_release(store: SqliteStore) -> None:
    """Given a worker's own save, released with what it saved; others that are due come first."""
    store.insert(due_since(NOW - HOUR, "own"))
    (claim,) = store.claim(NOW, 1, HOUR)
    saved = next_of(claim.record, due_at=NOW)
    store.save(saved, 1)
    assert store.release(replace(claim, record=saved))
    store.insert(due_since(NOW + SECOND, "new"))
    assert claimed_ids(store, NOW + SECOND) == ["new", "own"]


def test_session_whose_lease_ended_is_no_news(store: SqliteStore) -> None:
    """Given a worker that died with its lease; new sessions that are due come first."""
    store.insert(due_since(NOW - HOUR, "claimed"))
    assert claimed_ids(store, NOW - HOUR) == ["claimed"]
    store.insert(due_since(NOW + SECOND, "new"))
    assert claimed_ids(store, NOW + SECOND) == ["new", "claimed"]


def test_session_keeps_its_place_when_more_events_come(store: SqliteStore) -> None:
    """Given a session with another event since; the oldest undelivered one counts."""
    first = finished("first", updated_at=NOW)
    store.insert(first, [an_event(1)])
    store.insert(finished("second", updated_at=NOW + SECOND), [an_event(1)])
    store.save(next_of(first, updated_at=NOW + 2 * SECOND), 1, [an_event(2)])
    assert claimed_ids(store, NOW + HOUR) == ["first", "second"]


def test_fences_go_on_after_all_sessions_are_erased(store: SqliteStore, path: Path) -> None:
    """Given an erased session and a reopened file; the next fence is higher still."""
    store.insert(finished(due_at=NOW))
    (first,) = store.claim(NOW, 1, HOUR)
    assert store.erase("alice") == 1
    other = SqliteStore(path)
    other.insert(due_since(NOW))
    (second,) = other.claim(NOW, 1, HOUR)
    other.close()
    assert second.fence > first.fence
    assert store.release(first, progress=b"old") is False


# --- removing --------------------------------------------------------------------------------


def personal(number: int) -> str:
    return f"do-not-keep-me-{number}"


def test_erase_overwrites_what_it_removes(store: SqliteStore, tmp_path: Path) -> None:
    """Given rows and events with personal names; no file of the store holds their bytes after."""
    for number in range(50):
        store.insert(a_record(f"keep {number}", subject="bob"), [an_event()])
        name = personal(number)
        record = finished(name, subject="do-not-keep-me", key=name, body=name.encode())
        store.insert(record)
        event = replace(an_event(), body=name.encode() * 50)
        store.save(next_of(record, body=name.encode() * 50), 1, [event])
    for claim in store.claim(NOW + HOUR, ALL, HOUR):
        assert store.release(claim, progress=claim.record.subject.encode())
    assert b"do-not-keep-me" in bytes_in(tmp_path)
    assert store.erase("do-not-keep-me") == 50
    assert b"do-not-keep-me" not in bytes_in(tmp_path)
    assert len(store.find(RecordQuery("bob", limit=100))) == 50
    assert len(store.claim(NOW + HOUR + SECOND, ALL, HOUR)) == 50


def test_purge_overwrites_what_it_removes(store: SqliteStore, tmp_path: Path) -> None:
    """Given finished sessions whose events are delivered; their bytes are gone with them."""
    for number in range(50):
        name = personal(number)
        event = replace(an_event(), body=name.encode() * 50)
        store.insert(finished(name, subject=name, body=name.encode() * 50), [event])
    for claim in store.claim(NOW, ALL, HOUR):
        assert store.release(claim, delivered_up_to=1)
    assert b"do-not-keep-me" in bytes_in(tmp_path)
    assert store.purge(NOW + SECOND, ALL) == 50
    assert b"do-not-keep-me" not in bytes_in(tmp_path)


def test_reader_delays_the_overwriting_and_a_log_line_says_so(
    store: SqliteStore,
    raw: sqlite3.Connection,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Given a transaction that still reads; the rows are gone, the bytes with the next erase."""
    store.insert(finished(subject="do-not-keep-me"))
    raw.execute("BEGIN")
    raw.execute("SELECT * FROM session").fetchall()
    assert store.erase("do-not-keep-me") == 1
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert store.find(RecordQuery("do-not-keep-me")) == ()
    raw.execute("ROLLBACK")
    assert store.erase("nobody") == 0
    assert b"do-not-keep-me" not in bytes_in(tmp_path)


def test_checkpoint_leaves_the_busy_timeout_as_it_was(path: Path) -> None:
    """Given an erase, which waits for readers less long; later operations wait as before."""
    with closing(SqliteStore(path, busy_timeout=7)) as store:
        store.erase("nobody")
        timeout = store._pool.run(lambda each: each.execute("PRAGMA busy_timeout").fetchone())
    assert timeout == (7000,)


def test_purge_takes_the_oldest_first(store: SqliteStore) -> None:
    """Given more than the limit; the ones that ended first go first, in batches."""
    for number in (3, 1, 2, 0):
        store.insert(finished(f"{number}", updated_at=NOW + number * SECOND))
    assert store.purge(NOW + HOUR, 3) == 3
    assert [record.id for record in store.find(RecordQuery("alice"))] == ["3"]


@pytest.mark.parametrize("limit", [0, -1])
def test_purge_rejects_a_limit_below_one(store: SqliteStore, limit: int) -> None:
    """Given a limit that SQLite would take for none at all; nothing is removed."""
    store.insert(finished())
    with pytest.raises(ValueError, match="limit"):
        store.purge(NOW + HOUR, limit)
    assert store.get("session-1") is not None


# --- statements ------------------------------------------------------------------------------


def every_statement() -> Iterator[tuple[str, Any]]:
    for name in ("GET", "GET_BY_KEY", "LEASE", "EVENTS", "ERASE", "ERASE_EVENTS", "PURGE"):
        sql = getattr(sqlite, name)
        yield sql, [1] * sql.count("?")
    for name in ("SAVE", "FORGET_FUTURE", "DUE", "ONLY_EVENTS", "REMOVE_DELIVERED", "RELEASE"):
        names = ("now", "limit", "has_news", "fence", "next_at", "progress", "delivered_up_to")
        row = sqlite._row(a_record(), ())
        yield getattr(sqlite, name), {**row, **dict.fromkeys(names, 1)}
    for states in (frozenset[str](), frozenset({"ready"}), FINAL):
        for after in (None, (NOW, "x")):
            yield sqlite.find_sql(RecordQuery("alice", states, after=after))


@pytest.mark.parametrize(("sql", "values"), list(every_statement()))
def test_no_statement_reads_or_sorts_a_whole_table(
    sql: str, values: Any, raw: sqlite3.Connection
) -> None:
    """Given any statement on rows that exist; SQLite finds them by an index, in their order."""
    plan = [row[3] for row in raw.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
    steps = [step for step in plan if "session" in step or "event" in step]
    assert steps
    assert all(step.startswith("SEARCH") for step in steps), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan


def test_indexes_agree_with_their_tables_after_all_operations(
    store: SqliteStore, raw: sqlite3.Connection
) -> None:
    """Given some of everything; SQLite's own check finds no entry that is missing or too many."""
    for number in range(40):
        events = [an_event()] if number % 2 else []
        store.insert(due_since(NOW + number * SECOND, f"{number}", key=f"{number}"), events)
    for claim in store.claim(NOW + 20 * SECOND, ALL, HOUR):
        saved = next_of(claim.record, state="passed", remote="deleted", due_at=None)
        store.save(saved, 1, [an_event(2)])
        store.release(claim, next_at=NOW + HOUR, delivered_up_to=2, progress=b"p")
    store.claim(NOW, ALL, SECOND)
    assert store.purge(NOW + HOUR, 5) == 5
    assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
