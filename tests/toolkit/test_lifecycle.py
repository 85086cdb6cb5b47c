"""The state machine: every state against every event, and what no sequence of events can do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livegate.errors import TransitionError
from livegate.lifecycle import (
    REMOTE_TRANSITIONS,
    TRANSITIONS,
    Cancelled,
    ClientFinished,
    ClientStarted,
    Consumed,
    Created,
    CreateFailed,
    CreateRejected,
    CreateRequested,
    DetailsRemoved,
    EraseRequested,
    Event,
    Expired,
    RemoteDeleted,
    RemoteDeletionFailed,
    ResultPolled,
    ResultRead,
    Reviewed,
    Timing,
    advance,
    due_at,
    event_name,
    is_conclusive,
)
from livegate.models import (
    FINAL_STATES,
    Attempt,
    AttemptStatus,
    LivenessSession,
    OperationMode,
    Outcome,
    OutcomeStatus,
    ReferenceSource,
    RemoteState,
    SessionKind,
    SessionState,
    Verdict,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)
EXPIRES = NOW + timedelta(minutes=10)
TIMING = Timing(
    create=timedelta(seconds=20),
    poll=timedelta(seconds=40),
    review=timedelta(days=3),
    details=timedelta(days=9),
)
S = SessionState
R = RemoteState

PASSED = Verdict(S.PASSED)
ATTEMPT = Attempt(
    1,
    AttemptStatus.SUCCEEDED,
    decision="realface",
    digest="AB",
    is_identical=True,
    match_confidence=0.9,
    reference_sha256="CD",
)
STATE_EVENTS: dict[str, Event] = {
    "create_requested": CreateRequested("CD", ReferenceSource.PURPOSE),
    "create_failed": CreateFailed(),
    "create_rejected": CreateRejected("InvalidImage"),
    "created": Created("remote", EXPIRES),
    "client_started": ClientStarted(),
    "client_finished": ClientFinished(digest="AB"),
    "result_polled": ResultPolled(),
    "result_read": ResultRead((ATTEMPT,), PASSED),
    "reviewed": Reviewed(PASSED, "carol"),
    "expired": Expired(),
    "cancelled": Cancelled(),
}
OTHER_EVENTS: dict[str, Event] = {
    "remote_deleted": RemoteDeleted(),
    "remote_deletion_failed": RemoteDeletionFailed(LATER),
    "consumed": Consumed(),
    "details_removed": DetailsRemoved(),
    "erase_requested": EraseRequested(),
}

# The transitions, written a second time by hand: the events of each state, and the next state.
EXPECTED: dict[SessionState, dict[str, SessionState]] = {
    S.REQUESTED: {
        "create_requested": S.REQUESTED,
        "create_failed": S.REQUESTED,
        "create_rejected": S.FAILED,
        "created": S.READY,
        "expired": S.EXPIRED,
        "cancelled": S.CANCELLED,
    },
    S.READY: {
        "client_started": S.STARTED,
        "client_finished": S.AWAITING_RESULT,
        "result_polled": S.READY,
        "result_read": S.PASSED,
        "expired": S.EXPIRED,
        "cancelled": S.CANCELLED,
    },
    S.STARTED: {
        "client_finished": S.AWAITING_RESULT,
        "result_polled": S.STARTED,
        "result_read": S.PASSED,
        "expired": S.EXPIRED,
        "cancelled": S.CANCELLED,
    },
    S.AWAITING_RESULT: {
        "client_finished": S.AWAITING_RESULT,
        "result_polled": S.AWAITING_RESULT,
        "result_read": S.PASSED,
        "expired": S.EXPIRED,
        "cancelled": S.CANCELLED,
    },
    S.NEEDS_REVIEW: {"reviewed": S.PASSED, "expired": S.EXPIRED, "cancelled": S.CANCELLED},
    S.PASSED: {},
    S.REJECTED: {},
    S.INCONCLUSIVE: {},
    S.FAILED: {},
    S.EXPIRED: {},
    S.CANCELLED: {},
}


def session_in(state: SessionState, remote: RemoteState | None = None) -> LivenessSession:
    is_created = state is not S.REQUESTED
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
        expires_at=EXPIRES,
        state=state,
        remote=remote or (R.PRESENT if is_created else R.NONE),
        remote_id="remote" if is_created else None,
    )


# --- states ------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", STATE_EVENTS)
@pytest.mark.parametrize("state", SessionState)
def test_each_event_in_each_state_does_what_the_table_says(state: SessionState, event: str) -> None:
    session = session_in(state)
    target = EXPECTED[state].get(event)

    if target is None:
        with pytest.raises(TransitionError) as error:
            advance(session, STATE_EVENTS[event], LATER)
        assert str(error.value) == (
            f"{event} is not possible for session {session.id}: it is {state}."
        )
        assert (error.value.code, error.value.status) == ("invalid_transition", 409)
    else:
        after = advance(session, STATE_EVENTS[event], LATER)
        assert after.state is target
        assert after.version == session.version + 1
        assert after.updated_at == LATER


def test_the_tables_have_every_state_and_every_event_and_no_other() -> None:
    in_table = {event_name(event) for events in TRANSITIONS.values() for event in events}
    in_remote_table = {event_name(e) for events in REMOTE_TRANSITIONS.values() for e in events}

    assert set(TRANSITIONS) == set(SessionState)
    assert set(REMOTE_TRANSITIONS) == set(RemoteState)
    assert in_table == set(STATE_EVENTS)
    assert in_remote_table == {"remote_deleted", "remote_deletion_failed"}
    assert all(event_name(event) == name for name, event in OTHER_EVENTS.items())


@pytest.mark.parametrize("verdict", [S.PASSED, S.REJECTED, S.INCONCLUSIVE, S.NEEDS_REVIEW])
def test_a_result_leads_to_the_state_of_its_verdict(verdict: SessionState) -> None:
    after = advance(session_in(S.READY), ResultRead((ATTEMPT,), Verdict(verdict, ("why",))), LATER)

    assert after.state is verdict
    assert after.verdict == Verdict(verdict, ("why",))
    assert (after.attempts, after.decided_at) == ((ATTEMPT,), LATER)


@pytest.mark.parametrize("verdict", [S.PASSED, S.REJECTED, S.INCONCLUSIVE])
def test_a_review_keeps_its_verdict_its_reasons_and_its_reviewer(verdict: SessionState) -> None:
    before = replace(
        session_in(S.NEEDS_REVIEW, R.DELETED),
        reasons=("liveness_uncertain",),
        attempts=(ATTEMPT,),
        decided_at=NOW,
    )

    after = advance(before, Reviewed(Verdict(verdict, ("seen_by_carol",)), "carol"), LATER)

    assert after.verdict == Verdict(verdict, ("seen_by_carol",))
    assert (after.reviewer, after.decided_at) == ("carol", LATER)
    assert (after.attempts, after.remote) == ((ATTEMPT,), "deleted")


def test_a_review_cannot_end_in_another_review() -> None:
    with pytest.raises(
        TransitionError, match=r"^reviewed .*: a review cannot end in needs_review\.$"
    ):
        advance(session_in(S.NEEDS_REVIEW), Reviewed(Verdict(S.NEEDS_REVIEW), "carol"), LATER)


@pytest.mark.parametrize("state", [S.READY, S.FAILED, S.CANCELLED, S.EXPIRED])
def test_only_some_states_are_verdicts(state: SessionState) -> None:
    assert session_in(state).verdict is None
    with pytest.raises(ValueError, match="not a verdict"):
        Verdict(state)


def test_a_create_is_recorded_with_the_image_that_it_is_asked_with() -> None:
    requested = advance(session_in(S.REQUESTED), STATE_EVENTS["create_requested"], LATER)
    failed = advance(requested, CreateFailed(), LATER)

    assert (requested.create_requested_at, requested.reference_sha256) == (LATER, "CD")
    assert requested.reference_source is ReferenceSource.PURPOSE
    assert failed.create_requested_at is None


def test_a_create_without_an_image_forgets_that_of_an_earlier_one() -> None:
    before = replace(
        session_in(S.REQUESTED),
        reference_sha256="CD",
        reference_source=ReferenceSource.APPLICATION,
    )

    after = advance(before, CreateRequested(), LATER)

    assert (after.reference_sha256, after.reference_source) == (None, None)


def test_a_created_session_has_the_services_id_and_expires_when_the_event_says() -> None:
    requested = replace(session_in(S.REQUESTED), create_requested_at=NOW, expires_at=NOW)

    after = advance(requested, Created("remote-7", EXPIRES), LATER)

    assert (after.remote, after.remote_id) == ("present", "remote-7")
    assert (after.expires_at, after.create_requested_at) == (EXPIRES, None)


def test_a_rejected_create_says_why() -> None:
    requested = replace(session_in(S.REQUESTED), create_requested_at=NOW)

    after = advance(requested, CreateRejected("InvalidImage"), LATER)

    assert (after.reasons, after.create_requested_at) == (("InvalidImage",), None)


# --- the remote session ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        ResultRead((ATTEMPT,), PASSED),
        ResultRead((ATTEMPT,), Verdict(S.NEEDS_REVIEW)),
        Expired(),
        Cancelled(),
        EraseRequested(),
    ],
    ids=["passed", "needs_review", "expired", "cancelled", "erase_requested"],
)
def test_the_remote_session_is_to_be_deleted_at_once_when_it_is_needed_no_more(
    event: Event,
) -> None:
    after = advance(session_in(S.STARTED), event, LATER)

    assert after.remote is R.DELETING
    assert due_at(after, TIMING) == LATER


@pytest.mark.parametrize("event", [ClientStarted(), ClientFinished(), ResultPolled()])
def test_the_remote_session_is_kept_as_long_as_a_result_may_come(event: Event) -> None:
    assert advance(session_in(S.READY), event, LATER).remote is R.PRESENT


def test_a_session_without_a_remote_one_has_nothing_to_delete() -> None:
    after = advance(session_in(S.REQUESTED), Cancelled(), LATER)

    assert after.remote is R.NONE
    assert due_at(after, TIMING) is None


def test_a_deletion_is_tried_until_it_is_confirmed() -> None:
    deleting = advance(session_in(S.READY), Cancelled(), LATER)
    retry_at = LATER + timedelta(minutes=1)

    failed = advance(deleting, RemoteDeletionFailed(retry_at), LATER)
    deleted = advance(failed, RemoteDeleted(), retry_at)

    assert (failed.remote, failed.remote_tries) == ("deleting", 1)
    assert due_at(failed, TIMING) == retry_at
    assert (deleted.remote, deleted.remote_tries, deleted.state) == ("deleted", 1, "cancelled")
    assert deleted.remote_retry_at is None
    assert due_at(deleted, TIMING) is None


def test_details_are_due_in_time_although_the_service_never_confirms_the_deletion() -> None:
    decided = advance(session_in(S.READY), ResultRead((ATTEMPT,), PASSED), NOW)

    failed = advance(decided, RemoteDeletionFailed(NOW + timedelta(days=99)), LATER)

    assert failed.updated_at == NOW
    assert due_at(failed, TIMING) == NOW + TIMING.details


@pytest.mark.parametrize("remote", [each for each in RemoteState if each != "deleting"])
def test_a_deletion_is_recorded_only_where_one_was_wanted(remote: RemoteState) -> None:
    for event in (RemoteDeleted(), RemoteDeletionFailed(LATER)):
        message = rf"^{event_name(event)} .*: its remote session is {remote}\.$"
        with pytest.raises(TransitionError, match=message):
            advance(session_in(S.CANCELLED, remote), event, LATER)


# --- what the client reports -------------------------------------------------------------------


def test_different_digests_of_the_client_are_kept_up_to_the_first_contradiction() -> None:
    session = session_in(S.READY)
    for digest in ("A", "A", None, "B", "C"):
        session = advance(session, ClientFinished(digest), LATER)

    assert session.client_digests == ("A", "B")


def test_a_digest_that_differs_in_case_alone_leaves_room_for_a_contradiction() -> None:
    session = session_in(S.READY)
    for digest in ("AB", "ab", "CD"):
        session = advance(session, ClientFinished(digest), LATER)

    assert session.client_digests == ("AB", "CD")


def test_the_first_error_of_the_client_is_kept() -> None:
    session = advance(session_in(S.READY), ClientFinished(error="TimedOut"), LATER)
    session = advance(session, ClientFinished(error="InvalidToken"), LATER)

    assert session.client_error == "TimedOut"


@pytest.mark.parametrize("event", [ClientFinished("AB"), ResultPolled()])
def test_a_poll_is_recorded_with_its_time(event: Event) -> None:
    assert advance(session_in(S.STARTED), event, LATER).polled_at == LATER


@pytest.mark.parametrize("name", [*STATE_EVENTS, *OTHER_EVENTS])
def test_an_event_cannot_be_changed_and_shows_nothing_private(name: str) -> None:
    event = {**STATE_EVENTS, **OTHER_EVENTS}[name]

    assert hash(event) == hash(event)  # what can be changed has no hash
    for private in ("'CD'", "'AB'", "'remote'", "0.9"):
        assert private not in repr(event)


def test_every_event_but_a_poll_counts_for_notifiers() -> None:
    session = session_in(S.READY)

    assert advance(session, ResultPolled(), LATER).sequence == session.sequence
    assert advance(session, ClientStarted(), LATER).sequence == session.sequence + 1


# --- after the end -----------------------------------------------------------------------------


@pytest.mark.parametrize("state", SessionState)
def test_only_a_passed_session_can_be_consumed_and_only_once(state: SessionState) -> None:
    session = session_in(state)

    if state is not S.PASSED:
        with pytest.raises(TransitionError, match=rf"^consumed .*: it is {state}\.$"):
            advance(session, Consumed(), LATER)
        return
    used = advance(session, Consumed(), LATER)
    assert (used.consumed_at, used.updated_at, used.state) == (LATER, LATER, S.PASSED)
    with pytest.raises(TransitionError, match=r"^consumed .*: its verdict was used before\.$"):
        advance(used, Consumed(), LATER)


@pytest.mark.parametrize("state", SessionState)
def test_details_are_removed_from_final_sessions_alone(state: SessionState) -> None:
    session = replace(
        session_in(state),
        attempts=(replace(ATTEMPT, unknown={"heart_rate": 61}),),
        client_digests=("AB",),
        reference_sha256="CD",
        reasons=("why",),
    )

    if state not in FINAL_STATES:
        with pytest.raises(TransitionError, match=rf"^details_removed .*: it is {state}\.$"):
            advance(session, DetailsRemoved(), LATER)
        return
    after = advance(session, DetailsRemoved(), LATER)
    assert not after.has_details
    assert after.attempts == (Attempt(1, ATTEMPT.status, decision="realface", is_identical=True),)
    assert after.attempts[0].unknown == {}
    assert (after.client_digests, after.reference_sha256) == ((), None)
    assert (after.state, after.reasons) == (state, ("why",))
    # The time of the last change decides when the record is removed: it does not move.
    assert after.updated_at == session.updated_at


@pytest.mark.parametrize("state", SessionState)
def test_an_erasure_cancels_what_is_not_final_and_changes_no_final_state(
    state: SessionState,
) -> None:
    after = advance(session_in(state), EraseRequested(), LATER)
    again = advance(after, EraseRequested(), LATER + timedelta(hours=1))

    assert after.state is (state if state in FINAL_STATES else S.CANCELLED)
    assert after.erase_requested_at == again.erase_requested_at == after.updated_at == LATER


# --- time --------------------------------------------------------------------------------------


def test_a_clock_that_goes_back_takes_no_time_of_the_session_back() -> None:
    before = replace(session_in(S.READY), updated_at=LATER)

    after = advance(before, ClientFinished("AB"), NOW)

    assert (after.updated_at, after.polled_at) == (LATER, LATER)


def test_sessions_are_left_alone_for_as_long_as_the_documentation_says() -> None:
    half_a_minute = timedelta(seconds=30)

    assert Timing() == Timing(
        create=half_a_minute,
        poll=half_a_minute,
        review=timedelta(days=7),
        details=timedelta(days=30),
    )


def polled(state: SessionState, at: datetime) -> LivenessSession:
    return replace(session_in(state), polled_at=at)


FINISHED = replace(session_in(S.PASSED, R.DELETED), updated_at=LATER, attempts=(ATTEMPT,))
DUE = {
    "requested": (
        replace(session_in(S.REQUESTED), create_requested_at=LATER),
        LATER + TIMING.create,
    ),
    "requested, the create failed": (session_in(S.REQUESTED), NOW + TIMING.create),
    "ready": (session_in(S.READY), EXPIRES),
    "ready, polled early": (polled(S.READY, NOW), EXPIRES),
    "ready, polled at the end": (polled(S.READY, EXPIRES), EXPIRES + TIMING.poll),
    "started": (session_in(S.STARTED), EXPIRES),
    "started, polled at the end": (polled(S.STARTED, EXPIRES), EXPIRES + TIMING.poll),
    "awaiting_result": (polled(S.AWAITING_RESULT, LATER), LATER + TIMING.poll),
    "awaiting_result, never polled": (session_in(S.AWAITING_RESULT), NOW + TIMING.poll),
    "needs_review": (
        replace(session_in(S.NEEDS_REVIEW, R.DELETED), decided_at=LATER),
        LATER + TIMING.review,
    ),
    "needs_review, to be deleted": (
        replace(session_in(S.NEEDS_REVIEW, R.DELETING), decided_at=NOW, remote_retry_at=LATER),
        LATER,
    ),
    "passed, to be deleted": (session_in(S.PASSED, R.DELETING), NOW),
    "passed, to be deleted later": (
        replace(session_in(S.PASSED, R.DELETING), remote_retry_at=LATER),
        LATER,
    ),
    "passed, with details": (FINISHED, LATER + TIMING.details),
    "passed, with a hash alone": (
        replace(FINISHED, attempts=(), reference_sha256="CD"),
        LATER + TIMING.details,
    ),
    "passed, with a score of zero alone": (
        replace(FINISHED, attempts=(Attempt(1, ATTEMPT.status, match_confidence=0.0),)),
        LATER + TIMING.details,
    ),
    "passed, to be erased": (replace(FINISHED, erase_requested_at=LATER), LATER),
    "cancelled, to be deleted and erased": (
        replace(session_in(S.CANCELLED, R.DELETING), remote_retry_at=LATER, erase_requested_at=NOW),
        LATER,
    ),
    "cancelled, nothing left": (session_in(S.CANCELLED, R.DELETED), None),
    "failed": (session_in(S.FAILED, R.NONE), None),
}


@pytest.mark.parametrize("case", DUE)
def test_a_session_is_due_when_it_needs_work_although_no_request_comes(case: str) -> None:
    session, expected = DUE[case]

    assert due_at(session, TIMING) == expected


# --- when a result can be judged ---------------------------------------------------------------

FAILED_TRY = Attempt(1, AttemptStatus.FAILED, error_code="FaceWithMaskDetected")
RUNNING_TRY = Attempt(2, AttemptStatus.RUNNING)
UNKNOWN_TRY = Attempt(1, AttemptStatus.UNKNOWN)
AWAITING = session_in(S.AWAITING_RESULT)


@pytest.mark.parametrize(
    ("session", "status", "attempts", "expected"),
    [
        (session_in(S.STARTED), "running", (ATTEMPT,), True),
        (session_in(S.STARTED), "running", (ATTEMPT, RUNNING_TRY), False),
        (session_in(S.STARTED), "running", (FAILED_TRY,), False),
        (session_in(S.STARTED), "ended", (FAILED_TRY,), True),
        (session_in(S.STARTED), "ended", (), False),
        (session_in(S.STARTED), "unknown", (UNKNOWN_TRY,), False),
        (AWAITING, "running", (FAILED_TRY,), True),
        (AWAITING, "running", (UNKNOWN_TRY,), True),
        (AWAITING, "running", (), False),
        (AWAITING, "not_started", (), False),
        (replace(AWAITING, client_error="TimedOut"), "not_started", (), True),
        (replace(AWAITING, client_error="TimedOut"), "running", (RUNNING_TRY,), False),
    ],
)
def test_a_result_is_conclusive_when_nothing_that_matters_can_follow(
    session: LivenessSession, status: str, attempts: tuple[Attempt, ...], expected: bool
) -> None:
    assert is_conclusive(session, Outcome(OutcomeStatus(status), attempts)) is expected


# --- any sequence ------------------------------------------------------------------------------

any_event = st.one_of(
    st.sampled_from([*STATE_EVENTS.values(), *OTHER_EVENTS.values()]),
    st.builds(ClientFinished, st.none() | st.text(max_size=3), st.none() | st.text(max_size=3)),
    st.builds(
        ResultRead,
        st.just((ATTEMPT,)),
        st.builds(Verdict, st.sampled_from([S.PASSED, S.REJECTED, S.INCONCLUSIVE, S.NEEDS_REVIEW])),
    ),
)


@given(st.lists(st.tuples(any_event, st.integers(-60, 60)), max_size=25))
def test_no_sequence_of_events_changes_a_final_state_or_loses_a_deletion(
    steps: list[tuple[Event, int]],
) -> None:
    session = session_in(S.REQUESTED)
    for event, seconds in steps:
        try:
            after = advance(session, event, LATER + timedelta(seconds=seconds))
        except TransitionError:
            continue
        assert after.version == session.version + 1
        assert after.updated_at >= session.updated_at
        if session.state.is_final:
            assert (after.state, after.reasons) == (session.state, session.reasons)
            assert after.decided_at == session.decided_at
        if session.consumed_at is not None:
            assert after.consumed_at == session.consumed_at
        if session.remote is R.DELETED:
            assert after.remote is R.DELETED
        if after.remote_id is not None and (after.state.is_final or after.state is S.NEEDS_REVIEW):
            assert after.remote in (R.DELETING, R.DELETED)
        if not after.state.is_final or after.remote is R.DELETING or after.erase_requested_at:
            assert due_at(after, TIMING) is not None
        session = after
