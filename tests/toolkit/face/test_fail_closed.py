"""Only a body that is valid in every field that matters can lead to a passed verdict."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livegate.errors import FaceResponseError
from livegate.face.versions import API_VERSIONS, get_version
from livegate.models import AttemptStatus, Outcome

REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"
MISSING = object()

Path = tuple[str | int, ...]


def read(version: str, body: Any) -> Outcome:
    return get_version(version).parse_outcome(body, REMOTE_ID)


def passes(version: str, body: Any) -> bool:
    """Whether a lenient policy would let *body* pass."""
    try:
        outcome = read(version, body)
    except FaceResponseError:
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
    if value is MISSING:
        del place[path[-1]]
    return body


def is_same_id(value: Any) -> bool:
    return isinstance(value, str) and value.lower() == REMOTE_ID


def is_one_of(*words: str) -> Any:
    return lambda value: isinstance(value, str) and value.lower() in words


def is_nonempty(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def is_positive_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def is_confidence(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def is_absent(value: Any) -> bool:
    return value is None or value is MISSING


def never(value: Any) -> bool:
    return False


ATTEMPT: Path = ("results", "attempts", 0)
RESULT: Path = (*ATTEMPT, "result")
ENTRY: Path = ("result",)
BODY: Path = ("result", "response", "body")

MATTERS: dict[str, dict[Path, Any]] = {
    "v1.2": {
        ("sessionId",): is_same_id,
        ("status",): is_one_of("succeeded", "running", "notstarted"),
        ("results",): never,
        ("results", "attempts"): never,
        ATTEMPT: never,
        (*ATTEMPT, "attemptId"): is_positive_int,
        (*ATTEMPT, "attemptStatus"): is_one_of("succeeded"),
        (*ATTEMPT, "error"): is_absent,
        (*ATTEMPT, "abuseMonitoringResult"): is_absent,
        RESULT: never,
        (*RESULT, "abuseMonitoringResult"): is_absent,
        (*RESULT, "livenessDecision"): is_one_of("realface"),
        (*RESULT, "digest"): is_nonempty,
        (*RESULT, "verifyImageHash"): lambda value: is_absent(value) or is_nonempty(value),
        (*RESULT, "verifyResult"): never,
        (*RESULT, "verifyResult", "isIdentical"): lambda value: value is True,
        (*RESULT, "verifyResult", "matchConfidence"): is_confidence,
    },
    "v1.2-preview.1": {
        ("id",): is_same_id,
        ("sessionExpired",): lambda value: isinstance(value, bool),
        ("status",): is_one_of("resultavailable"),
        ENTRY: never,
        (*ENTRY, "id"): is_positive_int,
        (*ENTRY, "sessionId"): is_same_id,
        (*ENTRY, "digest"): is_nonempty,
        (*ENTRY, "verifyImageHash"): lambda value: is_absent(value) or is_nonempty(value),
        (*ENTRY, "response"): never,
        (*ENTRY, "response", "statusCode"): lambda value: is_positive_int(value) and value == 200,
        BODY: never,
        (*BODY, "error"): is_absent,
        (*BODY, "livenessDecision"): is_one_of("realface"),
        (*BODY, "verifyResult"): never,
        (*BODY, "verifyResult", "isIdentical"): lambda value: value is True,
        (*BODY, "verifyResult", "matchConfidence"): is_confidence,
    },
}
"""For each field of a good body: the values with which it stays good."""

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


@pytest.mark.parametrize("version", API_VERSIONS)
def test_a_good_body_passes(version: str, good_results: dict[str, Any]) -> None:
    assert passes(version, good_results[version])


@settings(max_examples=250, deadline=None)
@given(data=st.data(), version=st.sampled_from(API_VERSIONS))
def test_one_invalid_field_is_enough_not_to_pass(
    data: st.DataObject, version: str, good_results: dict[str, Any]
) -> None:
    # given a good body in which one field that matters has any other value, or is missing
    path = data.draw(st.sampled_from(sorted(MATTERS[version], key=str)))
    value = data.draw(ANYTHING | st.just(MISSING))
    body = changed(good_results[version], path, value)
    # when it is parsed, then it does not pass
    assert not passes(version, body) or MATTERS[version][path](value)


@pytest.mark.parametrize("version", API_VERSIONS)
@pytest.mark.parametrize(
    "value", [MISSING, None, 0, "", [], {}, "true", 1, False, [True], "x" * 999]
)
def test_each_invalid_field_is_enough_not_to_pass(
    version: str, value: Any, good_results: dict[str, Any]
) -> None:
    for path, stays_good in MATTERS[version].items():
        body = changed(good_results[version], path, value)
        assert not passes(version, body) or stays_good(value), path


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
    version=st.sampled_from(API_VERSIONS),
    body=st.dictionaries(FIELDS, LIKE_A_BODY),
    about=st.sampled_from([{}, {"sessionId": REMOTE_ID, "id": REMOTE_ID}]),
)
def test_any_json_is_parsed_or_rejected(version: str, body: Any, about: Any) -> None:
    # given any JSON, when it is parsed, then it is rejected with one error
    try:
        outcome = read(version, body | about)
    except FaceResponseError:
        return
    # or gives attempts in order, with results only where they succeeded
    numbers = [attempt.number for attempt in outcome.attempts]
    assert numbers == sorted(set(numbers))
    for attempt in outcome.attempts:
        values = (attempt.decision, attempt.digest, attempt.is_identical, attempt.match_confidence)
        assert attempt.status is AttemptStatus.SUCCEEDED or values == (None,) * 4
        assert attempt.status is AttemptStatus.FAILED or attempt.error_code is None
