"""The server over real sockets: HTTP itself, malformed requests, limits and slow callers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from tests.mockface.conftest import KEY, NOON, OPTIONS

from mockface import Mockface
from mockface.clock import Clock
from mockface.engine import Engine
from mockface.http_server import HttpServer, Timeouts
from mockface.service import Service
from processes import interruptible

if TYPE_CHECKING:
    from collections.abc import Iterator

DEADLINE = 20.0  # seconds, only for a test that fails
CREATE = json.dumps(OPTIONS).encode()
SESSIONS = "/face/v1.2/detectLiveness-sessions"
MIB = 1 << 20


@pytest.fixture
def mock() -> Iterator[Mockface]:
    with Mockface(seed="http", clock=Clock(frozen_at=NOON)) as running:
        yield running


@dataclass
class Reply:
    """An answer as it came over the connection."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """A client that sees every byte."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=DEADLINE)
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()

    def send(self, method: str, path: str, body: bytes | None = None, *fields: str) -> None:
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: localhost",
            f"Ocp-Apim-Subscription-Key: {KEY}",
        ]
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        self.socket.sendall("\r\n".join([*lines, *fields]).encode() + b"\r\n\r\n" + (body or b""))

    def receive(self, *, body: bool = True) -> Reply:
        status = int(self.file.readline().split()[1])
        headers = {}
        while (line := self.file.readline().decode("latin-1")) not in ("\r\n", ""):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0")) if body else 0
        return Reply(status, headers, self.file.read(length))

    def call(self, method: str, path: str, body: bytes | None = None, *fields: str) -> Reply:
        self.send(method, path, body, *fields)
        return self.receive(body=method != "HEAD")

    def add_fault(self, **fault: object) -> None:
        assert self.call("POST", "/_mock/faults", json.dumps(fault).encode()).status == 201

    def is_closed(self) -> bool:
        return self.file.read(1) == b""


@pytest.fixture
def connection(mock: Mockface) -> Iterator[Connection]:
    with Connection(mock.url) as made:
        yield made


@contextlib.contextmanager
def served(**timeouts: float) -> Iterator[tuple[HttpServer, str, Thread]]:
    """A server with time limits of the test's own."""
    server = HttpServer(Service(Engine(seed="http")), timeouts=Timeouts(**timeouts))
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = Thread(target=server.run, args=(listener,))
    thread.start()
    try:
        yield server, url, thread
    finally:
        server.stop()
        thread.join(DEADLINE)
        assert not thread.is_alive()


# --- HTTP ----------------------------------------------------------------------------------------


def test_a_connection_serves_one_request_after_the_other(connection: Connection) -> None:
    session_id = connection.call("POST", SESSIONS, CREATE).json["sessionId"]
    assert connection.call("GET", f"{SESSIONS}/{session_id}").status == 200
    assert connection.call("DELETE", f"{SESSIONS}/{session_id}").status == 204
    assert connection.call("GET", f"{SESSIONS}/{session_id}").status == 404
    assert connection.call("GET", "/_mock").status == 200
    last = connection.call("GET", "/", None, "Connection: close")
    assert last.headers["connection"] == "close"
    assert connection.is_closed()


def test_every_response_names_the_emulator_and_its_time(connection: Connection) -> None:
    reply = connection.call("POST", SESSIONS, CREATE)
    assert reply.headers["date"] == "Thu, 01 Jan 2026 12:00:00 GMT"
    assert reply.headers["server"] == "mockface"
    assert reply.headers["x-mockface"] == "emulator"
    assert reply.headers["content-type"] == "application/json"
    assert "connection" not in reply.headers


def test_pipelined_requests_are_answered_in_their_order(connection: Connection) -> None:
    paths = ["/none", "/_mock/clock", "/none", f"{SESSIONS}/x", "/_mock/none"] * 10
    for path in paths:
        connection.send("GET", path)
    codes = [
        reply.get("error", {}).get("code") for reply in (connection.receive().json for _ in paths)
    ]
    assert codes == ["404", None, "404", "SessionNotFound", "404"] * 10


