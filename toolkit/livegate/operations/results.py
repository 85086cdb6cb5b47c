"""From what the service knows to a verdict or an end, and to a deleted remote session.

These steps are shared by the owner's operations and by the worker. The verdict is committed before
the service's session is deleted; that deletion is a state of the record, tried until confirmed.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from livegate._sync import maybe_await
from livegate.errors import FaceError, FaceSessionNotFoundError, StoreError
from livegate.lifecycle import (
    Cancelled,
    ClientStarted,
    DetailsRemoved,
    Event,
    Expired,
    RemoteDeleted,
    RemoteDeletionFailed,
    ResultPolled,
    ResultRead,
    is_conclusive,
    state_due_at,
)
from livegate.models import AttemptStatus, OutcomeStatus, RemoteState, SessionState

if TYPE_CHECKING:
    from livegate.lifecycle import Timing
    from livegate.models import LivenessSession, Outcome, RequestContext
    from livegate.operations._runtime import Runtime

log = logging.getLogger("livegate.operations")


async def process_due(
    runtime: Runtime, session: LivenessSession, timing: Timing
) -> LivenessSession:
    """Do what a session needs that is due by *timing*, although no request comes for it.

    Raises:
        FaceError: The service did not say what it knows of an open session.
        VersionConflictError: The session was changed at the same moment.
    """
    session = await delete_remote(runtime, session)
    due = state_due_at(session, timing)
    if due is None or runtime.now() < due:
        return session
    if session.state.is_open:
        session = await runtime.commit(session, ResultPolled())
        return await poll_result(runtime, session)
    # Expired: nobody has reviewed it, or the process that asked the service is dead, or too late to
    # hand out a token.
    return await runtime.commit(session, DetailsRemoved() if session.state.is_final else Expired())


async def poll_result(
    runtime: Runtime, session: LivenessSession, context: RequestContext | None = None
) -> LivenessSession:
    """Ask the service what it knows of an open session, and draw the conclusion, if there is one.

    Raises:
        FaceError: The service did not say; the session stays as it is.
        VersionConflictError: The session was changed since it was read.
    """
    grace = timedelta(seconds=runtime.settings.result_grace)
    if runtime.now() >= session.expires_at + grace:
        return await _end(runtime, session, Expired())
    purpose = runtime.purposes.get(session.purpose)
    if purpose is None:
        # What this process does not know it cannot judge: another one has the application's
        # purposes and policies, or the session expires.
        log.warning(
            "session %s: its result is not read, since its purpose %s is not configured here",
            session.id,
            session.purpose,
        )
        return session
    try:
        outcome = await maybe_await(
            runtime.face.read(session.kind, remote_id_of(session), session.api_version)
        )
    except FaceSessionNotFoundError:
        session = await runtime.commit(session, Expired())
        return await runtime.commit(session, RemoteDeleted())
    if is_conclusive(session, outcome):
        verdict = await runtime.plugins.decide(session, outcome, purpose, context)
        return await _end(runtime, session, ResultRead(outcome.attempts, verdict))
    if _is_over(runtime, session, outcome):
        return await _end(runtime, session, Expired())
    if session.state is SessionState.READY and outcome.status is not OutcomeStatus.NOT_STARTED:
        session = await runtime.commit(session, ClientStarted())
    return session


async def cancel_and_delete(runtime: Runtime, session: LivenessSession) -> LivenessSession:
    """Cancel a session that is not over, and have the service delete its own."""
    if not session.state.is_final:
        session = await runtime.commit(session, Cancelled())
    return await delete_remote(runtime, session)


async def delete_remote(runtime: Runtime, session: LivenessSession) -> LivenessSession:
    """Have the service delete a session that is needed no more, if a try is due.

    The owner's result does not depend on it: a failure stays on the record, and the next caller or
    the worker tries again.
    """
    retry_at = session.remote_retry_at
    if session.remote is not RemoteState.DELETING or (retry_at and runtime.now() < retry_at):
        return session
    event: RemoteDeleted | RemoteDeletionFailed = RemoteDeleted()
    try:
        await maybe_await(
            runtime.face.delete(session.kind, remote_id_of(session), session.api_version)
        )
    except FaceError as error:
        log.warning("session %s: its remote session is not deleted yet: %s", session.id, error)
        event = RemoteDeletionFailed(runtime.now() + _backoff(session.remote_tries))
    try:
        return await runtime.commit(session, event)
    except StoreError as error:
        log.warning("session %s: the deletion is not recorded yet: %s", session.id, error)
        return session


def remote_id_of(session: LivenessSession) -> str:
    """The service's id of a session that it has created."""
    assert session.remote_id is not None  # noqa: S101 - every session past the start has one
    return session.remote_id


def _is_over(runtime: Runtime, session: LivenessSession, outcome: Outcome) -> bool:
    """Whether nothing conclusive can come any more."""
    if outcome.with_status(AttemptStatus.RUNNING):
        return False
    return outcome.status is OutcomeStatus.ENDED or runtime.now() >= session.expires_at


async def _end(runtime: Runtime, session: LivenessSession, event: Event) -> LivenessSession:
    return await delete_remote(runtime, await runtime.commit(session, event))


def _backoff(tries: int) -> timedelta:
    """How long to wait after so many failed deletions: 30 s, doubled to 1 h."""
    return timedelta(seconds=min(30 * 2**tries, 3600))
