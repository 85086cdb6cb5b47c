"""From the front end's word to a verdict or an end, and to a forgotten remote session."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from livegate import (
    Outcome,
    RemoteState,
)
from livegate.errors import (
    FaceError,
    FaceSessionNotFoundError,
    FaceUnavailableError,
    TransitionError,
)
from livegate.session import OutcomeStatus

if TYPE_CHECKING:
    from doors import Door
    from livegate.testing.doubles import ManualClock, ScriptedFace


from tests.toolkit.flows.samples import DIGEST, MASK, PASSES, REAL, RETRYABLE, RUNS, S, start

# --- finish ------------------------------------------------------------------------------------


def test_a_finish_reads_the_verdict_and_then_deletes_the_remote_session(
    gate: Door, face: ScriptedFace
) -> None:
    session = start(gate)
    face.outcome = PASSES

    done = gate.finish(session.id, subject="alice", digest=DIGEST)

    assert (done.state, done.remote, done.attempts) == ("passed", "deleted", (REAL,))
    assert face.calls == ["create", "read", "delete"]
    assert face.sessions == set()
    assert gate.get(session.id, subject="alice") == done


def test_a_finish_before_the_result_waits_for_it(gate: Door, face: ScriptedFace) -> None:
    session = start(gate)
    face.outcome = RUNS

    waiting = gate.finish(session.id, subject="alice", digest=DIGEST)
    face.outcome = PASSES
    done = gate.read_result(session.id, subject="alice")

    assert waiting.state is S.AWAITING_RESULT
    assert done.state is S.PASSED


def test_a_second_finish_changes_nothing(gate: Door, face: ScriptedFace) -> None:
    session = start(gate)
    face.outcome = PASSES
    done = gate.finish(session.id, subject="alice")

    again = gate.finish(session.id, subject="alice", digest="AB", client_error="TimedOut")

    assert again == done


def test_a_wrong_digest_is_not_forgotten_by_a_right_one(gate: Door, face: ScriptedFace) -> None:
    session = start(gate)
    face.outcome = RUNS
    gate.finish(session.id, subject="alice", digest="AB")
    face.outcome = PASSES

    done = gate.finish(session.id, subject="alice", digest=DIGEST)

    assert (done.state, done.reasons) == ("rejected", ("digest_differs",))


def test_a_digest_of_the_service_that_is_no_unicode_differs(gate: Door, face: ScriptedFace) -> None:
    session = start(gate)
    face.outcome = Outcome(OutcomeStatus.ENDED, (replace(REAL, digest="\ud800"),))

    done = gate.finish(session.id, subject="alice", digest=DIGEST)

    assert (done.state, done.reasons) == ("rejected", ("digest_differs",))


@pytest.mark.parametrize("early", [True, False])
def test_an_error_of_the_client_ends_inconclusive_whenever_the_result_comes(
    gate: Door, face: ScriptedFace, early: bool
) -> None:
    session = start(gate)
    face.outcome = Outcome(OutcomeStatus.NOT_STARTED) if early else PASSES

    done = gate.finish(session.id, subject="alice", client_error="CameraPermissionDenied")

    assert (done.state, done.reasons) == ("inconclusive", ("CameraPermissionDenied",))


@pytest.mark.parametrize("error", RETRYABLE, ids=lambda error: error.code)
def test_when_the_service_does_not_say_the_state_is_kept_and_a_later_try_succeeds(
    gate: Door, face: ScriptedFace, error: FaceError
) -> None:
    session = start(gate)
    face.failures["read"] = error

    with pytest.raises(type(error)):
        gate.finish(session.id, subject="alice", digest=DIGEST)
    kept = gate.get(session.id, subject="alice")
    assert (kept.state, kept.client_digests) == ("awaiting_result", (DIGEST,))

    del face.failures["read"]
    face.outcome = PASSES
    assert gate.finish(session.id, subject="alice").state is S.PASSED


def test_reading_shows_that_the_client_has_begun(gate: Door, face: ScriptedFace) -> None:
    session = start(gate)
    face.outcome = RUNS

    assert gate.read_result(session.id, subject="alice").state is S.STARTED
    assert gate.read_result(session.id, subject="alice").state is S.STARTED


def test_a_failed_attempt_concludes_nothing_as_long_as_the_client_may_try_again(
    gate: Door, face: ScriptedFace
) -> None:
    session = start(gate)
    face.outcome = Outcome(OutcomeStatus.RUNNING, (MASK,))

    assert gate.read_result(session.id, subject="alice").state is S.STARTED
    assert gate.finish(session.id, subject="alice").state is S.INCONCLUSIVE


def test_a_session_that_was_never_created_cannot_be_finished(
    gate: Door, face: ScriptedFace
) -> None:
    face.failures["create"] = FaceUnavailableError("no answer")
    with pytest.raises(FaceUnavailableError):
        start(gate)
    session = gate.find(subject="alice").sessions[0]

    for verb in ("finish", "read_result"):
        with pytest.raises(TransitionError) as error:
            getattr(gate, verb)(session.id, subject="alice")
        assert error.value.code == "not_ready"


# --- time --------------------------------------------------------------------------------------


def test_past_its_lifetime_a_session_without_an_attempt_expires(
    gate: Door, face: ScriptedFace, clock: ManualClock
) -> None:
    session = start(gate)
    clock.advance(600)

    done = gate.finish(session.id, subject="alice")

    assert (done.state, done.remote) == ("expired", "deleted")


def test_a_session_that_the_service_ended_without_an_attempt_expires(
    gate: Door, face: ScriptedFace
) -> None:
    session = start(gate)
    face.outcome = Outcome(OutcomeStatus.ENDED)

    assert gate.finish(session.id, subject="alice").state is S.EXPIRED


def test_a_result_still_counts_within_the_grace_and_not_after_it(
    gate: Door, face: ScriptedFace, clock: ManualClock
) -> None:
    in_time, late = start(gate), start(gate)
    face.outcome = PASSES
    clock.advance(600 + 599)
    assert gate.finish(in_time.id, subject="alice").state is S.PASSED
    clock.advance(1)

    reads = face.calls.count("read")
    assert gate.finish(late.id, subject="alice").state is S.EXPIRED
    assert face.calls.count("read") == reads


def test_an_attempt_under_way_is_waited_for_past_the_lifetime(
    gate: Door, face: ScriptedFace, clock: ManualClock
) -> None:
    session = start(gate)
    face.outcome = RUNS
    clock.advance(601)

    assert gate.expire(session.id, subject="alice").state is S.STARTED
    clock.advance(600)
    assert gate.expire(session.id, subject="alice").state is S.EXPIRED


def test_expire_leaves_a_session_alone_whose_time_is_not_over(
    gate: Door, face: ScriptedFace
) -> None:
    session = start(gate)

    assert gate.expire(session.id, subject="alice") == session
    assert face.calls == ["create"]


def test_a_session_that_the_service_forgot_expires(gate: Door, face: ScriptedFace) -> None:
    session = start(gate)
    face.failures["read"] = FaceSessionNotFoundError("gone")

    done = gate.finish(session.id, subject="alice")

    assert (done.state, done.remote) == ("expired", "deleted")
    assert "delete" not in face.calls


def test_refresh_does_only_what_is_due(gate: Door, face: ScriptedFace, clock: ManualClock) -> None:
    session = start(gate)
    assert gate.refresh(session.id, subject="alice") == session
    assert face.calls == ["create"]

    face.outcome = RUNS
    gate.finish(session.id, subject="alice")
    face.outcome = PASSES
    assert gate.refresh(session.id, subject="alice").state is S.PASSED


# --- cancel and deletion -----------------------------------------------------------------------


def test_a_cancel_ends_the_session_here_and_at_the_service_and_again_does_nothing(
    gate: Door, face: ScriptedFace
) -> None:
    session = start(gate)

    first = gate.cancel(session.id, subject="alice")
    second = gate.cancel(session.id, subject="alice")

    assert (first.state, first.remote) == ("cancelled", "deleted")
    assert second == first
    assert face.sessions == set()


def test_a_cancel_never_takes_a_verdict_away(gate: Door, face: ScriptedFace) -> None:
    session = start(gate)
    face.outcome = PASSES
    gate.finish(session.id, subject="alice")

    assert gate.cancel(session.id, subject="alice").state is S.PASSED


def test_a_deletion_that_fails_does_not_fail_the_verdict_and_is_tried_again(
    gate: Door, face: ScriptedFace, clock: ManualClock
) -> None:
    session = start(gate)
    face.outcome = PASSES
    face.failures["delete"] = FaceUnavailableError("no answer")

    done = gate.finish(session.id, subject="alice")
    assert (done.state, done.remote, done.remote_tries) == ("passed", "deleting", 1)
    assert gate.sweep().due == 0

    clock.advance(30)
    assert gate.sweep().failed == 1
    clock.advance(60)
    del face.failures["delete"]
    assert gate.sweep().deleted == 1
    assert gate.get(session.id, subject="alice").remote is RemoteState.DELETED
    assert face.sessions == set()


def test_a_deletion_can_be_asked_for(gate: Door, face: ScriptedFace, clock: ManualClock) -> None:
    session = start(gate)
    face.failures["delete"] = FaceUnavailableError("no answer")
    gate.cancel(session.id, subject="alice")
    del face.failures["delete"]

    assert gate.delete_remote(session.id, subject="alice").remote is RemoteState.DELETING
    clock.advance(30)
    assert gate.delete_remote(session.id, subject="alice").remote is RemoteState.DELETED
