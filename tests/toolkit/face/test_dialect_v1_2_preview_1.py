"""How version v1.2-preview.1 is read, word by word and contradiction by contradiction."""

from __future__ import annotations

from typing import Any

import pytest

from livegate.errors import FaceAnswerError
from livegate.face.dialects import dialect_of
from livegate.session import Attempt, AttemptStatus, Outcome, OutcomeStatus

REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"


def read(body: Any) -> Outcome:
    return dialect_of("v1.2-preview.1").outcome(body, REMOTE_ID)


def session(status: Any, expired: Any = False, **more: Any) -> Any:
    return {"id": REMOTE_ID, "status": status, "sessionExpired": expired, **more}


def entry(status_code: Any = 200, body: Any = None, **more: Any) -> Any:
    response = {"statusCode": status_code, "body": body}
    return {"id": 4, "sessionId": REMOTE_ID, "digest": "D", "response": response, **more}


@pytest.mark.parametrize(
    ("word", "expired", "status"),
    [
        ("NotStarted", False, OutcomeStatus.NOT_STARTED),
        ("notstarted", False, OutcomeStatus.NOT_STARTED),
        ("Started", False, OutcomeStatus.RUNNING),
        ("ResultAvailable", False, OutcomeStatus.UNKNOWN),  # and where is it?
        ("Paused", False, OutcomeStatus.UNKNOWN),
        ("NotStarted", True, OutcomeStatus.ENDED),
        ("Started", True, OutcomeStatus.ENDED),
        ("ResultAvailable", True, OutcomeStatus.ENDED),
        ("Paused", True, OutcomeStatus.ENDED),
    ],
)
@pytest.mark.parametrize("more", [{}, {"result": None}])
def test_session_without_result(word: str, expired: bool, status: OutcomeStatus, more: Any) -> None:
    assert read(session(word, expired, **more)) == Outcome(status)


@pytest.mark.parametrize(
    ("word", "expired", "status"),
    [
        ("NotStarted", False, OutcomeStatus.RUNNING),
        ("Started", False, OutcomeStatus.RUNNING),
        ("Paused", False, OutcomeStatus.UNKNOWN),
        ("NotStarted", True, OutcomeStatus.ENDED),
    ],
)
def test_result_that_cannot_be_there_yet(word: str, expired: bool, status: OutcomeStatus) -> None:
    body = session(word, expired, result=entry(body={"livenessDecision": "realface"}))
    assert read(body) == Outcome(status, (Attempt(4, AttemptStatus.UNKNOWN),))


@pytest.mark.parametrize(
    ("result", "found"),
    [
        (
            entry(body={"livenessDecision": "spoofface"}),
            Attempt(4, AttemptStatus.SUCCEEDED, decision="spoofface", digest="D"),
        ),
        # as the official examples have it: nothing was said
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
def test_attempt(result: Any, found: Attempt) -> None:
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
def test_what_is_no_answer(body: Any) -> None:
    with pytest.raises(FaceAnswerError):
        read(body)
