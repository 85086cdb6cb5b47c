"""A third party's plugin, whole in one file: it refuses images, opens a store, observes changes.

Every hook is there twice, as ``def`` and as ``async def``; the tests run both under both colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from livegate import Objection, SessionState, Verdict, hookimpl
from livegate.stores.memory import MemoryStore

if TYPE_CHECKING:
    from livegate import LivenessSession, ReferenceImage, Settings, StartRequest
    from livegate.lifecycle import Event

opened: list[str] = []
seen: list[tuple[str, str]] = []


class Plain:
    """The hooks as ``def``."""

    @hookimpl
    def open_store(self, uri: str, settings: Settings) -> MemoryStore | None:
        if not uri.startswith("sample://"):
            return None
        opened.append(f"{uri} {settings.api_version}")
        return MemoryStore()

    @hookimpl
    def before_start(self, request: StartRequest) -> Objection | None:
        if request.subject == "locked":
            return Objection("account_locked", "This account is locked.")
        return None

    @hookimpl
    def review_reference_image(self, image: ReferenceImage) -> list[Objection]:
        if b"refuse me" in image.content:
            return [Objection("image_refused", "Not this one.")]
        return []

    @hookimpl
    def decide(self, session: LivenessSession) -> Verdict | None:
        if session.purpose == "payment":
            return Verdict(SessionState.NEEDS_REVIEW, ("high_value",))
        return Verdict(SessionState.PASSED)

    @hookimpl
    def session_changed(self, after: LivenessSession, event: Event | None) -> None:
        seen.append((type(event).__name__, after.state))


class Awaited:
    """The same hooks as ``async def``."""

    plain = Plain()

    @hookimpl
    async def open_store(self, uri: str, settings: Settings) -> MemoryStore | None:
        return self.plain.open_store(uri, settings)

    @hookimpl
    async def before_start(self, request: StartRequest) -> Objection | None:
        return self.plain.before_start(request)

    @hookimpl
    async def review_reference_image(self, image: ReferenceImage) -> list[Objection]:
        return self.plain.review_reference_image(image)

    @hookimpl
    async def decide(self, session: LivenessSession) -> Verdict | None:
        return self.plain.decide(session)

    @hookimpl
    async def session_changed(self, after: LivenessSession, event: Event | None) -> None:
        self.plain.session_changed(after, event)
