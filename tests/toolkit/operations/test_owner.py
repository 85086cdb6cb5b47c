"""Whose session it is, what its owner can end and list, and what a reviewer decides."""

from __future__ import annotations

import inspect
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.operations.samples import ALICE, DIGEST, JPEG, PASSES, REAL, S, passed, start

from livegate import AsyncOrchestrator, Orchestrator, Outcome, Purpose, Verdict
from livegate.errors import (
    FaceUnavailableError,
    InvalidRequestError,
    SessionNotFoundError,
    SubjectRequiredError,
    TransitionError,
)
from livegate.hooks import hookimpl
from livegate.models import OutcomeStatus
from livegate.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate.protocols import Record, RecordQuery
    from livegate.testing import FakeFaceService, ManualClock
    from orchestrators import EitherOrchestrator

# --- whose session it is -----------------------------------------------------------------------

METHODS: dict[str, dict[str, str]] = {
    "get": {},
    "read": {},
    "finish": {"digest": DIGEST},
    "cancel": {},
    "retry": {},
    "consume": {"purpose": "default"},
}
"""Those that take a session and its owner, with the arguments that they need."""


@pytest.mark.parametrize("method", METHODS)
def test_another_subjects_session_and_no_session_are_the_same_error(
    orchestrator: EitherOrchestrator, face: FakeFaceService, method: str
) -> None:
    session = passed(orchestrator, face)
    calls = list(face.calls)
    ids: list[Any] = ["x" * 32, "short", "../../etc/passwd", "ä" * 32, "a\0" * 16, "\ud800" * 16]
    errors = []
    for session_id in (session.id, session.id.swapcase(), *ids, None, 7, b"x" * 32, ["x"]):
        with pytest.raises(SessionNotFoundError) as error:
            getattr(orchestrator, method)(session_id, subject="bob", **METHODS[method])
        errors.append((str(error.value), error.value.public_message, error.value.code))

    assert len(set(errors)) == 1
    assert orchestrator.get(session.id, subject="alice") == session
    assert face.calls == calls


@pytest.mark.parametrize("orchestrator_type", [Orchestrator, AsyncOrchestrator])
def test_every_method_on_a_session_takes_its_owner_but_review(orchestrator_type: type) -> None:
    parameters = {
        name: inspect.signature(method).parameters
        for name, method in vars(orchestrator_type).items()
        if inspect.isfunction(method) and not name.startswith("_")
    }
    on_a_session = {name for name, each in parameters.items() if "session_id" in each}

    assert on_a_session == {*METHODS, "review"}
    assert {name for name in on_a_session if "subject" in parameters[name]} == set(METHODS)


def test_both_orchestrators_have_the_same_methods_with_the_same_parameters() -> None:
    def public(cls: type) -> dict[str, Any]:
        return {
            name: [(each.name, each.kind, each.default) for each in parameters]
            for name, method in vars(cls).items()
            if inspect.isfunction(method) and not name.startswith("_")
            for parameters in [inspect.signature(method).parameters.values()]
        }

    assert public(Orchestrator) == public(AsyncOrchestrator)


@pytest.mark.parametrize("method", METHODS)
def test_a_missing_owner_is_an_error_of_its_own(
    orchestrator: EitherOrchestrator, method: str
) -> None:
    session = start(orchestrator)

    for missing in (None, ""):
        with pytest.raises(SubjectRequiredError):
            getattr(orchestrator, method)(session.id, subject=missing, **METHODS[method])


@pytest.mark.parametrize("method", METHODS)
def test_the_number_of_a_user_is_not_the_str_of_it(
    orchestrator: EitherOrchestrator, method: str
) -> None:
    session = start(orchestrator, subject="7")

    with pytest.raises(TypeError, match=r"return str\(user\.id\)"):
        getattr(orchestrator, method)(session.id, subject=7, **METHODS[method])


# --- lists -------------------------------------------------------------------------------------


@pytest.mark.both_kinds
def test_a_list_holds_the_subjects_own_sessions_newest_first_a_page_at_a_time(
    orchestrator: EitherOrchestrator, clock: ManualClock
) -> None:
    mine = []
    for number in range(7):
        mine.append(start(orchestrator).id)
        start(orchestrator, subject="bob")
        clock.advance(number % 2)  # some at the same moment

    found: list[str] = []
    cursor = None
    for is_last in (False, False, True):
        page = orchestrator.find(subject="alice", limit=3, cursor=cursor)
        found += [each.id for each in page.sessions]
        cursor = page.cursor
        assert (cursor is None) is is_last

    assert sorted(found) == sorted(mine)
    times = [orchestrator.get(each, subject="alice").created_at for each in found]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize(("count", "has_more"), [(2, False), (3, False), (4, True)])
