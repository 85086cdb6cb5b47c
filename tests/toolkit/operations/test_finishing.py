"""From the front end's report to a verdict or an end, and to a deleted remote session."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.operations.samples import (
    DIGEST,
    HTTP,
    JPEG,
    MASK,
    NOTHING_YET,
    PASSES,
    REAL,
    RETRYABLE,
    RUNS,
    SPOOF,
    UNCERTAIN,
    S,
    passed,
    start,
)

from livegate import Outcome, Purpose, RequestContext
from livegate.errors import (
    FaceError,
    FaceSessionNotFoundError,
    FaceUnavailableError,
    InvalidRequestError,
    StoreError,
    TransitionError,
    VersionConflictError,
)
from livegate.hooks import Verdict, hookimpl
from livegate.models import OutcomeStatus, SessionKind
from livegate.stores.memory import MemoryStore
from livegate.testing import FakeFaceService

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from livegate.protocols import EventRecord, Record
    from livegate.testing import ManualClock
    from orchestrators import EitherOrchestrator


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if (record.name, record.levelname) == ("livegate.operations", "WARNING")
    ]


# --- verdicts ----------------------------------------------------------------------------------


@pytest.mark.both_kinds
def test_a_finish_reads_the_verdict_and_then_deletes_the_remote_session(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    session = start(orchestrator)
    face.outcome = PASSES
    clock.advance(30)

    done = orchestrator.finish(session.id, subject="alice", digest=DIGEST)

    assert (done.state, done.remote, done.attempts) == ("passed", "deleted", (REAL,))
    assert (done.decided_at, done.reasons, done.consumed_at) == (clock(), (), None)
    assert face.calls == ["create", "read", "delete"]
    assert face.sessions == set()
    assert orchestrator.get(session.id, subject="alice") == done


@pytest.mark.parametrize("kind_of_session", SessionKind)
def test_the_service_is_asked_for_the_session_as_it_was_created(
    make_orchestrator: Callable[..., EitherOrchestrator], kind_of_session: SessionKind
) -> None:
    # Given a service that keeps sessions of two kinds and several versions apart
    class Face(FakeFaceService):
        def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
            asked.append(("read", kind, remote_id, api_version))
            return super().read(kind, remote_id, api_version)

        def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
            asked.append(("delete", kind, remote_id, api_version))
            super().delete(kind, remote_id, api_version)

    asked: list[tuple[str, SessionKind, str, str]] = []
    face = Face(api_version="v1.2-of-the-start", outcome=PASSES)
    verify = kind_of_session is SessionKind.LIVENESS_WITH_VERIFY
    orchestrator = make_orchestrator(face=face, purposes=[Purpose("default", verify=verify)])
    session = start(orchestrator, reference_image=JPEG if verify else None)
    face.api_version = "v1.3-of-later"

    # When a session is read and deleted, then with the kind, the id and the version of its start
    orchestrator.finish(session.id, subject="alice", digest=DIGEST)
    assert asked == [
        ("read", kind_of_session, "remote-1", "v1.2-of-the-start"),
        ("delete", kind_of_session, "remote-1", "v1.2-of-the-start"),
    ]


@pytest.mark.parametrize(
    ("outcome", "digest", "expected"),
    [
        (PASSES, DIGEST, ("passed", ())),
        (PASSES, DIGEST.lower(), ("passed", ())),
        (PASSES, None, ("inconclusive", ("digest_missing",))),
        (PASSES, "AB", ("rejected", ("digest_differs",))),
        (SPOOF, DIGEST, ("rejected", ("spoof_detected",))),
        (SPOOF, None, ("rejected", ("spoof_detected", "digest_missing"))),
        (UNCERTAIN, DIGEST, ("inconclusive", ("liveness_uncertain",))),
        (
            Outcome(OutcomeStatus.ENDED, (MASK,)),
            None,
            ("inconclusive", ("FaceWithMaskDetected",)),
        ),
        (
            Outcome(OutcomeStatus.ENDED, (replace(REAL, digest=None),)),
            DIGEST,
            ("rejected", ("digest_differs",)),
        ),
        (
            Outcome(OutcomeStatus.ENDED, (replace(REAL, digest="\ud800"),)),
            DIGEST,
            ("rejected", ("digest_differs",)),
        ),
    ],
)
def test_a_verdict_follows_from_the_result_and_from_the_clients_digest(
    orchestrator: EitherOrchestrator,
    face: FakeFaceService,
    outcome: Outcome,
    digest: str | None,
    expected: tuple[str, tuple[str, ...]],
) -> None:
    session = start(orchestrator)
    face.outcome = outcome

    done = orchestrator.finish(session.id, subject="alice", digest=digest)

    assert (done.state, done.reasons) == expected


@pytest.mark.parametrize(("digest", "state"), [(None, "passed"), ("AB", "rejected")])
def test_a_purpose_may_do_without_a_digest_but_not_with_a_wrong_one(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    digest: str | None,
    state: str,
) -> None:
    orchestrator = make_orchestrator(purposes=[Purpose("default", require_digest=False)])
    session = start(orchestrator)
    face.outcome = PASSES

    assert orchestrator.finish(session.id, subject="alice", digest=digest).state == state


def test_a_session_is_not_judged_where_its_purpose_is_not_configured(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given a result, and a process such as a worker without the application's purposes
    application = make_orchestrator(purposes=[Purpose("payout")])
    worker = make_orchestrator()
    session = start(application, purpose="payout")
    face.outcome = PASSES

    # When it finishes, reads and sweeps
    done = worker.finish(session.id, subject="alice", digest=DIGEST)
    clock.advance(60)
    worker.sweep()
    clock.advance(60)

    # Then the report is stored, the service is not asked, and the application judges later
    assert done.state is S.AWAITING_RESULT
    assert "read" not in face.calls
    message = (
        f"session {session.id}: its result is not read, since its purpose payout is not configured "
        "here"
    )
    assert message in warnings_of(caplog)
    assert application.read(session.id, subject="alice").state is S.PASSED


def test_a_wrong_digest_is_not_made_good_by_a_right_one(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    session = start(orchestrator)
    face.outcome = RUNS
    orchestrator.finish(session.id, subject="alice", digest="AB")
    face.outcome = PASSES

    done = orchestrator.finish(session.id, subject="alice", digest=DIGEST)

    assert (done.state, done.reasons) == ("rejected", ("digest_differs",))


@pytest.mark.parametrize("outcome", [NOTHING_YET, PASSES])
def test_an_error_of_the_client_is_inconclusive_whatever_the_service_has(
    orchestrator: EitherOrchestrator, face: FakeFaceService, outcome: Outcome
) -> None:
    session = start(orchestrator)
    face.outcome = outcome

    done = orchestrator.finish(
        session.id, subject="alice", digest=DIGEST, client_error="CameraPermissionDenied"
    )

    assert (done.state, done.reasons) == ("inconclusive", ("CameraPermissionDenied",))


def test_policies_get_the_context_of_the_request_that_finished_the_session(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    clock: ManualClock,
) -> None:
    seen: list[RequestContext | None] = []

    class Watcher:
        @hookimpl
        def decide(self, context: RequestContext | None) -> None:
            seen.append(context)

    orchestrator = make_orchestrator(plugins=[Watcher()])
    first, second = start(orchestrator), start(orchestrator)
    face.outcome = RUNS
    orchestrator.finish(second.id, subject="alice", digest=DIGEST)
    face.outcome = PASSES
    clock.advance(2)

    orchestrator.finish(first.id, subject="alice", digest=DIGEST, context=HTTP)
    orchestrator.read(second.id, subject="alice")

    assert seen == [HTTP, None]


def test_a_session_that_needs_review_leaves_nothing_at_the_service(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    class Reviews:
        @hookimpl
        def decide(self) -> Verdict:
            return Verdict(S.NEEDS_REVIEW, ("second_look", "new_device"))

    orchestrator = make_orchestrator(plugins=[Reviews()])
    session = start(orchestrator)
    face.outcome = PASSES

    done = orchestrator.finish(session.id, subject="alice", digest=DIGEST)

    assert (done.state, done.remote) == ("needs_review", "deleted")
    assert done.reasons == ("second_look", "new_device")
    assert face.sessions == set()


# --- reports -----------------------------------------------------------------------------------


def test_a_finish_before_the_result_waits_for_it(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    session = start(orchestrator)
    face.outcome = RUNS

    waiting = orchestrator.finish(session.id, subject="alice", digest=DIGEST)
    face.outcome = PASSES
    clock.advance(2)
    done = orchestrator.read(session.id, subject="alice")

    assert waiting.state is S.AWAITING_RESULT
    assert done.state is S.PASSED


def test_a_finish_after_the_end_changes_nothing(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    done = passed(orchestrator, face)
    calls = len(face.calls)

    again = orchestrator.finish(done.id, subject="alice", digest="AB", client_error="TimedOut")

    assert again == done
    assert len(face.calls) == calls


def test_a_failed_attempt_concludes_nothing_as_long_as_the_client_may_try_again(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    # Given a session with a failed attempt, at the end of its time
    session = start(orchestrator)
    face.outcome = Outcome(OutcomeStatus.RUNNING, (MASK, replace(RUNS.attempts[0], number=2)))
    clock.advance(600)
    assert orchestrator.read(session.id, subject="alice").state is S.STARTED

    # When the client reports that it is done, then the failed attempt is all there is
    face.outcome = Outcome(OutcomeStatus.RUNNING, (MASK,))
    done = orchestrator.finish(session.id, subject="alice")
    assert (done.state, done.reasons) == ("inconclusive", ("FaceWithMaskDetected",))


@pytest.mark.parametrize("wrong", ["", "z" * 256, "\ud800", "a\0b"])
@pytest.mark.parametrize(
    ("argument", "field"), [("digest", "digest"), ("client_error", "clientError")]
)
def test_a_report_that_no_client_can_make_is_rejected_and_not_kept(
    orchestrator: EitherOrchestrator, argument: str, field: str, wrong: str
) -> None:
    session = start(orchestrator)

    with pytest.raises(InvalidRequestError) as error:
        orchestrator.finish(session.id, subject="alice", **{argument: wrong})

    assert (error.value.field, error.value.status) == (field, 400)
    assert orchestrator.get(session.id, subject="alice") == session


@pytest.mark.parametrize("wrong", [12, True, ["x"], {"a": 1}, b"x"])
@pytest.mark.parametrize("argument", ["digest", "client_error"])
def test_a_report_of_a_wrong_type_is_an_error_of_the_application(
    orchestrator: EitherOrchestrator, argument: str, wrong: Any
) -> None:
    session = start(orchestrator)

    with pytest.raises(TypeError, match="has to be a str"):
        orchestrator.finish(session.id, subject="alice", **{argument: wrong})


def test_a_session_that_was_never_created_cannot_be_finished(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    face.failures["create"] = FaceUnavailableError("no response")
    with pytest.raises(FaceUnavailableError):
        start(orchestrator)
    session = orchestrator.find(subject="alice").sessions[0]

    with pytest.raises(TransitionError) as error:
        orchestrator.finish(session.id, subject="alice", digest=DIGEST)

    assert (error.value.code, error.value.status) == ("not_ready", 409)
    assert str(error.value) == f"Session {session.id} has not been created at the service."


# --- a service that does not respond -----------------------------------------------------------


@pytest.mark.parametrize("error", RETRYABLE, ids=lambda error: error.code)
def test_the_report_is_kept_when_the_service_fails_and_a_later_finish_succeeds(
    orchestrator: EitherOrchestrator,
    face: FakeFaceService,
    clock: ManualClock,
    error: FaceError,
) -> None:
    session = start(orchestrator)
    face.failures["read"] = error

    with pytest.raises(type(error)):
        orchestrator.finish(session.id, subject="alice", digest=DIGEST)
    kept = orchestrator.get(session.id, subject="alice")
    assert (kept.state, kept.client_digests) == ("awaiting_result", (DIGEST,))

    del face.failures["read"]
    face.outcome = PASSES
    clock.advance(2)
    assert orchestrator.finish(session.id, subject="alice").state is S.PASSED


def test_a_session_that_the_service_does_not_know_expires(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    session = start(orchestrator)
    face.failures["read"] = FaceSessionNotFoundError("gone")

    done = orchestrator.finish(session.id, subject="alice")

    assert (done.state, done.remote) == ("expired", "deleted")
    assert "delete" not in face.calls


def test_a_deletion_that_fails_does_not_fail_the_verdict_and_is_tried_again_later(
    orchestrator: EitherOrchestrator,
    face: FakeFaceService,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Given a service that does not delete
    session = start(orchestrator)
    face.outcome = PASSES
    face.failures["delete"] = FaceUnavailableError("no response")

    # When the session is finished, then it has its verdict, and a time for the next try
    done = orchestrator.finish(session.id, subject="alice", digest=DIGEST)
    assert (done.state, done.remote, done.remote_tries) == ("passed", "deleting", 1)
    assert done.remote_retry_at == clock() + timedelta(seconds=30)
    assert warnings_of(caplog) == [
        f"session {session.id}: its remote session is not deleted yet: no response"
    ]

    # And each later call tries it only when that time has come
    tries = face.calls.count("delete")
    clock.advance(29)
    orchestrator.finish(session.id, subject="alice")
    assert face.calls.count("delete") == tries
    clock.advance(1)
    assert orchestrator.finish(session.id, subject="alice").remote_tries == 2


@pytest.mark.parametrize("method", ["finish", "cancel", "read"])
def test_every_later_call_of_the_owner_tries_a_deletion_that_is_due(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock, method: str
) -> None:
    session = start(orchestrator)
    face.failures["delete"] = FaceUnavailableError("no response")
    orchestrator.cancel(session.id, subject="alice")
    face.failures.clear()
    clock.advance(30)

    done = getattr(orchestrator, method)(session.id, subject="alice")

    assert (done.state, done.remote) == ("cancelled", "deleted")
    assert face.sessions == set()


def test_the_pause_between_deletions_doubles_from_half_a_minute_to_an_hour(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    session = start(orchestrator)
    face.failures["delete"] = FaceUnavailableError("no response")
    pauses = []
    for _ in range(20):
        retry_at = orchestrator.cancel(session.id, subject="alice").remote_retry_at
        pauses.append((retry_at - clock()).total_seconds())
        clock.now = retry_at

    assert pauses[:8] == [30, 60, 120, 240, 480, 960, 1920, 3600]
    assert set(pauses[8:]) == {3600}


@pytest.mark.parametrize(
    "failure", [StoreError("disk full"), VersionConflictError("changed")], ids=["full", "changed"]
)
def test_a_deletion_that_cannot_be_recorded_does_not_fail_the_verdict(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
    failure: Exception,
) -> None:
    # Given a store that fails once the service has deleted
    class Store(MemoryStore):
        is_broken = True

        def save(
            self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
        ) -> None:
            if record.remote == "deleted" and self.is_broken:
                raise failure
            super().save(record, expected_version, events)

    store = Store()
    orchestrator = make_orchestrator(store=store)

    # When a session is finished, then its owner has the verdict
    done = passed(orchestrator, face)
    assert done.remote == "deleting"
    assert warnings_of(caplog) == [
        f"session {done.id}: the deletion is not recorded yet: {failure}"
    ]

    # And the deletion is repeated, which the service takes
    store.is_broken = False
    assert orchestrator.read(done.id, subject="alice").remote == "deleted"
    assert face.calls.count("delete") == 2


# --- time --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["finish", "read"])
def test_past_its_lifetime_a_session_without_an_attempt_expires(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock, method: str
) -> None:
    session = start(orchestrator)
    clock.advance(599)
    assert orchestrator.read(session.id, subject="alice") == session
    clock.advance(1)

    done = getattr(orchestrator, method)(session.id, subject="alice")

    assert (done.state, done.remote) == ("expired", "deleted")
    assert face.calls == ["create", "read", "delete"]


def test_a_session_that_the_service_ended_without_an_attempt_expires(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    session = start(orchestrator)
    face.outcome = Outcome(OutcomeStatus.ENDED)

    assert orchestrator.finish(session.id, subject="alice").state is S.EXPIRED


def test_a_result_counts_within_the_grace_and_not_after_it(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    in_time, late = start(orchestrator), start(orchestrator)
    face.outcome = PASSES
    clock.advance(600 + 599)
    assert orchestrator.finish(in_time.id, subject="alice", digest=DIGEST).state is S.PASSED
    clock.advance(1)

    reads = face.calls.count("read")
    assert orchestrator.finish(late.id, subject="alice", digest=DIGEST).state is S.EXPIRED
    assert face.calls.count("read") == reads


def test_an_attempt_under_way_is_waited_for_until_the_end_of_the_grace(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    session = start(orchestrator)
    face.outcome = RUNS
    clock.advance(601)

    assert orchestrator.read(session.id, subject="alice").state is S.STARTED
    clock.advance(600)
    assert orchestrator.read(session.id, subject="alice").state is S.EXPIRED


# --- two at the same moment --------------------------------------------------------------------


@pytest.mark.both_kinds
@pytest.mark.parametrize(("rivals", "wins"), [(4, True), (5, False)])
def test_a_finish_starts_over_a_few_times_when_the_session_changed_at_the_same_moment(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    rivals: int,
    wins: bool,
) -> None:
    # Given other processes that are faster a number of times
    class Store(MemoryStore):
        conflicts = 0

        def save(
            self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
        ) -> None:
            if record.state == "awaiting_result" and self.conflicts < rivals:
                self.conflicts += 1
                stored = self.get(record.id)
                assert stored is not None
                super().save(replace(stored, version=stored.version + 1), stored.version)
            super().save(record, expected_version, events)

    orchestrator = make_orchestrator(store=Store())
    session = start(orchestrator)
    face.outcome = PASSES

    # When the session is finished, then it succeeds, or says that it lost every time
    if wins:
        done = orchestrator.finish(session.id, subject="alice", digest=DIGEST)
        assert done.state is S.PASSED
    else:
        with pytest.raises(VersionConflictError):
            orchestrator.finish(session.id, subject="alice", digest=DIGEST)
