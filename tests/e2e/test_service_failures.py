"""The service fails: a clear problem, the state kept, and a later try succeeds."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from emulated import Emulated, emulate

if TYPE_CHECKING:
    from pathlib import Path

    from requests import Response

    from mockface import Mockface

FAULTS: dict[str, tuple[dict[str, Any], int, str]] = {
    "401": ({"status": 401}, 502, "face_auth_failed"),
    "403": ({"status": 403}, 502, "face_auth_failed"),
    "429": ({"status": 429, "retry_after": 26}, 503, "face_throttled"),
    "500": ({"status": 500}, 503, "face_unavailable"),
    "garbage": ({"body": "garbage"}, 502, "face_response_invalid"),
    "truncated": ({"body": "truncated"}, 502, "face_response_invalid"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_start_that_failed_goes_on_with_the_same_key(site: Emulated, fault: str) -> None:
    settings, status, code = FAULTS[fault]
    site.control.add_fault("*create*", **settings)
    key = {"Idempotency-Key": "one"}

    failed = site.call("POST", "/sessions", json={}, headers=key)
    kept = site.call("GET", "/sessions").json()["sessions"]
    again = site.call("POST", "/sessions", json={}, headers=key)

    assert_problem(failed, status, code)
    assert [view["state"] for view in kept] == ["requested"]
    assert (again.status_code, again.json()["sessionId"]) == (201, kept[0]["sessionId"])
    # Garbage has no id by which the session that the service made could be deleted.
    assert len(site.control.sessions()) == (2 if fault == "garbage" else 1)


@pytest.mark.parametrize("fault", FAULTS)
def test_finish_that_failed_succeeds_later(site: Emulated, fault: str) -> None:
    settings, status, code = FAULTS[fault]
    started = site.start()
    report = site.attempt(started["authToken"], "real")
    site.control.add_fault("*result*", **settings)

    failed = site.finish(started["sessionId"], report)
    view = site.read(started["sessionId"])

    assert_problem(failed, status, code)
    assert view["state"] == "passed"


def test_wait_that_the_service_names_is_passed_on(site: Emulated) -> None:
    site.control.add_fault("*create*", status=429, retry_after=26)

    response = site.call("POST", "/sessions", json={})

    assert response.headers["Retry-After"] == "26"


def test_service_that_is_not_there(mock: Mockface, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with emulate(mock, tmp_path, endpoint=f"http://127.0.0.1:{port}") as site:
        response = site.call("POST", "/sessions", json={})

        assert_problem(response, 503, "face_unavailable")
        views = site.call("GET", "/sessions").json()["sessions"]
        assert [view["state"] for view in views] == ["requested"]


def test_wrong_key_is_not_quoted(mock: Mockface, tmp_path: Path) -> None:
    with emulate(mock, tmp_path, key="wrong-key") as site:
        response = site.call("POST", "/sessions", json={})

    assert_problem(response, 502, "face_auth_failed")
    assert "wrong-key" not in response.text


def test_image_that_the_service_rejects_fails_the_session(site: Emulated) -> None:
    no_picture = b"\xff\xd8\xff\xda" + bytes(2000) + b"\xff\xd9"

    response = site.call(
        "POST",
        "/sessions",
        files={"purpose": (None, "enrol"), "referenceImage": ("me.jpg", no_picture)},
    )

    assert_problem(response, 422, "image_unusable")
    assert response.json()["field"] == "referenceImage"
    view = site.call("GET", "/sessions").json()["sessions"][0]
    assert (view["state"], view["reasons"]) == ("failed", ["InvalidImage"])


def assert_problem(response: Response, status: int, code: str) -> None:
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert response.json()["title"]
