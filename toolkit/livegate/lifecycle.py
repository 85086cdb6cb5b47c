"""The state machine of a session's life: three small tables and one pure function.

``advance(session, event, now)`` gives the next record or refuses. It reads no clock, makes no id
and does no I/O; the diagram in the docs is drawn from these tables.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from livegate.errors import TransitionError
from livegate.session import (
    VERDICT_STATES,
    Attempt,
    LivenessSession,
    RemoteState,
    SessionState,
    Verdict,
)

ASKING_LIMIT: Final = timedelta(minutes=2)
"""How long the service may take to create a session before we take the asking process for dead."""

MAX_CLIENT_DIGESTS: Final = 2
"""Two different digests are a contradiction already; keeping more would only fill the store."""


# --- what can happen -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """The service is being asked to create the session, again after an earlier try."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The service did not create the session, and may when asked again."""


@dataclass(frozen=True, slots=True)
class Created:
    """The service has created its session."""

    remote_id: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """The service will never create this session."""

    reason: str


@dataclass(frozen=True, slots=True)
class ClientStarted:
    """The service reports that the client has begun."""


@dataclass(frozen=True, slots=True)
class ClientFinished:
    """The front end says that it is done: with a digest, with an error, or with neither."""

    digest: str | None = field(default=None, repr=False)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ResultRead:
    """The service's result was read and judged."""

    attempts: tuple[Attempt, ...]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A person has decided."""

    verdict: Verdict


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


StateEvent = (
    Asked
    | Unanswered
    | Created
    | Refused
    | ClientStarted
    | ClientFinished
    | ResultRead
    | Reviewed
    | Expired
    | Cancelled
)
RemoteEvent = RemoteDeleted | RemoteDeletionFailed
Event = StateEvent | RemoteEvent | Consumed


# --- what follows ----------------------------------------------------------------------------

BY_VERDICT: Final = None
"""In the table: the next state is the one that the event's verdict names."""

_S = SessionState

