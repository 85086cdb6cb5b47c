"""The state machine: every state against every event, and what no sequence can do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livegate import LivenessSession, OperationMode, RemoteState, SessionKind, SessionState, Verdict
from livegate.errors import TransitionError
from livegate.lifecycle import (
    ASKING_LIMIT,
    TRANSITIONS,
    Asked,
    Cancelled,
    ClientFinished,
    ClientStarted,
    Consumed,
    Created,
    Event,
    Expired,
    Refused,
    RemoteDeleted,
    RemoteDeletionFailed,
    ResultRead,
    Reviewed,
    Unanswered,
    advance,
    due_at,
    name_of,
)
from livegate.session import FINAL_STATES, VERDICT_STATES, Attempt, AttemptStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)
S = SessionState

PASSED = Verdict(S.PASSED)
ATTEMPT = Attempt(1, AttemptStatus.SUCCEEDED, decision="realface")
STATE_EVENTS: dict[str, Event] = {
    "asked": Asked(),
    "unanswered": Unanswered(),
    "created": Created("remote", NOW + timedelta(minutes=10)),
    "refused": Refused("InvalidImage"),
    "client_started": ClientStarted(),
    "client_finished": ClientFinished(digest="AB"),
    "result_read": ResultRead((ATTEMPT,), PASSED),
    "reviewed": Reviewed(PASSED),
    "expired": Expired(),
    "cancelled": Cancelled(),
}

# The table of the design, written down a second time by hand: what leaves each state, and whereto.
EXPECTED = {
    S.REQUESTED: {
        "asked": S.REQUESTED,
        "unanswered": S.REQUESTED,
        "created": S.READY,
        "refused": S.FAILED,
        "expired": S.EXPIRED,
        "cancelled": S.CANCELLED,
    },
    S.READY: {
        "client_started": S.STARTED,
        "client_finished": S.AWAITING_RESULT,
        "result_read": S.PASSED,
        "expired": S.EXPIRED,
        "cancelled": S.CANCELLED,
    },
    S.STARTED: {
        "client_finished": S.AWAITING_RESULT,
        "result_read": S.PASSED,
        "expired": S.EXPIRED,
        "cancelled": S.CANCELLED,
    },
    S.AWAITING_RESULT: {
        "client_finished": S.AWAITING_RESULT,
        "result_read": S.PASSED,
        "expired": S.EXPIRED,
        "cancelled": S.CANCELLED,
    },
    S.NEEDS_REVIEW: {"reviewed": S.PASSED},
    **{state: {} for state in FINAL_STATES},
}


def session_in(state: SessionState, remote: RemoteState | None = None) -> LivenessSession:
    started = state is not S.REQUESTED
    return LivenessSession(
        id="a" * 32,
        subject="alice",
        purpose="login",
        kind=SessionKind.LIVENESS,
        mode=OperationMode.PASSIVE,
        api_version="v1.2",
        correlation_id="device",
        created_at=NOW,
        updated_at=NOW,
        expires_at=NOW + timedelta(minutes=10),
        state=state,
        remote=remote or (RemoteState.PRESENT if started else RemoteState.NONE),
        remote_id="remote" if started else None,
    )


@pytest.mark.parametrize("event", STATE_EVENTS)
@pytest.mark.parametrize("state", SessionState)
def test_each_event_in_each_state_does_what_the_table_says(state: SessionState, event: str) -> None:
    session = session_in(state)
    target = EXPECTED[state].get(event)

    if target is None:
        with pytest.raises(TransitionError) as error:
            advance(session, STATE_EVENTS[event], LATER)
        assert event in str(error.value)
        assert error.value.status == 409
    else:
        after = advance(session, STATE_EVENTS[event], LATER)
        assert after.state is target
        assert after.version == session.version + 1
        assert after.updated_at == LATER


def test_the_tables_know_every_state_and_every_event() -> None:
    assert set(TRANSITIONS) == set(SessionState)
    in_table = {name_of(event) for arrows in TRANSITIONS.values() for event in arrows}
    assert in_table == set(STATE_EVENTS)


@pytest.mark.parametrize("verdict", [S.PASSED, S.REJECTED, S.INCONCLUSIVE, S.NEEDS_REVIEW])
def test_a_result_leads_to_the_state_of_its_verdict(verdict: SessionState) -> None:
    after = advance(session_in(S.READY), ResultRead((ATTEMPT,), Verdict(verdict, ("why",))), LATER)

    assert after.state is verdict
    assert after.verdict == Verdict(verdict, ("why",))
    assert after.attempts == (ATTEMPT,)


def test_a_review_cannot_end_in_another_review() -> None:
    with pytest.raises(TransitionError):
        advance(session_in(S.NEEDS_REVIEW), Reviewed(Verdict(S.NEEDS_REVIEW)), LATER)


@pytest.mark.parametrize("state", [S.READY, S.FAILED, S.CANCELLED])
def test_only_some_states_are_verdicts(state: SessionState) -> None:
    assert session_in(state).verdict is None
    with pytest.raises(ValueError, match="no verdict"):
        Verdict(state)


# --- the remote session ------------------------------------------------------------------------


@pytest.mark.parametrize("event", ["result_read", "expired", "cancelled"])
def test_what_ends_a_session_asks_for_the_deletion_of_the_remote_one(event: str) -> None:
    after = advance(session_in(S.STARTED), STATE_EVENTS[event], LATER)

    assert after.remote is RemoteState.DELETING
    assert due_at(after) == LATER


def test_a_session_that_never_had_a_remote_one_has_nothing_to_delete() -> None:
    after = advance(session_in(S.REQUESTED), Cancelled(), LATER)

    assert after.remote is RemoteState.NONE
    assert due_at(after) is None


def test_a_deletion_is_tried_until_it_is_confirmed() -> None:
    deleting = advance(session_in(S.READY), Cancelled(), LATER)
    retry_at = LATER + timedelta(minutes=1)

    failed = advance(deleting, RemoteDeletionFailed(retry_at), LATER)
    deleted = advance(failed, RemoteDeleted(), retry_at)

    assert (failed.remote, failed.remote_tries, due_at(failed)) == ("deleting", 1, retry_at)
    assert (deleted.remote, due_at(deleted)) == ("deleted", None)
    assert deleted.state is S.CANCELLED


@pytest.mark.parametrize("remote", [each for each in RemoteState if each != "deleting"])
def test_a_remote_session_is_deleted_only_when_that_was_wanted(remote: RemoteState) -> None:
    for event in (RemoteDeleted(), RemoteDeletionFailed(LATER)):
        with pytest.raises(TransitionError):
            advance(session_in(S.CANCELLED, remote), event, LATER)


# --- the client's word ------------------------------------------------------------------------


def test_different_digests_of_the_client_are_all_kept_as_far_as_they_matter() -> None:
    session = session_in(S.READY)
    for digest in ("A", "A", "B", "C", None):
        session = advance(session, ClientFinished(digest), LATER)

    assert session.client_digests == ("A", "B")


def test_the_first_error_of_the_client_stands() -> None:
    session = advance(session_in(S.READY), ClientFinished(error="TimedOut"), LATER)
    session = advance(session, ClientFinished(error="InvalidToken"), LATER)

    assert session.client_error == "TimedOut"


# --- one use ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", SessionState)
def test_only_a_verdict_can_be_used_and_only_once(state: SessionState) -> None:
    session = session_in(state)

    if state not in VERDICT_STATES:
        with pytest.raises(TransitionError):
            advance(session, Consumed(), LATER)
        return
    used = advance(session, Consumed(), LATER)
    assert used.consumed_at == LATER
    assert used.state is state
    with pytest.raises(TransitionError):
        advance(used, Consumed(), LATER)


# --- when somebody has to look --------------------------------------------------------------


def test_a_session_is_due_when_nobody_may_call_for_it_any_more() -> None:
    asked = replace(session_in(S.REQUESTED), asked_at=LATER)

    assert due_at(session_in(S.REQUESTED)) == NOW + ASKING_LIMIT
    assert due_at(asked) == LATER + ASKING_LIMIT
    assert due_at(session_in(S.READY)) == NOW + timedelta(minutes=10)
    assert due_at(session_in(S.AWAITING_RESULT)) == NOW
    assert due_at(session_in(S.PASSED, RemoteState.DELETED)) is None


# --- any sequence -----------------------------------------------------------------------------

any_event = st.one_of(
    st.sampled_from([*STATE_EVENTS.values(), Consumed(), RemoteDeleted()]),
    st.builds(ClientFinished, st.none() | st.text(max_size=3), st.none() | st.text(max_size=3)),
    st.builds(
        ResultRead,
        st.just(()),
        st.builds(Verdict, st.sampled_from([S.PASSED, S.REJECTED, S.INCONCLUSIVE, S.NEEDS_REVIEW])),
    ),
    st.builds(RemoteDeletionFailed, st.just(LATER)),
)


@given(st.lists(any_event, max_size=25))
def test_no_sequence_of_events_changes_a_final_state_or_loses_a_deletion(
    events: list[Event],
) -> None:
    session = session_in(S.REQUESTED)
    for event in events:
        try:
            after = advance(session, event, LATER)
        except TransitionError:
            continue
        assert after.version == session.version + 1
        if session.state.is_final:
            assert after.state is session.state
            assert after.reasons == session.reasons
        if session.remote is RemoteState.DELETED:
            assert after.remote is RemoteState.DELETED
        if after.remote_id is not None and after.state.is_final:
            assert after.remote in (RemoteState.DELETING, RemoteState.DELETED)
        if after.remote is RemoteState.DELETING:
            assert due_at(after) is not None
        session = after
