"""Stand-ins for a clock and for the Face service: for tests of policies, plugins and applications.

For a service that behaves like the real one, over HTTP, use ``mockface``; these return what a test
gives them, and remember how they were called.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from livegate.models import Outcome, OutcomeStatus
from livegate.protocols import FaceSession, FaceSessionRequest

if TYPE_CHECKING:
    from livegate.models import SessionKind


@dataclass(slots=True)
class ManualClock:
    """A clock that a test moves. Call it for the time."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the time on, or back."""
        self.now += timedelta(seconds=seconds)


@dataclass(slots=True)
class FakeFaceService:
    """A Face service that returns what a test gives it.

    Attributes:
        outcome: What :meth:`read` returns.
        failures: An exception for a call, by the call's name: ``create``, ``read`` or ``delete``;
            it is raised until it is removed.
        calls: The names of the calls, in their order.
        sessions: The ids of the sessions that were created and not deleted.
        requests: What :meth:`create` was called with.
        versions: The API version of each call but ``close``.
    """

    outcome: Outcome = field(default_factory=lambda: Outcome(OutcomeStatus.NOT_STARTED))
    failures: dict[str, BaseException] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)
    requests: list[FaceSessionRequest] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    api_version: str = "v1.2"

    def create(self, request: FaceSessionRequest, api_version: str) -> FaceSession:
        """See :meth:`livegate.protocols.FaceService.create`."""
        self._call("create", api_version)
        self.requests.append(request)
        remote_id = f"remote-{len(self.requests)}"
        self.sessions.add(remote_id)
        return FaceSession(remote_id, f"token-of-{remote_id}")

    def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:  # noqa: ARG002
        """See :meth:`livegate.protocols.FaceService.read`."""
        self._call("read", api_version)
        return self.outcome

    def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:  # noqa: ARG002
        """See :meth:`livegate.protocols.FaceService.delete`."""
        self._call("delete", api_version)
        self.sessions.discard(remote_id)

    def close(self) -> None:
        """See :meth:`livegate.protocols.FaceService.close`."""
        self._call("close")

    def _call(self, name: str, api_version: str | None = None) -> None:
        self.calls.append(name)
        if api_version is not None:
            self.versions.append(api_version)
        if name in self.failures:
            raise self.failures[name]


@dataclass(slots=True)
class AsyncFakeFaceService:
    """A :class:`FakeFaceService` for an :class:`livegate.AsyncOrchestrator`."""

    fake: FakeFaceService = field(default_factory=FakeFaceService)

    @property
    def api_version(self) -> str:
        """See :attr:`livegate.protocols.FaceService.api_version`."""
        return self.fake.api_version

    async def create(self, request: FaceSessionRequest, api_version: str) -> FaceSession:
        """See :meth:`FakeFaceService.create`."""
        return self.fake.create(request, api_version)

    async def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        """See :meth:`FakeFaceService.read`."""
        return self.fake.read(kind, remote_id, api_version)

    async def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
        """See :meth:`FakeFaceService.delete`."""
        self.fake.delete(kind, remote_id, api_version)

    async def close(self) -> None:
        """See :meth:`FakeFaceService.close`."""
        self.fake.close()
