"""One gate, in both colours, over a scripted service and a memory store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from doors import COLOURS, Door
from livegate.stores.memory import MemoryStore
from livegate.testing.doubles import ManualClock, ScriptedFace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def face() -> ScriptedFace:
    return ScriptedFace()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(params=COLOURS)
def colour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_gate(
    colour: str, face: ScriptedFace, store: MemoryStore, clock: ManualClock
) -> Iterator[Callable[..., Door]]:
    doors: list[Door] = []

    def make(**changes: object) -> Door:
        parts: dict[str, object] = {"face": face, "store": store, "clock": clock, **changes}
        doors.append(Door(colour, **parts))  # type: ignore[arg-type]  # the tests' own business
        return doors[-1]

    yield make
    for door in doors:
        door.close()


@pytest.fixture
def gate(make_gate: Callable[..., Door]) -> Door:
    return make_gate()
