"""What a session has to prove is decided by the server: purposes, transactions and images."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.operations.samples import (
    DIGEST,
    HTTP,
    JPEG,
    OTHER_JPEG,
    REAL,
    SAME_PERSON,
    start,
)

from livegate import FROM_CLIENT, REQUIRED, Outcome, Purpose, RequestContext
from livegate.errors import (
    InvalidRequestError,
    LivegateError,
    PolicyFailedError,
    PolicyUnavailableError,
    PurposeMismatchError,
    ReferenceImageRejectedError,
    StartRejectedError,
    VerdictNotPassedError,
)
from livegate.hooks import PolicyViolation, ReferenceImage, StartRequest, hookimpl
from livegate.models import OutcomeStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate.testing import FakeFaceService
    from orchestrators import EitherOrchestrator

APPLICATION = RequestContext()
PORTRAIT = ReferenceImage(b"\xff\xd8\xff\xda" + bytes(4000) + b"\xff\xd9")
"""The picture of the subject that the server keeps."""


def portrait_of(request: StartRequest) -> ReferenceImage | None:
    return PORTRAIT if request.subject == "alice" else None


async def awaited_portrait_of(request: StartRequest) -> ReferenceImage | None:
    return portrait_of(request)


class Portraits:
    """A plugin that knows the subjects' pictures."""

    @hookimpl
    def provide_reference_image(
        self, request: StartRequest, purpose: Purpose
    ) -> ReferenceImage | None:
        return portrait_of(request) if purpose.name == "plugin" else None


PURPOSES = [
    Purpose("liveness"),
    Purpose("verify", verify=True),
    Purpose("sync", reference_image=portrait_of),
    Purpose("async", reference_image=awaited_portrait_of),
    Purpose("plugin", verify=True),
    Purpose("client", reference_image=FROM_CLIENT),
    Purpose("payment", transaction=REQUIRED),
]


@pytest.fixture
def orchestrator(make_orchestrator: Callable[..., EitherOrchestrator]) -> EitherOrchestrator:
    return make_orchestrator(purposes=PURPOSES, plugins=[Portraits()])


# --- where the image comes from ----------------------------------------------------------------

NOT_ACCEPTED = "takes no image here"
MISSING = "needs one"
NOT_FOUND = "has none for this person"
CODES = {
    NOT_ACCEPTED: "reference_image_not_accepted",
    MISSING: "reference_image_required",
    NOT_FOUND: "reference_image_required",
}


@pytest.mark.both_kinds
@pytest.mark.parametrize(
    ("purpose", "image", "context", "expected"),
    [
        ("liveness", None, APPLICATION, None),
        ("liveness", None, HTTP, None),
        ("liveness", JPEG, APPLICATION, NOT_ACCEPTED),
        ("liveness", JPEG, HTTP, NOT_ACCEPTED),
        ("verify", None, APPLICATION, NOT_FOUND),
        ("verify", None, HTTP, NOT_FOUND),
        ("verify", JPEG, APPLICATION, "application"),
        ("verify", JPEG, HTTP, NOT_ACCEPTED),
        ("sync", None, APPLICATION, "purpose"),
        ("sync", None, HTTP, "purpose"),
        ("sync", JPEG, APPLICATION, "application"),
        ("sync", JPEG, HTTP, NOT_ACCEPTED),
        ("async", None, APPLICATION, "purpose"),
        ("async", None, HTTP, "purpose"),
        ("async", JPEG, APPLICATION, "application"),
        ("async", JPEG, HTTP, NOT_ACCEPTED),
        ("plugin", None, APPLICATION, "plugin"),
        ("plugin", None, HTTP, "plugin"),
        ("plugin", JPEG, APPLICATION, "application"),
        ("plugin", JPEG, HTTP, NOT_ACCEPTED),
        ("client", None, APPLICATION, MISSING),
        ("client", None, HTTP, MISSING),
        ("client", JPEG, APPLICATION, "application"),
        ("client", JPEG, HTTP, "client"),
    ],
)
def test_the_purpose_decides_where_the_image_comes_from(
    orchestrator: EitherOrchestrator,
    face: FakeFaceService,
    purpose: str,
    image: ReferenceImage | None,
    context: RequestContext,
    expected: str | None,
) -> None:
    request = {"purpose": purpose, "reference_image": image, "context": context}

    if expected in CODES:
        with pytest.raises(InvalidRequestError) as error:
            start(orchestrator, **request)
        assert (error.value.code, error.value.status) == (CODES[expected], 422)
        assert str(error.value) == f"referenceImage: the purpose {purpose} {expected}."
        assert error.value.field == "referenceImage"
        assert face.calls == []
        assert orchestrator.find(subject="alice").sessions == ()
        return
    session = start(orchestrator, **request)
    used = image or (PORTRAIT if expected else None)
    stored = orchestrator.get(session.id, subject="alice")
    assert stored.purpose == purpose
    assert stored.kind == ("livenessWithVerify" if expected else "liveness")
    assert stored.reference_source == expected
    assert stored.reference_sha256 == (used.sha256 if used else None)
    assert face.requests[0].reference_image == used
    assert face.requests[0].kind == stored.kind


