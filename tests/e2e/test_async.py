"""The whole path again, awaited: the async orchestrator over the async client library."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from emulated import KEY
from livegate import AsyncOrchestrator, ReferenceImage, Settings, StartRequest
from livegate.errors import FaceUnavailableError
from mockface import SimulatedClient
from mockface.images import portrait

if TYPE_CHECKING:
    from pathlib import Path

    from mockface import Mockface


@pytest.mark.parametrize(
    ("outcome", "image", "state"),
    [
        ("real", None, "passed"),
        ("spoof", None, "rejected"),
        ("real", portrait("alice"), "passed"),
        ("wrong-person", portrait("alice"), "rejected"),
    ],
)
def test_a_session(
    mock: Mockface, tmp_path: Path, api_version: str, outcome: str, image: bytes | None, state: str
) -> None:
    settings = Settings(
        endpoint=mock.url,
        key=KEY,
        api_version=api_version,
        store=f"sqlite:///{tmp_path}/sessions.sqlite",
    )

    async def live() -> str:
        async with AsyncOrchestrator(settings) as gate:
            reference = ReferenceImage(image) if image else None
            started = await gate.start(StartRequest("alice", reference_image=reference))
            camera = SimulatedClient(scenario=outcome)
            seen = await asyncio.to_thread(camera.start, started.auth_token)
            session = await gate.finish(started.session.id, subject="alice", digest=seen.digest)
            assert session.remote == "deleted"
            assert (await gate.get(session.id, subject="alice")) == session
            return session.state

    assert asyncio.run(live()) == state
    assert [each for tenant in mock.engine.tenants() for each in tenant.sessions()] == []


def test_many_sessions_at_once(mock: Mockface, tmp_path: Path, api_version: str) -> None:
    settings = Settings(
        endpoint=mock.url,
        key=KEY,
        api_version=api_version,
        store=f"sqlite:///{tmp_path}/sessions.sqlite",
    )

    async def live(gate: AsyncOrchestrator, number: int) -> str:
        subject = f"user-{number}"
        started = await gate.start(StartRequest(subject))
        outcome = "real" if number % 2 else "spoof"
        camera = SimulatedClient(scenario=outcome)
        seen = await asyncio.to_thread(camera.start, started.auth_token)
        done = await gate.finish(started.session.id, subject=subject, digest=seen.digest)
        return done.state

    async def all_of_them() -> list[str]:
        async with AsyncOrchestrator(settings) as gate:
            return await asyncio.gather(*(live(gate, number) for number in range(20)))

    assert asyncio.run(all_of_them()) == ["rejected", "passed"] * 10


def test_a_service_that_fails(mock: Mockface, tmp_path: Path, api_version: str) -> None:
    settings = Settings(
        endpoint="http://127.0.0.1:9",
        key=KEY,
        api_version=api_version,
        store=f"sqlite:///{tmp_path}/sessions.sqlite",
    )

    async def fail() -> None:
        async with AsyncOrchestrator(settings) as gate:
            with pytest.raises(FaceUnavailableError):
                await gate.start(StartRequest("alice"))
            kept = (await gate.find(subject="alice")).sessions
            assert [each.state for each in kept] == ["requested"]

    asyncio.run(fail())
