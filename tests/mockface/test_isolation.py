"""Many tenants at once, with faults on: nobody sees anybody else, and the journal has it all."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.mockface.conftest import Answer, Face

from mockface.engine import Engine
from mockface.service import Service

if TYPE_CHECKING:
    import pytest

TENANTS, SESSIONS = 8, 25


@dataclass
class Worker:
    """One tenant's client, which runs its sessions and tries again what fails."""

    face: Face
    calls: Counter[tuple[str, int]] = field(default_factory=Counter)
    living: set[str] = field(default_factory=set)

    def run(self) -> None:
        for number in range(SESSIONS):
            created = self.until_well("create", self.face.create).json
            session_id, token = created["sessionId"], created["authToken"]
            self.living.add(session_id)
            self.until_well("attempt", lambda token=token: self.face.attempt(token))
            self.until_well("result", lambda name=session_id: self.face.result(name))
            if number % 2:
                self.until_well("delete", lambda name=session_id: self.face.delete(name))
                self.living.discard(session_id)

    def until_well(self, route: str, call: object) -> Answer:
        assert callable(call)
        while True:
            answer: Answer = call()
            self.calls[route, answer.status] += 1
            if answer.status < 400:
                return answer
            assert answer.status == 503


def test_two_hundred_sessions_over_eight_tenants() -> None:
    service = Service(Engine(seed="many"))
    everybody = Face(service, "v1.2", key=None)
    everybody.post_json(
        "/_mock/faults", {"route": "*", "status": 503, "probability": 0.2, "count": 0}
    )
    workers = [Worker(Face(service, "v1.2", key=f"key-{n}")) for n in range(TENANTS)]

    with ThreadPoolExecutor(TENANTS) as pool:
        for done in [pool.submit(worker.run) for worker in workers]:
            done.result()

    for worker in workers:
        listed = worker.face.send("GET", "/_mock/sessions").json["sessions"]
        assert {session["sessionId"] for session in listed} == worker.living
        entries = service.journal.entries(listed[0]["tenant"])
        assert Counter((entry.route, entry.status) for entry in entries) == worker.calls
        assert any(status == 503 for _, status in worker.calls)
    assert len(service.journal.entries()) == sum(sum(w.calls.values()) for w in workers)


def test_a_tenant_has_the_same_bytes_whoever_else_is_there() -> None:
    def run(others: int) -> list[bytes]:
        service = Service(Engine(seed="many"))
        mine = Face(service, "v1.2", key="mine")
        mine.post_json("/_mock/clock", {"freeze": "2026-01-01T12:00:00Z"})
        mine.post_json(
            "/_mock/faults", {"route": "*", "status": 503, "probability": 0.3, "count": 0}
        )
        noisy = [Face(service, "v1.2", key=f"key-{n}") for n in range(others)]
        bodies = []
        for _ in range(20):
            for other in noisy:
                other.create()
            bodies.append(mine.create().response.body)
        return bodies

    assert run(0) == run(3)


def test_the_tenants_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    # Given an emulator that has as many as it may
    monkeypatch.setattr("mockface.engine.MOST_TENANTS", 2)
    service = Service(Engine())
    first, second, third = (Face(service, "v1.2", key=f"key-{n}") for n in range(3))
    assert (first.create().status, second.create().status) == (200, 200)

    # When another key is used, then it is refused with the remedy, and nobody else suffers
    refused = third.create()
    assert (refused.status, refused.code) == (503, "Unspecified")
    assert "reset" in refused.json["error"]["message"]
    assert first.create().status == 200

    # And there is room again when a test has reset its own
    assert second.send("POST", "/_mock/reset").status == 204
    assert third.create().status == 200
