"""The same seed and the same calls give the same bytes, whatever other tenants and threads do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.mockface.conftest import KEY, NOON, Face

from mockface.clock import Clock
from mockface.engine import Engine
from mockface.images import portrait
from mockface.service import Service


def service(seed: str | None = "one") -> Service:
    return Service(Engine(clock=Clock(frozen_at=NOON), seed=seed))


def transcript(face: Face) -> list[Any]:
    """Everything that comes back from a few sessions."""
    said = []
    for verify in (False, True):
        created = face.create(verify=verify, enableSessionImage=True)
        said += [
            created,
            face.attempt(created.json["authToken"], verify=verify),
            face.result(created.json["sessionId"], verify=verify),
            face.delete(created.json["sessionId"], verify=verify),
            face.result(created.json["sessionId"], verify=verify),
        ]
    said.append(face.send("GET", "/nowhere"))
    return [(a.status, a.headers, a.response.body) for a in said]


def test_the_same_seed_gives_the_same_bytes(version: str) -> None:
    first = transcript(Face(service(), version))

    assert transcript(Face(service(), version)) == first
    assert transcript(Face(service("two"), version)) != first
    assert transcript(Face(service(None), version)) != transcript(Face(service(None), version))


def test_another_tenant_changes_nothing(version: str) -> None:
    alone, shared = service(), service()
    transcript_of_other = transcript(Face(shared, version, key="other"))
    # The request that showed no key counts for everybody, so it is left out
    mine = transcript(Face(shared, version))[:-1]

    assert mine == transcript(Face(alone, version))[:-1]
    assert mine != transcript_of_other[:-1]


def test_reset_starts_again(version: str) -> None:
    face = Face(service(), version)
    first = transcript(face)
    Face(face.service, version, key=None).send("POST", "/_mock/reset")
    again = transcript(face)
    assert again[:-1] == first[:-1]


@pytest.mark.parametrize("key", [KEY, None], ids=["tenant", "emulator"])
def test_a_reset_without_a_seed_repeats_no_id(key: str | None) -> None:
    face = Face(Service(Engine()), "v1.2")
    created = face.create()

    Face(face.service, "v1.2", key=key).send("POST", "/_mock/reset")
    again = face.create()

    assert again.json["sessionId"] != created.json["sessionId"]
    assert again.headers["apim-request-id"] != created.headers["apim-request-id"]


def test_portraits_are_deterministic_and_large_enough() -> None:
    for image_format in ("JPEG", "PNG"):
        pictures = [portrait(seed, image_format) for seed in range(8)]
        assert pictures == [portrait(seed, image_format) for seed in range(8)]
        assert len(set(pictures)) == 8
        assert all(10 * 1024 <= len(picture) <= 1024 * 1024 for picture in pictures)


def test_parallel_sessions_over_tenants(version: str) -> None:
    """Each tenant's calls are in order; the tenants run at once."""
    shared = service()
    keys = [f"tenant-{number}" for number in range(8)]
    scenarios = ["real", "spoof", "uncertain", "mask"]

    def work(key: str) -> list[Any]:
        face = Face(shared, version, key=key)
        results = []
        for number in range(25):
            scenario = scenarios[number % len(scenarios)]
            session_id, result = face.run(deviceCorrelationId=f"mock-{scenario}")
            results.append((session_id, result.response.body))
        return results

    with ThreadPoolExecutor(8) as pool:
        at_once = list(pool.map(work, keys))

    alone = service()
    for key, results in zip(keys, at_once, strict=True):
        assert results == [
            (session_id, body) for session_id, body in _alone(alone, version, key, scenarios)
        ]
    assert len({session_id for results in at_once for session_id, _ in results}) == 200


def _alone(one: Service, version: str, key: str, scenarios: list[str]) -> list[tuple[str, bytes]]:
    face = Face(one, version, key=key)
    runs = [face.run(deviceCorrelationId=f"mock-{scenarios[n % 4]}") for n in range(25)]
    return [(session_id, result.response.body) for session_id, result in runs]


def test_attempts_at_once_on_one_session_are_counted(version: str) -> None:
    face = Face(service(), version)
    token = face.create().json["authToken"]

    def attempt(_: int) -> int:
        while (status := face.attempt(token).status) == 409:
            pass  # another one's turn: both at once is a conflict
        return status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(attempt, range(40)))

    assert sorted(statuses) == [204] * 3 + [403] * 37


def test_creates_at_once_in_one_tenant_are_all_kept(version: str) -> None:
    face = Face(service(), version)
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: face.create().json["sessionId"], range(200)))
    assert len(ids) == 200
    assert {s.id for t in face.service.engine.tenants() for s in t.sessions()} == ids
