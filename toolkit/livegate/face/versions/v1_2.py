"""Version ``v1.2``, generally available.

Sources: the service's OpenAPI description, ``Face.json`` of the stable version v1.2, and its
examples. Comments say where these contradict each other.
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from livegate.errors import FaceResponseError
from livegate.face.versions.common import (
    WireRequest,
    as_bool,
    as_digest,
    as_identifier,
    as_list,
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
    from livegate.face.versions.common import Json
    from livegate.protocols import FaceSessionRequest

PATHS: Final = {
    SessionKind.LIVENESS: "/v1.2/detectLiveness-sessions",
    SessionKind.LIVENESS_WITH_VERIFY: "/v1.2/detectLivenessWithVerify-sessions",
}

_SESSION_STATUS: Final = {
    "notstarted": OutcomeStatus.NOT_STARTED,
    "running": OutcomeStatus.RUNNING,
    "succeeded": OutcomeStatus.ENDED,
    "failed": OutcomeStatus.ENDED,
    "canceled": OutcomeStatus.ENDED,
}

_ATTEMPT_STATUS: Final = {
    "notstarted": AttemptStatus.RUNNING,
    "running": AttemptStatus.RUNNING,
    "succeeded": AttemptStatus.SUCCEEDED,
    "failed": AttemptStatus.FAILED,
    "canceled": AttemptStatus.FAILED,
}

_MAY_HAVE_SUCCEEDED: Final = frozenset({"notstarted", "running", "succeeded"})
"""The statuses of a session in which an attempt may have succeeded. ``notstarted`` is one of them,
since the official examples of succeeded attempts have no other."""


def create_request(request: FaceSessionRequest) -> WireRequest:
    """JSON; with a reference image, a form with one part for each field and the file."""
    path = PATHS[request.kind]
    fields = session_fields(request)
    if request.reference_image is None:
        return WireRequest("POST", path, json=fields)
    fields["returnVerifyImageHash"] = True
    return WireRequest(
        "POST",
        path,
        form={name: _form_value(value) for name, value in fields.items()},
        file=("verifyImage", request.reference_image.content),
    )


def _form_value(value: object) -> str:
    """Booleans as in JSON: ``true``, not ``True``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def parse_outcome(body: Json, remote_id: str) -> Outcome:
    """The attempts in the order of their ids, since the examples list the newest first.

    Raises:
        FaceResponseError: The response cannot be understood, or is about another session.
    """
    check_session_id(body, "sessionId", remote_id)
    status = required(body, "status", as_identifier).lower()
    listed = required(required(body, "results", as_object), "attempts", as_list)
    attempts = sorted((_attempt(item, status) for item in listed), key=attrgetter("number"))
    if len({attempt.number for attempt in attempts}) != len(attempts):
        raise FaceResponseError("The Face service's response has two attempts with the same id.")
    return Outcome(_status(status, attempts), tuple(attempts))


def _status(status_name: str, attempts: list[Attempt]) -> OutcomeStatus:
    status = _SESSION_STATUS.get(status_name, OutcomeStatus.UNKNOWN)
    if status is OutcomeStatus.NOT_STARTED and attempts:
        return OutcomeStatus.RUNNING
    succeeded = any(attempt.status is AttemptStatus.SUCCEEDED for attempt in attempts)
    if status_name == "succeeded" and not succeeded:
        return OutcomeStatus.UNKNOWN
    return status


def _attempt(item: object, session_status: str) -> Attempt:
    """One attempt; ``unknown`` if a field is missing or not valid, or contradicts another.

    Raises:
        FaceResponseError: Its number is not valid.
    """
    if not isinstance(item, dict):
        raise FaceResponseError("The Face service's response has an attempt that is not an object.")
    attempt = Attempt(required(item, "attemptId", as_positive_int), AttemptStatus.UNKNOWN)
    try:
        attempt = replace(attempt, abuse_detected=_abuse(item))
        return _known_attempt(item, attempt, session_status)
    except FaceResponseError:
        return attempt


def _known_attempt(item: Json, attempt: Attempt, session_status: str) -> Attempt:
    """The *attempt* with all of its fields.

    Raises:
        FaceResponseError: One of them is missing or not valid, or contradicts another.
    """
    status = _ATTEMPT_STATUS.get(required(item, "attemptStatus", as_identifier).lower())
    result = optional(item, "result", as_object)
    error = optional(item, "error", as_object)
    match status, result, error:
        case AttemptStatus.RUNNING, None, None:
            return replace(attempt, status=AttemptStatus.RUNNING)
        case AttemptStatus.FAILED, None, _:
            code = as_identifier((error or {}).get("code"))
            return replace(attempt, status=AttemptStatus.FAILED, error_code=code)
        case AttemptStatus.SUCCEEDED, dict(), None if session_status in _MAY_HAVE_SUCCEEDED:
            is_identical, match_confidence = parse_verification(result)
            return replace(
                attempt,
                status=AttemptStatus.SUCCEEDED,
                decision=optional(result, "livenessDecision", as_identifier),
                digest=required(result, "digest", as_digest),
                is_identical=is_identical,
                match_confidence=match_confidence,
                reference_sha256=optional(result, "verifyImageHash", as_digest),
            )
        case _:
            raise FaceResponseError("The Face service's response contradicts itself.")


def _abuse(item: Json) -> bool | None:
    """Whether abuse was flagged, or None where there is no flag.

    In the description the flag is on the attempt; the service's own sample reads it from the
    result. It counts in both places.

    Raises:
        FaceResponseError: A flag is not valid.
    """
    places = (item, as_object(item.get("result")) or {})
    found = [optional(place, "abuseMonitoringResult", as_object) for place in places]
    flags = [required(each, "isAbuseDetected", as_bool) for each in found if each is not None]
    return any(flags) if flags else None
