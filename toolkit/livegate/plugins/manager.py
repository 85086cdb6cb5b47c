"""The plugins of one orchestrator, and how the operations call their hooks."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from livegate.errors import (
    ConfigurationError,
    LivegateError,
    PolicyFailedError,
    PolicyUnavailableError,
)
from livegate.models import PolicyViolation, ReferenceImage, SessionState, Verdict
from livegate.plugins.calling import Implementation, call, call_now, run_in_own_loop
from livegate.plugins.hookspecs import HOOKS
from livegate.plugins.registry import Registry
from livegate.plugins.uri import Uri
from livegate.protocols import Notifier
from livegate.settings import raise_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from livegate.lifecycle import Event
    from livegate.models import (
        LivenessSession,
        Outcome,
        RequestContext,
        SessionEvent,
        StartAttempt,
        StartOutcome,
        StartRequest,
    )
    from livegate.plugins.context import PluginContext
    from livegate.protocols import AnyStore
    from livegate.purposes import ImageSource, Purpose

log = logging.getLogger("livegate.plugins")

OBSERVER_TIMEOUT: Final = 5.0
"""Seconds that an observer may be waited for."""

_POLICY_FAILED: Final = Verdict(SessionState.INCONCLUSIVE, ("policy_failed",))

T = TypeVar("T")
E = TypeVar("E", bound=LivegateError)


class Plugins:
    """The plugins of one orchestrator.

    No error and no log line quotes what a plugin's exception says: it may hold a URI with its
    password. They name the hook, the plugin, the class of the exception and the line.

    Args:
        plugins: Modules or objects with hooks.
        entry_points: Names in the group ``livegate`` to load as well; ``*`` loads all.
        is_async: Whether the hooks are called from an event loop that they must not block.

    Raises:
        ConfigurationError: A plugin or one of its hooks cannot be used; the message names it.
    """

    def __init__(
        self, plugins: Iterable[object] = (), entry_points: Iterable[str] = (), *, is_async: bool
    ) -> None:
        registry = Registry(plugins, entry_points)
        self._names = registry.names()
        self._hooks = {hook: registry.implementations(hook) for hook in HOOKS}
        self._is_async = is_async
        self._context: PluginContext | None = None
        self._to_shut_down: tuple[Implementation, ...] = ()

    def names(self) -> tuple[str, ...]:
        """The names of the plugins, in the order in which their hooks are called."""
        return self._names

    def hooks(self) -> dict[str, list[str]]:
        """The hooks that each plugin has, by its name, in the order of the calls."""
        found: dict[str, list[str]] = {name: [] for name in self._names}
        for implementations in self._hooks.values():
            for each in implementations:
                found[each.plugin].append(each.hook)
        return found

    # --- the life of the plugins -------------------------------------------------------------

    def configure(self, context: PluginContext, faults: Iterable[str] = ()) -> None:
        """Configure all plugins; to be called once, before anything else.

        Args:
            context: With the ``plugin_config`` of all plugins.
            faults: Of the settings, to be reported with those of the plugins.

        Raises:
            ConfigurationError: Names all faults. Plugins that were configured are shut down.
        """
        self._context = context
        found = [*faults]
        unknown = sorted(context.plugin_config.keys() - set(self._names))
        found += [f"plugin_config names {name}, and no plugin has that name" for name in unknown]
        failed = set()
        for each in self._hooks["configure"]:
            try:
                call_now(each, {"context": self._context_of(each)})
            except ConfigurationError as error:
                found += error.faults
                failed.add(each.plugin)
            except Exception as error:  # noqa: BLE001 - reported with the other faults
                found.append(each.failure(error))
                failed.add(each.plugin)
        self._to_shut_down = tuple(
            each for each in self._hooks["shutdown"] if each.plugin not in failed
        )
        if found and self._to_shut_down:
            run_in_own_loop(self.shutdown())
        raise_faults(found)

    async def shutdown(self) -> None:
        """Have every plugin release what it holds; a second call does nothing."""
        implementations, self._to_shut_down = self._to_shut_down, ()
        for each in implementations:
            await self._inform(each)

    def open_store(self, uri: str) -> AnyStore:
        """The store that *uri* names.

        Raises:
            ConfigurationError: No plugin knows its scheme, or the one that does cannot use it.
            StoreError: The store cannot be used now.
        """
        known = "built in are sqlite:///PATH and memory://"
        store: AnyStore = self._open("open_store", "LIVEGATE_STORE", uri, known)
        return store

    def open_notifier(self, uri: str) -> Notifier:
        """The notifier that *uri* names.

        Raises:
            ConfigurationError: No plugin knows its scheme, or the one that does cannot use it.
        """
        notifier = self._open("open_notifier", "LIVEGATE_NOTIFIERS", uri, "built in is log://")
        if not isinstance(notifier, Notifier):
            raise ConfigurationError(
                f"A plugin opened a {type(notifier).__name__}, which is not a notifier: it needs "
                "name, deliver() and close()."
            )
        return notifier

    def _open(self, hook: str, setting: str, text: str, known: str) -> Any:
        try:
            uri = Uri.parse(text)
        except ValueError as error:
            raise ConfigurationError(f"{setting} {error}; {known}.") from None
        for each in self._hooks[hook]:
            opened = self._open_with(each, uri)
            if opened is not None:
                return opened
        raise ConfigurationError(
            f"{setting} has the scheme {uri.scheme}, and no plugin opens it; {known}."
        )

    def _open_with(self, implementation: Implementation, uri: Uri) -> Any:
        arguments = {"uri": uri, "context": self._context_of(implementation)}
        failure: LivegateError
        try:
            return call_now(implementation, arguments)
        except LivegateError as error:
            failure = _without_cause(error)
        except Exception as error:  # noqa: BLE001 - raised below
            failure = ConfigurationError(f"{implementation.failure(error)} (scheme {uri.scheme}).")
        # Not in the handler: the exception would become the context of the one that is raised.
        raise failure

    def _context_of(self, implementation: Implementation) -> PluginContext:
        if self._context is None:
            raise RuntimeError("configure() has to be called first")
        return self._context.for_plugin(implementation.plugin, self._names)

    # --- policies ----------------------------------------------------------------------------

    async def before_start(
        self, request: StartRequest, purpose: Purpose, attempt: StartAttempt
    ) -> tuple[PolicyViolation, ...]:
        """All violations of the policies for starts.

        Raises:
            PolicyFailedError: A policy raised, or returned what no policy may.
            PolicyUnavailableError: A policy cannot decide now.
        """
        arguments = {"request": request, "purpose": purpose, "attempt": attempt}
        return await self._violations("before_start", arguments)

    async def check_reference_image(
        self, image: ReferenceImage, request: StartRequest, purpose: Purpose
    ) -> tuple[PolicyViolation, ...]:
        """All violations of the policies for reference images.

        Raises:
            PolicyFailedError: A policy raised, or returned what no policy may.
            PolicyUnavailableError: A policy cannot decide now.
        """
        arguments = {"image": image, "request": request, "purpose": purpose}
        return await self._violations("check_reference_image", arguments)

    async def provide_reference_image(
        self, request: StartRequest, purpose: Purpose
    ) -> ReferenceImage | None:
        """The image that a plugin has for *request*, or None.

        Raises:
            ConfigurationError: Two plugins have one.
            PolicyFailedError: A plugin raised, or returned something else.
            PolicyUnavailableError: A plugin cannot say now.
        """
        found: list[tuple[str, ReferenceImage]] = []
        for each in self._hooks["provide_reference_image"]:
            image = await self._ask(each, {"request": request, "purpose": purpose}, _as_image)
            if image is not None:
                found.append((each.plugin, image))
        if len(found) > 1:
            plugins = " and ".join(plugin for plugin, _ in found)
            raise ConfigurationError(
                f"The plugins {plugins} both provide a reference image for the purpose "
                f"{purpose.name}: let all but one return None."
            )
        return found[0][1] if found else None

    async def image_from(
        self, source: ImageSource, request: StartRequest, purpose: Purpose
    ) -> ReferenceImage | None:
        """The image that the purpose's own *source* has for *request*, or None.

        Raises:
            PolicyFailedError: It raised, or returned something else.
            PolicyUnavailableError: It cannot say now.
        """
        function = partial(source, request)
        what = f"reference_image of the purpose {purpose.name}"
        return await self._ask(
            Implementation(what, "", is_built_in=False, function=function), {}, _as_image
        )

    async def decide(
        self,
        session: LivenessSession,
        outcome: Outcome,
        purpose: Purpose,
        context: RequestContext | None,
    ) -> Verdict:
        """The strictest verdict of all plugins; one that fails does not pass.

        Raises:
            PolicyUnavailableError: A policy cannot decide now; the result is to be read again.
        """
        arguments = {
            "session": session,
            "outcome": outcome,
            "purpose": purpose,
            "context": context,
        }
        verdicts: list[Verdict] = []
        for each in self._hooks["decide"]:
            unavailable = verdict = None
            try:
                verdict = _as_verdict(await call(each, arguments, is_async=self._is_async))
            except PolicyUnavailableError as error:
                unavailable = _without_cause(error)
            except Exception as error:  # noqa: BLE001 - a policy that fails never passes
                _log_failure(each, error)
                verdict = _POLICY_FAILED
            if unavailable is not None:
                raise unavailable  # not in the handler, as above
            if verdict is not None:
                verdicts.append(verdict)
        return Verdict.strictest(verdicts)

    async def _violations(
        self, hook: str, arguments: dict[str, Any]
    ) -> tuple[PolicyViolation, ...]:
        found: list[PolicyViolation] = []
        for each in self._hooks[hook]:
            found += await self._ask(each, arguments, _as_violations)
        return tuple(found)

    async def _ask(
        self, implementation: Implementation, arguments: dict[str, Any], parse: Callable[[Any], T]
    ) -> T:
        """The parsed result of a policy; if it fails, the start is rejected."""
        failure: LivegateError
        try:
            return parse(await call(implementation, arguments, is_async=self._is_async))
        except PolicyUnavailableError as error:
            failure = _without_cause(error)
        except Exception as error:  # noqa: BLE001 - raised below
            failure = PolicyFailedError(f"{_failure(implementation, error)}.")
        raise failure  # not in the handler, as above

    async def deliver(self, notifier: Notifier, event: SessionEvent) -> None:
        """Have *notifier* deliver *event*, in a thread where it would block the event loop.

        Raises:
            Exception: Whatever it raises.
        """
        function = partial(notifier.deliver, event)
        implementation = Implementation(
            "deliver", notifier.name, is_built_in=False, function=function
        )
        await call(implementation, {}, is_async=self._is_async)

    # --- observers ---------------------------------------------------------------------------

    async def start_settled(self, attempt: StartAttempt, outcome: StartOutcome) -> None:
        """Report what became of a start; what a plugin does with it changes nothing."""
        for each in self._hooks["start_settled"]:
            await self._inform(each, attempt=attempt, outcome=outcome)

    async def observe(
        self, before: LivenessSession | None, after: LivenessSession, event: Event | None
    ) -> None:
        """Report a committed change; what a plugin does with it changes nothing."""
        for each in self._hooks["session_changed"]:
            await self._inform(each, before=before, after=after, event=event)

    async def _inform(self, implementation: Implementation, **arguments: Any) -> None:
        try:
            await call(
                implementation, arguments, is_async=self._is_async, give_up_after=OBSERVER_TIMEOUT
            )
        except Exception as error:  # noqa: BLE001 - an observer that fails changes nothing
            _log_failure(implementation, error)


class _ResultError(Exception):
    """A policy returned what no policy may."""


def _failure(implementation: Implementation, error: Exception) -> str:
    if isinstance(error, _ResultError):
        return f"{implementation.label} {error}"
    return implementation.failure(error)


def _log_failure(implementation: Implementation, error: Exception) -> None:
    log.error("%s", _failure(implementation, error))


def _without_cause(error: E) -> E:
    """The *error* without the driver's error that led to it, and without frames that hold it."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _as_violations(result: Any) -> tuple[PolicyViolation, ...]:
    if result is None:
        return ()
    violations = (result,) if isinstance(result, PolicyViolation) else result
    # Not any iterable: an empty str or mapping would be taken for no violation.
    if not isinstance(violations, list | tuple) or not all(
        isinstance(each, PolicyViolation) for each in violations
    ):
        raise _unexpected(result, "a PolicyViolation, a list of them, or None")
    return tuple(violations)


def _as_image(result: Any) -> ReferenceImage | None:
    if result is None or (isinstance(result, ReferenceImage) and isinstance(result.content, bytes)):
        return result
    raise _unexpected(result, "a ReferenceImage of bytes, or None")


def _as_verdict(result: Any) -> Verdict | None:
    if result is None or isinstance(result, Verdict):
        return result
    raise _unexpected(result, "a Verdict, or None")


def _unexpected(result: Any, expected: str) -> _ResultError:
    return _ResultError(f"returned a {type(result).__name__} in place of {expected}")
