"""Retrying a session: a new one in its place, a few times, and never in place of a success."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.operations.samples import DIGEST, HTTP, JPEG, OTHER_JPEG, PASSES, SPOOF, S, start

from livegate import FROM_CLIENT, REQUIRED, Orchestrator, Purpose, Settings
from livegate._record import to_record
from livegate.errors import (
    FaceUnavailableError,
    IdempotencyError,
    InvalidRequestError,
    StartRejectedError,
    TransitionError,
    VersionConflictError,
)
from livegate.hooks import PolicyViolation, StartRequest, hookimpl
from livegate.models import RemoteState, SessionState, StartOutcome
from livegate.protocols import FaceSession, FaceSessionRequest, RecordQuery
from livegate.testing import FakeFaceService

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate import LivenessSession
    from livegate.stores.memory import MemoryStore
    from livegate.testing import ManualClock
    from orchestrators import EitherOrchestrator


def rejected(
    orchestrator: EitherOrchestrator, face: FakeFaceService, **changes: Any
) -> LivenessSession:
    session = start(orchestrator, **changes)
    face.outcome = SPOOF
    done: LivenessSession = orchestrator.finish(session.id, subject="alice", digest=DIGEST)
    assert done.state is S.REJECTED
    return done


@pytest.mark.both_kinds
def test_a_retry_is_a_new_session_for_the_same_thing(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    orchestrator = make_orchestrator(purposes=[Purpose("payout", transaction=REQUIRED)])
    first = rejected(orchestrator, face, purpose="payout", transaction="payout 7")

    result = orchestrator.retry(first.id, subject="alice")

    second = result.session
    assert result.auth_token == "token-of-remote-2"
    assert (second.state, second.retry_of, second.retries) == ("ready", first.id, 1)
    assert (second.purpose, second.transaction) == ("payout", "payout 7")
    assert second.correlation_id == first.correlation_id == face.requests[1].correlation_id
    assert orchestrator.get(first.id, subject="alice") == first
    assert orchestrator.get(second.id, subject="alice") == second


def test_a_retry_closes_an_open_session_here_and_at_the_service(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    first = start(orchestrator)

    second = orchestrator.retry(first.id, subject="alice").session

    closed = orchestrator.get(first.id, subject="alice")
    assert (closed.state, closed.remote) == ("cancelled", "deleted")
    assert face.sessions == {second.remote_id}


@pytest.mark.parametrize("state", SessionState)
def test_every_session_but_a_success_can_be_retried(
    orchestrator: EitherOrchestrator, store: MemoryStore, state: SessionState
) -> None:
    session = replace(start(orchestrator), state=state, remote=RemoteState.DELETED, version=3)
    store.save(to_record(session, orchestrator.runtime.timing), 2)

    if state in (S.PASSED, S.NEEDS_REVIEW):
        with pytest.raises(TransitionError) as error:
            orchestrator.retry(session.id, subject="alice")
        assert (error.value.code, error.value.status) == ("retry_not_possible", 409)
        assert str(error.value) == f"Session {session.id} is {state} and cannot be retried."
        assert orchestrator.get(session.id, subject="alice") == session
    else:
        assert orchestrator.retry(session.id, subject="alice").session.state is S.READY
        assert orchestrator.get(session.id, subject="alice").state.is_final


def test_a_session_is_retried_once_however_often_it_is_asked(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    first = rejected(orchestrator, face)
    orchestrator.retry(first.id, subject="alice")

    with pytest.raises(IdempotencyError) as error:
        orchestrator.retry(first.id, subject="alice")

    assert error.value.code == "token_already_issued"
    assert face.calls.count("create") == 2


def test_a_retry_that_the_service_did_not_create_can_be_repeated(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    first = start(orchestrator)
    face.failures["create"] = FaceUnavailableError("no response")
    with pytest.raises(FaceUnavailableError):
        orchestrator.retry(first.id, subject="alice")
    face.failures.clear()

    second = orchestrator.retry(first.id, subject="alice").session

    assert (second.state, second.retry_of, second.retries) == ("ready", first.id, 1)
    assert len(orchestrator.find(subject="alice").sessions) == 2


@pytest.mark.parametrize("max_retries", [0, 1, 3])
def test_a_chain_of_retries_ends(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    max_retries: int,
) -> None:
    orchestrator = make_orchestrator(purposes=[Purpose("default", max_retries=max_retries)])
    session = start(orchestrator)
    for number in range(1, max_retries + 1):
        session = orchestrator.retry(session.id, subject="alice").session
        assert session.retries == number

    with pytest.raises(StartRejectedError) as error:
        orchestrator.retry(session.id, subject="alice")

    assert (error.value.code, error.value.status) == ("retries_exhausted", 403)
    assert orchestrator.get(session.id, subject="alice") == session
    assert face.calls.count("create") == max_retries + 1


def test_a_retry_needs_a_new_image_where_the_client_brings_it(
    make_orchestrator: Callable[..., EitherOrchestrator],
) -> None:
    orchestrator = make_orchestrator(purposes=[Purpose("enrol", reference_image=FROM_CLIENT)])
    first = start(orchestrator, purpose="enrol", reference_image=JPEG, context=HTTP)

    # Given a retry without an image, which is a mistake that does not end the open session
    with pytest.raises(InvalidRequestError) as error:
        orchestrator.retry(first.id, subject="alice", context=HTTP)
    assert error.value.code == "reference_image_required"
    assert orchestrator.get(first.id, subject="alice") == first

    # When it is repeated with one, then that one is used
    second = orchestrator.retry(
        first.id, subject="alice", reference_image=OTHER_JPEG, context=HTTP
    ).session
    assert second.reference_sha256 == OTHER_JPEG.sha256
    assert second.reference_source == "client"


def test_a_retry_takes_no_image_from_the_client_where_the_server_has_one(
    make_orchestrator: Callable[..., EitherOrchestrator],
) -> None:
    purpose = Purpose("payout", reference_image=lambda request: JPEG)
    orchestrator = make_orchestrator(purposes=[purpose])
    first = start(orchestrator, purpose="payout")

    with pytest.raises(InvalidRequestError) as error:
        orchestrator.retry(first.id, subject="alice", reference_image=OTHER_JPEG, context=HTTP)
    assert error.value.code == "reference_image_not_accepted"
    assert orchestrator.get(first.id, subject="alice") == first

    second = orchestrator.retry(first.id, subject="alice", context=HTTP).session
    assert (second.reference_sha256, second.reference_source) == (JPEG.sha256, "purpose")


@pytest.mark.parametrize(
    ("after", "code"),
    [
        (Purpose("other"), "unknown_purpose"),
        (Purpose("payout", transaction=REQUIRED), "transaction_required"),
        (Purpose("payout", verify=True), "reference_image_required"),
    ],
)
def test_a_retry_follows_the_configuration_of_now(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    after: Purpose,
    code: str,
) -> None:
    first = start(make_orchestrator(purposes=[Purpose("payout")]), purpose="payout")
    later = make_orchestrator(purposes=[after])

    with pytest.raises(InvalidRequestError) as error:
        later.retry(first.id, subject="alice")
    assert error.value.code == code
    assert face.calls.count("create") == 1


def test_a_retry_that_a_policy_rejects_changes_nothing(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    class Limit:
        requests: list[StartRequest] = []  # noqa: RUF012 - of this test alone

        @hookimpl
        def before_start(self, request: StartRequest) -> PolicyViolation | None:
            self.requests.append(request)
            if len(self.requests) == 1:
                return None
            return PolicyViolation("too_many", "Too many.", status=429, retry_after=60)

    orchestrator = make_orchestrator(plugins=[Limit()])
    first = start(orchestrator)

    with pytest.raises(StartRejectedError) as error:
        orchestrator.retry(first.id, subject="alice", context=HTTP)

    assert (error.value.status, error.value.retry_after) == (429, 60)
    assert Limit.requests[1].context is HTTP
    assert orchestrator.get(first.id, subject="alice") == first
    assert face.sessions == {first.remote_id}


def test_a_session_that_passes_while_the_policies_are_asked_is_not_retried(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    # Given a session that passes just before a retry would end it
    class Budget:
        settled: list[StartOutcome] = []  # noqa: RUF012 - of this test alone

        @hookimpl
        def before_start(self) -> None:
            if self.settled:
                orchestrator.finish(first.id, subject="alice", digest=DIGEST)

        @hookimpl
        def start_settled(self, outcome: StartOutcome) -> None:
            self.settled.append(outcome)

    orchestrator = make_orchestrator(plugins=[Budget()])
    first = start(orchestrator)
    face.outcome = PASSES

    # When it is retried, then it stays passed, and the budget has the retry back
    with pytest.raises(TransitionError) as error:
        orchestrator.retry(first.id, subject="alice")
    assert error.value.code == "retry_not_possible"
    assert orchestrator.get(first.id, subject="alice").state is S.PASSED
    assert Budget.settled == [StartOutcome.CREATED, StartOutcome.NOT_CREATED]


def test_a_retry_during_the_create_of_the_first_session_leaves_one_remote_session(
    make_orchestrator: Callable[..., EitherOrchestrator], store: MemoryStore, clock: ManualClock
) -> None:
    # Given a start that is retried by another process while the service works on it
    class Face(FakeFaceService):
        def create(self, request: FaceSessionRequest, api_version: str) -> FaceSession:
            if not self.requests:
                self.requests.append(request)
                (record,) = store.find(RecordQuery("alice"))
                other.retry(record.id, subject="alice")
            return super().create(request, api_version)

    face = Face()
    other = Orchestrator(Settings(), face=face, store=store, clock=clock)
    orchestrator = make_orchestrator(face=face)

    # When the service has created both, then the token of the first never leaves
    with pytest.raises(VersionConflictError):
        start(orchestrator)
    second, first = sorted(
        orchestrator.find(subject="alice").sessions, key=lambda each: -each.retries
    )
    assert (first.state, second.state) == ("cancelled", "ready")
    assert face.sessions == {second.remote_id}
