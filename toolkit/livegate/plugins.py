"""The plugins of one orchestrator, and how the flows call them.

pluggy keeps the register and checks the hooks' names and arguments. The calls are ours, since each
hook may be ``async def``, each plugin's failure stays its own, and both are the flow's to await.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterable, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import pluggy

from livegate import hooks
from livegate.driving import Flow, ask, drive
from livegate.errors import ConfigurationError, LivegateError
from livegate.session import Objection, SessionState, Verdict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

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
        ConfigurationError: A plugin or one of its hooks is unknown, cannot be imported or called,
            or is not marked; or there are no hooks in it.
    """

    def __init__(self, plugins: Iterable[object] = (), entry_points: Iterable[str] = ()) -> None:
        self._manager = pluggy.PluginManager(hooks.GROUP)
        self._manager.add_hookspecs(hooks)
        try:
            for name in BUILT_INS:
                self._register(import_module(name), name)
            for name in entry_points:
                self._load(name)
            for number, plugin in enumerate(_several(plugins), 1):
                self._register(plugin, f"{_name_of(plugin)} (number {number} of plugins=)")
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise ConfigurationError(f"A plugin cannot be used: {error}") from error
        self._wanted = {
            implementation: _wanted(implementation, name, self._arguments_of(name))
            for name in hooks.HOOK_NAMES
            for implementation in self._implementations(name)
        }

    def _load(self, name: str) -> None:
        from importlib.metadata import entry_points  # noqa: PLC0415 - only who names one pays

        found = [each for each in entry_points(group=hooks.GROUP) if name in {"*", each.name}]
        if not found and name != "*":
            raise ConfigurationError(
                f"LIVEGATE_PLUGINS names {name}, and no installed package has an entry point of "
                f"that name in the group {hooks.GROUP}; install it, or take the name away."
            )
        values: dict[str, str] = {}
        for each in found:
            if values.setdefault(each.name, each.value) != each.value:
                raise ConfigurationError(
                    f"Two installed packages have the entry point {each.name} in the group "
                    f"{hooks.GROUP}, {values[each.name]} and {each.value}; uninstall one of them."
                )
        for each in found:
            if self._manager.has_plugin(each.name):
                continue  # named twice, or by * too
            try:
                plugin = each.load()
            except Exception as error:
                raise ConfigurationError(
                    f"Plugin {each.name} cannot be imported from {each.value}: {error!r}"
                ) from error
            self._register(plugin, each.name)

    def _register(self, plugin: object, name: str) -> None:
        if isinstance(plugin, type):
            raise ConfigurationError(
                f"Plugin {name} is a class; what is registered has to be a module or an object: "
                f"{plugin.__name__}()."
            )
        if self._manager.is_registered(plugin):
            raise ConfigurationError(
                f"Plugin {name} is registered already, as {self._manager.get_name(plugin)}; "
                "take it out of plugins= or of LIVEGATE_PLUGINS."
            )
        self._manager.register(plugin, name)
        marked = {caller.name for caller in self._manager.get_hookcallers(plugin) or ()}
        for hook in hooks.HOOK_NAMES:
            # One that is forgotten would be silent, and a policy that is not asked lets all pass.
            if hook not in marked and callable(getattr(plugin, hook, None)):
                raise ConfigurationError(
                    f"Plugin {name} has a function {hook} that is no hook yet; mark it with "
                    "@livegate.hookimpl, or give it another name."
                )
        if not marked:
            raise ConfigurationError(
                f"Plugin {name} has no hooks; mark its functions with @livegate.hookimpl. "
                f"The hooks are {', '.join(hooks.HOOK_NAMES)}."
            )

    def names(self) -> tuple[str, ...]:
        """The names of the plugins, in the order in which their hooks are called."""
        return tuple(name for name, _ in reversed(self._manager.list_name_plugin()))

    def open_store(self, uri: str, settings: Settings) -> AnyStore:
        """The store that *uri* names.

        Raises:
            ConfigurationError: No plugin knows its scheme, or one refuses it or fails.
            StoreError: The store cannot be used now.
        """
        scheme, colon, _ = uri.partition(":")
        if not colon:
            raise ConfigurationError(
                "LIVEGATE_STORE is no URI; write sqlite:///PATH for a file, or memory://"
            )
        for plugin, call in self._calls("open_store", uri=uri, settings=settings):
            try:
                store: AnyStore | None = drive(ask(call()))
            except LivegateError:
                raise
            except Exception as error:
                # Not in its words: they may repeat the URI, and a password in it.
                raise ConfigurationError(
                    f"open_store of plugin {plugin} failed for the scheme {scheme} with "
                    f"{type(error).__name__}."
                ) from error
            if store is not None:
                return store
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
            wanted = {name: arguments[name] for name in self._wanted[implementation]}
            yield implementation.plugin_name, partial(implementation.function, **wanted)

    def _implementations(self, hook: str) -> list[pluggy.HookImpl]:
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        return caller.get_hookimpls()

    def _arguments_of(self, hook: str) -> tuple[str, ...]:
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        assert caller.spec is not None  # noqa: S101 - every hook in HOOK_NAMES has one
        return caller.spec.argnames


def _several(plugins: Iterable[object]) -> Iterable[object]:
    if isinstance(plugins, str) or not isinstance(plugins, Iterable):
        raise ConfigurationError(
            "plugins= takes several modules or objects, such as [MyPlugin()]; "
            "LIVEGATE_PLUGINS takes the names of entry points."
        )
    return plugins


def _name_of(plugin: object) -> str:
    return str(getattr(plugin, "__name__", None) or type(plugin).__qualname__)


def _wanted(
    implementation: pluggy.HookImpl, hook: str, arguments: tuple[str, ...]
) -> tuple[str, ...]:
    """Which *arguments* the hook names, also those for which it has a default of its own.

    Raises:
        ConfigurationError: It cannot be called with them; said now, not when it is needed.
    """
    plugin = implementation.plugin_name
    if implementation.hookwrapper or implementation.wrapper:
        raise ConfigurationError(
            f"Plugin {plugin} wraps the hook {hook}; livegate does not support wrappers."
        )
    signature = inspect.signature(implementation.function)
    kinds = {each.kind for each in signature.parameters.values()}
    takes_all = inspect.Parameter.VAR_KEYWORD in kinds
    wanted = tuple(name for name in arguments if takes_all or name in signature.parameters)
    try:
        signature.bind(**dict.fromkeys(wanted))
    except TypeError as error:
        raise ConfigurationError(
            f"Plugin {plugin} has a hook {hook} that cannot be called: {error}. "
            f"It may take {', '.join(arguments)} by name."
        ) from error
    return wanted


def _as_objections(answer: Any) -> tuple[Objection, ...]:
    if answer is None:
        return ()
    if isinstance(answer, str | bytes | Mapping):  # empty ones would be taken for no objection
        raise TypeError("a policy gives back Objections, or None")
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
