"""v1.1-preview.1 and v1.2-preview.1: attempts stand in an audit, a session shows the newest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from mockface.api import creating, reading
from mockface.api.errors import bad_body, bad_media_type
from mockface.api.models import (
    DECISIONS,
    FaceError,
    FaceRectangle,
    ImageType,
    Int32,
    Int64,
    Model,
    Quality,
    Said,
    Share,
    Time,
    optional,
    rectangle,
    timestamp,
)
from mockface.responses import WireError, answer
from mockface.scenarios import Failure
from mockface.sessions.nouns import Kind, Progress
from mockface.validation import integer, length, parameters, read
from mockface.wire import JSON, Response

if TYPE_CHECKING:
    from mockface.operations import Call
    from mockface.sessions.nouns import Attempt, Options, Session
    from mockface.vision import ReferenceImage

STATUS = {
    Progress.WAITING: "NotStarted",
    Progress.STARTED: "Started",
    Progress.RUNNING: "ResultAvailable",
    Progress.CLASSIFIED: "ResultAvailable",
    Progress.FAILED: "ResultAvailable",
}
_SESSION_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LARGEST_PAGE = 1000

TokenSeconds = Annotated[int, integer(60, 86_400), Meta(extra_json_schema={"default": 600})]


class Paging(Struct):
    """The query of a list: at most `top` items, after the one of the id `start`."""

    start: Annotated[str, length(64, shortest=0)] = ""
    top: Annotated[int, integer(1, _LARGEST_PAGE)] = _LARGEST_PAGE


class LivenessWithVerifyImage(Model):
    """The reference image."""

    face_rectangle: FaceRectangle
    quality_for_recognition: Quality


class CreateLivenessSessionResult(Model):
    """A session that was created."""

    session_id: str
    auth_token: str


class CreateLivenessWithVerifySessionResult(CreateLivenessSessionResult):
    """The same with the reference image."""

    verify_image: LivenessWithVerifyImage | UnsetType = UNSET


class LivenessWithVerifyOutputs(Model):
    """How the face compares with the reference image."""

    verify_image: LivenessWithVerifyImage
    match_confidence: Share
    is_identical: bool


class LivenessOutputsTarget(Model):
    """The picture that was judged."""

    face_rectangle: FaceRectangle
    file_name: str
    time_offset_within_file: Int32
    image_type: ImageType


class LivenessSessionItem(Model):
    """A session in a list."""

    id: str
    created_date_time: Time
    session_expired: bool
    session_start_date_time: Time | UnsetType = UNSET
    device_correlation_id: str | UnsetType = UNSET
    auth_token_time_to_live_in_seconds: TokenSeconds | UnsetType = UNSET


class SessionState(LivenessSessionItem, kw_only=True):
    """What `LivenessSession` adds, without the version's result."""

    status: Annotated[
        str, Meta(extra_json_schema={"enum": ["NotStarted", "Started", "ResultAvailable"]})
    ]


class AuditRequestInfo(Model):
    """The call by which a client made an attempt."""

    url: str
    method: str
    content_type: str
    content_length: Int64 | UnsetType = UNSET
    user_agent: str | UnsetType = UNSET


class ResponseBody(Model):
    """A `LivenessResponseBody`; of a failed attempt the error, so nothing is always there."""

    liveness_decision: Said | UnsetType = UNSET
    target: LivenessOutputsTarget | UnsetType = UNSET
    verify_result: LivenessWithVerifyOutputs | UnsetType = UNSET


class FailedBody(Model):
    """What stands in an audit in the place of a body, if the attempt failed."""

    error: FaceError


class AuditEntry(Model):
    """What `LivenessSessionAuditEntry` has in both versions."""

    id: Int64
    session_id: str
    request_id: str
    client_request_id: str
    received_date_time: Time
    request: AuditRequestInfo
    digest: str


class Shapes:
    """The models that a version makes its answers of."""

    session: Any
    entry: Any
    response: Any
    body: Any
    keeps_images = True
    """Whether entries name pictures and hashes."""

    def of_entry(self, session: Session, attempt: Attempt) -> Model:
        """A `LivenessSessionAuditEntry`.

        The specification requires `clientRequestId`; recorded answers leave it out. Here it repeats
        the request's own id when the client named none.
        """
        call = attempt.call
        more = {}
        if self.keeps_images:
            more = {
                "session_image_id": optional(attempt.session_image_id),
                "verify_image_hash": optional(attempt.verify_image_hash),
            }
        made: Model = self.entry(
            id=attempt.number,
            session_id=session.id,
            request_id=attempt.request_id,
            client_request_id=call.client_request_id or attempt.request_id,
            received_date_time=timestamp(attempt.received_at),
            request=AuditRequestInfo(
                url=call.path,
                method=call.method,
                content_length=call.content_length,
                content_type=call.content_type,
                user_agent=optional(call.user_agent),
            ),
            response=self.response(
                body=self.of_body(session, attempt),
                status_code=400 if attempt.failed else 200,
                latency_in_milliseconds=attempt.latency_ms,
            ),
            digest=attempt.digest,
            **more,
        )
        return made

    def of_body(self, session: Session, attempt: Attempt) -> Model:
        """A `LivenessResponseBody`; for a failed attempt the error, for which it has room."""
        if isinstance(attempt.outcome, Failure):
            outcome = attempt.outcome
            return FailedBody(error=FaceError(code=outcome.code, message=outcome.message))
        match = attempt.match
        compared = match and LivenessWithVerifyOutputs(
            verify_image=_verify_image(match.reference),
            match_confidence=match.confidence,
            is_identical=match.identical,
        )
        made: Model = self.body(
            liveness_decision=DECISIONS[attempt.outcome],
            target=LivenessOutputsTarget(
                face_rectangle=rectangle(attempt.face),
                file_name="video.webp",
                time_offset_within_file=0,
                image_type="Color",
            ),
            model_version_used=session.options.model,
            verify_result=optional(compared),
        )
        return made


