"""What only v1.3-preview.1 has: users, addresses, a number of attempts, settings, a token."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.mockface.conftest import OPTIONS, Face

from mockface.images import portrait

if TYPE_CHECKING:
    from mockface.clock import Clock
    from mockface.service import Service


@pytest.fixture
def face(service: Service) -> Face:
    return Face(service, "v1.3-preview.1")


def patch(face: Face, body: object) -> Any:
    return face.send(
        "PATCH", "/settings", json.dumps(body).encode(), content_type="application/json"
    )


@pytest.mark.parametrize(("allowed", "made"), [(None, 1), (1, 1), (2, 2), (3, 3)])
def test_as_many_attempts_as_allowed(face: Face, allowed: int | None, made: int) -> None:
    created = face.create(
        numberOfClientAttemptsAllowed=allowed, deviceCorrelationId="mock-mask"
    ).json

    statuses = [face.attempt(created["authToken"]).status for _ in range(made + 1)]

    assert statuses == [400] * made + [403]
    result = face.result(created["sessionId"]).json
    assert result["status"] == "Failed"
    assert [a["attemptId"] for a in result["results"]["attempts"]] == list(range(made, 0, -1))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("numberOfClientAttemptsAllowed", 0),
        ("numberOfClientAttemptsAllowed", 4),
        ("numberOfClientAttemptsAllowed", 1.5),
        ("numberOfClientAttemptsAllowed", "1"),
        ("expectedClientIpAddress", "somewhere"),
        ("expectedClientIpAddress", "1.2.3.4/33"),
        ("expectedClientIpAddress", ""),
        ("expectedClientIpAddress", "1.2.3.4/255.255.255.0"),
        ("expectedClientIpAddress", "fe80::1%" + "x" * 500),
        ("expectedClientIpAddress", 16_909_060),
        ("userCorrelationId", ""),
        ("userCorrelationId", "x" * 65),
        ("userCorrelationIdSetInClient", "no"),
    ],
)
def test_a_wrong_field_is_named(face: Face, field: str, value: Any) -> None:
    answer = face.create(**{field: value})

    assert (answer.status, answer.code) == (400, "BadArgument")
    assert field in answer.json["error"]["message"]


def test_a_user_comes_from_one_side_only(face: Face) -> None:
    both: dict[str, Any] = {"userCorrelationId": "alice", "userCorrelationIdSetInClient": True}
    assert face.create(**both).code == "BadArgument"
    assert face.create(userCorrelationId="alice").status == 200

    created = face.create(userCorrelationIdSetInClient=True).json
    said = face.send(
        "POST",
        "/session/start",
        b'{"userCorrelationId": "alice"}',
        authorization=f"Bearer {created['authToken']}",
        content_type="application/json",
    )
    assert said.status == 200


@pytest.mark.parametrize("address", ["1.2.3.4", "10.0.0.0/8", "2001:db8::/32"])
@pytest.mark.parametrize("verify", [False, True])
def test_the_expected_address_comes_back_and_the_real_one_beside_it(
    face: Face, address: str, *, verify: bool
) -> None:
    # Given a session for a client of another place
    created = face.create(verify=verify, expectedClientIpAddress=address).json

    # When two clients make attempts, one of them behind a proxy
    face.attempt(created["authToken"], verify=verify)
    face.attempt(created["authToken"], verify=verify, x_forwarded_for="73.21.34.122, 10.0.0.1")
    face.attempt(created["authToken"], verify=verify, x_forwarded_for="unknown")

    # Then the session says what was expected, and what was seen
    result = face.result(created["sessionId"], verify=verify).json
    assert created["expectedClientIpAddress"] == result["expectedClientIpAddress"] == address
    seen = [attempt["clientInformation"] for attempt in result["results"]["attempts"]]
    assert seen == [[{"ip": "127.0.0.1"}], [{"ip": "73.21.34.122"}], [{"ip": "127.0.0.1"}]]


def test_settings_are_the_resource_s_own(face: Face, service: Service) -> None:
    other = Face(service, "v1.3-preview.1", key="another-key")

    off = patch(face, {"livenessAbuseMonitoring": {"enabled": False}})

    assert off.json == {"livenessAbuseMonitoring": {"enabled": False}}
    assert face.send("GET", "/settings").json == off.json
    assert other.send("GET", "/settings").json == {"livenessAbuseMonitoring": {"enabled": True}}
    face.send("POST", "/_mock/reset")
    assert face.send("GET", "/settings").json == {"livenessAbuseMonitoring": {"enabled": True}}


@pytest.mark.parametrize(
    "body", [{}, {"livenessAbuseMonitoring": None}, {"livenessAbuseMonitoring": {}}, {"more": 1}]
)
def test_what_an_update_does_not_name_stays(face: Face, body: object) -> None:
    patch(face, {"livenessAbuseMonitoring": {"enabled": False}})

    updated = patch(face, body)

    assert (updated.status, updated.json["livenessAbuseMonitoring"]) == (200, {"enabled": False})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"livenessAbuseMonitoring": True}, "livenessAbuseMonitoring"),
        ({"livenessAbuseMonitoring": {"enabled": "false"}}, "livenessAbuseMonitoring.enabled"),
        ({"livenessAbuseMonitoring": {"enabled": 0}}, "livenessAbuseMonitoring.enabled"),
    ],
)
def test_a_wrong_update_changes_nothing(face: Face, body: object, field: str) -> None:
    answer = patch(face, body)

    assert (answer.status, answer.code) == (400, "BadArgument")
    assert answer.json["error"]["message"].startswith(f"{field} must be ")
    assert face.send("GET", "/settings").json == {"livenessAbuseMonitoring": {"enabled": True}}


def test_a_session_keeps_the_monitoring_it_was_created_with(face: Face) -> None:
    watched = face.create().json
    patch(face, {"livenessAbuseMonitoring": {"enabled": False}})
    unwatched = face.create().json

    for created, is_on in ((watched, True), (unwatched, False)):
        face.attempt(created["authToken"])
        result = face.result(created["sessionId"]).json
        assert created["isAbuseMonitoringEnabled"] is result["isAbuseMonitoringEnabled"] is is_on
        assert ("abuseMonitoringResult" in result["results"]["attempts"][0]) is is_on


def test_a_failed_attempt_has_an_address_and_no_monitoring(face: Face) -> None:
    _, result = face.run(deviceCorrelationId="mock-mask")

    (attempt,) = result.json["results"]["attempts"]
    assert set(attempt) == {"attemptId", "attemptStatus", "error", "clientInformation"}


def test_the_token_for_the_element_s_files(face: Face, clock: Clock) -> None:
    first, second = (
        face.send("GET", "/settings/getClientAssetsAccessToken").json for _ in range(2)
    )

    assert set(first) == {"expiry", "accessToken", "base64AccessToken"}
    assert base64.b64decode(first["base64AccessToken"]).decode() == first["accessToken"]
    assert first["accessToken"] != second["accessToken"]
    assert first["expiry"].startswith("2026-01-02T12:00:00")


def test_a_flat_form_has_the_new_fields_too(face: Face) -> None:
    texts = {name: str(value).encode() for name, value in OPTIONS.items()} | {
        "numberOfClientAttemptsAllowed": b"2",
        "userCorrelationId": b"alice",
        "userCorrelationIdSetInClient": b"false",
        "expectedClientIpAddress": b"1.2.3.4",
    }

    created = face.post_form(face.paths[True], texts, {"verifyImage": portrait(1)}).json

    assert created["expectedClientIpAddress"] == "1.2.3.4"
    statuses = [face.attempt(created["authToken"], verify=True).status for _ in range(3)]
    assert statuses == [204, 204, 403]


@pytest.mark.parametrize("version", ["v1.1-preview.1", "v1.2-preview.1", "v1.2"])
def test_older_versions_have_none_of_it(service: Service, version: str) -> None:
    older = Face(service, version)

    for method, path in (
        ("GET", "/settings"),
        ("PATCH", "/settings"),
        ("GET", "/settings/getClientAssetsAccessToken"),
    ):
        answer = older.send(method, path)
        assert (answer.status, answer.code) == (404, "404")
    created = older.create(numberOfClientAttemptsAllowed=1, expectedClientIpAddress="nowhere").json
    assert "expectedClientIpAddress" not in created
    assert [older.attempt(created["authToken"]).status for _ in range(4)] == [204, 204, 204, 403]
