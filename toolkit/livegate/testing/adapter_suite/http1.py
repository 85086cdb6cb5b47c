"""A client that sends exactly the bytes of a test, over HTTP/1.1 and a socket of its own.

Libraries would normalize a path, add a body's length or follow a redirect.
"""
# ruff: noqa: S101 - tests

from __future__ import annotations

import json
import socket
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TIMEOUT: Final = 20
"""Seconds that a response may take."""


@dataclass(frozen=True, slots=True)
class RawResponse:
    """A response as it came.

    Attributes:
        method: Of the request.
        path: Below the prefix, without the query.
        status: The HTTP status.
        headers: In the order in which they came.
        body: As it came; for HEAD, what came behind the headers.
    """

    method: str
    path: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header that is there once, or None."""
        values = [value for each, value in self.headers if each.lower() == name.lower()]
        assert len(values) <= 1, f"{name} is there {len(values)} times"
        return values[0] if values else None

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class HttpClient:
    """Sends requests to one application.

    Attributes:
        base_url: Of the API, with the prefix: ``http://127.0.0.1:8000/liveness``.
        check: Called with every response, if there is one.
    """

    base_url: str
    check: Callable[[RawResponse], None] | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        assert parts.scheme == "http", "the contract is tested over plain HTTP"
        self.host = parts.netloc
        self.prefix = parts.path.rstrip("/")
        self._address = (parts.hostname or "", parts.port or 80)

    def send(
        self,
        method: str,
        path: str,
        *,
        user: str | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        sent: int | None = None,
    ) -> RawResponse:
        """Send a request, and return its response.

        Args:
            method: As it is sent.
            path: Below the prefix, with the query, as it is sent.
            user: Who is signed in: the header ``X-User``.
            headers: Further ones; they go before those that are added here.
            body: With its length, unless *headers* say ``Transfer-Encoding`` or ``Content-Length``.
            sent: How many bytes of the body are sent; by default all.
        """
        fields = {"Host": self.host, "Connection": "close"}
        if user is not None:
            fields["X-User"] = user
        fields |= headers or {}
        if (body or method == "POST") and not {"Content-Length", "Transfer-Encoding"} & {*fields}:
            fields["Content-Length"] = str(len(body))
        lines = [f"{method} {self.prefix}{path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in fields.items()]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        with socket.create_connection(self._address, TIMEOUT) as connection:
            connection.sendall(head)
            # A server may respond, and close the connection, before it has read the body.
            with suppress(ConnectionError):
                connection.sendall(body[:sent])
            response = HTTPResponse(connection, method=method)
            response.begin()
            # What a server sends behind the headers of a HEAD, the library would not return.
            content = response.fp.read() if method == "HEAD" else response.read()
        received = RawResponse(
            method, path.partition("?")[0], response.status, tuple(response.getheaders()), content
        )
        if self.check is not None:
            self.check(received)
        return received

    def json(
        self, method: str, path: str, content: object, *, user: str | None = None, **more: Any
    ) -> RawResponse:
        """Send *content* as JSON."""
        headers = {"Content-Type": "application/json", **more.pop("headers", {})}
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.send(method, path, user=user, headers=headers, body=body, **more)

    def form(
        self, path: str, *parts: tuple[str, bytes], user: str | None = None, **more: Any
    ) -> RawResponse:
        """POST a multipart form."""
        headers = {"Content-Type": form_type(), **more.pop("headers", {})}
        return self.send("POST", path, user=user, headers=headers, body=form_body(*parts), **more)


_BOUNDARY: Final = "a-boundary"


def form_type() -> str:
    """The media type of :func:`form_body`."""
    return f"multipart/form-data; boundary={_BOUNDARY}"


def form_body(*parts: tuple[str, bytes]) -> bytes:
    """A multipart form; what is called ``referenceImage`` has a file name."""
    body = bytearray()
    for name, content in parts:
        file = '; filename="me.jpg"' if name == "referenceImage" else ""
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return bytes(body) + f"--{_BOUNDARY}--\r\n".encode()
