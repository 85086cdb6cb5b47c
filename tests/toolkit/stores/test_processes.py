"""Several processes on one SQLite file: killed, racing, and forked."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from livegate.stores.base import SessionQuery
from livegate.stores.sqlite import SqliteStore
from livegate.testing.store_suite.samples import HOUR, NOW, a_session, due_since

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.process

PROLOGUE = """
import os, sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from livegate.errors import VersionConflictError
from livegate.session import LivenessSession, OperationMode, SessionKind
from livegate.stores.sqlite import SqliteStore

path, name = sys.argv[1:3]
NOW = datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)
HOUR = timedelta(hours=1)

def a_session(session_id="session-1"):
    kind, mode = SessionKind.LIVENESS, OperationMode.PASSIVE
    return LivenessSession(session_id, "alice", "p", kind, mode, "v1.2", "c", NOW, NOW, NOW)

def next_of(session, **changes):
    return replace(session, version=session.version + 1, **changes)

def say(*words):
    print(*words, flush=True)
"""

SAVE_FOREVER = """
store = SqliteStore(path)
session = a_session()
store.insert(session)
while True:
    session = next_of(session, client_error="x" * (session.version % 50 * 100))
    store.save(session, session.version - 1)
    say(session.version)
"""

ADD_REASONS = """
say("ready")
sys.stdin.readline()
store = SqliteStore(path, busy_timeout=60)
for number in range(25):
    while True:
        found = store.get("session-1")
        try:
            store.save(next_of(found, reasons=(*found.reasons, f"{name} {number}")), found.version)
        except VersionConflictError:
            continue
        break
store.close()
"""

CLAIM = """
say("ready")
sys.stdin.readline()
store = SqliteStore(path, busy_timeout=60)
while batch := store.due(NOW, 3, HOUR):
    for session in batch:
        say(session.id)
store.close()
"""

MAKE = """
say("ready")
sys.stdin.readline()
store = SqliteStore(path, busy_timeout=60)
store.insert(a_session(name))
store.close()
"""

FORK = """
store = SqliteStore(path)
store.insert(a_session("parent before"))
from_child, to_parent = os.pipe()
from_parent, to_child = os.pipe()
child = os.fork()
if child == 0:
    store.insert(a_session("child"))
    os.write(to_parent, b".")
    os.read(from_parent, 1)
    # The parent has closed its store. Had the child inherited its connection, SQLite would have
    # taken the parent for the last user and thrown away the log that the child writes to.
    store.insert(a_session("child after"))
    store.close()
    os._exit(0)
os.read(from_child, 1)
store.insert(a_session("parent after"))
store.close()
os.write(to_child, b".")
say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

FORK_BEHIND_PYTHONS_BACK = """
import ctypes

store = SqliteStore(path)
store.insert(a_session("parent before"))
(inherited,) = store._connections._idle
child = ctypes.PyDLL(None).fork()  # no hook of Python's runs, as in a server written in C
if child == 0:
    store.insert(a_session("child"))
    (own,) = store._connections._idle
    os._exit(0 if own is not inherited else 1)
say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
store.insert(a_session("parent after"))
store.close()
"""

FORK_WHILE_WRITING = """
import warnings
from threading import Thread

warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads is what is tested
store = SqliteStore(path)
session = a_session()
store.insert(session)
over = False

def save():
    global session
    while not over:
        session = next_of(session)
        store.save(session, session.version - 1)

writer = Thread(target=save)
writer.start()
children = []
for number in range(5):
    child = os.fork()
    if child == 0:
        store.insert(a_session(f"child {number}"))
        store.close()
        os._exit(0)
    children.append(child)
over = True
writer.join()
say(*(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
assert store.get(session.id) == session
store.close()
"""


def start(script: str, path: Path, name: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROLOGUE + script, str(path), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome_of(process: subprocess.Popen[str]) -> list[str]:
    output, errors = process.communicate("go\n", timeout=60)
    assert (process.returncode, errors) == (0, "")
    return output.split()


def race_processes(script: str, path: Path, names: Sequence[str]) -> list[list[str]]:
    """What each of several processes says after all of them were told to go."""
    processes = [start(script, path, name) for name in names]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [outcome_of(process) for process in processes]


def integrity_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


@pytest.mark.parametrize("acknowledged", [1, 5, 60])
def test_every_acknowledged_save_survives_a_kill(tmp_path: Path, acknowledged: int) -> None:
    path = tmp_path / "sessions.db"
    process = start(SAVE_FOREVER, path)
    assert process.stdout is not None
    for _ in range(acknowledged):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    told = 1 + acknowledged + len(process.stdout.readlines())
    process.communicate(timeout=60)
    with closing(SqliteStore(path)) as store:
        found = store.get("session-1")
        assert found is not None
        # One more may have been written whose acknowledgement was not.
        assert found.version in {told, told + 1}
        assert found.client_error == "x" * ((found.version - 1) % 50 * 100)
    assert integrity_of(path) == "ok"


def test_no_save_of_any_process_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with closing(SqliteStore(path)) as store:
        store.insert(a_session())
        race_processes(ADD_REASONS, path, ["one", "two", "three"])
        found = store.get("session-1")
    assert found is not None
    assert found.version == 1 + 3 * 25
    assert set(found.reasons) == {f"{n} {i}" for n in ("one", "two", "three") for i in range(25)}


def test_no_session_is_leased_to_two_processes(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with closing(SqliteStore(path)) as store:
        for number in range(60):
            store.insert(due_since(NOW, f"{number}"))
        claimed = race_processes(CLAIM, path, ["one", "two", "three"])
        assert store.due(NOW, 1, HOUR) == ()
    one_by_one = sorted(session_id for claims in claimed for session_id in claims)
    assert one_by_one == sorted(f"{number}" for number in range(60))


def test_many_processes_make_the_file_together(tmp_path: Path) -> None:
    names = [f"{number}" for number in range(6)]
    for attempt in range(2):
        path = tmp_path / f"{attempt}.db"
        race_processes(MAKE, path, names)
        with closing(SqliteStore(path)) as store:
            found = store.find(SessionQuery()).sessions
        assert sorted(session.id for session in found) == names


forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@forks
def test_a_forked_worker_and_its_parent_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    assert outcome_of(start(FORK, path)) == ["0"]
    with closing(SqliteStore(path)) as store:
        found = {session.id for session in store.find(SessionQuery()).sessions}
    assert found == {"parent before", "parent after", "child", "child after"}
    assert integrity_of(path) == "ok"


@forks
def test_a_worker_forked_by_something_else_leaves_the_parents_connection(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    assert outcome_of(start(FORK_BEHIND_PYTHONS_BACK, path)) == ["0"]
    with closing(SqliteStore(path)) as store:
        found = {session.id for session in store.find(SessionQuery()).sessions}
    assert found == {"parent before", "parent after", "child"}


@forks
def test_a_fork_waits_for_what_is_being_written(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    assert outcome_of(start(FORK_WHILE_WRITING, path)) == ["0"] * 5
    with closing(SqliteStore(path)) as store:
        found = store.find(SessionQuery(limit=100)).sessions
    assert len(found) == 1 + 5
    assert integrity_of(path) == "ok"
