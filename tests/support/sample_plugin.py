"""A third party's plugin, with every hook: once as ``def``, once as ``async def``.

It imports from ``livegate.hooks`` alone, and derives from the protocols, so mypy checks it.
"""

from __future__ import annotations

from dataclasses import dataclass

from livegate.hooks import (
    AnyStore,
    BeforeStart,
    CheckReferenceImage,
    Configure,
    Decide,
    Event,
    LivenessSession,
    Notifier,
    OpenNotifier,
    OpenStore,
    Outcome,
    PluginContext,
    PolicyViolation,
    ProvideReferenceImage,
    Purpose,
    ReferenceImage,
    RequestContext,
    SessionChanged,
    SessionEvent,
    SessionState,
    Shutdown,
    StartAttempt,
    StartOutcome,
    StartRequest,
    StartSettled,
    Uri,
    Verdict,
    event_name,
    hookimpl,
)

PORTRAIT = ReferenceImage(b"\xff\xd8\xff" + bytes(2000))


@dataclass(frozen=True)
class Config:
    """The plugin's own configuration."""

    locked: str = "mallory"


class SampleNotifier:
    """Keeps what is delivered."""

    name = "sample"

    def __init__(self) -> None:
        self.delivered: list[SessionEvent] = []

    def deliver(self, event: SessionEvent) -> None:
        self.delivered.append(event)

    def close(self) -> None: ...


class SyncPlugin(
    Configure,
    Shutdown,
    OpenStore,
    OpenNotifier,
    ProvideReferenceImage,
    CheckReferenceImage,
    BeforeStart,
    StartSettled,
    Decide,
    SessionChanged,
):
    """Every hook as ``def``."""

    name = "sample"

    def __init__(self) -> None:
        self.config = Config()
        self.seen: list[object] = []

    @hookimpl
    def configure(self, context: PluginContext) -> None:
        self.config = context.config(Config)
        self.seen.append(("configured", context.name, context.version))

    @hookimpl
    def shutdown(self) -> None:
        self.seen.append("shut down")

    @hookimpl
    def open_store(self, uri: Uri, context: PluginContext) -> AnyStore | None:
        if uri.scheme != "sample":
            return None
        from livegate.stores.memory import MemoryStore  # for those who use it

        self.seen.append((uri.host, context.settings.api_version))
        return MemoryStore()

    @hookimpl
    def open_notifier(self, uri: Uri, context: PluginContext) -> Notifier | None:
        return SampleNotifier() if uri.scheme == "sample" else None

    @hookimpl
    def provide_reference_image(
        self, request: StartRequest, purpose: Purpose
    ) -> ReferenceImage | None:
        return PORTRAIT if purpose.name == "payout" else None

    @hookimpl
    def check_reference_image(
        self, image: ReferenceImage, request: StartRequest, purpose: Purpose
    ) -> list[PolicyViolation]:
        if b"reject me" in image.content:
            return [PolicyViolation("image_rejected", "Not this one.", status=422)]
        return []

    @hookimpl
    def before_start(
        self, request: StartRequest, purpose: Purpose, attempt: StartAttempt
    ) -> PolicyViolation | None:
        if request.subject == self.config.locked:
            return PolicyViolation("account_locked", "This account is locked.")
        return None

    @hookimpl
    def start_settled(self, attempt: StartAttempt, outcome: StartOutcome) -> None:
        self.seen.append((attempt.session_id, outcome.value))

    @hookimpl
    def decide(
        self,
        session: LivenessSession,
        outcome: Outcome,
        purpose: Purpose,
        context: RequestContext | None,
    ) -> Verdict | None:
        if purpose.name == "payout" or (context and context.user_agent == "robot"):
            return Verdict(SessionState.NEEDS_REVIEW, ("high_value",))
        return None

    @hookimpl
    def session_changed(
        self, before: LivenessSession | None, after: LivenessSession, event: Event | None
    ) -> None:
        self.seen.append((event_name(event) if event else "requested", after.state.value))


class AsyncPlugin(
    Configure,
    Shutdown,
    OpenStore,
    OpenNotifier,
    ProvideReferenceImage,
    CheckReferenceImage,
    BeforeStart,
    StartSettled,
    Decide,
    SessionChanged,
):
    """The same hooks as ``async def``."""

    name = "sample"

    def __init__(self) -> None:
        self.sync = SyncPlugin()
        self.seen = self.sync.seen

    @hookimpl
    async def configure(self, context: PluginContext) -> None:
        self.sync.configure(context)

    @hookimpl
    async def shutdown(self) -> None:
        self.sync.shutdown()

    @hookimpl
    async def open_store(self, uri: Uri, context: PluginContext) -> AnyStore | None:
        return self.sync.open_store(uri, context)

    @hookimpl
    async def open_notifier(self, uri: Uri, context: PluginContext) -> Notifier | None:
        return self.sync.open_notifier(uri, context)

    @hookimpl
    async def provide_reference_image(
        self, request: StartRequest, purpose: Purpose
    ) -> ReferenceImage | None:
        return self.sync.provide_reference_image(request, purpose)

    @hookimpl
    async def check_reference_image(
        self, image: ReferenceImage, request: StartRequest, purpose: Purpose
    ) -> list[PolicyViolation]:
        return self.sync.check_reference_image(image, request, purpose)

    @hookimpl
    async def before_start(
        self, request: StartRequest, purpose: Purpose, attempt: StartAttempt
    ) -> PolicyViolation | None:
        return self.sync.before_start(request, purpose, attempt)

    @hookimpl
    async def start_settled(self, attempt: StartAttempt, outcome: StartOutcome) -> None:
        self.sync.start_settled(attempt, outcome)

    @hookimpl
    async def decide(
        self,
        session: LivenessSession,
        outcome: Outcome,
        purpose: Purpose,
        context: RequestContext | None,
    ) -> Verdict | None:
        return self.sync.decide(session, outcome, purpose, context)

    @hookimpl
    async def session_changed(
        self, before: LivenessSession | None, after: LivenessSession, event: Event | None
    ) -> None:
        self.sync.session_changed(before, after, event)


PLUGIN = SyncPlugin()
"""What an entry point names."""
