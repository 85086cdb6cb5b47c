"""What the previews v1.1-preview.1 and v1.2-preview.1 share: their paths, and shapes of their own.

An attempt is an entry of an audit, and a session shows the newest one.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from mockface.dialects import audit, creating, reading
from mockface.dialects.errors import bad_media_type
from mockface.dialects.reading import Field
from mockface.dialects.rendering import Json, present, timestamp
from mockface.dialects.routes import Body, Call, Route
from mockface.sessions.nouns import Kind, Progress, Session
from mockface.wire import JSON, Response, WireError, answer

if TYPE_CHECKING:
    from mockface.sessions.nouns import Options

STATUS = {
    Progress.WAITING: "NotStarted",
    Progress.STARTED: "Started",
    Progress.RUNNING: "ResultAvailable",
    Progress.CLASSIFIED: "ResultAvailable",
    Progress.FAILED: "ResultAvailable",
}

_MOST_PAGE = 1000
PAGING = (
    Field("start", "start", reading.text(64, least=0), default=""),
    Field("top", "top", reading.integer(1, _MOST_PAGE), default=_MOST_PAGE),
)

_SESSION_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_LIVENESS = "/detectLiveness/singleModal/sessions"
_VERIFY = "/detectLivenessWithVerify/singleModal/sessions"


def routes(liveness: Body, verify: Body, form_name: str) -> tuple[Route, ...]:
    """The operations on sessions, by what the bodies of the creates may hold.

    Args:
        liveness: The body of CreateLivenessSession.
        verify: The body of CreateLivenessWithVerifySession.
        form_name: What the specification calls the form with `verify` and a reference image.
    """
    return (
        Route(
            "create",
            "POST",
            _LIVENESS,
            partial(create, liveness),
            operation="CreateLivenessSession",
            json=liveness,
            gives="CreateLivenessSessionResult",
        ),
        Route(
            "create-with-verify",
            "POST",
            _VERIFY,
            partial(create_with_verify, verify),
            operation="CreateLivenessWithVerifySession",
            json=verify,
            form=Body(
                form_name,
                (
                    Field("Parameters", "", reading.record(*verify.fields), required=True),
                    Field("VerifyImage", "", reading.file(), required=True),
                ),
            ),
            gives="CreateLivenessWithVerifySessionResult",
        ),
        *_of(Kind.LIVENESS, "", "Liveness", _LIVENESS),
        *_of(Kind.VERIFY, "-with-verify", "LivenessWithVerify", _VERIFY),
    )


def _of(kind: Kind, suffix: str, family: str, base: str) -> tuple[Route, ...]:
    one = f"{base}/{{sessionId}}"
    return (
        Route(
            f"list{suffix}",
            "GET",
            base,
            partial(sessions, kind),
            operation=f"Get{family}Sessions",
            query=PAGING,
            gives="LivenessSessionItem[]",
        ),
        Route(
            f"result{suffix}",
            "GET",
            one,
            partial(result, kind),
            operation=f"Get{family}SessionResult",
            gives=f"{family}Session",
        ),
        Route(
            f"delete{suffix}",
            "DELETE",
            one,
            partial(delete, kind),
            operation=f"Delete{family}Session",
        ),
        Route(
            f"audit{suffix}",
            "GET",
            f"{one}/audit",
            partial(audit_entries, kind),
            operation=f"Get{family}SessionAuditEntries",
            query=PAGING,
            gives="LivenessSessionAuditEntry[]",
        ),
    )


def create(body: Body, call: Call) -> Response:
    """CreateLivenessSession."""
    return _created(call, Kind.LIVENESS, creating.from_json(call, body))


def create_with_verify(body: Body, call: Call) -> Response:
    """CreateLivenessWithVerifySession, as JSON and, `...WithVerifyImage`, as a form."""
    kind = reading.media_type(call.request)
    if kind == reading.FORM:
        options, image = creating.from_form(call, body)
        return _created(call, Kind.VERIFY, options, image)
    if kind != JSON:
        raise bad_media_type(f"{JSON} or {reading.FORM}")
    return _created(call, Kind.VERIFY, creating.from_json(call, body))


def _created(call: Call, kind: Kind, options: Options, image: bytes | None = None) -> Response:
    session, token = call.tenant.create(kind, options, endpoint=call.request.origin, image=image)
    reference = session.reference
    return answer(
        200,
        present(
            sessionId=session.id,
            authToken=token,
            verifyImage=reference and audit.verify_image(reference),
        ),
    )


def result(kind: Kind, call: Call) -> Response:
    """GetLivenessSessionResult and GetLivenessWithVerifySessionResult."""
    session = call.tenant.get(kind, call.session_id)
    answered = session.answered
    return answer(
        200,
        _item(session, call.now)
        | present(
            status=STATUS[session.progress],
            result=audit.entry(session, answered[-1]) if answered else None,
        ),
    )


def delete(kind: Kind, call: Call) -> Response:
    """DeleteLivenessSession and DeleteLivenessWithVerifySession: 200 in the previews, and empty."""
    call.tenant.delete(kind, call.session_id)
    return Response(200)


def sessions(kind: Kind, call: Call) -> Response:
    """GetLivenessSessions and GetLivenessWithVerifySessions."""
    asked = reading.query(call.request, PAGING)
    start = asked["start"].lower()
    if start and not _SESSION_ID.fullmatch(start):
        raise WireError(
            400, "BadArgument", "start must be the id of a session, such as the last one you got."
        )
    page = call.tenant.page(kind, after=start, most=asked["top"])
    return answer(200, [_item(session, call.now) for session in page])


def audit_entries(kind: Kind, call: Call) -> Response:
    """GetLivenessSessionAuditEntries and GetLivenessWithVerifySessionAuditEntries.

    `start` is the id of an entry and excludes it and all before it; within a page the newest comes
    first, as recorded.
    """
    asked = reading.query(call.request, PAGING)
    start, top = asked["start"], asked["top"]
    if start and not (start.isascii() and start.isdigit()):
        raise WireError(400, "BadArgument", "start must be the id of an audit entry, such as 1.")
    session = call.tenant.get(kind, call.session_id, read=False)
    page = [attempt for attempt in session.answered if attempt.number > int(start or 0)][:top]
    return answer(200, [audit.entry(session, attempt) for attempt in reversed(page)])


def _item(session: Session, now: float) -> Json:
    """A `LivenessSessionItem`.

    Whether `sessionExpired` follows the token or the 48 hours is open; after 48 hours there is no
    session left to show it, so here it follows the token.
    """
    started = session.started_at
    if started is None and session.attempts:
        started = session.attempts[0].received_at
    return present(
        id=session.id,
        createdDateTime=timestamp(session.created_at),
        sessionStartDateTime=None if started is None else timestamp(started),
        sessionExpired=now >= session.token_expires_at,
        deviceCorrelationId=session.options.device_correlation_id,
        authTokenTimeToLiveInSeconds=session.options.token_seconds,
    )
