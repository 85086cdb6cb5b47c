"""The contract of a store: domain operations with compare-and-set.

What every store guarantees, sync or async, and what :class:`livegate.testing.StoreContract` tests:

- **Atomic**: an operation happens as a whole or not at all, also when the process dies in it.
- **Durable and visible**: what a returned operation wrote, every later operation of every process
  on the same store reads.
- **Compare-and-set**: :meth:`SessionStore.save` writes only over the version that was read, so of
  any number of concurrent savers of one version exactly one wins.
- **Faithful**: what comes out equals what went in, whatever characters it holds. Ids, subjects and
  idempotency keys are Unicode text; a lone surrogate in one is a ``ValueError``, and not found.
- **Wrapped**: a driver's exception leaves as :class:`livegate.errors.StoreError`, the driver's own
  as its cause; it never holds a secret, since no secret ever goes in. So does the use of a store
  that was closed.

How long the second guarantee lasts, and how far it reaches, a store says with its capabilities:
``durable`` and ``shared`` (see :data:`DURABLE` and :data:`SHARED`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from livegate.errors import VersionConflictError
from livegate.session import RemoteState

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from livegate.session import LivenessSession, Page, SessionState

DURABLE: Final = "durable"
"""Capability: what was written survives the end of the process and the loss of power."""

SHARED: Final = "shared"
"""Capability: several processes may use the same data at the same time."""

MAX_PAGE: Final = 100
"""The most sessions that one page holds."""

FORGETTABLE: Final = frozenset({RemoteState.NONE, RemoteState.DELETED})
"""Where a remote session stands that nobody has to delete any more."""


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
    """A store for :class:`livegate.Orchestrator`. Safe to use from many threads."""

    @property
    def capabilities(self) -> frozenset[str]:
        """What the store can do beyond these operations, such as :data:`DURABLE`.

        An orchestrator that needs one refuses a store that lacks it, and names it. Most stores say
        it with a class attribute; one that wraps another says what the other says.
        """
        ...

    def insert(self, session: LivenessSession) -> None:
        """Keep a new session.

        Raises:
            KeyTakenError: Its subject has a session with the same idempotency key (a key of None
                never clashes), or the id is taken. Nothing was written.
            StoreError: The store could not do it.
            ValueError: See :func:`check_insert`.
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
            ValueError: *session* is no successor of the record, which is a mistake in the program
                (see :func:`check_save`). Nothing was written.
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

        Raises:
            ValueError: *limit* is less than 1.
        """
        ...

    def purge(self, before: datetime) -> int:
        """Forget the final sessions that last changed before this, and say how many.

        A session whose remote session is still to be deleted is kept (see :data:`FORGETTABLE`).
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

    @property
    def capabilities(self) -> frozenset[str]:
        """See :attr:`SessionStore.capabilities`."""
        ...

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


UNCHANGING: Final = ("id", "subject", "purpose", "idempotency_key", "created_at")
"""What of a session is said once, when it is made."""


def check_insert(session: LivenessSession) -> None:
    """See that a database can hold what *session* is looked up by.

    Raises:
        ValueError: Its id, subject or idempotency key holds a lone surrogate.
    """
    for text in (session.id, session.subject, session.idempotency_key or ""):
        text.encode()


def check_save(
    before: LivenessSession | None, after: LivenessSession, expected_version: int
) -> None:
    """Decide whether *after* may take the place of *before*, the record that the store has.

    Raises:
        VersionConflictError: *before* is gone or has another version than *expected_version*.
        ValueError: *after* is not the next version, or is another session: a mistake in the
            program, since :func:`livegate.lifecycle.advance` makes neither.
    """
    if after.version != expected_version + 1:
        raise ValueError(f"version {after.version} does not follow version {expected_version}")
    if before is None or before.version != expected_version:
        raise VersionConflictError("The session changed since it was read; nothing was saved.")
    changed = [name for name in UNCHANGING if getattr(before, name) != getattr(after, name)]
    if changed:
        raise ValueError(f"a session never changes its {', '.join(changed)}")


def check_due(limit: int) -> None:
    """See that a call of :meth:`SessionStore.due` asks for something.

    Raises:
        ValueError: It asks for less than one session.
    """
    if limit < 1:
        raise ValueError(f"limit is {limit}; it has to be at least 1")