def create(call: Call) -> Response:
    """CreateLivenessSession."""
    return _created(call, creating.from_json(call, call.operation.takes))


def create_with_verify(call: Call) -> Response:
    """CreateLivenessWithVerifySession, as JSON and, `...WithVerifyImage`, as a form."""
    kind = reading.media_type(call.request)
    if kind == reading.FORM:
        options, image = creating.from_form(call, call.operation.takes)
        if image is None and not call.loose:  # without one, JSON is for this create
            raise bad_body("The part VerifyImage (or verifyImage) is missing.")
        return _created(call, options, image)
    if kind != JSON:
        raise bad_media_type(f"{JSON} or {reading.FORM}")
    return _created(call, creating.from_json(call, call.operation.takes))


def result(call: Call) -> Response:
    """GetLivenessSessionResult and GetLivenessWithVerifySessionResult."""
    session, shapes = call.tenant.get(call.operation.kind, call.session_id), call.operation.shapes
    answered = session.answered
    entry = shapes.of_entry(session, answered[-1]) if answered else UNSET
    fields = _item(session, call.now)
    return answer(200, shapes.session(**fields, status=STATUS[session.progress], result=entry))


def delete(call: Call) -> Response:
    """DeleteLivenessSession and DeleteLivenessWithVerifySession: 200 in the previews, and empty."""
    call.tenant.delete(call.operation.kind, call.session_id)
    return Response(200)


def sessions(call: Call) -> Response:
    """GetLivenessSessions and GetLivenessWithVerifySessions."""
    asked = read(Paging, parameters(call.request), loose=True)
    start = asked.start.lower()
    if start and not _SESSION_ID.fullmatch(start):
        raise WireError(
            400, "BadArgument", "start must be the id of a session, such as the last one you got."
        )
    page = call.tenant.page(call.operation.kind, after=start, most=asked.top)
    return answer(200, [LivenessSessionItem(**_item(session, call.now)) for session in page])


def audit(call: Call) -> Response:
    """GetLivenessSessionAuditEntries and GetLivenessWithVerifySessionAuditEntries.

    `start` is the id of an entry and excludes it and all before it; within a page the newest comes
    first, as recorded.
    """
    asked = read(Paging, parameters(call.request), loose=True)
    if asked.start and not (asked.start.isascii() and asked.start.isdigit()):
        raise WireError(400, "BadArgument", "start must be the id of an audit entry, such as 1.")
    session = call.tenant.get(call.operation.kind, call.session_id, read=False)
    first = int(asked.start or 0)
    page = [attempt for attempt in session.answered if attempt.number > first][: asked.top]
    of_entry = call.operation.shapes.of_entry
    return answer(200, [of_entry(session, attempt) for attempt in reversed(page)])


def _created(call: Call, options: Options, image: bytes | None = None) -> Response:
    kind = call.operation.kind
    session, token = call.tenant.create(kind, options, endpoint=call.request.origin, image=image)
    if kind is Kind.LIVENESS:
        return answer(200, CreateLivenessSessionResult(session_id=session.id, auth_token=token))
    reference = session.reference and _verify_image(session.reference)
    return answer(
        200,
        CreateLivenessWithVerifySessionResult(
            session_id=session.id, auth_token=token, verify_image=optional(reference)
        ),
    )


def _item(session: Session, now: float) -> dict[str, Any]:
    """The fields of a `LivenessSessionItem`.

    Whether `sessionExpired` follows the token or the 48 hours is open; after 48 hours there is no
    session left to show it, so here it follows the token.
    """
    started = session.started_at
    if started is None and session.attempts:
        started = session.attempts[0].received_at
    return {
        "id": session.id,
        "created_date_time": timestamp(session.created_at),
        "session_start_date_time": UNSET if started is None else timestamp(started),
        "session_expired": now >= session.token_expires_at,
        "device_correlation_id": optional(session.options.device_correlation_id),
        "auth_token_time_to_live_in_seconds": session.options.token_seconds,
    }


def _verify_image(reference: ReferenceImage) -> LivenessWithVerifyImage:
    return LivenessWithVerifyImage(
        face_rectangle=rectangle(reference.face), quality_for_recognition=reference.quality
    )
