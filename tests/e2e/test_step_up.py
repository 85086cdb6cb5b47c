"""Attacks on a step-up: Alice is signed in, Mallory is in front of the camera, nothing is paid.

The application compares the face with Alice's enrolled portrait. Whatever the front end sends, it
must not change what is proved, nor for what a verdict is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mockface.images import portrait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import Response

    from emulated import Emulated

MALLORY = portrait("mallory")
PAYOUT = {"purpose": "payout", "transaction": "payout 7"}


@pytest.fixture
def site(site: Emulated) -> Iterator[Emulated]:
    """The site, and the check that counts: in no test is anything paid."""
    yield site
    assert site.paid == []


def start_with_image(site: Emulated, path: str = "/sessions", **fields: str) -> Response:
    """Send Mallory's portrait, as the front end sends a picture for a purpose that takes one."""
    files: dict[str, Any] = {name: (None, value) for name, value in fields.items()}
    files["referenceImage"] = ("me.jpg", MALLORY, "image/jpeg")
    return site.call("POST", path, files=files)


def finish_as_mallory(site: Emulated, started: Any, **attempt: Any) -> Any:
    report = site.attempt(started["authToken"], face="mallory", **attempt)
    return site.finish(started["sessionId"], report).json()


def assert_not_paid(site: Emulated, session_id: str, code: str) -> None:
    response = site.pay(7, session_id)
    assert (response.status_code, response.json()["code"]) == (403, code)


def test_mallorys_face_is_compared_with_alices_portrait(site: Emulated) -> None:
    started = site.start(**PAYOUT)

    view = finish_as_mallory(site, started)

    assert (view["state"], view["reasons"]) == ("rejected", ["different_person"])
    assert_not_paid(site, started["sessionId"], "verdict_not_passed")


@pytest.mark.parametrize("name", ["referenceImage", "verify", "kind", "reference_image", "subject"])
def test_start_takes_no_further_field_in_json(site: Emulated, name: str) -> None:
    response = site.call("POST", "/sessions", json={**PAYOUT, name: "x"})

    assert 400 <= response.status_code < 500
    assert site.control.sessions() == []


@pytest.mark.parametrize("purpose", ["payout", "sign-in", "default"])
def test_start_takes_no_image_of_mallory(site: Emulated, purpose: str) -> None:
    response = start_with_image(site, purpose=purpose, transaction="payout 7")

    assert response.status_code == 422
    assert response.json()["code"] == "reference_image_not_accepted"
    assert site.control.sessions() == []


def test_image_that_the_front_end_sends_to_the_service_does_not_count(site: Emulated) -> None:
    started = site.start(**PAYOUT)

    view = finish_as_mallory(site, started, verify_image=MALLORY)

    assert view["state"] != "passed"
    assert_not_paid(site, started["sessionId"], "verdict_not_passed")


@pytest.mark.parametrize("purpose", ["sign-in", "default"])
def test_verdict_of_a_liveness_purpose_pays_nothing(site: Emulated, purpose: str) -> None:
    started = site.start(purpose, transaction="payout 7")

    view = finish_as_mallory(site, started)

    assert view["state"] == "passed"
    assert_not_paid(site, started["sessionId"], "purpose_mismatch")


def test_verdict_of_a_purpose_that_takes_mallorys_picture_pays_nothing(site: Emulated) -> None:
    started = start_with_image(site, purpose="enrol", transaction="payout 7").json()

    view = finish_as_mallory(site, started)

    assert view["state"] == "passed"
    assert_not_paid(site, started["sessionId"], "purpose_mismatch")


def test_alices_verdict_for_another_purpose_pays_nothing(site: Emulated) -> None:
    view = site.run_session(face="alice", purpose="unlock", transaction="payout 7")

    assert (view["state"], view["kind"]) == ("passed", "livenessWithVerify")
    assert_not_paid(site, view["sessionId"], "purpose_mismatch")


@pytest.mark.parametrize("name", ["payout ", "PAYOUT", "payout\u200b", "pay-out", "payout/"])
def test_name_that_only_looks_like_the_purpose_is_unknown(site: Emulated, name: str) -> None:
    response = site.call("POST", "/sessions", json={**PAYOUT, "purpose": name})

    assert (response.status_code, response.json()["code"]) == (422, "unknown_purpose")


def test_purpose_named_twice_is_rejected(site: Emulated) -> None:
    twice = '{"purpose": "payout", "transaction": "payout 7", "purpose": "sign-in"}'

    response = site.call(
        "POST", "/sessions", data=twice, headers={"Content-Type": "application/json"}
    )

    assert response.status_code == 400


