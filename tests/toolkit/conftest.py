"""An orchestrator of either kind, over a Face service that a test controls and a memory store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from livegate.stores.memory import MemoryStore
from livegate.testing import FakeFaceService, ManualClock
from orchestrators import KINDS, EitherOrchestrator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def face() -> FakeFaceService:
    return FakeFaceService()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.definition.get_closest_marker("both_kinds"):
        metafunc.parametrize("kind", KINDS, indirect=True)


@pytest.fixture
def kind(request: pytest.FixtureRequest) -> str:
    """One kind of orchestrator is enough where the code is the same; marked tests run over both."""
    return str(getattr(request, "param", "sync"))


@pytest.fixture
def make_orchestrator(
    kind: str, face: FakeFaceService, store: MemoryStore, clock: ManualClock
) -> Iterator[Callable[..., EitherOrchestrator]]:
    """Makes orchestrators over the same face, store and clock, unless it is given others."""
    made: list[EitherOrchestrator] = []

    def make(**options: object) -> EitherOrchestrator:
        parts: dict[str, object] = {"face": face, "store": store, "clock": clock, **options}
        made.append(EitherOrchestrator(kind, **parts))  # type: ignore[arg-type]  # as the test says
        return made[-1]

    yield make
    for each in made:
        each.end()


@pytest.fixture
def orchestrator(make_orchestrator: Callable[..., EitherOrchestrator]) -> EitherOrchestrator:
    return make_orchestrator()
