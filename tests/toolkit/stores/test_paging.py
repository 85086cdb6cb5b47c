"""Positions and cursors."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.toolkit.stores.strategies import names, times

from livegate.errors import InvalidRequestError
from livegate.stores import paging
from livegate.stores.base import SessionQuery
from livegate.testing.store_suite.samples import NOW, SECOND

places = st.tuples(st.integers(-(2**63) + 2, 2**63 - 2), names)


@given(times, times)
def test_microseconds_keep_the_order(one: datetime, other: datetime) -> None:
    assert (paging.micros(one) < paging.micros(other)) == (one < other)
    assert timedelta(microseconds=paging.micros(one) - paging.micros(other)) == one - other


@given(places)
def test_a_cursor_leads_back(place: paging.Position) -> None:
    cursor = paging.to_cursor(place)
    assert paging.from_cursor(cursor) == place
    assert all(c.isascii() and (c.isalnum() or c in "-_") for c in cursor)


@given(st.text(st.characters()) | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        place = paging.from_cursor(text)
    except InvalidRequestError:
        return
    assert paging.to_cursor(place) == text


@pytest.mark.parametrize(
    "text",
    [
        '[true, "x"]',
        '[1.0, "x"]',
        '["1", "x"]',
        "[1, null]",
        '[1, "x", 2]',
        '[1,  "x"]',
        '[9223372036854775807, "x"]',
        '[-9223372036854775808, "x"]',
        '[1, "\\ud800"]',
        '{"1": "x"}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:30],
)
def test_a_cursor_made_by_hand_is_refused(text: str) -> None:
    """Given what would be of the wrong type, or more than a database holds; it gets no further."""
    cursor = base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidRequestError) as caught:
        paging.from_cursor(cursor)
    assert caught.value.field == "cursor"


def test_the_cursors_made_by_hand_are_made_well() -> None:
    """Given the same, without a fault; it is taken."""
    cursor = base64.urlsafe_b64encode(b'[1, "x"]').rstrip(b"=").decode()
    assert paging.from_cursor(cursor) == (1, "x")


@pytest.mark.parametrize(
    ("created_before", "cursor", "expected"),
    [
        (None, None, (2**63 - 1, "")),
        (NOW, None, (paging.micros(NOW), "")),
        (None, (5, "x"), (5, "x")),
        (NOW, (paging.micros(NOW) - 1, "x"), (paging.micros(NOW) - 1, "x")),
        (NOW, (paging.micros(NOW), "x"), (paging.micros(NOW), "")),
        (NOW, (paging.micros(NOW + SECOND), "x"), (paging.micros(NOW), "")),
    ],
)
def test_a_page_ends_at_the_stricter_of_both_bounds(
    created_before: datetime | None,
    cursor: paging.Position | None,
    expected: paging.Position,
) -> None:
    text = None if cursor is None else paging.to_cursor(cursor)
    assert paging.bound(SessionQuery(created_before=created_before, cursor=text)) == expected
