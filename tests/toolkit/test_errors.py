"""Errors as values: they go from process to process whole."""

from __future__ import annotations

import pickle

import pytest

from livegate import Objection
from livegate.errors import (
    FaceThrottledError,
    IdempotencyError,
    InvalidRequestError,
    LivegateError,
    MethodNotAllowedError,
    MissingDependencyError,
    ReferenceImageRefusedError,
    SessionNotFoundError,
)

ERRORS = [
    SessionNotFoundError(),
    MissingDependencyError("azure-core", "azure"),
    InvalidRequestError("no", code="invalid_field", field="purpose", status=413),
    MethodNotAllowedError(["GET", "POST"]),
    ReferenceImageRefusedError([Objection("a", "A."), Objection("b", "B.")], field="image"),
    IdempotencyError("no", code="start_in_progress", retry_after=1),
    FaceThrottledError("slow", service_status=429, request_id="r", retry_after=26),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_survives_the_way_to_another_process(error: LivegateError) -> None:
    arrived = pickle.loads(pickle.dumps(error))

    assert type(arrived) is type(error)
    assert (str(arrived), vars(arrived)) == (str(error), vars(error))
    assert (arrived.code, arrived.status) == (error.code, error.status)
