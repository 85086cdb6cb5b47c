"""How a body becomes JSON, or does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livegate.errors import FaceAnswerError
from livegate.face.replies import LONGEST_WAIT, Reply, parse


def reply(body: bytes | None) -> Reply:
    return Reply(200, {}, body, received_at=0)


@settings(deadline=None)
@given(
    st.dictionaries(st.text(), st.none() | st.integers() | st.floats(allow_nan=False) | st.text()),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_an_object_is_read_with_or_without_a_byte_order_mark(body: Any, mark: bytes) -> None:
    if float("inf") in body.values() or float("-inf") in body.values():
        return
    assert parse(reply(mark + json.dumps(body).encode())) == body


@pytest.mark.parametrize(
    "body",
    [
        None,
        b"",
        b"[{}]",
        b"null",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": 1} {}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' + b"[" * 100_000,
        '{"a": "é"}'.encode("latin-1"),
        '{"a": 1}'.encode("utf-16"),
    ],
    ids=lambda body: repr(body)[:30],
)
def test_anything_else_is_no_answer(body: bytes | None) -> None:
    with pytest.raises(FaceAnswerError):
        parse(reply(body))


def test_no_repr_holds_the_body_or_a_header() -> None:
    answer = Reply(200, {"x-echo": "canary"}, b"canary", received_at=0)
    assert "canary" not in repr(answer)


@settings(deadline=None)
@given(st.binary())
def test_no_body_breaks_the_reader(body: bytes) -> None:
    answer = reply(body)
    try:
        parsed = parse(answer)
    except FaceAnswerError:
        parsed = {}
    assert isinstance(parsed, dict)
    assert isinstance(answer.error, dict)


@settings(deadline=None)
@given(st.text() | st.from_regex(r"\w{3}, \d+ Jan \d+ \d+:\d+:\d+ [+-]?\w+", fullmatch=True))
def test_no_header_makes_anybody_wait_for_ever(text: str) -> None:
    seconds = Reply(429, {"retry-after": text}, b"", received_at=1_700_000_000).retry_after
    assert seconds is None or 0 <= seconds <= LONGEST_WAIT
