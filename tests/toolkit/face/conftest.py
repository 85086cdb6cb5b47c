"""A Face service on a loopback socket that answers as it is told, and doors of both colours."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, cast

import pytest

from livegate.face.azure import AsyncAzureFace, AzureFace
from livegate.face.base import FaceSessionRequest
from livegate.session import OperationMode, ReferenceImage, SessionKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

KEY = "0123456789abcdef-canary-key"
TOKEN = "eyJhbGciOiJFUzI1NiJ9.canary-token.c2ln"
REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"
IMAGE = b"\xff\xd8\xff" + b"canary-image" * 100


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a multipart form, as it arrived."""

    filename: str | None
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """A request, as it arrived."""

    method: str
    path: str
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def parts(self) -> dict[str, Part]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = email.message_from_bytes(head + self.body, policy=email.policy.HTTP)
        parts: dict[str, Part] = {}
        for part in form.iter_parts():
            name = str(part.get_param("name", header="Content-Disposition"))
            assert name not in parts
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            parts[name] = Part(part.get_filename(), part.get_content_type(), content)
        return parts


@dataclass(slots=True)
class Answer:
    """What to answer; *how* is one of the ``send_`` methods below."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    how: str = "whole"

    @property
    def content(self) -> bytes:
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        return json.dumps(self.body).encode()


class FaceOnLoopback(ThreadingHTTPServer):
    """Gives the scripted answers in their order, the last one again and again."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections = 0
        self.seen: list[Seen] = []
        self.answers: deque[Answer] = deque()
        self.is_called = threading.Event()
        self.is_left = threading.Event()
        self.is_over = threading.Event()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def get_request(self) -> Any:
        self.connections += 1
        return super().get_request()

    def answer(self, *args: Any, **kwargs: Any) -> None:
        self.answers.append(Answer(*args, **kwargs))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaceOnLoopback

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(iter(self.read_chunk, b""))
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append(Seen(self.command, self.path, self.headers, body))
        self.server.is_called.set()
        answers = self.server.answers
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        getattr(self, f"send_{answer.how}")(answer)

    def read_chunk(self) -> bytes:
        chunk = self.rfile.read(int(self.rfile.readline(), 16))
        self.rfile.readline()
        return chunk

    def send_whole(self, answer: Answer, missing: int = 0) -> None:
        self.send_response(answer.status)
        for name, value in ({"Content-Type": "application/json"} | answer.headers).items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.content) + missing))
        self.end_headers()
        self.wfile.write(answer.content)

    def send_cut(self, answer: Answer) -> None:
        """One byte less than was announced."""
        self.close_connection = True
        self.send_whole(answer, missing=1)

    def send_reset(self, answer: Answer) -> None:
        """Nothing; the connection ends."""
        self.close_connection = True

    def send_silent(self, answer: Answer) -> None:
        """Nothing; the connection stays."""
        self.close_connection = True
        self.server.is_over.wait()

    def send_drip(self, answer: Answer) -> None:
        """A header that never ends, byte by byte: no wait for the next one is long."""
        self.send_for_ever(b"HTTP/1.1 200 OK\r\nX-Drip: ", b".", pause=0.01)

    def send_endless(self, answer: Answer) -> None:
        """A body that never ends."""
        self.send_for_ever(b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536, pause=0)

    def send_for_ever(self, head: bytes, chunk: bytes, pause: float) -> None:
        self.close_connection = True
        with suppress(OSError):  # until the client has had enough
            self.wfile.write(head)
            while not self.server.is_over.wait(pause):
                self.wfile.write(chunk)
        self.server.is_left.set()

    def log_message(self, *args: Any) -> None:
        """Nothing on stderr."""


@dataclass(frozen=True, slots=True)
class Door:
    """The same calls in either colour."""

    is_async: bool

    def open(self, **kwargs: Any) -> AzureFace | AsyncAzureFace:
        made = AsyncAzureFace if self.is_async else AzureFace
        return made(**{"credential": KEY, **kwargs})

    def __call__(self, call: str, *args: Any, **kwargs: Any) -> Any:
        """Open with *kwargs*, make one *call*, close."""
        return self.each([(call, *args)], **kwargs)[0]

    def each(self, calls: list[tuple[Any, ...]], **kwargs: Any) -> list[Any]:
        """Open with *kwargs*, make the *calls* one after the other, close."""
        if self.is_async:
            return asyncio.run(self._each(calls, **kwargs))
        with cast("AzureFace", self.open(**kwargs)) as face:
            return [getattr(face, call)(*args) for call, *args in calls]

    async def _each(self, calls: list[tuple[Any, ...]], **kwargs: Any) -> list[Any]:
        async with cast("AsyncAzureFace", self.open(**kwargs)) as face:
            return [await getattr(face, call)(*args) for call, *args in calls]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaceOnLoopback]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with FaceOnLoopback() as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.01,))
        thread.start()
        yield service
        service.is_over.set()
        service.shutdown()
        thread.join()


@pytest.fixture(params=["sync", "async"])
def door(request: pytest.FixtureRequest) -> Door:
    return Door(is_async=request.param == "async")


@pytest.fixture(params=["v1.2", "v1.2-preview.1"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(SessionKind))
def kind(request: pytest.FixtureRequest) -> SessionKind:
    return SessionKind(request.param)


@pytest.fixture
def wanted(kind: SessionKind) -> FaceSessionRequest:
    """A request for a session of *kind*."""
    return FaceSessionRequest(
        kind=kind,
        mode=OperationMode.PASSIVE_ACTIVE,
        correlation_id="0f2c1d9e-7a55-4c8e-9d55-2a4be6d3a001",
        token_lifetime=300,
        reference_image=(
            ReferenceImage(IMAGE) if kind is SessionKind.LIVENESS_WITH_VERIFY else None
        ),
    )


@pytest.fixture
def created() -> dict[str, Any]:
    """What the service answers to a create, in every version."""
    return {"sessionId": REMOTE_ID, "authToken": TOKEN}


@pytest.fixture
def result(version: str, good_results: dict[str, Any]) -> Any:
    """What *version* answers to a read of a session that is real and identical."""
    return good_results[version]


@pytest.fixture(scope="session")
def good_results() -> dict[str, Any]:
    """The same, for each version: one attempt, nothing that could be held against it."""
    said = {
        "livenessDecision": "realface",
        "verifyResult": {"matchConfidence": 0.93, "isIdentical": True},
    }
    about = {"digest": "D1" * 32, "verifyImageHash": "A2" * 32}
    attempt = {"attemptId": 1, "attemptStatus": "Succeeded", "result": said | about}
    entry = {"id": 1, "sessionId": REMOTE_ID, "response": {"body": said, "statusCode": 200}}
    return {
        "v1.2": {
            "sessionId": REMOTE_ID,
            "authToken": "",
            "status": "Succeeded",
            "results": {"attempts": [attempt]},
        },
        "v1.2-preview.1": {
            "id": REMOTE_ID,
            "sessionExpired": False,
            "status": "ResultAvailable",
            "result": entry | about,
        },
    }