def test_start_without_transaction_is_rejected(site: Emulated) -> None:
    response = site.call("POST", "/sessions", json={"purpose": "payout"})

    assert (response.status_code, response.json()["code"]) == (422, "transaction_required")


@pytest.mark.parametrize("transaction", ["payout 8", "PAYOUT 7", "payout 7 ", "payout 70"])
def test_alices_verdict_pays_nothing_else(site: Emulated, transaction: str) -> None:
    view = site.run_session(face="alice", purpose="payout", transaction=transaction)

    assert view["state"] == "passed"
    assert_not_paid(site, view["sessionId"], "purpose_mismatch")


@pytest.mark.parametrize("purpose", ["payout", "sign-in"])
def test_retry_takes_no_image_of_mallory(site: Emulated, purpose: str) -> None:
    first = site.start(purpose, transaction="payout 7")
    site.finish(first["sessionId"], site.attempt(first["authToken"], "spoof"))

    response = start_with_image(site, f"/sessions/{first['sessionId']}/retry")

    assert response.status_code == 422
    assert response.json()["code"] == "reference_image_not_accepted"
    assert_not_paid(
        site,
        first["sessionId"],
        "verdict_not_passed" if purpose == "payout" else "purpose_mismatch",
    )


def test_retry_compares_with_alices_portrait_again(site: Emulated) -> None:
    first = site.start(**PAYOUT)
    finish_as_mallory(site, first)

    second = site.call("POST", f"/sessions/{first['sessionId']}/retry", json={}).json()

    assert finish_as_mallory(site, second)["reasons"] == ["different_person"]
    assert_not_paid(site, second["sessionId"], "verdict_not_passed")


@pytest.mark.parametrize(
    "body", [{"purpose": "sign-in"}, {"transaction": "payout 8"}, {"purpose": "payout"}]
)
def test_retry_changes_neither_purpose_nor_transaction(
    site: Emulated, body: dict[str, str]
) -> None:
    first = site.start("sign-in", transaction="payout 7")
    site.finish(first["sessionId"], site.attempt(first["authToken"], "spoof"))
    path = f"/sessions/{first['sessionId']}/retry"

    rejected = site.call("POST", path, json=body)
    second = site.call("POST", path, json={}).json()

    assert 400 <= rejected.status_code < 500
    assert finish_as_mallory(site, second)["state"] == "passed"
    assert_not_paid(site, second["sessionId"], "purpose_mismatch")


def test_idempotency_key_does_not_turn_one_purpose_into_another(site: Emulated) -> None:
    key = {"Idempotency-Key": "one"}
    site.call("POST", "/sessions", json={"purpose": "sign-in"}, headers=key)

    response = site.call("POST", "/sessions", json=PAYOUT, headers=key)

    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("report", [{}, {"digest": "AB" * 32}, {"clientError": "TimedOut"}])
def test_digest_that_is_missing_or_wrong_pays_nothing(
    site: Emulated, report: dict[str, str]
) -> None:
    started = site.start(**PAYOUT)
    site.attempt(started["authToken"], face="alice")

    view = site.finish(started["sessionId"], report).json()

    assert view["state"] in {"inconclusive", "rejected"}
    assert_not_paid(site, started["sessionId"], "verdict_not_passed")


def test_session_that_is_not_finished_pays_nothing(site: Emulated) -> None:
    started = site.start(**PAYOUT)
    site.attempt(started["authToken"], face="alice")

    assert_not_paid(site, started["sessionId"], "verdict_not_passed")


def test_mallorys_own_session_pays_nothing_for_alice(site: Emulated) -> None:
    view = site.run_session(face="mallory", user="mallory", **PAYOUT)

    assert view["state"] == "passed"
    assert site.pay(7, view["sessionId"], user="alice").status_code == 404


def test_mallory_finishes_no_session_of_alice(site: Emulated) -> None:
    started = site.start(**PAYOUT)
    report = site.attempt(started["authToken"], face="alice")

    response = site.finish(started["sessionId"], report, user="mallory")

    assert response.status_code == 404
    assert_not_paid(site, started["sessionId"], "verdict_not_passed")


def test_old_verdict_pays_nothing(site: Emulated) -> None:
    view = site.run_session(face="alice", **PAYOUT)

    site.mock.clock.advance(10 * 60)

    assert_not_paid(site, view["sessionId"], "verdict_expired")
