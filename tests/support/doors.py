"""One face for both orchestrators, so that one suite runs over both colours."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from livegate import AsyncOrchestrator, Orchestrator, Settings
from livegate.testing.doubles import AsyncScriptedFace, ManualClock, ScriptedFace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from livegate.session import LivenessSession, Page, Started, StartRequest
    from livegate.stores.base import SessionStore

COLOURS = ("sync", "async")


class Door:
    """An orchestrator of either colour, called without waiting for anything."""

    def __init__(
        self,
        colour: str,
        *,
        face: ScriptedFace,
        store: SessionStore,
        clock: ManualClock,
        plugins: Iterable[object] = (),
        settings: Settings | None = None,
    ) -> None:
        self.colour = colour
        self.runner = asyncio.Runner()
        settings = settings or Settings()
        self.orchestrator: Any
        if colour == "sync":
            self.orchestrator = Orchestrator(
                settings, face=face, store=store, clock=clock, plugins=plugins
            )
        else:
            self.orchestrator = AsyncOrchestrator(
                settings, face=AsyncScriptedFace(face), store=store, clock=clock, plugins=plugins
            )

    def _call(self, verb: str, *args: Any, **kwargs: Any) -> Any:
        answer = getattr(self.orchestrator, verb)(*args, **kwargs)
        if self.colour == "sync":
            return answer

        async def wait() -> Any:
            return await answer

        return self.runner.run(wait())

    def start(self, request: StartRequest) -> Started:
        started: Started = self._call("start", request)
        return started

    def find(self, **kwargs: Any) -> Page:
        page: Page = self._call("find", **kwargs)
        return page

    def __getattr__(self, verb: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> LivenessSession:
            answer: LivenessSession = self._call(verb, *args, **kwargs)
            return answer

        return call

    def close(self) -> None:
        self._call("close")
        self.runner.close()
