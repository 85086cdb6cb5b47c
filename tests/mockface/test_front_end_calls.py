"""What the front end's SDK calls with a session's token, in every version."""

from __future__ import annotations

from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.mockface.conftest import Answer, Face

    from mockface.clock import Clock
    from mockface.service import Service

START, END = "/session/start", "/session/attempt/end"


def call(face: Face, path: str, token: str, body: bytes = b"", **headers: str) -> Answer:
    return face.send("POST", path, body, authorization=f"Bearer {token}", **headers)


def started(face: Face, token: str, ids: str) -> Answer:
    return call(face, START, token, ids.encode(), content_type="application/json")


def test_a_start_moves_the_session(face: Face, clock: Clock) -> None:
    created = face.create().json
    clock.advance(5)

    answers = [call(face, START, created["authToken"])]
    clock.advance(5)
    answers.append(call(face, START, created["authToken"], b"anything", content_type="x/y"))

    assert [(answer.status, answer.json) for answer in answers] == [(200, {})] * 2
    result = face.result(created["sessionId"]).json
    assert result["status"] == ("Started" if face.preview else "Running")
    assert face.outcome(result) is None
    if face.preview:
        assert result["sessionStartDateTime"].startswith("2026-01-01T12:00:05")


def test_an_attempt_needs_no_start_and_an_end_changes_nothing(face: Face) -> None:
    created = face.create().json
    assert face.attempt(created["authToken"]).status == 204
    before = face.result(created["sessionId"]).json

    ended = call(face, END, created["authToken"])

    assert (ended.status, ended.json) == (200, {})
    assert face.result(created["sessionId"]).json == before


def test_the_calls_carry_a_request_id_and_may_come_from_any_page(face: Face) -> None:
    created = face.create().json
    for path in (START, END):
        answer = call(face, path, created["authToken"])
        assert answer.headers["apim-request-id"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert face.send("OPTIONS", path).status == 204


@pytest.mark.parametrize("path", [START, END])
def test_no_good_token_no_call(face: Face, path: str, clock: Clock) -> None:
    token = face.create(authTokenTimeToLiveInSeconds=60).json["authToken"]
    assert call(face, path, "nonsense").code == "401"
    assert face.send("POST", path).code == "401"

    clock.advance(60)

    expired = call(face, path, token)
    assert (expired.status, expired.code) == (401, "401")


@pytest.mark.parametrize("path", [START, END])
def test_a_deleted_session_takes_no_call(face: Face, path: str) -> None:
    created = face.create().json
    face.delete(created["sessionId"])

    answer = call(face, path, created["authToken"])

    assert (answer.status, answer.code) == (403, "UnsupportedFeature")


def test_no_start_without_an_attempt_left_but_an_end(face: Face) -> None:
    token = face.create(deviceCorrelationId="mock-mask").json["authToken"]
    for _ in range(3):
        assert call(face, START, token).status == 200
        assert face.attempt(token).status == 400
        assert call(face, END, token).status == 200

    assert call(face, START, token).code == "UnsupportedFeature"
    assert call(face, END, token).status == 200


def test_the_client_names_the_device_that_was_left_to_it(face: Face) -> None:
    created = face.create(deviceCorrelationId=None, deviceCorrelationIdSetInClient=True).json

    said = started(face, created["authToken"], '{"deviceCorrelationId": "mock-spoof:phone"}')
    face.attempt(created["authToken"])

    assert said.status == 200
    result = face.result(created["sessionId"]).json
    assert face.outcome(result) == "spoofface"
    if face.preview:
        assert result["deviceCorrelationId"] == "mock-spoof:phone"


@pytest.mark.parametrize("ids", ["", "{}", '{"deviceCorrelationId": null}'])
def test_a_device_that_was_left_to_the_client_has_to_be_named(face: Face, ids: str) -> None:
    # Given a session that leaves the device to the client
    created = face.create(deviceCorrelationId=None, deviceCorrelationIdSetInClient=True).json
    token = created["authToken"]

    # When the client names none, then it neither starts nor makes an attempt
    for refused in (started(face, token, ids), face.attempt(token)):
        assert (refused.status, refused.code) == (400, "InvalidDeviceCorrelationId")
        assert "deviceCorrelationId is missing" in refused.json["error"]["message"]
    assert face.result(created["sessionId"]).json["status"] == "NotStarted"

    # And when it does, it goes on
    assert started(face, token, '{"deviceCorrelationId": "mine"}').status == 200
    assert started(face, token, ids).status == 200
    assert face.attempt(token).status == 204


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        ('{"deviceCorrelationId": "mine"}', "InvalidDeviceCorrelationId"),
        ('{"deviceCorrelationId": ""}', "InvalidDeviceCorrelationId"),
        ('{"deviceCorrelationId": "' + "x" * 65 + '"}', "InvalidDeviceCorrelationId"),
        ('{"userCorrelationId": "mine"}', "BadArgument"),
        ('{"userCorrelationId": 7}', "BadArgument"),
        ("[]", "InvalidRequestBody"),
    ],
)
def test_the_client_may_not_name_what_was_not_left_to_it(face: Face, ids: str, code: str) -> None:
    created = face.create().json

    answer = started(face, created["authToken"], ids)

    assert (answer.status, answer.code) == (400, code)
    assert face.result(created["sessionId"]).json["status"] == "NotStarted"


