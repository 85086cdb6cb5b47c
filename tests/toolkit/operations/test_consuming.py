"""Using a verdict: once, in time, for what it was made for, and only if it has passed."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.operations.samples import ALICE, DIGEST, HTTP, JPEG, PASSES, S, passed

from livegate import (
    FROM_CLIENT,
    REQUIRED,
    AsyncOrchestrator,
    ConsumeError,
    Orchestrator,
    Purpose,
    Settings,
)
from livegate._record import to_record
from livegate.errors import (
    InvalidRequestError,
    PurposeMismatchError,
    VerdictExpiredError,
    VerdictNotPassedError,
    VerdictUsedError,
)
from livegate.models import ReferenceSource, SessionKind, SessionState
from livegate.stores.threads import ThreadedStore
from livegate.testing import AsyncFakeFaceService

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate import LivenessSession
    from livegate.stores.memory import MemoryStore
    from livegate.testing import FakeFaceService, ManualClock
    from orchestrators import EitherOrchestrator

PURPOSES = [
    Purpose("sign-in"),
    Purpose("payout", max_age=timedelta(minutes=5)),
    Purpose("payment", transaction=REQUIRED),
]


@pytest.fixture
def orchestrator(make_orchestrator: Callable[..., EitherOrchestrator]) -> EitherOrchestrator:
    return make_orchestrator(purposes=PURPOSES)


def consume(
    orchestrator: EitherOrchestrator, session: LivenessSession, **changes: Any
) -> LivenessSession:
    arguments = {"purpose": session.purpose, "transaction": session.transaction, **changes}
    used: LivenessSession = orchestrator.consume(session.id, subject=session.subject, **arguments)
    return used


def consume_error(
    orchestrator: EitherOrchestrator, session: LivenessSession, **changes: Any
) -> ConsumeError:
    with pytest.raises(ConsumeError) as error:
        consume(orchestrator, session, **changes)
    assert error.value.is_public
    assert session.id in str(error.value)
    stored = orchestrator.get(session.id, subject=session.subject)
    assert stored.consumed_at == session.consumed_at
    assert error.value.state is stored.state
    return error.value


# --- what can be used, and what cannot ---------------------------------------------------------


@pytest.mark.both_kinds
def test_a_verdict_is_used_once(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    session = passed(orchestrator, face, purpose="payout", transaction="payout 7")
    clock.advance(60)

    used = consume(orchestrator, session)

    assert (used.state, used.consumed_at) == (S.PASSED, clock())
    assert orchestrator.get(session.id, subject="alice") == used
    again = consume_error(orchestrator, used)
    assert (type(again), again.code, again.status) == (VerdictUsedError, "verdict_used", 409)


@pytest.mark.parametrize("state", [each for each in SessionState if each is not S.PASSED])
def test_a_session_that_has_not_passed_cannot_be_used(
    orchestrator: EitherOrchestrator,
    face: FakeFaceService,
    store: MemoryStore,
    state: SessionState,
) -> None:
    session = passed(orchestrator, face, purpose="payout")
    session = replace(session, state=state, version=session.version + 1)
    store.save(to_record(session, orchestrator.runtime.timing), session.version - 1)

    error = consume_error(orchestrator, session)

    assert (type(error), error.code, error.status) == (
        VerdictNotPassedError,
        "verdict_not_passed",
        403,
    )
    assert error.state is state


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"purpose": "sign-in"}, "another purpose"),
        ({"purpose": "sign-in", "transaction": "payout 8"}, "another purpose"),
        ({"transaction": "payout 8"}, "another transaction"),
        ({"transaction": "Payout 7"}, "another transaction"),
        ({"transaction": ""}, "another transaction"),
        ({"transaction": None}, "another transaction"),
    ],
    ids=str,
)
def test_a_verdict_for_something_else_cannot_be_used(
    orchestrator: EitherOrchestrator, face: FakeFaceService, changes: dict[str, Any], what: str
) -> None:
    session = passed(orchestrator, face, purpose="payout", transaction="payout 7")

    error = consume_error(orchestrator, session, **changes)

    assert (type(error), error.code, error.status) == (
        PurposeMismatchError,
        "purpose_mismatch",
        403,
    )
    assert str(error) == f"The verdict of session {session.id} is for {what}."


def test_a_verdict_without_a_transaction_is_for_none(
    orchestrator: EitherOrchestrator, face: FakeFaceService
) -> None:
    session = passed(orchestrator, face, purpose="payout")

    error = consume_error(orchestrator, session, transaction="payout 7")

    assert isinstance(error, PurposeMismatchError)


@pytest.mark.parametrize("purpose", ["nope", "", None, 7])
def test_a_purpose_that_is_not_configured_is_an_error_of_the_application(
    orchestrator: EitherOrchestrator, face: FakeFaceService, purpose: Any
) -> None:
    session = passed(orchestrator, face, purpose="payout")

    with pytest.raises(InvalidRequestError) as error:
        consume(orchestrator, session, purpose=purpose)
    assert error.value.code == "unknown_purpose"


# --- age ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "is_used"), [(299.999999, True), (300, False), (31_536_000, False)]
)
def test_a_verdict_as_old_as_max_age_is_too_old(
    orchestrator: EitherOrchestrator,
    face: FakeFaceService,
    clock: ManualClock,
    age: float,
    is_used: bool,
) -> None:
    session = passed(orchestrator, face, purpose="payout")
    clock.advance(age)

    if is_used:
        assert consume(orchestrator, session).consumed_at == clock()
        return
    error = consume_error(orchestrator, session)
    assert (type(error), error.code, error.status) == (VerdictExpiredError, "verdict_expired", 403)


def test_the_age_counts_from_the_verdict_and_not_from_the_last_change(
    orchestrator: EitherOrchestrator, face: FakeFaceService, clock: ManualClock
) -> None:
    # Given a session whose remote one is deleted long after the verdict
    face.failures["delete"] = KeyError("a fault")
    with pytest.raises(KeyError):
        passed(orchestrator, face, purpose="payout")
    face.failures.clear()
    clock.advance(299)
    (session,) = orchestrator.find(subject="alice").sessions
    session = orchestrator.cancel(session.id, subject="alice")
    assert (session.remote, session.updated_at) == ("deleted", clock())
    clock.advance(1)

    assert isinstance(consume_error(orchestrator, session), VerdictExpiredError)


@pytest.mark.parametrize(("seconds", "is_used"), [(-60, True), (-60.000001, False)])
def test_a_verdict_from_later_counts_within_the_skew_of_two_clocks(
    orchestrator: EitherOrchestrator,
    face: FakeFaceService,
    clock: ManualClock,
    seconds: float,
    is_used: bool,
) -> None:
    session = passed(orchestrator, face, purpose="payout")
    clock.advance(seconds)

    if is_used:
        assert consume(orchestrator, session).state is S.PASSED
    else:
        assert isinstance(consume_error(orchestrator, session), VerdictExpiredError)


# --- a configuration that changed since --------------------------------------------------------


def portrait(request: object) -> Any:
    return JPEG


@pytest.mark.parametrize(
    ("before", "image", "after", "is_used"),
    [
        (Purpose("payout"), None, Purpose("payout", verify=True), False),
        (Purpose("payout"), None, Purpose("payout", reference_image=portrait), False),
        (Purpose("payout", verify=True), JPEG, Purpose("payout"), False),
        (
            Purpose("payout", reference_image=FROM_CLIENT),
            JPEG,
            Purpose("payout", reference_image=FROM_CLIENT),
            True,
        ),
        (
            Purpose("payout", reference_image=FROM_CLIENT),
            JPEG,
            Purpose("payout", reference_image=portrait),
            False,
        ),
        (
            Purpose("payout", reference_image=FROM_CLIENT),
            JPEG,
            Purpose("payout", verify=True),
            False,
        ),
        (
            Purpose("payout", reference_image=portrait),
            None,
            Purpose("payout", reference_image=FROM_CLIENT),
            True,
        ),
        (
            Purpose("payout", max_age=timedelta(hours=1)),
            None,
            Purpose("payout", max_age=timedelta(seconds=59)),
            False,
        ),
        (
            Purpose("payout", max_age=timedelta(seconds=59)),
            None,
            Purpose("payout", max_age=timedelta(hours=1)),
            True,
        ),
    ],
    ids=[
        "verifies now",
        "has a portrait now",
        "verifies no more",
        "client's image still",
        "client's image no more",
        "application's image now",
        "client's image now",
        "shorter max_age",
        "longer max_age",
    ],
)
def test_a_verdict_has_to_prove_what_the_purpose_asks_for_now(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    clock: ManualClock,
    before: Purpose,
    image: Any,
    after: Purpose,
    is_used: bool,
) -> None:
    # Given a session that passed, whose purpose was configured differently then
    context = HTTP if before.takes_client_image else ALICE.context
    session = passed(
        make_orchestrator(purposes=[before]),
        face,
        purpose="payout",
        reference_image=image,
        context=context,
    )
    clock.advance(59)
    later = make_orchestrator(purposes=[after])

    # When it is used, then it counts only if it proves as much as the purpose asks for now
    if is_used:
        assert consume(later, session).consumed_at == clock()
    else:
        consume_error(later, session)


def test_a_purpose_that_requires_a_transaction_now_uses_no_verdict_without_one(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    session = passed(make_orchestrator(purposes=[Purpose("payout")]), face, purpose="payout")
    later = make_orchestrator(purposes=[Purpose("payout", transaction=REQUIRED)])

    with pytest.raises(InvalidRequestError) as error:
        consume(later, session)
    assert error.value.code == "transaction_required"
    assert isinstance(consume_error(later, session, transaction="payout 7"), PurposeMismatchError)


def test_a_session_of_another_kind_or_source_is_refused_even_if_a_store_changed_it(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    store: MemoryStore,
) -> None:
    orchestrator = make_orchestrator(purposes=[Purpose("payout", reference_image=portrait)])
    session = passed(orchestrator, face, purpose="payout")
    for changes in (
        {"kind": SessionKind.LIVENESS},
        {"kind": SessionKind.LIVENESS_WITH_VERIFY, "reference_source": ReferenceSource.CLIENT},
    ):
        session = replace(session, version=session.version + 1, **changes)
        store.save(to_record(session, orchestrator.runtime.timing), session.version - 1)
        assert isinstance(consume_error(orchestrator, session), PurposeMismatchError)


# --- many at once ------------------------------------------------------------------------------


def test_of_many_threads_one_uses_the_verdict(
    face: FakeFaceService, store: MemoryStore, clock: ManualClock
) -> None:
    orchestrator = Orchestrator(Settings(), face=face, store=store, clock=clock)
    face.outcome = PASSES
    count = 16
    for _ in range(10):
        session = orchestrator.start(ALICE).session
        orchestrator.finish(session.id, subject="alice", digest=DIGEST)
        results: list[str] = []
        barrier = threading.Barrier(count)

        def use(session_id: str, results: list[str], barrier: threading.Barrier) -> None:
            barrier.wait(10)
            try:
                orchestrator.consume(session_id, subject="alice", purpose="default")
            except VerdictUsedError as error:
                results.append(error.code)
            else:
                results.append("used it")

        arguments = (session.id, results, barrier)
        threads = [threading.Thread(target=use, args=arguments) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results) == ["used it", *["verdict_used"] * (count - 1)]


def test_of_many_tasks_one_uses_the_verdict(
    face: FakeFaceService, store: MemoryStore, clock: ManualClock
) -> None:
    async def run() -> list[str]:
        orchestrator = AsyncOrchestrator(
            Settings(), face=AsyncFakeFaceService(face), store=ThreadedStore(store), clock=clock
        )
        face.outcome = PASSES
        session = (await orchestrator.start(ALICE)).session
        await orchestrator.finish(session.id, subject="alice", digest=DIGEST)

        async def use() -> str:
            try:
                await orchestrator.consume(session.id, subject="alice", purpose="default")
            except VerdictUsedError as error:
                return error.code
            return "used it"

        return await asyncio.gather(*(use() for _ in range(50)))

    assert sorted(asyncio.run(run())) == ["used it", *["verdict_used"] * 49]
