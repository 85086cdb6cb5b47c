"""The ports: what livegate needs of the Face service, of a store and of a notifier.

Each port is sync or async. What every store guarantees, and what
:class:`livegate.testing.StoreContract` tests:

- **Atomic**: an operation happens as a whole or not at all, also when the process dies in it, and a
  call that is cancelled has happened or has not; the store works on. A record and its events are
  committed together.
- **Durable and visible**: what a returned operation wrote, every later operation of every process
  on the same store reads, as far as the store's ``capabilities`` say.
- **Compare-and-set**: of any number of concurrent savers of one version exactly one wins.
- **Faithful**: what comes out equals what went in. Ids have at most 64 characters, subjects and
  idempotency keys at most 255, of any Unicode but NUL and lone surrogates (the core rejects
  others); comparison is exact. Times are aware, in UTC, to the microsecond. The body is opaque.
- **Wrapped**: a driver's error leaves as :class:`livegate.errors.StoreError`. It quotes no URI, no
  row and no name, nor does its cause. So does the use of a store that was closed.
- **Two kinds of work, one queue**: see :meth:`SessionStore.claim`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from livegate.models import FINAL_STATES, RemoteState, SessionKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from livegate.models import OperationMode, Outcome, ReferenceImage, SessionEvent

# --- the Face service ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FaceSessionRequest:
    """What the service is asked to create.

    Attributes:
        kind: Liveness alone, or with verification.
        mode: How the SDK checks the face.
        correlation_id: The end user's device; the service calls it ``deviceCorrelationId``.
        token_lifetime: Seconds that the token lives, 60 to 86400.
        reference_image: Needed for, and only for, a session with verification.

    Raises:
        ValueError: The kind and the reference image do not belong together.
    """

    kind: SessionKind
    mode: OperationMode
    correlation_id: str
    token_lifetime: int
    reference_image: ReferenceImage | None = None

    def __post_init__(self) -> None:
        needs_image = self.kind is SessionKind.LIVENESS_WITH_VERIFY
        if needs_image is (self.reference_image is None):
            raise ValueError("a session has a reference image if, and only if, it verifies")


@dataclass(frozen=True, slots=True)
class FaceSession:
    """What the service has created.

    Attributes:
        remote_id: The service's id of it.
        auth_token: With it the front end's SDK talks to the service; a secret.
    """

    remote_id: str = field(repr=False)
    auth_token: str = field(repr=False)


class FaceService(Protocol):
    """The service for :class:`livegate.Orchestrator`. Safe to use from many threads.

    Every call ends within a bounded time. *api_version* is the one that the session was, or is to
    be, created with, so that a session outlives a change of the setting.
    """

    @property
    def api_version(self) -> str:
        """The version that new sessions are created with."""
        ...

    def create(self, request: FaceSessionRequest, api_version: str) -> FaceSession:
        """Have the service create a session. It is asked once: a retry could create two.

        Raises:
            FaceBadRequestError: It never will.
            FaceError: It did not; ``orphan_id`` names a session that it created all the same.
        """
        ...

    def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        """What the service knows of the session.

        Raises:
            FaceSessionNotFoundError: It knows no such session.
            FaceError: It did not say, or not in a way that we understand.
        """
        ...

    def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
        """Have the service delete the session, and its token and pictures with it.

        A session that the service does not know counts as deleted.

        Raises:
            FaceError: The service did not confirm it.
        """
        ...

    def close(self) -> None:
        """Release connections. Closing twice is no error."""
        ...


class AsyncFaceService(Protocol):
    """The service for :class:`livegate.AsyncOrchestrator`: the same, awaited.

    A ``create`` that is cancelled while the service works on it has the session deleted when the
    service's late response comes.
    """

    @property
    def api_version(self) -> str:
        """The version that new sessions are created with."""
        ...

    async def create(self, request: FaceSessionRequest, api_version: str) -> FaceSession:
        """See :meth:`FaceService.create`."""
        ...

    async def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        """See :meth:`FaceService.read`."""
        ...

    async def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
        """See :meth:`FaceService.delete`."""
        ...

    async def close(self) -> None:
        """See :meth:`FaceService.close`."""
        ...


AnyFaceService = FaceService | AsyncFaceService

# --- the store -------------------------------------------------------------------------------

DURABLE: Final = "durable"
"""Capability: what was written survives the end of the process and the loss of power."""

SHARED: Final = "shared"
"""Capability: several processes may use the same data at the same time."""

MAX_PAGE: Final = 100
"""The most records that :meth:`SessionStore.find` is asked for, plus one."""

PURGEABLE: Final = frozenset({RemoteState.NONE.value, RemoteState.DELETED.value})
"""Values of ``Record.remote`` with nothing left to delete at the service."""

FINAL: Final = frozenset(state.value for state in FINAL_STATES)
"""Values of ``Record.state`` that never change again."""

IMMUTABLE_FIELDS: Final = ("id", "subject", "key", "purpose", "created_at")
"""Fields of a record that ``save`` never changes."""


@dataclass(frozen=True, slots=True)
class Record:
    """A session as a store keeps it: columns, all of them made by the core, and an opaque body.

    Attributes:
        id: Primary key, 1 to 64 characters.
        subject: Whose, 1 to 255 characters.
        key: The idempotency key, unique for the subject, 1 to 255 characters, or None.
        state: One of :class:`livegate.models.SessionState`, as a plain str.
        remote: One of :class:`livegate.models.RemoteState`, as a plain str.
        purpose: The purpose's name, 1 to 64 characters.
        created_at: Aware, in UTC.
        updated_at: Aware, in UTC.
        due_at: When the session needs work, or None. Aware, in UTC.
        version: Counts from 1.
        body: All the rest; only the core reads it.
    """

    id: str
    subject: str = field(repr=False)
    key: str | None = field(repr=False)
    state: str
    remote: str
    purpose: str
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None
    version: int
    body: bytes = field(repr=False)

    @property
    def is_finished(self) -> bool:
        """Whether its state is :data:`FINAL` and its remote :data:`PURGEABLE`."""
        return self.state in FINAL and self.remote in PURGEABLE


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as a store keeps it until it is delivered.

    Attributes:
        sequence: Its place among the events of its session: 1, 2, 3, ...
        body: Only the core reads it.
    """

    sequence: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """A session leased to one worker, with its undelivered events.

    Attributes:
        record: As it was when it was claimed; the worker replaces it by what it saved since.
        fence: Higher than that of every claim before, of any session.
        events: The undelivered ones, in order.
        progress: What the worker handed over with the last ``release``, or None.
    """

    record: Record
    fence: int
    events: tuple[EventRecord, ...] = ()
    progress: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Which records to find; every condition has to hold.

    Attributes:
        subject: Whose.
        states: In one of these states; empty for any.
        limit: How many at most, 1 to :data:`MAX_PAGE` + 1.
        after: Only those behind this place in the order: ``created_at`` and ``id`` of the last one
            of the page before; None for the first page.
    """

    subject: str
    states: frozenset[str] = frozenset()
    limit: int = 20
    after: tuple[datetime, str] | None = None


@runtime_checkable
class SessionStore(Protocol):
    """A store for :class:`livegate.Orchestrator`. Safe to use from many threads.

    A sync store that has a method ``for_event_loop()`` says by it how an
    :class:`livegate.AsyncOrchestrator` uses it: the method returns an :class:`AsyncSessionStore`,
    or the store itself where no call ever waits. Any other sync store is used in threads.
    """

    @property
    def capabilities(self) -> frozenset[str]:
        """What the store can do beyond these operations: :data:`DURABLE`, :data:`SHARED`."""
        ...

    def insert(self, record: Record, events: Sequence[EventRecord] = ()) -> None:
        """Keep a new record and its *events*.

        Raises:
            DuplicateKeyError: The subject has a record with the same key (None never clashes), or
                the id is taken. Nothing was written.
            StoreError: The store could not do it.
        """
        ...

    def get(self, session_id: str) -> Record | None:
        """The record, or None."""
        ...

    def get_by_idempotency_key(self, subject: str, key: str) -> Record | None:
        """The subject's record with this key, or None."""
        ...

    def save(
        self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
    ) -> None:
        """Replace the older version of *record*, and append *events* to the undelivered ones.

        A claim of the session neither blocks it nor ends by it. A ``next_at`` that an earlier
        ``release`` left is cleared: the session is claimable again as soon as it is due, or has
        events.

        Args:
            record: Of version ``expected_version + 1``; :data:`IMMUTABLE_FIELDS` are unchanged.
            expected_version: Of the record that it replaces.
            events: Their sequences are above those that the session has.

        Raises:
            VersionConflictError: The record is gone or has another version. Nothing was written.
        """
        ...

    def find(self, query: RecordQuery) -> tuple[Record, ...]:
        """The first records that *query* describes, newest first.

        The order is by ``created_at``, then by ``id``, both descending; ids compare by their code
        points.
        """
        ...

    def claim(self, now: datetime, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        """Lease up to *limit* sessions that have work at *now*.

        A session has work when its ``due_at`` is not after *now*, or when it has undelivered
        events; and only while it is not leased and has no ``next_at`` after *now*. First come due
        sessions with news: a session has news until it is claimed, and again once it is saved,
        until it is released at the version that was saved. Then come other due sessions, and last
        those that only have events. Among each, the one that has been claimable longest comes
        first: since its ``due_at``, its ``next_at`` or the end of its lease, whichever is latest.
        Nobody else gets a session before *now* + *lease*, or before it is released. A claim takes
        as long behind many leased sessions as behind few.

        Raises:
            ValueError: *limit* is less than 1.
        """
        ...

    def release(
        self,
        claim: Claim,
        next_at: datetime | None = None,
        delivered_up_to: int | None = None,
        progress: bytes | None = None,
    ) -> bool:
        """End the lease of *claim*.

        Args:
            claim: With the record that the worker saw last.
            next_at: When the session may be claimed again; None for as soon as it has work. Ignored
                when the stored version is not the one of *claim*: the session moved on.
            delivered_up_to: Events up to this sequence are delivered, and removed.
            progress: Kept for the next claim, in place of the old one.

        Returns:
            False, and nothing is written, when the session was claimed again since, or is gone.
        """
        ...

    def purge(self, before: datetime, limit: int) -> int:
        """Remove up to *limit* finished records, oldest first, and return how many.

        Those without an undelivered event whose ``updated_at`` is before *before*.
        """
        ...

    def erase(self, subject: str) -> int:
        """Remove the finished records of *subject*, with events and leases, and return how many.

        One that is not finished stays, and with it what is known of its session at the service.
        """
        ...

    def close(self) -> None:
        """Release connections and files; calls under way end first. Closing twice is no error."""
        ...


@runtime_checkable
class AsyncSessionStore(Protocol):
    """A store for :class:`livegate.AsyncOrchestrator`: the same guarantees, awaited."""

    @property
    def capabilities(self) -> frozenset[str]:
        """See :attr:`SessionStore.capabilities`."""
        ...

    async def insert(self, record: Record, events: Sequence[EventRecord] = ()) -> None:
        """See :meth:`SessionStore.insert`."""
        ...

    async def get(self, session_id: str) -> Record | None:
        """See :meth:`SessionStore.get`."""
        ...

    async def get_by_idempotency_key(self, subject: str, key: str) -> Record | None:
        """See :meth:`SessionStore.get_by_idempotency_key`."""
        ...

    async def save(
        self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
    ) -> None:
        """See :meth:`SessionStore.save`."""
        ...

    async def find(self, query: RecordQuery) -> tuple[Record, ...]:
        """See :meth:`SessionStore.find`."""
        ...

    async def claim(self, now: datetime, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        """See :meth:`SessionStore.claim`."""
        ...

    async def release(
        self,
        claim: Claim,
        next_at: datetime | None = None,
        delivered_up_to: int | None = None,
        progress: bytes | None = None,
    ) -> bool:
        """See :meth:`SessionStore.release`."""
        ...

    async def purge(self, before: datetime, limit: int) -> int:
        """See :meth:`SessionStore.purge`."""
        ...

    async def erase(self, subject: str) -> int:
        """See :meth:`SessionStore.erase`."""
        ...

    async def close(self) -> None:
        """See :meth:`SessionStore.close`."""
        ...


AnyStore = SessionStore | AsyncSessionStore

# --- notifiers -------------------------------------------------------------------------------


class RetryLater(Exception):  # noqa: N818 - an instruction of a notifier, not a fault of its own
    """Raised by ``deliver``: try this destination again, not before *after* seconds."""

    def __init__(self, after: float | None = None) -> None:
        super().__init__(f"retry after {after} s")
        self.after = after


class GiveUp(Exception):  # noqa: N818 - as above
    """Raised by ``deliver``: this event can never be delivered to this destination."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@runtime_checkable
class Notifier(Protocol):
    """A destination of events. Delivery is at least once, in order for each session.

    ``deliver`` may be sync or async. Any exception but :class:`GiveUp` means: try again later.
    """

    @property
    def name(self) -> str:
        """A stable identifier: what was delivered is remembered by it."""
        ...

    def deliver(self, event: SessionEvent) -> object:
        """Deliver *event*, within a bounded time; the result is awaited where it can be.

        Raises:
            RetryLater: Not now.
            GiveUp: Never.
        """
        ...

    def close(self) -> object:
        """Release connections. Closing twice is no error."""
        ...
