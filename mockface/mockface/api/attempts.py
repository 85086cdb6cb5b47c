"""The client's side: what the front end's SDK calls with the session's token.

Known are the paths, the token and that an attempt's body is a form with a clip (contract section
11). That a failed attempt is a 400 with the failure's code is an assumption, and so is 204 for
every success on v1.2. Of the start and of the end of an attempt only the paths are known; here both
are POST, both answer with an empty object, a start may name ids as JSON, and neither is needed for
an attempt.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, UnsetType, field

from mockface.api import creating, reading
from mockface.api.creating import DeviceId, UserId
from mockface.api.models import Empty, File
from mockface.responses import answer, error
from mockface.scenarios import Failure
from mockface.sessions.nouns import ClientCall
from mockface.validation import given, read
from mockface.wire import JSON, Request, Response

if TYPE_CHECKING:
    from mockface.operations import Call
    from mockface.sessions.nouns import Attempt, Session

DIGEST_HEADER = "x-mockface-digest"
"""The digest that the real SDK computes for itself; a simulated client reads it here."""

_LONGEST_KEPT = 500

SCENARIO_HEADER = "x-mockface-scenario"
"""What this one attempt is to be."""


class SessionStart(Struct):
    """What the client says when it begins."""

    device_id: DeviceId | UnsetType = field(name="deviceCorrelationId", default=UNSET)
    user_id: UserId | UnsetType = field(name="userCorrelationId", default=UNSET)


class AttemptForm(Struct):
    """What the client sends of an attempt."""

    content: File | UnsetType = field(name="Content", default=UNSET)
    metadata: str | UnsetType = field(name="Metadata", default=UNSET)
    verify_image: File | UnsetType = field(name="VerifyImage", default=UNSET)


def start(call: Call) -> Response:
    """The client begins; a body that is no JSON says nothing."""
    ids = {}
    if reading.media_type(call.request) == JSON and call.request.body:
        ids = given(read(SessionStart, reading.json_body(call.request)))
    call.tenant.start(call.session_id, **ids)
    return answer(200, Empty())


def end(call: Call) -> Response:
    """The client is done with an attempt; what it says about it is not known and not read."""
    call.tenant.end(call.session_id)
    return answer(200, Empty())


def attempt(call: Call) -> Response:
    """DetectLiveness and DetectLivenessWithVerify."""
    session, made = _made(call)
    if isinstance(made.outcome, Failure):
        response = error(400, made.outcome.code, made.outcome.message)
    elif session.options.send_results_to_client:  # an option of the previews alone
        response = answer(200, call.operation.shapes.of_body(session, made))
    else:
        response = Response(204)
    response.headers[DIGEST_HEADER] = made.client_digest
    return response


def _made(call: Call) -> tuple[Session, Attempt]:
    request = call.request
    parts = reading.form(request)
    content = parts.get("Content")
    return call.tenant.attempt(
        call.operation.kind,
        call.session_id,
        call=ClientCall(
            path=request.path,
            method=request.method,
            content_length=len(request.body),
            content_type=_kept(request, "content-type") or "",
            user_agent=_kept(request, "user-agent"),
            client_request_id=_kept(request, "client-request-id"),
            ip=_address(request),
        ),
        request_id=call.request_id,
        content=None if content is None else content.data,
        verify_image=creating.picture(call, parts),
        scenario=request.header(SCENARIO_HEADER),
    )


def _address(request: Request) -> str:
    """Where the client is; what a proxy or a test says of it counts more than the socket."""
    forwarded = (request.header("x-forwarded-for") or "").partition(",")[0].strip()
    try:
        return str(ip_address(forwarded))
    except ValueError:
        return request.peer


def _kept(request: Request, name: str) -> str | None:
    """A header as the audit keeps it: a session must not grow with what a client sends."""
    value = request.header(name)
    return None if value is None else value[:_LONGEST_KEPT]
