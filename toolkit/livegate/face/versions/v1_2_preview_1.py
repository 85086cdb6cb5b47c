"""Version ``v1.2-preview.1``, which the service's published Python client models.

Sources: the service's OpenAPI description, ``Face.json`` of the preview, its examples, and the
package ``azure-ai-vision-face`` 1.0.0b2.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from livegate.errors import FaceResponseError
from livegate.face.versions.common import (
    Json,
    WireRequest,
    as_bool,
    as_digest,
    as_identifier,
    as_object,
    as_positive_int,
    check_session_id,
    optional,
    parse_verification,
    required,
    session_fields,
)
from livegate.models import Attempt, AttemptStatus, Outcome, OutcomeStatus, SessionKind

if TYPE_CHECKING:
    from livegate.protocols import FaceSessionRequest

_BASE: Final = "/v1.2-preview.1"

PATHS: Final = {
    SessionKind.LIVENESS: f"{_BASE}/detectLiveness/singleModal/sessions",
    SessionKind.LIVENESS_WITH_VERIFY: f"{_BASE}/detectLivenessWithVerify/singleModal/sessions",
}

_RESULT_AVAILABLE: Final = "resultavailable"

_STATUS: Final = {
    "notstarted": OutcomeStatus.NOT_STARTED,
    "started": OutcomeStatus.RUNNING,
    _RESULT_AVAILABLE: OutcomeStatus.ENDED,
}
"""A client may try again with the same token after a result is available. The service then
replaces the result by the newest."""

_CLASSIFIED: Final = 200
"""The HTTP status of the service's response to a client whose attempt it could classify."""


def create_request(request: FaceSessionRequest) -> WireRequest:
    """JSON; with a reference image, a form with the same JSON in one part and the file.

    Results are not sent to the client: that is the service's default.
    """
    path = PATHS[request.kind]
    fields = session_fields(request)
    if request.reference_image is None:
        return WireRequest("POST", path, json=fields)
    fields["returnVerifyImageHash"] = True
    return WireRequest(
        "POST",
        path,
        form={"Parameters": json.dumps(fields)},
        file=("VerifyImage", request.reference_image.content),
    )


def parse_outcome(body: Json, remote_id: str) -> Outcome:
    """The service shows the newest attempt only: the session's ``result``.

    Raises:
        FaceResponseError: The response cannot be understood, or is about another session.
    """
    check_session_id(body, "id", remote_id)
    status = required(body, "status", as_identifier).lower()
    is_expired = required(body, "sessionExpired", as_bool)
    entry = optional(body, "result", as_object)
    if entry is None:
        return Outcome(_status_without_result(status, is_expired=is_expired))
    check_session_id(entry, "sessionId", remote_id)
    attempt = _attempt(entry, is_available=status == _RESULT_AVAILABLE)
    return Outcome(_status_with_result(status, is_expired=is_expired), (attempt,))


def _status_without_result(status: str, *, is_expired: bool) -> OutcomeStatus:
    if is_expired:
        return OutcomeStatus.ENDED
    if status == _RESULT_AVAILABLE:
        return OutcomeStatus.UNKNOWN
    return _STATUS.get(status, OutcomeStatus.UNKNOWN)


def _status_with_result(status: str, *, is_expired: bool) -> OutcomeStatus:
    """A session with a result has begun, even if its status is ``NotStarted``."""
    if is_expired:
        return OutcomeStatus.ENDED
    known = _STATUS.get(status, OutcomeStatus.UNKNOWN)
    return OutcomeStatus.RUNNING if known is OutcomeStatus.NOT_STARTED else known


def _attempt(entry: Json, *, is_available: bool) -> Attempt:
    """The attempt of an audit entry; ``unknown`` if a field is missing or not valid.

    Args:
        entry: The audit entry. Its id counts the attempts of the session, as recordings show.
        is_available: Whether the session's status is that of a session with a result.

    Raises:
        FaceResponseError: Its number is not valid.
    """
    number = required(entry, "id", as_positive_int)
    unknown = Attempt(number, AttemptStatus.UNKNOWN)
    try:
        return _known_attempt(entry, number) if is_available else unknown
    except FaceResponseError:
        return unknown


def _known_attempt(entry: Json, number: int) -> Attempt:
    """The attempt of an audit entry with all of its fields.

    Raises:
        FaceResponseError: One of them is missing or not valid.
    """
    response = required(entry, "response", as_object)
    status_code = required(response, "statusCode", as_positive_int)
    body = required(response, "body", as_object)
    error = body.get("error")
    if status_code != _CLASSIFIED or error is not None:
        code = as_identifier((as_object(error) or {}).get("code"))
        return Attempt(number, AttemptStatus.FAILED, error_code=code)
    is_identical, match_confidence = parse_verification(body)
    return Attempt(
        number,
        AttemptStatus.SUCCEEDED,
        decision=optional(body, "livenessDecision", as_identifier),
        digest=required(entry, "digest", as_digest),
        is_identical=is_identical,
        match_confidence=match_confidence,
        reference_sha256=optional(entry, "verifyImageHash", as_digest),
    )
