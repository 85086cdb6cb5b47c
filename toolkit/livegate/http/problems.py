"""Errors as RFC 9457 problem details, made in this one place."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any

from livegate.errors import MethodNotAllowedError, ReferenceImageRefusedError, StartRefusedError
from livegate.http.messages import Response, answer

if TYPE_CHECKING:
    from livegate.errors import LivegateError


log = logging.getLogger("livegate.http")


def refuse(error: LivegateError) -> Response:
    """The answer to a caller who ran into *error*; what only the operator may read is logged."""
    if error.status >= 500:  # noqa: PLR2004 - the server errors
        log.warning("%s: %s", error.code, error)
    return problem(error)


def problem(error: LivegateError) -> Response:
    """The answer to a caller who ran into *error*: what it is, where, and whether to try again."""
    content: dict[str, Any] = {
        "type": f"urn:livegate:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.public_message,
        "retryable": error.retryable or error.retry_after is not None,
    }
    if error.field is not None:
        content["field"] = error.field
    if isinstance(error, StartRefusedError | ReferenceImageRefusedError):
        content["objections"] = [
            {"code": each.code, "message": each.message} for each in error.objections
        ]
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = ", ".join(error.allowed)
    return answer(error.status, content, headers, "application/problem+json")
