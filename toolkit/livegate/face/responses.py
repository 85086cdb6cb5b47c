"""From the service's response, or the lack of one, to our models and our errors.

An error's text is for the operator and names the setting to look at. It never quotes the service:
the service's code is shown only if it is an identifier, its message not at all.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum, StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NoReturn

from livegate.errors import (
    FaceAuthError,
    FaceBadRequestError,
    FaceError,
    FaceResponseError,
    FaceSessionNotFoundError,
    FaceThrottledError,
    FaceUnavailableError,
)
from livegate.face.versions.common import as_identifier, as_object, as_remote_id

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from livegate.face.versions.common import Json

MAX_BODY: Final = 1024 * 1024
"""Bytes of a response that are read at most; a correct one has a few thousand."""

MAX_RETRY_AFTER: Final = 86_400.0
"""Seconds: a longer ``Retry-After`` is cut to this, since the header may be wrong."""


_SUCCESSFUL: Final = range(200, 300)
_TRANSIENT: Final = frozenset({500, 502, 503, 504})


class Operation(StrEnum):
    """What the service is asked to do."""

    CREATE = "create"
    READ = "read"
    DELETE = "delete"


class Truncation(Enum):
    """Why a body is not complete."""

    CUT_OFF = "was cut off"
    TOO_LONG = "is longer than 1 MiB"
    TIMED_OUT = "was not complete in time; see LIVEGATE_FACE_TIMEOUT"


@dataclass(frozen=True, slots=True)
class Response:
    """A response of the service.

    Attributes:
        status: The HTTP status.
        headers: By their names in lower case.
        body: As far as it was read. It may hold a token.
        truncation: Why the body is not complete, or None.
        received_at: Seconds since the epoch.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    truncation: Truncation | None
    received_at: float

    @property
    def request_id(self) -> str | None:
        """The service's ``apim-request-id``, if it is valid."""
        return as_identifier(self.headers.get("apim-request-id"))

    @property
    def error(self) -> Json:
        """The ``error`` object of the body; empty if there is none."""
        try:
            return as_object(parse_json(self).get("error")) or {}
        except FaceResponseError:
            return {}


class FailureReason(Enum):
    """Why there is no response: the error that it means, and its text."""

    CONNECTION = (
        FaceUnavailableError,
        "There is no connection to the Face service; check VISION_ENDPOINT.",
    )
    TIMEOUT = (
        FaceUnavailableError,
        "The Face service did not respond in time; see LIVEGATE_FACE_TIMEOUT.",
    )
    CREDENTIAL = (FaceAuthError, "The token credential gave no token for the Face service.")
    UNEXPECTED = (FaceUnavailableError, "The call to the Face service failed unexpectedly.")


@dataclass(frozen=True, slots=True)
class TransportFailure:
    """The service did not respond.

    Attributes:
        reason: Why.
        cause: The name of the class of the innermost error. Of what a transport raises, only this
            is safe to show: the rest may quote a header, and one of them is the key.
    """

    reason: FailureReason
    cause: str


Result = Response | TransportFailure


def is_transient(result: Result) -> bool:
    """Whether the same call may well succeed a moment later.

    Not after a time-out, which has taken all the time of one try, nor if the service names a time.
    """
    if isinstance(result, TransportFailure):
        return result.reason is FailureReason.CONNECTION
    return result.status in _TRANSIENT and "retry-after" not in result.headers


# --- reading a response ----------------------------------------------------------------------


def parse_json(response: Response) -> Json:
    """The JSON object in the body.

    Raises:
        FaceResponseError: The body is not complete, or not a JSON object.
    """
    if response.truncation is not None:
        raise FaceResponseError(f"The Face service's response {response.truncation.value}.")
    try:
        value = json.loads(
            response.body.decode("utf-8-sig"),
            object_pairs_hook=_unique_fields,
            parse_constant=_reject,
        )
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise FaceResponseError("The Face service's response is not a JSON object.")
    return value


def _unique_fields(pairs: list[tuple[str, Any]]) -> Json:
    """Two values for one field are a contradiction that ``dict`` would hide."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate field")
    return found


def _reject(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def created_session_id(result: Result) -> str | None:
    """The id of the session that the service created, from any response to a successful create.

    Also from one that is cut off or not JSON, so that the session can be deleted. None if there is
    no id, or more than one.
    """
    if isinstance(result, TransportFailure) or result.status not in _SUCCESSFUL:
        return None
    try:
        return as_remote_id(parse_json(result).get("sessionId"))
    except FaceResponseError:
        found = set(re.findall(rb'"sessionId"\s*:\s*"([A-Za-z0-9_-]{1,64})"', result.body))
        return found.pop().decode() if len(found) == 1 else None


def _retry_after(response: Response, message: str) -> float | None:
    """Seconds: from the header in either of its forms, else from the gateway's message.

    The message is like "Try again in 26 seconds".
    """
    text = response.headers.get("retry-after", "").strip()
    if text.isdecimal() and text.isascii():
        return min(float(text), MAX_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        found = re.search(r"\bin (\d{1,5}) seconds?\b", message, re.ASCII)
        is_throttled = response.status == HTTPStatus.TOO_MANY_REQUESTS
        return float(found[1]) if found and is_throttled else None
    if date.tzinfo is None:  # "-0000" means no more than that the time is in UTC
        date = date.replace(tzinfo=UTC)
    return min(max(date.timestamp() - response.received_at, 0.0), MAX_RETRY_AFTER)


# --- errors: the first rule that applies ------------------------------------------------------

_SUCCESS: Final = {
    Operation.CREATE: frozenset({200, 201}),
    Operation.READ: frozenset({200}),
    Operation.DELETE: frozenset({200, 204}),
}
"""A delete responds with 200 in the previews and with 204 since v1.2."""


@dataclass(frozen=True, slots=True)
class _Rule:
    statuses: Collection[int]
    error: type[FaceError]
    text: str
    condition: Callable[[Operation, str | None, str], bool] = lambda *_: True
    """Of the operation, the service's code and its message."""


