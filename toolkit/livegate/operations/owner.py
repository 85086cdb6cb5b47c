"""What the owner of a session can do with it, and what a reviewer can."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from livegate import _cursor
from livegate._record import to_session
from livegate._sync import maybe_await
from livegate.errors import (
    PurposeMismatchError,
    TransitionError,
    VerdictExpiredError,
    VerdictNotPassedError,
    VerdictUsedError,
)
from livegate.lifecycle import (
    ClientFinished,
    Consumed,
    Reviewed,
    advance,
)
from livegate.models import LivenessSession, Page, ReferenceSource, SessionState
from livegate.operations.results import cancel_and_delete, delete_remote, poll_result, process_due
from livegate.protocols import RecordQuery
from livegate.validation import (
    check_limit,
    check_report,
    check_reviewer,
    check_states,
    check_subject,
    check_verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from livegate.models import RequestContext, Verdict
    from livegate.operations._runtime import Runtime
    from livegate.purposes import Purpose

CLOCK_SKEW: Final = timedelta(minutes=1)
"""How far the clocks of two servers may differ; a verdict from later than that is refused."""


async def get(runtime: Runtime, session_id: str, subject: str) -> LivenessSession:
    """See :meth:`livegate.Orchestrator.get`."""
    return await runtime.load_owned(session_id, subject)


async def find(
    runtime: Runtime,
    subject: str,
    states: Iterable[SessionState],
    limit: int,
    cursor: str | None,
) -> Page:
    """See :meth:`livegate.Orchestrator.find`."""
    check_subject(subject)
    check_limit(limit)
    wanted = frozenset(state.value for state in check_states(states))
    after = None if cursor is None else _cursor.decode(cursor)
    query = RecordQuery(subject, wanted, limit + 1, after)
    records = await maybe_await(runtime.store.find(query))
    sessions = tuple(map(to_session, records[:limit]))
    is_last = len(records) <= limit
    return Page(sessions, None if is_last else _cursor.encode(records[limit - 1]))


async def read(runtime: Runtime, session_id: str, subject: str) -> LivenessSession:
    """See :meth:`livegate.Orchestrator.read`."""
    return await runtime.update_owned(
        session_id, subject, lambda session: process_due(runtime, session, runtime.reader_timing)
    )


async def finish(
    runtime: Runtime,
    session_id: str,
    subject: str,
    *,
    digest: str | None,
    client_error: str | None,
    context: RequestContext,
) -> LivenessSession:
    """See :meth:`livegate.Orchestrator.finish`."""
    check_report(digest, client_error)
    report = ClientFinished(digest, client_error)

    async def step(session: LivenessSession) -> LivenessSession:
        if session.state is SessionState.REQUESTED:
            raise TransitionError(
                f"Session {session.id} has not been created at the service.", code="not_ready"
            )
        if not session.state.is_open:
            return await delete_remote(runtime, session)
        if not _adds_something(session, report, runtime):
            return await read(runtime, session_id, subject)
        session = await runtime.commit(session, report)
        return await poll_result(runtime, session, context)

    return await runtime.update_owned(session_id, subject, step)


async def cancel(runtime: Runtime, session_id: str, subject: str) -> LivenessSession:
    """See :meth:`livegate.Orchestrator.cancel`."""
    return await runtime.update_owned(
        session_id, subject, lambda found: cancel_and_delete(runtime, found)
    )


async def consume(
    runtime: Runtime, session_id: str, subject: str, purpose: str, transaction: str | None
) -> LivenessSession:
    """See :meth:`livegate.Orchestrator.consume`."""
    wanted = runtime.purposes.require(purpose)
    # Also for a session from before the purpose required one.
    wanted.check_transaction(transaction)

    async def step(session: LivenessSession) -> LivenessSession:
        _check_purpose(session, wanted, transaction)
        if session.state is not SessionState.PASSED or session.decided_at is None:
            raise VerdictNotPassedError(
                f"Session {session.id} has not passed: it is {session.state}.", state=session.state
            )
        if session.consumed_at is not None:
            raise VerdictUsedError(
                f"The verdict of session {session.id} was used before.", state=session.state
            )
        age = runtime.now() - session.decided_at
        if not -CLOCK_SKEW <= age < wanted.max_age:
            raise VerdictExpiredError(
                f"The verdict of session {session.id} is too old for the purpose {wanted.name}.",
                state=session.state,
            )
        return await runtime.commit(session, Consumed())

    return await runtime.update_owned(session_id, subject, step)


async def review(
    runtime: Runtime, session_id: str, reviewer: str, verdict: Verdict
) -> LivenessSession:
    """See :meth:`livegate.Orchestrator.review`."""
    event = Reviewed(check_verdict(verdict), check_reviewer(reviewer))

    async def step(session: LivenessSession) -> LivenessSession:
        return await runtime.commit(session, event)

    return await runtime.update(lambda: runtime.load(session_id), step)


def _adds_something(session: LivenessSession, report: ClientFinished, runtime: Runtime) -> bool:
    """Whether the client's report has to be stored: one that repeats another has not."""
    after = advance(session, report, runtime.now())
    known = (session.state, session.client_digests, session.client_error)
    return known != (after.state, after.client_digests, after.client_error)


def _check_purpose(session: LivenessSession, wanted: Purpose, transaction: str | None) -> None:
    """See that the verdict proves what *wanted* asks for; its settings may have changed since."""
    what = None
    if session.purpose != wanted.name:
        what = "another purpose"
    elif session.transaction != transaction:
        what = "another transaction"
    elif session.kind is not wanted.kind or (
        session.reference_source is ReferenceSource.CLIENT and not wanted.takes_client_image
    ):
        what = f"less than the purpose {wanted.name} asks for"
    if what is not None:
        raise PurposeMismatchError(
            f"The verdict of session {session.id} is for {what}.", state=session.state
        )
