"""API version v1.2-preview.1, the one that the published Python client library speaks."""

from __future__ import annotations

from functools import partial

from mockface.dialects import attempts, audit, creating, detect, images, reading
from mockface.dialects.reading import Field
from mockface.dialects.rendering import Json, present, timestamp
from mockface.dialects.routes import Call, Dialect, Route
from mockface.sessions import Kind, Progress, Session
from mockface.wire import Response, WireError, answer

MODELS = ("2023-12-20-preview.06", "2022-10-15-preview.04")
_NEWEST_MODEL = MODELS[0]

FIELDS = (
    *creating.COMMON,
    Field("sendResultsToClient", "send_results_to_client", reading.boolean()),
    Field("livenessSingleModalModel", "model", reading.one_of(*MODELS)),
)
VERIFY_FIELDS = (*FIELDS, *creating.VERIFY)


def create(call: Call) -> Response:
    """CreateLivenessSession."""
    options = creating.from_json(call.request, FIELDS, _NEWEST_MODEL)
    session, token = call.tenant.create(Kind.LIVENESS, options, endpoint=call.request.origin)
    return _created(session, token)


def create_with_verify(call: Call) -> Response:
    """CreateLivenessWithVerifySession, as JSON and, `...WithVerifyImage`, as a form."""
    image = None
    if reading.media_type(call.request) == reading.FORM:
        options, image = creating.from_form(call.request, VERIFY_FIELDS, _NEWEST_MODEL)
    else:
        options = creating.from_json(call.request, VERIFY_FIELDS, _NEWEST_MODEL)
    session, token = call.tenant.create(
        Kind.VERIFY, options, endpoint=call.request.origin, image=image
    )
    return _created(session, token)


def result(kind: Kind, call: Call) -> Response:
    """GetLivenessSessionResult and GetLivenessWithVerifySessionResult."""
    session = call.tenant.get(kind, call.session_id)
    newest = session.attempts[-1] if session.attempts else None
    return answer(
        200,
        _item(session, call.now)
        | present(
            status="NotStarted" if session.progress is Progress.WAITING else "ResultAvailable",
            result=newest and audit.entry(session, newest),
        ),
    )


def delete(kind: Kind, call: Call) -> Response:
    """DeleteLivenessSession and DeleteLivenessWithVerifySession: 200 in this version, and empty."""
    call.tenant.delete(kind, call.session_id)
    return Response(200)


def sessions(kind: Kind, call: Call) -> Response:
    """GetLivenessSessions and GetLivenessWithVerifySessions."""
    start, top = reading.paging(call.request)
    page = call.tenant.page(kind, after=start, most=top)
    return answer(200, [_item(session, call.now) for session in page])


def audit_entries(kind: Kind, call: Call) -> Response:
    """GetLivenessSessionAuditEntries and GetLivenessWithVerifySessionAuditEntries.

    `start` is the id of an entry and excludes it and all before it; within a page the newest comes
    first, as recorded.
    """
    start, top = reading.paging(call.request)
    if start and not (start.isascii() and start.isdigit()):
        raise WireError(400, "BadArgument", "start must be the id of an audit entry.")
    session = call.tenant.get(kind, call.session_id)
    page = [attempt for attempt in session.attempts if attempt.number > int(start or 0)][:top]
    return answer(200, [audit.entry(session, attempt) for attempt in reversed(page)])


def _created(session: Session, token: str) -> Response:
    reference = session.reference
    return answer(
        200,
        present(
            sessionId=session.id,
            authToken=token,
            verifyImage=reference and audit.verify_image(reference),
        ),
    )


def _item(session: Session, now: float) -> Json:
    """A `LivenessSessionItem`.

    Whether `sessionExpired` follows the token or the 48 hours is open; after 48 hours there is no
    session left to show it, so here it follows the token.
    """
    first = session.attempts[0] if session.attempts else None
    return present(
        id=session.id,
        createdDateTime=timestamp(session.created_at),
        sessionStartDateTime=first and timestamp(first.received_at),
        sessionExpired=now >= session.token_expires_at,
        deviceCorrelationId=session.options.device_correlation_id,
        authTokenTimeToLiveInSeconds=session.options.token_seconds,
    )


def _routes(suffix: str, kind: Kind, base: str) -> tuple[Route, ...]:
    one = f"{base}/{{sessionId}}"
    return (
        Route(f"list{suffix}", "GET", base, partial(sessions, kind)),
        Route(f"result{suffix}", "GET", one, partial(result, kind)),
        Route(f"delete{suffix}", "DELETE", one, partial(delete, kind)),
        Route(f"audit{suffix}", "GET", f"{one}/audit", partial(audit_entries, kind)),
    )


_LIVENESS = "/detectLiveness/singleModal/sessions"
_VERIFY = "/detectLivenessWithVerify/singleModal/sessions"

DIALECT = Dialect(
    "v1.2-preview.1",
    (
        Route("create", "POST", _LIVENESS, create),
        Route("create-with-verify", "POST", _VERIFY, create_with_verify),
        *_routes("", Kind.LIVENESS, _LIVENESS),
        *_routes("-with-verify", Kind.VERIFY, _VERIFY),
        *attempts.ROUTES,
        *images.PREVIEW_ROUTES,
        *detect.ROUTES,
    ),
)
