"""The endpoints: from a request to an operation of the core, and from its result to a response."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote

from livegate import operations
from livegate.errors import InvalidRequestError
from livegate.http._bodies import read_content
from livegate.http._fields import check_name, invalid_field
from livegate.http._problems import parse_languages
from livegate.http._serializers import page_to_json, session_to_json, started_to_json
from livegate.http.types import Request, Response, json_response
from livegate.models import RequestContext, SessionState, StartRequest
from livegate.protocols import MAX_PAGE

if TYPE_CHECKING:
    from livegate.http._openapi import Operation
    from livegate.models import LivenessSession, StartResult
    from livegate.operations import Runtime

DEFAULT_LIMIT: Final = 20
"""Sessions on a page of the list."""

_QUERY: Final = ("limit", "state", "cursor")


@dataclass(slots=True)
class Call:
    """One request, with all that an endpoint needs to respond.

    Attributes:
        runtime: Of the orchestrator.
        request: What was sent.
        operation: The row of the table that it belongs to.
        subject: Who is signed in; empty where nobody has to be.
        session_id: Of the path; empty if it has none.
    """

    runtime: Runtime
    request: Request
    operation: Operation
    subject: str = field(repr=False)
    session_id: str


async def start(call: Call) -> Response:
    """Start a session."""
    content = await read_content(call.request, call.operation.bodies)
    request = StartRequest(
        call.subject,
        content.fields.get("purpose", "default"),
        content.fields.get("transaction"),
        content.image,
        idempotency_key=call.request.headers.get("idempotency-key"),
        context=_context(call.request),
    )
    return _started(call, await operations.start(call.runtime, request))


async def retry(call: Call) -> Response:
    """Start a session that repeats an earlier one."""
    content = await read_content(call.request, call.operation.bodies)
    return _started(
        call,
        await operations.retry(
            call.runtime, call.session_id, call.subject, content.image, _context(call.request)
        ),
    )


async def finish(call: Call) -> Response:
    """Take the report of the front end, and read the verdict."""
    content = await read_content(call.request, call.operation.bodies)
    session = await operations.finish(
        call.runtime,
        call.session_id,
        call.subject,
        digest=content.fields.get("digest"),
        client_error=content.fields.get("clientError"),
        context=_context(call.request),
    )
    return _session(call, session, status=202 if session.state.is_open else 200)


async def read(call: Call) -> Response:
    """Show a session, and ask the service for its result if that is due."""
    return _session(call, await operations.read(call.runtime, call.session_id, call.subject))


async def peek(call: Call) -> Response:
    """Show a session as it is stored."""
    return _session(call, await operations.get(call.runtime, call.session_id, call.subject))


async def find(call: Call) -> Response:
    """List the subject's sessions."""
    states, limit, cursor = _parse_query(call.request.query)
    page = await operations.find(call.runtime, call.subject, states, limit, cursor)
    return json_response(200, page_to_json(call.runtime, page))


async def cancel(call: Call) -> Response:
    """End a session."""
    await operations.cancel(call.runtime, call.session_id, call.subject)
    return json_response(204)


def _started(call: Call, started: StartResult) -> Response:
    location = f"{quote(call.request.base)}/sessions/{started.session.id}"
    return json_response(201, started_to_json(started), {"Location": location})


def _session(call: Call, session: LivenessSession, status: int = 200) -> Response:
    headers = None
    if session.state is SessionState.AWAITING_RESULT:
        headers = {"Retry-After": str(call.runtime.settings.poll_interval)}
    return json_response(status, session_to_json(call.runtime, session), headers)


def _context(request: Request) -> RequestContext:
    get = request.headers.get
    chosen = {name.lower(): get(name) for name in request.context_headers}
    return RequestContext(
        is_http=True,
        client_address=request.client_address,
        user_agent=get("user-agent"),
        languages=parse_languages(get("accept-language")),
        headers={name: value for name, value in chosen.items() if value is not None},
    )


def _parse_query(query: str) -> tuple[list[SessionState], int, str | None]:
    """The states, the limit and the cursor.

    Raises:
        InvalidRequestError: A parameter is unknown, there twice or not what it has to be.
    """
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError as error:
        raise InvalidRequestError(
            "The query has to be percent-encoded UTF-8.", code="invalid_query"
        ) from error
    values: dict[str, str] = {}
    for name, value in pairs:
        check_name(name, _QUERY, values)
        values[name] = value
    limit = values.get("limit", str(DEFAULT_LIMIT))
    # Not int() first: it refuses thousands of digits with an error of its own.
    if not re.fullmatch(r"[0-9]{1,3}", limit) or not 1 <= int(limit) <= MAX_PAGE:
        raise invalid_field("limit", f"has to be an integer from 1 to {MAX_PAGE}")
    names = [name for name in values.get("state", "").split(",") if name]
    if not set(names) <= set(SessionState):
        raise invalid_field("state", f"has to be one or several of {', '.join(SessionState)}")
    return [SessionState(name) for name in names], int(limit), values.get("cursor")
