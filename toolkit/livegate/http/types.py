"""What an adapter hands over, and what it sends back: nothing of any framework."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping


class Headers(Protocol):
    """The headers of a request; every framework's own object will do."""

    def get(self, name: str, /) -> str | None:
        """The value of the header *name*, in whatever case the name is written, or None."""
        ...


@dataclass(slots=True)
class Request:
    """A request, as an adapter hands it over.

    Attributes:
        method: As it was sent; methods are case-sensitive.
        path: Below the prefix, still percent-encoded, with a slash at its start: ``/sessions``.
        base: The prefix as the client has it, decoded and without a slash at its end: behind the
            path of the mount point, if the application has one. For ``Location``.
        query: What comes after the question mark, as it was sent.
        headers: Of the request.
        read: Given a number of bytes, the next ones of the body, about so many, and ``b""`` at its
            end; sync or async. What it raises means that the body could not be received. It is not
            called before the caller is known to be signed in.
        client_address: The client's IP address as the framework sees it, or None.
        context_headers: Names of the headers that policies may see, as the application chose them.
    """

    method: str
    path: str
    base: str
    query: str
    headers: Headers = field(repr=False)
    read: Callable[[int], bytes | Awaitable[bytes]] = field(repr=False)
    client_address: str | None = field(default=None, repr=False)
    context_headers: tuple[str, ...] = ()


@dataclass(slots=True)
class Response:
    """A response, as an adapter sends it.

    Attributes:
        status: The HTTP status.
        headers: Each name once; ``Content-Length`` is that of the body that GET has.
        body: Empty for ``HEAD`` and 204.
    """

    status: int
    headers: dict[str, str]
    body: bytes = field(default=b"", repr=False)


_encode: Final = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


def json_response(
    status: int,
    content: Any = None,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """A response with *content* as JSON, or without a body when it is None."""
    # A token and a verdict are for the client that sent the request, and for this moment.
    common = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if headers:
        common |= headers
    if content is None:
        return Response(status, common)
    body = _encode(content).encode()
    common |= {"Content-Type": media_type, "Content-Length": str(len(body))}
    return Response(status, common, body)
