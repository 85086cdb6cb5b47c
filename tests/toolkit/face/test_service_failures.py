"""What happens when the service or the network fails, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import RequestsTransport

from livegate.errors import (
    FaceAuthError,
    FaceBadRequestError,
    FaceError,
    FaceResponseError,
    FaceThrottledError,
    FaceUnavailableError,
)
from livegate.face.client import failure_from
from livegate.face.transports import _DeadlineReader
from livegate.models import SessionKind

if TYPE_CHECKING:
    from tests.toolkit.face.conftest import Caller, FaceServer

    from livegate.protocols import FaceSessionRequest

REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"
READ = ("read", SessionKind.LIVENESS, REMOTE_ID, "v1.2")
DELETE = ("delete", SessionKind.LIVENESS, REMOTE_ID, "v1.2")


@pytest.fixture
def create(liveness: FaceSessionRequest) -> tuple[Any, ...]:
    return ("create", liveness, "v1.2")


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were slept between tries, without sleeping."""
    pauses: list[float] = []

    sleep = asyncio.sleep

    async def record(seconds: float) -> None:
        pauses.extend([seconds] if seconds else [])  # 0 is the HTTP client's
        await sleep(0)

    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(asyncio, "sleep", record)
    return pauses


def error(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "The message of the service."}}


def test_an_error_has_the_code_and_the_request_id_of_the_service(
    caller: Caller, server: FaceServer, create: Any
) -> None:
    # given a service that rejects the image
    server.respond(400, error("InvalidImage"), {"apim-request-id": "4af681e9-0e25"})
    # when a session is to be created
    with pytest.raises(FaceBadRequestError) as raised:
        caller(*create, endpoint=server.endpoint)
    # then the error has all that its support needs, and nothing else of the service's
    assert raised.value.service_status == 400
    assert raised.value.service_code == "InvalidImage"
    assert raised.value.request_id == "4af681e9-0e25"
    assert "HTTP 400, InvalidImage, request 4af681e9-0e25" in str(raised.value)
    assert "message of the service" not in str(raised.value)


# --- repeating ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_read_is_repeated_after_a_fault_and_a_lost_connection(
    caller: Caller, server: FaceServer, good_results: dict[str, Any], status: int
) -> None:
    server.respond(status)
    server.respond(how="reset")
    server.respond(200, good_results["v1.2"])
    outcome = caller(*READ, endpoint=server.endpoint, retries=2)
    assert outcome.attempts[0].decision == "realface"
    assert len(server.received) == 3


def test_the_pause_between_tries_doubles_up_to_a_second(
    caller: Caller, server: FaceServer, pauses: list[float]
) -> None:
    server.respond(500, error("Unspecified"))
    with pytest.raises(FaceUnavailableError, match="HTTP 500, Unspecified"):
        caller(*READ, endpoint=server.endpoint, retries=5)
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.0]
    assert len(server.received) == 6


@pytest.mark.parametrize("operation", [READ, DELETE])
def test_without_retries_a_call_is_sent_once(
    caller: Caller, server: FaceServer, pauses: list[float], operation: Any
) -> None:
    server.respond(500)
    with pytest.raises(FaceUnavailableError):
        caller(*operation, endpoint=server.endpoint, retries=0)
    assert (len(server.received), pauses) == (1, [])


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (429, {}),
        (408, {}),
        (409, {}),
        (501, {}),
        (429, {"Retry-After": "3600"}),
        (500, {"Retry-After": "3600"}),
        (503, {"Retry-After": "3600"}),
    ],
)
def test_what_is_not_a_passing_fault_is_reported_and_not_repeated(
    caller: Caller, server: FaceServer, pauses: list[float], status: int, headers: dict[str, str]
) -> None:
    # given a service that is busy, perhaps for an hour; azure-core would sleep that long
    server.respond(status, error("Busy"), headers)
    kind = FaceThrottledError if status == 429 else FaceUnavailableError
    for operation in (READ, DELETE):
        server.received.clear()
        # when it is called
        with pytest.raises(kind) as raised:
            caller(*operation, endpoint=server.endpoint, retries=5)
        # then it was called once, and the caller knows when to try again
        assert raised.value.retry_after == (3600 if headers else None)
        assert (len(server.received), pauses) == (1, [])


