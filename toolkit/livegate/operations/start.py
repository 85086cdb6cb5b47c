"""Starting: from a request to a session at the service, and a token for the front end.

The intent is stored before the service is asked, and the service's response before the token
leaves: whatever the moment of a crash, the record left behind can be carried on or closed.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Final

from livegate._record import to_session
from livegate._sync import maybe_await
from livegate.errors import (
    ConfigurationError,
    DuplicateKeyError,
    FaceBadRequestError,
    FaceError,
    IdempotencyError,
    InvalidRequestError,
    LivegateError,
    ReferenceImageRejectedError,
    StartRejectedError,
    StoreError,
    TransitionError,
    VersionConflictError,
)
from livegate.lifecycle import Created, CreateFailed, CreateRejected, CreateRequested
from livegate.models import (
    LivenessSession,
    PolicyViolation,
    ReferenceSource,
    RemoteState,
    SessionState,
    StartAttempt,
    StartOutcome,
    StartRequest,
    StartResult,
)
from livegate.operations._runtime import is_session_id
from livegate.operations.results import cancel_and_delete
from livegate.protocols import FaceSessionRequest
from livegate.validation import RETRY_KEY_PREFIX, check_request, fingerprint

if TYPE_CHECKING:
    from livegate.models import ReferenceImage, RequestContext
    from livegate.operations._runtime import Runtime
    from livegate.purposes import Purpose

log = logging.getLogger("livegate.operations")

IMAGE_CODES: Final = ("InvalidImage", "InvalidImageSize")
"""The service's codes for a picture that it cannot decode, or that has no face or several."""
UNUSABLE: Final = PolicyViolation(
    "image_unusable",
    {
        "en": "The face service cannot use the image.",
        "de": "Der Gesichtsdienst kann das Bild nicht verwenden.",
    },
    {
        "en": "Use a sharp image that shows exactly one face.",
        "de": "Verwenden Sie ein scharfes Bild, das genau ein Gesicht zeigt.",
    },
)
NO_RETRIES: Final = PolicyViolation(
    "retries_exhausted",
    {
        "en": "This session cannot be retried any more.",
        "de": "Diese Sitzung kann nicht mehr wiederholt werden.",
    },
)


async def start(runtime: Runtime, request: StartRequest) -> StartResult:
    """See :meth:`livegate.Orchestrator.start`."""
    check_request(request)
    return await _start(runtime, request, _purpose_for(runtime, request), None)


async def retry(
    runtime: Runtime,
    session_id: str,
    subject: str,
    reference_image: ReferenceImage | None,
    context: RequestContext,
) -> StartResult:
    """See :meth:`livegate.Orchestrator.retry`."""
    earlier = await runtime.load_owned(session_id, subject)
    request = StartRequest(
        subject,
        earlier.purpose,
        earlier.transaction,
        reference_image,
        earlier.correlation_id,
        context=context,
    )
    check_request(request)
    purpose = _purpose_for(runtime, request)
    _check_retry(earlier, purpose)
    # The store's unique key makes sure that a session is retried once, however often it is asked.
    request = replace(request, idempotency_key=RETRY_KEY_PREFIX + earlier.id)
    return await _start(runtime, request, purpose, earlier)


def _check_retry(earlier: LivenessSession, purpose: Purpose) -> None:
    if earlier.state in (SessionState.PASSED, SessionState.NEEDS_REVIEW):
        raise TransitionError(
            f"Session {earlier.id} is {earlier.state} and cannot be retried.",
            code="retry_not_possible",
        )
    if earlier.retries >= purpose.max_retries:
        raise StartRejectedError([NO_RETRIES])


async def _end_earlier(runtime: Runtime, earlier: LivenessSession, purpose: Purpose) -> None:
    async def step(session: LivenessSession) -> LivenessSession:
        _check_retry(session, purpose)
        return await cancel_and_delete(runtime, session)

    await runtime.update_owned(earlier.id, earlier.subject, step)


def _purpose_for(runtime: Runtime, request: StartRequest) -> Purpose:
    """The purpose of *request*, which has what the purpose needs, and nothing else."""
    purpose = runtime.purposes.require(request.purpose)
    purpose.check_transaction(request.transaction)
    _check_image_is_accepted(request, purpose)
    return purpose


