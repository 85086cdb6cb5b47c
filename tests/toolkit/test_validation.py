"""Validation: a wrong type is the application's mistake, a wrong value may be the front end's."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from livegate.errors import InvalidRequestError, SubjectRequiredError
from livegate.models import ReferenceImage, SessionState, StartRequest
from livegate.validation import (
    check_idempotency_key,
    check_image,
    check_limit,
    check_report,
    check_request,
    check_reviewer,
    check_states,
    check_subject,
    fingerprint,
)

ALICE = StartRequest("alice")
FULL = StartRequest(
    "alice",
    "payout",
    transaction="payout 7",
    reference_image=ReferenceImage(b"picture"),
    correlation_id="device",
    idempotency_key="key",
)
FOUR_BYTES = "\U0001f600"


@pytest.mark.parametrize(
    "request_",
    [
        ALICE,
        FULL,
        replace(ALICE, subject=FOUR_BYTES * 255),
        replace(ALICE, transaction=FOUR_BYTES * 128),
        replace(ALICE, idempotency_key=FOUR_BYTES * 255),
        replace(ALICE, correlation_id="x" * 64),
        replace(ALICE, reference_image=ReferenceImage(b"")),
    ],
    ids=lambda _: "",
)
def test_a_request_within_the_limits_is_valid(request_: StartRequest) -> None:
    check_request(request_)


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("transaction", "", "transaction"),
        ("transaction", "x" * 129, "transaction"),
        ("transaction", "a\0b", "transaction"),
        ("transaction", "\ud800", "transaction"),
        ("idempotency_key", "", "Idempotency-Key"),
        ("idempotency_key", "x" * 256, "Idempotency-Key"),
        ("idempotency_key", "\0", "Idempotency-Key"),
        ("idempotency_key", "\udfff", "Idempotency-Key"),
        ("idempotency_key", "livegate-retry:", "Idempotency-Key"),
        ("idempotency_key", "livegate-retry:s1", "Idempotency-Key"),
    ],
)
def test_a_value_that_a_front_end_can_send_is_an_invalid_request(
    name: str, value: str, field: str
) -> None:
    changes: dict[str, Any] = {name: value}

    with pytest.raises(InvalidRequestError) as raised:
        check_request(replace(ALICE, **changes))

    assert (raised.value.field, raised.value.status) == (field, 400)
    assert str(raised.value).startswith(field)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("subject", "x" * 256, ValueError),
        ("subject", "a\0", ValueError),
        ("subject", "\ud800", ValueError),
        ("correlation_id", "", ValueError),
        ("correlation_id", "x" * 65, ValueError),
        ("correlation_id", 5, TypeError),
        ("purpose", None, TypeError),
        ("purpose", 5, TypeError),
        ("transaction", 7, TypeError),
        ("idempotency_key", b"key", TypeError),
        ("reference_image", b"picture", TypeError),
        ("reference_image", ReferenceImage("text"), TypeError),  # type: ignore[arg-type]
        ("context", None, TypeError),
    ],
)
def test_a_mistake_of_the_application_is_a_type_or_value_error(
    name: str, value: Any, error: type[Exception]
) -> None:
    with pytest.raises(error, match=f"(?i){name.replace('_', '.')}"):
        check_request(replace(ALICE, **{name: value}))


def test_what_is_valid_is_returned() -> None:
    image = ReferenceImage(b"picture")

    assert check_idempotency_key("key") == "key"
    assert check_image(image) is image


def test_what_is_not_a_request_is_a_type_error() -> None:
    not_a_request: Any = {"subject": "alice"}

    with pytest.raises(TypeError, match="request has to be a StartRequest, not dict"):
        check_request(not_a_request)


@pytest.mark.parametrize("subject", [None, ""])
def test_no_subject_means_that_nobody_is_signed_in(subject: Any) -> None:
    with pytest.raises(SubjectRequiredError):
        check_subject(subject)


@pytest.mark.parametrize("subject", [7, 0, False, b"alice", object()])
def test_a_subject_is_a_str_and_nothing_else(subject: Any) -> None:
    with pytest.raises(TypeError, match=r"return str\(user.id\)"):
        check_subject(subject)
    assert check_subject("7") == "7"


def test_an_error_quotes_no_value() -> None:
    secret: Any = {"password": "hunter2"}

    for check in (check_subject, check_reviewer, check_idempotency_key, check_limit, check_states):
        with pytest.raises((TypeError, ValueError)) as raised:
            check(secret)
        assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("reviewer", "error"), [(None, TypeError), ("", ValueError), ("x" * 256, ValueError)]
)
def test_a_reviewer_is_a_str_that_a_store_can_keep(reviewer: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="reviewer"):
        check_reviewer(reviewer)
    assert check_reviewer("bob") == "bob"


@pytest.mark.parametrize("text", ["", "x" * 256, "\0", "\ud800"])
def test_a_report_is_a_text_that_a_store_can_keep(text: str) -> None:
    with pytest.raises(InvalidRequestError) as digest:
        check_report(text, None)
    with pytest.raises(InvalidRequestError) as error:
        check_report(None, text)

    assert (digest.value.field, error.value.field) == ("digest", "clientError")
    check_report(None, None)
    check_report("x" * 255, "y" * 255)


@pytest.mark.parametrize(
    ("limit", "error"),
    [(0, ValueError), (101, ValueError), (True, TypeError), ("5", TypeError), (5.0, TypeError)],
)
def test_a_limit_is_an_int_in_range(limit: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="limit has to be an int"):
        check_limit(limit)
    assert [check_limit(1), check_limit(100), check_limit(7, 7)] == [1, 100, 7]


@pytest.mark.parametrize(
    ("states", "error"),
    [("passed", TypeError), (None, TypeError), (["unheard"], ValueError), ([5], ValueError)],
)
def test_states_are_several_states(states: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="states"):
        check_states(states)


def test_states_may_be_given_as_str() -> None:
    found = check_states(iter(["passed", SessionState.FAILED]))

    assert found == {SessionState.PASSED, SessionState.FAILED}
    assert all(type(state) is SessionState for state in found)
    assert check_states(()) == frozenset()


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "login"},
        {"transaction": "payout 8"},
        {"transaction": None},
        {"correlation_id": "other"},
        {"correlation_id": None},
        {"reference_image": ReferenceImage(b"other")},
        {"reference_image": None},
        {"transaction": "device", "correlation_id": "payout 7"},
    ],
)
def test_the_fingerprint_tells_requests_apart(changes: dict[str, Any]) -> None:
    assert fingerprint(replace(FULL, **changes)) != fingerprint(FULL)


def test_the_fingerprint_is_the_same_for_the_same_request() -> None:
    same = replace(FULL, subject="bob", idempotency_key="other")

    assert fingerprint(same) == fingerprint(FULL)
    # Written down, since stored records hold it.
    image = hashlib.sha256(b"picture").hexdigest().upper()
    text = f"payout\0payout 7\0device\0{image}"
    assert fingerprint(FULL) == hashlib.sha256(text.encode()).hexdigest()
