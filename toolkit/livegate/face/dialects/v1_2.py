"""Version ``v1.2``, generally available.

Sources: the service's OpenAPI description, ``Face.json`` of the stable version v1.2, and its
examples. Where they contradict themselves, the comments here say so.
"""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from livegate.errors import FaceAnswerError
from livegate.face.dialects.reading import (
    a_flag,
    a_list,
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
    from livegate.face.dialects.reading import Json

_PATHS: Final = {
    SessionKind.LIVENESS: "/detectLiveness-sessions",
    SessionKind.LIVENESS_WITH_VERIFY: "/detectLivenessWithVerify-sessions",
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
"""The statuses of a session in which an attempt is believed to have succeeded. ``notstarted`` is
among them since the official examples show nothing else beside succeeded attempts."""


def path_of(kind: SessionKind) -> str:
    """Where sessions of *kind* live."""
    return _PATHS[kind]


def create(request: FaceSessionRequest) -> WireRequest:
    """JSON; with a reference image, a form with one part for each field and the file.

    Session images are refused by name, since the service names no default: what it does not keep
    cannot leak.
    """
    fields = {**session_fields(request), "enableSessionImage": False}
    path = path_of(request.kind)
    if request.reference_image is None:
        return WireRequest("POST", path, json=fields)
    fields["returnVerifyImageHash"] = True
    return WireRequest(
        "POST",
        path,
        form={name: _as_part(value) for name, value in fields.items()},
        file=FilePart("verifyImage", request.reference_image.content),
    )


def _as_part(value: object) -> str:
    """Booleans as JSON has them: ``True`` would be Python's word."""
    return str(value).lower() if isinstance(value, bool) else str(value)


created = created_session


def outcome(body: Json, remote_id: str) -> Outcome:
    """The attempts in the order of their ids, since the examples list the newest first.

    Raises:
        FaceAnswerError: The answer cannot be understood, or is about another session.
    """
    same_session(body, "sessionId", remote_id)
    status = required(body, "status", a_word).lower()
    listed = required(required(body, "results", an_object), "attempts", a_list)
    attempts = sorted((_attempt(item, status) for item in listed), key=attrgetter("number"))
    if len({attempt.number for attempt in attempts}) != len(attempts):
        raise FaceAnswerError("The Face service's answer has two attempts with the same id.")
    return Outcome(_status(status, attempts), tuple(attempts))


def _status(word: str, attempts: list[Attempt]) -> OutcomeStatus:
    status = _SESSION_STATUS.get(word, OutcomeStatus.UNKNOWN)
    if status is OutcomeStatus.NOT_STARTED and attempts:
        return OutcomeStatus.RUNNING
    succeeded = any(attempt.status is AttemptStatus.SUCCEEDED for attempt in attempts)
    if word == "succeeded" and not succeeded:
        return OutcomeStatus.UNKNOWN
    return status


def _attempt(item: object, session_status: str) -> Attempt:
    """One attempt; ``unknown`` if anything in it is missing, odd or contradicts the rest.

    Raises:
        FaceAnswerError: Not even its number can be understood.
    """
    if not isinstance(item, dict):
        raise FaceAnswerError("The Face service's answer has an attempt that is no object.")
    attempt = Attempt(required(item, "attemptId", a_number), AttemptStatus.UNKNOWN)
    try:
        attempt = replace(attempt, abuse_detected=_abuse(item))
        return _sound_attempt(item, attempt, session_status)
    except FaceAnswerError:
        return attempt


def _sound_attempt(item: Json, attempt: Attempt, session_status: str) -> Attempt:
    """The *attempt* with all that is said of it, if all of it can be understood.

    Raises:
        FaceAnswerError: Not all of it can.
    """
    word = required(item, "attemptStatus", a_word).lower()
    result = optional(item, "result", an_object)
    error = optional(item, "error", an_object)
    match _ATTEMPT_STATUS.get(word), result, error:
        case AttemptStatus.RUNNING, None, None:
            return replace(attempt, status=AttemptStatus.RUNNING)
        case AttemptStatus.FAILED, None, _:
            code = a_word((error or {}).get("code"))
            return replace(attempt, status=AttemptStatus.FAILED, error_code=code)
        case AttemptStatus.SUCCEEDED, dict(), None if session_status in _MAY_HAVE_SUCCEEDED:
            is_identical, match_confidence = verification(result)
            return replace(
                attempt,
                status=AttemptStatus.SUCCEEDED,
                decision=optional(result, "livenessDecision", a_word),
                digest=required(result, "digest", a_text),
                is_identical=is_identical,
                match_confidence=match_confidence,
                reference_sha256=optional(result, "verifyImageHash", a_text),
            )
        case _:
            raise FaceAnswerError("The Face service's answer contradicts itself.")


def _abuse(item: Json) -> bool | None:
    """Whether abuse was flagged, or None if nothing is said of it.

    The description has the flag on the attempt; the service's own sample reads it inside of the
    result. It counts wherever it stands.

    Raises:
        FaceAnswerError: Something is said that cannot be understood.
    """
    places = (item, an_object(item.get("result")) or {})
    found = [optional(place, "abuseMonitoringResult", an_object) for place in places]
    flags = [required(each, "isAbuseDetected", a_flag) for each in found if each is not None]
    return any(flags) if flags else None
