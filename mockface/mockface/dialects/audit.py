"""Audit entries, which the previews have, and what a client gets that may see the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockface.dialects.rendering import DECISIONS, Json, present, rectangle, timestamp
from mockface.scenarios import Failure

if TYPE_CHECKING:
    from mockface.sessions.nouns import Attempt, Match, Session
    from mockface.vision import ReferenceImage


def entry(session: Session, attempt: Attempt) -> Json:
    """A `LivenessSessionAuditEntry`.

    The specification requires `clientRequestId`; recorded answers leave it out. Here it repeats the
    request's own id when the client named none.
    """
    call = attempt.call
    return present(
        id=attempt.number,
        sessionId=session.id,
        requestId=attempt.request_id,
        clientRequestId=call.client_request_id or attempt.request_id,
        receivedDateTime=timestamp(attempt.received_at),
        request=present(
            url=call.path,
            method=call.method,
            contentLength=call.content_length,
            contentType=call.content_type,
            userAgent=call.user_agent,
        ),
        response={
            "body": response_body(session, attempt),
            "statusCode": 400 if isinstance(attempt.outcome, Failure) else 200,
            "latencyInMilliseconds": attempt.latency_ms,
        },
        digest=attempt.digest,
        sessionImageId=attempt.session_image_id,
        verifyImageHash=attempt.verify_image_hash,
    )


def response_body(session: Session, attempt: Attempt) -> Json:
    """A `LivenessResponseBody`; for a failed attempt the error, for which it has room."""
    if isinstance(attempt.outcome, Failure):
        return {"error": {"code": attempt.outcome.code, "message": attempt.outcome.message}}
    return present(
        livenessDecision=DECISIONS[attempt.outcome],
        target={
            "faceRectangle": rectangle(attempt.face),
            "fileName": "video.webp",
            "timeOffsetWithinFile": 0,
            "imageType": "Color",
        },
        modelVersionUsed=session.options.model,
        verifyResult=attempt.match and _verify_result(attempt.match),
    )


def verify_image(reference: ReferenceImage) -> Json:
    """A `LivenessWithVerifyImage`."""
    return {
        "faceRectangle": rectangle(reference.face),
        "qualityForRecognition": reference.quality,
    }


def _verify_result(match: Match) -> Json:
    return {
        "verifyImage": verify_image(match.reference),
        "matchConfidence": match.confidence,
        "isIdentical": match.identical,
    }
