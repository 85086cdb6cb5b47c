"""From a request to a response, whatever happens."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from livegate.errors import ConfigurationError, LivegateError
from livegate.http._endpoints import Call
from livegate.http._origin import SAFE_METHODS, check_origin
from livegate.http._problems import problem_response
from livegate.http._table import ROUTES
from livegate.validation import check_subject

if TYPE_CHECKING:
    from livegate.http.types import Request, Response
    from livegate.operations import Runtime

log = logging.getLogger("livegate.http")


async def handle(runtime: Runtime, request: Request, subject: object) -> Response:
    """The response to *request*; every error is a problem response, and nothing is raised.

    The path is checked first, then the method, where the request comes from, whether somebody is
    signed in, and the body last: it is not read for a request that cannot succeed.

    Args:
        runtime: Of the orchestrator.
        request: As the adapter hands it over.
        subject: Who is signed in, as the application says: a str; None or empty for nobody.
            Anything else is an error of the application, and a 500.
    """
    try:
        operation, session_id = ROUTES.find(request.method, request.path)
        if request.method not in SAFE_METHODS:
            check_origin(request.headers, runtime.settings.allowed_origins)
        owner = _checked_subject(subject) if operation.needs_subject else ""
        response = await operation.endpoint(Call(runtime, request, operation, owner, session_id))
    except LivegateError as error:
        response = problem_response(error, request.headers.get("accept-language"))
    except Exception:
        log.exception("The request could not be handled.")
        response = problem_response(LivegateError("See the traceback above."))
    if request.method == "HEAD":
        response.body = b""
    return response


def _checked_subject(subject: object) -> str:
    try:
        return check_subject(subject)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"Who is signed in cannot be used: {error}.") from error
