"""Many sessions of one process that wait for a slow service."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from benchmarks.slow_service import slow_service

from livegate import AsyncOrchestrator, SessionState, Settings, StartRequest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.reliability

SESSIONS = 2_000


def test_two_thousand_sessions_wait_for_a_slow_service_without_an_error(tmp_path: Path) -> None:
    async def run(endpoint: str) -> list[SessionState]:
        settings = Settings(endpoint=endpoint, key="key", store=f"sqlite:///{tmp_path}/many.db")
        async with AsyncOrchestrator(settings) as gate:
            starts = [gate.start(StartRequest(f"user-{number}")) for number in range(SESSIONS)]
            return [each.session.state for each in await asyncio.gather(*starts)]

    # Given a service that takes two seconds; when 2,000 sessions are started at once
    with slow_service(2) as endpoint:
        states = asyncio.run(run(endpoint))

    # Then each is ready
    assert states == [SessionState.READY] * SESSIONS
