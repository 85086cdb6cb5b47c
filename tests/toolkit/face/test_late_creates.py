"""A create whose response comes late, or is damaged: the session that it names is deleted."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest

from livegate.errors import FaceResponseError, FaceUnavailableError
from livegate.face.azure import AsyncAzureFace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.toolkit.face.conftest import Caller, FaceServer

    from livegate.protocols import FaceSessionRequest

REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"
DELETED = ("DELETE", f"/face/v1.2/detectLivenessWithVerify-sessions/{REMOTE_ID}")


def calls(server: FaceServer) -> list[tuple[str, str]]:
    return [(received.method, received.path) for received in server.received]


def abandon(server: FaceServer, request: FaceSessionRequest, how: str) -> Callable[..., Any]:
    """Begins a create that is abandoned while the service holds its response."""

    async def by_timeout(face: AsyncAzureFace) -> None:
        with pytest.raises(FaceUnavailableError, match="LIVEGATE_FACE_TIMEOUT"):
            await face.create(request, "v1.2")

    async def by_cancellation(face: AsyncAzureFace) -> None:
        task = asyncio.create_task(face.create(request, "v1.2"))
        await asyncio.to_thread(server.wait_for, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    return by_timeout if how == "timeout" else by_cancellation


def run(
    server: FaceServer, act: Callable[[AsyncAzureFace], Awaitable[None]], timeout: float
) -> None:
    async def main() -> None:
        async with AsyncAzureFace(endpoint=server.endpoint, credential="key", timeout=timeout) as f:
            await act(f)

    asyncio.run(main())


@pytest.mark.parametrize(("how", "timeout"), [("timeout", 0.2), ("cancellation", 20)])
@pytest.mark.parametrize("response", ["held", "held_body"])
def test_an_abandoned_create_is_deleted_when_its_response_comes(
    server: FaceServer,
    verify: FaceSessionRequest,
    created: dict[str, Any],
    how: str,
    timeout: float,
    response: str,
) -> None:
    # given a create that the caller does not wait for any more
    server.respond(200, created, how=response)
    server.respond(204)

    async def act(face: AsyncAzureFace) -> None:
        await abandon(server, verify, how)(face)
        assert len(server.received) == 1
        # when its response comes
        server.is_released.set()
        # then the session that it names is deleted in the background
        await asyncio.to_thread(server.wait_for, 2)

    run(server, act, timeout)
    assert calls(server)[1] == DELETED


@pytest.mark.parametrize(
    ("status", "how"), [(400, "held"), (500, "held"), (200, "silent"), (200, "held")]
)
def test_a_late_response_without_a_session_deletes_nothing(
    server: FaceServer, verify: FaceSessionRequest, status: int, how: str
) -> None:
    server.respond(status, {"error": {"code": "InvalidImage"}}, how=how)

    async def act(face: AsyncAzureFace) -> None:
        await abandon(server, verify, "cancellation")(face)
        server.is_released.set()

    run(server, act, timeout=0.5)
    assert len(server.received) == 1


def test_close_waits_for_a_late_response(
    server: FaceServer, verify: FaceSessionRequest, created: dict[str, Any]
) -> None:
    server.respond(200, created, how="held")
    server.respond(204)

    async def act(face: AsyncAzureFace) -> None:
        await abandon(server, verify, "cancellation")(face)
        asyncio.get_running_loop().call_later(0.2, server.is_released.set)

    run(server, act, timeout=20)
    assert calls(server)[1] == DELETED


def test_close_does_not_wait_longer_than_the_timeout(
    server: FaceServer, verify: FaceSessionRequest
) -> None:
    server.respond(how="silent")

    async def act(face: AsyncAzureFace) -> None:
        await abandon(server, verify, "timeout")(face)

    began = time.monotonic()
    run(server, act, timeout=0.2)
    assert time.monotonic() - began < 5


def test_close_leaves_nothing_in_the_background(
    async_caller: Caller, verify: FaceSessionRequest
) -> None:
    async def never(request: Any, **arguments: Any) -> None:
        await asyncio.Event().wait()

    transport: Any = async_caller.transport()
    transport.send = never
    face: Any = async_caller.make(
        endpoint="http://127.0.0.1:1", timeout=0.05, transport=lambda: transport
    )

    async def main() -> None:
        with pytest.raises(FaceUnavailableError):
            await face.create(verify, "v1.2")
        await face.close()
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            _, pending = await asyncio.wait(others, timeout=10)
            assert not pending

    asyncio.run(main())


def test_a_late_session_that_cannot_be_deleted_is_logged_without_its_id(
    server: FaceServer,
    verify: FaceSessionRequest,
    created: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, logger="livegate")
    server.respond(200, created, how="held")
    server.respond(500)

    async def act(face: AsyncAzureFace) -> None:
        await abandon(server, verify, "cancellation")(face)
        server.is_released.set()

    run(server, act, timeout=20)
    (record,) = [record for record in caplog.records if record.name.startswith("livegate")]
    assert "could not be deleted" in record.getMessage()
    assert REMOTE_ID not in caplog.text
    assert "canary" not in caplog.text


def test_a_create_that_is_cancelled_before_it_is_sent_sends_nothing(
    server: FaceServer, verify: FaceSessionRequest, created: dict[str, Any]
) -> None:
    # given one connection, in use
    server.respond(200, created, how="held")

    async def main() -> None:
        async with AsyncAzureFace(
            endpoint=server.endpoint, credential="key", timeout=20, connections=1
        ) as face:
            first = asyncio.create_task(face.create(verify, "v1.2"))
            await asyncio.to_thread(server.wait_for, 1)
            # when a create that waits for the connection is cancelled
            second = asyncio.create_task(face.create(verify, "v1.2"))
            await asyncio.sleep(0.05)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            server.is_released.set()
            await first
            # then the service has only seen the first, and the connection is free for another
            assert len(server.received) == 1
            await face.create(verify, "v1.2")

    asyncio.run(main())


def test_a_sync_create_has_twice_the_time(
    sync_caller: Caller, server: FaceServer, verify: FaceSessionRequest, created: dict[str, Any]
) -> None:
    # given a response that comes after the time-out, and before twice as much
    server.respond(200, created, delay=0.7)
    # when a session is created, then it is there
    session = sync_caller("create", verify, "v1.2", endpoint=server.endpoint, timeout=0.5)
    assert session.remote_id == REMOTE_ID


ID = f'{{"sessionId": "{REMOTE_ID}", '.encode()

HALF_A_TOKEN = ID + b'"authToken": "' + b"canary" * 20


@pytest.mark.parametrize(
    ("body", "how"),
    [
        (HALF_A_TOKEN, "cut"),
        (HALF_A_TOKEN, "whole"),
        (ID + b'"authToken": null}', "whole"),
        (ID + b'"status": "NotStarted"}', "whole"),
        (HALF_A_TOKEN, "endless"),
    ],
)
def test_a_damaged_response_names_the_session_to_delete(
    caller: Caller, server: FaceServer, verify: FaceSessionRequest, body: bytes, how: str
) -> None:
    server.respond(200, body, how=how)
    with pytest.raises(FaceResponseError) as raised:
        caller("create", verify, "v1.2", endpoint=server.endpoint)
    assert raised.value.orphan_id == REMOTE_ID
    assert REMOTE_ID not in str(raised.value)


def test_a_response_that_takes_too_long_names_the_session_to_delete(
    sync_caller: Caller, server: FaceServer, verify: FaceSessionRequest
) -> None:
    server.respond(200, HALF_A_TOKEN, how="slow_body")
    with pytest.raises(FaceResponseError, match="LIVEGATE_FACE_TIMEOUT") as raised:
        sync_caller("create", verify, "v1.2", endpoint=server.endpoint, timeout=0.2)
    assert raised.value.orphan_id == REMOTE_ID


@pytest.mark.parametrize(
    "body",
    [
        b'{"sessionId": "one", "sessionId": "two", "authToken": "t"}',
        b'{"sessionId": "../other", "authToken": "t"}',
        b'{"session',
    ],
)
def test_a_damaged_response_without_one_valid_id_names_none(
    sync_caller: Caller, server: FaceServer, verify: FaceSessionRequest, body: bytes
) -> None:
    server.respond(200, body)
    with pytest.raises(FaceResponseError) as raised:
        sync_caller("create", verify, "v1.2", endpoint=server.endpoint)
    assert raised.value.orphan_id is None


def test_an_error_names_no_session_to_delete(
    sync_caller: Caller, server: FaceServer, verify: FaceSessionRequest, created: dict[str, Any]
) -> None:
    server.respond(500, created)
    with pytest.raises(FaceUnavailableError) as raised:
        sync_caller("create", verify, "v1.2", endpoint=server.endpoint)
    assert raised.value.orphan_id is None


def test_an_undocumented_success_names_the_session_to_delete(
    sync_caller: Caller, server: FaceServer, verify: FaceSessionRequest, created: dict[str, Any]
) -> None:
    server.respond(202, created)
    with pytest.raises(FaceResponseError) as raised:
        sync_caller("create", verify, "v1.2", endpoint=server.endpoint)
    assert raised.value.orphan_id == REMOTE_ID
