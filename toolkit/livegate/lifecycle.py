"""The state machine of a session's life: two transition tables and pure functions over them.

``advance(session, event, now)`` gives the next session or raises; ``due_at`` says when a session
needs work although no request comes; ``is_conclusive`` whether a result can be judged. Nothing here
reads a clock, makes an id or does I/O; the diagram in the docs is drawn from these tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from livegate.errors import TransitionError
from livegate.models import (
    VERDICT_STATES,
    Attempt,
    AttemptStatus,
    LivenessSession,
    Outcome,
    OutcomeStatus,
    ReferenceSource,
    RemoteState,
    SessionState,
    Verdict,
)

CREATE_TIMEOUT: Final = timedelta(minutes=2)
"""How long a late response to a create is waited for, to delete what it created."""

MAX_CLIENT_DIGESTS: Final = 2
"""Two different digests are a contradiction already; keeping more would only fill the store."""


# --- events ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CreateRequested:
    """The service is being asked to create the session, again after an earlier try."""

    reference_sha256: str | None = field(default=None, repr=False)
    reference_source: ReferenceSource | None = None


@dataclass(frozen=True, slots=True)
class CreateFailed:
    """The service did not create the session, and may when asked again."""


@dataclass(frozen=True, slots=True)
class CreateRejected:
    """The service will never create this session."""

    reason: str


@dataclass(frozen=True, slots=True)
class Created:
    """The service has created its session."""

    remote_id: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ClientStarted:
    """The service reports that the client has begun."""


@dataclass(frozen=True, slots=True)
class ClientFinished:
    """The front end reports that it is done: with a digest, with an error, or with neither."""

    digest: str | None = field(default=None, repr=False)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ResultPolled:
    """The service is about to be asked for the result; notifiers are not sent this event."""


@dataclass(frozen=True, slots=True)
class ResultRead:
    """The service's result was read and judged."""

    attempts: tuple[Attempt, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A reviewer has decided."""

    verdict: Verdict
    reviewer: str


@dataclass(frozen=True, slots=True)
class Expired:
    """The time is over."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The owner does not want the session any more."""


@dataclass(frozen=True, slots=True)
class RemoteDeleted:
    """The service confirms that its session is gone."""


@dataclass(frozen=True, slots=True)
class RemoteDeletionFailed:
    """The service did not delete its session; it is to be asked again."""

    retry_at: datetime


@dataclass(frozen=True, slots=True)
class Consumed:
    """The verdict is used, by its owner, for its purpose."""


@dataclass(frozen=True, slots=True)
class DetailsRemoved:
    """Digests, scores and hashes of images have been kept long enough."""


@dataclass(frozen=True, slots=True)
class EraseRequested:
    """The subject is to be erased; a session that is not over is cancelled."""


StateEvent = (
    CreateRequested
    | CreateFailed
    | CreateRejected
    | Created
    | ClientStarted
    | ClientFinished
    | ResultPolled
    | ResultRead
    | Reviewed
    | Expired
    | Cancelled
)
RemoteEvent = RemoteDeleted | RemoteDeletionFailed
Event = StateEvent | RemoteEvent | Consumed | DetailsRemoved | EraseRequested


# --- transitions -----------------------------------------------------------------------------

BY_VERDICT: Final = None
"""In the table: the next state is the one that the event's verdict names."""

_S = SessionState

_OPEN: Final[dict[type[StateEvent], SessionState | None]] = {
    ClientFinished: _S.AWAITING_RESULT,
    ResultRead: BY_VERDICT,
    Expired: _S.EXPIRED,
    Cancelled: _S.CANCELLED,
}

TRANSITIONS: Final[dict[SessionState, dict[type[StateEvent], SessionState | None]]] = {
    _S.REQUESTED: {
        CreateRequested: _S.REQUESTED,
        CreateFailed: _S.REQUESTED,
        CreateRejected: _S.FAILED,
        Created: _S.READY,
        Expired: _S.EXPIRED,
        Cancelled: _S.CANCELLED,
    },
    _S.READY: {**_OPEN, ClientStarted: _S.STARTED, ResultPolled: _S.READY},
    _S.STARTED: {**_OPEN, ResultPolled: _S.STARTED},
    _S.AWAITING_RESULT: {**_OPEN, ResultPolled: _S.AWAITING_RESULT},
    _S.NEEDS_REVIEW: {
        Reviewed: BY_VERDICT,
        Expired: _S.EXPIRED,
        Cancelled: _S.CANCELLED,
    },
    **{state: {} for state in SessionState if state.is_final},
}

REMOTE_TRANSITIONS: Final[dict[RemoteState, dict[type[RemoteEvent], RemoteState]]] = {
    RemoteState.NONE: {},
    RemoteState.PRESENT: {},
    RemoteState.DELETING: {
        RemoteDeleted: RemoteState.DELETED,
        RemoteDeletionFailed: RemoteState.DELETING,
    },
    RemoteState.DELETED: {},
}
"""``none -> present`` comes with :class:`Created`; ``present -> deleting`` comes with any change
after which the service's session is needed no more (see :func:`_needs_remote`)."""


def event_name(event: Event | type[Event]) -> str:
    """The event's name in docs, logs and notifications: ``result_read`` for ``ResultRead``."""
    name = event.__name__ if isinstance(event, type) else type(event).__name__
    return "".join("_" + c.lower() if c.isupper() else c for c in name).removeprefix("_")


def advance(session: LivenessSession, event: Event, now: datetime) -> LivenessSession:
    """The session after *event*.

    Args:
        session: The session before; it is not changed.
        event: What happened.
        now: When; aware, in UTC. A clock that went back does not take ``updated_at`` back.

    Returns:
        A new value, its version one higher.

    Raises:
        TransitionError: The tables do not allow the event; in a final state none changes the state.
    """
    now = max(now, session.updated_at)
    changes: dict[str, Any] = {"updated_at": now}
    match event:
        case Consumed():
            changes |= _consume(session, now)
        case DetailsRemoved():
            changes = _remove_details(session)
        case EraseRequested():
            changes |= _request_erase(session, now)
        case RemoteDeleted():
            changes |= _change_remote(session, event)
        case RemoteDeletionFailed():
            # The details' time goes on, however long the service cannot be reached.
            changes = _change_remote(session, event)
        case _:
            changes |= _change_state(session, event, now)
    if not isinstance(event, ResultPolled):
        changes["sequence"] = session.sequence + 1
    return replace(session, version=session.version + 1, **changes)


def _change_state(session: LivenessSession, event: StateEvent, now: datetime) -> dict[str, Any]:
    transitions = TRANSITIONS[session.state]
    if type(event) not in transitions:
        raise _not_allowed(session, event, f"it is {session.state}")
    changes = _field_updates(session, event, now)
    target = transitions[type(event)]
    if target is None:
        target = _verdict_state(session, event)
    return changes | _enter(session, target)


def _enter(session: LivenessSession, state: SessionState) -> dict[str, Any]:
    changes: dict[str, Any] = {"state": state}
    if session.remote is RemoteState.PRESENT and not _needs_remote(state):
        changes["remote"] = RemoteState.DELETING
    return changes


def _field_updates(session: LivenessSession, event: StateEvent, now: datetime) -> dict[str, Any]:
    """What the event changes beside the state it leads to."""
    updates: dict[str, Any] = {}
    match event:
        case CreateRequested():
            updates = {
                "create_requested_at": now,
                "reference_sha256": event.reference_sha256,
                "reference_source": event.reference_source,
            }
        case CreateFailed():
            updates = {"create_requested_at": None}
        case CreateRejected():
            updates = {"create_requested_at": None, "reasons": (event.reason,)}
        case Created():
            updates = {
                "create_requested_at": None,
                "remote": RemoteState.PRESENT,
                "remote_id": event.remote_id,
                "expires_at": event.expires_at,
            }
        case ClientFinished():
            updates = {
                "client_digests": _with_digest(session.client_digests, event.digest),
                "client_error": session.client_error or event.error,
                "polled_at": now,  # the result is asked for in the same operation
            }
        case ResultPolled():
            updates = {"polled_at": now}
        case ResultRead():
            verdict = event.verdict
            updates = {"attempts": event.attempts, "reasons": verdict.reasons, "decided_at": now}
        case Reviewed():
            updates = {
                "reasons": event.verdict.reasons,
                "decided_at": now,
                "reviewer": event.reviewer,
            }
    return updates


def _verdict_state(session: LivenessSession, event: StateEvent) -> SessionState:
    assert isinstance(event, ResultRead | Reviewed)  # noqa: S101 - only these are BY_VERDICT
    state = event.verdict.state
    if isinstance(event, Reviewed) and state not in VERDICT_STATES:
        raise _not_allowed(session, event, f"a review cannot end in {state}")
    return state


def _needs_remote(state: SessionState) -> bool:
    """Once a result is read, or can no longer come, the service has nothing that we need."""
    return state.is_open or state is SessionState.REQUESTED


def _with_digest(known: tuple[str, ...], digest: str | None) -> tuple[str, ...]:
    if digest is None or len(known) >= MAX_CLIENT_DIGESTS:
        return known
    # As the verdict compares them: one that differs in case alone must not take the other's place.
    if digest.lower() in (each.lower() for each in known):
        return known
    return (*known, digest)


def _change_remote(session: LivenessSession, event: RemoteEvent) -> dict[str, Any]:
    transitions = REMOTE_TRANSITIONS[session.remote]
    if type(event) not in transitions:
        raise _not_allowed(session, event, f"its remote session is {session.remote}")
    changes: dict[str, Any] = {"remote": transitions[type(event)], "remote_retry_at": None}
    if isinstance(event, RemoteDeletionFailed):
        changes["remote_retry_at"] = event.retry_at
        changes["remote_tries"] = session.remote_tries + 1
    return changes


def _consume(session: LivenessSession, now: datetime) -> dict[str, Any]:
    if session.state is not SessionState.PASSED:
        raise _not_allowed(session, Consumed(), f"it is {session.state}")
    if session.consumed_at is not None:
        raise _not_allowed(session, Consumed(), "its verdict was used before")
    return {"consumed_at": now}


def _remove_details(session: LivenessSession) -> dict[str, Any]:
    if not session.state.is_final:
        raise _not_allowed(session, DetailsRemoved(), f"it is {session.state}")
    attempts = tuple(
        replace(attempt, digest=None, match_confidence=None, reference_sha256=None, unknown={})
        for attempt in session.attempts
    )
    return {"attempts": attempts, "client_digests": (), "reference_sha256": None}


def _request_erase(session: LivenessSession, now: datetime) -> dict[str, Any]:
    changes: dict[str, Any] = {"erase_requested_at": session.erase_requested_at or now}
    if not session.state.is_final:
        changes |= _enter(session, SessionState.CANCELLED)
    return changes


def _not_allowed(session: LivenessSession, event: Event, why: str) -> TransitionError:
    return TransitionError(f"{event_name(event)} is not possible for session {session.id}: {why}.")


# --- what a session waits for ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a session may be left alone, as the settings say.

    Attributes:
        create: How long the service may take to create a session before the process that asked
            for it counts as dead.
        poll: Between two reads of a result that the front end does not ask for any more.
        review: How long a session may wait for a reviewer.
        details: How long digests, scores and hashes are kept once a session is over.
    """

    create: timedelta = timedelta(seconds=30)
    poll: timedelta = timedelta(seconds=30)
    review: timedelta = timedelta(days=7)
    details: timedelta = timedelta(days=30)


def due_at(session: LivenessSession, timing: Timing) -> datetime | None:
    """When the session needs work although no request comes, or None.

    A store indexes this, so that the worker finds what crashed, expired, waits for a result, is to
    be deleted at the service, or has details that were kept long enough.
    """
    other = session.erase_requested_at
    if session.remote is RemoteState.DELETING:
        other = session.remote_retry_at or session.updated_at
    return min(filter(None, (state_due_at(session, timing), other)), default=None)


def state_due_at(session: LivenessSession, timing: Timing) -> datetime | None:
    """The same, without the deletion at the service and the erasure."""
    due = None
    match session.state:
        case SessionState.REQUESTED:
            due = (session.create_requested_at or session.updated_at) + timing.create
        case SessionState.READY | SessionState.STARTED:
            # Asked at the end of its time, and then as an awaited result is.
            due = session.expires_at
            if session.polled_at is not None:
                due = max(due, session.polled_at + timing.poll)
        case SessionState.AWAITING_RESULT:
            due = (session.polled_at or session.updated_at) + timing.poll
        case SessionState.NEEDS_REVIEW:
            due = (session.decided_at or session.updated_at) + timing.review
        case _ if session.has_details:
            due = session.updated_at + timing.details
    return due


def is_conclusive(session: LivenessSession, outcome: Outcome) -> bool:
    """Whether the outcome can be judged now, or more may still come.

    Failed attempts alone conclude nothing as long as the front end may try again.
    """
    if outcome.with_status(AttemptStatus.RUNNING):
        return False
    if outcome.with_status(AttemptStatus.SUCCEEDED):
        return True
    if outcome.status is OutcomeStatus.ENDED:
        return bool(outcome.attempts)
    client_is_done = session.state is SessionState.AWAITING_RESULT
    return client_is_done and bool(outcome.attempts or session.client_error)
