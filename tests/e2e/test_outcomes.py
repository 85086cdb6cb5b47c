"""What users see in the end: each outcome, from the first request to the deletion."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from emulated import KEY, Emulated, emulate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mockface import Mockface


@pytest.fixture(params=["v1.2", "v1.2-preview.1"])
def site(request: pytest.FixtureRequest, mock: Mockface, tmp_path: Path) -> Iterator[Emulated]:
    with emulate(mock, tmp_path, request.param) as site:
        yield site


@pytest.mark.parametrize(
    ("scenario", "state", "reasons"),
    [
        ("real", "passed", []),
        ("spoof", "rejected", ["spoof_detected"]),
        ("uncertain", "inconclusive", ["liveness_uncertain"]),
        ("mask", "inconclusive", ["FaceWithMaskDetected"]),
    ],
)
def test_liveness_ends_as_the_attempt_was(
    site: Emulated, scenario: str, state: str, reasons: list[str]
) -> None:
    view = site.run_session(scenario)

    assert (view["state"], view["reasons"], view["kind"]) == (state, reasons, "liveness")
    assert site.control.sessions() == []


@pytest.mark.parametrize(
    ("scenario", "state", "reasons"),
    [
        ("real", "passed", []),
        ("wrong-person", "rejected", ["different_person"]),
        ("spoof", "rejected", ["spoof_detected"]),
        ("uncertain", "inconclusive", ["liveness_uncertain"]),
        ("mask", "inconclusive", ["FaceWithMaskDetected"]),
    ],
)
def test_verification_ends_as_the_attempt_was(
    site: Emulated, scenario: str, state: str, reasons: list[str]
) -> None:
    view = site.run_session(scenario, purpose="payout", transaction="payout 7")

    assert (view["state"], view["kind"]) == (state, "livenessWithVerify")
    assert view["reasons"][: len(reasons)] == reasons
    assert site.control.sessions() == []


def test_verdict_pays_once_for_any_number_of_concurrent_calls(site: Emulated) -> None:
    view = site.run_session(face="alice", purpose="payout", transaction="payout 7")

    with ThreadPoolExecutor(8) as threads:
        responses = list(threads.map(lambda _: site.pay(7, view["sessionId"]), range(16)))

    assert sorted(response.status_code for response in responses) == [200] + [409] * 15
    assert {r.json()["code"] for r in responses if r.status_code == 409} == {"verdict_used"}
    assert site.paid == [7]


def test_retry_after_a_spoof_pays(site: Emulated) -> None:
    first = site.start("payout", transaction="payout 7")
    site.finish(first["sessionId"], site.attempt(first["authToken"], "spoof"))

    second = site.call("POST", f"/sessions/{first['sessionId']}/retry", json={}).json()
    report = site.attempt(second["authToken"], face="alice")
    assert site.finish(second["sessionId"], report).json()["state"] == "passed"

    assert site.pay(7, second["sessionId"]).json() == {"paid": 7}


def test_mask_and_then_real_face_passes(site: Emulated) -> None:
    started = site.start()
    assert site.attempt(started["authToken"], "mask") == {"clientError": "FaceWithMaskDetected"}

    report = site.attempt(started["authToken"], "real")

    assert site.finish(started["sessionId"], report).json()["state"] == "passed"


def test_mask_on_the_only_attempt_is_inconclusive_without_a_report(site: Emulated) -> None:
    started = site.start()
    site.attempt(started["authToken"], "mask")

    view = site.finish(started["sessionId"]).json()

    assert (view["state"], view["reasons"]) == ("inconclusive", ["FaceWithMaskDetected"])


def test_digest_that_differs_is_rejected(site: Emulated) -> None:
    started = site.start()
    site.attempt(started["authToken"], "real")

    view = site.finish(started["sessionId"], {"digest": "AB" * 32}).json()

    assert (view["state"], view["reasons"]) == ("rejected", ["digest_differs"])


def test_digest_that_is_missing_is_inconclusive(site: Emulated) -> None:
    started = site.start()
    site.attempt(started["authToken"], "real")

    view = site.finish(started["sessionId"]).json()

    assert (view["state"], view["reasons"]) == ("inconclusive", ["digest_missing"])


def test_attempt_after_the_report_is_read_later(site: Emulated) -> None:
    started = site.start()
    early = site.finish(started["sessionId"])

    report = site.attempt(started["authToken"], "real")
    view = site.finish(started["sessionId"], report).json()

    assert (early.status_code, early.json()["state"]) == (202, "awaiting_result")
    assert view["state"] == "passed"


def test_late_result_is_read_by_a_later_get(site: Emulated) -> None:
    started = site.start()
    report = site.attempt(started["authToken"], "real+late")

    response = site.finish(started["sessionId"], report)
    views = [site.read(started["sessionId"]) for _ in range(2)]

    assert response.status_code == 202
    assert response.headers["Retry-After"] == "2"
    assert [view["state"] for view in views] == ["awaiting_result", "passed"]


def test_token_past_its_lifetime_ends_in_expired(site: Emulated) -> None:
    started = site.start()

    site.mock.clock.advance(601)
    report = site.attempt(started["authToken"], "real")

    assert report == {"clientError": "InvalidToken"}
    assert site.finish(started["sessionId"]).json()["state"] == "expired"
    assert site.control.sessions() == []


def test_session_that_the_service_has_forgotten_expires(site: Emulated) -> None:
    started = site.start()
    site.mock.clock.advance(timedelta(hours=49).total_seconds())

    assert site.finish(started["sessionId"]).json()["state"] == "expired"


def test_cancel_deletes_the_session_at_the_service(site: Emulated) -> None:
    started = site.start()

    response = site.call("DELETE", f"/sessions/{started['sessionId']}")

    assert response.status_code == 204
    assert site.control.sessions() == []


def test_sweep_deletes_what_could_not_be_deleted(site: Emulated) -> None:
    site.control.add_fault("*delete*", status=500)
    assert site.run_session("real")["state"] == "passed"
    assert len(site.control.sessions()) == 1

    site.mock.clock.advance(31)
    report = site.orchestrator.sweep()

    assert report.deleted == 1
    assert site.control.sessions() == []


def test_ids_of_the_service_and_ours_never_cross(site: Emulated) -> None:
    started = site.start()
    remote_id = site.control.sessions()[0]["sessionId"]
    session_id = started["sessionId"]
    responses = [site.call("GET", f"/sessions/{session_id}")]
    responses.append(site.finish(session_id, site.attempt(started["authToken"])))
    responses.append(site.call("GET", "/sessions"))

    sent = "".join(f"{response.headers} {response.text}" for response in responses)
    assert remote_id not in sent
    assert KEY not in sent
    assert session_id in sent
    assert session_id not in str(site.control.journal.entries(bodies=True))
