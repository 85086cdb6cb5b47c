"""Plugins as an orchestrator of either kind has them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.plugins.samples import NOW

from livegate._sync import run_sync
from livegate.hooks import PluginContext, Settings
from livegate.plugins.manager import Plugins
from sample_plugin import AsyncPlugin, SyncPlugin

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Call = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["sync", "async"])
def is_async(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "async")


@pytest.fixture
def call(is_async: bool) -> Call:
    """Runs an operation as the orchestrator of either kind does."""
    return asyncio.run if is_async else run_sync


@pytest.fixture
def make(is_async: bool) -> Callable[..., Plugins]:
    """Makes plugins that are configured."""

    def make(*plugins: object, settings: Settings | None = None, **config: Any) -> Plugins:
        manager = Plugins(plugins, is_async=is_async)
        manager.configure(
            PluginContext(
                settings=settings or Settings(),
                clock=lambda: NOW,
                version="1.0",
                plugin_config=config,
            )
        )
        return manager

    return make


@pytest.fixture(params=[SyncPlugin, AsyncPlugin], ids=["def", "async def"])
def plugin(request: pytest.FixtureRequest) -> Any:
    return request.param()
