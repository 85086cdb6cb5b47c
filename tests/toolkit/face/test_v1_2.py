"""How version v1.2 is parsed: every value, and every contradiction."""

from __future__ import annotations

from typing import Any

import pytest

from livegate.errors import FaceResponseError
from livegate.face.versions import get_version
from livegate.models import Attempt, AttemptStatus, Outcome, OutcomeStatus

REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"


def read(body: Any) -> Outcome:
    return get_version("v1.2").parse_outcome(body, REMOTE_ID)


def session(status: str, *attempts: Any) -> Any:
    return {"sessionId": REMOTE_ID, "status": status, "results": {"attempts": list(attempts)}}


def attempt(number: Any, status: Any, **more: Any) -> Any:
    return {"attemptId": number, "attemptStatus": status, **more}


REAL = {"livenessDecision": "realface", "digest": "D"}
MASK = {"code": "FaceWithMaskDetected", "message": "Mask detected on face image."}


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("NotStarted", OutcomeStatus.NOT_STARTED),
        ("Running", OutcomeStatus.RUNNING),
        ("RUNNING", OutcomeStatus.RUNNING),
        ("Failed", OutcomeStatus.ENDED),
        ("Canceled", OutcomeStatus.ENDED),
        ("canceled", OutcomeStatus.ENDED),
        ("Succeeded", OutcomeStatus.UNKNOWN),  # without an attempt, nothing has succeeded
        ("Paused", OutcomeStatus.UNKNOWN),
    ],
)
def test_the_status_of_a_session_without_attempts(value: str, status: OutcomeStatus) -> None:
    assert read(session(value)) == Outcome(status)


def test_attempts_come_oldest_first() -> None:
    # given the attempts as the official examples list them: the newest first
    body = session(
        "Succeeded",
        attempt(2, "Succeeded", result=REAL),
        attempt(1, "Failed", error=MASK),
    )
    # when they are parsed, then they are in the order of their numbers
    assert read(body) == Outcome(
        OutcomeStatus.ENDED,
        (
            Attempt(1, AttemptStatus.FAILED, error_code="FaceWithMaskDetected"),
            Attempt(2, AttemptStatus.SUCCEEDED, decision="realface", digest="D"),
        ),
    )


UNKNOWN = Attempt(1, AttemptStatus.UNKNOWN)
RUNNING = Attempt(1, AttemptStatus.RUNNING)
FAILED = Attempt(1, AttemptStatus.FAILED)
SUCCEEDED = Attempt(1, AttemptStatus.SUCCEEDED, decision="realface", digest="D")


@pytest.mark.parametrize(
    ("session_status", "item", "found"),
    [
        # as in the official examples: not started, with a finished attempt
        ("NotStarted", attempt(1, "Succeeded", result=REAL), SUCCEEDED),
        ("Running", attempt(1, "Succeeded", result=REAL), SUCCEEDED),
        ("Succeeded", attempt(1, "sUCCEEDED", result=REAL), SUCCEEDED),
        ("Succeeded", attempt(1, "Succeeded", result=REAL, error=None), SUCCEEDED),
        # a session that ended otherwise has no attempt that succeeded
        ("Failed", attempt(1, "Succeeded", result=REAL), UNKNOWN),
        ("Canceled", attempt(1, "Succeeded", result=REAL), UNKNOWN),
        ("Paused", attempt(1, "Succeeded", result=REAL), UNKNOWN),
        # contradictions, and missing or invalid fields
        ("Succeeded", attempt(1, "Succeeded", result=REAL, error=MASK), UNKNOWN),
        ("Succeeded", attempt(1, "Succeeded", error=MASK), UNKNOWN),
        ("Succeeded", attempt(1, "Succeeded"), UNKNOWN),
        ("Succeeded", attempt(1, "Succeeded", result=[REAL]), UNKNOWN),
        ("Succeeded", attempt(1, "Failed", result=REAL), UNKNOWN),
        ("Succeeded", attempt(1, "Running", result=REAL), UNKNOWN),
        ("Succeeded", attempt(1, "Running", error=MASK), UNKNOWN),
        ("Succeeded", attempt(1, "Verified", result=REAL), UNKNOWN),
        ("Succeeded", attempt(1, None, result=REAL), UNKNOWN),
        ("Succeeded", attempt(1, True, result=REAL), UNKNOWN),
        # attempts under way
        ("Running", attempt(1, "NotStarted"), RUNNING),
        ("Running", attempt(1, "Running", result=None, error=None), RUNNING),
        # failed attempts: a code is shown if it is an identifier
        ("Failed", attempt(1, "Failed"), FAILED),
        ("Failed", attempt(1, "Canceled"), FAILED),
        ("Failed", attempt(1, "Failed", error={"code": "<script>"}), FAILED),
        ("Failed", attempt(1, "Failed", error={"code": 7}), FAILED),
        ("Failed", attempt(1, "Failed", error="TimedOut"), UNKNOWN),
    ],
)
def test_an_attempt(session_status: str, item: Any, found: Attempt) -> None:
    outcome = read(session(session_status, item))
    assert outcome.attempts == (found,)
    assert outcome.status is not OutcomeStatus.NOT_STARTED


