"""API version v1.2, the first that is generally available."""

from __future__ import annotations

from functools import partial

from mockface.dialects import attempts, creating, detect, images, reading
from mockface.dialects.reading import Field
from mockface.dialects.rendering import DECISIONS, Json, present, rectangle
from mockface.dialects.routes import Call, Dialect, Route
from mockface.scenarios import Failure
from mockface.sessions import Attempt, Kind, Progress, ReferenceImage, Session
from mockface.wire import Response, answer

MODELS = ("2024-11-15", "2025-05-20")
_NEWEST_MODEL = MODELS[0]  # the one that official answers show

FIELDS = (
    *creating.COMMON,
    Field("livenessModelVersion", "model", reading.one_of(*MODELS)),
)
VERIFY_FIELDS = (*FIELDS, *creating.VERIFY)

# The words are the specification's; what leads from one to the next is an assumption.
STATUS = {
    Progress.WAITING: "NotStarted",
    Progress.RUNNING: "Running",
    Progress.CLASSIFIED: "Succeeded",
    Progress.FAILED: "Failed",
}


def create(call: Call) -> Response:
    """CreateLivenessSession."""
    options = creating.one_device_id(creating.from_json(call.request, FIELDS, _NEWEST_MODEL))
    session, token = call.tenant.create(Kind.LIVENESS, options, endpoint=call.request.origin)
    return answer(200, session_body(session, token))


def create_with_verify(call: Call) -> Response:
    """CreateLivenessWithVerifySession; JSON is gone in this version."""
    options, image = creating.from_form(call.request, VERIFY_FIELDS, _NEWEST_MODEL)
    session, token = call.tenant.create(
        Kind.VERIFY,
        creating.one_device_id(options),
        endpoint=call.request.origin,
        image=image,
    )
    return answer(200, session_body(session, token))


def result(kind: Kind, call: Call) -> Response:
    """GetLivenessSessionResult and GetLivenessWithVerifySessionResult."""
    return answer(200, session_body(call.tenant.get(kind, call.session_id)))


def delete(kind: Kind, call: Call) -> Response:
    """DeleteLivenessSession and DeleteLivenessWithVerifySession."""
    call.tenant.delete(kind, call.session_id)
    return Response(204)


def session_body(session: Session, token: str = "") -> Json:
    """A `LivenessSession` or `LivenessWithVerifySession`.

    The token is there only in the answer to the create: the documentation's real-looking results
    have it empty.
    """
    newest_first = reversed(session.attempts)  # as all official examples have it
    results: Json = {"attempts": [_attempt(attempt) for attempt in newest_first]}
    if session.kind is Kind.VERIFY:
        results["verifyReferences"] = [_reference(session.reference)] if session.reference else []
    return {
        "sessionId": session.id,
        "authToken": token,
        "status": STATUS[session.progress],
        "modelVersion": session.options.model,
        "results": results,
    }


def _attempt(attempt: Attempt) -> Json:
    targets = {"color": {"faceRectangle": rectangle(attempt.face)}}
    outcome = attempt.outcome
    if isinstance(outcome, Failure):
        return {
            "attemptId": attempt.number,
            "attemptStatus": "Failed",
            "error": {"code": outcome.code, "message": outcome.message, "targets": targets},
        }
    return {
        "attemptId": attempt.number,
        "attemptStatus": "Succeeded",
        "result": present(
            livenessDecision=DECISIONS[outcome],
            targets=targets,
            digest=attempt.digest,
            sessionImageId=attempt.session_image_id,
            verifyResult=attempt.match
            and {
                "matchConfidence": attempt.match.confidence,
                "isIdentical": attempt.match.identical,
            },
            verifyImageHash=attempt.verify_image_hash,
        ),
    }


def _reference(reference: ReferenceImage) -> Json:
    # Official examples say `image` here, which their own enumeration does not have; `Color` is in
    # it.
    return {
        "referenceType": "Color",
        "faceRectangle": rectangle(reference.face),
        "qualityForRecognition": reference.quality,
    }


_LIVENESS = "/detectLiveness-sessions"
_VERIFY = "/detectLivenessWithVerify-sessions"

DIALECT = Dialect(
    "v1.2",
    (
        Route("create", "POST", _LIVENESS, create),
        Route("result", "GET", f"{_LIVENESS}/{{sessionId}}", partial(result, Kind.LIVENESS)),
        Route("delete", "DELETE", f"{_LIVENESS}/{{sessionId}}", partial(delete, Kind.LIVENESS)),
        Route("create-with-verify", "POST", _VERIFY, create_with_verify),
        Route(
            "result-with-verify", "GET", f"{_VERIFY}/{{sessionId}}", partial(result, Kind.VERIFY)
        ),
        Route(
            "delete-with-verify", "DELETE", f"{_VERIFY}/{{sessionId}}", partial(delete, Kind.VERIFY)
        ),
        *attempts.ROUTES,
        *images.ROUTES,
        *detect.ROUTES,
    ),
)
