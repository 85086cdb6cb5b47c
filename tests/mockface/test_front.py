"""The front over real sockets: what HTTP asks of it, and what callers can do to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from dataclasses import dataclass
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest
from tests.mockface.conftest import KEY, NOON, OPTIONS

from mockface.clock import Clock
from mockface.engine import Engine
from mockface.service import Service
from mockface.serving.crew import Crew
from mockface.serving.front import Front
from mockface.serving.house import Limits
from mockface.wire import Delivery, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 20.0  # seconds, only for a test that fails
CREATE = json.dumps(OPTIONS).encode()
SESSIONS = "/face/v1.2/detectLiveness-sessions"


class Scripted(Service):
    """The service, with answers of the test's own at some paths."""

    def __init__(self) -> None:
        super().__init__(Engine(clock=Clock(frozen_at=NOON), seed="front"))
        self.answers: dict[str, Callable[[], Response]] = {}

    def handle(self, request: Request) -> Response:
        answer = self.answers.get(request.path)
        return super().handle(request) if answer is None else answer()


@dataclass
class Served:
    """A front that runs in a thread."""

    front: Front
    service: Scripted
    thread: Thread
    address: tuple[str, int]

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=PATIENCE)

    def stop(self) -> None:
        self.front.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@contextlib.contextmanager
def served(**limits: Any) -> Iterator[Served]:
    service = Scripted()
    front = Front(service, threads=2, limits=Limits(**limits))
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    thread = Thread(target=front.run, args=(listener,))
    thread.start()
    running = Served(front, service, thread, address)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def serving() -> Iterator[Served]:
    with served() as running:
        yield running


@dataclass
class Reply:
    """An answer as it came over the line."""

    status: int
    headers: dict[str, str]
    body: bytes


class Line:
    """A client that sees every byte."""

    def __init__(self, running: Served) -> None:
        self.socket = running.connect()
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Line:
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

    def ask(self, method: str, path: str, body: bytes | None = None, *fields: str) -> Reply:
        self.send(method, path, body, *fields)
        return self.receive(body=method != "HEAD")

    def is_closed(self) -> bool:
        return self.file.read(1) == b""


def test_a_connection_serves_one_request_after_the_other(serving: Served) -> None:
    with Line(serving) as line:
        created = line.ask("POST", SESSIONS, CREATE)
        session_id = json.loads(created.body)["sessionId"]
        assert line.ask("GET", f"{SESSIONS}/{session_id}").status == 200
        assert line.ask("DELETE", f"{SESSIONS}/{session_id}").status == 204
        assert line.ask("GET", f"{SESSIONS}/{session_id}").status == 404
        assert line.ask("GET", "/_mock").status == 200
        last = line.ask("GET", "/", None, "Connection: close")
        assert last.headers["connection"] == "close"
        assert line.is_closed()


def test_what_every_answer_says(serving: Served) -> None:
    with Line(serving) as line:
        reply = line.ask("POST", SESSIONS, CREATE)
    assert reply.headers["date"] == "Thu, 01 Jan 2026 12:00:00 GMT"  # of the emulator's clock
    assert reply.headers["server"] == "mockface"
    assert reply.headers["x-mockface"] == "emulator"
    assert reply.headers["content-type"] == "application/json"
    assert "connection" not in reply.headers


def test_answers_come_in_the_order_of_their_requests(serving: Served) -> None:
    release = Event()
    serving.service.answers = {
        "/_mock/slow": lambda: Response(200, b"slow" if release.wait(PATIENCE) else b"late"),
        "/quick": lambda: Response(200, b"quick"),
    }
    with Line(serving) as line:
        for path in ("/quick", "/_mock/slow", "/quick", "/quick"):
            line.send("GET", path)
        assert line.receive().body == b"quick"
        release.set()
        assert [line.receive().body for _ in range(3)] == [b"slow", b"quick", b"quick"]


def test_a_caller_that_sends_ahead_without_end_is_held_back(serving: Served) -> None:
    release = Event()
    serving.service.answers["/_mock/slow"] = lambda: Response(200 if release.wait(PATIENCE) else 0)
    count = 3000
    with Line(serving) as line:
        line.send("GET", "/_mock/slow")
        ahead = b"GET /none HTTP/1.1\r\nHost: h\r\nX: " + bytes(100).replace(b"\0", b"x")
        sender = Thread(target=line.socket.sendall, args=((ahead + b"\r\n\r\n") * count,))
        sender.start()
        release.set()
        assert [line.receive().status for _ in range(count + 1)] == [200] + [404] * count
        sender.join(PATIENCE)


def test_a_caller_that_is_done_with_sending_gets_all_its_answers(serving: Served) -> None:
    with Line(serving) as line:
        for path in ("/a", "/_mock", "/b"):
            line.send("GET", path)
        line.socket.shutdown(socket.SHUT_WR)
        assert [line.receive().status for _ in range(3)] == [404, 200, 404]
        assert line.is_closed()


