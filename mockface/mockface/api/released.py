"""v1.2 and v1.3-preview.1: a session is one object with its attempts in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from mockface.api import creating, reading
from mockface.api.models import (
    DECISIONS,
    FaceRectangle,
    ImageType,
    Int32,
    Model,
    Quality,
    Said,
    Share,
    optional,
    rectangle,
)
from mockface.responses import answer
from mockface.scenarios import Failure
from mockface.sessions.nouns import Kind, Progress
from mockface.wire import Response

if TYPE_CHECKING:
    from mockface.operations import Call
    from mockface.sessions.nouns import Attempt, Options, Session
    from mockface.vision import ReferenceImage

Status = Annotated[
    str,
    Meta(extra_json_schema={"enum": ["NotStarted", "Running", "Succeeded", "Failed", "Canceled"]}),
]
ModelVersion = Annotated[str, Meta(extra_json_schema={"enum": ["2024-11-15", "2025-05-20"]})]

# The words are the specification's; what leads from one to the next is an assumption.
STATUS = {
    Progress.WAITING: "NotStarted",
    Progress.STARTED: "Running",
    Progress.RUNNING: "Running",
    Progress.CLASSIFIED: "Succeeded",
    Progress.FAILED: "Failed",
}


class LivenessColorDecisionTarget(Model):
    """Where the face was in the picture."""

    face_rectangle: FaceRectangle


class LivenessDecisionTargets(Model):
    """The pictures that were judged."""

    color: LivenessColorDecisionTarget


class LivenessError(Model):
    """Why an attempt came to no decision."""

    code: str
    message: str
    targets: LivenessDecisionTargets


class LivenessWithVerifyOutputs(Model):
    """How the face compares with the reference image."""

    match_confidence: Share
    is_identical: bool


class LivenessResult(Model):
    """The decision of an attempt."""

    targets: LivenessDecisionTargets
    digest: str
    liveness_decision: Said | UnsetType = UNSET
    session_image_id: str | UnsetType = UNSET


class LivenessWithVerifyResult(LivenessResult):
    """The same with the comparison."""

    verify_result: LivenessWithVerifyOutputs | UnsetType = UNSET
    verify_image_hash: str | UnsetType = UNSET


class LivenessSessionAttempt(Model):
    """An attempt."""

    attempt_id: Int32
    attempt_status: Status
    result: LivenessResult | UnsetType = UNSET
    error: LivenessError | UnsetType = UNSET


class LivenessWithVerifySessionAttempt(Model):
    """An attempt in a session with verification."""

    attempt_id: Int32
    attempt_status: Status
    result: LivenessWithVerifyResult | UnsetType = UNSET
    error: LivenessError | UnsetType = UNSET


class LivenessWithVerifyReference(Model):
    """The reference image."""

    reference_type: ImageType
    face_rectangle: FaceRectangle
    quality_for_recognition: Quality


class LivenessSessionResults(Model):
    """What came out so far, the newest attempt first."""

    attempts: list[LivenessSessionAttempt]


class LivenessWithVerifySessionResults(Model):
    """The same with the reference image."""

    verify_references: list[LivenessWithVerifyReference]
    attempts: list[LivenessWithVerifySessionAttempt]


class SessionState(Model):
    """What sessions of both kinds have."""

    session_id: str
    auth_token: str
    status: Status
    model_version: ModelVersion | UnsetType = UNSET


class LivenessSession(SessionState, kw_only=True):
    """A session."""

    results: LivenessSessionResults


class LivenessWithVerifySession(SessionState, kw_only=True):
    """A session with verification."""

    results: LivenessWithVerifySessionResults


class Shapes:
    """The models that a version makes its answers of; v1.3-preview.1 has more fields in some."""

    session: Any = LivenessSession, LivenessWithVerifySession
    results: Any = LivenessSessionResults, LivenessWithVerifySessionResults
    attempt: Any = LivenessSessionAttempt, LivenessWithVerifySessionAttempt

    def more_of_session(self, _: Session) -> dict[str, object]:
        """What the version adds to a session."""
        return {}

    def more_of_attempt(self, _: Attempt) -> dict[str, object]:
        """What it adds to an attempt."""
        return {}

    def of_session(self, session: Session, token: str = "") -> Model:
        """A `LivenessSession` or `LivenessWithVerifySession`.

        The token is there only in the answer to the create: the documentation's real-looking
        results have it empty.
        """
        with_verify = session.kind is Kind.VERIFY
        newest_first = reversed(session.attempts)  # as all official examples have it
        results = {"attempts": [self._attempt(each, with_verify) for each in newest_first]}
        if with_verify:
            reference = _reference_of(session)
            results["verify_references"] = [_reference(reference)] if reference else []
        made: Model = self.session[with_verify](
            session_id=session.id,
            auth_token=token,
            status=STATUS[session.progress],
            model_version=session.options.model,
            results=self.results[with_verify](**results),
            **self.more_of_session(session),
        )
        return made

    def _attempt(self, attempt: Attempt, with_verify: bool) -> Model:  # noqa: FBT001 - an index
        model = self.attempt[with_verify]
        made: Model
        if attempt.late is not None:  # that it is shown at all is an assumption
            made = model(attempt_id=attempt.number, attempt_status="Running")
        elif isinstance(attempt.outcome, Failure):
            made = model(
                attempt_id=attempt.number,
                attempt_status="Failed",
                error=LivenessError(
                    code=attempt.outcome.code,
                    message=attempt.outcome.message,
                    targets=_targets(attempt),
                ),
                **self.more_of_attempt(attempt),
            )
        else:
            made = model(
                attempt_id=attempt.number,
                attempt_status="Succeeded",
                result=_result(attempt, with_verify),
                **self.more_of_attempt(attempt),
            )
        return made


def create(call: Call) -> Response:
    """CreateLivenessSession."""
    return _created(call, creating.from_json(call, call.operation.takes))


def create_with_verify(call: Call) -> Response:
    """CreateLivenessWithVerifySession; JSON is gone in these versions, except loosely.

    Without an image the client has to give it: the mobile samples post such a form.
    """
    if call.loose and reading.media_type(call.request) != reading.FORM:
        return _created(call, creating.from_json(call, call.operation.takes))
    options, image = creating.from_form(call, call.operation.takes)
    return _created(call, options, image)


def result(call: Call) -> Response:
    """GetLivenessSessionResult and GetLivenessWithVerifySessionResult."""
    session = call.tenant.get(call.operation.kind, call.session_id)
    return answer(200, call.operation.shapes.of_session(session))


def delete(call: Call) -> Response:
    """DeleteLivenessSession and DeleteLivenessWithVerifySession."""
    call.tenant.delete(call.operation.kind, call.session_id)
    return Response(204)


def _created(call: Call, options: Options, image: bytes | None = None) -> Response:
    session, token = call.tenant.create(
        call.operation.kind,
        creating.one_side_only(call, options),
        endpoint=call.request.origin,
        image=image,
    )
    return answer(200, call.operation.shapes.of_session(session, token))


def _targets(attempt: Attempt) -> LivenessDecisionTargets:
    color = LivenessColorDecisionTarget(face_rectangle=rectangle(attempt.face))
    return LivenessDecisionTargets(color=color)


def _result(attempt: Attempt, with_verify: bool) -> LivenessResult:  # noqa: FBT001 - see `_attempt`
    fields: dict[str, Any] = {
        "liveness_decision": DECISIONS[attempt.outcome],  # type: ignore[index]  # no failure here
        "targets": _targets(attempt),
        "digest": attempt.digest,
        "session_image_id": optional(attempt.session_image_id),
    }
    if not with_verify:
        return LivenessResult(**fields)
    match = attempt.match
    compared = match and LivenessWithVerifyOutputs(
        match_confidence=match.confidence, is_identical=match.identical
    )
    return LivenessWithVerifyResult(
        **fields,
        verify_result=optional(compared),
        verify_image_hash=optional(attempt.verify_image_hash),
    )


def _reference_of(session: Session) -> ReferenceImage | None:
    """What the newest attempt was compared with: the app server's image, or else the client's."""
    matches = (attempt.match for attempt in reversed(session.attempts) if attempt.match)
    return session.reference or next((match.reference for match in matches), None)


def _reference(reference: ReferenceImage) -> LivenessWithVerifyReference:
    # Official examples say `image` here, which their own enumeration does not have; `Color` is in
    # it.
    return LivenessWithVerifyReference(
        reference_type="Color",
        face_rectangle=rectangle(reference.face),
        quality_for_recognition=reference.quality,
    )
