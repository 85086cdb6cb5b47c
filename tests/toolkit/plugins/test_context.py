"""A plugin's own configuration: where it comes from, and that its faults come with all others."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from livegate.errors import ConfigurationError
from livegate.hooks import PluginContext, Settings, hookimpl
from livegate.plugins.manager import Plugins

if TYPE_CHECKING:
    from decimal import Decimal

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Level(StrEnum):
    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True)
class Limits:
    url: str = field(repr=False)
    max_failures: int = 5
    window: timedelta = timedelta(minutes=10)
    share: float | None = None
    level: Level = Level.LOW
    strict: bool = False
    countries: tuple[str, ...] = ()
    folder: Path = Path()

    def __post_init__(self) -> None:
        if self.max_failures < 1:
            raise ValueError("max_failures has to be at least 1")


def context(
    environ: dict[str, Any] | None = None, config: dict[str, Any] | None = None, **more: Any
) -> PluginContext:
    return PluginContext(
        settings=Settings.from_mapping(environ or {}),
        clock=lambda: NOW,
        version="1.0",
        name="lock-out",
        plugin_config={} if config is None else {"lock-out": config},
        **more,
    )


PREFIX = "LIVEGATE_PLUGIN_LOCK_OUT_"
NOT_TEXTS = "has to be texts separated by commas, or a tuple of texts"
URL = {PREFIX + "URL": "redis://host"}


def test_a_configuration_comes_from_the_environment() -> None:
    config = context(
        URL
        | {
            PREFIX + "MAX_FAILURES": "3",
            PREFIX + "WINDOW": "90",
            PREFIX + "SHARE": "0.5",
            PREFIX + "LEVEL": "HIGH",
            PREFIX + "STRICT": "yes",
            PREFIX + "COUNTRIES": "de, at",
        }
    ).config(Limits)

    assert config == Limits(
        url="redis://host",
        max_failures=3,
        window=timedelta(seconds=90),
        share=0.5,
        level=Level.HIGH,
        strict=True,
        countries=("de", "at"),
    )


def test_a_configuration_comes_from_the_call_before_the_environment() -> None:
    given = {"max_failures": 1, "window": timedelta(hours=1), "share": None, "folder": Path("x")}

    config = context(URL | {PREFIX + "MAX_FAILURES": "3", PREFIX + "STRICT": ""}, given).config(
        Limits
    )

    assert config == Limits("redis://host", 1, timedelta(hours=1), folder=Path("x"))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MAX_FAILURES", "many", "has to be an integer"),
        ("MAX_FAILURES", "1.5", "has to be an integer"),
        ("WINDOW", "-1", "has to be a number from 0"),
        ("SHARE", "nan", "has to be a number"),
        ("LEVEL", "middle", "has to be one of low, high"),
        ("STRICT", "perhaps", "has to be true or false"),
        ("FOLDER", "/srv", "use plugin_config="),
    ],
)
def test_a_wrong_value_is_named_and_not_quoted(name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{PREFIX}{name} .*{message}") as raised:
        context(URL | {PREFIX + name: value}).config(Limits)
    if value != "-1":
        assert value not in str(raised.value)


def test_all_faults_of_a_configuration_are_reported_at_once() -> None:
    environ = {PREFIX + "STRICT": "perhaps"}

    with pytest.raises(ConfigurationError) as raised:
        context(environ, {"max_failure": 3, "countries": 5}).config(Limits)

    assert str(raised.value).split("; ") == [
        "plugin_config['lock-out'] has an unknown name max_failure: did you mean max_failures?",
        f"{PREFIX}URL is not set, and plugin lock-out needs it",
        f"{PREFIX}STRICT has to be true or false",
        f"plugin_config['lock-out']['countries'] {NOT_TEXTS}",
    ]


def test_a_text_field_takes_no_other_type() -> None:
    with pytest.raises(ConfigurationError, match=r"\['url'\] has to be a str"):
        context(config={"url": 5}).config(Limits)


def test_what_the_class_itself_rejects_is_a_fault() -> None:
    with pytest.raises(ConfigurationError, match=r"plugin lock-out .* max_failures has to be at"):
        context(URL | {PREFIX + "MAX_FAILURES": "0"}).config(Limits)


def test_a_variable_that_the_plugin_does_not_know_is_logged_and_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    environ = URL | {
        PREFIX + "MAX_FAILURE": "hunter2",
        PREFIX + "EU_LEVEL": "of the plugin lock-out-eu",
        "LIVEGATE_PLUGIN_OTHER_LEVEL": "of a plugin that is not used",
    }

    with caplog.at_level(logging.WARNING):
        context(environ, plugins=("lock-out", "lock-out-eu")).config(Limits)

    assert [record.getMessage() for record in caplog.records] == [
        f"{PREFIX}MAX_FAILURE is not used: plugin lock-out has no max_failure"
    ]


@dataclass
class NotImported:
    price: Decimal


@pytest.mark.parametrize(
    ("kind", "message"),
    [(dict, "takes a dataclass"), (NotImported, "imported at run time, and Decimal is not")],
)
def test_a_class_that_cannot_be_read_is_an_error(kind: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        context().config(kind)


def test_a_context_shows_no_secret() -> None:
    text = repr(context({"LIVEGATE_STORE": "redis://:hunter2@host"}, {"url": "redis://:hunter2@h"}))

    assert "hunter2" not in text
    assert "lock-out" in text


# --- all plugins of an orchestrator -----------------------------------------------------------


class Configured:
    name = "lock-out"

    def __init__(self) -> None:
        self.calls: list[object] = []

    @hookimpl
    def configure(self, context: PluginContext) -> None:
        self.calls.append(context.config(Limits))

    @hookimpl
    async def shutdown(self) -> None:
        self.calls.append("shut down")


class Fails:
    name = "fails"

    def __init__(self) -> None:
        self.calls: list[object] = []

    @hookimpl
    async def configure(self, context: PluginContext) -> None:
        raise RuntimeError("redis://:hunter2@host")

    @hookimpl
    def shutdown(self) -> None:
        self.calls.append("shut down")


class Other(Configured):
    name = "other"

    @hookimpl
    def configure(self, context: PluginContext) -> None:
        self.calls.append(context.plugin_config)


@pytest.mark.parametrize("is_async", [False, True])
def test_the_faults_of_settings_and_all_plugins_are_reported_together(is_async: bool) -> None:
    settings, faults = Settings.read(
        {"LIVEGATE_STOER": "memory://", "LIVEGATE_TOKEN_LIFETIME": "1"}, required=("key",)
    )
    good, wrong = Other(), Configured()
    plugins = Plugins([good, wrong, Fails()], is_async=is_async)

    with pytest.raises(ConfigurationError) as raised:
        plugins.configure(
            PluginContext(
                settings=settings,
                clock=lambda: NOW,
                version="1.0",
                plugin_config={"lockout": {}, "other": {"a": 1}},
            ),
            faults,
        )

    message = str(raised.value)
    for part in (
        "LIVEGATE_STOER is not a setting",
        "LIVEGATE_TOKEN_LIFETIME has to be",
        "LIVEGATE_KEY is not set",
        "plugin_config names lockout, and no plugin",
        f"{PREFIX}URL is not set",
        "configure of plugin fails failed with RuntimeError at test_context.py",
    ):
        assert part in message
    assert "hunter2" not in message
    # Each sees its own configuration alone; what was configured is shut down, the others are not.
    assert good.calls == [{"other": {"a": 1}}, "shut down"]
    assert wrong.calls == []


def test_a_plugin_that_failed_is_not_shut_down() -> None:
    failed, good = Fails(), Other()
    plugins = Plugins([failed, good], is_async=True)

    with pytest.raises(ConfigurationError):
        plugins.configure(PluginContext(settings=Settings(), clock=lambda: NOW, version="1.0"))
    asyncio.run(plugins.shutdown())

    assert failed.calls == []
    assert good.calls == [{}, "shut down"]


def test_nothing_is_opened_before_the_plugins_are_configured() -> None:
    with pytest.raises(RuntimeError, match=r"configure\(\) has to be called first"):
        Plugins(is_async=False).open_store("memory://")
