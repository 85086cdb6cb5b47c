"""Requests out of bytes: what is read, what is refused, and that it never matters how they come."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockface.serving.http1 import MOST_HEAD_BYTES, RequestReader
from mockface.wire import Request, WireError

MOST_BODY = 1000


def reader() -> RequestReader:
    return RequestReader(peer="127.0.0.9", authority="127.0.0.1:8178", most_body=MOST_BODY)


def read(*pieces: bytes) -> list[Request]:
    """All requests in the bytes, however they are cut."""
    reading = reader()
    found = []
    for piece in pieces:
        reading.feed(piece)
        while (request := reading.next()) is not None:
            found.append(request)
            if request.oversized:
                return found
    return found


def one(data: bytes) -> Request:
    (request,) = read(data)
    return request


def get(*fields: bytes, target: bytes = b"/", version: bytes = b"1.1") -> bytes:
    lines = (b"GET " + target + b" HTTP/" + version, b"Host: h", *fields)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def post(*fields: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join((b"POST / HTTP/1.1", b"Host: h", *fields)) + b"\r\n\r\n" + body


CHUNKED = b"Transfer-Encoding: chunked"


def test_a_request_is_read_in_full() -> None:
    request = one(
        b"post /face/v1.2/x%20y/%C3%A9?a=%20b?c HTTP/1.1\r\nHost: 127.0.0.1:80\r\n"
        b"X-Two: 1\r\nEmpty:\r\nx-two:\t 2 \r\nContent-Length: 3\r\n\r\n\r\na"
    )
    assert request == Request(
        method="POST",
        path="/face/v1.2/x y/é",
        query="a=%20b?c",
        headers={
            "host": "127.0.0.1:80",
            "x-two": "1, 2",
            "empty": "",
            "content-length": "3",
        },
        body=b"\r\na",
        origin="http://127.0.0.1:80",
        peer="127.0.0.9",
    )


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/", "/", ""),
        (b"//a//", "//a//", ""),
        (b"/a?", "/a", ""),
        (b"/%ff", "/\ufffd", ""),
        (b"/\xc3\xa9", "/é", ""),
        (b"/%zz%", "/%zz%", ""),
        (b"/%2e%2e/%2F?%2F", "/..//", "%2F"),
        (b"*", "*", ""),
        (b"http://other:1/a?b", "/a", "b"),
        (b"HTTP://other:1", "/", ""),
    ],
)
def test_targets(target: bytes, path: str, query: str) -> None:
    request = one(get(target=target))
    assert (request.path, request.query) == (path, query)
    assert request.origin == ("http://other:1" if b"other" in target else "http://h")


def test_a_client_of_http_1_0_need_not_name_a_host() -> None:
    assert one(b"GET / HTTP/1.0\r\n\r\n").origin == "http://127.0.0.1:8178"


@pytest.mark.parametrize(
    ("version", "fields", "goes_on"),
    [
        (b"1.1", (), True),
        (b"1.1", (b"Connection: close",), False),
        (b"1.1", (b"Connection: x, Close",), False),
        (b"1.1", (b"Connection: keep-alive",), True),
        (b"1.0", (), False),
        (b"1.0", (b"Connection: Keep-Alive",), True),
        (b"1.0", (b"Connection: keep-alive, close",), False),
    ],
)
def test_who_goes_on_after_a_request(
    version: bytes, fields: tuple[bytes, ...], goes_on: bool
) -> None:
    reading = reader()
    reading.feed(get(*fields, version=version))
    assert reading.next() is not None
    assert reading.keep_alive is goes_on
    assert reading.old is (version == b"1.0")


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (post(), b""),
        (post(b"Content-Length: 0"), b""),
        (post(b"Content-Length: 4", body=b"\0\r\n\xff"), b"\0\r\n\xff"),
        (post(CHUNKED, body=b"0\r\n\r\n"), b""),
        (post(CHUNKED, body=b"3\r\nabc\r\n00A;x=y\r\n0123456789\r\n0\r\n\r\n"), b"abc0123456789"),
        (post(b"transfer-encoding: CHUNKED", body=b"1 \r\n\r\r\n0\r\nTrailer: x\r\n\r\n"), b"\r"),
    ],
)
def test_bodies(data: bytes, body: bytes) -> None:
    assert one(data).body == body
    assert [request.body for request in read(data * 3)] == [body] * 3


def test_lines_too_many_before_a_request_do_no_harm() -> None:
    assert len(read(b"\r\n\r\n" + get() + b"\r\n" + get() + b"\r\n")) == 2


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\0", 400),  # a client that speaks TLS
        (b"GET /\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GET / http/1.1\r\nHost: h\r\n\r\n", 400),
        (b"GE(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no host
        (get(b"Host: again"), 400),
        (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        (get(target=b"http://a@b/"), 400),
        (get(target=b"h:80"), 400),
        (get(target=b"/a b"), 400),
        (get(target=b"/\x01"), 400),
        (get(target=b"/" + b"a" * 9000), 414),
        (get(b"No colon"), 400),
        (get(b"Name : x"), 400),
        (get(b": x"), 400),
        (get(b" folded"), 400),
        (get(b"X: a\0b"), 400),
        (get(b"X: a\nY: b"), 400),
        (get(b"X: a\rb"), 400),
        (get(*[b"X: y"] * 100), 431),
        (get(b"X: " + b"y" * MOST_HEAD_BYTES), 431),
        (b"GET /" + b"a" * MOST_HEAD_BYTES, 431),
        (post(b"Content-Length: 1", b"Content-Length: 1"), 400),
        (post(b"Content-Length: +1"), 400),
        (post(b"Content-Length: 1, 1"), 400),
        (post("Content-Length: ²".encode("latin-1")), 400),
        (post(b"Content-Length: "), 400),
        (post(b"Content-Length: " + b"9" * 99), 400),
        (post(b"Content-Length: 1", CHUNKED), 400),
        (post(CHUNKED, CHUNKED), 400),
        (post(b"Transfer-Encoding: gzip, chunked"), 501),
        (b"POST / HTTP/1.0\r\n" + CHUNKED + b"\r\n\r\n", 400),
        (post(CHUNKED, body=b"x\r\n"), 400),
        (post(CHUNKED, body=b"-1\r\n"), 400),
        (post(CHUNKED, body=b"0x1\r\n"), 400),
        (post(CHUNKED, body=b"\r\n"), 400),
        (post(CHUNKED, body=b"1\r\nab\r\n"), 400),
        (post(CHUNKED, body=b"1;\n\r\n"), 400),
        (post(CHUNKED, body=b"1;" + b"x" * 300), 400),
        (post(CHUNKED, body=b"1;" + b"x" * 300 + b"\r\n"), 400),
        (post(CHUNKED, body=b"123456789\r\n"), 400),
        (post(CHUNKED, body=b"0\r\n" + b"T: x\r\n" * 9000), 431),
    ],
)
def test_what_is_no_request_is_refused(data: bytes, status: int) -> None:
    with pytest.raises(WireError) as whole:
        read(data)
    with pytest.raises(WireError) as bytewise:
        read(*(data[at : at + 1] for at in range(len(data))))
    assert whole.value.status == bytewise.value.status == status


@pytest.mark.parametrize(
    "data",
    [
        post(b"Content-Length: 1001"),
        post(b"Content-Length: 999999999999999", body=b"abc"),
        post(CHUNKED, body=b"3e9\r\n"),
        post(CHUNKED, body=b"ffffffff\r\nabc"),
        post(CHUNKED, body=b"3e8\r\n" + bytes(1000) + b"\r\n1\r\nx"),
    ],
)
def test_a_body_that_is_too_long_is_told_at_once_and_not_kept(data: bytes) -> None:
    reading = reader()
    reading.feed(data)
    request = reading.next()
    assert request is not None
    assert request.oversized
    assert request.body == b""
    assert not reading.keep_alive
    assert not reading.wants_continue()


@pytest.mark.parametrize("data", [post(b"Content-Length: 1000"), post(CHUNKED, body=b"3e8\r\n")])
def test_a_body_of_the_greatest_length_is_kept(data: bytes) -> None:
    end = b"\r\n0\r\n\r\n" if CHUNKED in data else b""
    assert len(one(data + bytes(1000) + end).body) == 1000


def test_a_client_that_waits_to_send_its_body_is_told_once() -> None:
    reading = reader()
    reading.feed(post(b"Content-Length: 2", b"Expect: 100-Continue"))
    assert reading.next() is None
    assert reading.wants_continue()
    assert not reading.wants_continue()
    reading.feed(b"ab")
    request = reading.next()
    assert request is not None
    assert request.body == b"ab"


@pytest.mark.parametrize(
    "data",
    [
        post(b"Expect: 100-continue"),
        post(b"Content-Length: 2", b"Expect: 100-continue", body=b"ab"),
        b"POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n",
    ],
)
def test_who_need_not_wait_is_not_told_to_go_on(data: bytes) -> None:
    reading = reader()
    reading.feed(data)
    reading.next()
    assert not reading.wants_continue()


BODIES = st.binary(max_size=40)
WORDS = st.text("abcXYZ-09", min_size=1, max_size=8)


@st.composite
def written(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """A request on the wire, and its body."""
    target = draw(st.sampled_from([b"/", b"/a/b?c=d", b"/%C3%A9", b"http://h/x", b"*"]))
    fields = [f"X-{draw(WORDS)}: {draw(WORDS)}".encode() for _ in range(draw(st.integers(0, 3)))]
    body = draw(BODIES)
    if draw(st.booleans()):
        size = draw(st.integers(1, 10))
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        sent = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        fields.append(CHUNKED)
        sent += b"0\r\n\r\n"
    else:
        fields.append(b"Content-Length: %d" % len(body))
        sent = body
    lines = [b"PUT " + target + b" HTTP/1.1", b"Host: h", *fields]
    return b"\r\n".join(lines) + b"\r\n\r\n" + sent, body


@settings(max_examples=80, deadline=None)
@given(st.lists(written(), max_size=4), st.lists(st.integers(0, 400), max_size=8))
def test_it_does_not_matter_how_the_bytes_come(
    requests: list[tuple[bytes, bytes]], cuts: list[int]
) -> None:
    data = b"".join(sent for sent, _ in requests)
    ends = [0, *sorted(cuts), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(ends)]

    found = read(*pieces)

    assert found == read(data)
    assert [request.body for request in found] == [body for _, body in requests]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.text("GETPOST /HTP1.:\r\n\tab0;").map(str.encode))
def test_no_bytes_break_it(data: bytes) -> None:
    for prefix in (b"", get()[:-2], post(CHUNKED), post(b"Content-Length: 9")):
        try:
            read(prefix + data)
        except WireError as wrong:
            assert 400 <= wrong.status < 600