async def _start(
    runtime: Runtime, request: StartRequest, purpose: Purpose, earlier: LivenessSession | None
) -> StartResult:
    request_fingerprint = fingerprint(request)
    if request.idempotency_key is not None:
        found = await maybe_await(
            runtime.store.get_by_idempotency_key(request.subject, request.idempotency_key)
        )
        if found is not None:
            return await _start_again(
                runtime, to_session(found), request, purpose, request_fingerprint
            )
    attempt = StartAttempt(_new_id(runtime))
    image, source = await _run_start_policies(runtime, request, purpose, attempt)
    now = runtime.now()
    session = LivenessSession(
        id=attempt.session_id,
        subject=request.subject,
        purpose=purpose.name,
        transaction=request.transaction,
        kind=purpose.kind,
        mode=purpose.mode or runtime.settings.mode,
        api_version=runtime.face.api_version,
        correlation_id=request.correlation_id or runtime.new_id(),
        created_at=now,
        updated_at=now,
        expires_at=now + timedelta(seconds=runtime.settings.token_lifetime),
        idempotency_key=request.idempotency_key,
        fingerprint=request_fingerprint,
        create_requested_at=now,
        reference_sha256=image.sha256 if image else None,
        reference_source=source,
        retry_of=earlier.id if earlier else None,
        retries=earlier.retries + 1 if earlier else 0,
    )
    try:
        # Not before the new one is allowed: a retry that is rejected does not end an open session.
        if earlier is not None:
            await _end_earlier(runtime, earlier, purpose)
        await runtime.insert(session)
    except LivegateError as error:
        await _give_back(runtime, attempt)
        if isinstance(error, DuplicateKeyError) and request.idempotency_key is not None:
            raise _in_progress(runtime.timing.create) from error
        raise
    return await _create(runtime, session, image, attempt)


def _new_id(runtime: Runtime) -> str:
    session_id = runtime.new_id()
    if not is_session_id(session_id):
        raise ConfigurationError(
            "new_id has to return 16 to 64 letters, digits, '-' and '_'; a session with another id "
            "could not be found again."
        )
    return session_id


# --- policies and the reference image --------------------------------------------------------


def _check_image_is_accepted(request: StartRequest, purpose: Purpose) -> None:
    """The server decides what is proved: a client's image only where the purpose takes one."""
    if request.reference_image is None:
        if purpose.takes_client_image:
            raise _bad_image(f"the purpose {purpose.name} needs one", "reference_image_required")
    elif not purpose.verify or (request.context.is_http and not purpose.takes_client_image):
        raise _bad_image(
            f"the purpose {purpose.name} takes no image here", "reference_image_not_accepted"
        )


def _bad_image(why: str, code: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"referenceImage: {why}.", code=code, field="referenceImage", status=422
    )


async def _run_start_policies(
    runtime: Runtime, request: StartRequest, purpose: Purpose, attempt: StartAttempt
) -> tuple[ReferenceImage | None, ReferenceSource | None]:
    """Ask every policy, and find the reference image.

    Raises:
        StartRejectedError: A policy rejects the start.
        ReferenceImageRejectedError: A policy rejects the image.
        InvalidRequestError: There is no image, and the purpose needs one.
    """
    if violations := await runtime.plugins.before_start(request, purpose, attempt):
        raise StartRejectedError(violations)
    try:
        return await _find_image(runtime, request, purpose)
    except Exception:
        await _give_back(runtime, attempt)
        raise


async def _give_back(runtime: Runtime, attempt: StartAttempt) -> None:
    """Settle a start that ends before the service is asked.

    A repeated one was counted by an earlier attempt, and still is: the record is unchanged.
    """
    if not attempt.is_repeat:
        await runtime.plugins.start_settled(attempt, StartOutcome.NOT_CREATED)


async def _find_image(
    runtime: Runtime, request: StartRequest, purpose: Purpose
) -> tuple[ReferenceImage | None, ReferenceSource | None]:
    if not purpose.verify:
        return None, None
    image = request.reference_image
    source = ReferenceSource.CLIENT if request.context.is_http else ReferenceSource.APPLICATION
    if image is None and callable(purpose.reference_image):
        image = await runtime.plugins.image_from(purpose.reference_image, request, purpose)
        source = ReferenceSource.PURPOSE
    elif image is None:
        image = await runtime.plugins.provide_reference_image(request, purpose)
        source = ReferenceSource.PLUGIN
    if image is None:
        raise _bad_image(
            f"the purpose {purpose.name} has none for this person", "reference_image_required"
        )
    if violations := await runtime.plugins.check_reference_image(image, request, purpose):
        raise ReferenceImageRejectedError(violations, field="referenceImage")
    return image, source


# --- starting again with a known key ---------------------------------------------------------


