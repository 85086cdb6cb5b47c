"""Transports of azure-core that end in this process: the client library with no socket.

    client = FaceSessionClient(endpoint, credential, transport=MockfaceTransport(mock))

The endpoint may be any: nothing is resolved, and nothing is connected to. They are azure-core's own
transports over requests, with an adapter of requests that asks the emulator; so what goes wrong on
command surfaces as the errors that azure-core raises over a socket.
"""

from __future__ import annotations

import io
import time
from http.client import responses
from typing import TYPE_CHECKING, Any

from mockface.extras import needs
from mockface.remote import sending

with needs("mock,azure"):
    import requests  # azure-core needs it too
    from azure.core.exceptions import (
        ServiceRequestError,
        ServiceResponseError,
        ServiceResponseTimeoutError,
    )
    from azure.core.pipeline.transport import AsyncioRequestsTransport, RequestsTransport
    from requests.adapters import HTTPAdapter
    from urllib3 import HTTPResponse
    from urllib3.exceptions import ProtocolError, ReadTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockface.server import Mockface
    from mockface.wire import Request, Response

    Sleep = Callable[[float], object]


class MockfaceTransport(RequestsTransport):  # type: ignore[misc]  # has no types
    """For the synchronous clients.

    Args:
        mock: What answers; it need not listen.
        sleep: Waits, before a retry of the client library and where an answer is delayed. By
            default real time passes; `mock.clock.advance` lets the emulator's pass instead.
        **options: Those of `RequestsTransport`, such as `read_timeout`.

    Raises:
        TypeError: `mock` is no `Mockface`.
    """

    def __init__(self, mock: Mockface, *, sleep: Sleep = time.sleep, **options: Any) -> None:
        super().__init__(session=_session(mock, sleep), session_owner=True, **options)
        self._sleep = sleep

    def sleep(self, duration: float) -> None:
        """Waits as many seconds."""
        self._sleep(duration)


class AsyncMockfaceTransport(AsyncioRequestsTransport):  # type: ignore[misc]  # has no types
    """For the asynchronous clients. A call waits in a thread, as it does with azure-core's own.

    Args:
        mock: See `MockfaceTransport`.
        sleep: See `MockfaceTransport`.
        **options: Those of `AsyncioRequestsTransport`, such as `read_timeout`.
    """

    def __init__(self, mock: Mockface, *, sleep: Sleep = time.sleep, **options: Any) -> None:
        super().__init__(session=_session(mock, sleep), session_owner=True, **options)
        self._sleep = sleep

    async def send(self, request: Any, **options: Any) -> Any:
        """Sends a request.

        The base class knows no `read_timeout` of a single call, and its errors are not those of
        `AioHttpTransport`, which the asynchronous clients use over a socket.
        """
        config = self.connection_config
        connect = options.pop("connection_timeout", config.timeout)
        read = options.pop("read_timeout", config.read_timeout)
        try:
            return await super().send(request, connection_timeout=(connect, read), **options)
        except (ServiceRequestError, ServiceResponseError) as wrong:
            cause = wrong.inner_exception
            reasons = (cause, *getattr(cause, "args", ()))
            if any(isinstance(r, requests.ReadTimeout | ReadTimeoutError) for r in reasons):
                raise ServiceResponseTimeoutError(wrong.message, error=wrong) from wrong
            raise ServiceRequestError(wrong.message, error=wrong) from wrong

    async def sleep(self, duration: float) -> None:
        """Waits as many seconds."""
        if self._sleep is time.sleep:
            await super().sleep(duration)
        else:
            self._sleep(duration)


def _session(mock: object, sleep: Sleep) -> requests.Session:
    # A `ControlClient`, such as the pytest fixture, is the likely slip.
    service = getattr(mock, "service", None)
    if service is None:
        raise TypeError(
            "mock must be a mockface.Mockface: a transport ends in this process. Over a socket the "
            f"client library needs none; this is a {type(mock).__name__}."
        )
    session = requests.Session()
    session.trust_env = False  # no proxy, no .netrc
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter(service.handle, sleep))
    return session


class _Adapter(HTTPAdapter):
    """Asks the emulator in the place of a connection."""

    def __init__(self, handle: Callable[[Request], Response], sleep: Sleep) -> None:
        super().__init__()
        self._handle = handle
        self._sleep = sleep

    def send(  # type: ignore[override]  # the other options are about sockets
        self,
        request: requests.PreparedRequest,
        timeout: float | tuple[float | None, float | None] | None = None,
        **_: Any,
    ) -> requests.Response:
        patience = timeout[1] if isinstance(timeout, tuple) else timeout
        response = self._handle(_message(request))
        if response.delay and not self._wait(response.delay, patience):
            raise requests.ReadTimeout("The answer takes too long.")
        if response.delivery.reset:
            reset = ConnectionResetError("The connection was reset by the peer.")
            raise requests.ConnectionError(ProtocolError("Connection aborted.", reset))
        headers = response.headers | {"Content-Length": str(len(response.body))}
        answer = HTTPResponse(
            io.BufferedReader(_Body(response, self._wait, patience)),
            headers,
            response.status,
            reason=responses.get(response.status, ""),
            preload_content=False,
            request_method=request.method,
        )
        return self.build_response(request, answer)

    def _wait(self, seconds: float, patience: float | None) -> bool:
        """Waits on purpose; returns whether that was not too long."""
        in_time = patience is None or seconds <= patience
        self._sleep(seconds if in_time else patience)  # type: ignore[arg-type]  # not both are None
        return in_time


class _Body(io.RawIOBase):
    """A body as it arrives."""

    def __init__(
        self,
        response: Response,
        wait: Callable[[float, float | None], bool],
        patience: float | None,
    ) -> None:
        self._pieces = response.pieces()
        self._wait = wait
        self._patience = patience
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            seconds, self._rest = next(self._pieces, (0.0, b""))
            if seconds and not self._wait(seconds, self._patience):
                raise ReadTimeoutError(None, None, "The answer comes too slowly.")  # type: ignore[arg-type]  # there is no pool
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _message(request: requests.PreparedRequest) -> Request:
    body: Any = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode("utf-8")
    if not isinstance(body, bytes):
        body = b"".join(body)
    return sending.request(str(request.method), str(request.url), request.headers, body)
