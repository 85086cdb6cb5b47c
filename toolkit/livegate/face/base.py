"""The port to the Face service: three calls, in our words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from livegate.session import SessionKind

if TYPE_CHECKING:
    from livegate.session import OperationMode, Outcome, ReferenceImage


@dataclass(frozen=True, slots=True)
class FaceSessionRequest:
    """What the service is asked to create.

    Attributes:
        kind: Liveness alone, or with verification.
        mode: How the SDK looks at the face.
        correlation_id: The end user's device; the service calls it ``deviceCorrelationId``.
        token_lifetime: Seconds that the token lives, 60 to 86400.
        reference_image: Needed for, and only for, a session with verification.

    Raises:
        ValueError: The kind and the reference image do not belong together.
    """

    kind: SessionKind
    mode: OperationMode
    correlation_id: str
    token_lifetime: int
    reference_image: ReferenceImage | None = None

    def __post_init__(self) -> None:
        needs_image = self.kind is SessionKind.LIVENESS_WITH_VERIFY
        if needs_image is (self.reference_image is None):
            raise ValueError("a session has a reference image if, and only if, it verifies")


@dataclass(frozen=True, slots=True)
class FaceSession:
    """What the service has created.

    Attributes:
        remote_id: The service's id of it.
        auth_token: What the front end's SDK speaks to the service with; a secret.
    """

    remote_id: str = field(repr=False)
    auth_token: str = field(repr=False)


class FaceService(Protocol):
    """The service for :class:`livegate.Orchestrator`. Safe to use from many threads.

    Every call ends within a bounded time. *api_version* is the one that the session was created
    with, so that a session outlives a change of the setting.
    """

    @property
    def api_version(self) -> str:
        """The version that new sessions are created with."""
        ...

    def create(self, request: FaceSessionRequest) -> FaceSession:
        """Have the service create a session. It is asked once: a retry could create two.

        Raises:
            FaceRefusedError: It never will.
            FaceError: It did not.
        """
        ...

    def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        """What the service knows of the session.

        Raises:
            FaceSessionNotFoundError: It knows no such session.
            FaceError: It did not say, or not in a way that we understand.
        """
        ...

    def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
        """Have the service delete the session, and its token and pictures with it.

        A session that the service does not know counts as deleted.

        Raises:
            FaceError: The service did not confirm it.
        """
        ...

    def close(self) -> None:
        """Let go of connections. Closing twice is no error."""
        ...


class AsyncFaceService(Protocol):
    """The service for :class:`livegate.AsyncOrchestrator`: the same words."""

    @property
    def api_version(self) -> str:
        """The version that new sessions are created with."""
        ...

    async def create(self, request: FaceSessionRequest) -> FaceSession:
        """See :meth:`FaceService.create`."""
        ...

    async def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        """See :meth:`FaceService.read`."""
        ...

    async def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
        """See :meth:`FaceService.delete`."""
        ...

    async def close(self) -> None:
        """See :meth:`FaceService.close`."""
        ...


AnyFaceService = FaceService | AsyncFaceService
