"""What an orchestrator is made of: parts that do not fit are told at the start."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from livegate import (
    Settings,
)
from livegate.errors import (
    ConfigurationError,
)

if TYPE_CHECKING:
    from livegate.testing.doubles import ScriptedFace


from tests.toolkit.flows.samples import ALICE


def naive() -> datetime:
    return datetime(2026, 1, 1)  # noqa: DTZ001 - the mistake itself


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"clock": naive}, "clock.*time zone"),
        ({"clock": lambda: 1}, "clock.*time zone"),
        ({"clock": naive()}, "clock.*time zone"),
        ({"settings": {}}, "settings has to be a Settings"),
        ({"store": dict}, "dict is a class"),
    ],
)
def test_a_part_that_does_not_fit_is_named_at_the_start(
    face: ScriptedFace, part: dict[str, Any], says: str
) -> None:
    from livegate import AsyncOrchestrator, Orchestrator
    from livegate.testing.doubles import AsyncScriptedFace

    parts: dict[str, Any] = {"settings": Settings(store="memory://"), **part}
    with pytest.raises(ConfigurationError, match=says):
        Orchestrator(face=face, **parts)
    with pytest.raises(ConfigurationError, match=says):
        AsyncOrchestrator(face=AsyncScriptedFace(face), **parts)


def test_a_face_that_does_not_fit_is_told_at_the_start(face: ScriptedFace) -> None:
    from livegate import AsyncOrchestrator, Orchestrator
    from livegate.testing.doubles import AsyncScriptedFace

    settings = Settings(store="memory://")
    nothing: Any = object()
    sync_one: Any = face
    async_one: Any = AsyncScriptedFace(face)

    with pytest.raises(ConfigurationError, match=r"object cannot be a face service.*create"):
        Orchestrator(settings, face=nothing)
    with pytest.raises(ConfigurationError, match="AsyncScriptedFace is an async face service"):
        Orchestrator(settings, face=async_one)
    with pytest.raises(ConfigurationError, match="ScriptedFace is a sync face service"):
        AsyncOrchestrator(settings, face=sync_one)


@pytest.mark.parametrize("session_id", ["short", "", 5, None, "\ud800" * 20, "x" * 65])
def test_an_id_that_nobody_could_ask_for_starts_nothing(
    face: ScriptedFace, session_id: Any
) -> None:
    from livegate import Orchestrator

    gate = Orchestrator(Settings(store="memory://"), face=face, new_id=lambda: session_id)

    with pytest.raises(ConfigurationError, match="new_id"):
        gate.start(ALICE)
    assert face.calls == []
