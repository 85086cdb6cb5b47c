"""What a caller may see of a session: states and words; no score, no token, no id but ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from livegate.session import SessionState

if TYPE_CHECKING:
    from datetime import datetime

    from livegate.session import LivenessSession, Page, Started

NEXT: Final = {
    SessionState.REQUESTED: "wait",
    SessionState.READY: "capture",
    SessionState.STARTED: "capture",
    SessionState.AWAITING_RESULT: "wait",
    SessionState.NEEDS_REVIEW: "wait",
    SessionState.PASSED: "continue",
    SessionState.REJECTED: "start_again",
    SessionState.INCONCLUSIVE: "start_again",
    SessionState.FAILED: "start_again",
    SessionState.EXPIRED: "start_again",
    SessionState.CANCELLED: "start_again",
}
"""What the front end does next."""


def session_view(session: LivenessSession) -> dict[str, Any]:
    """The public view of a session."""
    verdict = session.verdict
    return {
        "sessionId": session.id,
        "state": session.state.value,
        "kind": session.kind.value,
        "purpose": session.purpose,
        "createdAt": _time(session.created_at),
        "expiresAt": _time(session.expires_at),
        "verdict": verdict.state.value if verdict else None,
        "reasons": list(session.reasons),
        "next": NEXT[session.state],
    }


def started_view(started: Started) -> dict[str, Any]:
    """The answer to a start: the only one that ever holds the token."""
    return {
        "sessionId": started.session.id,
        "state": started.session.state.value,
        "authToken": started.auth_token,
        "expiresAt": _time(started.session.expires_at),
    }


def page_view(page: Page) -> dict[str, Any]:
    """Some of the subject's sessions, and where the next ones are."""
    return {"sessions": [session_view(each) for each in page.sessions], "nextCursor": page.cursor}


def _time(when: datetime) -> str:
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")
