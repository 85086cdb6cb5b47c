"""A Face service on a loopback socket with scripted responses, and both classes that call it."""

from __future__ import annotations

import asyncio
import datetime as dt
import email
import email.policy
import ipaddress
import json
import ssl
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from livegate._sync import maybe_await, run_sync
from livegate.face.azure import AsyncAzureFace, AzureFace
from livegate.models import OperationMode, ReferenceImage, SessionKind
from livegate.protocols import FaceSessionRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message
    from pathlib import Path

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
class Received:
    """A request, as it arrived."""

    method: str
    path: str
    headers: Message
    body: bytes
    client: tuple[str, int]

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
class Scripted:
    """A response; *how* names one of the ``send_`` methods below."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    how: str = "whole"
    delay: float = 0

    def content(self, received: Received) -> bytes:
        body = self.body(received) if callable(self.body) else self.body
        if body is None or isinstance(body, bytes):
            return body or b""
        return json.dumps(body).encode()


class FaceServer(ThreadingHTTPServer):
    """Sends the scripted responses in their order, the last one again and again."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.scheme = "http"
        self.connections = 0
        self.received: list[Received] = []
        self.changed = threading.Condition()
        self.scripted: deque[Scripted] = deque()
        self.is_released = threading.Event()
        self.is_left = threading.Event()
        self.is_over = threading.Event()

    @property
    def endpoint(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_port}"

    def get_request(self) -> Any:
        self.connections += 1
        return super().get_request()

    def respond(self, *args: Any, **kwargs: Any) -> None:
        self.scripted.append(Scripted(*args, **kwargs))

    def wait_for(self, count: int) -> None:
        """Returns when *count* requests have arrived."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.received) >= count, timeout=30)

    def handle_error(self, *args: Any) -> None:
        """Nothing on stderr when a client leaves."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaceServer

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b"".join(iter(self.read_chunk, b""))
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        received = Received(self.command, self.path, self.headers, body, self.client_address)
        with self.server.changed:
            self.server.received.append(received)
            self.server.changed.notify_all()
        scripted = self.server.scripted
        response = scripted.popleft() if len(scripted) > 1 else scripted[0]
        self.server.is_over.wait(response.delay)
        getattr(self, f"send_{response.how}")(response, received)

    def read_chunk(self) -> bytes:
        chunk = self.rfile.read(int(self.rfile.readline(), 16))
        self.rfile.readline()
        return chunk

    def send_head(self, response: Scripted, length: int) -> None:
        self.send_response(response.status)
        for name, value in ({"Content-Type": "application/json"} | response.headers).items():
            self.send_header(name, value)
        if response.status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def send_whole(self, response: Scripted, received: Received) -> None:
        content = response.content(received)
        self.send_head(response, len(content))
        self.wfile.write(content)

    def send_cut(self, response: Scripted, received: Received) -> None:
        """One byte less than was announced."""
        self.close_connection = True
        content = response.content(received)
        self.send_head(response, len(content) + 1)
        self.wfile.write(content)

    def send_held(self, response: Scripted, received: Received) -> None:
        """The whole, once the test says so."""
        self.server.is_released.wait()
        self.send_whole(response, received)

    def send_held_body(self, response: Scripted, received: Received) -> None:
        """The head and most of the body; the rest once the test says so."""
        content = response.content(received)
        self.send_head(response, len(content))
        self.wfile.write(content[:-1])
        self.server.is_released.wait()
        self.wfile.write(content[-1:])

    def send_reset(self, response: Scripted, received: Received) -> None:
        """Nothing; the connection ends."""
        self.close_connection = True

    def send_silent(self, response: Scripted, received: Received) -> None:
        """Nothing; the connection stays."""
        self.close_connection = True
        self.server.is_over.wait()

    def send_slow_head(self, response: Scripted, received: Received) -> None:
        """A header that never ends, byte by byte: no wait for the next one is long."""
        self.send_for_ever(b"HTTP/1.1 200 OK\r\nX-Slow: ", b".", pause=0.01)

    def send_slow_body(self, response: Scripted, received: Received) -> None:
        """A body that never ends, byte by byte, and begins as it should."""
        content = response.content(received)
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + content
        self.send_for_ever(head, b" ", pause=0.01)

    def send_endless(self, response: Scripted, received: Received) -> None:
        """A body that never ends."""
        content = response.content(received)
        self.send_for_ever(b"HTTP/1.1 200 OK\r\n\r\n" + content, b" " * 65536, pause=0)

    def send_for_ever(self, head: bytes, chunk: bytes, pause: float) -> None:
        self.close_connection = True
        with suppress(OSError):  # until the client closes the connection
            self.wfile.write(head)
            while not self.server.is_over.wait(pause):
                self.wfile.write(chunk)
        self.server.is_left.set()

    def log_message(self, *args: Any) -> None:
        """Nothing on stderr."""


