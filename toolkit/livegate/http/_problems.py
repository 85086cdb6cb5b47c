"""Errors as RFC 9457 problem details, and the language that a client wants them in."""

from __future__ import annotations

import logging
import math
import re
from typing import TYPE_CHECKING, Any, Final

from livegate.errors import (
    ConsumeError,
    MethodNotAllowedError,
    ReferenceImageRejectedError,
    StartRejectedError,
)
from livegate.http.types import Response, json_response

if TYPE_CHECKING:
    from livegate.errors import LivegateError

log = logging.getLogger("livegate.http")

MAX_LANGUAGES: Final = 10
"""Of an ``Accept-Language`` header; the rest is ignored."""


def problem_response(error: LivegateError, accept_language: str | None = None) -> Response:
    """The response to a caller whose request ended in *error*.

    What is for the operator alone, the message of a server error, is logged.

    Args:
        error: What was raised.
        accept_language: The ``Accept-Language`` header of the request, or None.
    """
    if error.status >= 500:  # noqa: PLR2004 - the server errors
        log.warning("%s: %s", error.code, error)
    content: dict[str, Any] = {
        "type": f"urn:livegate:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.public_message,
        "code": error.code,
        "retryable": error.retryable or error.retry_after is not None,
    }
    if error.field is not None:
        content["field"] = error.field
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if isinstance(error, MethodNotAllowedError):
        headers["Allow"] = ", ".join(error.allowed)
    elif isinstance(error, ConsumeError):
        content["state"] = error.state.value
    elif isinstance(error, StartRejectedError | ReferenceImageRejectedError):
        languages = parse_languages(accept_language)
        content["violations"] = violations = []
        for violation in error.violations:
            message, remedy = violation.in_language(languages)
            violations.append({"code": violation.code, "message": message})
            if remedy is not None:
                violations[-1]["remedy"] = remedy
        content["detail"] = " ".join(each["message"] for each in violations)
    return json_response(error.status, content, headers, "application/problem+json")


def parse_languages(accept_language: str | None) -> tuple[str, ...]:
    """The languages of an ``Accept-Language`` header, the most wanted first; RFC 9110, 12.5.4."""
    weighted = []
    for item in (accept_language or "").split(",", MAX_LANGUAGES)[:MAX_LANGUAGES]:
        name, _, parameter = item.partition(";")
        name = name.strip()
        weight = re.fullmatch(r"\s*q=(1(?:\.0{0,3})?|0(?:\.\d{0,3})?)\s*", parameter, re.ASCII)
        quality = float(weight[1]) if weight else 1.0
        if quality and re.fullmatch(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,4}", name):
            weighted.append((-quality, name))
    return tuple(name for _, name in sorted(weighted, key=lambda item: item[0]))