@pytest.mark.parametrize("purpose", ["sync", "async", "plugin"])
@pytest.mark.parametrize("context", [APPLICATION, HTTP])
def test_a_subject_without_a_picture_starts_nothing(
    orchestrator: EitherOrchestrator, face: FakeFaceService, purpose: str, context: RequestContext
) -> None:
    with pytest.raises(InvalidRequestError) as error:
        start(orchestrator, subject="bob", purpose=purpose, context=context)

    assert (error.value.code, error.value.status) == (CODES[NOT_FOUND], 422)
    assert str(error.value) == f"referenceImage: the purpose {purpose} {NOT_FOUND}."
    assert face.calls == []


@pytest.mark.both_kinds
@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (KeyError("password=hunter2"), PolicyFailedError),
        (PolicyUnavailableError("the archive is down"), PolicyUnavailableError),
        ("not an image", PolicyFailedError),
    ],
)
def test_a_source_that_fails_starts_nothing(
    make_orchestrator: Callable[..., EitherOrchestrator],
    face: FakeFaceService,
    failure: Any,
    error: type[LivegateError],
) -> None:
    def broken(request: StartRequest) -> Any:
        if isinstance(failure, Exception):
            raise failure
        return failure

    orchestrator = make_orchestrator(purposes=[Purpose("default", reference_image=broken)])

    with pytest.raises(error) as raised:
        start(orchestrator)
    assert "hunter2" not in str(raised.value)
    assert face.calls == []


@pytest.mark.parametrize("purpose", ["verify", "sync", "plugin", "client"])
def test_an_image_is_checked_wherever_it_comes_from(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService, purpose: str
) -> None:
    class Strict:
        @hookimpl
        def check_reference_image(
            self, image: ReferenceImage, request: StartRequest, purpose: Purpose
        ) -> PolicyViolation:
            seen.append((image, request.subject, purpose.name))
            return PolicyViolation("blurred", "It is blurred.")

    seen: list[tuple[ReferenceImage, str, str]] = []

    orchestrator = make_orchestrator(purposes=PURPOSES, plugins=[Portraits(), Strict()])
    image = JPEG if purpose in ("verify", "client") else None

    with pytest.raises(ReferenceImageRejectedError) as error:
        start(orchestrator, purpose=purpose, reference_image=image)
    assert (error.value.code, error.value.field) == ("blurred", "referenceImage")
    assert seen == [(image or PORTRAIT, "alice", purpose)]
    assert face.calls == []


