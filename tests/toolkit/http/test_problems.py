"""Errors as problem details."""

from __future__ import annotations

import json
from typing import Any

import pytest

from livegate.errors import (
    LivegateError,
    ReferenceImageRejectedError,
    StartRejectedError,
    StoreError,
    VerdictExpiredError,
)
from livegate.http import problem_response
from livegate.http._problems import parse_languages
from livegate.models import PolicyViolation, SessionState


def problem(error: LivegateError, language: str | None = None) -> Any:
    return json.loads(problem_response(error, language).body)


def test_problem_has_the_members_of_rfc_9457() -> None:
    response = problem_response(VerdictExpiredError("too old", state=SessionState.PASSED))

    assert response.status == 403
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    assert json.loads(response.body) == {
        "type": "urn:livegate:problem:verdict_expired",
        "title": "A fresh verdict is needed",
        "status": 403,
        "detail": "too old",
        "code": "verdict_expired",
        "retryable": False,
        "state": "passed",
    }


def test_message_for_the_operator_is_not_shown() -> None:
    assert problem(StoreError("postgres://user:secret@db"))["detail"] == StoreError.title
    assert problem(StoreError("x"))["retryable"] is True


@pytest.mark.parametrize(("seconds", "header"), [(0, "0"), (0.2, "1"), (25.2, "26"), (60, "60")])
def test_time_to_wait_is_rounded_up_to_seconds(seconds: float, header: str) -> None:
    response = problem_response(LivegateError("x", retry_after=seconds))

    assert response.headers["Retry-After"] == header
    assert json.loads(response.body)["retryable"] is True


LIMIT = PolicyViolation(
    "too_many_starts",
    {"en": "Too many sessions.", "de": "Zu viele Sitzungen."},
    {"en": "Wait an hour.", "de": "Warten Sie eine Stunde."},
    status=429,
    retry_after=3599.5,
)
CONSENT = PolicyViolation("consent_missing", "Agree first.")


def test_violation_has_its_status_and_its_time_to_wait() -> None:
    response = problem_response(StartRejectedError([LIMIT]))

    assert (response.status, response.headers["Retry-After"]) == (429, "3600")
    assert json.loads(response.body)["code"] == "too_many_starts"


@pytest.mark.parametrize(
    ("language", "message", "remedy"),
    [
        (None, "Too many sessions.", "Wait an hour."),
        ("de", "Zu viele Sitzungen.", "Warten Sie eine Stunde."),
        ("fr, de-CH;q=0.8, en;q=0.7", "Zu viele Sitzungen.", "Warten Sie eine Stunde."),
        ("fr", "Too many sessions.", "Wait an hour."),
    ],
)
def test_violations_are_in_the_language_of_the_client(
    language: str | None, message: str, remedy: str
) -> None:
    found = problem(StartRejectedError([LIMIT, CONSENT]), language)

    assert found["code"] == "start_rejected"
    assert found["detail"] == f"{message} Agree first."
    assert found["violations"] == [
        {"code": "too_many_starts", "message": message, "remedy": remedy},
        {"code": "consent_missing", "message": "Agree first."},
    ]


def test_field_of_a_rejected_image_is_named() -> None:
    found = problem(ReferenceImageRejectedError([CONSENT], field="referenceImage"))

    assert (found["status"], found["field"]) == (422, "referenceImage")


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        (None, ()),
        ("", ()),
        ("de", ("de",)),
        ("en;q=0.5, de-AT;q=0.9, fr", ("fr", "de-AT", "en")),
        ("en ; q=0.5 ,de", ("de", "en")),
        ("de;q=0, en;q=0.000, fr;q=1.000", ("fr",)),
        ("*, de;q=0.1", ("de",)),
        ("de;q=2, en;q=x, <b>, \u00e9, de;level=1", ("de", "en", "de")),
        (
            ",".join(f"l{chr(97 + n)}" for n in range(20)),
            tuple(f"l{chr(97 + n)}" for n in range(10)),
        ),
    ],
)
def test_languages_come_in_the_order_of_their_weights(
    header: str | None, languages: tuple[str, ...]
) -> None:
    assert parse_languages(header) == languages
