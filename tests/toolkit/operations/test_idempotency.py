"""Starts that are repeated with their idempotency key, and budgets that count them once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.operations.samples import ALICE, JPEG, OTHER_JPEG, PASSES, S, start

from livegate import Purpose, Settings
from livegate._record import to_record
from livegate.errors import (
    DuplicateKeyError,
    FaceBadRequestError,
    FaceUnavailableError,
    IdempotencyError,
    InvalidRequestError,
    PolicyFailedError,
    ReferenceImageRejectedError,
    StartRejectedError,
    StoreError,
)
from livegate.hooks import PolicyViolation, ReferenceImage, StartAttempt, StartOutcome, hookimpl
from livegate.models import RemoteState, SessionState
from livegate.stores.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from livegate.protocols import EventRecord, Record
    from livegate.testing import FakeFaceService, ManualClock
    from orchestrators import EitherOrchestrator

R = RemoteState


def repeat_error(orchestrator: EitherOrchestrator, **changes: Any) -> IdempotencyError:
    with pytest.raises(IdempotencyError) as error:
        start(orchestrator, idempotency_key="k", **changes)
    assert error.value.field == "Idempotency-Key"
    return error.value


ENDED = {
    "token_already_issued": (
        "Session {id} was started with this Idempotency-Key, and its token was handed out; it is "
        "not kept, so start a new session with a new key."
    ),
    "start_abandoned": (
        "The start with this Idempotency-Key is {state} and handed out no token; start a new "
        "session with a new key."
    ),
}

# --- what a key responds in every state --------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "remote", "code"),
    [
        (S.READY, R.PRESENT, "token_already_issued"),
        (S.STARTED, R.PRESENT, "token_already_issued"),
        (S.AWAITING_RESULT, R.PRESENT, "token_already_issued"),
        (S.NEEDS_REVIEW, R.DELETED, "token_already_issued"),
        (S.PASSED, R.DELETED, "token_already_issued"),
        (S.REJECTED, R.DELETED, "token_already_issued"),
        (S.INCONCLUSIVE, R.DELETED, "token_already_issued"),
        (S.EXPIRED, R.DELETING, "token_already_issued"),
        (S.CANCELLED, R.DELETED, "token_already_issued"),
        (S.EXPIRED, R.NONE, "start_abandoned"),
        (S.CANCELLED, R.NONE, "start_abandoned"),
    ],
)
def test_a_known_key_never_makes_a_second_session(
    orchestrator: EitherOrchestrator,
    face: FakeFaceService,
    store: MemoryStore,
    state: SessionState,
    remote: RemoteState,
    code: str,
) -> None:
    # Given a session with a key, in any state but requested and failed
    session = start(orchestrator, idempotency_key="k")
    changed = replace(session, state=state, remote=remote, version=session.version + 1)
    store.save(to_record(changed, orchestrator.runtime.timing), session.version)

    # When the start is repeated, then the error says whether a token left
    error = repeat_error(orchestrator)

    assert (error.code, error.status, error.retryable) == (code, 409, False)
    assert str(error) == ENDED[code].format(id=session.id, state=state)
    assert face.calls == ["create"]
    assert len(orchestrator.find(subject="alice").sessions) == 1


@pytest.mark.parametrize(
    ("service_code", "error", "message"),
    [
        (
            "BadArgument",
            FaceBadRequestError,
            "The Face service rejected this start for good (BadArgument).",
        ),
        (
            "InvalidImage",
            ReferenceImageRejectedError,
            "The face service cannot use the image.",
        ),
    ],
)
def test_a_start_that_failed_for_good_fails_again_with_its_own_error(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    service_code: str,
    error: type[FaceBadRequestError | ReferenceImageRejectedError],
    message: str,
) -> None:
    # Given a start that the service rejected for good
    orchestrator = make_orchestrator(purposes=[Purpose("default", verify=True)])
    face.failures["create"] = FaceBadRequestError("no", service_code=service_code)
    with pytest.raises(error) as first:
        start(orchestrator, idempotency_key="k", reference_image=JPEG)
    face.failures.clear()

    # When it is repeated, then the service is not asked, and the error is the same
    with pytest.raises(error) as again:
        start(orchestrator, idempotency_key="k", reference_image=JPEG)
    assert (again.value.code, again.value.status) == (first.value.code, first.value.status)
    assert str(again.value) == message
    assert getattr(again.value, "service_code", service_code) == service_code
    assert face.calls == ["create"]


def test_a_start_that_is_under_way_says_how_long_to_wait_and_then_carries_on(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    clock: ManualClock,
) -> None:
    # Given a process that died while the service worked on the create
    orchestrator = make_orchestrator(settings=Settings(face_timeout=20))
    face.failures["create"] = KeyError("the process dies here")
    with pytest.raises(KeyError):
        start(orchestrator, idempotency_key="k")
    face.failures.clear()
    limit = orchestrator.runtime.timing.create

    # When the start is repeated too early, then the error says for how long it is
    clock.advance(10.5)
    error = repeat_error(orchestrator)
    wait = limit - timedelta(seconds=10.5)
    assert (error.code, error.status) == ("start_in_progress", 409)
    assert str(error) == (
        "A start with this Idempotency-Key is under way: wait for its response, or repeat it."
    )
    assert wait <= timedelta(seconds=error.retry_after or 0) < wait + timedelta(seconds=1)
    assert limit > timedelta(seconds=20)

    # And after that time it carries on with the same session
    clock.advance(error.retry_after or 0)
    session = start(orchestrator, idempotency_key="k")
    assert session.state is S.READY
    assert orchestrator.find(subject="alice").sessions == (session,)


def test_a_repeated_start_is_under_way_again(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    clock: ManualClock,
) -> None:
    orchestrator = make_orchestrator()
    face.failures["create"] = KeyError("the process dies here")
    with pytest.raises(KeyError):
        start(orchestrator, idempotency_key="k")
    clock.advance(30)
    with pytest.raises(KeyError):
        start(orchestrator, idempotency_key="k")

    assert repeat_error(orchestrator).retry_after == 30


@pytest.mark.both_kinds
def test_two_starts_with_one_key_at_the_same_moment_make_one_session(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    # Given two calls of which neither sees the other's record at first
    class Store(MemoryStore):
        def get_by_idempotency_key(self, subject: str, key: str) -> Record | None:
            return None

    budget = Budget()
    orchestrator = make_orchestrator(store=Store(), plugins=[budget])
    start(orchestrator, idempotency_key="k")

    # When both store their intent, then one of them has to wait
    error = repeat_error(orchestrator)
    assert (error.code, error.retry_after) == ("start_in_progress", 30)
    assert face.calls == ["create"]
    assert budget.used == 1


@pytest.mark.both_kinds
def test_two_repeats_at_the_same_moment_make_one_create(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    # Given a start that failed, and a repeat that is overtaken by another one
    class Store(MemoryStore):
        is_overtaken = False

        def save(
            self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
        ) -> None:
            if self.is_overtaken:
                self.is_overtaken = False
                super().save(record, expected_version, events)
            super().save(record, expected_version, events)

    store = Store()
    budget = Budget()
    orchestrator = make_orchestrator(store=store, plugins=[budget])
    face.failures["create"] = FaceUnavailableError("no response")
    with pytest.raises(FaceUnavailableError):
        start(orchestrator, idempotency_key="k")
    face.failures.clear()
    store.is_overtaken = True

    # When both store that they ask the service, then one of them has to wait
    error = repeat_error(orchestrator)
    assert (error.code, error.retry_after) == ("start_in_progress", 30)
    assert face.calls == ["create"]
    assert budget.used == 0


# --- what makes two requests the same ----------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "payout"},
        {"transaction": "payout 8"},
        {"transaction": None},
        {"correlation_id": "other"},
        {"reference_image": OTHER_JPEG},
    ],
    ids=str,
)
def test_a_key_that_was_used_for_another_request_is_an_error(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    changes: dict[str, Any],
) -> None:
    purposes = [Purpose("default", verify=True), Purpose("payout", verify=True)]
    orchestrator = make_orchestrator(purposes=purposes)
    request = {
        "transaction": "payout 7",
        "correlation_id": "device",
        "reference_image": JPEG,
    }
    start(orchestrator, idempotency_key="k", **request)

    error = repeat_error(orchestrator, **(request | changes))

    assert (error.code, error.status) == ("idempotency_key_reused", 422)
    assert str(error) == "This Idempotency-Key was used for another request; use a new one."
    assert face.calls == ["create"]


def test_a_key_from_before_the_purpose_verified_is_an_error(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    # Given a start that failed, and a purpose that verifies since
    face.failures["create"] = FaceUnavailableError("no response")
    with pytest.raises(FaceUnavailableError):
        start(
            make_orchestrator(purposes=[Purpose("payout")]), purpose="payout", idempotency_key="k"
        )
    face.failures.clear()
    stricter = [Purpose("payout", reference_image=lambda request: JPEG)]

    # When it is repeated, then it does not carry on with liveness alone
    error = repeat_error(make_orchestrator(purposes=stricter), purpose="payout")
    assert error.code == "idempotency_key_reused"
    assert face.calls == ["create"]


def test_keys_of_two_subjects_are_two_keys(orchestrator: EitherOrchestrator) -> None:
    first = start(orchestrator, idempotency_key="k")
    second = start(orchestrator, idempotency_key="k", subject="bob")
    upper = start(orchestrator, idempotency_key="K")

    assert len({first.id, second.id, upper.id}) == 3


# --- carrying on after a change of the settings or of the policies -----------------------------


def test_a_repeat_uses_the_api_version_and_the_mode_of_the_record(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    # Given a start that failed, and settings that changed since
    face.failures["create"] = FaceUnavailableError("no response")
    with pytest.raises(FaceUnavailableError):
        start(make_orchestrator(settings=Settings(mode="Passive")), idempotency_key="k")  # type: ignore[arg-type]
    face.failures.clear()
    face.api_version = "v9.9"
    later = make_orchestrator(settings=Settings(mode="PassiveActive", token_lifetime=90))  # type: ignore[arg-type]

    # When it is repeated, and the session goes through its whole life
    session = start(later, idempotency_key="k")
    face.outcome = PASSES
    later.finish(session.id, subject="alice")

    # Then every call uses the version that the session was created with, and its own mode
    assert session.api_version == "v1.2"
    assert face.calls == ["create", "create", "read", "delete"]
    assert set(face.versions) == {"v1.2"}
    assert face.requests[0].mode == "Passive"
    assert face.requests[0].token_lifetime == 90


def test_the_policies_decide_again_about_a_repeated_start(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    # Given a start that failed, and a subject that is locked out since
    lock_out = LockOut()
    orchestrator = make_orchestrator(plugins=[lock_out])
    face.failures["create"] = FaceUnavailableError("no response")
    with pytest.raises(FaceUnavailableError):
        start(orchestrator, idempotency_key="k")
    face.failures.clear()
    lock_out.is_locked = True

    # When it is repeated, then it is rejected, and nothing is created
    with pytest.raises(StartRejectedError):
        start(orchestrator, idempotency_key="k")
    assert face.calls == ["create"]

    # And once the subject is not locked out any more, it carries on
    lock_out.is_locked = False
    assert start(orchestrator, idempotency_key="k").state is S.READY


def test_a_repeat_takes_the_image_that_the_purpose_has_now(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    # Given a start that failed, and a portrait that was replaced since
    portraits = [JPEG]
    purpose = Purpose("default", reference_image=lambda request: portraits[-1])
    orchestrator = make_orchestrator(purposes=[purpose])
    face.failures["create"] = FaceUnavailableError("no response")
    with pytest.raises(FaceUnavailableError):
        start(orchestrator, idempotency_key="k")
    face.failures.clear()
    portraits.append(OTHER_JPEG)

    # When it is repeated, then the record holds the hash of the image that was sent
    session = start(orchestrator, idempotency_key="k")
    assert face.requests[-1].reference_image == OTHER_JPEG
    assert session.reference_sha256 == OTHER_JPEG.sha256
    assert session.reference_source == "purpose"


# --- budgets -----------------------------------------------------------------------------------


class LockOut:
    is_locked = False

    @hookimpl
    def before_start(self) -> PolicyViolation | None:
        return PolicyViolation("locked", "Locked.") if self.is_locked else None


@dataclass(eq=False)
class Budget:
    """Counts each start once, and gives back what a start without a token has used."""

    used: int = 0
    calls: list[str] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)

    @hookimpl
    def before_start(self, attempt: StartAttempt) -> None:
        self.used += not attempt.is_repeat
        self.calls.append("repeat" if attempt.is_repeat else "start")
        self.sessions.add(attempt.session_id)

    @hookimpl
    def start_settled(self, attempt: StartAttempt, outcome: StartOutcome) -> None:
        self.sessions.add(attempt.session_id)
        self.used -= outcome is StartOutcome.NOT_CREATED
        self.calls.append(outcome.value)


@pytest.fixture
def budget() -> Budget:
    return Budget()


@pytest.fixture
def with_budget(
    make_orchestrator: Callable[..., EitherOrchestrator], budget: Budget
) -> EitherOrchestrator:
    return make_orchestrator(plugins=[budget])


def test_a_start_is_counted_and_settled(with_budget: EitherOrchestrator, budget: Budget) -> None:
    session = start(with_budget)

    assert budget.calls == ["start", "created"]
    assert budget.sessions == {session.id}


def test_a_start_that_failed_is_given_back_and_counted_when_it_is_repeated(
    with_budget: EitherOrchestrator, budget: Budget, face: FakeFaceService
) -> None:
    face.failures["create"] = FaceUnavailableError("no response")
    with pytest.raises(FaceUnavailableError):
        start(with_budget, idempotency_key="k")
    face.failures.clear()
    assert budget.used == 0

    session = start(with_budget, idempotency_key="k")

    assert budget.calls == ["start", "not_created", "start", "created"]
    assert budget.used == 1
    assert budget.sessions == {session.id}


def test_a_start_whose_process_died_is_counted_once_when_it_is_repeated(
    with_budget: EitherOrchestrator, budget: Budget, face: FakeFaceService, clock: ManualClock
) -> None:
    face.failures["create"] = KeyError("the process dies here")
    with pytest.raises(KeyError):
        start(with_budget, idempotency_key="k")
    face.failures.clear()
    clock.advance(30)

    session = start(with_budget, idempotency_key="k")

    assert budget.calls == ["start", "repeat", "created"]
    assert budget.used == 1
    assert budget.sessions == {session.id}


@pytest.mark.parametrize("failure", ["rejected", "raises", "none"])
def test_a_start_without_a_usable_image_is_given_back(
    make_orchestrator: Callable[..., EitherOrchestrator], budget: Budget, failure: str
) -> None:
    def portrait(request: object) -> ReferenceImage | None:
        if failure == "raises":
            raise KeyError
        return ReferenceImage(b"not an image") if failure == "rejected" else None

    orchestrator = make_orchestrator(
        purposes=[Purpose("default", reference_image=portrait)], plugins=[budget]
    )

    with pytest.raises((ReferenceImageRejectedError, PolicyFailedError, InvalidRequestError)):
        orchestrator.start(ALICE)
    assert budget.calls == ["start", "not_created"]


def test_an_image_that_is_lost_does_not_give_back_what_a_dead_process_has_counted(
    make_orchestrator: Callable[..., EitherOrchestrator],
    budget: Budget,
    face: FakeFaceService,
    clock: ManualClock,
) -> None:
    # Given a start whose process died, and an image that is not there for a while
    portraits: list[ReferenceImage | None] = [JPEG]
    purpose = Purpose("default", reference_image=lambda request: portraits[-1])
    orchestrator = make_orchestrator(purposes=[purpose], plugins=[budget])
    face.failures["create"] = KeyError("the process dies here")
    with pytest.raises(KeyError):
        start(orchestrator, idempotency_key="k")
    face.failures.clear()
    clock.advance(30)
    portraits.append(None)
    with pytest.raises(InvalidRequestError, match="has none"):
        start(orchestrator, idempotency_key="k")

    # When it is repeated with the image, then it is counted once, and not for nothing
    portraits.append(JPEG)
    start(orchestrator, idempotency_key="k")
    assert budget.used == 1


def test_a_failure_that_is_not_stored_is_not_given_back(
    make_orchestrator: Callable[..., EitherOrchestrator],
    budget: Budget,
    face: FakeFaceService,
    clock: ManualClock,
) -> None:
    # Given a service that fails, and then a store that fails
    class Store(MemoryStore):
        is_broken = True

        def save(
            self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
        ) -> None:
            if self.is_broken:
                raise StoreError("disk full")
            super().save(record, expected_version, events)

    store = Store()
    orchestrator = make_orchestrator(store=store, plugins=[budget])
    face.failures["create"] = FaceUnavailableError("no response")
    with pytest.raises(FaceUnavailableError):
        start(orchestrator, idempotency_key="k")

    # When the start is repeated, then the record says that it was counted
    store.is_broken = False
    face.failures.clear()
    clock.advance(30)
    start(orchestrator, idempotency_key="k")
    assert budget.used == 1


@pytest.mark.parametrize(
    ("failure", "key"),
    [
        (StoreError("disk full"), None),
        (StoreError("disk full"), "k"),
        (DuplicateKeyError("the id is in use"), None),
    ],
    ids=str,
)
def test_an_intent_that_cannot_be_stored_is_given_back(
    make_orchestrator: Callable[..., EitherOrchestrator],
    budget: Budget,
    face: FakeFaceService,
    failure: StoreError,
    key: str | None,
) -> None:
    class Store(MemoryStore):
        def insert(self, record: Record, events: Sequence[EventRecord] = ()) -> None:
            raise failure

    orchestrator = make_orchestrator(store=Store(), plugins=[budget])

    with pytest.raises(StoreError) as error:
        start(orchestrator, idempotency_key=key)
    assert error.value is failure
    assert budget.calls == ["start", "not_created"]
    assert face.calls == []
