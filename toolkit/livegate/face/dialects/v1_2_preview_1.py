"""Version ``v1.2-preview.1``, the one that the service's published Python client models.

Sources: the service's OpenAPI description, ``Face.json`` of the preview, its examples, and the
package ``azure-ai-vision-face`` 1.0.0b2.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from livegate.errors import FaceAnswerError
from livegate.face.dialects.reading import (
    Json,
    a_flag,
    a_number,
    a_text,
    a_word,
    an_object,
    created_session,
    optional,
    required,
    same_session,
    verification,
)
from livegate.face.dialects.wire import FilePart, WireRequest, session_fields
from livegate.session import Attempt, AttemptStatus, Outcome, OutcomeStatus, SessionKind

if TYPE_CHECKING:
    from livegate.face.base import FaceSessionRequest

_PATHS: Final = {
    SessionKind.LIVENESS: "/detectLiveness/singleModal/sessions",
    SessionKind.LIVENESS_WITH_VERIFY: "/detectLivenessWithVerify/singleModal/sessions",
}

_RESULT_AVAILABLE: Final = "resultavailable"

_STATUS: Final = {
    "notstarted": OutcomeStatus.NOT_STARTED,
    "started": OutcomeStatus.RUNNING,
    _RESULT_AVAILABLE: OutcomeStatus.ENDED,
}
"""A client may try again with the same token after a result is available. The result that stands
then is the newest, and it is the one that is read."""

_CLASSIFIED: Final = 200
"""The status with which the service answered a client whose attempt it could classify."""


def path_of(kind: SessionKind) -> str:
    """Where sessions of *kind* live."""
    return _PATHS[kind]


def create(request: FaceSessionRequest) -> WireRequest:
    """JSON; with a reference image, a form with the same JSON in one part and the file.

    Session images are refused by name, since the service names no default. Results are never sent
    to the client: that is the service's default.
    """
    fields = {**session_fields(request), "enableSessionImage": False}
    path = path_of(request.kind)
    if request.reference_image is None:
        return WireRequest("POST", path, json=fields)
    fields["returnVerifyImageHash"] = True
    return WireRequest(
        "POST",
        path,
        form={"Parameters": json.dumps(fields)},
        file=FilePart("VerifyImage", request.reference_image.content),
    )


created = created_session


def outcome(body: Json, remote_id: str) -> Outcome:
    """The only attempt to be seen here is the newest: the session's ``result``.

    Raises:
        FaceAnswerError: The answer cannot be understood, or is about another session.
    """
    same_session(body, "id", remote_id)
    status = required(body, "status", a_word).lower()
    is_expired = required(body, "sessionExpired", a_flag)
    entry = optional(body, "result", an_object)
    if entry is None:
        return Outcome(_status_without_result(status, is_expired=is_expired))
    same_session(entry, "sessionId", remote_id)
    attempt = _attempt(entry, is_available=status == _RESULT_AVAILABLE)
    return Outcome(_status_with_result(status, is_expired=is_expired), (attempt,))


def _status_without_result(word: str, *, is_expired: bool) -> OutcomeStatus:
    if is_expired:
        return OutcomeStatus.ENDED
    if word == _RESULT_AVAILABLE:
        return OutcomeStatus.UNKNOWN
    return _STATUS.get(word, OutcomeStatus.UNKNOWN)


def _status_with_result(word: str, *, is_expired: bool) -> OutcomeStatus:
    """What there is a result of has begun, whatever the status says."""
    if is_expired:
        return OutcomeStatus.ENDED
    status = _STATUS.get(word, OutcomeStatus.UNKNOWN)
    return OutcomeStatus.RUNNING if status is OutcomeStatus.NOT_STARTED else status


def _attempt(entry: Json, *, is_available: bool) -> Attempt:
    """The attempt of an audit entry; ``unknown`` if anything in it is missing, odd or contradicts.

    Args:
        entry: The audit entry. Its id counts the attempts of the session, as recordings show.
        is_available: Whether the session's status allows for a result at all.

    Raises:
        FaceAnswerError: Not even its number can be understood.
    """
    number = required(entry, "id", a_number)
    unknown = Attempt(number, AttemptStatus.UNKNOWN)
    try:
        return _sound_attempt(entry, number) if is_available else unknown
    except FaceAnswerError:
        return unknown


def _sound_attempt(entry: Json, number: int) -> Attempt:
    """The attempt of an audit entry, if all of it can be understood.

    Raises:
        FaceAnswerError: Not all of it can.
    """
    response = required(entry, "response", an_object)
    status_code = required(response, "statusCode", a_number)
    body = required(response, "body", an_object)
    error = body.get("error")
    if status_code != _CLASSIFIED or error is not None:
        code = a_word((an_object(error) or {}).get("code"))
        return Attempt(number, AttemptStatus.FAILED, error_code=code)
    is_identical, match_confidence = verification(body)
    return Attempt(
        number,
        AttemptStatus.SUCCEEDED,
        decision=optional(body, "livenessDecision", a_word),
        digest=required(entry, "digest", a_text),
        is_identical=is_identical,
        match_confidence=match_confidence,
        reference_sha256=optional(entry, "verifyImageHash", a_text),
    )
