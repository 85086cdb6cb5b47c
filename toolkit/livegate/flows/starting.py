"""Starting: from a request to a session at the service, and a token for the front end.

The intent is committed before the service is asked, and the service's answer before the token
leaves: whatever the moment of a crash, the record left behind can be carried on or closed.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from livegate.checks import check_request, fingerprint
from livegate.driving import Flow, ask
from livegate.errors import (
    ConfigurationError,
    FaceError,
    FaceRefusedError,
    IdempotencyError,
    KeyTakenError,
    ReferenceImageRefusedError,
    StartRefusedError,
    VersionConflictError,
)
from livegate.face.base import FaceSessionRequest
from livegate.flows.context import is_id
from livegate.lifecycle import ASKING_LIMIT, Asked, Created, Refused, Unanswered
from livegate.session import (
    LivenessSession,
    Objection,
    OperationMode,
    SessionState,
    Started,
    StartRequest,
)

if TYPE_CHECKING:
    from livegate.flows.context import Context

log = logging.getLogger("livegate.flows")

ABOUT_THE_IMAGE: Final = ("InvalidImage", "InvalidImageSize")
"""The service's codes for a picture that it cannot decode, or that has no face or several."""
UNUSABLE: Final = Objection(
    "image_unusable",
    "The face service cannot use the image; send a sharp one that shows exactly one face.",
)


def start(context: Context, request: StartRequest) -> Flow[Started]:
    """See :meth:`livegate.Orchestrator.start`."""
    check_request(request)
    mark = fingerprint(request)
    if request.idempotency_key is not None:
        found = yield from ask(context.store.lookup(request.subject, request.idempotency_key))
        if found is not None:
            return (yield from _start_again(context, found, request, mark))
    yield from _admit(context, request)
    now = context.clock()
    session = LivenessSession(
        id=_new_id(context),
        subject=request.subject,
        purpose=request.purpose,
        kind=request.kind,
        mode=OperationMode(request.mode or context.settings.mode),
        api_version=context.face.api_version,
        correlation_id=request.correlation_id or context.new_id(),
        created_at=now,
        updated_at=now,
        expires_at=now + timedelta(seconds=context.settings.token_lifetime),
        idempotency_key=request.idempotency_key,
        fingerprint=mark,
        asked_at=now,
        reference_sha256=request.reference_image.sha256 if request.reference_image else None,
    )
    try:
        yield from ask(context.store.insert(session))
    except KeyTakenError as error:
        if request.idempotency_key is None:
            raise
        raise _in_progress() from error
    yield from context.plugins.observe(None, session, None)
    return (yield from _create(context, session, request))


def _new_id(context: Context) -> str:
    session_id = context.new_id()
    if not is_id(session_id):
        raise ConfigurationError(
            "new_id has to give 16 to 64 letters, digits, '-' and '_'; nobody could ask for "
            "a session of another id."
        )
    return session_id


def _admit(context: Context, request: StartRequest) -> Flow[None]:
    if objections := (yield from context.plugins.review(request)):
        raise StartRefusedError(objections)
    image = request.reference_image
    if image is None:
        return
    if objections := (yield from context.plugins.review_image(image, request)):
        raise ReferenceImageRefusedError(objections, field="referenceImage")


def _start_again(
    context: Context, session: LivenessSession, request: StartRequest, mark: str
) -> Flow[Started]:
    """A start with a known key: carry on where the earlier one ended, or say why not."""
    if session.fingerprint != mark:
        raise IdempotencyError(
            "This Idempotency-Key was used for another request; use a new one.",
            code="idempotency_key_reused",
            status=422,
        )
    if session.state is not SessionState.REQUESTED:
        raise IdempotencyError(
            f"Session {session.id} was started with this Idempotency-Key, and its token was "
            "handed out; it is not kept, so start a new session with a new key.",
            code="token_already_issued",
        )
    now = context.clock()
    if session.asked_at is not None and now < session.asked_at + ASKING_LIMIT:
        raise _in_progress()
    # Asked again: who was locked out since must not carry on with a start from before.
    yield from _admit(context, request)
    try:
        session = yield from context.change(session, Asked())
    except VersionConflictError as error:
        raise _in_progress() from error
    return (yield from _create(context, session, request))


def _create(context: Context, session: LivenessSession, request: StartRequest) -> Flow[Started]:
    asked_at = context.clock()
    wanted = FaceSessionRequest(
        kind=session.kind,
        mode=session.mode,
        correlation_id=session.correlation_id,
        token_lifetime=context.settings.token_lifetime,
        reference_image=request.reference_image,
    )
    try:
        created = yield from ask(context.face.create(wanted))
    except FaceRefusedError as error:
        yield from context.change(session, Refused(error.service_code or error.code))
        if error.service_code in ABOUT_THE_IMAGE:
            raise ReferenceImageRefusedError([UNUSABLE], field="referenceImage") from error
        raise
    except FaceError:
        yield from context.change(session, Unanswered())
        raise
    # Counted from before the call: we never believe in a token longer than the service does.
    expires_at = asked_at + timedelta(seconds=wanted.token_lifetime)
    try:
        session = yield from context.change(session, Created(created.remote_id, expires_at))
    except GeneratorExit:
        raise
    except BaseException:
        # Not stored, or nobody knows: nobody would ever read or delete it, so it must not be used
        # either. Whatever it was; somebody who gave up waiting for us, too.
        yield from _abandon(context, session, created.remote_id)
        raise
    return Started(session, created.auth_token)


def _abandon(context: Context, session: LivenessSession, remote_id: str) -> Flow[None]:
    try:
        yield from ask(context.face.delete(session.kind, remote_id, session.api_version))
    except Exception:
        log.exception("session %s left an unused session at the service", session.id)


def _in_progress() -> IdempotencyError:
    return IdempotencyError(
        "A start with this Idempotency-Key is under way; wait for its answer, or try again later.",
        code="start_in_progress",
        retry_after=1,
    )