@pytest.mark.parametrize(
    ("status", "how"), [(408, "whole"), (429, "whole"), (500, "whole"), (200, "reset")]
)
def test_a_create_is_sent_once(
    caller: Caller, server: FaceServer, create: Any, pauses: list[float], status: int, how: str
) -> None:
    server.respond(status, how=how)
    with pytest.raises(FaceUnavailableError):
        caller(*create, endpoint=server.endpoint, retries=5)
    assert (len(server.received), pauses) == (1, [])


# --- time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["silent", "slow_head", "slow_body"])
@pytest.mark.parametrize("name", ["create", "read"])
def test_a_call_ends_in_time(
    caller: Caller, server: FaceServer, create: Any, name: str, how: str
) -> None:
    # given a service that sends nothing, or a byte now and then and never the last one
    server.respond(how=how)
    operation = create if name == "create" else READ
    # when it is called
    began = time.monotonic()
    with pytest.raises(FaceError, match="LIVEGATE_FACE_TIMEOUT"):
        caller(*operation, endpoint=server.endpoint, timeout=0.3, retries=5)
    # then the call ends in about its time (a sync create has twice as much), and was sent once
    assert time.monotonic() - began < 3
    assert len(server.received) == 1


def test_a_read_has_no_more_than_its_time(
    caller: Caller, server: FaceServer, good_results: dict[str, Any]
) -> None:
    server.respond(200, good_results["v1.2"], delay=0.8)
    with pytest.raises(FaceUnavailableError, match="LIVEGATE_FACE_TIMEOUT"):
        caller(*READ, endpoint=server.endpoint, timeout=0.5)


def test_a_body_that_stalls_late_has_only_the_rest_of_the_time(
    sync_caller: Caller, server: FaceServer, good_results: dict[str, Any]
) -> None:
    server.respond(200, good_results["v1.2"], how="held_body", delay=1)
    began = time.monotonic()
    with pytest.raises(FaceResponseError, match="LIVEGATE_FACE_TIMEOUT"):
        sync_caller(*READ, endpoint=server.endpoint, timeout=1.2)
    assert time.monotonic() - began < 2


def test_a_call_through_a_proxy_ends_in_time(
    sync_caller: Caller, server: FaceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTP_PROXY", server.endpoint)
    server.respond(how="slow_head")
    with pytest.raises(FaceUnavailableError, match="LIVEGATE_FACE_TIMEOUT"):
        sync_caller(*READ, endpoint="http://127.0.0.1:1", timeout=0.3)


def test_a_body_ends_in_time_with_a_custom_transport_too(
    sync_caller: Caller, server: FaceServer
) -> None:
    server.respond(how="slow_body")
    with pytest.raises(FaceResponseError, match="LIVEGATE_FACE_TIMEOUT"):
        sync_caller(
            *READ,
            endpoint=server.endpoint,
            timeout=0.3,
            transport=lambda: RequestsTransport(connection_data_block_size=1),
        )


def test_nothing_is_read_after_the_deadline() -> None:
    # given a socket with bytes to read, and no time left
    ours, other = socket.socketpair()
    with ours, other:
        other.sendall(b"late")
        ours.settimeout(0)
        with ours.makefile("rb", buffering=0) as raw, pytest.raises(TimeoutError):
            _DeadlineReader(raw, ours).read(4)


def test_each_call_on_a_connection_has_the_whole_time(
    sync_caller: Caller, server: FaceServer, good_results: dict[str, Any]
) -> None:
    # given a service that takes more than a third of the time-out
    server.respond(200, good_results["v1.2"], delay=0.2)
    # when three calls share a connection, then none of them is out of time
    outcomes = sync_caller.each([READ] * 3, endpoint=server.endpoint, timeout=0.5)
    assert [len(outcome.attempts) for outcome in outcomes] == [1, 1, 1]
    assert server.connections == 1


# --- responses that cannot be understood ----------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"<html>", {}),
        (b"[]", {}),
        (b'{"sessionId": 5}', {}),
        (b"{}", {"Content-Type": "text/plain"}),
        (b"{}", {"Content-Encoding": "gzip"}),
    ],
    ids=repr,
)
def test_a_body_that_is_not_as_documented_is_an_error(
    caller: Caller, server: FaceServer, create: Any, body: bytes, headers: dict[str, str]
) -> None:
    server.respond(200, body, headers | {"apim-request-id": "4af681e9"})
    for operation in (create, READ):
        with pytest.raises(FaceResponseError) as raised:
            caller(*operation, endpoint=server.endpoint)
        assert raised.value.service_status == 200
        assert raised.value.request_id == "4af681e9"
        assert raised.value.orphan_id is None


