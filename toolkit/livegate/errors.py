"""One family of errors, each with a stable code, an HTTP status and words for whoever must act.

``str(error)`` speaks to the operator and is logged; :attr:`LivegateError.public_message` is what a
caller over HTTP may read. Neither ever holds a key, a token or an image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable

    from livegate.session import Objection


class LivegateError(Exception):
    """Whatever goes wrong in livegate.

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
    tells_the_caller: ClassVar[bool] = False
    """Whether the message is meant for the caller too, and not for the operator alone."""

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
        return str(self) if self.tells_the_caller else self.title


def _again(kind: type[LivegateError], args: tuple[str, ...]) -> LivegateError:
    return kind.__new__(kind, *args)


class ConfigurationError(LivegateError):
    """A setting is missing or wrong; raised at start, naming the setting and the remedy."""

    code = "misconfigured"
    title = "The server is not configured for this"


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
    tells_the_caller = True

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
        super().__init__(f"This path takes {' and '.join(self.allowed)}.", status=405)


class SubjectRequiredError(LivegateError):
    """Nobody is signed in."""

    code = "subject_required"
    status = 401
    title = "Sign in first"
    tells_the_caller = True


class _ObjectionsError(LivegateError):
    """Policies objected; all of the objections at once."""

    tells_the_caller = True

    def __init__(self, objections: Iterable[Objection], *, field: str | None = None) -> None:
        self.objections = tuple(objections)
        super().__init__(
            " ".join(objection.message for objection in self.objections),
            code=self.objections[0].code if len(self.objections) == 1 else None,
            field=field,
        )


class StartRefusedError(_ObjectionsError):
    """A policy does not allow this subject to start a session now."""

    code = "start_refused"
    status = 403
    title = "A session cannot be started"


class ReferenceImageRefusedError(_ObjectionsError):
    """The reference image cannot be used."""

    code = "reference_image_refused"
    status = 422
    title = "The reference image cannot be used"


class SessionNotFoundError(LivegateError):
    """There is no such session, or it is somebody else's: nobody can tell which."""

    code = "session_not_found"
    status = 404
    title = "There is no such session"
    tells_the_caller = True

    def __init__(self) -> None:
        super().__init__("There is no such session.")


class TransitionError(LivegateError):
    """The session's state does not allow this."""

    code = "invalid_transition"
    status = 409
    title = "The session's state does not allow this"
    tells_the_caller = True


class IdempotencyError(LivegateError):
    """An idempotency key was used before, and the answer cannot be given again."""

    code = "idempotency_conflict"
    status = 409
    title = "The idempotency key was used before"
    tells_the_caller = True

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


class StoreBrokenError(StoreError):
    """The store's data cannot be used as it is; trying again does not help."""

    code = "store_broken"
    status = 500
    title = "The server cannot read its records; its operator has to act"
    retryable = False


class VersionConflictError(StoreError):
    """Somebody else changed the session since it was read; nothing was saved."""

    code = "version_conflict"
    status = 409
    title = "The session changed at the same moment; try again"


class KeyTakenError(StoreError):
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
    ) -> None:
        super().__init__(message, retry_after=retry_after)
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


class FaceAnswerError(FaceError):
    """The service's answer cannot be understood."""

    code = "face_answer_invalid"
    retryable = True


class FaceAccessError(FaceError):
    """The service does not accept our credential, or the resource is not approved."""

    code = "face_access_denied"
    title = "The face service refuses this server; its operator has to act"


class FaceRefusedError(FaceError):
    """The service refuses this request for good: the same one would be refused again."""

    code = "face_refused"
    status = 422
    title = "The face service refuses the request"


class FaceSessionNotFoundError(FaceError):
    """The service knows no such session: deleted, or older than 48 hours."""

    code = "face_session_gone"
