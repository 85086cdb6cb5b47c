"""Whatever a body says, only one that is sound in everything that matters lets anybody pass."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livegate.errors import FaceAnswerError
from livegate.face.dialects import KNOWN_VERSIONS, dialect_of
from livegate.session import AttemptStatus, Outcome

REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"
GONE = object()

Path = tuple[str | int, ...]


def read(version: str, body: Any) -> Outcome:
    return dialect_of(version).outcome(body, REMOTE_ID)


def passes(version: str, body: Any) -> bool:
    """Whether a careless judge of *body* would let somebody in."""
    try:
        outcome = read(version, body)
    except FaceAnswerError:
        return False
    return any(
        attempt.status is AttemptStatus.SUCCEEDED
        and (attempt.decision or "").lower() == "realface"
        and attempt.is_identical is True
        and not attempt.abuse_detected
        for attempt in outcome.attempts
    )


def changed(body: Any, path: Path, value: Any) -> Any:
    """A copy of *body* with another *value* at *path*, or with nothing there."""
    body = copy.deepcopy(body)
    place = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    if value is GONE:
        del place[path[-1]]
    return body


def is_same_id(value: Any) -> bool:
    return isinstance(value, str) and value.lower() == REMOTE_ID


def is_word(*words: str) -> Any:
    return lambda value: isinstance(value, str) and value.lower() in words


def is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def is_confidence(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def is_nothing(value: Any) -> bool:
    return value is None or value is GONE


def never(value: Any) -> bool:
    return False


ATTEMPT: Path = ("results", "attempts", 0)
RESULT: Path = (*ATTEMPT, "result")
ENTRY: Path = ("result",)
BODY: Path = ("result", "response", "body")

MATTERS: dict[str, dict[Path, Any]] = {
    "v1.2": {
        ("sessionId",): is_same_id,
        ("status",): is_word("succeeded", "running", "notstarted"),
        ("results",): never,
        ("results", "attempts"): never,
        ATTEMPT: never,
        (*ATTEMPT, "attemptId"): is_number,
        (*ATTEMPT, "attemptStatus"): is_word("succeeded"),
        (*ATTEMPT, "error"): is_nothing,
        (*ATTEMPT, "abuseMonitoringResult"): is_nothing,
        RESULT: never,
        (*RESULT, "abuseMonitoringResult"): is_nothing,
        (*RESULT, "livenessDecision"): is_word("realface"),
        (*RESULT, "digest"): is_text,
        (*RESULT, "verifyImageHash"): lambda value: is_nothing(value) or is_text(value),
        (*RESULT, "verifyResult"): never,
        (*RESULT, "verifyResult", "isIdentical"): lambda value: value is True,
        (*RESULT, "verifyResult", "matchConfidence"): is_confidence,
    },
    "v1.2-preview.1": {
        ("id",): is_same_id,
        ("sessionExpired",): lambda value: isinstance(value, bool),
        ("status",): is_word("resultavailable"),
        ENTRY: never,
        (*ENTRY, "id"): is_number,
        (*ENTRY, "sessionId"): is_same_id,
        (*ENTRY, "digest"): is_text,
        (*ENTRY, "verifyImageHash"): lambda value: is_nothing(value) or is_text(value),
        (*ENTRY, "response"): never,
        (*ENTRY, "response", "statusCode"): lambda value: is_number(value) and value == 200,
        BODY: never,
        (*BODY, "error"): is_nothing,
        (*BODY, "livenessDecision"): is_word("realface"),
        (*BODY, "verifyResult"): never,
        (*BODY, "verifyResult", "isIdentical"): lambda value: value is True,
        (*BODY, "verifyResult", "matchConfidence"): is_confidence,
    },
}
"""For each place in a good body: the values that leave it good."""

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["realface", "RealFace", "Succeeded", "ResultAvailable", "true", REMOTE_ID])
    | st.sampled_from([0, 1, 200, 1.0, 2**63])
)
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=4,
)


@pytest.mark.parametrize("version", KNOWN_VERSIONS)
def test_a_good_body_passes(version: str, good_results: dict[str, Any]) -> None:
    assert passes(version, good_results[version])


@settings(max_examples=250, deadline=None)
@given(data=st.data(), version=st.sampled_from(KNOWN_VERSIONS))
def test_one_wrong_thing_is_enough(
    data: st.DataObject, version: str, good_results: dict[str, Any]
) -> None:
    # given a good body in which one thing that matters is anything else, or is missing
    path = data.draw(st.sampled_from(sorted(MATTERS[version], key=str)))
    value = data.draw(ANYTHING | st.just(GONE))
    body = changed(good_results[version], path, value)
    # when it is read, then nobody passes by it
    assert not passes(version, body) or MATTERS[version][path](value)


@pytest.mark.parametrize("version", KNOWN_VERSIONS)
@pytest.mark.parametrize("value", [GONE, None, 0, "", [], {}, "true", 1, False, [True], "x" * 999])
def test_each_wrong_thing_is_enough(version: str, value: Any, good_results: dict[str, Any]) -> None:
    for path, leaves_it_good in MATTERS[version].items():
        body = changed(good_results[version], path, value)
        assert not passes(version, body) or leaves_it_good(value), path


FIELDS = st.sampled_from(
    [
        "sessionId",
        "id",
        "status",
        "sessionExpired",
        "results",
        "result",
        "attempts",
        "attemptId",
        "attemptStatus",
        "response",
        "body",
        "statusCode",
        "digest",
        "livenessDecision",
        "verifyResult",
        "isIdentical",
        "matchConfidence",
        "error",
        "code",
        "abuseMonitoringResult",
        "isAbuseDetected",
    ]
)
LIKE_A_BODY = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(FIELDS, inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(
    version=st.sampled_from(KNOWN_VERSIONS),
    body=st.dictionaries(FIELDS, LIKE_A_BODY),
    about=st.sampled_from([{}, {"sessionId": REMOTE_ID, "id": REMOTE_ID}]),
)
def test_no_body_breaks_the_reader(version: str, body: Any, about: Any) -> None:
    # given any JSON, when it is read, then it is refused in one way
    try:
        outcome = read(version, body | about)
    except FaceAnswerError:
        return
    # or gives attempts in order, with results only where they succeeded
    numbers = [attempt.number for attempt in outcome.attempts]
    assert numbers == sorted(set(numbers))
    for attempt in outcome.attempts:
        said = (attempt.decision, attempt.digest, attempt.is_identical, attempt.match_confidence)
        assert attempt.status is AttemptStatus.SUCCEEDED or said == (None,) * 4
        assert attempt.status is AttemptStatus.FAILED or attempt.error_code is None
