"""Arbitrary records, as hypothesis strategies."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from livegate.protocols import Record
from livegate.testing.store_suite.samples import REMOTES, STATES


def names(longest: int) -> st.SearchStrategy[str]:
    """Any text that may be a name."""
    legal = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    return st.text(legal, min_size=1, max_size=longest)


times = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis wants the bounds naive
    max_value=datetime(2999, 12, 31),  # noqa: DTZ001 - the same
    timezones=st.just(UTC),
)
bodies = st.binary(max_size=50)
records = st.builds(
    Record,
    id=names(64),
    subject=names(255),
    key=st.none() | names(255),
    state=st.sampled_from(STATES),
    remote=st.sampled_from(REMOTES),
    purpose=names(64),
    created_at=times,
    updated_at=times,
    due_at=st.none() | times,
    version=st.integers(1, 2**31 - 1),
    body=bodies,
)
"""Any record that a store has to keep; the core would not make all of them."""
