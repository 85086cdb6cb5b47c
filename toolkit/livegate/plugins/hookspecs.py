"""The hooks: everything that a plugin can do.

A plugin is a module, or any object, with functions marked by ``hookimpl``. Each hook is declared
below as a protocol with one method; a class that derives from the protocols of its hooks is checked
by a type checker, which then reports a wrong argument, a wrong result and a missing hook::

    from livegate.hooks import (
        BeforeStart, PolicyViolation, Purpose, StartAttempt, StartRequest, hookimpl
    )

    class LockOut(BeforeStart):
        @hookimpl
        def before_start(
            self, request: StartRequest, purpose: Purpose, attempt: StartAttempt
        ) -> PolicyViolation | None:
            if request.subject in locked:
                return PolicyViolation("account_locked", "This account is locked.")
            return None

Deriving is optional. Without it a hook may leave out arguments that it does not need; a module is
checked by an assignment, such as ``policy: BeforeStart = my_module``.

Every hook is ``def`` or ``async def``, under both orchestrators. ``Orchestrator`` runs a ``def``
hook in the caller's thread, and an ``async def`` one in an event loop of its own.
``AsyncOrchestrator`` awaits ``async def`` hooks, and runs ``def`` hooks in a worker thread. Both
keep the caller's context variables. The hooks that run while an orchestrator is made
(``configure``, ``open_store``, ``open_notifier``) run in the caller's thread, and what an ``async
def`` one opens must not be bound to the event loop that runs it.

Plugins that are registered later are called earlier; ``hookimpl(tryfirst=True)`` and
``hookimpl(trylast=True)`` change it for one hook. Wrappers are not supported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import pluggy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from livegate.lifecycle import Event
    from livegate.models import (
        LivenessSession,
        Outcome,
        PolicyViolation,
        ReferenceImage,
        RequestContext,
        StartAttempt,
        StartOutcome,
        StartRequest,
        Verdict,
    )
    from livegate.plugins.context import PluginContext
    from livegate.plugins.uri import Uri
    from livegate.protocols import AnyStore, Notifier
    from livegate.purposes import Purpose

    Violations = PolicyViolation | Sequence[PolicyViolation] | None
    """What a policy returns: a violation, a list or tuple of them, or None for no violation."""

GROUP: Final = "livegate"
"""The project name for pluggy, and the group of entry points."""

hookspec: Final = pluggy.HookspecMarker(GROUP)
hookimpl: Final = pluggy.HookimplMarker(GROUP)
"""Marks a function of a plugin as the implementation of the hook with its name."""


# --- the life of a plugin --------------------------------------------------------------------


class Configure(Protocol):
    """Read the plugin's configuration."""

    @hookspec
    def configure(self, context: PluginContext) -> Awaitable[None] | None:
        """Runs once, when an orchestrator is made, before any other hook.

        ``context.config(type)`` gives the plugin's own configuration. All faults of all plugins are
        reported together with those of the settings, so this also runs when a setting or another
        plugin is at fault and the orchestrator will not be made: open connections in
        ``open_store``, or at the first call.

        Raise :class:`livegate.errors.ConfigurationError` for a configuration that cannot be used.
        Of any other exception only the class is reported.
        """
        ...


class Shutdown(Protocol):
    """Release what the plugin holds."""

    @hookspec
    def shutdown(self) -> Awaitable[None] | None:
        """Runs once, when the orchestrator is closed. A failure is logged and changes nothing.

        An ``async def`` one is given up after five seconds.
        """
        ...


# --- where sessions are kept and events are sent ---------------------------------------------


class OpenStore(Protocol):
    """Open a store by its URI."""

    @hookspec
    def open_store(
        self, uri: Uri, context: PluginContext
    ) -> AnyStore | Awaitable[AnyStore | None] | None:
        """Return the store that *uri* names, or None if its scheme is not yours.

        Runs when an orchestrator is made with a URI in place of a store. The first plugin that
        returns a store wins; the built-in stores come last.

        Raise :class:`livegate.errors.ConfigurationError` if the scheme is yours and the rest cannot
        be used; do not quote the URI in it.
        """
        ...


