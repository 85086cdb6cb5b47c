"""No key, token or image byte in a log, a repr or an error: marked values are looked for."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport

from livegate.errors import FaceError, FaceUnavailableError
from livegate.session import SessionKind

if TYPE_CHECKING:
    from tests.toolkit.face.conftest import Door, FaceOnLoopback

    from livegate.face.base import FaceSessionRequest

REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"


def told_by(error: BaseException) -> str:
    """All that an error report could show of *error*, but for the values of local variables."""
    told = "".join(traceback.format_exception(error))
    seen: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in seen:
        seen.append(link)
        told += repr(link) + str(link) + repr(vars(link))
        link = link.__cause__ or link.__context__
    return told


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in ("azure", "urllib3", "requests", "aiohttp", "asyncio", "livegate"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def test_nothing_is_logged_of_a_good_call(
    *,
    door: Door,
    service: FaceOnLoopback,
    version: str,
    wanted: FaceSessionRequest,
    created: dict[str, Any],
    logs: pytest.LogCaptureFixture,
) -> None:
    # given a service that does what it is asked for
    service.answer(200, created)
    # when it creates a session, with everything logged that is
    session = door("create", wanted, endpoint=service.endpoint, api_version=version)
    # then the call is in the log, and none of the secrets is
    assert f"/face/{version}/" in logs.text
    assert "REDACTED" in logs.text
    assert "canary" not in logs.text
    assert "canary" not in repr(session) + repr(wanted)
    # and all of the secrets were there to be seen
    sent = str(service.seen[0].headers) + service.seen[0].body.decode("latin-1")
    assert "canary-key" in sent
    assert ("canary-image" in sent) is (wanted.kind is SessionKind.LIVENESS_WITH_VERIFY)
    assert "canary-token" in session.auth_token


@pytest.mark.parametrize(
    ("status", "how"),
    [
        *((status, "whole") for status in (200, 302, 400, 401, 403, 404, 429, 500)),
        *((200, how) for how in ("cut", "reset", "silent")),
    ],
)
@pytest.mark.parametrize("kind", [SessionKind.LIVENESS_WITH_VERIFY], indirect=True)
@pytest.mark.parametrize("version", ["v1.2"], indirect=True)
def test_nothing_is_told_of_a_bad_call(
    *,
    door: Door,
    service: FaceOnLoopback,
    version: str,
    wanted: FaceSessionRequest,
    logs: pytest.LogCaptureFixture,
    status: int,
    how: str,
) -> None:
    # given a service that fails, and quotes what it was sent as if it were a message
    body = {"error": {"code": "a canary", "message": "canary"}, "authToken": "a canary"}
    service.answer(status, body, {"X-Echo": "canary"}, how=how)
    for call in (("create", wanted), ("read", wanted.kind, REMOTE_ID, version)):
        # when it is called
        with pytest.raises(FaceError) as raised:
            door(*call, endpoint=service.endpoint, timeout=0.3, retries=0)
        # then neither the error nor the log tells
        assert "canary" not in told_by(raised.value)
    assert "canary" not in logs.text


class TellingTransport(HttpTransport[Any, Any]):
    """Raises what HTTP clients do raise: an error that quotes a header."""

    def send(self, request: Any, **kwargs: Any) -> NoReturn:
        raise ValueError(f"Invalid header value {request.headers} {request.content!r}")

    def open(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""

    def __exit__(self, *args: object) -> None:
        """Nothing to close."""


class AsyncTellingTransport(AsyncHttpTransport[Any, Any]):
    """Raises what HTTP clients do raise: an error that quotes a header."""

    async def send(self, request: Any, **kwargs: Any) -> NoReturn:
        raise ValueError(f"Invalid header value {request.headers} {request.content!r}")

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def __aexit__(self, *args: object) -> None:
        """Nothing to close."""


@pytest.mark.parametrize("kind", [SessionKind.LIVENESS], indirect=True)
def test_an_error_of_the_transport_is_not_passed_on(
    door: Door, wanted: FaceSessionRequest, logs: pytest.LogCaptureFixture
) -> None:
    transport = AsyncTellingTransport() if door.is_async else TellingTransport()
    with pytest.raises(FaceUnavailableError, match="ValueError") as raised:
        door("create", wanted, endpoint="http://127.0.0.1:1", transport=transport)
    assert "canary" not in told_by(raised.value) + logs.text