def test_a_start_that_is_rejected_looks_for_no_image(
    make_orchestrator: Callable[..., EitherOrchestrator],
) -> None:
    class LockOut:
        @hookimpl
        def before_start(self, request: StartRequest, purpose: Purpose) -> PolicyViolation:
            asked.append((request.subject, purpose))
            return PolicyViolation("locked", "Locked.")

    asked: list[tuple[str, Purpose]] = []
    seen: list[StartRequest] = []
    purpose = Purpose("default", reference_image=seen.append)
    orchestrator = make_orchestrator(purposes=[purpose], plugins=[LockOut()])

    with pytest.raises(StartRejectedError):
        start(orchestrator)
    assert (asked, seen) == ([("alice", purpose)], [])


# --- transactions ------------------------------------------------------------------------------


@pytest.mark.parametrize("context", [APPLICATION, HTTP])
def test_a_transaction_is_kept_and_missed_where_the_purpose_requires_one(
    orchestrator: EitherOrchestrator, face: FakeFaceService, context: RequestContext
) -> None:
    session = start(orchestrator, purpose="payment", transaction="payout 7", context=context)
    optional = start(orchestrator, purpose="liveness", transaction="x" * 128, context=context)
    with pytest.raises(InvalidRequestError) as error:
        start(orchestrator, purpose="payment", context=context)

    assert orchestrator.get(session.id, subject="alice").transaction == "payout 7"
    assert orchestrator.get(optional.id, subject="alice").transaction == "x" * 128
    assert (error.value.code, error.value.status) == ("transaction_required", 422)
    assert face.calls == ["create", "create"]


@pytest.mark.parametrize("context", [APPLICATION, HTTP])
def test_an_unknown_purpose_starts_nothing(
    orchestrator: EitherOrchestrator, face: FakeFaceService, context: RequestContext
) -> None:
    with pytest.raises(InvalidRequestError) as error:
        start(orchestrator, purpose="default", context=context)

    assert (error.value.code, error.value.field, error.value.status) == (
        "unknown_purpose",
        "purpose",
        422,
    )
    assert face.calls == []


# --- a front end that tries to prove less ------------------------------------------------------

OTHER_PERSON = Outcome(OutcomeStatus.ENDED, (replace(REAL, is_identical=False),))


BYPASSES: dict[str, tuple[str | None, str, ReferenceImage | None, Outcome, type[LivegateError]]] = {
    # The purpose that is named (None for the right one), the transaction, the image, the outcome.
    "no image": (None, "payout 7", None, OTHER_PERSON, VerdictNotPassedError),
    "own image": (None, "payout 7", OTHER_JPEG, SAME_PERSON, InvalidRequestError),
    "liveness alone": ("liveness", "payout 7", None, SAME_PERSON, PurposeMismatchError),
    "image of another purpose": ("client", "payout 7", JPEG, SAME_PERSON, PurposeMismatchError),
    "another transaction": (None, "payout 8", None, SAME_PERSON, PurposeMismatchError),
}


@pytest.mark.parametrize("purpose", ["sync", "async", "plugin"])
@pytest.mark.parametrize("bypass", BYPASSES)
def test_another_person_in_front_of_the_camera_cannot_be_made_to_pass(
    orchestrator: EitherOrchestrator, face: FakeFaceService, purpose: str, bypass: str
) -> None:
    # Given that Alice is signed in, and Mallory is in front of the camera and sends the requests
    named, transaction, image, outcome, error = BYPASSES[bypass]

    # When Mallory runs a session, then its verdict cannot be used for what Alice's portrait guards
    def run() -> None:
        session = start(
            orchestrator,
            purpose=named or purpose,
            transaction=transaction,
            reference_image=image,
            context=HTTP,
        )
        face.outcome = outcome
        orchestrator.finish(session.id, subject="alice", digest=DIGEST, context=HTTP)
        orchestrator.consume(session.id, subject="alice", purpose=purpose, transaction="payout 7")

    with pytest.raises(error):
        run()
    assert all(request.reference_image in (PORTRAIT, image) for request in face.requests)
