"""Calls an Orchestrator and an AsyncOrchestrator alike, so that one test covers both."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from livegate import AsyncOrchestrator, Orchestrator, Settings
from livegate.testing import AsyncFakeFaceService, FakeFaceService

if TYPE_CHECKING:
    from livegate import StartResult
    from livegate.models import StartRequest
    from livegate.operations import Runtime
    from livegate.protocols import SessionStore

KINDS = ("sync", "async")


class EitherOrchestrator:
    """An orchestrator of either kind; every method returns its result, awaited where needed.

    Args:
        kind: One of :data:`KINDS`.
        face: A sync service; the async kind awaits it.
        store: A sync store.
        settings: By default, the defaults.
        options: The other arguments of an orchestrator.
    """

    def __init__(
        self,
        kind: str,
        *,
        face: FakeFaceService,
        store: SessionStore,
        settings: Settings | None = None,
        **options: Any,
    ) -> None:
        self.is_async = kind == "async"
        self._runner = asyncio.Runner()
        settings = settings or Settings()
        self._orchestrator: Orchestrator | AsyncOrchestrator
        if self.is_async:
            self._orchestrator = AsyncOrchestrator(
                settings, face=AsyncFakeFaceService(face), store=store, **options
            )
        else:
            self._orchestrator = Orchestrator(settings, face=face, store=store, **options)

    @property
    def runtime(self) -> Runtime:
        return self._orchestrator.runtime

    def start(self, request: StartRequest) -> StartResult:
        result: StartResult = self._call("start", request)
        return result

    def close(self) -> None:
        self._call("close")

    def end(self) -> None:
        """Close the orchestrator, and the event loop that ran it."""
        self.close()
        self._runner.close()

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._call(name, *args, **kwargs)

        return call

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        method = getattr(self._orchestrator, name)
        if not self.is_async:
            return method(*args, **kwargs)

        async def call() -> Any:
            return await method(*args, **kwargs)

        return self._runner.run(call())
