"""What goes wrong on command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.mockface.conftest import Face

from mockface.engine import Engine
from mockface.service import Service

if TYPE_CHECKING:
    from mockface.clock import Clock


@pytest.fixture
def version() -> str:
    """The code is the same in all versions; test_all_versions.py walks through them."""
    return "v1.2"


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

    face.post_json("/_mock/faults", {"route": "create", "retryAfter": 7, "count": 1})
    good = face.create()
    assert (good.status, good.headers["Retry-After"]) == (200, "7")
    assert "Retry-After" not in face.create().headers


def test_patterns_choose_routes(face: Face) -> None:
    session_id, _ = face.run()
    face.post_json("/_mock/faults", {"route": "result*", "status": 500, "count": 0})

    assert face.create().status == 200
    assert [face.result(session_id).status for _ in range(5)] == [500] * 5
    (fault,) = face.send("GET", "/_mock/faults").json["faults"]
    assert (fault["route"], fault["count"]) == ("result*", 0)

    face.send("DELETE", "/_mock/faults")
    assert face.result(session_id).status == 200


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (401, "denied"),
        (403, "approved"),
        (429, "limit"),
        (500, "wrong"),
        (503, "available"),
        (504, "Refused."),
    ],
)
def test_the_gateway_s_shape_has_a_number_and_no_code(face: Face, status: int, word: str) -> None:
    face.post_json("/_mock/faults", {"route": "create", "status": status, "body": "gateway"})
    error = face.create().json["error"]
    assert error.keys() == {"statusCode", "message"}
    assert error["statusCode"] == status
    assert word in error["message"]


def test_garbage_instead_of_a_result(face: Face) -> None:
    session_id, _ = face.run()
    face.post_json("/_mock/faults", {"route": "result", "body": "garbage"})

    answer = face.result(session_id)

    assert answer.status == 200
    with pytest.raises(ValueError, match=r"utf-8|delimiter"):
        json.loads(answer.response.body)
    assert face.result(session_id).status == 200


def test_garbage_instead_of_nothing(face: Face) -> None:
    session_id = face.create().json["sessionId"]
    face.post_json("/_mock/faults", {"route": "delete", "body": "garbage"})

    answer = face.delete(session_id)

    assert (answer.status, answer.response.body[:1]) == (200, b"{")


def test_a_fault_without_a_status_loses_only_the_answer(face: Face) -> None:
    face.post_json("/_mock/faults", {"route": "create", "body": "empty"})

    lost = face.create()

    assert (lost.status, lost.response.body) == (200, b"")
    assert len(face.send("GET", "/_mock/sessions").json["sessions"]) == 1


@pytest.mark.parametrize("route", ["result", "delete", "attempt"])
@pytest.mark.parametrize(
    "told",
    [{"body": "truncated"}, {"body": "truncated", "bytesPerSecond": 1000}, {"cutAfter": 1}],
    ids=str,
)
def test_a_truncated_answer_promises_more_than_it_sends(
    face: Face, route: str, told: dict[str, object]
) -> None:
    created = face.create().json
    face.post_json("/_mock/faults", {"route": route} | told)

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


DELAYS = (
    "delay must be seconds from 0 to 600, {low, high} of them in this order, or {median, sigma}"
)


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({}, "route is missing"),
        ({"route": "create"}, "say at least one of status, retryAfter,"),
        ({"route": "create", "reset": False, "body": "service"}, "say at least one of status,"),
        ({"route": "created", "status": 500}, "route must fit one of: create, "),
        ({"route": "create", "statuses": 500}, "There is no statuses; there is: route, status,"),
        ({"route": "create", "status": 200}, "status must be an integer from 400 to 599"),
        ({"route": "create", "status": "500"}, "status must be an integer from 400 to 599"),
        ({"route": "create", "body": "nonsense"}, "body must be one of service, gateway,"),
        ({"route": "create", "delay": -1}, DELAYS),
        ({"route": "create", "delay": {"low": 2, "high": 1}}, DELAYS),
        ({"route": "create", "delay": {"low": 2, "high": 601}}, DELAYS),
        ({"route": "create", "delay": {"median": 1}}, DELAYS),
        ({"route": "create", "delay": {"median": "1", "sigma": 1}}, DELAYS),
        ({"route": "create", "delay": [1]}, DELAYS),
        ({"route": "create", "status": 500, "probability": 0}, "probability must be a number from"),
        ({"route": "create", "status": 500, "seconds": -1}, "seconds must be a number from 0"),
        ({"route": "create", "cutAfter": -1}, "cutAfter must be an integer from 0"),
        ({"route": "create", "bytesPerSecond": 0}, "bytesPerSecond must be a number from 1"),
        ({"route": "create", "reset": "yes"}, "reset must be true or false"),
        ({"route": "create", "status": 500, "count": -1}, "count must be an integer from 0"),
    ],
    ids=str,
)
def test_a_wrong_instruction_is_refused(face: Face, told: object, says: str) -> None:
    refused = face.post_json("/_mock/faults", told)

    assert refused.code == "BadArgument"
    assert refused.json["error"]["message"].startswith(says)
    assert face.send("GET", "/_mock/faults").json == {"faults": []}


def test_what_waits_is_said_as_it_was_asked_for(face: Face) -> None:
    asked = {"route": "create", "status": 429, "retryAfter": 7, "delay": 0.5, "count": 0}

    told = face.post_json("/_mock/faults", asked).json

    assert asked.items() <= told.items()
    assert (told["cutAfter"], told["hits"], told["tenant"] is None) == (None, 0, False)


# --- chance, time and the way an answer travels -------------------------------------------------


def statuses(face: Face, count: int) -> list[int]:
    return [face.create().status for _ in range(count)]


def test_chance_hits_its_share_and_the_same_answers_every_time(version: str) -> None:
    def run(seed: str, noise: int) -> list[int]:
        service = Service(Engine(seed=seed))
        mine, other = Face(service, version, key="a"), Face(service, version, key="b")
        for face in (other, mine):
            told = {"route": "create", "status": 500, "probability": 0.3, "count": 0}
            face.post_json("/_mock/faults", told)
        seen: list[int] = []
        for _ in range(100):
            seen += statuses(mine, 1)
            statuses(other, noise)
        return seen

    quiet = run("s", noise=0)

    assert 15 <= quiet.count(500) <= 45
    assert quiet == run("s", noise=2)
    assert quiet != run("t", noise=0)


@pytest.mark.parametrize("whole", [False, True])
def test_after_a_reset_chance_begins_anew(service: Service, version: str, *, whole: bool) -> None:
    face = Face(service, version)
    everybody = Face(service, version, key=None)

    def hits() -> list[int]:
        (everybody if whole else face).send("POST", "/_mock/reset")
        face.post_json("/_mock/faults", {"route": "delete", "status": 500})  # another draw first
        face.post_json(
            "/_mock/faults", {"route": "create", "status": 503, "probability": 0.5, "count": 0}
        )
        return statuses(face, 40)

    first = hits()
    assert set(first) == {200, 503}
    assert hits() == first


def test_a_count_counts_hits_and_not_misses(face: Face) -> None:
    told = {"route": "create", "status": 500, "probability": 0.5, "count": 3}
    face.post_json("/_mock/faults", told)
    assert statuses(face, 60).count(500) == 3


def test_an_outage_ends_by_the_clock(face: Face, clock: Clock) -> None:
    face.post_json("/_mock/faults", {"route": "*", "status": 503, "count": 0, "seconds": 30})

    assert statuses(face, 2) == [503, 503]
    (fault,) = face.send("GET", "/_mock/faults").json["faults"]
    assert fault["until"] == "2026-01-01T12:00:30.0000000+00:00"
    clock.advance(30)
    assert statuses(face, 1) == [200]
    assert face.send("GET", "/_mock/faults").json == {"faults": []}


def test_an_outage_that_ended_without_a_hit_is_still_listed(face: Face, clock: Clock) -> None:
    face.post_json("/_mock/faults", {"route": "create", "status": 503, "seconds": 30})
    clock.advance(30)

    assert statuses(face, 1) == [200]
    (fault,) = face.send("GET", "/_mock/faults").json["faults"]
    assert fault["hits"] == 0


@pytest.mark.parametrize(
    ("delay", "low", "high"),
    [
        (2, 2.0, 2.0),
        ({"low": 0.5, "high": 1.5}, 0.5, 1.5),
        ({"median": 0.2, "sigma": 0.5}, 0.02, 2.0),
        ({"median": 600, "sigma": 9}, 0.0, 600.0),
    ],
    ids=str,
)
def test_delays_are_drawn(face: Face, delay: object, low: float, high: float) -> None:
    told = face.post_json("/_mock/faults", {"route": "create", "delay": delay, "count": 0}).json
    drawn = [face.create().response.delay for _ in range(40)]

    assert told["delay"] == delay
    assert all(low <= each <= high for each in drawn)
    assert low == high or len(set(drawn)) > 10


def test_a_lognormal_delay_has_its_median_in_the_middle(face: Face) -> None:
    delay = {"median": 2.0, "sigma": 0.5}
    face.post_json("/_mock/faults", {"route": "create", "delay": delay, "count": 0})
    drawn = sorted(face.create().response.delay for _ in range(400))
    assert 1.7 < drawn[200] < 2.3
    assert drawn[-1] > 2 * drawn[200]


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        ({"cutAfter": 10}, 10),
        ({"cutAfter": 10, "body": "truncated"}, 10),
        ({"cutAfter": 0, "status": 500}, 0),
        ({"reset": True}, 0),
        ({"bytesPerSecond": 100}, None),
        ({"bytesPerSecond": 100, "cutAfter": 25}, 25),
    ],
    ids=str,
)
def test_how_much_of_an_answer_arrives_and_how_fast(
    face: Face, told: dict[str, object], sent: int | None
) -> None:
    face.post_json("/_mock/faults", {"route": "create"} | told)
    response = face.create().response

    pieces = list(response.pieces())

    arrived = b"".join(piece for _, piece in pieces)
    assert arrived == response.body[:sent]
    if "bytesPerSecond" in told:
        assert sum(wait for wait, _ in pieces) == pytest.approx(len(arrived) / 100)
        assert {len(piece) for _, piece in pieces[:-1]} == {10}
    healthy = face.create().response
    assert list(healthy.pieces()) == [(0.0, healthy.body)]


def test_one_fault_is_dropped(service: Service, face: Face) -> None:
    first, second = (
        face.post_json("/_mock/faults", {"route": "create", "status": status}).json
        for status in (500, 503)
    )
    other = Face(service, face.version, key="b")

    assert other.send("DELETE", f"/_mock/faults/{first['id']}").status == 404
    assert face.send("DELETE", f"/_mock/faults/{first['id']}").status == 204
    assert face.send("DELETE", f"/_mock/faults/{first['id']}").status == 404
    for name in ("x", "-1", "1x", "123456789x", "9" * 5000, "\u0661"):
        assert face.send("DELETE", f"/_mock/faults/{name}").status == 404
    assert face.create().status == second["status"]


def test_faults_that_wait_are_bounded(face: Face) -> None:
    told = {"route": "create", "status": 500}
    answers = [face.post_json("/_mock/faults", told).status for _ in range(1001)]
    assert (answers[-2], answers[-1]) == (201, 400)


def test_a_fault_counts_its_hits_in_both_kinds_of_sessions(face: Face) -> None:
    face.post_json("/_mock/faults", {"route": "create", "status": 500, "count": 0})
    face.post_json("/_mock/faults", {"route": "delete", "status": 500})

    assert [face.create(verify=verify).status for verify in (False, True, True)] == [500] * 3

    waiting = face.send("GET", "/_mock/faults").json["faults"]
    assert [(each["route"], each["hits"]) for each in waiting] == [("create", 3), ("delete", 0)]


# --- the tiers' rate limits ---------------------------------------------------------------------


def test_the_free_tier_takes_twenty_calls_a_minute(face: Face, clock: Clock) -> None:
    assert face.put_json("/_mock/limit", {"tier": "F0"}).json == {"tier": "F0"}
    assert set(statuses(face, 20)) == {200}
    clock.advance(12.5)

    refused = face.create()

    assert (refused.status, refused.code) == (429, "429")
    assert refused.headers["Retry-After"] == "48"
    assert "48 seconds" in refused.json["error"]["message"]
    clock.advance(47.4)
    assert statuses(face, 1) == [429]
    clock.advance(0.6)
    assert statuses(face, 21) == [200] * 20 + [429]


def test_who_waits_for_a_frozen_clock_is_told_so(face: Face, clock: Clock) -> None:
    face.put_json("/_mock/limit", {"tier": "F0"})
    statuses(face, 20)

    assert "clock is frozen" in face.create().json["error"]["message"]
    clock.resume()
    assert "frozen" not in face.create().json["error"]["message"]


def test_the_standard_tier_takes_ten_calls_a_second(version: str, clock: Clock) -> None:
    face = Face(Service(Engine(clock=clock), tier="S0"), version)

    assert statuses(face, 11) == [200] * 10 + [429]
    clock.advance(0.5)
    assert face.create().headers["Retry-After"] == "1"
    clock.advance(0.5)
    assert statuses(face, 1) == [200]


def test_the_clients_calls_count_too(face: Face) -> None:
    token = face.create().json["authToken"]
    face.put_json("/_mock/limit", {"tier": "S0"})
    statuses(face, 10)

    answer = face.attempt(token)

    assert answer.status == 429
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_limit_is_a_tenants_own_or_everybodys(service: Service, version: str) -> None:
    mine, other, everybody = (Face(service, version, key=key) for key in ("a", "b", None))
    everybody.put_json("/_mock/limit", {"tier": "S0"})
    other.put_json("/_mock/limit", {"tier": "none"})

    assert statuses(mine, 11)[-1] == 429
    assert set(statuses(other, 30)) == {200}
    assert other.send("GET", "/_mock/limit").json == {"tier": "none"}
    mine.send("POST", "/_mock/reset")
    assert statuses(mine, 1) == [200]
    mine.put_json("/_mock/limit", {"tier": "F0"})
    everybody.send("POST", "/_mock/reset")
    assert everybody.send("GET", "/_mock/limit").json == {"tier": "none"}
    assert mine.send("GET", "/_mock/limit").json == {"tier": "none"}
    assert mine.put_json("/_mock/limit", {"tier": "P9"}).code == "BadArgument"


@pytest.mark.parametrize("whose", ["a", None])
def test_counting_starts_anew_when_a_limit_is_set(
    service: Service, version: str, whose: str | None
) -> None:
    face, teller = Face(service, version, key="a"), Face(service, version, key=whose)
    teller.put_json("/_mock/limit", {"tier": "S0"})
    assert statuses(face, 11)[-1] == 429

    teller.put_json("/_mock/limit", {"tier": "S0"})
    assert statuses(face, 11) == [200] * 10 + [429]


def test_nobody_is_told_to_come_back_after_no_time(face: Face, clock: Clock) -> None:
    face.put_json("/_mock/limit", {"tier": "S0"})
    statuses(face, 10)
    clock.advance(0.9999)
    assert face.create().headers["Retry-After"] == "1"
