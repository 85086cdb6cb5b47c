"""The living sessions of a tenant, by id, by age and by page; no step looks at all of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import OrderedDict
from typing import TYPE_CHECKING

from mockface.sessions.nouns import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, ValuesView

    from mockface.sessions.nouns import Session

_MANY = 10_000  # what fewer sessions leave behind is not worth a look
_FEW = 64  # a share: so many times more room than sessions is given back
_PREFIX = 3  # characters; ids are random hex digits, so there are up to 4096 shelves of equal size


class LivingSessions:
    """Sessions, oldest first; it reads like a dictionary by id. Not safe without a lock.

    What it costs to add, find, replace, remove or page does not grow with their number: a plain
    dictionary would have to step over all that were ever taken from its front to find the oldest,
    and to sort all of them for a page.
    """

    def __init__(self) -> None:
        self.clear()

    def get(self, session_id: str) -> Session | None:
        """The session of this id."""
        return self._by_age.get(session_id)

    def values(self) -> ValuesView[Session]:
        """All, oldest first."""
        return self._by_age.values()

    def newest_first(self) -> Iterator[Session]:
        """All, newest first."""
        return reversed(self._by_age.values())

    def page(self, kind: Kind, *, after: str, most: int) -> list[Session]:
        """Those of a family in the order of their ids, beginning after this one."""
        return [self._by_age[found] for found in self._by_id[kind].after(after, most)]

    def forget_expired(self, now: float, *, most: int | None = None) -> int:
        """Removes sessions that have lived their time; gives back how many.

        All live equally long, so they stand in front.

        Args:
            now: Seconds since 1970.
            most: How many at most.
        """
        forgotten = 0
        while self._by_age and (most is None or forgotten < most):
            oldest = next(iter(self._by_age.values()))
            if now < oldest.expires_at:
                break
            del self[oldest.id]
            forgotten += 1
        return forgotten

    def clear(self) -> None:
        """Removes all."""
        self._by_age: OrderedDict[str, Session] = OrderedDict()
        self._most = 0  # at once since the dictionary was made: it never shrinks by itself
        self._by_id = {kind: SortedIds() for kind in Kind}

    def __copy__(self) -> LivingSessions:
        """Others, with the same sessions."""
        other = LivingSessions()
        for session in self.values():
            other[session.id] = session
        return other

    def __setitem__(self, session_id: str, session: Session) -> None:
        if session_id not in self._by_age:
            self._by_id[session.kind].add(session_id)
            self._most = max(self._most, len(self._by_age) + 1)
        self._by_age[session_id] = session

    def __delitem__(self, session_id: str) -> None:
        session = self._by_age.pop(session_id)
        self._by_id[session.kind].remove(session_id)
        if self._most > _MANY and len(self._by_age) * _FEW < self._most:
            self._by_age = OrderedDict(self._by_age)
            self._most = len(self._by_age)

    def __len__(self) -> int:
        return len(self._by_age)


class SortedIds:
    """Ids in order, on shelves by their first characters, each short enough to sort into."""

    def __init__(self) -> None:
        self._labels: list[str] = []
        self._shelves: dict[str, list[str]] = {}

    def add(self, new: str) -> None:
        """Puts an id in its place."""
        label = new[:_PREFIX]
        shelf = self._shelves.get(label)
        if shelf is None:
            insort(self._labels, label)
            self._shelves[label] = [new]
        else:
            insort(shelf, new)

    def remove(self, old: str) -> None:
        """Takes an id out that is there."""
        label = old[:_PREFIX]
        shelf = self._shelves[label]
        del shelf[bisect_left(shelf, old)]
        if not shelf:
            del self._shelves[label]
            del self._labels[bisect_left(self._labels, label)]

    def after(self, bound: str, most: int) -> list[str]:
        """At most so many ids, the least that are greater than the bound, in order."""
        found: list[str] = []
        for shelf in self._from(bound):
            found += shelf[: most - len(found)]
            if len(found) >= most:
                break
        return found

    def _from(self, bound: str) -> Iterator[list[str]]:
        """The shelves on which greater ids stand; of the first one only those."""
        label = bound[:_PREFIX]
        at = bisect_left(self._labels, label)
        if at < len(self._labels) and self._labels[at] == label:
            shelf = self._shelves[label]
            yield shelf[bisect_right(shelf, bound) :]
            at += 1
        for later in self._labels[at:]:
            yield self._shelves[later]
