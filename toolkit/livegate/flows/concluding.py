"""Concluding: from what the service knows to a verdict or an end, and to a forgotten remote copy.

These are the steps that the owner's verbs and the sweep share. The verdict is committed before the
service's session is deleted; that deletion is a state of the record, tried until it is confirmed.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from livegate.driving import Flow, ask
from livegate.errors import FaceError, FaceSessionNotFoundError, StoreError
from livegate.lifecycle import (
    ClientStarted,
    Event,
    Expired,
    RemoteDeleted,
    RemoteDeletionFailed,
    ResultRead,
)
from livegate.policies.decision import is_conclusive
from livegate.session import AttemptStatus, OutcomeStatus, RemoteState, SessionState

if TYPE_CHECKING:
    from livegate.flows.context import Context
    from livegate.session import LivenessSession, Outcome

log = logging.getLogger("livegate.flows")


def look_after(context: Context, session: LivenessSession) -> Flow[LivenessSession]:
    """Do what a session needs that is due, although nobody calls for it.

    Raises:
        FaceError: The service did not say what it knows of an open session.
        VersionConflictError: Somebody else looks after it at the same moment.
    """
    if session.state is SessionState.REQUESTED:
        # Who asked the service is gone; if a session was created there, nobody knows its id.
        return (yield from context.change(session, Expired()))
    if session.state.is_open:
        return (yield from conclude(context, session))
    return (yield from delete_remote(context, session))


def conclude(context: Context, session: LivenessSession) -> Flow[LivenessSession]:
    """Ask the service what it knows of an open session, and draw the conclusion, if there is one.

    Raises:
        FaceError: The service did not say; the session stays as it is.
        VersionConflictError: Somebody else changed the session since it was read.
    """
    grace = timedelta(seconds=context.settings.result_grace)
    if context.clock() >= session.expires_at + grace:
        return (yield from _end(context, session, Expired()))
    try:
        outcome = yield from ask(
            context.face.read(session.kind, _remote_id(session), session.api_version)
        )
    except FaceSessionNotFoundError:
        session = yield from context.change(session, Expired())
        return (yield from context.change(session, RemoteDeleted()))
    if is_conclusive(session, outcome):
        verdict = yield from context.plugins.decide(session, outcome)
        return (yield from _end(context, session, ResultRead(outcome.attempts, verdict)))
    if _is_over(context, session, outcome):
        return (yield from _end(context, session, Expired()))
    if session.state is SessionState.READY and outcome.status is not OutcomeStatus.NOT_STARTED:
        return (yield from context.change(session, ClientStarted()))
    return session


def delete_remote(context: Context, session: LivenessSession) -> Flow[LivenessSession]:
    """Have the service forget a session that is needed no more, if the time for a try has come.

    The owner's answer does not depend on it: whatever fails here stays on the record, and the next
    caller or sweep tries again.
    """
    retry_at = session.remote_retry_at
    if session.remote is not RemoteState.DELETING or (retry_at and context.clock() < retry_at):
        return session
    event: RemoteDeleted | RemoteDeletionFailed = RemoteDeleted()
    try:
        yield from ask(context.face.delete(session.kind, _remote_id(session), session.api_version))
    except FaceError as error:
        log.warning("session %s: its remote session is not deleted yet: %s", session.id, error)
        event = RemoteDeletionFailed(context.clock() + _patience(session.remote_tries))
    try:
        return (yield from context.change(session, event))
    except StoreError as error:
        log.warning("session %s: the deletion is not recorded yet: %s", session.id, error)
        return session


def _is_over(context: Context, session: LivenessSession, outcome: Outcome) -> bool:
    """Whether nothing conclusive can come any more."""
    if outcome.with_status(AttemptStatus.RUNNING):
        return False
    return outcome.status is OutcomeStatus.ENDED or context.clock() >= session.expires_at


def _end(context: Context, session: LivenessSession, event: Event) -> Flow[LivenessSession]:
    session = yield from context.change(session, event)
    return (yield from delete_remote(context, session))


def _patience(tries: int) -> timedelta:
    """How long to leave the service alone after so many failed deletions: 30 s, doubled to 1 h."""
    return timedelta(seconds=min(30 * 2 ** min(tries, 10), 3600))


def _remote_id(session: LivenessSession) -> str:
    assert session.remote_id is not None  # noqa: S101 - every session past the start has one
    return session.remote_id
