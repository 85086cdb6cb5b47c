"""Errors: their codes are stable and their own, and they can be sent to another process."""

from __future__ import annotations

import inspect
import pickle

import pytest

from livegate import SessionState, errors
from livegate.errors import (
    ConfigurationError,
    FaceThrottledError,
    IdempotencyError,
    InvalidRequestError,
    LivegateError,
    MethodNotAllowedError,
    MissingDependencyError,
    ReferenceImageRejectedError,
    SessionNotFoundError,
    StartRejectedError,
    VerdictUsedError,
)
from livegate.hooks import PolicyViolation

ERRORS = [
    SessionNotFoundError(),
    MissingDependencyError("azure-core", "azure"),
    ConfigurationError("a; b", faults=["a", "b"]),
    InvalidRequestError("no", code="invalid_field", field="purpose", status=413),
    MethodNotAllowedError(["GET", "POST"]),
    ReferenceImageRejectedError(
        [PolicyViolation("a", "A."), PolicyViolation("b", "B.")], field="image"
    ),
    IdempotencyError("no", code="start_in_progress", retry_after=1),
    FaceThrottledError("slow", service_status=429, request_id="r", retry_after=26),
    VerdictUsedError("used", state=SessionState.PASSED),
]
CLASSES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, LivegateError) and not each.__name__.startswith("_")
]
CODES = {
    "ConfigurationError": ("misconfigured", 500),
    "ConsumeError": ("verdict_not_usable", 403),
    "DuplicateKeyError": ("idempotency_conflict", 409),
    "FaceAuthError": ("face_auth_failed", 502),
    "FaceBadRequestError": ("face_bad_request", 422),
    "FaceError": ("face_error", 502),
    "FaceResponseError": ("face_response_invalid", 502),
    "FaceSessionNotFoundError": ("face_session_gone", 502),
    "FaceThrottledError": ("face_throttled", 503),
    "FaceUnavailableError": ("face_unavailable", 503),
    "IdempotencyError": ("idempotency_conflict", 409),
    "InvalidRequestError": ("invalid_request", 400),
    "LivegateError": ("internal_error", 500),
    "MethodNotAllowedError": ("method_not_allowed", 400),
    "MissingDependencyError": ("missing_dependency", 500),
    "PolicyFailedError": ("policy_failed", 500),
    "PolicyUnavailableError": ("policy_unavailable", 503),
    "PurposeMismatchError": ("purpose_mismatch", 403),
    "ReferenceImageRejectedError": ("reference_image_rejected", 422),
    "SessionNotFoundError": ("session_not_found", 404),
    "StartRejectedError": ("start_rejected", 403),
    "StoreCorruptError": ("store_corrupt", 500),
    "StoreError": ("store_unavailable", 503),
    "SubjectRequiredError": ("subject_required", 401),
    "TransitionError": ("invalid_transition", 409),
    "VerdictExpiredError": ("verdict_expired", 403),
    "VerdictNotPassedError": ("verdict_not_passed", 403),
    "VerdictUsedError": ("verdict_used", 409),
    "VersionConflictError": ("version_conflict", 409),
}
"""Written down a second time: a client relies on them."""


def test_every_error_has_the_code_and_the_status_that_clients_rely_on() -> None:
    assert {each.__name__: (each.code, each.status) for each in CLASSES} == CODES


def test_an_error_of_the_server_is_not_explained_to_its_callers() -> None:
    assert [each.__name__ for each in CLASSES if each.is_public and each.status >= 500] == []


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_can_be_sent_to_another_process(error: LivegateError) -> None:
    received = pickle.loads(pickle.dumps(error))

    assert type(received) is type(error)
    assert (str(received), vars(received)) == (str(error), vars(error))
    assert (received.code, received.status) == (error.code, error.status)


def test_only_a_public_message_is_shown_to_the_caller() -> None:
    operator = errors.StoreError("disk full at /srv")

    assert operator.public_message == operator.title
    assert InvalidRequestError("limit is too large.").public_message == "limit is too large."


def test_violations_decide_status_code_and_wait() -> None:
    one = StartRejectedError([PolicyViolation("too_many", "Wait.", status=429, retry_after=7)])
    two = StartRejectedError(
        [PolicyViolation("a", "A.", retry_after=5), PolicyViolation("b", "B.", retry_after=9)]
    )

    assert (one.code, one.status, one.retry_after) == ("too_many", 429, 7)
    assert (two.code, two.status, two.retry_after) == ("start_rejected", 403, 9)
    assert str(two) == "A. B."
