"""Looking after the sessions that nobody calls for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from livegate import (
    Outcome,
)
from livegate.errors import (
    FaceUnavailableError,
    InvalidRequestError,
)
from livegate.session import OutcomeStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from doors import Door
    from livegate import LivenessSession
    from livegate.stores.memory import MemoryStore
    from livegate.testing.doubles import ManualClock, ScriptedFace


from tests.toolkit.flows.samples import PASSES, RUNS, S, start


def test_a_sweep_finds_what_nobody_calls_for(
    gate: Door, face: ScriptedFace, clock: ManualClock
) -> None:
    abandoned, waiting = start(gate), start(gate)
    face.outcome = RUNS
    gate.finish(waiting.id, subject="alice")
    face.failures["create"] = FaceUnavailableError("no answer")
    with pytest.raises(FaceUnavailableError):
        start(gate)
    face.outcome = PASSES

    clock.advance(60)
    first = gate.sweep()
    assert gate.get(waiting.id, subject="alice").state is S.PASSED
    face.outcome = Outcome(OutcomeStatus.NOT_STARTED)
    clock.advance(600)
    second = gate.sweep()

    assert (first.due, first.settled) == (1, 1)
    assert (second.due, second.settled, second.deleted) == (2, 2, 1)
    assert gate.get(abandoned.id, subject="alice").state is S.EXPIRED
    assert face.sessions == set()


def test_a_sweep_goes_on_when_one_session_fails(
    gate: Door, face: ScriptedFace, clock: ManualClock
) -> None:
    sessions = [start(gate), start(gate)]
    clock.advance(600)
    face.failures["read"] = FaceUnavailableError("no answer")

    assert gate.sweep().failed == 2
    del face.failures["read"]
    clock.advance(60)
    assert gate.sweep().settled == 2
    assert {gate.get(each.id, subject="alice").state for each in sessions} == {S.EXPIRED}


def test_a_sweep_goes_on_when_a_program_fails(
    make_gate: Callable[..., Door],
    face: ScriptedFace,
    clock: ManualClock,
    store: MemoryStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    poisoned: list[str] = []

    class Store(type(store)):  # type: ignore[misc]  # fails for one session, and not as a store does
        def save(self, session: LivenessSession, expected_version: int) -> None:
            if session.id in poisoned:
                raise KeyError("a mistake in the store")
            super().save(session, expected_version)

    gate = make_gate(store=Store())
    poisoned.append(start(gate).id)
    other = start(gate)
    clock.advance(600)

    swept = gate.sweep()

    assert (swept.due, swept.settled, swept.failed) == (2, 1, 1)
    assert gate.get(other.id, subject="alice").state is S.EXPIRED
    assert "a mistake in the store" in caplog.text


@pytest.mark.parametrize("limit", [0, -1, None, "5", 1.5, True, 10**30])
def test_a_sweep_of_no_number_is_refused(gate: Door, limit: Any) -> None:
    with pytest.raises(InvalidRequestError) as error:
        gate.sweep(limit)
    assert error.value.field == "limit"
