"""The control API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.mockface.conftest import NOON, Face

from mockface.engine import Engine
from mockface.operations import NAMES
from mockface.pictures.marks import read_mark
from mockface.scenarios import SCENARIOS
from mockface.service import Service
from mockface.wire import Request

if TYPE_CHECKING:
    from mockface.clock import Clock


@pytest.fixture
def version() -> str:
    """The code is the same in all versions; test_all_versions.py walks through them."""
    return "v1.2"


def outcomes(face: Face, count: int) -> list[Any]:
    return [face.outcome(face.run()[1].json) for _ in range(count)]


def test_it_says_what_there_is(face: Face) -> None:
    about = face.send("GET", "/_mock").json

    assert about["apiVersions"] == [
        "v1.1-preview.1",
        "v1.2-preview.1",
        "v1.2",
        "v1.3-preview.1",
    ]
    assert list(about["scenarios"]) == list(SCENARIOS)
    assert about["routes"] == list(NAMES)
    assert "PUT /_mock/sessions/{}/scenario" in about["control"]


def test_a_tenant_s_scenario_and_everybody_s(service: Service, version: str) -> None:
    mine, other, all_of_them = (Face(service, version, key=key) for key in ("a", "b", None))

    all_of_them.put_json("/_mock/scenario", {"scenario": "uncertain"})
    mine.put_json("/_mock/scenario", {"scenario": "spoof"})

    assert outcomes(mine, 1) == ["spoofface"]
    assert outcomes(other, 1) == ["uncertain"]
    assert other.send("GET", "/_mock/scenario").json == {"scenario": "uncertain"}


def test_a_queue_binds_the_next_sessions(face: Face) -> None:
    queued = face.post_json("/_mock/queue", {"scenarios": ["spoof", "mask"]})

    assert queued.json == {"scenarios": ["spoof", "mask"]}
    assert outcomes(face, 3) == ["spoofface", "FaceWithMaskDetected", "realface"]
    assert face.send("GET", "/_mock/queue").json == {"scenarios": []}


def test_a_queue_is_bounded(face: Face) -> None:
    for _ in range(2):
        assert face.post_json("/_mock/queue", {"scenarios": ["real"] * 5000}).status == 200

    refused = face.post_json("/_mock/queue", {"scenarios": ["spoof"]})

    assert (refused.status, refused.code) == (400, "BadArgument")
    assert len(face.send("GET", "/_mock/queue").json["scenarios"]) == 10_000
    face.create()
    assert face.post_json("/_mock/queue", {"scenarios": ["spoof"]}).status == 200


def test_a_queue_needs_no_key_where_there_is_one_tenant(version: str) -> None:
    one = Service(Engine(keys=["k"]))
    many = Service(Engine())

    keyless = Face(one, version, key=None)
    assert keyless.post_json("/_mock/queue", {"scenarios": ["spoof"]}).status == 200
    assert outcomes(Face(one, version, key="k"), 1) == ["spoofface"]
    refused = Face(many, version, key=None).post_json("/_mock/queue", {"scenarios": ["spoof"]})
    assert refused.code == "BadArgument"


def test_a_session_is_pinned_above_what_it_asked_for(face: Face, service: Service) -> None:
    created = face.create(deviceCorrelationId="mock-spoof").json
    keyless = Face(service, face.version, key=None)
    path = f"/_mock/sessions/{created['sessionId']}/scenario"

    assert keyless.put_json(path, {"scenario": "uncertain"}).status == 200
    face.attempt(created["authToken"])

    assert face.outcome(face.result(created["sessionId"]).json) == "uncertain"
    assert face.put_json("/_mock/sessions/other/scenario", {"scenario": "real"}).status == 404


def test_who_has_the_last_word(face: Face) -> None:
    """The attempt itself, then the pin, the device id, the queue, the tenant, the emulator."""
    face.put_json("/_mock/scenario", {"scenario": "mask"})
    face.post_json("/_mock/queue", {"scenarios": ["spoof"]})

    named = face.create(deviceCorrelationId="mock-uncertain").json
    queued, plain = face.create().json, face.create().json
    for session, outcome in (
        (named, "uncertain"),
        (queued, "spoofface"),
        (plain, "FaceWithMaskDetected"),
    ):
        face.attempt(session["authToken"])
        assert face.outcome(face.result(session["sessionId"]).json) == outcome

    face.put_json(f"/_mock/sessions/{named['sessionId']}/scenario", {"scenario": "spoof"})
    face.attempt(named["authToken"])
    assert face.outcome(face.result(named["sessionId"]).json) == "spoofface"
    face.attempt(named["authToken"], x_mockface_scenario="real")
    assert face.outcome(face.result(named["sessionId"]).json) == "realface"


def test_a_pin_is_above_the_device_id_that_the_client_sets(face: Face) -> None:
    created = face.create(deviceCorrelationId=None, deviceCorrelationIdSetInClient=True).json
    face.put_json(f"/_mock/sessions/{created['sessionId']}/scenario", {"scenario": "uncertain"})
    face.post_json("/_mock/queue", {"scenarios": ["mask"]})

    start = {"content_type": "application/json", "authorization": f"Bearer {created['authToken']}"}
    face.send("POST", "/session/start", b'{"deviceCorrelationId": "mock-spoof"}', **start)
    face.attempt(created["authToken"])

    assert face.outcome(face.result(created["sessionId"]).json) == "uncertain"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/_mock/scenario", {"scenario": "spof"}),
        ("/_mock/queue", {"scenarios": ["real", "spof"]}),
        ("/_mock/sessions/{}/scenario", {"scenario": "spof"}),
    ],
)
def test_an_unknown_scenario_lists_the_known_ones(face: Face, path: str, body: object) -> None:
    session_id = face.create().json["sessionId"]
    send = face.post_json if "queue" in path else face.put_json

    answer = send(path.format(session_id), body)

    assert (answer.status, answer.code) == (400, "BadArgument")
    assert "wrong-person" in answer.json["error"]["message"]
    assert face.send("GET", "/_mock/queue").json == {"scenarios": []}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "scenario", {"scenario": "spoof", "key": "k"}),
        ("POST", "queue", {"scenarios": ["spoof"], "for": 2}),
        ("PUT", "pace", {"pace": "3reads", "session": "s"}),
        ("POST", "clock", {"advance": 1, "seconds": 1}),
        ("POST", "faults", {"route": "create", "status": 429, "retry-after": 7}),
        ("PUT", "limit", {"tier": "F0", "calls": 3}),
        ("POST", "journal/verify", {"expect": {}, "most": 1}),
    ],
)
def test_an_unknown_field_is_no_order(face: Face, method: str, path: str, body: Any) -> None:
    send = face.put_json if method == "PUT" else face.post_json
    answer = send(f"/_mock/{path}", body)
    assert (answer.status, answer.code) == (400, "BadArgument")
    assert list(body)[-1] in answer.json["error"]["message"]


def test_an_unknown_word_in_a_query_is_refused(face: Face) -> None:
    for path, query in (("sessions", "most=1"), ("portraits/a.jpg", "masc=true")):
        assert face.send("GET", f"/_mock/{path}", query=query).code == "BadArgument"


def test_the_clock_is_moved(service: Service, version: str, clock: Clock) -> None:
    face = Face(service, version, key=None)
    start = clock.now()
    assert face.post_json("/_mock/clock", {"advance": 90.5}).json == {
        "now": "2026-01-01T12:01:30.5000000+00:00",
        "frozen": True,
    }
    assert clock.now() == start + 90.5

    face.post_json("/_mock/clock", {"freeze": "2030-05-01T00:00:00Z"})
    assert face.send("GET", "/_mock/clock").json["now"].startswith("2030-05-01T00:00:00.")
    assert face.post_json("/_mock/clock", {"resume": True}).json["frozen"] is False
    assert face.post_json("/_mock/clock", {"freeze": True}).json["frozen"] is True


def test_a_tenant_s_clock_moves_nobody_else(service: Service, version: str, clock: Clock) -> None:
    # Given two tenants with a session each
    mine, other = Face(service, version, key="a"), Face(service, version, key="b")
    sessions = {face: face.create().json for face in (mine, other)}

    # When one of them lets ten minutes pass
    moved = mine.post_json("/_mock/clock", {"advance": 600}).json

    # Then its token has expired, and the other one's has not
    assert moved["now"].startswith("2026-01-01T12:10:00.")
    assert other.send("GET", "/_mock/clock").json["now"].startswith("2026-01-01T12:00:00.")
    assert mine.attempt(sessions[mine]["authToken"]).status == 401
    assert other.attempt(sessions[other]["authToken"]).status == 204
    assert clock.now() == NOON

    # And after a reset it goes by the emulator's clock again
    mine.send("POST", "/_mock/reset")
    clock.advance(30)
    assert mine.send("GET", "/_mock/clock").json["now"].startswith("2026-01-01T12:00:30.")


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"advance": -1},
        {"advance": "far"},
        {"advance": 1, "resume": True},
        {"freeze": "soon"},
        {"freeze": "1969-12-31T23:59:59Z"},
        {"freeze": "0001-01-01T00:00:00+14:00"},
        {"freeze": "9999-12-31T23:59:59-14:00"},
        {"freeze": 1},
    ],
)
def test_the_clock_refuses(face: Face, clock: Clock, told: object) -> None:
    before = clock.now()
    assert face.post_json("/_mock/clock", told).code == "BadArgument"
    assert clock.now() == before


def test_sessions_are_listed_without_their_tokens(face: Face, service: Service) -> None:
    created = face.create(deviceCorrelationId="mock-mask").json
    face.attempt(created["authToken"])
    Face(service, face.version, key="b").create(verify=True)

    mine = face.send("GET", "/_mock/sessions")
    all_of_them = Face(service, face.version, key=None).send("GET", "/_mock/sessions")

    (session,) = mine.json["sessions"]
    assert session["sessionId"] == created["sessionId"]
    assert (session["scenario"], session["progress"]) == ("mask", "running")
    assert session["attempts"] == ["FaceWithMaskDetected"]
    assert len(all_of_them.json["sessions"]) == 2
    assert created["authToken"].encode() not in all_of_them.response.body


def test_the_newest_sessions_are_enough_at_times(face: Face) -> None:
    ids = [face.create().json["sessionId"] for _ in range(3)]

    newest = face.send("GET", "/_mock/sessions", query="limit=2").json["sessions"]

    assert [session["sessionId"] for session in newest] == ids[1:]
    assert face.send("GET", "/_mock/sessions", query="limit=0").code == "BadArgument"


def test_the_journal_has_what_happened_and_no_secret(face: Face, service: Service) -> None:
    created = face.create()
    token = created.json["authToken"]
    face.attempt(token)
    face.send("GET", "/nowhere")

    journal = Face(service, face.version, key=None).send("GET", "/_mock/journal")

    entries = journal.json["entries"]
    assert [(e["route"], e["status"]) for e in entries] == [
        ("create", 200),
        ("attempt", 204),
        ("", 404),
    ]
    assert entries[0]["requestId"] == created.headers["apim-request-id"]
    for secret in (token, face.key or ""):
        assert secret.encode() not in journal.response.body
    mine = face.send("GET", "/_mock/journal").json["entries"]
    assert [each["status"] for each in mine] == [200, 204, 404]  # the last was no operation
    face.send("DELETE", "/_mock/journal")
    assert face.send("GET", "/_mock/journal").json == {"entries": []}


def test_reset_forgets_one_tenant_or_all(face: Face, service: Service, clock: Clock) -> None:
    other = Face(service, face.version, key="b")
    mine, _ = face.run()
    its, _ = other.run()
    start = clock.now()
    clock.advance(60)

    assert face.send("POST", "/_mock/reset").status == 204
    assert face.result(mine).status == 404
    assert other.result(its).status == 200
    assert clock.now() == start + 60

    assert Face(service, face.version, key=None).send("POST", "/_mock/reset").status == 204
    assert other.result(its).status == 404
    assert clock.now() == start


def test_tenants_come_and_go(service: Service, version: str) -> None:
    for number in range(3):
        face = Face(service, version, key=f"of-test-{number}")
        first, _ = face.run()
        assert len(service.engine.tenants()) == 1
        assert face.send("POST", "/_mock/reset").status == 204
        assert service.engine.tenants() == []

        # And the same calls give the same bytes again
        assert face.create().json["sessionId"] == first
        face.send("POST", "/_mock/reset")


def test_people_and_portraits_are_the_same_for_the_same_seed(face: Face) -> None:
    person = face.send("GET", "/_mock/people/7")
    jpeg, png = (face.send("GET", f"/_mock/portraits/7{suffix}") for suffix in ("", ".png"))

    assert person.response.body == face.send("GET", "/_mock/people/7").response.body
    assert person.json != face.send("GET", "/_mock/people/8").json
    assert jpeg.response.body.startswith(b"\xff\xd8\xff")
    assert png.response.body.startswith(b"\x89PNG")
    for picture in (jpeg, png):
        mark = read_mark(picture.response.body)
        assert mark is not None
        assert mark.person == person.json["id"]
    assert face.create(verify=True, image=png.response.body).status == 200


def test_an_unknown_place_or_key(face: Face) -> None:
    assert face.send("GET", "/_mock/nothing").status == 404
    assert face.send("PATCH", "/_mock/clock").status == 404
    keyed = Face(Service(Engine(keys=["k"])), face.version, key="wrong")
    assert keyed.send("GET", "/_mock/sessions").status == 401


def test_only_this_machine_controls(version: str) -> None:
    request = Request("GET", "/_mock", peer="203.0.113.7")

    assert Service(Engine()).handle(request).status == 403
    assert Service(Engine(), remote_control=True).handle(request).status == 200
    for peer in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert Service(Engine()).handle(Request("GET", "/_mock", peer=peer)).status == 200
    for peer in ("", "unix:", "10.0.0.1"):
        assert Service(Engine()).handle(Request("GET", "/_mock", peer=peer)).status == 403


def test_a_body_has_to_be_said_to_be_json(face: Face) -> None:
    """A form of a web page cannot steer the emulator."""
    body = json.dumps({"scenario": "spoof"}).encode()
    assert face.send("PUT", "/_mock/scenario", body, content_type="text/plain").status == 415
