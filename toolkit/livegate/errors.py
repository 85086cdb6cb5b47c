"""One family of errors, each with a stable code, an HTTP status and a message that says what to do.

``str(error)`` is for the operator and is logged; :attr:`LivegateError.public_message` is what a
caller over HTTP may read. Neither ever holds a key, a token or an image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from livegate.models import PolicyViolation, SessionState


class LivegateError(Exception):
    """The base of all errors of livegate.

    Args:
        message: What happened and what to do, for the operator.
        code: A more exact code than the class's own.
        field: The name of the input that is at fault, as the caller wrote it.
        retry_after: Seconds after which it makes sense to try again.
    """

    code: str = "internal_error"
    status: int = 500
    title: ClassVar[str] = "Something went wrong on the server"
    retryable: ClassVar[bool] = False
    is_public: ClassVar[bool] = False
    """Whether the message may be shown to the caller, and not to the operator alone."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.field = field
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        # Not through the constructors, which differ: a pool's worker process hands errors over, and
        # one that cannot be read there breaks the pool.
        return _again, (type(self), self.args), vars(self)

    @property
    def public_message(self) -> str:
        """What a caller over HTTP may read."""
        return str(self) if self.is_public else self.title


def _again(kind: type[LivegateError], args: tuple[str, ...]) -> LivegateError:
    return kind.__new__(kind, *args)


class ConfigurationError(LivegateError):
    """A setting is missing or wrong; raised at start, naming the setting and the remedy.

    Args:
        message: One fault; or several, separated by ``"; "``.
        faults: Each of them, for a tool that prints them in lines; by default *message* alone.
    """

    code = "misconfigured"
    title = "The server is not configured for this"

    def __init__(self, message: str, *, faults: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults) or (message,)


class MissingDependencyError(ConfigurationError):
    """An optional package is needed and not installed."""

    code = "missing_dependency"

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed; run: pip install 'livegate[{extra}]'")


class InvalidRequestError(LivegateError):
    """The caller sent something that cannot be understood.

    Args:
        message: What is wrong and what would be right.
        code: A more exact code than ``invalid_request``.
        field: The input at fault.
        status: An HTTP status other than 400 where there is a better one.
    """

    code = "invalid_request"
    status = 400
    title = "The request is not valid"
    is_public = True

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        field: str | None = None,
        status: int = 400,
    ) -> None:
        super().__init__(message, code=code, field=field)
        self.status = status


class MethodNotAllowedError(InvalidRequestError):
    """The path is known, the method is not.

    Args:
        allowed: The methods that are.
    """

    code = "method_not_allowed"

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = tuple(allowed)
        super().__init__(f"This path takes {', '.join(self.allowed)}.", status=405)


class SubjectRequiredError(LivegateError):
    """Nobody is signed in."""

    code = "subject_required"
    status = 401
    title = "Sign in first"
    is_public = True


class _ViolationsError(LivegateError):
    """Policies rejected; all violations at once."""

    is_public = True

    def __init__(self, violations: Iterable[PolicyViolation], *, field: str | None = None) -> None:
        self.violations = tuple(violations)
        first = self.violations[0]
        waits = [each.retry_after for each in self.violations if each.retry_after is not None]
        super().__init__(
            " ".join(each.in_language()[0] for each in self.violations),
            code=first.code if len(self.violations) == 1 else None,
            field=field,
            retry_after=max(waits, default=None),
        )
        if first.status is not None:
            self.status = first.status


class StartRejectedError(_ViolationsError):
    """A policy does not allow this subject to start a session now."""

    code = "start_rejected"
    status = 403
    title = "A session cannot be started"


class ReferenceImageRejectedError(_ViolationsError):
    """The reference image cannot be used."""

    code = "reference_image_rejected"
    status = 422
    title = "The reference image cannot be used"


class SessionNotFoundError(LivegateError):
    """There is no such session, or it is another subject's; the caller cannot tell which."""

    code = "session_not_found"
    status = 404
    title = "There is no such session"
    is_public = True

    def __init__(self) -> None:
        super().__init__("There is no such session.")


class PolicyFailedError(LivegateError):
    """A plugin's policy raised, or returned what no policy may; nothing was started."""

    code = "policy_failed"


