"""What v1.2 and v1.3-preview.1 share: a session is one object with its attempts in it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from mockface.dialects import creating, reading
from mockface.dialects.reading import Field
from mockface.dialects.rendering import DECISIONS, Json, present, rectangle
from mockface.dialects.routes import Body, Call, Route
from mockface.scenarios import Failure
from mockface.sessions.nouns import Attempt, Kind, Progress, Session
from mockface.wire import Response, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockface.sessions.nouns import Options
    from mockface.vision import ReferenceImage

MODELS = ("2024-11-15", "2025-05-20")
"""The first is the one that official answers show, the second stands in an example of 2026."""

FIELDS = (
    *creating.COMMON,
    creating.SESSION_IMAGE,
    creating.model("livenessModelVersion", *MODELS),
)

# The words are the specification's; what leads from one to the next is an assumption.
STATUS = {
    Progress.WAITING: "NotStarted",
    Progress.STARTED: "Running",
    Progress.RUNNING: "Running",
    Progress.CLASSIFIED: "Succeeded",
    Progress.FAILED: "Failed",
}

_LIVENESS = "/detectLiveness-sessions"
_VERIFY = "/detectLivenessWithVerify-sessions"


def nothing_more(_: Session | Attempt) -> Json:
    """What v1.2 adds to a session and to an attempt."""
    return {}


class Released:
    """The operations on sessions, by the rows in which the versions differ.

    Args:
        fields: What the body of a create may hold, without what verification adds.
        more_of_session: What the version adds to a session.
        more_of_attempt: What it adds to an attempt.
    """

    def __init__(
        self,
        fields: tuple[Field, ...],
        *,
        more_of_session: Callable[[Session], Json] = nothing_more,
        more_of_attempt: Callable[[Attempt], Json] = nothing_more,
    ) -> None:
        self._liveness = Body("CreateLivenessSessionContent", fields)
        self._verify = Body("CreateLivenessWithVerifySessionContent", (*fields, *creating.VERIFY))
        self._more_of_session = more_of_session
        self._more_of_attempt = more_of_attempt

    def routes(self) -> tuple[Route, ...]:
        """The operations with their paths."""
        image = Field("verifyImage", "", reading.file(), required=True)
        return (
            Route(
                "create",
                "POST",
                _LIVENESS,
                self.create,
                operation="CreateLivenessSession",
                json=self._liveness,
                gives="LivenessSession",
            ),
            Route(
                "create-with-verify",
                "POST",
                _VERIFY,
                self.create_with_verify,
                operation="CreateLivenessWithVerifySession",
                form=Body(self._verify.name, (*self._verify.fields, image)),
                gives="LivenessWithVerifySession",
            ),
            *self._of(Kind.LIVENESS, "", "Liveness", _LIVENESS),
            *self._of(Kind.VERIFY, "-with-verify", "LivenessWithVerify", _VERIFY),
        )

    def _of(self, kind: Kind, suffix: str, family: str, base: str) -> tuple[Route, ...]:
        one = f"{base}/{{sessionId}}"
        return (
            Route(
                f"result{suffix}",
                "GET",
                one,
                partial(self.result, kind),
                operation=f"Get{family}SessionResult",
                gives=f"{family}Session",
            ),
            Route(
                f"delete{suffix}",
                "DELETE",
                one,
                partial(delete, kind),
                operation=f"Delete{family}Session",
                status=204,
            ),
        )

    def create(self, call: Call) -> Response:
        """CreateLivenessSession."""
        return self._created(call, Kind.LIVENESS, creating.from_json(call, self._liveness))

    def create_with_verify(self, call: Call) -> Response:
        """CreateLivenessWithVerifySession; JSON is gone in these versions, except loosely."""
        if call.loose and reading.media_type(call.request) != reading.FORM:
            options = creating.from_json(call, self._verify)
            return self._created(call, Kind.VERIFY, options)
        options, image = creating.from_form(call, self._verify)
        return self._created(call, Kind.VERIFY, options, image)

    def _created(
        self, call: Call, kind: Kind, options: Options, image: bytes | None = None
    ) -> Response:
        session, token = call.tenant.create(
            kind,
            creating.one_side_only(call, options),
            endpoint=call.request.origin,
            image=image,
        )
        return answer(200, self._session(session, token))

    def result(self, kind: Kind, call: Call) -> Response:
        """GetLivenessSessionResult and GetLivenessWithVerifySessionResult."""
        return answer(200, self._session(call.tenant.get(kind, call.session_id)))

    def _session(self, session: Session, token: str = "") -> Json:
        """A `LivenessSession` or `LivenessWithVerifySession`.

        The token is there only in the answer to the create: the documentation's real-looking
        results have it empty.
        """
        newest_first = reversed(session.attempts)  # as all official examples have it
        attempts = [self._attempt(attempt) for attempt in newest_first]
        results: Json = {"attempts": attempts}
        if session.kind is Kind.VERIFY:
            results["verifyReferences"] = (
                [_reference(session.reference)] if session.reference else []
            )
        return {
            "sessionId": session.id,
            "authToken": token,
            "status": STATUS[session.progress],
            "modelVersion": session.options.model,
            **self._more_of_session(session),
            "results": results,
        }

    def _attempt(self, attempt: Attempt) -> Json:
        if attempt.late is not None:  # that it is shown at all is an assumption
            return {"attemptId": attempt.number, "attemptStatus": "Running"}
        return _judged(attempt) | self._more_of_attempt(attempt)


def delete(kind: Kind, call: Call) -> Response:
    """DeleteLivenessSession and DeleteLivenessWithVerifySession."""
    call.tenant.delete(kind, call.session_id)
    return Response(204)


def _judged(attempt: Attempt) -> Json:
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
