"""Processes that were forked after the first call, threads, and gevent.

The clients run in a process of their own, so that the process of the tests, which has threads, is
never forked.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken

import needs
from livegate.errors import ConfigurationError
from livegate.models import SessionKind

if TYPE_CHECKING:
    from tests.toolkit.face.conftest import Caller, FaceServer, Received, Transport

DELETE = ("delete", SessionKind.LIVENESS, "b12e033e-bda7-4b83-a211-e721c661f30e", "v1.2")

COMMON = """
import asyncio, os, sys, threading, time, traceback
from concurrent.futures import ThreadPoolExecutor
from livegate.face.azure import AsyncAzureFace, AzureFace
from livegate.models import OperationMode, SessionKind
from livegate.protocols import FaceSessionRequest

def request(name):
    return FaceSessionRequest(SessionKind.LIVENESS, OperationMode.PASSIVE, name, 60)

def check(name, session):
    assert (session.remote_id, session.auth_token) == (name, f"token-of-{name}"), name

def fork(work):
    process_id = os.fork()
    if process_id == 0:
        try:
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return process_id

def wait(processes):
    for process_id in processes:
        assert os.waitpid(process_id, 0)[1] == 0
"""

SYNC = """
face = AzureFace(endpoint=sys.argv[1], credential="key")

def start(name):
    check(name, face.create(request(name), "v1.2"))

def work(worker):
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(start, [f"{worker}-{number}" for number in range(100)]))
    face.close()

start("parent-0")
processes = [fork(lambda: work(worker)) for worker in range(2)]
for number in range(1, 50):
    start(f"parent-{number}")
wait(processes)
start("parent-last")
"""

ASYNC = """
face = AsyncAzureFace(endpoint=sys.argv[1], credential="key")

async def start(name):
    check(name, await face.create(request(name), "v1.2"))

async def work(worker):
    async with face:
        for number in range(0, 100, 4):
            await asyncio.gather(*[start(f"{worker}-{number + n}") for n in range(4)])

with asyncio.Runner() as runner:
    runner.run(start("parent-0"))
    processes = [fork(lambda: asyncio.run(work(worker))) for worker in range(2)]
    for number in range(1, 50):
        runner.run(start(f"parent-{number}"))
    wait(processes)
    runner.run(start("parent-last"))
    runner.run(face.close())
"""

BUSY = """
face = AzureFace(endpoint=sys.argv[1], credential="key")
is_over = threading.Event()

def start(name):
    check(name, face.create(request(name), "v1.2"))

def keep_busy(worker):
    number = 0
    while not is_over.is_set():
        start(f"busy-{worker}-{number}")
        number += 1

start("first")  # Python's own locks for imports do not survive a fork
threads = [threading.Thread(target=keep_busy, args=(worker,), daemon=True) for worker in range(4)]
for thread in threads:
    thread.start()
for number in range(20):
    wait([fork(lambda: start(f"child-{number}"))])
is_over.set()
for thread in threads:
    thread.join()
"""

GEVENT = """
face = AzureFace(endpoint=sys.argv[1], credential="key", timeout=20)

def start(name):
    check(name, face.create(request(name), "v1.2"))

def work():
    from gevent import monkey
    monkey.patch_all()
    import gevent
    began = time.monotonic()
    greenlets = [gevent.spawn(start, f"greenlet-{number}") for number in range(40)]
    gevent.joinall(greenlets, raise_error=True)
    assert time.monotonic() - began < 40 * float(sys.argv[2]) / 2  # they wait at the same time

