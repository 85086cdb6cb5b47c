"""Many calls at the same time: connections are shared, and waiting calls hold up no others."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import requests

from livegate.errors import FaceUnavailableError
from livegate.face.azure import AsyncAzureFace, AzureFace
from livegate.models import OperationMode, SessionKind
from livegate.protocols import FaceSessionRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.toolkit.face.conftest import Caller, FaceServer

REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"
CALLS = 500
REQUEST = (SessionKind.LIVENESS, OperationMode.PASSIVE, "device", 60)
READ = ("read", SessionKind.LIVENESS, REMOTE_ID, "v1.2")


def test_a_connection_is_used_for_many_calls_of_every_version(
    caller: Caller, server: FaceServer
) -> None:
    server.respond(204)
    calls = [("delete", *READ[1:3], version) for version in ("v1.2", "v1.2-preview.1") * 3]
    caller.each(calls, endpoint=server.endpoint)
    assert (len(server.received), server.connections) == (6, 1)


def test_no_cookie_is_kept(caller: Caller, server: FaceServer) -> None:
    server.respond(204, headers={"Set-Cookie": "affinity=1; Path=/"})
    delete = ("delete", *READ[1:])
    endpoint = server.endpoint.replace("127.0.0.1", "localhost")  # cookies need a name
    caller.each([delete, delete], endpoint=endpoint)
    assert [received.headers["Cookie"] for received in server.received] == [None, None]


def test_every_call_has_its_limits_and_closes_its_response(caller: Caller) -> None:
    transport = caller.transport()
    caller(
        "delete",
        *READ[1:],
        endpoint="http://127.0.0.1:1",
        timeout=7,
        transport=lambda: transport,
    )
    (arguments,) = transport.arguments
    assert arguments == {"stream": True, "connection_timeout": 7, "read_timeout": 7}
    assert transport.closed_responses == 1


def test_the_default_transport_limits_a_call_as_a_whole(
    sync_caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits: list[Any] = []

    def send(*_: object, timeout: Any, **__: object) -> None:
        limits.append((timeout.connect_timeout, timeout.total))
        raise requests.ConnectionError

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)
    for operation in (("delete", *READ[1:]), ("create", FaceSessionRequest(*REQUEST), "v1.2")):
        with pytest.raises(FaceUnavailableError):
            sync_caller(*operation, endpoint="http://127.0.0.1:1", timeout=7, retries=0)
    assert limits == [(7, 7), (7, 14)]


def test_many_threads_share_a_service(server: FaceServer, good_results: dict[str, Any]) -> None:
    server.respond(200, good_results["v1.2"])
    with AzureFace(endpoint=server.endpoint, credential="key", connections=8) as face:
        with ThreadPoolExecutor(8) as threads:
            calls = [threads.submit(face.read, *READ[1:]) for _ in range(80)]
        assert {call.result().attempts[0].decision for call in calls} == {"realface"}
    assert len(server.received) == 80
    assert server.connections <= 8


class SlowService:
    """In the event loop of the test: `fast` is answered at once, any other id after a delay."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.current = 0
        self.most = 0
        self.is_busy = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _until_end(reader):
            remote_id = head.split()[1].rsplit(b"/", 1)[1].decode()
            self.current += 1
            self.most = max(self.most, self.current)
            if self.current == CALLS:
                self.is_busy.set()
            await asyncio.sleep(0 if remote_id == "fast" else self.delay)
            self.current -= 1
            result = {"sessionId": remote_id, "status": "Running", "results": {"attempts": []}}
            body = json.dumps(result).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()

    @asynccontextmanager
    async def running(self, **kwargs: Any) -> AsyncIterator[AsyncAzureFace]:
        """A client of the service."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", backlog=1000)
        endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with AsyncAzureFace(endpoint=endpoint, credential="key", retries=0, **kwargs) as face:
            yield face
        server.close()


async def _until_end(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@pytest.fixture
def many_files() -> Iterator[None]:
    """The test has both ends of each connection open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_five_hundred_waiting_reads_neither_fail_nor_hold_up_others() -> None:
    service = SlowService(delay=2)

    async def main() -> float:
        # given 500 reads that wait for a slow service
        async with service.running(timeout=9) as face:
            slow = [
                asyncio.create_task(face.read(*READ[1:2], f"s-{n}", "v1.2")) for n in range(CALLS)
            ]
            await service.is_busy.wait()
            # when another one is read, of which the service knows at once
            began = time.monotonic()
            await face.read(SessionKind.LIVENESS, "fast", "v1.2")
            waited = time.monotonic() - began
            # then all of them get their outcome; with aiohttp's own limit of 100 connections they
            # need five rounds, more than the time-out
            await asyncio.gather(*slow)
            return waited

    assert asyncio.run(main()) < 1
    assert service.most == CALLS + 1


def test_waiting_for_a_connection_is_not_part_of_the_timeout() -> None:
    service = SlowService(delay=0.3)

    async def main() -> None:
        # given at most 5 calls at a time, and 20 calls that need longer than one time-out together
        async with service.running(timeout=1, connections=5) as face:
            reads = [face.read(SessionKind.LIVENESS, f"s-{n}", "v1.2") for n in range(20)]
            # when they are made at once, then none is out of time
            await asyncio.gather(*reads)

    asyncio.run(main())
    assert service.most == 5
