"""An application's module that the command works with, over SQLite and a service of the tests."""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from livegate import Orchestrator, Purpose, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from livegate.testing import FakeFaceService, ManualClock


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is configured but what a test sets."""
    for name in os.environ:
        if name.startswith(("LIVEGATE_", "VISION_")):
            monkeypatch.delenv(name)


@pytest.fixture
def acme(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, face: FakeFaceService, clock: ManualClock
) -> ModuleType:
    """An application's module that offers its orchestrator to the command."""
    module: Any = ModuleType("acme")
    module.orchestrator = lambda: Orchestrator(
        Settings(),
        face=face,
        store=f"sqlite:///{tmp_path}/sessions.sqlite",
        clock=clock,
        purposes=[Purpose("sign-in"), Purpose("payout")],
    )
    monkeypatch.setitem(sys.modules, "acme", module)
    return module  # type: ignore[no-any-return]


@pytest.fixture
def gate(acme: Any) -> Iterator[Orchestrator]:
    """The same orchestrator, for what a test arranges and looks at."""
    with acme.orchestrator() as gate:
        yield gate