async def _start_again(
    runtime: Runtime,
    session: LivenessSession,
    request: StartRequest,
    purpose: Purpose,
    request_fingerprint: str,
) -> StartResult:
    """A start with a known key: carry on where the earlier one ended, or say why not."""
    if session.fingerprint != request_fingerprint or session.kind is not purpose.kind:
        raise IdempotencyError(
            "This Idempotency-Key was used for another request; use a new one.",
            code="idempotency_key_reused",
            status=422,
        )
    if session.state is not SessionState.REQUESTED:
        raise _ended(session)
    requested_at = session.create_requested_at
    if requested_at is not None:
        wait = requested_at + runtime.timing.create - runtime.now()
        if wait > timedelta(0):
            raise _in_progress(wait)
    # The policies are asked again: who was locked out since must not carry on with an older start.
    attempt = StartAttempt(session.id, is_repeat=requested_at is not None)
    image, source = await _run_start_policies(runtime, request, purpose, attempt)
    event = CreateRequested(image.sha256 if image else None, source)
    try:
        session = await runtime.commit(session, event)
    except StoreError as error:
        await _give_back(runtime, attempt)
        if isinstance(error, VersionConflictError):
            raise _in_progress(runtime.timing.create) from error
        raise
    return await _create(runtime, session, image, attempt)


def _ended(session: LivenessSession) -> Exception:
    """Why a start that is over cannot be carried on."""
    if session.state is SessionState.FAILED:
        return _rejected(session.reasons[0])
    if session.remote is RemoteState.NONE:
        return IdempotencyError(
            f"The start with this Idempotency-Key is {session.state} and handed out no token; "
            "start a new session with a new key.",
            code="start_abandoned",
        )
    return IdempotencyError(
        f"Session {session.id} was started with this Idempotency-Key, and its token was handed "
        "out; it is not kept, so start a new session with a new key.",
        code="token_already_issued",
    )


def _rejected(reason: str) -> Exception:
    if reason in IMAGE_CODES:
        return ReferenceImageRejectedError([UNUSABLE], field="referenceImage")
    return FaceBadRequestError(
        f"The Face service rejected this start for good ({reason}).", service_code=reason
    )


def _in_progress(wait: timedelta) -> IdempotencyError:
    return IdempotencyError(
        "A start with this Idempotency-Key is under way: wait for its response, or repeat it.",
        code="start_in_progress",
        retry_after=ceil(wait.total_seconds()),
    )


# --- at the service --------------------------------------------------------------------------


async def _create(
    runtime: Runtime, session: LivenessSession, image: ReferenceImage | None, attempt: StartAttempt
) -> StartResult:
    # Measured before the call, so our expiry is never later than the service's.
    requested_at = runtime.now()
    wanted = FaceSessionRequest(
        kind=session.kind,
        mode=session.mode,
        correlation_id=session.correlation_id,
        token_lifetime=runtime.settings.token_lifetime,
        reference_image=image,
    )
    try:
        created = await maybe_await(runtime.face.create(wanted, session.api_version))
    except FaceError as error:
        await _record_failure(runtime, session, error, attempt)
        if isinstance(error, FaceBadRequestError) and error.service_code in IMAGE_CODES:
            raise _rejected(error.service_code) from error
        raise
    expires_at = requested_at + timedelta(seconds=wanted.token_lifetime)
    try:
        session = await runtime.commit(session, Created(created.remote_id, expires_at))
    except GeneratorExit:  # closed while it waited: it cannot wait for anything else
        raise
    except BaseException:
        # Not stored, or stored in vain because the caller was cancelled: the remote session would
        # never be read or deleted, so its token must not be used either.
        await _delete_orphan(runtime, session, created.remote_id)
        raise
    await runtime.plugins.start_settled(attempt, StartOutcome.CREATED)
    return StartResult(session, created.auth_token)


async def _record_failure(
    runtime: Runtime, session: LivenessSession, error: FaceError, attempt: StartAttempt
) -> None:
    """Record that the service did not create the session; the caller raises *error*, not this."""
    if error.orphan_id is not None:
        await _delete_orphan(runtime, session, error.orphan_id)
    event: CreateFailed | CreateRejected = CreateFailed()
    if isinstance(error, FaceBadRequestError):
        event = CreateRejected(error.service_code or error.code)
    try:
        await runtime.commit(session, event)
    except StoreError as store_error:
        # Not settled: by its record the start is under way, and counted.
        log.warning("session %s: its failed start is not recorded: %s", session.id, store_error)
        return
    await runtime.plugins.start_settled(attempt, StartOutcome.NOT_CREATED)


async def _delete_orphan(runtime: Runtime, session: LivenessSession, remote_id: str) -> None:
    try:
        await maybe_await(runtime.face.delete(session.kind, remote_id, session.api_version))
    except Exception:
        log.exception("session %s left an unused session at the service", session.id)
