"""Registers plugins: loads them, names them, and rejects what would never be called."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Final

import pluggy

from livegate.errors import ConfigurationError
from livegate.models import is_identifier
from livegate.plugins.calling import Implementation
from livegate.plugins.hookspecs import GROUP, HOOKS

BUILT_INS: Final = (
    "livegate.stores.opening",
    "livegate.policies.reference_image",
    "livegate.policies.decision",
    "livegate.notifiers.log",
)


class Registry:
    """The plugins of one orchestrator, by pluggy; there is no global registry.

    Args:
        plugins: Modules or objects with hooks.
        entry_points: Names in the group ``livegate`` to load as well; ``*`` loads all.

    Raises:
        ConfigurationError: A plugin cannot be used; the message names it.
    """

    def __init__(self, plugins: Iterable[object] = (), entry_points: Iterable[str] = ()) -> None:
        self._manager = pluggy.PluginManager(GROUP)
        for specification in HOOKS.values():
            self._manager.add_hookspecs(specification)
        for name in BUILT_INS:
            self._register(import_module(name), name)
        for name in entry_points:
            self._load(name)
        for plugin in _iterable(plugins):
            self._register(plugin, _name_of(plugin))

    def names(self) -> tuple[str, ...]:
        """The names of the plugins, in the order in which their hooks are called."""
        return tuple(name for name, _ in reversed(self._manager.list_name_plugin()))

    def implementations(self, hook: str) -> tuple[Implementation, ...]:
        """The functions for *hook*, in the order in which they are called.

        Raises:
            ConfigurationError: One of them cannot be called.
        """
        caller: pluggy.HookCaller = getattr(self._manager.hook, hook)
        assert caller.spec is not None  # noqa: S101 - every name in HOOKS has one
        arguments = caller.spec.argnames
        return tuple(
            _implementation(each, hook, arguments) for each in caller.get_hookimpls()[::-1]
        )

    def _load(self, name: str) -> None:
        from importlib.metadata import entry_points  # noqa: PLC0415 - only who names one pays

        found = [each for each in entry_points(group=GROUP) if name in {"*", each.name}]
        if not found and name != "*":
            raise ConfigurationError(
                f"LIVEGATE_PLUGINS names {name}, and no installed package has an entry point of "
                f"that name in the group {GROUP}: install it, or remove the name."
            )
        values: dict[str, str] = {}
        for each in found:
            if values.setdefault(each.name, each.value) != each.value:
                raise ConfigurationError(
                    f"Two installed packages have the entry point {each.name} in the group "
                    f"{GROUP}, {values[each.name]} and {each.value}: uninstall one of them."
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
                f"Plugin {name} is a class: register an instance, {plugin.__name__}()."
            )
        if self._manager.is_registered(plugin):
            raise ConfigurationError(
                f"Plugin {name} is registered already, as {self._manager.get_name(plugin)}: "
                "remove it from plugins= or from LIVEGATE_PLUGINS."
            )
        if self._manager.has_plugin(name):
            raise ConfigurationError(
                f"Two plugins are called {name}: give one of them another attribute name."
            )
        try:
            self._manager.register(plugin, name)
        except pluggy.PluginValidationError as error:
            reason = " ".join(str(error).split())
            raise ConfigurationError(f"Plugin {name} cannot be used: {reason}") from None
        self._check(plugin, name)

    def _check(self, plugin: object, name: str) -> None:
        marked = {caller.name for caller in self._manager.get_hookcallers(plugin) or ()}
        for hook in sorted(marked - HOOKS.keys()):
            close = get_close_matches(hook, HOOKS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"the hooks are {', '.join(HOOKS)}."
            raise ConfigurationError(f"Plugin {name} has an unknown hook {hook}: {hint}")
        for hook in HOOKS:
            # A policy that is never called would let everything pass.
            if hook not in marked and callable(getattr(plugin, hook, None)):
                raise ConfigurationError(
                    f"Plugin {name} has a function {hook} that is not marked: mark it with "
                    "@livegate.hookimpl, or give it another name."
                )
        if not marked:
            raise ConfigurationError(
                f"Plugin {name} has no hooks: mark its functions with @livegate.hookimpl. "
                f"The hooks are {', '.join(HOOKS)}."
            )


def _iterable(plugins: Iterable[object]) -> Iterable[object]:
    if isinstance(plugins, str) or not isinstance(plugins, Iterable):
        raise ConfigurationError(
            "plugins= takes a list of modules or objects, such as [MyPlugin()]; "
            "LIVEGATE_PLUGINS takes the names of entry points."
        )
    return plugins


def _name_of(plugin: object) -> str:
    if isinstance(plugin, ModuleType):
        return plugin.__name__
    kind = plugin if isinstance(plugin, type) else type(plugin)
    default = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__).lower()
    name = getattr(plugin, "name", default)
    if not is_identifier(name):
        raise ConfigurationError(
            f"The attribute name of the plugin {default} is not its name as a str of letters, "
            "digits, '_', '-', '.' and ':'."
        )
    return str(name)


def _implementation(
    found: pluggy.HookImpl, hook: str, arguments: tuple[str, ...]
) -> Implementation:
    """What pluggy has *found*, with the *arguments* that it takes, also those with a default.

    Raises:
        ConfigurationError: It cannot be called with them.
    """
    plugin = found.plugin_name
    if found.hookwrapper or found.wrapper:
        raise ConfigurationError(
            f"Plugin {plugin} wraps the hook {hook}: livegate does not support wrappers."
        )
    signature = inspect.signature(found.function)
    kinds = {each.kind for each in signature.parameters.values()}
    takes_all = inspect.Parameter.VAR_KEYWORD in kinds
    taken = tuple(name for name in arguments if takes_all or name in signature.parameters)
    try:
        signature.bind(**dict.fromkeys(taken))
    except TypeError as error:
        raise ConfigurationError(
            f"Plugin {plugin} has a hook {hook} that cannot be called: {error}. "
            f"It may take {', '.join(arguments) or 'no arguments'} by name."
        ) from None
    return Implementation(hook, plugin, plugin in BUILT_INS, found.function, taken)
