"""What people see in the end: each outcome, over HTTP, from the first request to the deletion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from emulated import KEY, Emulated, emulate

if TYPE_CHECKING:
    from pathlib import Path

    from mockface import Mockface


@pytest.mark.parametrize(
    ("outcome", "state", "reasons"),
    [
        ("real", "passed", []),
        ("spoof", "rejected", ["spoof_detected"]),
        ("uncertain", "inconclusive", ["liveness_uncertain"]),
        ("mask", "inconclusive", ["FaceWithMaskDetected"]),
    ],
)
def test_liveness(path: Emulated, outcome: str, state: str, reasons: list[str]) -> None:
    view = path.live(outcome)

    assert (view["state"], view["reasons"], view["kind"]) == (state, reasons, "liveness")
    assert path.hand.sessions() == []


@pytest.mark.parametrize(
    ("outcome", "state", "reasons"),
    [
        ("real", "passed", []),
        ("wrong-person", "rejected", ["different_person"]),
        ("spoof", "rejected", ["spoof_detected"]),
        ("uncertain", "inconclusive", ["liveness_uncertain"]),
        ("mask", "inconclusive", ["FaceWithMaskDetected"]),
    ],
)
def test_verification(path: Emulated, outcome: str, state: str, reasons: list[str]) -> None:
    view = path.live(outcome, image=path.hand.portrait("alice"))

    assert (view["state"], view["kind"]) == (state, "livenessWithVerify")
    assert view["reasons"][: len(reasons)] == reasons
    assert path.hand.sessions() == []


def test_a_mask_and_then_a_real_face_passes(path: Emulated) -> None:
    started = path.start()
    assert path.attempt(started["authToken"], "mask") == {"clientError": "FaceWithMaskDetected"}

    report = path.attempt(started["authToken"], "real")

    assert path.finish(started["sessionId"], report).json["state"] == "passed"


def test_a_mask_on_the_only_attempt_is_inconclusive_whatever_the_front_end_says(
    path: Emulated,
) -> None:
    started = path.start()
    path.attempt(started["authToken"], "mask")

    view = path.finish(started["sessionId"], {}).json

    assert (view["state"], view["reasons"]) == ("inconclusive", ["FaceWithMaskDetected"])


def test_a_digest_that_differs_never_passes(path: Emulated) -> None:
    started = path.start()
    path.attempt(started["authToken"], "real")

    view = path.finish(started["sessionId"], {"digest": "AB" * 32}).json

    assert (view["state"], view["reasons"]) == ("rejected", ["digest_differs"])


def test_no_attempt_is_waited_for_and_then_made(path: Emulated) -> None:
    started = path.start()
    waiting = path.finish(started["sessionId"])

    path.attempt(started["authToken"], "real")
    view = path.call("GET", f"/sessions/{started['sessionId']}").json

    assert (waiting.status_code, waiting.json["state"]) == (202, "awaiting_result")
    assert view["state"] == "passed"


def test_a_token_past_its_lifetime_ends_in_expired(
    mock: Mockface, tmp_path: Path, api_version: str
) -> None:
    # Given one clock for the service and the application
    def clock() -> datetime:
        return datetime.fromtimestamp(mock.clock.now(), UTC)

    path = emulate(mock, tmp_path, api_version, clock=clock)
    started = path.start()

    # When the lifetime is over before the attempt
    mock.clock.advance(601)
    report = path.attempt(started["authToken"], "real")

    # Then the service refuses the attempt, and the session expires
    assert report == {"clientError": "InvalidToken"}
    assert path.finish(started["sessionId"]).json["state"] == "expired"
    assert path.hand.sessions() == []
    path.orchestrator.close()


def test_a_session_of_which_the_service_forgot_everything_expires(
    mock: Mockface, path: Emulated
) -> None:
    started = path.start()
    mock.clock.advance(timedelta(hours=49).total_seconds())

    assert path.finish(started["sessionId"]).json["state"] == "expired"


def test_a_sweep_deletes_what_could_not_be_deleted(
    mock: Mockface, tmp_path: Path, api_version: str
) -> None:
    def clock() -> datetime:
        return datetime.fromtimestamp(mock.clock.now(), UTC)

    path = emulate(mock, tmp_path, api_version, clock=clock)
    path.hand.add_fault("*delete*", status=500)
    assert path.live("real")["state"] == "passed"
    assert len(path.hand.sessions()) == 1

    mock.clock.advance(31)
    report = path.orchestrator.sweep()

    assert report.deleted == 1
    assert path.hand.sessions() == []
    path.orchestrator.close()


def test_the_service_sees_our_ids_never_and_callers_never_see_its_ids(path: Emulated) -> None:
    started = path.start()
    remote = path.hand.sessions()[0]["sessionId"]
    seen = [path.call("GET", f"/sessions/{started['sessionId']}").data]
    seen.append(path.finish(started["sessionId"], path.attempt(started["authToken"])).data)
    seen.append(path.call("GET", "/sessions").data)

    assert all(remote.encode() not in body for body in seen)
    assert KEY.encode() not in b"".join(seen)
    assert started["sessionId"] not in str(path.hand.journal.entries(bodies=True))
