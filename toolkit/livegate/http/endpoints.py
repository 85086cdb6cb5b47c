"""The endpoints: a table of routes, and for each a flow from a request to a response."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from livegate import flows
from livegate.checks import check_subject
from livegate.errors import (
    InvalidRequestError,
    LivegateError,
    MethodNotAllowedError,
)
from livegate.http.inputs import client_report, list_query, start_request
from livegate.http.messages import Request, Response, answer
from livegate.http.problems import problem, refuse
from livegate.http.views import page_view, session_view, started_view
from livegate.session import SessionState

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate.driving import Flow
    from livegate.flows import Context
    from livegate.session import LivenessSession

log = logging.getLogger("livegate.http")


def handle(context: Context, request: Request, subject: str | None) -> Flow[Response]:
    """Answer *request* for *subject*; whatever goes wrong, the answer is a problem, never a raise.

    Args:
        context: Of the orchestrator.
        request: What came in.
        subject: Who is signed in, in the host application's words; None for nobody.
    """
    try:
        endpoint, session_id = _find(request)
        _refuse_other_sites(context, request)
        call = _Call(context, request, check_subject(subject), session_id)
        return (yield from endpoint(call))
    except LivegateError as error:
        return refuse(error)
    except Exception:
        log.exception("an endpoint failed")
        return problem(LivegateError("An endpoint failed."))


def _refuse_other_sites(context: Context, request: Request) -> None:
    """A page of another site may send a request with the user's cookies; a browser says so."""
    foreign = request.headers.get("sec-fetch-site") == "cross-site"
    if foreign and request.method != "GET" and not context.settings.allow_cross_site:
        raise InvalidRequestError(
            "This request comes from a page of another site. If that site is yours, set "
            "LIVEGATE_ALLOW_CROSS_SITE.",
            code="cross_site_request",
            status=403,
        )


@dataclass(frozen=True, slots=True)
class _Call:
    """One request, with all that an endpoint needs to answer it."""

    context: Context
    request: Request
    subject: str = field(repr=False)
    session_id: str


def _start(call: _Call) -> Flow[Response]:
    request = start_request(call.request, call.subject)
    started = yield from flows.start(call.context, request)
    location = f"{call.request.base}/sessions/{started.session.id}"
    return answer(201, started_view(started), {"Location": location})


def _list(call: _Call) -> Flow[Response]:
    states, limit, cursor = list_query(call.request)
    page = yield from flows.find(call.context, call.subject, states, limit, cursor)
    return answer(200, page_view(page))


def _get(call: _Call) -> Flow[Response]:
    session = yield from flows.refresh(call.context, call.session_id, call.subject)
    return answer(200, session_view(session), _advice(call, session))


def _finish(call: _Call) -> Flow[Response]:
    digest, client_error = client_report(call.request)
    session = yield from flows.finish(
        call.context, call.session_id, call.subject, digest, client_error
    )
    status = 202 if session.state.is_open else 200
    return answer(status, session_view(session), _advice(call, session))


def _cancel(call: _Call) -> Flow[Response]:
    yield from flows.cancel(call.context, call.session_id, call.subject)
    return answer(204)


def _advice(call: _Call, session: LivenessSession) -> dict[str, str]:
    """How long to wait before asking again, as long as there is something to wait for."""
    if session.state is not SessionState.AWAITING_RESULT:
        return {}
    return {"Retry-After": str(call.context.settings.poll_interval)}


_ID: Final = "{id}"
ROUTES: Final[dict[str, dict[str, Callable[[_Call], Flow[Response]]]]] = {
    "/sessions": {"POST": _start, "GET": _list},
    f"/sessions/{_ID}": {"GET": _get, "DELETE": _cancel},
    f"/sessions/{_ID}/finish": {"POST": _finish},
}
"""What each path takes."""


def _find(request: Request) -> tuple[Callable[[_Call], Flow[Response]], str]:
    for path, endpoints in ROUTES.items():
        pattern = re.escape(path).replace(re.escape(_ID), "([^/]+)")
        if (match := re.fullmatch(pattern, request.path)) is None:
            continue
        if request.method not in endpoints:
            raise MethodNotAllowedError(endpoints)
        return endpoints[request.method], "".join(match.groups())
    raise InvalidRequestError(
        f"There is nothing at this path; there is {', '.join(ROUTES)}.",
        code="path_unknown",
        status=404,
    )