def test_a_succeeded_session_without_a_succeeded_attempt_is_unknown() -> None:
    body = session("Succeeded", attempt(1, "Failed", error=MASK))
    assert read(body).status is OutcomeStatus.UNKNOWN


@pytest.mark.parametrize(
    ("on_attempt", "in_result", "found"),
    [
        (None, None, None),
        ({"isAbuseDetected": False}, None, False),
        ({"isAbuseDetected": True}, None, True),
        (None, {"isAbuseDetected": True}, True),
        ({"isAbuseDetected": False}, {"isAbuseDetected": True}, True),
        ({"isAbuseDetected": False}, {"isAbuseDetected": False}, False),
    ],
)
@pytest.mark.parametrize("status", ["Succeeded", "Verified"])
def test_abuse_counts_on_the_attempt_and_in_the_result(
    status: str, on_attempt: Any, in_result: Any, found: bool | None
) -> None:
    result = {**REAL, "abuseMonitoringResult": in_result}
    item = attempt(1, status, result=result, abuseMonitoringResult=on_attempt)
    assert read(session("Succeeded", item)).attempts[0].abuse_detected is found


@pytest.mark.parametrize("wrong", [{}, [], "no", {"isAbuseDetected": "false"}, {"isAbuse": False}])
def test_an_invalid_abuse_flag_makes_the_attempt_unknown(wrong: Any) -> None:
    item = attempt(1, "Succeeded", result=REAL, abuseMonitoringResult=wrong)
    assert read(session("Succeeded", item)).attempts == (UNKNOWN,)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sessionId": REMOTE_ID, "status": "Succeeded"},
        {"sessionId": REMOTE_ID, "status": "Succeeded", "results": {}},
        {"sessionId": REMOTE_ID, "status": "Succeeded", "results": {"attempts": None}},
        {"sessionId": REMOTE_ID, "status": "Succeeded", "results": {"attempts": {"0": {}}}},
        {"sessionId": REMOTE_ID, "results": {"attempts": []}},
        {"sessionId": "another", "status": "Running", "results": {"attempts": []}},
        session("Succeeded", None),
        session("Succeeded", []),
        session("Succeeded", {}),
        session("Succeeded", attempt("1", "Succeeded", result=REAL)),
        session("Succeeded", attempt(0, "Succeeded", result=REAL)),
        session("Succeeded", attempt(True, "Succeeded", result=REAL)),
        session("Succeeded", attempt(1.0, "Succeeded", result=REAL)),
        session("Succeeded", attempt(2**31, "Succeeded", result=REAL)),
        # two attempts with one number: no order
        session("Succeeded", attempt(1, "Failed"), attempt(1, "Succeeded", result=REAL)),
    ],
)
def test_a_response_that_cannot_be_understood_is_rejected(body: Any) -> None:
    with pytest.raises(FaceResponseError):
        read(body)


def test_the_session_id_is_compared_without_case() -> None:
    assert read(session("Running") | {"sessionId": REMOTE_ID.upper()}).attempts == ()
