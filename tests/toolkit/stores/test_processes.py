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

from livegate.protocols import RecordQuery
from livegate.stores.sqlite import SqliteStore
from livegate.testing.store_suite.samples import ALL, HOUR, NOW, a_record, an_event, due_since

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.process

PROLOGUE = """
import os, sys, threading
from livegate.errors import VersionConflictError
from livegate.stores.sqlite import SqliteStore
from livegate.testing.store_suite.samples import *

path, name = sys.argv[1:3]

def write(*words):
    print(*words, flush=True)
"""

SAVE_FOREVER = """
store = SqliteStore(path)
record = a_record(due_at=NOW)
store.insert(record, [an_event(1)])
while True:
    record = next_of(record, body=b"x" * (record.version % 50 * 100))
    store.save(record, record.version - 1, [an_event(record.version)])
    write(record.version)
"""

WORK_FOREVER = """
store = SqliteStore(path)
while True:
    (claim,) = store.claim(NOW, 1, timedelta(0))
    last = claim.events[-1].sequence
    saved = next_of(claim.record, due_at=NOW)
    store.save(saved, claim.record.version, [an_event(saved.version)])
    store.release(replace(claim, record=saved), delivered_up_to=last, progress=b"%d" % last)
    write(last)
"""

ADD_EVENTS = """
write("ready")
sys.stdin.readline()
store = SqliteStore(path, busy_timeout=60)
for number in range(25):
    while True:
        record = next_of(store.get("session-1"))
        try:
            store.save(record, record.version - 1, [EventRecord(record.version, name.encode())])
        except VersionConflictError:
            continue
        break
store.close()
"""

CLAIM = """
write("ready")
sys.stdin.readline()
store = SqliteStore(path, busy_timeout=60)
while claims := store.claim(NOW, 3, HOUR):
    for claim in claims:
        write(claim.record.id, claim.fence)
store.close()
"""

CREATE = """
write("ready")
sys.stdin.readline()
store = SqliteStore(path, busy_timeout=60)
store.insert(a_record(name))
store.close()
"""

FORK = """
store = SqliteStore(path)
store.insert(a_record("parent before"))
from_child, to_parent = os.pipe()
from_parent, to_child = os.pipe()
child = os.fork()
if child == 0:
    store.insert(a_record("child"))
    os.write(to_parent, b".")
    os.read(from_parent, 1)
    # The parent has closed its store. Had the child inherited its connection, SQLite would have
    # taken the parent for the last user and removed the log that the child writes to.
    store.insert(a_record("child after"))
    store.close()
    os._exit(0)
os.read(from_child, 1)
store.insert(a_record("parent after"))
store.close()
os.write(to_child, b".")
write(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

FORK_WITHOUT_PYTHON = """
import ctypes

store = SqliteStore(path)
store.insert(a_record("parent before"))
(inherited,) = store._pool._process().open
child = ctypes.PyDLL(None).fork()  # no hook of Python's runs, as in a server written in C
if child == 0:
    store.insert(a_record("child"))
    (own,) = store._pool._process().open
    os._exit(0 if own is not inherited else 1)