class OpenNotifier(Protocol):
    """Open a notifier by its URI."""

    @hookspec
    def open_notifier(
        self, uri: Uri, context: PluginContext
    ) -> Notifier | Awaitable[Notifier | None] | None:
        """Return the notifier that *uri* names, or None if its scheme is not yours.

        Runs when an orchestrator is made, once for each URI in ``LIVEGATE_NOTIFIERS``. The rest is
        as for ``open_store``.
        """
        ...


# --- policies --------------------------------------------------------------------------------


class ProvideReferenceImage(Protocol):
    """Find the picture of the person that a session has to verify."""

    @hookspec
    def provide_reference_image(
        self, request: StartRequest, purpose: Purpose
    ) -> ReferenceImage | Awaitable[ReferenceImage | None] | None:
        """Return the image, or None if you have none for this request.

        Runs for a purpose with verification that says no source of its own, when the application's
        call brought no image either. At most one plugin may return an image. One that raises
        rejects the start.
        """
        ...


class CheckReferenceImage(Protocol):
    """Reject a reference image."""

    @hookspec
    def check_reference_image(
        self, image: ReferenceImage, request: StartRequest, purpose: Purpose
    ) -> Violations | Awaitable[Violations]:
        """Return what makes the image unusable.

        Runs before the image is sent to the service, wherever it came from. Nothing has decoded it
        yet: treat its bytes as hostile, and do not keep them. All plugins are called, and the
        caller gets all violations at once. One that raises rejects the start.
        """
        ...


class BeforeStart(Protocol):
    """Reject a start: budgets, lock-out, rate limits, consent."""

    @hookspec
    def before_start(
        self, request: StartRequest, purpose: Purpose, attempt: StartAttempt
    ) -> Violations | Awaitable[Violations]:
        """Return why this session must not be started now.

        Runs before the service is asked to create the session, and again when a start that failed
        is repeated with its idempotency key: then ``attempt.is_repeat`` is true, so that a budget
        counts it once. All plugins are called, and the caller gets all violations at once. One that
        raises rejects the start; raise :class:`livegate.errors.PolicyUnavailableError` when what
        you need to decide does not respond. Its cause is dropped.
        """
        ...


class StartSettled(Protocol):
    """Learn what became of a start that ``before_start`` let pass."""

    @hookspec
    def start_settled(self, attempt: StartAttempt, outcome: StartOutcome) -> Awaitable[None] | None:
        """Runs when the token was handed out, or when it is known that it never will be.

        A budget gives back what a start without a token has used. It may be missed if the process
        dies. A failure is logged and changes nothing.
        """
        ...


class Decide(Protocol):
    """Make a verdict stricter."""

    @hookspec
    def decide(
        self,
        session: LivenessSession,
        outcome: Outcome,
        purpose: Purpose,
        context: RequestContext | None,
    ) -> Verdict | Awaitable[Verdict | None] | None:
        """Return a verdict on *outcome*, or None to leave it to others.

        Runs when the service's result has been read, before the verdict is stored, and again if
        another call changed the session in between. *context* is that of the request that reported
        the client's end, or None. The strictest verdict of all plugins counts and the built-in
        rules always give one, so a plugin can send a session to ``needs_review``, ``inconclusive``
        or ``rejected``, and never make it ``passed``. One that raises makes it ``inconclusive``,
        with the reason ``policy_failed``.
        """
        ...


# --- observers -------------------------------------------------------------------------------


class SessionChanged(Protocol):
    """Observe a change."""

    @hookspec
    def session_changed(
        self, before: LivenessSession | None, after: LivenessSession, event: Event | None
    ) -> Awaitable[None] | None:
        """Runs after a change is committed; *before* and *event* are None for a new session.

        It runs in the process that made the change, and is missed if that process dies: what must
        arrive is for a notifier. A failure is logged and changes nothing. An ``async def`` one is
        given up after five seconds.
        """
        ...


HOOKS: Final = {
    "configure": Configure,
    "shutdown": Shutdown,
    "open_store": OpenStore,
    "open_notifier": OpenNotifier,
    "provide_reference_image": ProvideReferenceImage,
    "check_reference_image": CheckReferenceImage,
    "before_start": BeforeStart,
    "start_settled": StartSettled,
    "decide": Decide,
    "session_changed": SessionChanged,
}
"""Every hook by its name."""
