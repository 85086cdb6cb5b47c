"""Stores and notifiers are opened by their URI, and no error quotes it."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.plugins.samples import SECRET, FaultError

from livegate.errors import ConfigurationError
from livegate.hooks import hookimpl

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate.plugins.manager import Plugins


def test_the_plugin_that_is_registered_last_opens_first(make: Callable[..., Plugins]) -> None:
    class Opens:
        def __init__(self, name: str) -> None:
            self.name = name

        @hookimpl
        def open_store(self, uri: Any) -> Any:
            return self.name if uri.scheme == "sample" else None

    class OpensFirst(Opens):
        @hookimpl(tryfirst=True)
        def open_store(self, uri: Any) -> Any:
            return self.name

    plugins: Any = make(Opens("one"), Opens("two"))
    assert plugins.names()[:2] == ("two", "one")
    assert plugins.open_store("sample://") == "two"
    assert make(OpensFirst("first"), Opens("two")).open_store("memory://") == "first"  # type: ignore[comparison-overlap]


@pytest.mark.parametrize("hook", ["open_store", "open_notifier"])
def test_a_driver_that_fails_is_reported_without_its_words(
    make: Callable[..., Plugins], hook: str
) -> None:
    class Driver:
        @hookimpl
        def open_store(self, uri: Any) -> None:
            raise FaultError(f"cannot connect to {uri.text}")

        @hookimpl
        def open_notifier(self, uri: Any) -> None:
            try:
                raise FaultError(f"cannot connect to {uri.text}")
            except FaultError as error:
                raise ConfigurationError("The broker does not respond.") from error

    opens = getattr(make(Driver()), hook)
    uri = SECRET

    with pytest.raises(ConfigurationError, match=r"FaultError|does not respond") as raised:
        opens(uri)
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    ("hook", "setting"), [("open_store", "LIVEGATE_STORE"), ("open_notifier", "LIVEGATE_NOTIFIERS")]
)
def test_a_uri_that_no_plugin_opens_names_the_setting(
    make: Callable[..., Plugins], hook: str, setting: str
) -> None:
    opens = getattr(make(), hook)

    with pytest.raises(ConfigurationError, match=f"{setting} has the scheme nobody") as raised:
        opens("nobody://user:hunter2@host")
    assert "hunter2" not in str(raised.value)
    with pytest.raises(ConfigurationError, match=f"{setting} has to be a URI"):
        opens("sessions.sqlite")


def test_what_is_not_a_notifier_is_an_error(make: Callable[..., Plugins]) -> None:
    class Opens:
        @hookimpl
        def open_notifier(self) -> Any:
            return object()

    with pytest.raises(ConfigurationError, match="object, which is not a notifier"):
        make(Opens()).open_notifier("sample://")
