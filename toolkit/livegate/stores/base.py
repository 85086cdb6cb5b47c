"""The contract of a store: domain operations with compare-and-set.

What every store guarantees, sync or async, and what :class:`livegate.testing.StoreContract` tests:

- **Atomic**: an operation happens as a whole or not at all, also when the process dies in it.
- **Durable and visible**: what a returned operation wrote, every later operation of every process
  on the same store reads.
- **Compare-and-set**: :meth:`SessionStore.save` writes only over the version that was read, so of
  any number of concurrent savers of one version exactly one wins.
- **Faithful**: what comes out equals what went in, whatever characters it holds.
- **Wrapped**: a driver's exception leaves as :class:`livegate.errors.StoreError`, the driver's own
  as its cause; it never holds a secret, since no secret ever goes in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from livegate.session import LivenessSession, Page, SessionState

MAX_PAGE = 100
"""The most sessions that one page holds."""


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """Which sessions to find; every condition has to hold.

    Attributes:
        subject: Whose; None for everybody's (never over HTTP).
        states: In one of these states; empty for any.
        created_before: Created earlier than this; None for any time.
        limit: The page's size, 1 to 100.
        cursor: Of the page before, None for the first.
    """

    subject: str | None = None
    states: frozenset[SessionState] = frozenset()
    created_before: datetime | None = None
    limit: int = 20
    cursor: str | None = None


@runtime_checkable
class SessionStore(Protocol):
    """A store for :class:`livegate.Orchestrator`. Safe to use from many threads.

    Attributes:
        capabilities: What the store can do beyond these operations; an orchestrator that needs
            one refuses a store that lacks it, and names it.
    """

    capabilities: ClassVar[frozenset[str]]

    def insert(self, session: LivenessSession) -> None:
        """Keep a new session.

        Raises:
            KeyTakenError: Its subject has a session with the same idempotency key (a key of None
                never clashes), or the id is taken. Nothing was written.
            StoreError: The store could not do it.
        """
        ...

    def get(self, session_id: str) -> LivenessSession | None:
        """The session, or None. Any text may be asked for."""
        ...

    def lookup(self, subject: str, idempotency_key: str) -> LivenessSession | None:
        """The subject's session with this idempotency key, or None."""
        ...

    def save(self, session: LivenessSession, expected_version: int) -> None:
        """Keep *session* in the place of its older record, and end any lease on it.

        Raises:
            VersionConflictError: The record is gone or has another version than
                *expected_version*. Nothing was written.
        """
        ...

    def find(self, query: SessionQuery) -> Page:
        """Some of the sessions that *query* names, newest first, with a cursor for the next.

        Following the cursors shows every session once that was there from the first page on.

        Raises:
            InvalidRequestError: The cursor is not one of this store's, or the limit is out of
                range; the error's field is ``cursor`` or ``limit``.
        """
        ...

    def due(self, now: datetime, limit: int, lease: timedelta) -> tuple[LivenessSession, ...]:
        """Sessions whose :func:`livegate.lifecycle.due_at` is not after *now*, longest due first.

        Each is leased: no other call gets it again before *now* + *lease*, or before it is saved.
        """
        ...

    def purge(self, before: datetime) -> int:
        """Forget the final sessions that last changed before this, and say how many.

        A session whose remote session is still to be deleted is kept.
        """
        ...

    def erase(self, subject: str) -> int:
        """Forget every session of *subject*, whatever its state, and say how many."""
        ...

    def close(self) -> None:
        """Let go of connections and files. Closing twice is no error."""
        ...


@runtime_checkable
class AsyncSessionStore(Protocol):
    """A store for :class:`livegate.AsyncOrchestrator`: the same words, the same guarantees."""

    capabilities: ClassVar[frozenset[str]]

    async def insert(self, session: LivenessSession) -> None:
        """See :meth:`SessionStore.insert`."""
        ...

    async def get(self, session_id: str) -> LivenessSession | None:
        """See :meth:`SessionStore.get`."""
        ...

    async def lookup(self, subject: str, idempotency_key: str) -> LivenessSession | None:
        """See :meth:`SessionStore.lookup`."""
        ...

    async def save(self, session: LivenessSession, expected_version: int) -> None:
        """See :meth:`SessionStore.save`."""
        ...

    async def find(self, query: SessionQuery) -> Page:
        """See :meth:`SessionStore.find`."""
        ...

    async def due(
        self,
        now: datetime,
        limit: int,
        lease: timedelta,
    ) -> tuple[LivenessSession, ...]:
        """See :meth:`SessionStore.due`."""
        ...

    async def purge(self, before: datetime) -> int:
        """See :meth:`SessionStore.purge`."""
        ...

    async def erase(self, subject: str) -> int:
        """See :meth:`SessionStore.erase`."""
        ...

    async def close(self) -> None:
        """See :meth:`SessionStore.close`."""
        ...


AnyStore = SessionStore | AsyncSessionStore