class Transport:
    """As much of an azure-core transport as a delete needs, without a network."""

    def __init__(self) -> None:
        self.is_closed = False
        self.arguments: list[dict[str, Any]] = []
        self.closed_responses = 0

    def send(self, request: Any, **arguments: Any) -> Any:
        assert not self.is_closed
        self.arguments.append(arguments)
        return SimpleNamespace(
            status_code=204, headers={}, iter_bytes=lambda: iter(()), close=self.close_response
        )

    def close_response(self) -> None:
        self.closed_responses += 1

    def close(self) -> None:
        self.is_closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncTransport(Transport):
    async def send(self, request: Any, **arguments: Any) -> Any:
        async def nothing() -> Any:
            return
            yield

        async def close() -> None:
            self.close_response()

        super().send(request, **arguments)
        return SimpleNamespace(status_code=204, headers={}, iter_bytes=nothing, close=close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Caller:
    """The same calls through AzureFace or AsyncAzureFace."""

    is_async: bool

    def transport(self) -> Transport:
        return AsyncTransport() if self.is_async else Transport()

    def make(self, **kwargs: Any) -> AzureFace | AsyncAzureFace:
        made = AsyncAzureFace if self.is_async else AzureFace
        return made(**{"credential": KEY, **kwargs})

    def __call__(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        """Make a service with *kwargs*, call one *operation*, close."""
        return self.each([(operation, *args)], **kwargs)[0]

    def each(self, steps: list[Any], **kwargs: Any) -> list[Any]:
        """Make a service with *kwargs*, take the *steps* one after the other, close.

        A step is an operation with its arguments, or a function to call in between.
        """

        async def take(face: Any) -> list[Any]:
            results = []
            for step in steps:
                result = step() if callable(step) else getattr(face, step[0])(*step[1:])
                results.append(await maybe_await(result))
            return results

        async def take_and_close() -> list[Any]:
            async with cast("AsyncAzureFace", self.make(**kwargs)) as face:
                return await take(face)

        if self.is_async:
            return asyncio.run(take_and_close())
        with cast("AzureFace", self.make(**kwargs)) as face:
            return run_sync(take(face))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaceServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    with FaceServer() as server, serving(server):
        yield server


class serving:  # noqa: N801 - a context manager
    """Runs *server* in a thread."""

    def __init__(self, server: FaceServer) -> None:
        self.server = server
        self.thread = threading.Thread(target=server.serve_forever, args=(0.01,))

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.server.is_released.set()
        self.server.is_over.set()
        self.server.shutdown()
        self.thread.join()


@pytest.fixture
def server_with_tls(server: FaceServer, tmp_path: Path) -> Path:
    """Makes *server* speak TLS, and gives the file with its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    pem = serialization.Encoding.PEM
    file.write_bytes(
        certificate.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    server.scheme = "https"
    return file


@pytest.fixture(params=["sync", "async"])
def caller(request: pytest.FixtureRequest) -> Caller:
    return Caller(is_async=request.param == "async")


@pytest.fixture
def sync_caller() -> Caller:
    """For what both classes share."""
    return Caller(is_async=False)


@pytest.fixture
def async_caller() -> Caller:
    """For what only the async class does."""
    return Caller(is_async=True)


@pytest.fixture(params=["v1.2", "v1.2-preview.1"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(SessionKind))
def kind(request: pytest.FixtureRequest) -> SessionKind:
    return SessionKind(request.param)


@pytest.fixture
def make_request() -> Callable[[SessionKind], FaceSessionRequest]:
    """Makes a request for a session of a kind."""
    return lambda kind: FaceSessionRequest(
        kind=kind,
        mode=OperationMode.PASSIVE_ACTIVE,
        correlation_id="0f2c1d9e-7a55-4c8e-9d55-2a4be6d3a001",
        token_lifetime=300,
        reference_image=(
            ReferenceImage(IMAGE) if kind is SessionKind.LIVENESS_WITH_VERIFY else None
        ),
    )


@pytest.fixture
def liveness(make_request: Callable[[SessionKind], FaceSessionRequest]) -> FaceSessionRequest:
    return make_request(SessionKind.LIVENESS)


@pytest.fixture
def verify(make_request: Callable[[SessionKind], FaceSessionRequest]) -> FaceSessionRequest:
    return make_request(SessionKind.LIVENESS_WITH_VERIFY)


@pytest.fixture
def created() -> dict[str, Any]:
    """The response to a create, the same in every version."""
    return {"sessionId": REMOTE_ID, "authToken": TOKEN}


@pytest.fixture(scope="session")
def good_results() -> dict[str, Any]:
    """By version, the response to a read of a session of a real person who is identical."""
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
