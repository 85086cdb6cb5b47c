"""The unmodified client library with no socket: every operation it has, and what goes wrong.

One suite for both colours: the asynchronous client is driven to the same words.
"""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from azure.ai.vision.face import FaceSessionClient, aio
from azure.ai.vision.face.models import (
    CreateLivenessSessionContent,
    CreateLivenessWithVerifySessionContent,
    LivenessOperationMode,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.rest import HttpRequest

from livegate.face.azure import AsyncAzureFace, AzureFace
from livegate.models import OperationMode, ReferenceImage, SessionKind
from livegate.protocols import FaceSessionRequest
from mockface import Clock, Mockface
from mockface.images import portrait
from mockface.transport import AsyncMockfaceTransport, MockfaceTransport
from mockface.wire import Delivery, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

KEY = "contract-key"
ENDPOINT = "https://no-such-resource.cognitiveservices.azure.com"
DEVICE = "723d6d03-ef33-40a8-9682-23a1feb7bccd"


@dataclass
class Client:
    """A client of either colour, called in the same way."""

    mock: Any
    is_async: bool
    slept: list[float]

    def transport(self, **options: Any) -> Any:
        made = AsyncMockfaceTransport if self.is_async else MockfaceTransport
        return made(self.mock, sleep=self.slept.append, **options)

    def run(
        self, act: Callable[[Any], Any], *, key: str = KEY, url: str | None = None, **options: Any
    ) -> Any:
        """What `act(client)` gives, awaited where it has to be; with a `url` over a socket."""
        if url is None:
            options["transport"] = self.transport()
        endpoint, credential = url or ENDPOINT, AzureKeyCredential(key)
        if not self.is_async:
            with FaceSessionClient(endpoint, credential, **options) as client:
                return act(client)

        async def run() -> Any:
            async with aio.FaceSessionClient(endpoint, credential, **options) as client:
                return await act(client)

        return asyncio.run(run())

    def call(self, operation: str, *arguments: Any, **named: Any) -> Any:
        return self.run(lambda client: getattr(client, operation)(*arguments, **named))

    def send(self, request: HttpRequest, **options: Any) -> Any:
        return self.run(lambda client: client.send_request(request), **options)


@pytest.fixture
def mock() -> Mockface:
    return Mockface(keys=[KEY], seed="transports", clock=Clock(frozen_at=1_767_268_800))


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def client(request: pytest.FixtureRequest, mock: Mockface) -> Client:
    return Client(mock, request.param, [])


def liveness() -> CreateLivenessSessionContent:
    return CreateLivenessSessionContent(
        liveness_operation_mode=LivenessOperationMode.PASSIVE, device_correlation_id=DEVICE
    )


def verify() -> CreateLivenessWithVerifySessionContent:
    return CreateLivenessWithVerifySessionContent(
        liveness_operation_mode=LivenessOperationMode.PASSIVE_ACTIVE,
        device_correlation_id=DEVICE,
        return_verify_image_hash=True,
    )


# --- every operation ------------------------------------------------------------------------------


def test_liveness(client: Client, mock: Mockface) -> None:
    # Given a session in which an attempt was made
    created = client.call("create_liveness_session", liveness())
    assert client.call("get_liveness_session_result", created.session_id).status == "NotStarted"
    success = mock.control(KEY).attempt(created.auth_token, "spoof")

    # When it is read, listed and audited
    result = client.call("get_liveness_session_result", created.session_id)
    listed = client.call("get_liveness_sessions", top=10)
    audit = client.call("get_liveness_session_audit_entries", created.session_id)

    # Then the library's own models hold what happened
    assert result.result.response.body.liveness_decision == "spoofface"
    assert (result.result.digest, result.result.request_id) == (success.digest, success.result_id)
    assert [session.id for session in listed] == [created.session_id]
    assert [entry.digest for entry in audit] == [success.digest]

    # And after the delete there is nothing left
    client.call("delete_liveness_session", created.session_id)
    with pytest.raises(ResourceNotFoundError, match="SessionNotFound") as gone:
        client.call("get_liveness_session_result", created.session_id)
    assert gone.value.error is not None
    assert gone.value.error.code == "SessionNotFound"


@pytest.mark.parametrize("with_image", [True, False])
def test_verify(client: Client, mock: Mockface, *, with_image: bool) -> None:
    image = portrait("alice")
    created = client.call(
        "create_liveness_with_verify_session",
        verify(),
        verify_image=image if with_image else None,
    )
    assert (created.verify_image is not None) is with_image
    mock.control(KEY).attempt(
        created.auth_token, "wrong-person", verify_image=None if with_image else image
    )

    result = client.call("get_liveness_with_verify_session_result", created.session_id)
    audit = client.call("get_liveness_with_verify_session_audit_entries", created.session_id)
    listed = client.call("get_liveness_with_verify_sessions")

    assert result.result.response.body.verify_result.is_identical is False
    assert len(result.result.verify_image_hash) == 64
    assert [entry.digest for entry in audit] == [result.result.digest]
    assert [session.id for session in listed] == [created.session_id]
    client.call("delete_liveness_with_verify_session", created.session_id)
    assert client.call("get_liveness_with_verify_sessions") == []


def test_the_endpoint_in_the_token_is_the_one_the_client_named(
    client: Client, mock: Mockface
) -> None:
    created = client.call("create_liveness_session", liveness())

    claims = mock.engine.tokens.read(created.auth_token)

    assert claims.endpoint == ENDPOINT


def test_a_version_that_the_library_does_not_model(client: Client) -> None:
    form = {"livenessOperationMode": "Passive", "deviceCorrelationId": DEVICE}
    request = HttpRequest(
        "POST",
        "/detectLivenessWithVerify-sessions",
        data=form,
        files={"verifyImage": ("face.jpg", io.BytesIO(portrait(1)))},
    )

    created = client.send(request, api_version="v1.2")

    assert created.status_code == 200
    assert created.reason == "OK"
    assert created.headers["X-MOCKFACE"] == "emulator"
    assert created.json()["status"] == "NotStarted"
    path = f"/detectLivenessWithVerify-sessions/{created.json()['sessionId']}"
    deleted = client.send(HttpRequest("DELETE", path), api_version="v1.2")
    assert (deleted.status_code, deleted.content) == (204, b"")


def _in_pieces(body: bytes) -> Iterator[bytes]:
    yield body[:10]
    yield body[10:]


async def _in_awaited_pieces(body: bytes) -> AsyncIterator[bytes]:
    for piece in _in_pieces(body):
        yield piece


@pytest.mark.parametrize("kind", ["bytes", "text", "file", "iterable"])
def test_bodies_of_every_kind_arrive(client: Client, kind: str) -> None:
    body = json.dumps({"livenessOperationMode": "Passive", "deviceCorrelationId": DEVICE})
    written = body.encode()
    content: Any = {
        "bytes": written,
        "text": body,
        "file": io.BytesIO(written),
        "iterable": _in_awaited_pieces(written) if client.is_async else _in_pieces(written),
    }[kind]
    request = HttpRequest(
        "POST",
        "/detectLiveness-sessions",
        content=content,
        headers={"Content-Type": "application/json"},
    )

    assert client.send(request, api_version="v1.2").status_code == 200


# --- what goes wrong ------------------------------------------------------------------------------


def test_a_wrong_key(client: Client) -> None:
    with pytest.raises(ClientAuthenticationError):
        client.run(lambda c: c.get_liveness_sessions(), key="other")


def test_a_rate_limit_is_waited_for(client: Client, mock: Mockface) -> None:
    mock.control(KEY).add_fault("create", status=429, retry_after=7)

    created = client.call("create_liveness_session", liveness())

    assert created.session_id
    assert client.slept == [7]


def test_the_emulator_s_own_time_can_pass(mock: Mockface) -> None:
    before = mock.clock.now()
    mock.control(KEY).add_fault("list", delay=30)
    transport = MockfaceTransport(mock, sleep=mock.clock.advance)

    with FaceSessionClient(ENDPOINT, AzureKeyCredential(KEY), transport=transport) as client:
        assert client.get_liveness_sessions() == []

    assert mock.clock.now() == before + 30


def test_a_client_may_wait_for_ever(client: Client, mock: Mockface) -> None:
    mock.control(KEY).add_fault("list", delay=600)

    assert client.call("get_liveness_sessions", read_timeout=None) == []

    assert client.slept == [600]


# What the two colours call by different names
RESET = (ServiceResponseError, ServiceRequestError)
TOO_SLOW = (ServiceRequestError, ServiceResponseTimeoutError)


@pytest.mark.parametrize(
    ("fault", "errors"),
    [
        ({"status": 503}, (HttpResponseError,) * 2),
        ({"status": 429, "body": "gateway"}, (HttpResponseError,) * 2),
        ({"body": "garbage"}, (DecodeError,) * 2),
        ({"body": "truncated"}, (IncompleteReadError,) * 2),
        ({"cut_after": 1}, (IncompleteReadError,) * 2),
        ({"delay": 0.4}, (ServiceResponseTimeoutError,) * 2),
        ({"bytes_per_second": 2}, TOO_SLOW),
        ({"reset": True}, RESET),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_faults_are_the_library_s_errors(
    client: Client, mock: Mockface, fault: dict[str, Any], errors: tuple[type[Exception], ...]
) -> None:
    """The same ones with a socket and without."""
    mock.control(KEY).add_fault(count=0, **fault)

    with mock:
        for url in (None, mock.url):
            with pytest.raises(errors) as wrong:
                client.run(
                    lambda c: c.get_liveness_sessions(read_timeout=0.2), url=url, retry_total=0
                )

            assert wrong.type is errors[client.is_async]


@dataclass
class Scripted:
    """Answers as it was told, in a Mockface's place."""

    response: Response

    @property
    def service(self) -> Any:
        return SimpleNamespace(handle=lambda request: self.response)


@pytest.fixture
def scripted(client: Client) -> Client:
    client.mock = Scripted(Response(200, b"[]", {"Content-Type": "application/json"}))
    return client


def test_a_body_that_drips(scripted: Client) -> None:
    scripted.mock.response.delivery = Delivery(bytes_per_second=4)

    assert scripted.call("get_liveness_sessions") == []
    assert sum(scripted.slept) == pytest.approx(0.5)


# --- livegate over it -----------------------------------------------------------------------------


@pytest.mark.parametrize("api_version", ["v1.2", "v1.2-preview.1"])
@pytest.mark.parametrize("image", [None, portrait("alice")], ids=["liveness", "verify"])
def test_livegate_runs_in_process(client: Client, api_version: str, image: bytes | None) -> None:
    kind = SessionKind.LIVENESS if image is None else SessionKind.LIVENESS_WITH_VERIFY
    wanted = FaceSessionRequest(
        kind=kind,
        mode=OperationMode.PASSIVE,
        correlation_id=DEVICE,
        token_lifetime=600,
        reference_image=None if image is None else ReferenceImage(image),
    )
    face: Any = (AsyncAzureFace if client.is_async else AzureFace)(
        endpoint=ENDPOINT, credential=KEY, api_version=api_version, transport=client.transport
    )

    async def done(operation: str, *arguments: Any) -> Any:
        result = getattr(face, operation)(*arguments)
        return await result if client.is_async else result

    async def run() -> tuple[Any, Any]:
        created = await done("create", wanted, api_version)
        success = client.mock.control(KEY).attempt(created.auth_token)
        outcome = await done("read", kind, created.remote_id, api_version)
        await done("delete", kind, created.remote_id, api_version)
        await done("close")
        return success, outcome

    success, outcome = asyncio.run(run())

    assert outcome.attempts[-1].digest == success.digest
    assert client.mock.control(KEY).sessions() == []