start("parent-0")
wait([fork(work)])
"""


def session_of(received: Received) -> dict[str, str]:
    name = received.json["deviceCorrelationId"]
    return {"sessionId": name, "authToken": f"token-of-{name}"}


def run(script: str, *arguments: object, **environment: str) -> None:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", COMMON + script, *map(str, arguments)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture(params=["http", "tls"])
def trusted(request: pytest.FixtureRequest) -> dict[str, str]:
    """Makes the server speak each of both; gives the variables with which clients trust it."""
    if request.param == "http":
        return {}
    file = str(request.getfixturevalue("server_with_tls"))
    return {"REQUESTS_CA_BUNDLE": file, "SSL_CERT_FILE": file}


@pytest.mark.parametrize("script", [SYNC, ASYNC], ids=["sync", "async"])
@pytest.mark.process
def test_forked_workers_get_their_own_sessions(
    server: FaceServer, trusted: dict[str, str], script: str
) -> None:
    # given a process that has called the service
    server.respond(200, session_of)
    # when it forks two workers, and all three create sessions at the same time,
    # then each create gets its own session and token (the script checks it)
    run(script, server.endpoint, **trusted)
    # and no connection served two processes; that of the parent works to the end
    clients: dict[tuple[str, int], set[str]] = {}
    for received in server.received:
        worker = received.json["deviceCorrelationId"].split("-")[0]
        clients.setdefault(received.client, set()).add(worker)
    assert {len(workers) for workers in clients.values()} == {1}
    assert sum(workers == {"parent"} for workers in clients.values()) == 1
    assert len(server.received) == 251


@pytest.mark.process
def test_a_process_that_was_forked_during_calls_can_call(server: FaceServer) -> None:
    server.respond(200, session_of)
    run(BUSY, server.endpoint)
    names = {received.json["deviceCorrelationId"] for received in server.received}
    assert {f"child-{number}" for number in range(20)} <= names


@pytest.mark.process
def test_a_worker_that_is_patched_by_gevent_after_the_fork_waits_cooperatively(
    server: FaceServer, trusted: dict[str, str]
) -> None:
    needs.module("gevent")
    server.respond(200, session_of, delay=0.2)
    run(GEVENT, server.endpoint, 0.2, **trusted)
    assert len(server.received) == 41


# --- in one process, as if it had been forked -----------------------------------------------------


@pytest.fixture
def fork(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes this process look like a child of itself, again each time."""
    process_ids = iter(range(os.getpid() + 1, os.getpid() + 10))

    def fork() -> None:
        process_id = next(process_ids)
        monkeypatch.setattr(os, "getpid", lambda: process_id)

    return fork


def test_a_custom_transport_is_made_anew_after_a_fork(caller: Caller, fork: Any) -> None:
    made: list[Transport] = []
    counts: list[int] = []

    def transport() -> Transport:
        made.append(caller.transport())
        return made[-1]

    def count() -> None:
        counts.append(len(made))

    # given a service that a process has used, when its child uses it twice and closes it
    steps = [DELETE, count, fork, DELETE, DELETE, count]
    caller.each(steps, endpoint="http://127.0.0.1:1", transport=transport)
    # then the child has made one transport of its own, and has closed only that
    assert counts == [1, 2]
    assert [each.is_closed for each in made] == [False, True]
    # and a child that has not used it closes nothing
    made.clear()
    caller.each([DELETE, fork], endpoint="http://127.0.0.1:1", transport=transport)
    assert [each.is_closed for each in made] == [False]


def test_two_threads_that_make_the_first_call_at_once_share_one_client(
    sync_caller: Caller,
) -> None:
    made: list[Transport] = []
    both = threading.Barrier(2, timeout=30)

    def transport() -> Transport:
        both.wait()
        made.append(sync_caller.transport())
        return made[-1]

    def count_open() -> int:
        return sum(not each.is_closed for each in made)

    face: Any = sync_caller.make(endpoint="http://127.0.0.1:1", transport=transport)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: face.delete(*DELETE[1:]), range(2)))
    assert (len(made), count_open()) == (2, 1)
    face.close()
    assert count_open() == 0


class Credential:
    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken("token", 4_000_000_000)


def test_a_used_token_credential_is_made_anew_after_a_fork(
    sync_caller: Caller, server: FaceServer, fork: Any
) -> None:
    server.respond(204)
    steps = [DELETE, fork, DELETE]
    sync_caller.each(steps, endpoint=server.endpoint, credential=Credential)
    # a ready one is rejected, since its own connections would be shared
    with pytest.raises(ConfigurationError, match="Pass a function that returns a new one"):
        sync_caller.each(steps, endpoint=server.endpoint, credential=Credential())


def test_an_unused_token_credential_survives_a_fork(
    sync_caller: Caller, server: FaceServer, fork: Any
) -> None:
    server.respond(204)
    sync_caller.each([fork, DELETE], endpoint=server.endpoint, credential=Credential())
    assert len(server.received) == 1


def test_a_sync_call_starts_no_thread(
    sync_caller: Caller, server: FaceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.respond(204)
    starting: list[str] = []
    start = threading.Thread.start

    def record(thread: threading.Thread) -> None:
        starting.append(threading.current_thread().name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", record)
    sync_caller(*DELETE, endpoint=server.endpoint)
    assert threading.current_thread().name not in starting
    assert starting  # the server's own
