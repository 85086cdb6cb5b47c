"""Stand-ins for a clock and for the Face service: for tests of policies, plugins and applications.

For a service that behaves like the real one, over HTTP, use ``mockface``; these say what they are
told to say, and remember what they were asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from livegate.face.base import FaceSession, FaceSessionRequest
from livegate.session import Outcome, OutcomeStatus

if TYPE_CHECKING:
    from livegate.session import SessionKind


@dataclass(slots=True)
class ManualClock:
    """A clock that moves when it is told to. Call it for the time."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the time on."""
        self.now += timedelta(seconds=seconds)


@dataclass(slots=True)
class ScriptedFace:
    """A Face service that says what it is told to say.

    Attributes:
        outcome: What :meth:`read` gives back.
        failures: An exception for a call, by the call's name: ``create``, ``read`` or ``delete``;
            it is raised until it is taken away.
        calls: The names of the calls, in their order.
        sessions: The ids of the sessions that were created and not deleted.
        requests: What :meth:`create` was asked for.
    """

    outcome: Outcome = field(default_factory=lambda: Outcome(OutcomeStatus.NOT_STARTED))
    failures: dict[str, BaseException] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)
    requests: list[FaceSessionRequest] = field(default_factory=list)
    api_version: str = "v1.2"

    def create(self, request: FaceSessionRequest) -> FaceSession:
        """See :meth:`livegate.face.base.FaceService.create`."""
        self._answer("create")
        self.requests.append(request)
        remote_id = f"remote-{len(self.requests)}"
        self.sessions.add(remote_id)
        return FaceSession(remote_id, f"token-of-{remote_id}")

    def read(
        self,
        kind: SessionKind,  # noqa: ARG002 - the port's words
        remote_id: str,  # noqa: ARG002
        api_version: str,  # noqa: ARG002
    ) -> Outcome:
        """See :meth:`livegate.face.base.FaceService.read`."""
        self._answer("read")
        return self.outcome

    def delete(
        self,
        kind: SessionKind,  # noqa: ARG002 - the port's words
        remote_id: str,
        api_version: str,  # noqa: ARG002
    ) -> None:
        """See :meth:`livegate.face.base.FaceService.delete`."""
        self._answer("delete")
        self.sessions.discard(remote_id)

    def close(self) -> None:
        """See :meth:`livegate.face.base.FaceService.close`."""
        self._answer("close")

    def _answer(self, call: str) -> None:
        self.calls.append(call)
        if call in self.failures:
            raise self.failures[call]


@dataclass(slots=True)
class AsyncScriptedFace:
    """A :class:`ScriptedFace` for an :class:`livegate.AsyncOrchestrator`."""

    script: ScriptedFace

    @property
    def api_version(self) -> str:
        """See :attr:`livegate.face.base.FaceService.api_version`."""
        return self.script.api_version

    async def create(self, request: FaceSessionRequest) -> FaceSession:
        """See :meth:`ScriptedFace.create`."""
        return self.script.create(request)

    async def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        """See :meth:`ScriptedFace.read`."""
        return self.script.read(kind, remote_id, api_version)

    async def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
        """See :meth:`ScriptedFace.delete`."""
        self.script.delete(kind, remote_id, api_version)

    async def close(self) -> None:
        """See :meth:`ScriptedFace.close`."""
        self.script.close()