class PolicyUnavailableError(LivegateError):
    """The back end of a policy is down, so nothing can be allowed; raise it from a policy."""

    code = "policy_unavailable"
    status = 503
    title = "The server cannot check this now; try again"
    retryable = True


class TransitionError(LivegateError):
    """The session's state does not allow this."""

    code = "invalid_transition"
    status = 409
    title = "The session's state does not allow this"
    is_public = True


class ConsumeError(LivegateError):
    """The verdict cannot be used for what the caller wants to do.

    Args:
        message: What is missing.
        state: Of the session.
    """

    code = "verdict_not_usable"
    status = 403
    title = "A fresh verdict is needed"
    is_public = True

    def __init__(self, message: str, *, state: SessionState, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.state = state


class VerdictNotPassedError(ConsumeError):
    """The session has not passed; ``state`` says where it stands."""

    code = "verdict_not_passed"


class VerdictExpiredError(ConsumeError):
    """The verdict is older than the purpose's ``max_age``."""

    code = "verdict_expired"


class VerdictUsedError(ConsumeError):
    """The verdict was used before."""

    code = "verdict_used"
    status = 409


class PurposeMismatchError(ConsumeError):
    """The verdict is for another purpose, or for another transaction."""

    code = "purpose_mismatch"


class IdempotencyError(LivegateError):
    """An idempotency key was used before, and the answer cannot be given again."""

    code = "idempotency_conflict"
    status = 409
    title = "The idempotency key was used before"
    is_public = True

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int = 409,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, code=code, field="Idempotency-Key", retry_after=retry_after)
        self.status = status


class StoreError(LivegateError):
    """The store could not do its work; the driver's own error is the cause."""

    code = "store_unavailable"
    status = 503
    title = "The server cannot reach its records; try again"
    retryable = True


class StoreCorruptError(StoreError):
    """The store's data cannot be used as it is; trying again does not help."""

    code = "store_corrupt"
    status = 500
    title = "The server cannot read its records; its operator has to act"
    retryable = False


class VersionConflictError(StoreError):
    """The session was changed since it was read; nothing was saved."""

    code = "version_conflict"
    status = 409
    title = "The session changed at the same moment; try again"


class DuplicateKeyError(StoreError):
    """The subject has used this idempotency key for another session; nothing was saved."""

    code = "idempotency_conflict"
    status = 409


class FaceError(LivegateError):
    """The Face service did not do what it was asked for.

    Args:
        message: What happened and what to do, for the operator.
        service_status: The HTTP status of the service's answer, None when there was none.
        service_code: The service's own error code, None when it gave none.
        request_id: The service's ``apim-request-id``: what its support asks for.
        retry_after: Seconds, as the service said.
        orphan_id: The service's id of a session that it created although the call failed; it has to
            be deleted. Never shown.
    """

    code = "face_error"
    status = 502
    title = "The face service did not answer as expected"

    def __init__(
        self,
        message: str,
        *,
        service_status: int | None = None,
        service_code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        orphan_id: str | None = None,
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.orphan_id = orphan_id
        self.service_status = service_status
        self.service_code = service_code
        self.request_id = request_id


class FaceUnavailableError(FaceError):
    """The service is not reached, not in time, or answers with an error of its own."""

    code = "face_unavailable"
    status = 503
    title = "The face service is not available; try again"
    retryable = True


class FaceThrottledError(FaceUnavailableError):
    """The resource has made more calls than its tier allows."""

    code = "face_throttled"
    title = "The face service is busy; try again later"


class FaceResponseError(FaceError):
    """The service's answer cannot be understood."""

    code = "face_response_invalid"
    retryable = True


class FaceAuthError(FaceError):
    """The service does not accept our credential, or the resource is not approved."""

    code = "face_auth_failed"
    title = "The face service refuses this server; its operator has to act"


class FaceBadRequestError(FaceError):
    """The service refuses this request for good: the same one would be refused again."""

    code = "face_bad_request"
    status = 422
    title = "The face service refuses the request"


class FaceSessionNotFoundError(FaceError):
    """The service knows no such session: deleted, or older than 48 hours."""

    code = "face_session_gone"
