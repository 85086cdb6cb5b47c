"""The sessions of a tenant, by id, by age and by page."""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING

from sortedcontainers import SortedList

from mockface.sessions.nouns import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, ValuesView

    from mockface.sessions.nouns import Session


class SessionTable:
    """Sessions, oldest first; it reads like a dictionary by id. Not safe without a lock.

    No call looks at all of them: what it costs to add, find, replace, remove or page hardly grows
    with their number.
    """

    def __init__(self) -> None:
        # Removing from the front of a plain dictionary leaves gaps that the next look has to pass.
        self._by_age: OrderedDict[str, Session] = OrderedDict()
        self._ids = {kind: SortedList() for kind in Kind}

    def get(self, session_id: str) -> Session | None:
        """The session of this id."""
        return self._by_age.get(session_id)

    def values(self) -> ValuesView[Session]:
        """All, oldest first."""
        return self._by_age.values()

    def newest_first(self) -> Iterator[Session]:
        """All, newest first."""
        return reversed(self._by_age.values())

    def page(self, kind: Kind, *, after: str, limit: int) -> list[Session]:
        """At most `limit` sessions of a kind in the order of their ids, beginning after this id."""
        ids = self._ids[kind].irange(after, inclusive=(False, True))
        return [self._by_age[found] for found in islice(ids, limit)]

    def remove_expired(self, now: float, *, limit: int | None = None) -> int:
        """Removes sessions that have expired; returns how many.

        All live equally long, so the oldest expire first.

        Args:
            now: Seconds since 1970.
            limit: How many to remove at most.
        """
        removed = 0
        while self._by_age and (limit is None or removed < limit):
            oldest = next(iter(self._by_age.values()))
            if now < oldest.expires_at:
                break
            del self[oldest.id]
            removed += 1
        return removed

    def __setitem__(self, session_id: str, session: Session) -> None:
        if session_id not in self._by_age:
            self._ids[session.kind].add(session_id)
        self._by_age[session_id] = session

    def __delitem__(self, session_id: str) -> None:
        session = self._by_age.pop(session_id)
        self._ids[session.kind].remove(session_id)

    def __len__(self) -> int:
        return len(self._by_age)