def test_a_flood_of_pipelined_requests_is_answered_in_full(connection: Connection) -> None:
    count = 3000
    request = b"GET /none HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 100 + b"\r\n\r\n"
    sender = Thread(target=connection.socket.sendall, args=(request * count,))
    sender.start()
    assert {connection.receive().status for _ in range(count)} == {404}
    sender.join(DEADLINE)


def test_head_gets_no_body_and_204_no_length(connection: Connection) -> None:
    assert connection.call("HEAD", f"{SESSIONS}/x").status == 404
    created = connection.call("POST", SESSIONS, CREATE).json
    deleted = connection.call("DELETE", f"{SESSIONS}/{created['sessionId']}")
    assert deleted.status == 204
    assert "content-length" not in deleted.headers
    assert connection.call("OPTIONS", "/face/v1.2/detectLiveness/singleModal").status == 204


def test_an_http_1_0_client_may_keep_its_connection(connection: Connection) -> None:
    connection.socket.sendall(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert connection.receive().headers["connection"] == "keep-alive"
    connection.socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert connection.receive().status == 404
    assert connection.is_closed()


def test_a_client_that_names_no_host_gets_a_token_for_the_address_it_called(
    mock: Mockface, connection: Connection
) -> None:
    head = f"POST {SESSIONS} HTTP/1.0\r\nOcp-Apim-Subscription-Key: k\r\n"
    rest = f"Content-Type: application/json\r\nContent-Length: {len(CREATE)}\r\n\r\n"
    connection.socket.sendall((head + rest).encode() + CREATE)
    created = connection.receive().json
    assert mock.engine.tokens.read(created["authToken"]).endpoint == mock.url


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("//a//", "//a//"),
        ("/%C3%A9/%2e%2e/%2F", "/é/..//"),
        ("/%ff", "/\ufffd"),
        ("/%zz%", "/%zz%"),
        ("http://other:1/a?b", "/a"),
        ("http://other:1", "/"),
    ],
)
def test_a_path_is_decoded_once_and_otherwise_left_as_it_is(
    mock: Mockface, connection: Connection, target: str, path: str
) -> None:
    assert connection.call("GET", target).status == 404
    assert [entry.path for entry in mock.service.journal.entries()] == [path]


def test_headers_of_one_name_are_joined(connection: Connection) -> None:
    # Then neither of two keys opens a tenant of its own
    connection.call("POST", SESSIONS, CREATE, "Ocp-Apim-Subscription-Key: other")
    assert len(connection.call("GET", "/_mock/journal?bodies=true").json["entries"]) == 0


def test_a_header_that_is_not_utf_8_is_shown_with_replacements(connection: Connection) -> None:
    connection.socket.sendall(
        b"GET /face HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a\xff\r\n"
        b"Ocp-Apim-Subscription-Key: " + KEY.encode() + b"\r\n\r\n"
    )
    assert connection.receive().status == 404

    (entry,) = connection.call("GET", "/_mock/journal?bodies=true").json["entries"]
    assert entry["request"]["headers"]["user-agent"] == "a\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("length", [f"Content-Length: {len(CREATE)}", "Transfer-Encoding: chunked"])
def test_a_client_that_waits_for_100_continue_gets_it(connection: Connection, length: str) -> None:
    body = CREATE
    if "chunked" in length:
        body = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    connection.send(
        "POST", SESSIONS, None, "Expect: 100-continue", "Content-Type: application/json", length
    )
    assert connection.receive(body=False).status == 100
    connection.socket.sendall(body)
    assert connection.receive().status == 200
    assert connection.call("GET", "/_mock").status == 200


