"""The plugins of one orchestrator, and how the flows call them.

pluggy keeps the register and checks the hooks' names and arguments. The calls are ours, since each
hook may be ``async def``, each plugin's failure stays its own, and both are the flow's to await.
"""

from __future__ import annotations

import inspect
import logging
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import pluggy

from livegate import hooks
from livegate.driving import Flow, ask, drive
from livegate.errors import ConfigurationError, LivegateError
from livegate.session import Objection, SessionState, Verdict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from livegate.lifecycle import Event
    from livegate.session import LivenessSession, Outcome, ReferenceImage, StartRequest
    from livegate.settings import Settings
    from livegate.stores.base import AnyStore

log = logging.getLogger("livegate.plugins")

BUILT_INS: Final = (
    "livegate.stores.opening",
    "livegate.policies.reference_image",
    "livegate.policies.decision",
    "livegate.notifiers.log",
)
OBSERVER_PATIENCE: Final = 5.0
"""Seconds that an ``async def`` observer may take before it is given up."""


class PolicyFailedError(LivegateError):
    """A plugin's policy raised, or gave back what no policy may; nothing was started."""

    code = "policy_failed"


class Plugins:
    """The plugins of one orchestrator; there is no global register.

    Args:
        plugins: Modules or objects with hooks.
        entry_points: Names in the group ``livegate`` to load as well; ``*`` loads all.

    Raises:
        ConfigurationError: A plugin is unknown, or one of its hooks is.
    """

    def __init__(self, plugins: Iterable[object] = (), entry_points: Iterable[str] = ()) -> None:
        self._manager = pluggy.PluginManager(hooks.GROUP)
        self._manager.add_hookspecs(hooks)
        try:
            for name in BUILT_INS:
                self._manager.register(import_module(name), name)
            for name in entry_points:
                self._load(name)
            for plugin in plugins:
                self._manager.register(plugin)
            self._manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            raise ConfigurationError(f"A plugin cannot be used: {error}") from error
        self._refuse_wrappers()

    def _load(self, name: str) -> None:
        if name == "*":
            self._manager.load_setuptools_entrypoints(hooks.GROUP)
        elif not self._manager.load_setuptools_entrypoints(hooks.GROUP, name):
            raise ConfigurationError(
                f"LIVEGATE_PLUGINS names {name}, and no installed package has an entry point of "
                f"that name in the group {hooks.GROUP}; install it, or take the name away."
            )

    def _refuse_wrappers(self) -> None:
        for name in hooks.HOOK_NAMES:
            for implementation in self._implementations(name):
                if implementation.hookwrapper or implementation.wrapper:
                    raise ConfigurationError(
                        f"Plugin {implementation.plugin_name} wraps the hook {name}; "
                        "livegate does not support wrappers."
                    )

    def names(self) -> tuple[str, ...]:
        """The names of the plugins, in the order in which their hooks are called."""
        return tuple(name for name, _ in reversed(self._manager.list_name_plugin()))

    def open_store(self, uri: str, settings: Settings) -> AnyStore:
        """The store that *uri* names.

        Raises:
            ConfigurationError: No plugin knows its scheme, or the one that does refuses it.
        """
        for _, call in self._calls("open_store", uri=uri, settings=settings):
            store: AnyStore | None = drive(ask(call()))
            if store is not None:
                return store
        scheme = uri.partition(":")[0]
        raise ConfigurationError(
            f"LIVEGATE_STORE has the scheme {scheme}, and no plugin opens such a store; "
            "built in are sqlite:///PATH and memory://"
        )

    def review(self, request: StartRequest) -> Flow[tuple[Objection, ...]]:
        """All objections of the policies that may refuse a start.

        Raises:
            PolicyFailedError: A policy raised, or gave back what no policy may.
        """
        return (yield from self._objections("before_start", request=request))

    def review_image(
        self, image: ReferenceImage, request: StartRequest
    ) -> Flow[tuple[Objection, ...]]:
        """All objections to a reference image.

        Raises:
            PolicyFailedError: A policy raised, or gave back what no policy may.
        """
        return (yield from self._objections("review_reference_image", image=image, request=request))

    def _objections(self, hook: str, **arguments: Any) -> Flow[tuple[Objection, ...]]:
        found: list[Objection] = []
        for plugin, call in self._calls(hook, **arguments):
            try:
                answer = yield from ask(call())
                found += _as_objections(answer)
            except Exception as error:
                raise PolicyFailedError(f"{hook} of plugin {plugin} failed: {error!r}") from error
        return tuple(found)

    def decide(self, session: LivenessSession, outcome: Outcome) -> Flow[Verdict]:
        """The strictest verdict; what fails, or says nothing that we understand, does not pass."""
        verdicts: list[Verdict] = []
        for plugin, call in self._calls("decide", session=session, outcome=outcome):
            try:
                answer = yield from ask(call())
                if answer is not None:
                    verdicts.append(_as_verdict(answer))
            except Exception:
                log.exception("decide of plugin %s failed for session %s", plugin, session.id)
                verdicts.append(Verdict(SessionState.INCONCLUSIVE, ("policy_failed",)))
        return Verdict.strictest(verdicts)

    def observe(
        self, before: LivenessSession | None, after: LivenessSession, event: Event | None
    ) -> Flow[None]:
        """Tell every observer of a committed change; what one does changes nothing."""
        for plugin, call in self._calls("session_changed", before=before, after=after, event=event):
            try:
                step = call()
                if inspect.isawaitable(step):
                    yield from ask(_in_time(step))
            except Exception:
                log.exception("session_changed of plugin %s failed for %s", plugin, after.id)

    def _calls(self, hook: str, **arguments: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
        """A call for each plugin that has the hook, the last registered first, as pluggy does."""
        for implementation in reversed(self._implementations(hook)):
            wanted = {name: arguments[name] for name in implementation.argnames}
            yield implementation.plugin_name, partial(implementation.function, **wanted)

    def _implementations(self, hook: str) -> list[pluggy.HookImpl]:
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return caller.get_hookimpls()


def _as_objections(answer: Any) -> tuple[Objection, ...]:
    if answer is None:
        return ()
    objections = (answer,) if isinstance(answer, Objection) else tuple(answer)
    if not all(isinstance(each, Objection) for each in objections):
        raise TypeError("a policy gives back Objections, or None")
    return objections


def _as_verdict(answer: Any) -> Verdict:
    if not isinstance(answer, Verdict):
        raise TypeError("decide gives back a Verdict, or None")
    return answer


async def _in_time(step: Awaitable[Any]) -> Any:
    import asyncio  # noqa: PLC0415 - only where somebody uses async observers

    return await asyncio.wait_for(step, OBSERVER_PATIENCE)