@pytest.mark.parametrize(("how", "text"), [("cut", "cut off"), ("endless", "longer than 1 MiB")])
def test_half_a_body_is_never_an_outcome(
    caller: Caller, server: FaceServer, good_results: dict[str, Any], how: str, text: str
) -> None:
    server.respond(200, good_results["v1.2"], how=how)
    with pytest.raises(FaceResponseError, match=text) as raised:
        caller(*READ, endpoint=server.endpoint)
    assert raised.value.orphan_id is None  # nothing was created


def test_an_endless_body_is_not_read_to_its_end(caller: Caller, server: FaceServer) -> None:
    # given a service whose response never ends
    server.respond(how="endless")
    # when it is called
    with pytest.raises(FaceResponseError):
        caller(*READ, endpoint=server.endpoint)
    # then it finds the connection closed, long before the test ends
    assert server.is_left.wait(timeout=60)
    assert not server.is_over.is_set()


def test_an_error_status_counts_although_its_body_is_cut(
    caller: Caller, server: FaceServer
) -> None:
    server.respond(401, error("401"), how="cut")
    with pytest.raises(FaceAuthError):
        caller(*READ, endpoint=server.endpoint)


# --- wrong addresses ------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 303, 307, 308])
def test_a_redirect_is_not_followed(
    caller: Caller, server: FaceServer, create: Any, status: int
) -> None:
    # given a service that sends the caller, and with it the key, elsewhere
    server.respond(status, headers={"Location": f"{server.endpoint}/elsewhere"})
    for operation in (create, READ, DELETE):
        server.received.clear()
        # when it is called, then the other address is not
        with pytest.raises(FaceResponseError, match="redirects"):
            caller(*operation, endpoint=server.endpoint)
        assert len(server.received) == 1


def test_an_address_that_refuses_connections_is_named(caller: Caller, create: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: nothing else can take it
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        for operation in (create, READ, DELETE):
            with pytest.raises(FaceUnavailableError, match=r"VISION_ENDPOINT.*ConnectionRefused"):
                caller(*operation, endpoint=endpoint, retries=0)


def test_a_session_at_a_wrong_address_does_not_count_as_deleted(
    caller: Caller, server: FaceServer
) -> None:
    # given a gateway that has no Face API
    server.respond(404, {"error": {"code": "404", "message": "Resource not found"}})
    # when a session is read or deleted there, then it is not taken for gone
    for operation in (READ, DELETE):
        with pytest.raises(FaceAuthError, match="VISION_ENDPOINT"):
            caller(*operation, endpoint=server.endpoint)


def test_the_cause_is_found_in_a_chain_that_never_ends() -> None:
    first, second, third = ServiceRequestError("first"), OSError("second"), KeyError("third")
    first.__cause__, second.__cause__, third.__cause__ = second, third, second
    assert failure_from(first).cause == "KeyError"
