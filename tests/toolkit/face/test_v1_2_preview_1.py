"""How version v1.2-preview.1 is parsed: every value, and every contradiction."""

from __future__ import annotations

from typing import Any

import pytest

from livegate.errors import FaceResponseError
from livegate.face.versions import get_version
from livegate.models import Attempt, AttemptStatus, Outcome, OutcomeStatus

REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"


def read(body: Any) -> Outcome:
    return get_version("v1.2-preview.1").parse_outcome(body, REMOTE_ID)


def session(status: Any, expired: Any = False, **more: Any) -> Any:
    return {"id": REMOTE_ID, "status": status, "sessionExpired": expired, **more}


def entry(status_code: Any = 200, body: Any = None, **more: Any) -> Any:
    response = {"statusCode": status_code, "body": body}
    return {"id": 4, "sessionId": REMOTE_ID, "digest": "D", "response": response, **more}


@pytest.mark.parametrize(
    ("value", "expired", "status"),
    [
        ("NotStarted", False, OutcomeStatus.NOT_STARTED),
        ("notstarted", False, OutcomeStatus.NOT_STARTED),
        ("Started", False, OutcomeStatus.RUNNING),
        ("ResultAvailable", False, OutcomeStatus.UNKNOWN),  # without a result, nothing is available
        ("Paused", False, OutcomeStatus.UNKNOWN),
        ("NotStarted", True, OutcomeStatus.ENDED),
        ("Started", True, OutcomeStatus.ENDED),
        ("ResultAvailable", True, OutcomeStatus.ENDED),
        ("Paused", True, OutcomeStatus.ENDED),
    ],
)
@pytest.mark.parametrize("more", [{}, {"result": None}])
def test_the_status_of_a_session_without_a_result(
    value: str, expired: bool, status: OutcomeStatus, more: Any
) -> None:
    assert read(session(value, expired, **more)) == Outcome(status)


@pytest.mark.parametrize(
    ("value", "expired", "status"),
    [
        ("NotStarted", False, OutcomeStatus.RUNNING),
        ("Started", False, OutcomeStatus.RUNNING),
        ("Paused", False, OutcomeStatus.UNKNOWN),
        ("NotStarted", True, OutcomeStatus.ENDED),
    ],
)
def test_a_result_of_a_session_without_one_is_unknown(
    value: str, expired: bool, status: OutcomeStatus
) -> None:
    body = session(value, expired, result=entry(body={"livenessDecision": "realface"}))
    assert read(body) == Outcome(status, (Attempt(4, AttemptStatus.UNKNOWN),))


@pytest.mark.parametrize(
    ("result", "found"),
    [
        (
            entry(body={"livenessDecision": "spoofface"}),
            Attempt(4, AttemptStatus.SUCCEEDED, decision="spoofface", digest="D"),
        ),
        # as in the official examples: without a decision
        (entry(body={}), Attempt(4, AttemptStatus.SUCCEEDED, digest="D")),
        (
            entry(400, {"error": {"code": "FaceWithMaskDetected", "message": "…"}}),
            Attempt(4, AttemptStatus.FAILED, error_code="FaceWithMaskDetected"),
        ),
        (
            entry(200, {"error": {"code": "TimedOut"}, "livenessDecision": "realface"}),
            Attempt(4, AttemptStatus.FAILED, error_code="TimedOut"),
        ),
        (entry(200, {"error": "TimedOut"}), Attempt(4, AttemptStatus.FAILED)),
        (
            entry(500, {"livenessDecision": "realface"}),
            Attempt(4, AttemptStatus.FAILED),
        ),
        (entry(200, None), Attempt(4, AttemptStatus.UNKNOWN)),
        (entry("200", {"livenessDecision": "realface"}), Attempt(4, AttemptStatus.UNKNOWN)),
        (entry(response=None), Attempt(4, AttemptStatus.UNKNOWN)),
        (entry(body={}, digest=None), Attempt(4, AttemptStatus.UNKNOWN)),
    ],
)
def test_an_attempt(result: Any, found: Attempt) -> None:
    body = session("ResultAvailable", result=result)
    assert read(body) == Outcome(OutcomeStatus.ENDED, (found,))


@pytest.mark.parametrize(
    "body",
    [
        {},
        session("Started") | {"id": "another"},
        session("Started", expired="false"),
        session("Started", expired=None),
        session(None),
        session("ResultAvailable", result=[entry()]),
        session("ResultAvailable", result=entry(body={}, id=None)),
        session("ResultAvailable", result=entry(body={}, id=True)),
        session("ResultAvailable", result=entry(body={}, sessionId="another")),
        session("ResultAvailable", result=entry(body={}, sessionId=None)),
    ],
)
def test_a_response_that_cannot_be_understood_is_rejected(body: Any) -> None:
    with pytest.raises(FaceResponseError):
        read(body)
