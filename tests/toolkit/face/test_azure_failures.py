"""What the service and the network do to us, over real sockets, in both colours."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from livegate.errors import (
    FaceAccessError,
    FaceAnswerError,
    FaceError,
    FaceRefusedError,
    FaceThrottledError,
    FaceUnavailableError,
)
from livegate.session import SessionKind

if TYPE_CHECKING:
    from tests.toolkit.face.conftest import Door, FaceOnLoopback

    from livegate.face.base import FaceSessionRequest

REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"
READ = ("read", SessionKind.LIVENESS, REMOTE_ID, "v1.2")
DELETE = ("delete", SessionKind.LIVENESS, REMOTE_ID, "v1.2")


@pytest.fixture
def version() -> str:
    """One for all: the failures of the versions are the same code."""
    return "v1.2"


@pytest.fixture
def kind() -> SessionKind:
    return SessionKind.LIVENESS


def error(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "The message of the service."}}


def test_an_error_keeps_the_code_and_the_request_id(
    door: Door, service: FaceOnLoopback, wanted: FaceSessionRequest
) -> None:
    # given a service that refuses the image
    service.answer(400, error("InvalidImage"), {"apim-request-id": "4af681e9-0e25"})
    # when a session is to be created
    with pytest.raises(FaceRefusedError) as raised:
        door("create", wanted, endpoint=service.endpoint)
    # then the error says all that its support would ask for, and nothing else of the service's
    assert raised.value.service_status == 400
    assert raised.value.service_code == "InvalidImage"
    assert raised.value.request_id == "4af681e9-0e25"
    assert "HTTP 400, InvalidImage, request 4af681e9-0e25" in str(raised.value)
    assert "message of the service" not in str(raised.value)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_long_retry_after_is_told_and_not_waited_for(
    door: Door, service: FaceOnLoopback, wanted: FaceSessionRequest, status: int
) -> None:
    # given a service that wants to be left alone for an hour; azure-core would sleep that long
    service.answer(status, error("Busy"), {"Retry-After": "3600"})
    kind = FaceThrottledError if status == 429 else FaceUnavailableError
    for call in (("create", wanted), READ, DELETE):
        service.seen.clear()
        # when it is called
        with pytest.raises(kind) as raised:
            door(*call, endpoint=service.endpoint)
        # then it was called once, and the caller knows
        assert raised.value.retry_after == 3600
        assert len(service.seen) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_read_survives_passing_faults(
    door: Door, service: FaceOnLoopback, result: dict[str, Any], status: int
) -> None:
    service.answer(status)
    service.answer(how="reset")
    service.answer(200, result)
    assert door(*READ, endpoint=service.endpoint, retries=2).attempts[0].decision == "realface"
    assert len(service.seen) == 3


@pytest.mark.parametrize("retries", [0, 1])
@pytest.mark.parametrize("call", [READ, DELETE])
def test_a_lasting_fault_ends_the_tries(
    door: Door, service: FaceOnLoopback, call: tuple[Any, ...], retries: int
) -> None:
    service.answer(500, error("Unspecified"))
    with pytest.raises(FaceUnavailableError, match="HTTP 500, Unspecified"):
        door(*call, endpoint=service.endpoint, retries=retries)
    assert len(service.seen) == 1 + retries


@pytest.mark.parametrize(
    ("status", "how"),
    [(408, "whole"), (429, "whole"), (500, "whole"), (503, "whole"), (200, "reset")],
)
def test_a_create_is_asked_once(
    door: Door, service: FaceOnLoopback, wanted: FaceSessionRequest, status: int, how: str
) -> None:
    service.answer(status, how=how)
    with pytest.raises(FaceUnavailableError):
        door("create", wanted, endpoint=service.endpoint, retries=5)
    assert len(service.seen) == 1


@pytest.mark.parametrize("how", ["silent", "drip"])
def test_a_call_ends(door: Door, service: FaceOnLoopback, how: str) -> None:
    # given a service that says nothing, or never comes to an end
    service.answer(how=how)
    # when it is called
    with pytest.raises(FaceUnavailableError, match="LIVEGATE_FACE_TIMEOUT"):
        door(*READ, endpoint=service.endpoint, timeout=0.3, retries=5)
    # then the call gave up, and did not try for as long again
    assert len(service.seen) == 1


@pytest.mark.parametrize(
    ("answer", "headers"),
    [
        (b"", {}),
        (b"<html>Service Unavailable</html>", {"Content-Type": "text/html"}),
        (b'{"sessionId": ', {}),
        (b'["\xff"]', {}),
        (b"{}", {"Content-Encoding": "gzip"}),
    ],
    ids=repr,
)
def test_garbage_is_no_answer(
    door: Door,
    service: FaceOnLoopback,
    wanted: FaceSessionRequest,
    answer: bytes,
    headers: dict[str, str],
) -> None:
    service.answer(200, answer, headers | {"apim-request-id": "4af681e9"})
    for call in (("create", wanted), READ):
        with pytest.raises(FaceAnswerError) as raised:
            door(*call, endpoint=service.endpoint)
        assert raised.value.service_status == 200
        assert raised.value.request_id == "4af681e9"


@pytest.mark.parametrize("how", ["cut", "endless"])
def test_half_an_answer_is_none(
    door: Door, service: FaceOnLoopback, result: dict[str, Any], how: str
) -> None:
    service.answer(200, result, how=how)
    with pytest.raises(FaceAnswerError, match="cut off"):
        door(*READ, endpoint=service.endpoint)


def test_nobody_listens_to_an_endless_answer(door: Door, service: FaceOnLoopback) -> None:
    # given a service whose answer never ends
    service.answer(how="endless")
    # when it is called
    with pytest.raises(FaceAnswerError, match="longer than 1 MiB"):
        door(*READ, endpoint=service.endpoint)
    # then it finds the connection closed, long before it is told to stop
    assert service.is_left.wait(timeout=60)
    assert not service.is_over.is_set()


def test_half_an_error_is_still_one(door: Door, service: FaceOnLoopback) -> None:
    service.answer(401, error("401"), how="cut")
    with pytest.raises(FaceAccessError):
        door(*READ, endpoint=service.endpoint)


@pytest.mark.parametrize("status", [301, 303, 307, 308])
def test_nobody_is_followed(
    door: Door, service: FaceOnLoopback, wanted: FaceSessionRequest, status: int
) -> None:
    # given a service that sends the caller, and with it the key, elsewhere
    service.answer(status, headers={"Location": f"{service.endpoint}/elsewhere"})
    for call in (("create", wanted), READ, DELETE):
        service.seen.clear()
        # when it is called, then nobody goes there
        with pytest.raises(FaceAnswerError, match="redirects"):
            door(*call, endpoint=service.endpoint)
        assert [seen.path for seen in service.seen if "elsewhere" in seen.path] == []
        assert len(service.seen) == 1


def test_nobody_is_there(door: Door, wanted: FaceSessionRequest) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        for call in (("create", wanted), READ, DELETE):
            with pytest.raises(FaceUnavailableError, match=r"VISION_ENDPOINT.*ConnectionRefused"):
                door(*call, endpoint=endpoint)


def test_a_wrong_address_deletes_nothing(door: Door, service: FaceOnLoopback) -> None:
    # given a gateway that has no Face API, and says so in its own way
    service.answer(404, {"error": {"code": "404", "message": "Resource not found"}})
    for call in (READ, DELETE):
        # when a session is asked about there, then nobody takes it for gone
        with pytest.raises(FaceAccessError, match="VISION_ENDPOINT"):
            door(*call, endpoint=service.endpoint)


def test_an_error_has_no_history(door: Door, service: FaceOnLoopback) -> None:
    service.answer(how="reset")
    with pytest.raises(FaceError) as raised:
        door(*READ, endpoint=service.endpoint, retries=0)
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None
