"""A request and an answer of our own: no web framework decides how the emulator is served."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

JSON = "application/json"
Json = dict[str, object]
MOST_BODY_BYTES = 16 * 1024 * 1024
"""The largest body that is taken; a server reads one byte more at most, so that it shows."""

_PIECES_A_SECOND = 10  # of a slow body


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived.

    Attributes:
        method: In upper case.
        path: Decoded, with its leading slash.
        query: The raw query string.
        headers: Names in lower case.
        body: At most `MOST_BODY_BYTES` + 1 bytes.
        origin: Scheme and host as the caller sees them, `http://127.0.0.1:8080`.
        peer: The caller's address.
        oversized: The body was longer than that, and the server has thrown it away.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    origin: str = "http://localhost"
    peer: str = "127.0.0.1"
    oversized: bool = False

    def header(self, name: str) -> str | None:
        """A header's value, or `None`; the name is given in lower case."""
        return self.headers.get(name)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an answer travels. A server that cannot do one of these closes the connection early.

    Attributes:
        bytes_per_second: How fast the body goes; `None` is at once.
        cut_after: Bytes of the body after which the connection is closed, although
            `Content-Length` speaks of all of them; `None` sends the whole.
        reset: Nothing is sent at all: the connection is reset (RST).
    """

    bytes_per_second: float | None = None
    cut_after: int | None = None
    reset: bool = False


WHOLE = Delivery()
"""As it should be. A server may test `response.delivery is WHOLE` to keep to its fast path."""


@dataclass(slots=True)
class Response:
    """What goes back.

    Attributes:
        status: The HTTP status.
        body: All of it; `delivery` says how much of it arrives.
        headers: Without `Content-Length`, which is the length of `body`.
        delay: Seconds the server waits before it answers.
        delivery: How it is to be sent.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    delivery: Delivery = WHOLE

    def pieces(self) -> Iterator[tuple[float, bytes]]:
        """What of the body arrives: pieces, each with the seconds to wait before it is sent.

        After the last one the server closes the connection if that was not the whole body.
        """
        how = self.delivery
        sent = b"" if how.reset else self.body[: how.cut_after]
        if how.bytes_per_second is None:
            yield 0.0, sent
            return
        size = max(1, int(how.bytes_per_second / _PIECES_A_SECOND))
        for start in range(0, len(sent), size):
            piece = sent[start : start + size]
            yield len(piece) / how.bytes_per_second, piece
