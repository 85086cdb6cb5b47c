"""Transports of azure-core that end in this process: the client library with no socket.

    client = FaceSessionClient(endpoint, credential, transport=MockfaceTransport(mock))

The endpoint may be any: nothing is resolved, and nothing is connected to. What goes wrong on
command surfaces as the errors that azure-core's own transports raise, `RequestsTransport` for the
one and `AioHttpTransport` for the other. Redirects, proxies and TLS do not exist here.
"""

from __future__ import annotations

import inspect
import math
from http.client import responses
from json import loads
from typing import TYPE_CHECKING, Any, Self

from mockface.extras import needs
from mockface.remote import sending

with needs("mock,azure"):
    import requests  # azure-core needs it too
    from azure.core.exceptions import (
        HttpResponseError,
        IncompleteReadError,
        ResponseNotReadError,
        ServiceRequestError,
        ServiceResponseError,
        ServiceResponseTimeoutError,
        StreamClosedError,
        StreamConsumedError,
    )
    from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
    from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse
    from azure.core.utils import case_insensitive_dict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, MutableMapping

    from mockface.server import Mockface
    from mockface.wire import Request, Response

_READ_TIMEOUT = 300.0  # azure-core's own
_BAD_REQUEST = 400


class MockfaceTransport(HttpTransport[HttpRequest, HttpResponse]):
    """For the synchronous clients.

    Args:
        mock: What answers; it need not listen.
        read_timeout: Seconds to wait for an answer, or for its next piece; `None` waits for ever.
        sleep: Waits, before a retry of the client library and where an answer is delayed. By
            default real time passes; `mock.clock.advance` lets the emulator's pass instead.

    Raises:
        TypeError: `mock` is no `Mockface`.
    """

    def __init__(
        self,
        mock: Mockface,
        *,
        read_timeout: float | None = _READ_TIMEOUT,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._handle = _handler(mock)
        self._read_timeout = read_timeout
        self._sleep = sleep or super().sleep

    def send(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Answers a request.

        Args:
            request: From the pipeline.
            **kwargs: `stream` leaves the body unread; `read_timeout` as for the class. All others
                are about sockets.

        Raises:
            ServiceResponseError: The connection was reset.
            ServiceResponseTimeoutError: The answer is delayed for longer than the time-out.
            ServiceRequestError: Its body is.
            IncompleteReadError: The body was cut off.
        """
        response = self._handle(_message(request, request.data))
        patience = _patience(kwargs.get("read_timeout", self._read_timeout))
        for seconds in _waits(response, patience):
            self.sleep(seconds)
        if response.delivery.reset:
            raise ServiceResponseError("The connection was reset by the peer.")
        answer = _Answer(request, response, patience, self.sleep)
        if not kwargs.get("stream"):
            try:
                answer.read()
            except ServiceResponseTimeoutError as late:
                # What `RequestsTransport` makes of it, unlike the asynchronous one.
                raise ServiceRequestError(late.message) from None
        return answer

    def sleep(self, duration: float) -> None:
        """Waits as many seconds."""
        self._sleep(duration)

    def open(self) -> None:
        """There is nothing to open."""

    def close(self) -> None:
        """There is nothing to close."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncMockfaceTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """For the asynchronous clients.

    Args:
        mock: See `MockfaceTransport`.
        read_timeout: See `MockfaceTransport`.
        sleep: See `MockfaceTransport`; may give something to be awaited.
    """

    def __init__(
        self,
        mock: Mockface,
        *,
        read_timeout: float | None = _READ_TIMEOUT,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._handle = _handler(mock)
        self._read_timeout = read_timeout
        self._sleep = sleep or super().sleep

    async def send(self, request: HttpRequest, **kwargs: Any) -> AsyncHttpResponse:
        """Answers a request; see `MockfaceTransport.send`.

        Raises:
            ServiceRequestError: The connection was reset.
            ServiceResponseTimeoutError: The answer is delayed for longer than the time-out.
            IncompleteReadError: The body was cut off.
        """
        data = request.data
        if hasattr(data, "__aiter__"):
            data = b"".join([piece async for piece in data])
        response = self._handle(_message(request, data))
        patience = _patience(kwargs.get("read_timeout", self._read_timeout))
        for seconds in _waits(response, patience):
            await self.sleep(seconds)
        if response.delivery.reset:
            raise ServiceRequestError("The connection was reset by the peer.")
        answer = _AsyncAnswer(request, response, patience, self.sleep)
        if not kwargs.get("stream"):
            await answer.read()
        return answer

    async def sleep(self, duration: float) -> None:
        """Waits as many seconds."""
        waiting = self._sleep(duration)
        if inspect.isawaitable(waiting):
            await waiting

    async def open(self) -> None:
        """There is nothing to open."""

    async def close(self) -> None:
        """There is nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _handler(mock: object) -> Callable[[Request], Response]:
    # A `ControlClient`, such as the pytest fixture, is the likely slip.
    service = getattr(mock, "service", None)
    if service is None:
        raise TypeError(
            "mock must be a mockface.Mockface: a transport ends in this process. Over a socket the "
            f"client library needs none; this is a {type(mock).__name__}."
        )
    handle: Callable[[Request], Response] = service.handle
    return handle


def _message(request: HttpRequest, data: Any) -> Request:
    """A request as it would arrive: forms and files are written out as requests writes them."""
    prepared = requests.Request(
        request.method, request.url, dict(request.headers), files=request.files, data=data
    ).prepare()
    body: Any = prepared.body or b""
    if hasattr(body, "read"):
        body = body.read()
    if isinstance(body, str):
        body = body.encode("utf-8")
    if not isinstance(body, bytes):
        body = b"".join(body)
    return sending.request(request.method, prepared.url or request.url, prepared.headers, body)


def _patience(read_timeout: float | None) -> float:
    """Seconds; without a time-out azure-core waits for ever."""
    return math.inf if read_timeout is None else read_timeout


def _waits(response: Response, patience: float) -> Iterator[float]:
    """The seconds to wait for the beginning of an answer."""
    if response.delay:
        yield min(response.delay, patience)
    if response.delay > patience:
        raise ServiceResponseTimeoutError("The answer takes too long.")


class _Arrived:
    """What both colours of an answer have in common."""

    def __init__(self, request: HttpRequest, response: Response, patience: float) -> None:
        self._request = request
        self._response = response
        self._patience = patience
        self._headers = case_insensitive_dict(response.headers)
        self._headers["Content-Length"] = str(len(response.body))
        self._encoding: str | None = None
        self._content: bytes | None = None
        self._is_closed = self._is_stream_consumed = False

    @property
    def request(self) -> HttpRequest:
        return self._request

    @property
    def url(self) -> str:
        return str(self._request.url)

    @property
    def status_code(self) -> int:
        return self._response.status

    @property
    def reason(self) -> str:
        return responses.get(self._response.status, "")

    @property
    def headers(self) -> MutableMapping[str, str]:
        return self._headers

    @property
    def content_type(self) -> str:
        # An answer without a body may lack it; the pipeline then takes the body for JSON.
        return str(self._headers.get("Content-Type", ""))

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    @property
    def is_stream_consumed(self) -> bool:
        return self._is_stream_consumed

    @property
    def encoding(self) -> str | None:
        return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = value

    @property
    def content(self) -> bytes:
        if self._content is None:
            raise ResponseNotReadError(self)
        return self._content

    def text(self, encoding: str | None = None) -> str:
        charset = encoding or self._encoding or "utf-8-sig"
        return self.content.decode(charset, "replace")

    def json(self) -> Any:
        return loads(self.text())

    def raise_for_status(self) -> None:
        if self.status_code >= _BAD_REQUEST:
            raise HttpResponseError(response=self)

    def __repr__(self) -> str:
        return f"<HttpResponse: {self.status_code} {self.reason}>"

    def _pieces(self) -> Iterator[tuple[float, bytes]]:
        """The body's pieces, each with the seconds to wait for it."""
        if self._content is not None:
            yield 0, self._content
            return
        if self._is_stream_consumed:
            raise StreamConsumedError(self)
        if self._is_closed:
            raise StreamClosedError(self)
        self._is_stream_consumed = True
        missing = len(self._response.body)
        for pause, piece in self._response.pieces():
            yield min(pause, self._patience), b"" if pause > self._patience else piece
            if pause > self._patience:
                raise ServiceResponseTimeoutError("The answer comes too slowly.")
            missing -= len(piece)
        self._is_closed = True
        if missing:
            raise IncompleteReadError(f"The body was cut off: {missing} bytes are missing.")


class _Answer(_Arrived, HttpResponse):
    def __init__(
        self,
        request: HttpRequest,
        response: Response,
        patience: float,
        sleep: Callable[[float], object],
    ) -> None:
        super().__init__(request, response, patience)
        self._sleep = sleep

    def read(self) -> bytes:
        self._content = b"".join(self.iter_bytes())
        return self._content

    def iter_bytes(self, **_: Any) -> Iterator[bytes]:
        for seconds, piece in self._pieces():
            if seconds:
                self._sleep(seconds)
            if piece:
                yield piece

    iter_raw = iter_bytes  # nothing is compressed

    def close(self) -> None:
        self._is_closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _AsyncAnswer(_Arrived, AsyncHttpResponse):
    def __init__(
        self,
        request: HttpRequest,
        response: Response,
        patience: float,
        sleep: Callable[[float], Any],
    ) -> None:
        super().__init__(request, response, patience)
        self._sleep = sleep

    async def read(self) -> bytes:
        self._content = b"".join([piece async for piece in self.iter_bytes()])
        return self._content

    async def iter_bytes(self, **_: Any) -> AsyncIterator[bytes]:
        for seconds, piece in self._pieces():
            if seconds:
                await self._sleep(seconds)
            if piece:
                yield piece

    iter_raw = iter_bytes  # nothing is compressed

    async def close(self) -> None:
        self._is_closed = True

    async def __aexit__(self, *_: object) -> None:
        await self.close()