write(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
store.insert(a_record("parent after"))
store.close()
"""

FORK_WITHIN_THREADS = """
import warnings

warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads is what is tested
store = SqliteStore(path)
record = a_record()
store.insert(record)
is_over = False

def save():
    global record
    while not is_over:
        record = next_of(record)
        store.save(record, record.version - 1)

def read():
    while not is_over:
        store.get("session-1")

threads = [threading.Thread(target=work) for work in (save, read, read)]
for thread in threads:
    thread.start()
children = []
for number in range(5):
    child = os.fork()
    if child == 0:
        store.insert(a_record(f"child {number}"))
        store.close()
        # One of its own too, from a thread that is not the one that forked.
        thread = threading.Thread(target=lambda: SqliteStore(path).close(), daemon=True)
        thread.start()
        thread.join(20)
        os._exit(thread.is_alive())
    children.append(child)
is_over = True
for thread in threads:
    thread.join()
write(*(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
assert store.get(record.id) == record
store.close()
"""

FORK_IN_A_LOCK = """
store = SqliteStore(path)
process = store._pool._process()
is_locked, may_end = threading.Event(), threading.Event()

def hold():
    with process.lock:
        is_locked.set()
        may_end.wait()

thread = threading.Thread(target=hold)
thread.start()
is_locked.wait()
child = __import__("ctypes").PyDLL(None).fork()
if child == 0:
    store.insert(a_record("child"))
    store.close()
    os._exit(0)
write(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
may_end.set()
thread.join()
"""


def start(script: str, path: Path, name: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROLOGUE + script, str(path), name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output_of(process: subprocess.Popen[str]) -> list[str]:
    output, errors = process.communicate("go\n", timeout=60)
    assert (process.returncode, errors) == (0, "")
    return output.splitlines()


def race_processes(script: str, path: Path, names: Sequence[str]) -> list[list[str]]:
    """What each of several processes prints after all of them were started."""
    processes = [start(script, path, name) for name in names]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [output_of(process) for process in processes]


def kill_after(lines: int, process: subprocess.Popen[str]) -> list[int]:
    """All numbers that *process* prints, when it is killed after that many *lines*."""
    assert process.stdout is not None
    printed = [process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    printed += process.stdout.readlines()
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (-signal.SIGKILL, "")
    return [int(line) for line in printed if line.endswith("\n")]


def integrity_of(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def ids_in(path: Path) -> set[str]:
    with closing(SqliteStore(path)) as store:
        return {record.id for record in store.find(RecordQuery("alice", limit=100))}


# --- killed ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lines", [1, 5, 60])
def test_record_and_events_survive_a_kill_together(tmp_path: Path, lines: int) -> None:
    """Given a process killed while it saves; each save that returned is there with its event."""
    path = tmp_path / "sessions.db"
    printed = kill_after(lines, start(SAVE_FOREVER, path))
    with closing(SqliteStore(path)) as store:
        found = store.get("session-1")
        assert found is not None
        # One more may have been written and not printed.
        assert found.version in {printed[-1], printed[-1] + 1}
        assert found.body == b"x" * ((found.version - 1) % 50 * 100)
        (claim,) = store.claim(NOW, 1, HOUR)
        assert [event.sequence for event in claim.events] == [*range(1, found.version + 1)]
    assert integrity_of(path) == "ok"


@pytest.mark.parametrize("lines", [1, 30])
def test_events_are_delivered_without_a_gap_after_a_worker_is_killed(
    tmp_path: Path, lines: int
) -> None:
    """Given a worker killed in its loop; what it delivered is removed, and nothing else."""
    path = tmp_path / "sessions.db"
    with closing(SqliteStore(path)) as store:
        store.insert(due_since(NOW), [an_event()])
        printed = kill_after(lines, start(WORK_FOREVER, path))
        (claim,) = store.claim(NOW + HOUR, 1, HOUR)
    progress = int(claim.progress or b"0")
    assert progress in {printed[-1], printed[-1] + 1}
    assert [event.sequence for event in claim.events] == [
        *range(progress + 1, claim.record.version + 1)
    ]
    assert integrity_of(path) == "ok"


# --- racing ----------------------------------------------------------------------------------


def test_no_save_of_any_process_is_lost(tmp_path: Path) -> None:
    """Given three processes that save one session 25 times each; all 75 events are there."""
    path = tmp_path / "sessions.db"
    names = ["one", "two", "three"]
    with closing(SqliteStore(path)) as store:
        store.insert(a_record())
        race_processes(ADD_EVENTS, path, names)
        (claim,) = store.claim(NOW + HOUR, 1, HOUR)
    assert claim.record.version == 1 + 3 * 25
    assert [event.sequence for event in claim.events] == [*range(2, 2 + 3 * 25)]
    assert sorted(event.body.decode() for event in claim.events) == sorted(names * 25)


def test_no_session_is_leased_to_two_processes(tmp_path: Path) -> None:
    """Given three processes that claim 60 sessions; each session and each fence is there once."""
    path = tmp_path / "sessions.db"
    with closing(SqliteStore(path)) as store:
        for number in range(60):
            store.insert(due_since(NOW, f"{number}"))
        printed = race_processes(CLAIM, path, ["one", "two", "three"])
        assert store.claim(NOW, ALL, HOUR) == ()
    claims = [line.split() for lines in printed for line in lines]
    assert sorted(session_id for session_id, _ in claims) == sorted(f"{n}" for n in range(60))
    assert sorted(int(fence) for _, fence in claims) == [*range(1, 61)]


def test_several_processes_create_the_file_together(tmp_path: Path) -> None:
    """Given six processes that start without a file; all of them write to the same one."""
    names = [f"{number}" for number in range(6)]
    for attempt in range(2):
        path = tmp_path / f"{attempt}.db"
        race_processes(CREATE, path, names)
        assert ids_in(path) == set(names)


# --- forked ----------------------------------------------------------------------------------

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@forks
def test_forked_process_and_its_parent_lose_nothing(tmp_path: Path) -> None:
    """Given a store that is open at a fork; what either writes, before and after, is there."""
    path = tmp_path / "sessions.db"
    assert output_of(start(FORK, path)) == ["0"]
    assert ids_in(path) == {"parent before", "parent after", "child", "child after"}
    assert integrity_of(path) == "ok"


@forks
def test_process_forked_without_python_does_not_use_the_parents_connection(tmp_path: Path) -> None:
    """Given a fork that runs no hook; the child sees by its process id that it is another one."""
    path = tmp_path / "sessions.db"
    assert output_of(start(FORK_WITHOUT_PYTHON, path)) == ["0"]
    assert ids_in(path) == {"parent before", "parent after", "child"}


@forks
def test_fork_waits_for_operations_of_other_threads(tmp_path: Path) -> None:
    """Given threads that read and save; five children and the parent all write what they should."""
    path = tmp_path / "sessions.db"
    assert output_of(start(FORK_WITHIN_THREADS, path)) == ["0 0 0 0 0"]
    assert ids_in(path) == {"session-1", *(f"child {number}" for number in range(5))}
    assert integrity_of(path) == "ok"


@forks
def test_forked_process_does_not_wait_for_a_lock_of_its_parent(tmp_path: Path) -> None:
    """Given a lock that a thread of the parent holds at the fork; the child has its own."""
    path = tmp_path / "sessions.db"
    assert output_of(start(FORK_IN_A_LOCK, path)) == ["0"]
    assert ids_in(path) == {"child"}
