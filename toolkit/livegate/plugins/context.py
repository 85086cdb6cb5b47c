"""What a plugin is given when it is configured, and how its own configuration is read."""

from __future__ import annotations

import logging
import re
import types
import typing
from dataclasses import MISSING, dataclass, field, fields, is_dataclass, replace
from datetime import timedelta
from difflib import get_close_matches
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from livegate._parsers import parse_names, parse_number, parse_switch
from livegate.errors import ConfigurationError
from livegate.settings import PLUGIN_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from dataclasses import Field
    from datetime import datetime

    from livegate.settings import Settings

    Value = tuple[str, Any]
    """Where a value was found, as the operator writes it, and the value."""

log = logging.getLogger("livegate.plugins")

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class PluginContext:
    """What a plugin may use.

    Attributes:
        settings: Of the orchestrator.
        clock: Gives the time: aware, in UTC. A plugin that uses it can be tested by moving it.
        version: Of livegate.
        name: The plugin's own: that of its entry point; for an object given as ``plugins=[...]``
            its attribute ``name``, or else its class's name, ``lock_out`` for ``LockOut``; for a
            module its full name.
        plugin_config: The values given as ``plugin_config={"name": {...}}``; never in a ``repr``.
        plugins: The names of all plugins of the orchestrator.
    """

    settings: Settings = field(repr=False)
    clock: Callable[[], datetime] = field(repr=False)
    version: str
    name: str = ""
    plugin_config: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict, repr=False, hash=False
    )
    plugins: tuple[str, ...] = ()

    def config(self, kind: type[C]) -> C:
        """The plugin's configuration: an instance of the dataclass *kind*.

        A field ``max_failures`` of the plugin ``lock_out`` comes from
        ``plugin_config={"lock_out": {"max_failures": 3}}``, else from the setting
        ``LIVEGATE_PLUGIN_LOCK_OUT_MAX_FAILURES``, else from its default. An empty text counts as
        not set. Texts are parsed for fields of the types str, bool, int, float, timedelta (in
        seconds), enums and tuple[str, ...] (with commas), each also with ``| None``. A
        ``__post_init__`` may raise ValueError; its message is shown to the operator, so it should
        not quote a secret.

        Raises:
            ConfigurationError: Names everything that is missing or wrong, without its value.
        """
        if not is_dataclass(kind):
            raise ConfigurationError(f"Plugin {self.name}: config() takes a dataclass.")
        try:
            hints = typing.get_type_hints(kind)
        except NameError as error:
            raise ConfigurationError(
                f"Plugin {self.name}: the types of {kind.__name__} have to be imported at run "
                f"time, and {error.name} is not."
            ) from None
        own = {each.name: each for each in fields(kind) if each.init}
        found = {name: value for name in own if (value := self._find(name)) is not None}
        faults = [*self._unknown(own), *self._missing(own, found)]
        values: dict[str, Any] = {}
        for name, (source, value) in found.items():
            try:
                values[name] = _parse(hints[name], value)
            except ValueError as error:
                faults.append(f"{source} {error}")
        if not faults:
            try:
                return kind(**values)
            except ValueError as error:
                faults.append(f"the configuration of plugin {self.name} cannot be used: {error}")
        # Outside of the handlers, whose exceptions may quote a value.
        raise ConfigurationError("; ".join(faults))

    def for_plugin(self, name: str, plugins: tuple[str, ...]) -> PluginContext:
        """The context of the plugin *name*, one of *plugins*."""
        own = {name: self.plugin_config[name]} if name in self.plugin_config else {}
        return replace(self, name=name, plugins=plugins, plugin_config=own)

    def _given(self) -> Mapping[str, Any]:
        return self.plugin_config.get(self.name, {})

    def _find(self, name: str) -> Value | None:
        given = self._given()
        if name in given:
            return f"plugin_config[{self.name!r}][{name!r}]", given[name]
        variable = _prefix(self.name) + name.upper()
        value = self.settings.plugin_values.get(variable)
        return (variable, value) if value not in (None, "") else None

    def _missing(self, own: Mapping[str, Field[Any]], found: Mapping[str, Value]) -> Iterator[str]:
        for name, each in own.items():
            if name not in found and each.default is each.default_factory is MISSING:
                variable = _prefix(self.name) + name.upper()
                yield f"{variable} is not set, and plugin {self.name} needs it"

    def _unknown(self, own: Mapping[str, Field[Any]]) -> Iterator[str]:
        for name in self._given():
            if name not in own:
                close = get_close_matches(str(name), own, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(own)}"
                yield f"plugin_config[{self.name!r}] has an unknown name {name}: {hint}"
        # A variable may belong to a plugin that is not used here, so it does not stop the start.
        prefix = _prefix(self.name)
        others = tuple(_prefix(name) for name in self.plugins if len(name) > len(self.name))
        for variable in self.settings.plugin_values:
            if variable.startswith(prefix) and not variable.startswith(others):
                name = variable.removeprefix(prefix).lower()
                if name not in own:
                    log.warning("%s is not used: plugin %s has no %s", variable, self.name, name)


def _prefix(plugin: str) -> str:
    return f"{PLUGIN_PREFIX}{re.sub(r'[^A-Za-z0-9]', '_', plugin).upper()}_"


def _timedelta(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    return timedelta(seconds=parse_number(float, 0, 1e9)(value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("has to be a str")  # noqa: TRY004 - all faults of values are alike
    return value


_PARSERS: Final[dict[Any, Callable[[Any], Any]]] = {
    str: _text,
    bool: parse_switch,
    int: parse_number(int),
    float: parse_number(float),
    timedelta: _timedelta,
    tuple[str, ...]: parse_names,
}


def _parse(hint: Any, value: Any) -> Any:
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        kinds = typing.get_args(hint)
        if value is None and type(None) in kinds:
            return None
        hint = next(kind for kind in kinds if kind is not type(None))
    if hint in _PARSERS:
        return _PARSERS[hint](value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        for member in hint:
            if value is member or str(value).lower() == str(member.value).lower():
                return member
        raise ValueError(f"has to be one of {', '.join(str(member.value) for member in hint)}")
    if isinstance(value, str):  # a wrong value, as any other
        raise ValueError("cannot be parsed from a text: use plugin_config=")  # noqa: TRY004
    return value