_RULES: Final = (
    _Rule(
        {401},
        FaceAuthError,
        "The Face service does not accept the credential: VISION_KEY is wrong, or it is the key of "
        "another resource than VISION_ENDPOINT.",
    ),
    _Rule(
        {403},
        FaceAuthError,
        "The subscription is not approved for liveness, which Microsoft gives Limited Access to: "
        "apply for it. VISION_KEY and VISION_ENDPOINT themselves are accepted.",
        lambda _operation, code, _message: code == "UnsupportedFeature",
    ),
    _Rule(
        {403},
        FaceAuthError,
        "The call volume of the Face resource is used up: wait until it is replenished, or raise "
        "the resource's tier.",
        lambda _operation, _code, message: "quota" in message.lower(),
    ),
    _Rule(
        {403},
        FaceAuthError,
        "The Face service forbids the call: VISION_KEY (or the role of the token) lacks "
        "permission, or the resource of VISION_ENDPOINT blocks this network.",
    ),
    # The gateway responds with the code "404", and another server with none, where the service has
    # SessionNotFound. Then the address is wrong, and a session must not count as deleted.
    _Rule(
        {404},
        FaceAuthError,
        "There is no Face API at this address: check VISION_ENDPOINT, and whether the resource "
        "offers LIVEGATE_API_VERSION.",
        lambda operation, code, _: operation is Operation.CREATE or code in {None, "404"},
    ),
    _Rule(
        {404},
        FaceSessionNotFoundError,
        "The Face service has no such session: it was deleted, or is older than 48 hours.",
    ),
    _Rule(
        {429},
        FaceThrottledError,
        "The Face resource has made more calls than its tier allows.",
    ),
    _Rule(
        {408, *range(500, 600)},
        FaceUnavailableError,
        "The Face service failed with an error of its own.",
    ),
    _Rule(
        {409},
        FaceUnavailableError,
        "The Face service is busy with another call for the same session.",
    ),
    _Rule(
        {400, 413, 415, 422},
        FaceBadRequestError,
        "The Face service rejects the request.",
        lambda operation, *_: operation is Operation.CREATE,
    ),
    _Rule(
        range(300, 400),
        FaceResponseError,
        "The Face service redirects, and no credential is sent to another address: check "
        "VISION_ENDPOINT.",
    ),
)

_NO_RULE: Final = _Rule((), FaceResponseError, "The Face service's response is not documented.")


def error_for(operation: Operation, result: Result) -> FaceError | None:
    """The error that *result* means for *operation*, or None if the service did what was asked.

    A delete of a session that the service does not have has succeeded.
    """
    if isinstance(result, TransportFailure):
        kind: type[FaceError]
        kind, text = result.reason.value
        return kind(f"{text} ({result.cause})")
    if result.status in _SUCCESS[operation]:
        return None
    body = result.error
    # The code is in the body, in a header, or nowhere if the response is the gateway's.
    code = as_identifier(body.get("code")) or as_identifier(result.headers.get("x-ms-error-code"))
    message = body["message"] if isinstance(body.get("message"), str) else ""
    for rule in _RULES:
        if result.status in rule.statuses and rule.condition(operation, code, message):
            break
    else:
        rule = _NO_RULE
    if operation is Operation.DELETE and rule.error is FaceSessionNotFoundError:
        return None
    return _error(rule.error, rule.text, operation, result, code=code, message=message)


def invalid_response(operation: Operation, response: Response, text: str) -> FaceError:
    """The error for a *response* that has a good status and cannot be understood."""
    return _error(FaceResponseError, text, operation, response)


def _error(
    kind: type[FaceError],
    text: str,
    operation: Operation,
    response: Response,
    *,
    code: str | None = None,
    message: str = "",
) -> FaceError:
    request = f"request {response.request_id}" if response.request_id else None
    origin = ", ".join(part for part in (f"HTTP {response.status}", code, request) if part)
    return kind(
        f"{text} ({origin})",
        service_status=response.status,
        service_code=code,
        request_id=response.request_id,
        retry_after=_retry_after(response, message),
        orphan_id=created_session_id(response) if operation is Operation.CREATE else None,
    )
