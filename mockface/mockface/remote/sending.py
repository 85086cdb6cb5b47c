"""How a message reaches the emulator: over HTTP, or within this process with no socket.

It needs the standard library only.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from errno import ECONNRESET
from http.client import HTTPConnection, HTTPSConnection, IncompleteRead
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from mockface.wire import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mockface.wire import Response

_DEFAULT_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back.

    Attributes:
        status: The HTTP status.
        headers: Names in lower case.
        body: The whole body.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Send(Protocol):
    """A way to the emulator."""

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Reply:
        """Sends a message and waits for the reply.

        Args:
            method: In upper case.
            url: With scheme and host.
            headers: As they go out.
            body: As it goes out.

        Raises:
            OSError: Nothing answers; `TimeoutError`: it answers too late.
            HTTPException: What came back is no whole answer.
            ValueError: The URL is none.
        """
        ...  # a signature has no body


def over_http(timeout: float = _DEFAULT_TIMEOUT) -> Send:
    """A way over HTTP, with a connection for each message.

    Args:
        timeout: Seconds to wait for the answer.
    """

    def send(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        where = urlsplit(url)
        connect = HTTPSConnection if where.scheme == "https" else HTTPConnection
        connection = connect(where.hostname or "", where.port, timeout=timeout)
        try:
            connection.request(method, _target(where), body, dict(headers))
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, named, response.read())
        finally:
            connection.close()

    return send


def in_process(handle: Callable[[Request], Response], timeout: float = _DEFAULT_TIMEOUT) -> Send:
    """A way with no socket. The URL's host may be any: it is what the caller believes.

    Args:
        handle: What answers: `Service.handle`.
        timeout: Seconds to wait for an answer, or for its next piece, before it is too late.
    """

    def send(method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        response = handle(request(method, url, headers, body))
        _wait(response.delay, timeout)
        if response.delivery.reset:
            raise ConnectionResetError(ECONNRESET, "The connection was reset.")
        arrived = b""
        for pause, piece in response.pieces():
            _wait(pause, timeout)
            arrived += piece
        missing = len(response.body) - len(arrived)
        if missing:
            raise IncompleteRead(arrived, missing)
        named = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status, named, arrived)

    return send


def request(method: str, url: str, headers: Mapping[str, str], body: bytes) -> Request:
    """The emulator's own form of a message."""
    where = urlsplit(url)
    return Request(
        method=method,
        path=unquote(where.path) or "/",
        query=where.query,
        headers={name.lower(): value for name, value in headers.items()},
        body=body,
        origin=f"{where.scheme}://{where.netloc.rpartition('@')[2]}",
    )


def _wait(seconds: float, timeout: float) -> None:
    """As with a socket, the limit is for each wait, not for all of them together."""
    time.sleep(min(seconds, timeout))
    if seconds > timeout:
        raise TimeoutError("The answer takes too long.")


def _target(where: SplitResult) -> str:
    path = where.path or "/"
    return f"{path}?{where.query}" if where.query else path
