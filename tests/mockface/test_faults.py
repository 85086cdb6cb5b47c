"""What goes wrong on command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.mockface.conftest import Face

if TYPE_CHECKING:
    from mockface.service import Service


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "401"),
        (403, "UnsupportedFeature"),
        (409, "ConcurrentOperationConflict"),
        (429, "429"),
        (500, "Unspecified"),
        (503, "Unspecified"),
    ],
)
def test_the_next_answers_are_errors_of_the_service(face: Face, status: int, code: str) -> None:
    told = face.post_json("/_mock/faults", {"route": "create", "status": status, "count": 2})
    answers = [face.create() for _ in range(3)]

    assert told.status == 201
    assert [answer.status for answer in answers] == [status, status, 200]
    assert answers[0].code == code
    # A refused create creates nothing
    assert len(face.send("GET", "/_mock/sessions").json["sessions"]) == 1


def test_retry_after(face: Face) -> None:
    face.post_json("/_mock/faults", {"route": "*", "status": 429, "retryAfter": 7})
    answer = face.create()
    assert answer.headers["Retry-After"] == "7"
    assert "7 seconds" in answer.json["error"]["message"]


def test_patterns_choose_routes(face: Face) -> None:
    session_id, _ = face.run()
    face.post_json("/_mock/faults", {"route": "result*", "status": 500, "count": 0})

    assert face.create().status == 200
    assert [face.result(session_id).status for _ in range(5)] == [500] * 5
    (fault,) = face.send("GET", "/_mock/faults").json["faults"]
    assert (fault["route"], fault["count"]) == ("result*", 0)

    face.send("DELETE", "/_mock/faults")
    assert face.result(session_id).status == 200


def test_the_gateway_s_shape_has_a_number_and_no_code(face: Face) -> None:
    face.post_json("/_mock/faults", {"route": "create", "status": 429, "body": "gateway"})
    error = face.create().json["error"]
    assert error["statusCode"] == 429
    assert "code" not in error


def test_garbage_instead_of_a_result(face: Face) -> None:
    session_id, _ = face.run()
    face.post_json("/_mock/faults", {"route": "result", "body": "garbage"})

    answer = face.result(session_id)

    assert answer.status == 200
    with pytest.raises(ValueError, match=r"utf-8|delimiter"):
        json.loads(answer.response.body)
    assert face.result(session_id).status == 200


def test_a_fault_without_a_status_loses_only_the_answer(face: Face) -> None:
    face.post_json("/_mock/faults", {"route": "create", "body": "empty"})

    lost = face.create()

    assert (lost.status, lost.response.body) == (200, b"")
    assert len(face.send("GET", "/_mock/sessions").json["sessions"]) == 1


@pytest.mark.parametrize("route", ["result", "delete", "attempt"])
def test_a_truncated_answer_promises_more_than_it_sends(face: Face, route: str) -> None:
    created = face.create().json
    face.post_json("/_mock/faults", {"route": route, "body": "truncated"})

    answers = {
        "result": lambda: face.result(created["sessionId"]),
        "delete": lambda: face.delete(created["sessionId"]),
        "attempt": lambda: face.attempt(created["authToken"]),
    }
    response = answers[route]().response

    assert response.status == 200
    assert sum(len(piece) for _, piece in response.pieces()) < len(response.body)


def test_a_delay_is_for_the_front_to_wait(face: Face) -> None:
    face.post_json("/_mock/faults", {"route": "create", "delay": 1.5})
    assert [face.create().response.delay for _ in range(2)] == [1.5, 0.0]


def test_a_fault_on_the_client_s_route_is_still_cross_origin(face: Face) -> None:
    token = face.create().json["authToken"]
    face.post_json("/_mock/faults", {"route": "attempt", "status": 500})

    answer = face.attempt(token)

    assert answer.status == 500
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert face.attempt(token).status == 204


def test_a_tenant_s_fault_is_its_own(service: Service, version: str) -> None:
    mine, other, everybody = (Face(service, version, key=key) for key in ("a", "b", None))
    mine.post_json("/_mock/faults", {"route": "create", "status": 500})

    assert other.create().status == 200
    assert mine.create().status == 500
    everybody.post_json("/_mock/faults", {"route": "create", "status": 503})
    assert other.create().status == 503


def test_the_journal_names_the_fault(face: Face) -> None:
    fault = face.post_json("/_mock/faults", {"route": "create", "status": 500}).json
    face.create()
    assert face.send("GET", "/_mock/journal").json["entries"][-1]["fault"] == fault["id"]


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"route": "create"},
        {"route": "created", "status": 500},
        {"route": "create", "status": 200},
        {"route": "create", "status": "500"},
        {"route": "create", "body": "nonsense"},
        {"route": "create", "delay": -1},
        {"route": "create", "status": 500, "count": -1},
    ],
)
def test_a_wrong_instruction_is_refused(face: Face, told: object) -> None:
    assert face.post_json("/_mock/faults", told).code == "BadArgument"
    assert face.send("GET", "/_mock/faults").json == {"faults": []}
