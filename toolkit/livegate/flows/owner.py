"""What the owner of a session can ask for. Every verb begins with whose session it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from livegate.checks import check_report, check_subject
from livegate.driving import Flow, ask
from livegate.errors import InvalidRequestError, TransitionError
from livegate.flows.concluding import conclude, look_after
from livegate.flows.concluding import delete_remote as delete_remote_if_due
from livegate.lifecycle import Cancelled, ClientFinished, Consumed, advance, due_at
from livegate.session import LivenessSession, Page, SessionState
from livegate.stores.base import SessionQuery

if TYPE_CHECKING:
    from livegate.flows.context import Context


def get(context: Context, session_id: str, subject: str) -> Flow[LivenessSession]:
    """See :meth:`livegate.Orchestrator.get`."""
    return (yield from context.owned(session_id, subject))


def find(
    context: Context,
    subject: str,
    states: frozenset[SessionState],
    limit: int,
    cursor: str | None,
) -> Flow[Page]:
    """See :meth:`livegate.Orchestrator.find`."""
    check_subject(subject)
    if not states <= set(SessionState):
        raise InvalidRequestError(f"states has to be of {', '.join(SessionState)}.", field="states")
    query = SessionQuery(subject=subject, states=states, limit=limit, cursor=cursor)
    return (yield from ask(context.store.find(query)))


def finish(
    context: Context,
    session_id: str,
    subject: str,
    digest: str | None,
    client_error: str | None,
) -> Flow[LivenessSession]:
    """See :meth:`livegate.Orchestrator.finish`."""
    check_report(digest, client_error)
    report = ClientFinished(digest, client_error)

    def step(session: LivenessSession) -> Flow[LivenessSession]:
        _refuse_unbegun(session)
        if session.state.is_open:
            session = yield from _keep(context, session, report)
        return (yield from _news(context, session))

    return (yield from context.on_owned(session_id, subject, step))


def read_result(context: Context, session_id: str, subject: str) -> Flow[LivenessSession]:
    """See :meth:`livegate.Orchestrator.read_result`."""

    def step(session: LivenessSession) -> Flow[LivenessSession]:
        _refuse_unbegun(session)
        return (yield from _news(context, session))

    return (yield from context.on_owned(session_id, subject, step))


def cancel(context: Context, session_id: str, subject: str) -> Flow[LivenessSession]:
    """See :meth:`livegate.Orchestrator.cancel`."""

    def step(session: LivenessSession) -> Flow[LivenessSession]:
        if session.state.is_open or session.state is SessionState.REQUESTED:
            session = yield from context.change(session, Cancelled())
        return (yield from delete_remote_if_due(context, session))

    return (yield from context.on_owned(session_id, subject, step))


def expire(context: Context, session_id: str, subject: str) -> Flow[LivenessSession]:
    """See :meth:`livegate.Orchestrator.expire`."""

    def step(session: LivenessSession) -> Flow[LivenessSession]:
        if session.state.is_open and context.clock() >= session.expires_at:
            return (yield from conclude(context, session))
        return session

    return (yield from context.on_owned(session_id, subject, step))


def refresh(context: Context, session_id: str, subject: str) -> Flow[LivenessSession]:
    """See :meth:`livegate.Orchestrator.refresh`."""

    def step(session: LivenessSession) -> Flow[LivenessSession]:
        due = due_at(session)
        if due is None or context.clock() < due:
            return session
        return (yield from look_after(context, session))

    return (yield from context.on_owned(session_id, subject, step))


def delete_remote(context: Context, session_id: str, subject: str) -> Flow[LivenessSession]:
    """See :meth:`livegate.Orchestrator.delete_remote`."""

    def step(session: LivenessSession) -> Flow[LivenessSession]:
        return (yield from delete_remote_if_due(context, session))

    return (yield from context.on_owned(session_id, subject, step))


def consume(context: Context, session_id: str, subject: str, purpose: str) -> Flow[LivenessSession]:
    """See :meth:`livegate.Orchestrator.consume`."""

    def step(session: LivenessSession) -> Flow[LivenessSession]:
        if session.purpose != purpose:
            raise TransitionError(
                f"The verdict of session {session.id} is for another purpose.",
                code="purpose_differs",
            )
        return (yield from context.change(session, Consumed()))

    return (yield from context.on_owned(session_id, subject, step))


def _refuse_unbegun(session: LivenessSession) -> None:
    if session.state is SessionState.REQUESTED:
        raise TransitionError(
            f"Session {session.id} has not been created at the service.", code="not_ready"
        )


def _keep(
    context: Context, session: LivenessSession, report: ClientFinished
) -> Flow[LivenessSession]:
    """Keep what the client says; a report that adds nothing is not written again."""
    after = advance(session, report, context.clock())
    told = (session.state, session.client_digests, session.client_error)
    if told == (after.state, after.client_digests, after.client_error):
        return session
    return (yield from context.change(session, report))


def _news(context: Context, session: LivenessSession) -> Flow[LivenessSession]:
    if session.state.is_open:
        return (yield from conclude(context, session))
    return (yield from delete_remote_if_due(context, session))
