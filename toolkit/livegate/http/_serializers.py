"""What a client may see of a session: no score, no hash, no id of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from livegate.models import SessionState

if TYPE_CHECKING:
    from datetime import datetime

    from livegate.models import LivenessSession, Page, StartResult
    from livegate.operations import Runtime

_S = SessionState
_IT_DEPENDS: Final = ""

VERDICT_AND_NEXT: Final[dict[SessionState, tuple[str | None, str]]] = {
    _S.REQUESTED: (None, "wait"),
    _S.READY: (None, "capture"),
    _S.STARTED: (None, "capture"),
    _S.AWAITING_RESULT: (None, "wait"),
    _S.NEEDS_REVIEW: ("needs_review", "wait"),
    _S.PASSED: ("passed", _IT_DEPENDS),
    _S.REJECTED: ("rejected", _IT_DEPENDS),
    _S.INCONCLUSIVE: ("inconclusive", _IT_DEPENDS),
    _S.FAILED: (None, _IT_DEPENDS),
    _S.EXPIRED: (None, _IT_DEPENDS),
    _S.CANCELLED: (None, "start_again"),
}
"""By the state: the verdict, and what the front end does next."""


def session_to_json(runtime: Runtime, session: LivenessSession) -> dict[str, Any]:
    """The public view of a session."""
    verdict, next_step = VERDICT_AND_NEXT[session.state]
    return {
        "sessionId": session.id,
        "state": session.state,
        "kind": session.kind,
        "purpose": session.purpose,
        "transaction": session.transaction,
        "createdAt": _time(session.created_at),
        "expiresAt": _time(session.expires_at),
        "decidedAt": None if session.decided_at is None else _time(session.decided_at),
        "verdict": verdict,
        "reasons": session.reasons,
        "next": next_step or _next_step(runtime, session),
    }


def started_to_json(started: StartResult) -> dict[str, Any]:
    """The response to a start: the only one that ever holds the token."""
    return {
        "sessionId": started.session.id,
        "state": started.session.state,
        "authToken": started.auth_token,
        "expiresAt": _time(started.session.expires_at),
    }


def page_to_json(runtime: Runtime, page: Page) -> dict[str, Any]:
    """Some of the subject's sessions, and where the next ones are."""
    sessions = [session_to_json(runtime, session) for session in page.sessions]
    return {"sessions": sessions, "nextCursor": page.cursor}


def _next_step(runtime: Runtime, session: LivenessSession) -> str:
    purpose = runtime.purposes.get(session.purpose)
    if purpose is None:
        return "start_again"
    if session.state is not SessionState.PASSED:
        return "retry" if session.retries < purpose.max_retries else "start_again"
    if session.consumed_at is not None:
        return "done"
    is_fresh = session.decided_at and runtime.now() < session.decided_at + purpose.max_age
    return "continue" if is_fresh else "start_again"


def _time(when: datetime) -> str:
    """RFC 3339, in UTC and whole seconds."""
    return when.isoformat()[:19] + "Z"