@pytest.mark.parametrize("path", [START, "/detectLiveness/singleModal", END])
def test_two_at_once_are_a_conflict(face: Face, service: Service, path: str) -> None:
    # Given a call of the client that is still being answered
    created = face.create().json
    other = face.create().json["authToken"]
    (tenant,) = service.engine.tenants()

    def calls(token: str) -> Answer:
        return face.attempt(token) if "detect" in path else call(face, path, token)

    with tenant.turn(created["sessionId"]):
        # When another one comes, then it is refused, and a session beside it is not
        refused = calls(created["authToken"])
        assert (refused.status, refused.code) == (409, "ConcurrentOperationConflict")
        assert calls(other).status < 300
        # And the app server may read all the same
        assert face.result(created["sessionId"]).status == 200

    assert calls(created["authToken"]).status < 300


def test_the_second_of_two_devices_is_refused_while_the_first_is_judged(
    face: Face, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a device whose attempt is being judged
    created = face.create().json
    (tenant,) = service.engine.tenants()
    judge, inside, leave = type(tenant).attempt, Event(), Event()

    def slow(*given: Any, **options: Any) -> Any:
        inside.set()
        assert leave.wait(timeout=60)
        return judge(*given, **options)

    monkeypatch.setattr(type(tenant), "attempt", slow)
    statuses: list[int] = []
    first = Thread(target=lambda: statuses.append(face.attempt(created["authToken"]).status))
    first.start()
    assert inside.wait(timeout=60)

    # When another one makes an attempt
    second = face.attempt(created["authToken"])
    leave.set()
    first.join()

    # Then it is refused, and one attempt was made
    assert (second.status, statuses) == (409, [204])
    newest = face.newest(face.result(created["sessionId"]).json)
    assert newest["id" if face.preview else "digest"]
    assert len(tenant.sessions()[0].attempts) == 1


def test_an_attempt_is_under_way_until_its_delayed_answer_is_out(
    face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an attempt whose answer a fault holds back
    elapsed = 0.0
    monkeypatch.setattr("mockface.sessions.tenant.time.monotonic", lambda: elapsed)
    token, other = (face.create().json["authToken"] for _ in range(2))
    face.post_json("/_mock/faults", {"route": "attempt*", "delay": 5, "count": 1})
    assert face.attempt(token).status == 204

    # When another call of that client comes before, then it is refused, and nobody else's is
    elapsed = 4.9
    assert face.attempt(token).status == 409
    assert call(face, END, token).status == 409
    assert face.attempt(other).status == 204

    # And when the answer is out, the client goes on
    elapsed = 5.0
    assert call(face, END, token).status == 200
    assert face.attempt(token).status == 204


def test_an_attempt_that_a_fault_refuses_holds_no_session(face: Face) -> None:
    token = face.create().json["authToken"]
    face.post_json("/_mock/faults", {"route": "attempt*", "delay": 5, "status": 503, "count": 1})

    assert face.attempt(token).status == 503
    assert face.attempt(token).status == 204