TRANSITIONS: Final[dict[SessionState, dict[type[StateEvent], SessionState | None]]] = {
    _S.REQUESTED: {
        Asked: _S.REQUESTED,
        Unanswered: _S.REQUESTED,
        Created: _S.READY,
        Refused: _S.FAILED,
        Expired: _S.EXPIRED,
        Cancelled: _S.CANCELLED,
    },
    _S.READY: {
        ClientStarted: _S.STARTED,
        ClientFinished: _S.AWAITING_RESULT,
        ResultRead: BY_VERDICT,
        Expired: _S.EXPIRED,
        Cancelled: _S.CANCELLED,
    },
    _S.STARTED: {
        ClientFinished: _S.AWAITING_RESULT,
        ResultRead: BY_VERDICT,
        Expired: _S.EXPIRED,
        Cancelled: _S.CANCELLED,
    },
    _S.AWAITING_RESULT: {
        ClientFinished: _S.AWAITING_RESULT,
        ResultRead: BY_VERDICT,
        Expired: _S.EXPIRED,
        Cancelled: _S.CANCELLED,
    },
    _S.NEEDS_REVIEW: {Reviewed: BY_VERDICT},
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
after which the service's session is needed no more (see :func:`_still_needs_remote`)."""


def name_of(event: Event | type[Event]) -> str:
    """The event's name as docs, logs and hooks have it: ``result_read`` for ``ResultRead``."""
    word = event.__name__ if isinstance(event, type) else type(event).__name__
    return "".join("_" + c.lower() if c.isupper() else c for c in word).removeprefix("_")


def advance(session: LivenessSession, event: Event, now: datetime) -> LivenessSession:
    """The record after *event*.

    Args:
        session: The record before; it is not changed.
        event: What happened.
        now: When; aware, in UTC.

    Returns:
        A new record, its version one higher.

    Raises:
        TransitionError: The tables do not allow the event; in a final state none changes the state.
    """
    changes: dict[str, Any]
    if isinstance(event, Consumed):
        changes = _consume(session, now)
    elif isinstance(event, RemoteDeleted | RemoteDeletionFailed):
        changes = _change_remote(session, event)
    else:
        changes = _change_state(session, event, now)
    return replace(session, version=session.version + 1, updated_at=now, **changes)


def _change_state(session: LivenessSession, event: StateEvent, now: datetime) -> dict[str, Any]:
    arrows = TRANSITIONS[session.state]
    if type(event) not in arrows:
        raise _no_arrow(session, event, f"it is {session.state}")
    changes = _facts_of(session, event, now)
    target = arrows[type(event)]
    if target is None:
        target = _verdict_state(session, event)
    changes["state"] = target
    remote = changes.get("remote", session.remote)
    if remote is RemoteState.PRESENT and not _still_needs_remote(target):
        changes |= {"remote": RemoteState.DELETING, "remote_retry_at": now}
    return changes


def _facts_of(session: LivenessSession, event: StateEvent, now: datetime) -> dict[str, Any]:
    """What the event tells, beside the state it leads to."""
    facts: dict[str, Any] = {}
    match event:
        case Asked():
            facts = {"asked_at": now}
        case Unanswered():
            facts = {"asked_at": None}
        case Created():
            facts = {
                "asked_at": None,
                "remote": RemoteState.PRESENT,
                "remote_id": event.remote_id,
                "expires_at": event.expires_at,
            }
        case Refused():
            facts = {"asked_at": None, "reasons": (event.reason,)}
        case ClientFinished():
            facts = {
                "client_digests": _with_digest(session.client_digests, event.digest),
                "client_error": session.client_error or event.error,
            }
        case ResultRead():
            facts = {"attempts": event.attempts, "reasons": event.verdict.reasons}
        case Reviewed():
            facts = {"reasons": event.verdict.reasons}
    return facts


def _verdict_state(session: LivenessSession, event: StateEvent) -> SessionState:
    assert isinstance(event, ResultRead | Reviewed)  # noqa: S101 - the table's own promise
    state = event.verdict.state
    if isinstance(event, Reviewed) and state not in VERDICT_STATES:
        raise _no_arrow(session, event, f"a review cannot end in {state}")
    return state


def _still_needs_remote(state: SessionState) -> bool:
    """Once a result is read, or can no longer come, the service has nothing that we need."""
    return state.is_open or state is SessionState.REQUESTED


def _with_digest(known: tuple[str, ...], digest: str | None) -> tuple[str, ...]:
    if digest is None or digest in known or len(known) >= MAX_CLIENT_DIGESTS:
        return known
    return (*known, digest)


def _change_remote(session: LivenessSession, event: RemoteEvent) -> dict[str, Any]:
    arrows = REMOTE_TRANSITIONS[session.remote]
    if type(event) not in arrows:
        raise _no_arrow(session, event, f"its remote session is {session.remote}")
    changes: dict[str, Any] = {"remote": arrows[type(event)], "remote_retry_at": None}
    if isinstance(event, RemoteDeletionFailed):
        changes |= {
            "remote_retry_at": event.retry_at,
            "remote_tries": session.remote_tries + 1,
        }
    return changes


def _consume(session: LivenessSession, now: datetime) -> dict[str, Any]:
    if session.state not in VERDICT_STATES:
        raise _no_arrow(session, Consumed(), f"it is {session.state} and has no verdict")
    if session.consumed_at is not None:
        raise _no_arrow(session, Consumed(), "its verdict was used before")
    return {"consumed_at": now}


def _no_arrow(session: LivenessSession, event: Event, why: str) -> TransitionError:
    return TransitionError(f"{name_of(event)} is not possible for session {session.id}: {why}.")


def due_at(session: LivenessSession) -> datetime | None:
    """When the session needs somebody to look after it although nobody calls, or None.

    A store indexes this, so that a sweep finds what crashed, expired or is still to be deleted.
    """
    match session.state:
        case SessionState.REQUESTED:
            return (session.asked_at or session.updated_at) + ASKING_LIMIT
        case SessionState.READY | SessionState.STARTED:
            return session.expires_at
        case SessionState.AWAITING_RESULT:
            return session.updated_at
        case _:
            return session.remote_retry_at if session.remote is RemoteState.DELETING else None