def test_a_body_that_is_too_long_is_refused_before_it_is_sent(connection: Connection) -> None:
    length = f"Content-Length: {17 * MIB}"
    connection.send("POST", SESSIONS, None, "Expect: 100-continue", length)
    reply = connection.receive()
    assert (reply.status, reply.json["error"]["code"]) == (413, "InvalidRequestBody")


def test_a_client_that_sends_too_long_a_body_can_read_why_not(connection: Connection) -> None:
    connection.send("POST", SESSIONS, None, "Transfer-Encoding: chunked")
    chunk = b"100000\r\n" + bytes(MIB) + b"\r\n"
    for _ in range(18):
        connection.socket.sendall(chunk)
    connection.socket.sendall(b"0\r\n\r\n")
    assert connection.receive().status == 413


# --- malformed requests --------------------------------------------------------------------------

CHUNKED = b"Transfer-Encoding: chunked"


def post(*fields: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join((b"POST / HTTP/1.1", b"Host: h", *fields)) + b"\r\n\r\n" + body


MALFORMED = [
    b"\x16\x03\x01\x02\0",  # a client that speaks TLS
    b"GET /\r\n\r\n",
    b"BREW\r\n\r\n",
    b"GE(T / HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET / HTTP/3.0\r\nHost: h\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /" + b"a" * 100_000,
    post(b"No colon"),
    post(b"Name : x"),
    post(b": x"),
    post(b"X: a\0b"),
    post(b"X: a\rb"),
    post(b"X: " + b"y" * 100_000),
    post(*[b"X: y"] * 1000),
    post(b"Content-Length: 1", b"Content-Length: 2", body=b"ab"),
    post(b"Content-Length: +1", body=b"a"),
    post(b"Content-Length: 1, 1", body=b"a"),
    post("Content-Length: ²".encode("latin-1"), body=b"a"),
    post(b"Content-Length: " + b"9" * 99, body=b"a"),
    post(b"Content-Length: 1", CHUNKED, body=b"1\r\na\r\n0\r\n\r\n"),
    post(CHUNKED, body=b"x\r\n"),
    post(CHUNKED, body=b"-1\r\n"),
    post(CHUNKED, body=b"0x1\r\n"),
    post(CHUNKED, body=b"1\r\nab\r\n"),
]


@pytest.mark.parametrize("data", MALFORMED, ids=range(len(MALFORMED)))
@pytest.mark.parametrize("pieces", [1, 7])
def test_a_malformed_request_gets_a_4xx_or_a_closed_connection(
    mock: Mockface, data: bytes, pieces: int
) -> None:
    size = -(-len(data) // pieces)
    # It may be closed while we still send
    with Connection(mock.url) as connection, contextlib.suppress(ConnectionError):
        for at in range(0, len(data), size):
            connection.socket.sendall(data[at : at + size])
        first = connection.file.readline()
        assert first == b"" or 400 <= int(first.split()[1]) < 500
        connection.file.read()
    with Connection(mock.url) as connection:
        assert connection.call("POST", SESSIONS, CREATE).status == 200


@pytest.mark.parametrize(
    "data",
    [
        post(b"Content-Length: 3", body=b"\r\na"),
        post(CHUNKED, body=b"3\r\nabc\r\n00A;x=y\r\n0123456789\r\n0\r\n\r\n"),
        post(b"transfer-encoding: CHUNKED", body=b"1\r\n\r\r\n0\r\nTrailer: x\r\n\r\n"),
    ],
)
def test_the_next_request_begins_where_a_body_ends(connection: Connection, data: bytes) -> None:
    connection.socket.sendall(data * 3)
    assert [connection.receive().status for _ in range(3)] == [404] * 3
    assert connection.call("GET", "/_mock").status == 200


def test_the_log_of_the_process_is_left_alone(
    mock: Mockface, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    handlers = (list(logging.root.handlers), logging.root.level, signal.getsignal(signal.SIGINT))
    with caplog.at_level(logging.DEBUG, "aiohttp"), Connection(mock.url) as connection:
        connection.socket.sendall(b"BREW\r\n\r\n")
        connection.file.read()
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
    assert handlers[1:] == (logging.root.level, signal.getsignal(signal.SIGINT))


def test_the_access_log_has_a_line_for_each_request_and_no_query(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with Mockface(access_log=True) as mock, Connection(mock.url) as connection:
        connection.call("GET", "/none?subscription-key=secret")
        connection.call("POST", SESSIONS, CREATE)
    first, second = capfd.readouterr().err.splitlines()
    assert re.search(r" GET /none 404 \d+ ms$", first)
    assert re.search(rf" POST {SESSIONS} 200 \d+ ms$", second)
    assert "secret" not in first


@pytest.mark.parametrize("path", ["/", "/_mock", "/_mock/"])
def test_a_browser_is_led_to_the_dashboard(mock: Mockface, path: str) -> None:
    with Connection(mock.url) as connection:
        reply = connection.call("GET", path, None, "Accept: text/html,*/*")
        assert (reply.status, reply.headers["location"]) == (302, "http://localhost/_mock/ui")
        page = connection.call("GET", "/_mock/ui")
        assert page.headers["content-type"].startswith("text/html")


# --- slow callers --------------------------------------------------------------------------------


def test_a_head_that_does_not_arrive_closes_the_connection() -> None:
    with served(idle=0.05) as (_, url, _), Connection(url) as connection:
        connection.socket.sendall(b"GET / HTTP/1.1\r\nHo")
        assert connection.is_closed()


def test_a_connection_that_rests_too_long_is_closed() -> None:
    with served(idle=0.05) as (_, url, _), Connection(url) as connection:
        assert connection.call("GET", "/").status == 404
        assert connection.is_closed()


@pytest.mark.parametrize("sent", [b"", b"{", b"x" * 100_000])
def test_a_body_that_does_not_arrive_is_answered_with_408(sent: bytes) -> None:
    with served(body=0.05) as (_, url, _), Connection(url) as connection:
        length = f"Content-Length: {len(sent) + 1}"
        connection.send("POST", SESSIONS, None, "Content-Type: application/json", length)
        connection.socket.sendall(sent)
        reply = connection.receive()
        assert (reply.status, reply.json["error"]["code"]) == (408, "BadArgument")
        assert reply.headers["connection"] == "close"


def test_a_slow_request_does_not_block_others(mock: Mockface) -> None:
    wait = "/_mock/journal/wait?route=delete&timeout=15"
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(Connection(mock.url)) for _ in range(40)]
        other = stack.enter_context(Connection(mock.url))
        other.add_fault(route="result", delay=600, count=20)
        for number, connection in enumerate(waiting):
            connection.send("GET", wait if number % 2 else f"{SESSIONS}/x")
        created = other.call("POST", SESSIONS, CREATE).json
        assert other.call("GET", "/_mock").status == 200
        assert other.call("DELETE", f"{SESSIONS}/{created['sessionId']}").status == 204
        assert {connection.receive().json["met"] for connection in waiting[1::2]} == {True}


def test_400_delayed_answers_arrive_together(mock: Mockface) -> None:
    async def run() -> list[bytes]:
        host, _, port = mock.url.removeprefix("http://").rpartition(":")

        async def one() -> bytes:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(
                f"POST {SESSIONS} HTTP/1.1\r\nHost: h\r\nOcp-Apim-Subscription-Key: {KEY}\r\n"
                "Content-Type: application/json\r\nConnection: close\r\n"
                f"Content-Length: {len(CREATE)}\r\n\r\n".encode()
                + CREATE
            )
            answer = await reader.read()
            writer.close()
            return answer.split(b" ", 2)[1]

        return await asyncio.gather(*(one() for _ in range(400)))

    with Connection(mock.url) as connection:
        connection.add_fault(route="create", delay=0.5, count=0)
    begun = time.monotonic()
    assert asyncio.run(run()) == [b"200"] * 400
    assert time.monotonic() - begun < 20  # one after the other they would take 200 s


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_is_bounded_under_many_large_bodies() -> None:
    # Given a server and 60 clients, each with a body of 15 MiB that never ends
    with interruptible(
        [sys.executable, "-m", "mockface", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        statm = Path(f"/proc/{server.pid}/statm")
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(Connection(url)) for _ in range(60)]
            for connection in connections:
                connection.send("POST", SESSIONS, None, f"Content-Length: {15 * MIB}")
                connection.socket.setblocking(False)

            # When they send as much as is taken, until some have sent nearly all
            piece = bytes(256 * 1024)
            sent = dict.fromkeys(connections, 0)
            end = time.monotonic() + DEADLINE
            while sum(size > 12 * MIB for size in sent.values()) < 8:
                assert time.monotonic() < end
                _, writable, _ = select.select([], [c.socket for c in connections], [], 1)
                for connection in connections:
                    if connection.socket in writable and sent[connection] < 14 * MIB:
                        with contextlib.suppress(BlockingIOError):
                            sent[connection] += connection.socket.send(piece)

            # Then the others have to wait, and the server holds no more than those
            resident = int(statm.read_text().split()[1]) * 4096 / MIB
            assert resident < 300
            assert sum(size > 12 * MIB for size in sent.values()) <= 8


# --- faults on the way ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kept"),
    [
        ({"delay": 0.2}, 1.0),
        ({"body": "truncated"}, 0.5),
        ({"cutAfter": 0}, 0.0),
        ({"bytesPerSecond": 2000}, 1.0),
        ({"delay": 0.2, "bytesPerSecond": 2000, "cutAfter": 10}, 0.1),
    ],
)
def test_a_fault_delays_slows_and_cuts_a_body(
    connection: Connection, fault: dict[str, object], kept: float
) -> None:
    whole = connection.call("POST", SESSIONS, CREATE)
    connection.add_fault(route="create", **fault)
    begun = time.monotonic()

    reply = connection.call("POST", SESSIONS, CREATE)

    length = int(reply.headers["content-length"])
    assert length == len(whole.body)
    assert len(reply.body) <= length * kept
    assert time.monotonic() - begun > (0.1 if {"delay", "bytesPerSecond"} & fault.keys() else 0)
    if kept == 1:
        assert connection.call("GET", "/_mock").status == 200
    else:
        assert connection.is_closed()


def test_a_fault_can_reset_the_connection(connection: Connection) -> None:
    connection.add_fault(route="create", reset=True)
    connection.send("POST", SESSIONS, CREATE)
    with pytest.raises(ConnectionResetError):
        connection.file.read(1)


def test_a_client_that_gives_up_does_not_stop_the_server(mock: Mockface) -> None:
    for _ in range(5):
        with Connection(mock.url) as connection:
            connection.add_fault(route="create", delay=600)
            connection.send("POST", SESSIONS, CREATE)
    with Connection(mock.url) as connection:
        assert connection.call("POST", SESSIONS, CREATE).status == 200


# --- the end -------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["/_mock/journal/wait?timeout=60", f"{SESSIONS}/x"])
def test_a_server_that_stops_does_not_wait_for_slow_calls(call: str) -> None:
    begun = time.monotonic()
    with Mockface(seed="http") as mock, Connection(mock.url) as idle:
        idle.add_fault(route="result", delay=600)
        with Connection(mock.url) as connection:
            connection.send("GET", call)
            assert idle.call("GET", "/_mock").status == 200
            mock.stop()
            assert idle.is_closed()
    assert time.monotonic() - begun < 15


def test_a_server_that_was_stopped_before_it_began_ends_at_once() -> None:
    server = HttpServer(Service(Engine()))
    server.stop()
    listener = socket.create_server(("127.0.0.1", 0))
    server.run(listener)
    assert listener.fileno() == -1
