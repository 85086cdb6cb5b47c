"""The client's side: what the front end's SDK calls with the session's token.

Known are the paths, the token and that the body is a form with a clip (contract section 11). That a
failed attempt is a 400 with the failure's code is an assumption, and so is 204 for every success on
v1.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockface.dialects import reading
from mockface.dialects.audit import response_body
from mockface.dialects.routes import Call, Route
from mockface.scenarios import Failure
from mockface.sessions import ClientCall, Kind
from mockface.wire import Request, Response, answer, error

if TYPE_CHECKING:
    from collections.abc import Callable

DIGEST_HEADER = "x-mockface-digest"
"""The digest that the real SDK computes for itself; a simulated client reads it here."""

_LONGEST_KEPT = 500

SCENARIO_HEADER = "x-mockface-scenario"
"""What this one attempt is to be."""


def _attempt(kind: Kind) -> Callable[[Call], Response]:
    def handler(call: Call) -> Response:
        request = call.request
        parts = reading.form(request)
        content = parts.get("Content")
        image = parts.get("VerifyImage") or parts.get("verifyImage")
        session, attempt = call.tenant.attempt(
            kind,
            call.session_id,
            call=ClientCall(
                path=request.path,
                method=request.method,
                content_length=len(request.body),
                content_type=_kept(request, "content-type") or "",
                user_agent=_kept(request, "user-agent"),
                client_request_id=_kept(request, "client-request-id"),
            ),
            request_id=call.request_id,
            content=None if content is None else content.data,
            verify_image=None if image is None else image.data,
            scenario=request.header(SCENARIO_HEADER),
        )
        if isinstance(attempt.outcome, Failure):
            response = error(400, attempt.outcome.code, attempt.outcome.message)
        elif session.options.send_results_to_client:
            response = answer(200, response_body(session, attempt))
        else:
            response = Response(204)
        response.headers[DIGEST_HEADER] = attempt.digest
        return response

    return handler


def _kept(request: Request, name: str) -> str | None:
    """A header as the audit keeps it: a session must not grow with what a client sends."""
    value = request.header(name)
    return None if value is None else value[:_LONGEST_KEPT]


ROUTES = (
    Route(
        "attempt", "POST", "/detectLiveness/singleModal", _attempt(Kind.LIVENESS), client_side=True
    ),
    Route(
        "attempt-with-verify",
        "POST",
        "/detectLivenessWithVerify/singleModal",
        _attempt(Kind.VERIFY),
        client_side=True,
    ),
)
