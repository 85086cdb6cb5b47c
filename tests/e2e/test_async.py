"""The whole path, awaited: the async orchestrator over the async client library."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from emulated import KEY, PURPOSES
from livegate import AsyncOrchestrator, Settings, StartRequest
from livegate.errors import FaceUnavailableError, VerdictNotPassedError
from mockface import SimulatedClient

if TYPE_CHECKING:
    from pathlib import Path

    from livegate import LivenessSession
    from mockface import Mockface


def orchestrator(mock: Mockface, folder: Path, endpoint: str | None = None) -> AsyncOrchestrator:
    settings = Settings(
        endpoint=endpoint or mock.url,
        key=KEY,
        store=f"sqlite:///{folder}/sessions.sqlite",
        face_retries=0,
    )
    return AsyncOrchestrator(settings, purposes=PURPOSES)


async def run_session(
    gate: AsyncOrchestrator, request: StartRequest, scenario: str
) -> LivenessSession:
    started = await gate.start(request)
    camera = SimulatedClient(scenario=scenario)
    seen = await asyncio.to_thread(camera.start, started.auth_token)
    return await gate.finish(started.session.id, subject=request.subject, digest=seen.digest)


@pytest.mark.parametrize(
    ("purpose", "transaction", "scenario", "state"),
    [
        ("sign-in", None, "real", "passed"),
        ("sign-in", None, "spoof", "rejected"),
        ("payout", "payout 7", "real", "passed"),
        ("payout", "payout 7", "wrong-person", "rejected"),
    ],
)
def test_session_ends_as_the_attempt_was(
    mock: Mockface,
    tmp_path: Path,
    purpose: str,
    transaction: str | None,
    scenario: str,
    state: str,
) -> None:
    async def main() -> None:
        async with orchestrator(mock, tmp_path) as gate:
            request = StartRequest("alice", purpose, transaction)

            session = await run_session(gate, request, scenario)

            assert (session.state, session.remote) == (state, "deleted")
            assert await gate.get(session.id, subject="alice") == session
            consume = gate.consume(
                session.id, subject="alice", purpose=purpose, transaction=transaction
            )
            if state == "passed":
                assert (await consume).consumed_at is not None
            else:
                with pytest.raises(VerdictNotPassedError):
                    await consume

    asyncio.run(main())
    assert mock.control(KEY).sessions() == []


def test_twenty_sessions_at_once(mock: Mockface, tmp_path: Path) -> None:
    async def main() -> list[str]:
        async with orchestrator(mock, tmp_path) as gate:
            sessions = await asyncio.gather(
                *(
                    run_session(gate, StartRequest(f"user-{number}"), scenario)
                    for number, scenario in enumerate(["spoof", "real"] * 10)
                )
            )
            return [session.state for session in sessions]

    assert asyncio.run(main()) == ["rejected", "passed"] * 10


def test_start_without_a_service_keeps_the_intent(mock: Mockface, tmp_path: Path) -> None:
    async def main() -> None:
        async with orchestrator(mock, tmp_path, "http://127.0.0.1:9") as gate:
            with pytest.raises(FaceUnavailableError):
                await gate.start(StartRequest("alice"))
            kept = (await gate.find(subject="alice")).sessions
            assert [session.state for session in kept] == ["requested"]

    asyncio.run(main())
