"""No key, token or image byte in a log, a repr or an error: marked values are searched for."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport

from livegate.errors import FaceError, FaceUnavailableError

if TYPE_CHECKING:
    from tests.toolkit.face.conftest import Caller, FaceServer

    from livegate.protocols import FaceSessionRequest

REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"


def report_of(error: BaseException) -> str:
    """All that an error report could show of *error*, but for the values of local variables."""
    report = "".join(traceback.format_exception(error))
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen:
        seen.append(link)
        report += repr(link) + str(link) + repr(vars(link))
        link = link.__cause__ or link.__context__
    return report


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in ("azure", "urllib3", "requests", "aiohttp", "asyncio", "livegate"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def test_a_call_that_succeeds_logs_no_secret(
    caller: Caller,
    server: FaceServer,
    verify: FaceSessionRequest,
    created: dict[str, Any],
    logs: pytest.LogCaptureFixture,
) -> None:
    # given a service that creates a session
    server.respond(200, created)
    # when it is called, and everything is logged
    session = caller("create", verify, "v1.2", endpoint=server.endpoint)
    # then the call is in the log, and no secret is
    assert "/face/v1.2/" in logs.text
    assert "REDACTED" in logs.text
    assert "canary" not in logs.text
    assert "canary" not in repr(session) + repr(verify)
    # and all secrets were on the wire
    sent = str(server.received[0].headers) + server.received[0].body.decode("latin-1")
    assert "canary-key" in sent
    assert "canary-image" in sent
    assert "canary-token" in session.auth_token


@pytest.mark.parametrize(
    ("status", "how"),
    [
        *((status, "whole") for status in (200, 302, 400, 401, 403, 404, 429, 500)),
        *((200, how) for how in ("cut", "reset", "silent")),
    ],
)
def test_a_call_that_fails_shows_no_secret(
    caller: Caller,
    server: FaceServer,
    verify: FaceSessionRequest,
    logs: pytest.LogCaptureFixture,
    status: int,
    how: str,
) -> None:
    # given a service that fails, and quotes what it was sent as if it were a message
    body = {"error": {"code": "a canary", "message": "canary"}, "authToken": "a canary"}
    server.respond(status, body, {"X-Echo": "canary"}, how=how)
    for call in (("create", verify, "v1.2"), ("read", verify.kind, REMOTE_ID, "v1.2")):
        # when it is called
        with pytest.raises(FaceError) as raised:
            caller(*call, endpoint=server.endpoint, timeout=0.3, retries=0)
        # then neither the error nor the log shows it, and the error has no cause that could
        assert "canary" not in report_of(raised.value)
        assert raised.value.__cause__ is None
        assert raised.value.__context__ is None
    assert "canary" not in logs.text


class QuotingTransport(HttpTransport[Any, Any]):
    """Raises what HTTP clients do raise: an error that quotes a header."""

    def send(self, request: Any, **kwargs: Any) -> NoReturn:
        raise ValueError(f"Invalid header value {request.headers} {request.content!r}")

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def __exit__(self, *args: object) -> None:
        """Nothing to close."""


class AsyncQuotingTransport(AsyncHttpTransport[Any, Any]):
    """Raises what HTTP clients do raise: an error that quotes a header."""

    async def send(self, request: Any, **kwargs: Any) -> NoReturn:
        raise ValueError(f"Invalid header value {request.headers} {request.content!r}")

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def __aexit__(self, *args: object) -> None:
        """Nothing to close."""


def test_of_an_error_of_the_transport_only_its_class_is_shown(
    caller: Caller, verify: FaceSessionRequest, logs: pytest.LogCaptureFixture
) -> None:
    transport: type = AsyncQuotingTransport if caller.is_async else QuotingTransport
    with pytest.raises(FaceUnavailableError, match="ValueError") as raised:
        caller("create", verify, "v1.2", endpoint="http://127.0.0.1:1", transport=transport)
    assert "canary" not in report_of(raised.value) + logs.text
