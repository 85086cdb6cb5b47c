"""Reads HTTP/1.1 requests out of the bytes of a connection (RFC 9112); does no I/O itself.

Strict where leniency would let two parties read the same bytes differently, and bounded
everywhere: what does not fit is refused as soon as that shows.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from urllib.parse import unquote_to_bytes

from mockface.wire import MOST_BODY_BYTES, Request, WireError

MOST_HEAD_BYTES = 32 * 1024
"""The longest request line with its header fields."""

_MOST_FIELDS = 100
_MOST_TARGET = 8192
_MOST_CHUNK_LINE = 256
_MOST_LENGTH_DIGITS = 15

_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}"
_REQUEST_LINE = re.compile(rf"({_WORD}) ([!-~\x80-\xff]+) HTTP/([0-9])\.([0-9])")
_FIELDS = re.compile(rf"(?:{_WORD}:[\t -~\x80-\xff]*\r\n)*+")
_HOST = re.compile(r"[A-Za-z0-9\-._~%:\[\]]*")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[\t -~\x80-\xff]*)?")
_START_OF_A_METHOD = re.compile(rb"[A-Za-z]")
_ONLY_ONCE = frozenset({"host", "content-length", "transfer-encoding"})


class RequestReader:
    """Makes requests of bytes.

    Args:
        peer: The caller's address.
        authority: Host and port for callers that name none, as HTTP/1.0 allows.
        most_body: The longest body that is kept.
    """

    __slots__ = (
        "_authority",
        "_body",
        "_buffer",
        "_continue",
        "_head",
        "_most_body",
        "_peer",
        "_scanned",
        "keep_alive",
        "old",
    )

    def __init__(
        self, *, peer: str, authority: str = "localhost", most_body: int = MOST_BODY_BYTES
    ) -> None:
        self._peer = peer
        self._authority = authority
        self._most_body = most_body
        self._buffer = bytearray()
        self._scanned = 0  # so that a head that comes byte by byte is searched once
        self._head: tuple[str, str, str, str, dict[str, str]] | None = None
        self._body: _Sized | _Chunked | None = None
        self._continue = False
        self.keep_alive = True
        """Whether the connection goes on after the last request that was read."""
        self.old = False
        """Whether that request was one of HTTP/1.0."""

    @property
    def waiting(self) -> int:
        """How many bytes have arrived that no request has been made of."""
        return len(self._buffer)

    @property
    def between_requests(self) -> bool:
        """Whether nothing of a next request has arrived."""
        return self._head is None and not self._buffer

    def feed(self, data: bytes | memoryview) -> None:
        """Takes what has arrived."""
        self._buffer += data

    def wants_continue(self) -> bool:
        """Whether the client waits for `100 Continue` before it sends the body; said once."""
        wanted, self._continue = self._continue, False
        return wanted

    def next(self) -> Request | None:
        """The next request, or `None` if more bytes are needed.

        A request whose body is too long is given at once, as oversized and without the body; the
        connection cannot go on after it.

        Raises:
            WireError: The bytes are no request, or one that cannot be served. The connection cannot
                go on.
        """
        if self._head is None and not self._read_head():
            return None
        body = b""
        oversized = False
        if self._body is not None:
            done = self._body.read(self._buffer)
            oversized = self._body.size > self._most_body
            if not done and not oversized:
                return None
            if oversized:
                self.keep_alive = False
            else:
                body = self._body.taken()
        assert self._head is not None  # noqa: S101 - `_read_head` has just seen to it
        method, path, query, origin, headers = self._head
        self._head = self._body = None
        self._continue = False
        return Request(method, path, query, headers, body, origin, self._peer, oversized)

    def _read_head(self) -> bool:
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):  # some clients end a body with a line too many
            del buffer[:2]
        end = buffer.find(b"\r\n\r\n", self._scanned)
        if end < 0:
            self._scanned = max(0, len(buffer) - 3)
            self._check_beginning()
            return False
        if end > MOST_HEAD_BYTES:
            raise _too_long()
        line, _, fields = buffer[: end + 2].decode("latin-1").partition("\r\n")
        del buffer[: end + 4]
        self._scanned = 0
        method, target, version = _request_line(line)
        headers = _headers(fields)
        path, query, host = _place(target, headers.get("host"), version)
        self.old = version < (1, 1)
        self.keep_alive = _keeps_alive(headers.get("connection", ""), version)
        self._body = self._framing(headers, version)
        self._continue = (
            self._body is not None
            and version >= (1, 1)
            and headers.get("expect", "").lower() == "100-continue"
        )
        self._head = (method, path, query, f"http://{host or self._authority}", headers)
        return True

    def _check_beginning(self) -> None:
        buffer = self._buffer
        if buffer and not _START_OF_A_METHOD.match(buffer) and buffer != b"\r":
            raise _bad("This is no HTTP; the emulator speaks http, not https.")
        if len(buffer) > MOST_HEAD_BYTES:
            raise _too_long()

    def _framing(
        self, headers: dict[str, str], version: tuple[int, int]
    ) -> _Sized | _Chunked | None:
        """How long the body is (RFC 9112, section 6.3); `None` for a request without one."""
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if coding is not None:
            if length is not None or version < (1, 1):
                raise _bad("The length of the body is said in two ways.")
            if coding.lower() != "chunked":
                raise WireError(501, "BadArgument", "The only transfer coding known is chunked.")
            return _Chunked(self._most_body)
        if length is None:
            return None
        if not (length.isascii() and length.isdigit() and len(length) <= _MOST_LENGTH_DIGITS):
            raise _bad("Content-Length is not a number.")
        return _Sized(int(length)) if int(length) else None


class _Sized:
    """A body with a `Content-Length`."""

    __slots__ = ("_data", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self._data = b""

    def read(self, buffer: bytearray) -> bool:
        if len(buffer) < self.size:
            return False
        self._data = bytes(buffer[: self.size])
        del buffer[: self.size]
        return True

    def taken(self) -> bytes:
        return self._data


class _Expect(Enum):
    """What comes next in a chunked body."""

    SIZE = auto()
    DATA = auto()
    END_OF_DATA = auto()
    TRAILER = auto()


class _Chunked:
    """A body in chunks (RFC 9112, section 7.1); chunk extensions and trailers are passed over."""

    __slots__ = ("_data", "_expect", "_left", "_most", "_trailers", "size")

    def __init__(self, most: int) -> None:
        self.size = 0
        self._data = bytearray()
        self._most = most
        self._expect = _Expect.SIZE
        self._left = 0
        self._trailers = 0

    def read(self, buffer: bytearray) -> bool:
        """Whether the body is complete; stops as soon as it is too long."""
        at = 0
        try:
            while True:
                if self._expect is _Expect.DATA:
                    piece = buffer[at : at + self._left]
                    at += len(piece)
                    self._data += piece
                    self._left -= len(piece)
                    if self._left:
                        return False
                    self._expect = _Expect.END_OF_DATA
                end = buffer.find(b"\r\n", at)
                if end < 0:
                    if len(buffer) - at > _MOST_CHUNK_LINE:
                        raise _bad("A chunk of the body is malformed.")
                    return False
                line = bytes(buffer[at:end])
                at = end + 2
                if self._line(line):
                    return True
                if self.size > self._most:
                    return False
        finally:
            del buffer[:at]

    def _line(self, line: bytes) -> bool:
        """Takes a line between the data; gives back whether it was the last one."""
        if self._expect is _Expect.TRAILER:
            self._trailers += len(line)
            if self._trailers > MOST_HEAD_BYTES:
                raise _too_long()
            return not line
        if self._expect is _Expect.END_OF_DATA:
            if line:
                raise _bad("A chunk of the body is malformed.")
            self._expect = _Expect.SIZE
            return False
        said = _CHUNK_LINE.fullmatch(line)
        if said is None or len(line) > _MOST_CHUNK_LINE:
            raise _bad("A chunk of the body is malformed.")
        self._left = int(said[1], 16)
        self.size += self._left
        self._expect = _Expect.DATA if self._left else _Expect.TRAILER
        return False

    def taken(self) -> bytes:
        return bytes(self._data)


def _request_line(line: str) -> tuple[str, str, tuple[int, int]]:
    said = _REQUEST_LINE.fullmatch(line)
    if said is None:
        raise _bad("The request line is malformed.")
    method, target, major, minor = said.groups()
    if major != "1":
        raise WireError(505, "BadArgument", "The emulator speaks HTTP/1.1.")
    if len(target) > _MOST_TARGET:
        raise WireError(414, "BadArgument", f"The URL has more than {_MOST_TARGET} characters.")
    return method.upper(), target, (int(major), int(minor))


def _headers(fields: str) -> dict[str, str]:
    """The fields by their names in lower case; of one name the values are joined."""
    if _FIELDS.fullmatch(fields) is None:
        raise _bad("A header field is malformed.")
    lines = fields.split("\r\n")
    if len(lines) > _MOST_FIELDS:
        raise _too_long()
    lines.pop()
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        if name in headers:
            if name in _ONLY_ONCE:
                raise _bad(f"The header field {name} is there twice.")
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return headers


def _place(target: str, host: str | None, version: tuple[int, int]) -> tuple[str, str, str]:
    """Path, query and host of a target in origin or absolute form, or of `*`."""
    if host is None:
        if version >= (1, 1):
            raise _bad("The header field host is missing.")
        host = ""
    if target[:7].lower() == "http://":
        host, slash, rest = target[7:].partition("/")
        target = slash + rest or "/"
    if _HOST.fullmatch(host) is None:
        raise _bad("The header field host is malformed.")
    path, _, query = target.partition("?")
    if "%" in path or not path.isascii():
        path = unquote_to_bytes(path.encode("latin-1")).decode("utf-8", "replace")
    if not path.startswith("/") and path != "*":
        raise _bad("The target of the request is no path.")
    return path, query, host


def _keeps_alive(connection: str, version: tuple[int, int]) -> bool:
    if not connection:
        return version >= (1, 1)
    said = {word.strip().lower() for word in connection.split(",")}
    return "close" not in said and (version >= (1, 1) or "keep-alive" in said)


def _bad(message: str) -> WireError:
    return WireError(400, "BadArgument", message)


def _too_long() -> WireError:
    return WireError(431, "BadArgument", "The header fields are too many or too long.")
