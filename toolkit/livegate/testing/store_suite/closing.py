"""A closed store does nothing more, and what it wrote stays where it claims to keep it."""
# ruff: noqa: S101 - a kit of assertions

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from livegate.errors import StoreError
from livegate.stores.base import DURABLE, SHARED, SessionQuery
from livegate.testing.store_suite.driven import StoreSuite
from livegate.testing.store_suite.samples import (
    HOUR,
    NOW,
    a_full_session,
    a_session,
    due_since,
    next_of,
)

if TYPE_CHECKING:
    from livegate.testing.store_suite.driven import DrivenStore

OPERATIONS: Final[dict[str, tuple[Any, ...]]] = {
    "insert": (a_session("new"),),
    "get": ("session-1",),
    "lookup": ("alice", "key-1"),
    "save": (a_session(version=2), 1),
    "find": (SessionQuery(),),
    "due": (NOW, 1, HOUR),
    "purge": (NOW,),
    "erase": ("alice",),
}


class Closing(StoreSuite):
    """``close``, and the capabilities."""

    def test_capabilities_are_words(self, driven: DrivenStore) -> None:
        """Given a store; what it is capable of is a set of words that cannot be changed."""
        assert isinstance(driven.capabilities, frozenset)
        assert all(isinstance(word, str) for word in driven.capabilities)

    def test_closing_twice_is_no_error(self, driven: DrivenStore) -> None:
        """Given a closed store; when it is closed again, nothing happens."""
        driven.insert(a_session())
        driven.close()
        driven.close()

    @pytest.mark.parametrize("operation", OPERATIONS)
    def test_a_closed_store_says_so(self, driven: DrivenStore, operation: str) -> None:
        """Given a closed store; every operation fails as a store does."""
        driven.insert(a_session())
        driven.close()
        with pytest.raises(StoreError):
            getattr(driven, operation)(*OPERATIONS[operation])

    def test_what_was_written_stays(self, driven: DrivenStore, other: DrivenStore) -> None:
        """Given a durable store; when the handle that wrote is closed, another reads it all."""
        if DURABLE not in driven.capabilities:
            pytest.skip(f"the store does not claim {DURABLE!r}")
        first, full = a_session("first"), a_full_session()
        driven.insert(first)
        driven.insert(full)
        driven.save(next_of(first), 1)
        driven.insert(due_since(NOW, "due"))
        driven.due(NOW, 100, HOUR)
        driven.close()
        assert other.get("first") == next_of(first)
        assert other.get(full.id) == full
        assert other.lookup(full.subject, str(full.idempotency_key)) == full
        assert other.due(NOW, 100, HOUR) == ()

    def test_what_one_writes_the_other_reads(
        self,
        driven: DrivenStore,
        other: DrivenStore,
    ) -> None:
        """Given two handles; what one has written, the other reads at once."""
        if SHARED not in driven.capabilities:
            pytest.skip(f"the store does not claim {SHARED!r}")
        session = a_session()
        for version, (writer, reader) in enumerate([(driven, other), (other, driven)] * 3, 1):
            if version == 1:
                writer.insert(session)
            else:
                session = next_of(session)
                writer.save(session, session.version - 1)
            assert reader.get(session.id) == session
            assert reader.find(SessionQuery()).sessions == (session,)
