"""A tenant is kept, and brought back as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.mockface.conftest import Face

from mockface.engine import Engine
from mockface.service import Service
from mockface.sessions import tenant

if TYPE_CHECKING:
    from mockface.clock import Clock


def test_what_comes_after_a_restore_is_what_came_after_the_snapshot(
    face: Face, clock: Clock
) -> None:
    session_id, before = face.run()
    face.put_json("/_mock/scenario", {"scenario": "spoof"})
    face.post_json("/_mock/queue", {"scenarios": ["uncertain"]})
    face.post_json("/_mock/clock", {"advance": 5})
    face.post_json("/_mock/faults", {"route": "result", "status": 500, "probability": 0.5})

    def after() -> list[bytes]:
        answers = [face.run()[1] for _ in range(2)]
        answers += [face.result(session_id), face.delete(session_id), face.result(session_id)]
        answers += [face.send("GET", f"/_mock/{what}") for what in ("clock", "sessions", "queue")]
        return [answer.response.body for answer in answers]

    taken = face.send("POST", "/_mock/snapshot")
    first = after()
    face.post_json("/_mock/clock", {"advance": 5})
    face.put_json("/_mock/limit", {"tier": "F0"})
    restored = face.send("PUT", "/_mock/snapshot")

    assert (taken.status, restored.status) == (201, 200)
    assert (
        restored.json
        == taken.json
        == {
            "name": "default",
            "takenAt": "2026-01-01T12:00:05.0000000+00:00",
        }
    )
    assert face.send("GET", "/_mock/limit").json == {"tier": "none"}
    assert after() == first
    assert before.response.body


def test_a_snapshot_outlives_the_tenants_reset_and_not_the_emulators(
    service: Service, face: Face
) -> None:
    session_id, _ = face.run()
    for name in ("one", "two"):
        face.post_json("/_mock/snapshot", {"name": name})

    face.send("POST", "/_mock/reset")
    assert face.result(session_id).status == 404
    assert face.put_json("/_mock/snapshot", {"name": "one"}).status == 200
    assert face.result(session_id).status == 200
    listed = face.send("GET", "/_mock/snapshot").json["snapshots"]
    assert [each["name"] for each in listed] == ["one", "two"]

    Face(service, face.version, key=None).send("POST", "/_mock/reset")
    assert face.put_json("/_mock/snapshot", {"name": "one"}).status == 404


def test_a_tenant_brings_back_only_its_own(service: Service, face: Face) -> None:
    other = Face(service, face.version, key="b")
    mine, _ = face.run()
    other.send("POST", "/_mock/snapshot")
    its, _ = other.run()

    assert face.send("PUT", "/_mock/snapshot").status == 404
    assert other.send("PUT", "/_mock/snapshot").status == 200
    assert (face.result(mine).status, other.result(its).status) == (200, 404)
    keyless = Face(service, face.version, key=None)
    assert keyless.send("POST", "/_mock/snapshot").code == "BadArgument"


def test_faults_that_came_later_are_gone_after_a_restore(service: Service, face: Face) -> None:
    # Given a fault before a snapshot, and two after it, one of them another tenant's
    other = Face(service, face.version, key="b")
    fault = {"route": "create", "status": 500}
    first = face.post_json("/_mock/faults", fault).json["id"]
    face.send("POST", "/_mock/snapshot")
    face.post_json("/_mock/faults", fault)
    its = other.post_json("/_mock/faults", fault).json["id"]

    # When the tenant is restored, then its own are those that it had, and the other's stay
    face.send("PUT", "/_mock/snapshot")
    assert [each["id"] for each in face.send("GET", "/_mock/faults").json["faults"]] == [first]
    assert [each["id"] for each in other.send("GET", "/_mock/faults").json["faults"]] == [its]


def test_snapshots_are_bounded(face: Face) -> None:
    answers = [
        face.post_json("/_mock/snapshot", {"name": str(number)}).status for number in range(101)
    ]
    assert (answers[99], answers[100]) == (201, 400)
    assert face.post_json("/_mock/snapshot", {"name": "7"}).status == 201
    assert face.post_json("/_mock/snapshot", {"name": ""}).code == "BadArgument"


def test_nothing_that_a_tenant_has_is_forgotten() -> None:
    """Who adds an attribute has to say whether a snapshot has it."""
    one = Engine().tenant("k")
    besides = {"id", "_common", "_dice", "_eyes", "_lock", "_mint", "_busy"}
    assert set(vars(one)) - besides == {*tenant._STATE, "queue", "defaults"}
    assert len(set(vars(one.defaults)) - besides) == len(one.defaults.state())


@pytest.mark.parametrize("tier", ["F0", "none"])
def test_the_limit_is_brought_back(version: str, clock: Clock, tier: str) -> None:
    face = Face(Service(Engine(clock=clock), tier="S0"), version)
    face.put_json("/_mock/limit", {"tier": tier})
    for _ in range(20):
        face.create()
    face.send("POST", "/_mock/snapshot")
    face.send("POST", "/_mock/reset")
    assert face.send("GET", "/_mock/limit").json == {"tier": "S0"}

    face.send("PUT", "/_mock/snapshot")

    assert face.send("GET", "/_mock/limit").json == {"tier": tier}
    assert face.create().status == (429 if tier == "F0" else 200)