def test_a_caller_that_is_done_in_the_middle_of_a_request_is_not_waited_for(
    serving: Served,
) -> None:
    for sent in (
        b"GET / HTTP/1.1\r\nHost",
        b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf",
    ):
        with Line(serving) as line:
            line.socket.sendall(sent)
            line.socket.shutdown(socket.SHUT_WR)
            assert line.is_closed()


def test_head_gets_no_body_and_204_no_length(serving: Served) -> None:
    with Line(serving) as line:
        head = line.ask("HEAD", f"{SESSIONS}/x")
        assert head.status == 404
        assert int(head.headers["content-length"]) > 0
        created = json.loads(line.ask("POST", SESSIONS, CREATE).body)
        deleted = line.ask("DELETE", f"{SESSIONS}/{created['sessionId']}")
        assert deleted.status == 204
        assert "content-length" not in deleted.headers
        assert line.ask("OPTIONS", "/face/v1.2/detectLiveness/singleModal").status == 204


def test_a_caller_of_http_1_0_is_told_whether_it_may_go_on(serving: Served) -> None:
    with Line(serving) as line:
        line.socket.sendall(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert line.receive().headers["connection"] == "keep-alive"
        line.socket.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert line.receive().headers["connection"] == "close"
        assert line.is_closed()


def test_a_caller_that_asks_whether_to_send_its_body_is_told_to(serving: Served) -> None:
    with Line(serving) as line:
        line.send(
            "POST",
            SESSIONS,
            None,
            "Expect: 100-continue",
            "Content-Type: application/json",
            f"Content-Length: {len(CREATE)}",
        )
        assert line.receive(body=False).status == 100
        line.socket.sendall(CREATE)
        assert line.receive().status == 200


def test_a_body_that_is_too_long_is_refused_before_it_is_sent(serving: Served) -> None:
    with Line(serving) as line:
        line.send("POST", SESSIONS, None, "Expect: 100-continue", f"Content-Length: {17 << 20}")
        reply = line.receive()
        assert (reply.status, reply.headers["connection"]) == (413, "close")
        assert json.loads(reply.body)["error"]["code"] == "InvalidRequestBody"


def test_a_caller_that_sends_too_long_a_body_can_read_why_not(serving: Served) -> None:
    with Line(serving) as line:
        line.send("POST", SESSIONS, None, "Transfer-Encoding: chunked")
        chunk = b"100000\r\n" + bytes(0x100000) + b"\r\n"
        for _ in range(18):
            line.socket.sendall(chunk)
        line.socket.sendall(b"0\r\n\r\n")
        assert line.receive().status == 413
        assert line.is_closed()


@pytest.mark.parametrize(
    ("data", "status"),
    [(b"BREW\r\n\r\n", 400), (b"\x16\x03", 400), (b"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505)],
)
def test_what_is_no_request_gets_an_error_of_the_service(
    serving: Served, data: bytes, status: int
) -> None:
    with Line(serving) as line:
        line.socket.sendall(data)
        reply = line.receive()
        assert (reply.status, reply.headers["x-mockface"]) == (status, "emulator")
        assert reply.headers["apim-request-id"]
        assert json.loads(reply.body)["error"]["code"] == reply.headers["x-ms-error-code"]
        assert line.is_closed()


# --- patience ------------------------------------------------------------------------------------


def test_a_request_that_does_not_arrive_is_not_waited_for() -> None:
    with served(request=0.01, tick=0.01) as running, Line(running) as line:
        line.socket.sendall(b"GET / HTTP/1.1\r\nHo")
        assert line.receive().status == 408
        assert line.is_closed()


def test_a_connection_that_rests_too_long_is_closed() -> None:
    with served(idle=0.01, tick=0.01) as running, Line(running) as line:
        assert line.ask("GET", "/").status == 404
        assert line.is_closed()


def test_a_caller_that_does_not_read_is_sent_away() -> None:
    with served(request=0.05, tick=0.01) as running, Line(running) as line:
        gone = Event()
        house = running.front.house
        leave = house.leave
        house.leave = lambda guest: (leave(guest), gone.set())  # type: ignore[assignment,func-returns-value,method-assign]  # only to see it happen
        running.service.answers["/big"] = lambda: Response(200, bytes(50 << 20))
        line.send("GET", "/big")
        assert gone.wait(PATIENCE)


def test_there_may_be_so_many_connections_and_no_more() -> None:
    with served(connections=1) as running, Line(running) as first:
        assert first.ask("GET", "/").status == 404
        with Line(running) as second:
            assert second.receive().status == 503
            assert second.is_closed()
        assert first.ask("GET", "/").status == 404


def test_who_waits_keeps_nobody_waiting(serving: Served) -> None:
    release = Event()
    serving.service.answers["/_mock/wait"] = lambda: Response(200 if release.wait(PATIENCE) else 0)
    with contextlib.ExitStack() as stack:
        waiting = [stack.enter_context(Line(serving)) for _ in range(20)]
        for line in waiting:
            line.send("GET", "/_mock/wait")
        other = stack.enter_context(Line(serving))
        assert other.ask("POST", SESSIONS, CREATE).status == 200
        assert other.ask("GET", "/_mock").status == 200
        release.set()
        assert {line.receive().status for line in waiting} == {200}


def test_a_crew_does_so_many_jobs_at_once_and_all_in_the_end() -> None:
    crew = Crew(2)
    at_once: list[int] = []
    running = 0
    release, done = Event(), Event()

    def job() -> None:
        nonlocal running
        running += 1
        at_once.append(running)
        release.wait(PATIENCE)
        running -= 1
        if len(at_once) == 20:
            done.set()

    for _ in range(20):
        crew.do(job)
    release.set()

    assert done.wait(PATIENCE)
    assert max(at_once) <= 2


# --- deliveries ----------------------------------------------------------------------------------


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("mockface.serving.connection.pause", pause)
    return waited


@pytest.mark.parametrize("path", ["/quick", "/_mock/thread"])
@pytest.mark.parametrize(
    ("response", "received", "waited"),
    [
        (Response(200, b"abc", delay=3.0), b"abc", [3.0]),
        (Response(200, b"abc", delivery=Delivery(cut_after=1)), b"a", []),
        (Response(200, b"abc", delivery=Delivery(cut_after=0)), b"", []),
        (Response(200, b"abc", delivery=Delivery(cut_after=9)), b"abc", []),
        (Response(200, b"abcdef", delivery=Delivery(20)), b"abcdef", [0.1] * 3),
        (Response(200, b"abcdef", delay=1.0, delivery=Delivery(20, 3)), b"abc", [1.0, 0.1, 0.05]),
    ],
)
def test_an_answer_travels_as_it_wants_to(
    serving: Served,
    pauses: list[float],
    path: str,
    response: Response,
    received: bytes,
    waited: list[float],
) -> None:
    serving.service.answers[path] = lambda: response
    with Line(serving) as line:
        reply = line.ask("GET", path)
        assert int(reply.headers["content-length"]) == len(response.body)
        assert (reply.body, pauses) == (received, waited)
        if received == response.body:
            assert line.ask("GET", "/").status == 404
        else:
            assert line.is_closed()


def test_a_connection_can_be_reset_instead_of_an_answer(serving: Served) -> None:
    serving.service.answers["/x"] = lambda: Response(200, b"abc", delivery=Delivery(reset=True))
    with Line(serving) as line:
        line.send("GET", "/x")
        with pytest.raises(ConnectionResetError):
            line.file.read(1)


def test_a_line_break_in_a_header_makes_no_header(serving: Served) -> None:
    for value in ("a\r\nx-evil: 1", "a\nx-evil: 1", "a\r"):
        serving.service.answers["/x"] = lambda value=value: Response(200, b"", {"x-good": value})  # type: ignore[misc]  # a default binds the value
        with Line(serving) as line:
            reply = line.ask("GET", "/x")
        assert "x-evil" not in reply.headers
        assert reply.headers["x-good"] == value.replace("\r\n", " ").replace("\n", " ").strip()


def test_an_answer_for_a_caller_that_has_gone_is_not_made(
    serving: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, cancelled = Event(), Event()

    async def pause(_: float) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    monkeypatch.setattr("mockface.serving.connection.pause", pause)
    serving.service.answers["/x"] = lambda: Response(200, delay=600.0)
    with Line(serving) as line:
        line.send("GET", "/x")
        assert begun.wait(PATIENCE)
    assert cancelled.wait(PATIENCE)


# --- the end -------------------------------------------------------------------------------------


def test_a_front_that_stops_finishes_what_it_works_on(serving: Served) -> None:
    begun, release = Event(), Event()

    def slow() -> Response:
        begun.set()
        return Response(200, b"done" if release.wait(PATIENCE) else b"")

    serving.service.answers["/_mock/slow"] = slow
    with Line(serving) as idle, Line(serving) as line:
        assert idle.ask("GET", "/").status == 404
        line.send("GET", "/_mock/slow")
        assert begun.wait(PATIENCE)
        serving.front.stop()
        assert idle.is_closed()
        release.set()
        reply = line.receive()
        assert (reply.body, reply.headers["connection"]) == (b"done", "close")
        serving.stop()
    with pytest.raises(ConnectionRefusedError):
        serving.connect()


@pytest.mark.parametrize("path", ["/_mock/never", "/delayed"])
def test_a_front_that_stops_does_not_wait_for_ever(path: str) -> None:
    release, begun = Event(), Event()

    def answer() -> Response:
        begun.set()
        if path == "/_mock/never":
            release.wait(PATIENCE)
        return Response(200, b"late", delay=600.0)

    with served(farewell=0.01) as running, Line(running) as line:
        running.service.answers[path] = answer
        line.send("GET", path)
        assert begun.wait(PATIENCE)
        running.stop()
        with contextlib.suppress(ConnectionResetError):
            assert line.is_closed()
        release.set()


def test_a_front_that_was_stopped_before_it_began_ends_at_once() -> None:
    front = Front(Scripted())
    front.stop()
    listener = socket.create_server(("127.0.0.1", 0))
    front.run(listener)
    assert listener.fileno() == -1
