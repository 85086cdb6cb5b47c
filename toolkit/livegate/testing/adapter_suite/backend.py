"""What stands behind the application under test: a fake service, a clock, a store in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from livegate.models import Attempt, AttemptStatus, Outcome, OutcomeStatus, ReferenceImage
from livegate.orchestrator import AsyncOrchestrator, Orchestrator
from livegate.purposes import FROM_CLIENT, REQUIRED, Purpose
from livegate.settings import Settings
from livegate.stores.memory import MemoryStore
from livegate.testing.doubles import AsyncFakeFaceService, FakeFaceService, ManualClock

if TYPE_CHECKING:
    from livegate.models import StartRequest

JPEG: Final = b"\xff\xd8\xff\xda" + bytes(2000) + b"\xff\xd9"
"""What looks like a picture to whoever does not decode it."""
PORTRAIT: Final = b"\xff\xd8\xff\xda" + bytes(3000) + b"\xff\xd9"
"""The enrolled one, of everybody."""
DIGEST: Final = "B0A8" * 16
POLL_INTERVAL: Final = 3
ALLOWED_ORIGIN: Final = "https://front.example"

REAL: Final = Outcome(
    OutcomeStatus.ENDED,
    (
        Attempt(
            1, AttemptStatus.SUCCEEDED, decision="realface", digest=DIGEST, match_confidence=0.93
        ),
    ),
)
"""A real face."""


def _portrait(_: StartRequest) -> ReferenceImage:
    return ReferenceImage(PORTRAIT)


PURPOSES: Final = (
    Purpose("default"),
    Purpose("payout", reference_image=_portrait, transaction=REQUIRED),
    Purpose("enrol", reference_image=FROM_CLIENT),
    Purpose("once", max_retries=0),
)


@dataclass(slots=True)
class Backend:
    """The orchestrator that the application under test is bound to, and what it works with.

    Attributes:
        is_async: Whether :attr:`orchestrator` is an :class:`livegate.AsyncOrchestrator`.
        face: The service; a test says what it returns.
        clock: The time; a test moves it.
        orchestrator: To bind the application to: an :class:`livegate.Orchestrator`, or an
            :class:`livegate.AsyncOrchestrator`.
    """

    is_async: bool = False
    face: FakeFaceService = field(default_factory=FakeFaceService)
    clock: ManualClock = field(default_factory=ManualClock)
    orchestrator: Any = field(init=False)

    def __post_init__(self) -> None:
        self.orchestrator = (AsyncOrchestrator if self.is_async else Orchestrator)(
            Settings(poll_interval=POLL_INTERVAL, allowed_origins=(ALLOWED_ORIGIN,)),
            purposes=PURPOSES,
            face=AsyncFakeFaceService(self.face) if self.is_async else self.face,  # type: ignore[arg-type]  # belongs to the type
            store=MemoryStore(),
            clock=self.clock,
        )
