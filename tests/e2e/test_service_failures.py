"""The service fails: a clear problem, the state kept, and a later try succeeds."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from emulated import Emulated, emulate

if TYPE_CHECKING:
    from pathlib import Path

    from mockface import Mockface

FAULTS: dict[str, tuple[dict[str, Any], int, str]] = {
    "401": ({"status": 401}, 502, "face_access_denied"),
    "403": ({"status": 403}, 502, "face_access_denied"),
    "429": ({"status": 429, "retry_after": 26}, 503, "face_throttled"),
    "500": ({"status": 500}, 503, "face_unavailable"),
    "garbage": ({"body": "garbage"}, 502, "face_answer_invalid"),
    "truncated": ({"body": "truncated"}, 502, "face_answer_invalid"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_start_that_fails_carries_on_with_the_same_key(path: Emulated, fault: str) -> None:
    what, status, code = FAULTS[fault]
    path.hand.add_fault("*create*", **what)
    key = {"Idempotency-Key": "one"}

    answer = path.call("POST", "/sessions", json={}, headers=key)
    kept = path.call("GET", "/sessions").json["sessions"]
    again = path.call("POST", "/sessions", json={}, headers=key)

    assert_problem(answer, status, code)
    assert [view["state"] for view in kept] == ["requested"]
    assert (again.status_code, again.json["sessionId"]) == (201, kept[0]["sessionId"])


@pytest.mark.parametrize("fault", FAULTS)
def test_a_finish_that_fails_succeeds_later(path: Emulated, fault: str) -> None:
    what, status, code = FAULTS[fault]
    started = path.start()
    report = path.attempt(started["authToken"], "real")
    path.hand.add_fault("*result*", **what)

    answer = path.finish(started["sessionId"], report)
    again = path.finish(started["sessionId"])

    assert_problem(answer, status, code)
    assert again.json["state"] == "passed"


def test_a_wait_that_the_service_asks_for_is_passed_on(path: Emulated) -> None:
    path.hand.add_fault("*create*", status=429, retry_after=26)

    answer = path.call("POST", "/sessions", json={})

    assert answer.headers["Retry-After"] == "26"


def test_a_service_that_is_not_there(mock: Mockface, tmp_path: Path, api_version: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    path = emulate(mock, tmp_path, api_version, endpoint=f"http://127.0.0.1:{port}")

    answer = path.call("POST", "/sessions", json={})

    assert_problem(answer, 503, "face_unavailable")
    assert [view["state"] for view in path.call("GET", "/sessions").json["sessions"]] == [
        "requested"
    ]
    path.orchestrator.close()


def test_a_wrong_key(mock: Mockface, tmp_path: Path, api_version: str) -> None:
    path = emulate(mock, tmp_path, api_version, key="wrong-key")

    answer = path.call("POST", "/sessions", json={})

    assert_problem(answer, 502, "face_access_denied")
    assert b"wrong-key" not in answer.data
    path.orchestrator.close()


def test_an_image_that_the_service_refuses_fails_the_session(path: Emulated) -> None:
    from forms import form

    no_picture = b"\xff\xd8\xff\xda" + bytes(2000) + b"\xff\xd9"

    answer = path.call("POST", "/sessions", **form(("referenceImage", no_picture)))

    assert_problem(answer, 422, "image_unusable")
    assert answer.json["field"] == "referenceImage"
    view = path.call("GET", "/sessions").json["sessions"][0]
    assert (view["state"], view["reasons"]) == ("failed", ["InvalidImage"])


def assert_problem(answer: Any, status: int, code: str) -> None:
    assert answer.content_type == "application/problem+json"
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json
    assert answer.json["title"]
