"""Cursors: a place in the order of sessions, and nothing else that a caller could send."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livegate._cursor import decode, encode
from livegate.errors import InvalidRequestError
from livegate.protocols import Record

NOW = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
RECORD = Record("a" * 32, "alice", None, "ready", "present", "default", NOW, NOW, None, 1, b"{}")


def packed(content: object) -> str:
    text = content if isinstance(content, str) else json.dumps(content)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.text("abcXYZ019_-", min_size=1, max_size=64),
)
def test_a_cursor_comes_back_as_the_place_that_it_was_made_of(
    created_at: datetime, session_id: str
) -> None:
    cursor = encode(replace(RECORD, created_at=created_at, id=session_id))

    assert decode(cursor) == (created_at, session_id)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)


def test_a_cursor_of_another_process_of_this_version_can_be_read() -> None:
    cursor = packed([1_767_270_615_123_456, RECORD.id])

    assert encode(RECORD) == cursor
    assert decode(cursor) == (NOW, RECORD.id)


def test_a_cursor_holds_no_name() -> None:
    assert b"alice" not in base64.urlsafe_b64decode(encode(RECORD) + "==")


MICROS = 1_767_270_615_123_456
WRONG: list[Any] = [
    None,
    7,
    b"x",
    "",
    "x",
    "é" * 8,
    "\ud800",
    encode(RECORD) + "=",
    encode(RECORD) + "A",
    encode(RECORD)[:-1],
    " " + encode(RECORD),
    packed("{"),
    packed([]),
    packed([MICROS]),
    packed([MICROS, 7]),
    packed(["7", "a"]),
    packed([True, "a"]),
    packed([1.5, "a"]),
    packed([MICROS, "é"]),
    packed([MICROS, "\ud800"]),
    packed([10**30, "a"]),
    packed([MICROS, "a", "b"]),
    packed(f'[{MICROS},"a"]'),
    packed("[" * 100_000),
]


@pytest.mark.parametrize("cursor", WRONG, ids=lambda cursor: repr(cursor)[:40])
def test_what_encode_did_not_make_is_an_error_of_the_request(cursor: Any) -> None:
    with pytest.raises(InvalidRequestError) as error:
        decode(cursor)

    assert (error.value.code, error.value.field, error.value.status) == (
        "invalid_request",
        "cursor",
        400,
    )


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda data: packed(data.hex())))
def test_no_text_makes_anything_but_a_place_or_an_error(cursor: str) -> None:
    try:
        created_at, session_id = decode(cursor)
    except InvalidRequestError:
        return
    assert encode(replace(RECORD, created_at=created_at, id=session_id)) == cursor