def test_only_a_page_with_a_next_one_has_a_cursor(
    orchestrator: EitherOrchestrator, count: int, has_more: bool
) -> None:
    for _ in range(count):
        start(orchestrator)

    page = orchestrator.find(subject="alice", limit=3)

    assert len(page.sessions) == min(count, 3)
    assert (page.cursor is not None) is has_more


def test_a_list_asks_the_store_for_one_record_more_than_it_shows(
    make_orchestrator: Callable[..., EitherOrchestrator],
) -> None:
    class Store(MemoryStore):
        def find(self, query: RecordQuery) -> tuple[Record, ...]:
            limits.append(query.limit)
            return super().find(query)

    limits: list[int] = []

    make_orchestrator(store=Store()).find(subject="alice", limit=3)

    assert limits == [4]


def test_a_list_has_twenty_sessions_unless_it_is_asked_for_more(
    orchestrator: EitherOrchestrator,
) -> None:
    for _ in range(21):
        start(orchestrator)

    assert len(orchestrator.find(subject="alice").sessions) == 20
    assert len(orchestrator.find(subject="alice", limit=100).sessions) == 21
    assert orchestrator.find(subject="carol").sessions == ()


def test_a_list_may_be_of_some_states(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    ready, done = start(orchestrator), passed(orchestrator, face)

    assert orchestrator.find(subject="alice", states=["ready"]).sessions == (ready,)
    assert orchestrator.find(subject="alice", states=[S.PASSED, S.FAILED]).sessions == (done,)


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        *(("limit", odd, ValueError) for odd in (0, -1, 101, 10**30)),
        *(("limit", odd, TypeError) for odd in (None, "5", 1.5, True)),
        *(("cursor", odd, InvalidRequestError) for odd in (1, b"x", "", "\ud800")),
        *(("states", odd, TypeError) for odd in (None, 1, "ready", S.READY)),
        *(("states", odd, ValueError) for odd in (["nonsense"], [1])),
        *(("subject", odd, SubjectRequiredError) for odd in ("", None)),
        ("subject", 7, TypeError),
    ],
)
def test_a_list_that_cannot_be_made_is_an_error(
    orchestrator: EitherOrchestrator, field: str, value: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        orchestrator.find(**{"subject": "alice", field: value})


# --- cancelling --------------------------------------------------------------------------------


@pytest.mark.both_kinds
def test_a_cancel_ends_the_session_here_and_at_the_service_and_again_does_nothing(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    session = start(orchestrator)

    first = orchestrator.cancel(session.id, subject="alice")
    second = orchestrator.cancel(session.id, subject="alice")

    assert (first.state, first.remote) == ("cancelled", "deleted")
    assert second == first
    assert face.calls == ["create", "delete"]
    assert face.sessions == set()


def test_a_session_that_was_never_created_can_be_cancelled(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    face.failures["create"] = FaceUnavailableError("no response")
    with pytest.raises(FaceUnavailableError):
        start(orchestrator)
    session = orchestrator.find(subject="alice").sessions[0]

    done = orchestrator.cancel(session.id, subject="alice")

    assert (done.state, done.remote) == ("cancelled", "none")
    assert face.calls == ["create"]


def test_a_cancel_never_takes_a_verdict_away(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    done = passed(orchestrator, face)

    assert orchestrator.cancel(done.id, subject="alice") == done


# --- reviews -----------------------------------------------------------------------------------


class Reviews:
    """Sends every session to a reviewer."""

    @hookimpl
    def decide(self) -> Verdict:
        return Verdict(S.NEEDS_REVIEW, ("second_look",))


@pytest.fixture
def with_reviews(make_orchestrator: Callable[..., EitherOrchestrator]) -> EitherOrchestrator:
    return make_orchestrator(plugins=[Reviews()])


def in_review(orchestrator: EitherOrchestrator, face: FakeFaceService) -> str:
    session = start(orchestrator)
    face.outcome = PASSES
    done = orchestrator.finish(session.id, subject="alice", digest=DIGEST)
    assert done.state is S.NEEDS_REVIEW
    return session.id


@pytest.mark.both_kinds
@pytest.mark.parametrize("state", [S.PASSED, S.REJECTED, S.INCONCLUSIVE])
def test_a_reviewer_decides_a_session_that_needs_review(
    with_reviews: EitherOrchestrator, face: FakeFaceService, clock: ManualClock, state: str
) -> None:
    session_id = in_review(with_reviews, face)
    clock.advance(3600)
    verdict = Verdict(S(state), ("seen_by_carol",))

    done = with_reviews.review(session_id, reviewer="carol", verdict=verdict)

    assert (done.state, done.reasons) == (state, ("seen_by_carol",))
    assert (done.reviewer, done.decided_at) == ("carol", clock())
    assert with_reviews.get(session_id, subject="alice") == done


def test_a_reviewed_verdict_can_be_consumed_as_long_as_any_other(
    with_reviews: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    session_id = in_review(with_reviews, face)
    clock.advance(3600)
    with_reviews.review(session_id, reviewer="carol", verdict=Verdict(S.PASSED))
    clock.advance(599)

    used = with_reviews.consume(session_id, subject="alice", purpose="default")

    assert used.consumed_at == clock()


def test_only_a_session_that_needs_review_can_be_reviewed(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    done = passed(orchestrator, face)
    verdict = Verdict(S.REJECTED)

    for session in (start(orchestrator), done):
        with pytest.raises(TransitionError, match="reviewed is not possible"):
            orchestrator.review(session.id, reviewer="carol", verdict=verdict)
    for unknown in ("x" * 32, "short", None):
        with pytest.raises(SessionNotFoundError):
            orchestrator.review(unknown, reviewer="carol", verdict=verdict)
    assert orchestrator.get(done.id, subject="alice") == done


def test_a_review_ends_in_a_verdict_by_a_reviewer_with_a_name(
    with_reviews: EitherOrchestrator, face: FakeFaceService
) -> None:
    session_id = in_review(with_reviews, face)
    wrong: list[tuple[Any, Any, type[Exception]]] = [
        ("carol", Verdict(S.NEEDS_REVIEW), TransitionError),
        ("carol", S.PASSED, TypeError),
        ("carol", "passed", TypeError),
        ("", Verdict(S.PASSED), ValueError),
        ("c" * 256, Verdict(S.PASSED), ValueError),
        (None, Verdict(S.PASSED), TypeError),
        (7, Verdict(S.PASSED), TypeError),
    ]

    for reviewer, verdict, error in wrong:
        with pytest.raises(error):
            with_reviews.review(session_id, reviewer=reviewer, verdict=verdict)
    assert with_reviews.get(session_id, subject="alice").state is S.NEEDS_REVIEW


# --- what is shown -----------------------------------------------------------------------------


def test_a_repr_holds_no_score_no_digest_and_no_id_of_the_service(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    seen: list[object] = []

    class Observer:
        @hookimpl
        def session_changed(self, after: object, event: object) -> None:
            seen.extend((after, event))

    orchestrator = make_orchestrator(plugins=[Observer()])
    started = orchestrator.start(ALICE)
    session = started.session
    face.outcome = Outcome(OutcomeStatus.ENDED, (replace(REAL, match_confidence=0.8125),))
    done = orchestrator.finish(session.id, subject="alice", digest=DIGEST)

    assert (done.remote_id, done.client_digests) == ("remote-1", (DIGEST,))
    assert "ClientFinished" in repr(seen)
    for secret in ("remote-1", "token-of", DIGEST, "0.8125"):
        assert secret not in repr((seen, started, face.requests))


def test_each_change_is_one_log_line_without_anything_personal(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    orchestrator = make_orchestrator(purposes=[Purpose("default", verify=True)])

    session = passed(orchestrator, face, reference_image=JPEG)

    lines = [record.getMessage() for record in caplog.records if record.name == "livegate.sessions"]
    assert lines == [
        f"session {session.id}: - -> requested (requested)",
        f"session {session.id}: requested -> ready (created)",
        f"session {session.id}: ready -> awaiting_result (client_finished)",
        f"session {session.id}: awaiting_result -> passed (result_read)",
        f"session {session.id}: passed -> passed (remote_deleted)",
    ]
    for secret in ("remote-1", "token-of", "alice", DIGEST, JPEG.sha256):
        assert secret not in caplog.text
