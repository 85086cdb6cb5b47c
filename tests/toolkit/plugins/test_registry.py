"""Registration: what would never be called is an error, and entry points are loaded by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy
import pytest

import sample_plugin
from livegate.errors import ConfigurationError
from livegate.hooks import PolicyViolation, StartRequest, hookimpl
from livegate.plugins.calling import call_now
from livegate.plugins.registry import BUILT_INS, Registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_the_built_in_plugins_are_registered_like_any_other() -> None:
    assert set(Registry().names()) == set(BUILT_INS)
    assert Registry([sample_plugin.SyncPlugin()]).names()[0] == "sample"


def test_a_plugin_of_one_registry_is_in_no_other() -> None:
    Registry([sample_plugin.PLUGIN])

    assert "sample" not in Registry().names()


# --- the order of the calls -------------------------------------------------------------------


class Named:
    def __init__(self, name: str) -> None:
        self.name = name

    @hookimpl
    def before_start(self) -> None: ...


class First(Named):
    @hookimpl(tryfirst=True)
    def before_start(self) -> None: ...


class Last(Named):
    @hookimpl(trylast=True)
    def before_start(self) -> None: ...


def test_plugins_are_called_in_the_reverse_order_of_their_registration() -> None:
    registry = Registry([Named("one"), Named("two"), First("first"), Last("last"), Named("three")])

    called = [each.plugin for each in registry.implementations("before_start")]

    assert called == ["first", "three", "two", "one", "last"]
    assert registry.names() == ("three", "last", "first", "two", "one", *reversed(BUILT_INS))


def test_the_built_in_rules_are_called_last() -> None:
    called = Registry([sample_plugin.PLUGIN]).implementations("decide")

    assert [each.plugin for each in called] == ["sample", "livegate.policies.decision"]
    assert [each.is_built_in for each in called] == [False, True]


# --- arguments --------------------------------------------------------------------------------


class WithDefault:
    @hookimpl
    def before_start(self, request: StartRequest | None = None) -> object:
        return request


class ByName:
    @hookimpl
    def before_start(self, *, request: StartRequest) -> object:
        return request


class All:
    @hookimpl
    def before_start(self, **arguments: object) -> object:
        return arguments.get("request")


class Static:
    @staticmethod
    @hookimpl
    def before_start(request: StartRequest) -> object:
        return request


class OtherName:
    @hookimpl(specname="before_start")
    def check(self, request: StartRequest) -> object:
        return request


@pytest.mark.parametrize("plugin", [WithDefault(), ByName(), All(), Static(), OtherName()])
def test_a_hook_gets_the_arguments_that_it_takes(plugin: object) -> None:
    (implementation,) = Registry([plugin]).implementations("before_start")
    arguments = {"request": "the request", "purpose": "a purpose", "attempt": "an attempt"}

    assert call_now(implementation, arguments) == "the request"


# --- what would never be called ---------------------------------------------------------------


class Unknown:
    @hookimpl
    def before_strat(self) -> None: ...


class UnknownAndOptional:
    @hookimpl(optionalhook=True)
    def review_everything(self) -> None: ...


class WrongArgument:
    @hookimpl
    def before_start(self, requests: object) -> None: ...


class Wraps:
    @hookimpl(wrapper=True)
    def before_start(self) -> Any:
        return (yield)


class WrapsTheOldWay:
    @hookimpl(hookwrapper=True)
    def before_start(self) -> Any:
        yield


class Unmarked:
    def before_start(self, request: object) -> None: ...


class PartlyMarked(Unmarked):
    @hookimpl
    def session_changed(self) -> None: ...


class MarkedForAnother:
    @pluggy.HookimplMarker("pytest")
    def before_start(self, request: object) -> None: ...


class NeedsMore:
    @hookimpl
    def before_start(self, request: object, *, budget: int) -> None: ...


class BadName:
    name = "two words"

    @hookimpl
    def before_start(self) -> None: ...


@pytest.mark.parametrize(
    ("plugins", "message"),
    [
        ([Unknown()], "unknown has an unknown hook before_strat: did you mean before_start"),
        ([UnknownAndOptional()], "has an unknown hook review_everything: the hooks are configure"),
        ([WrongArgument()], "wrong_argument cannot be used: .*requests"),
        ([Wraps()], "wraps wraps the hook before_start: .*not support"),
        ([WrapsTheOldWay()], "wraps_the_old_way wraps the hook"),
        ([Named], r"named is a class: register an instance, Named\(\)"),
        ([Unmarked()], "unmarked has a function before_start that is not marked.*@livegate"),
        ([PartlyMarked()], "partly_marked has a function before_start that is not marked"),
        ([MarkedForAnother()], "has a function before_start that is not marked"),
        ([object()], "object has no hooks"),
        ([None], "none_type has no hooks"),
        ([pytest], "pytest has no hooks"),
        ([NeedsMore()], "needs_more has a hook before_start that cannot be called.*budget"),
        ([BadName()], "attribute name of the plugin bad_name"),
        ([Named("a"), Named("a")], "Two plugins are called a: give one"),
        ([sample_plugin.PLUGIN] * 2, "sample is registered already, as sample"),
        ("bank", "LIVEGATE_PLUGINS"),
        (Named("a"), r"\[MyPlugin\(\)\]"),
        (None, r"\[MyPlugin\(\)\]"),
    ],
)
def test_a_plugin_that_would_not_be_called_is_an_error(plugins: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Registry(plugins).implementations("before_start")


# --- names ------------------------------------------------------------------------------------


class LockOut:
    @hookimpl
    def before_start(self) -> PolicyViolation | None: ...


@pytest.mark.parametrize(
    ("plugin", "name"),
    [(LockOut(), "lock_out"), (Named("payments-eu"), "payments-eu")],
)
def test_a_plugin_is_called_by_its_attribute_or_its_class(plugin: object, name: str) -> None:
    assert Registry([plugin]).names()[0] == name


def test_a_module_is_called_by_its_full_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import import_module

    package = tmp_path / "bank_plugins"
    package.mkdir()
    package.joinpath("rules.py").write_text(
        "from livegate.hooks import hookimpl\n\n@hookimpl\ndef before_start(request): ...\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))

    assert Registry([import_module("bank_plugins.rules")]).names()[0] == "bank_plugins.rules"


# --- entry points -----------------------------------------------------------------------------

PLAIN = "plain = sample_plugin:PLUGIN"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs distributions with an entry point each, ``name = value``."""
    monkeypatch.syspath_prepend(str(tmp_path))
    tmp_path.joinpath("broken_plugin.py").write_text("raise RuntimeError('no licence')\n")

    def install(**packages: str) -> None:
        for package, entry_point in packages.items():
            info = tmp_path / f"{package}-1.dist-info"
            info.mkdir()
            info.joinpath("METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n"
            )
            info.joinpath("entry_points.txt").write_text(f"[livegate]\n{entry_point}\n")

    return install


@pytest.mark.parametrize("names", ["plain", "plain,plain", "plain,*", "*,plain", "*"])
def test_an_entry_point_is_loaded_once_however_often_it_is_named(
    install: Callable[..., None], names: str
) -> None:
    install(bank=PLAIN)

    assert Registry(entry_points=names.split(",")).names().count("plain") == 1


@pytest.mark.parametrize(
    ("packages", "message"),
    [
        ({"bank": "bank = broken_plugin"}, "bank cannot be imported from broken_p.*no licence"),
        ({"bank": "bank = no_such_module:plugin"}, "bank cannot be imported.*no_such_module"),
        ({"bank": "bank = sample_plugin:Missing"}, "bank cannot be imported.*Missing"),
        ({"bank": "bank = sample_plugin:SyncPlugin"}, "bank is a class"),
        ({"bank": "bank = json"}, "bank has no hooks"),
        (
            {"bank": "bank = json", "other": "bank = csv"},
            "Two installed packages.*(json|csv) and (json|csv)",
        ),
    ],
)
def test_an_entry_point_that_cannot_be_used_is_named(
    install: Callable[..., None], packages: dict[str, str], message: str
) -> None:
    install(**packages)

    with pytest.raises(ConfigurationError, match=message):
        Registry(entry_points=["bank"])


def test_a_plugin_that_is_named_and_handed_over_is_an_error(install: Callable[..., None]) -> None:
    install(bank=PLAIN)

    with pytest.raises(ConfigurationError, match="registered already, as plain"):
        Registry([sample_plugin.PLUGIN], ["plain"])


def test_entry_points_are_loaded_only_when_they_are_named(install: Callable[..., None]) -> None:
    install(bank="bank = broken_plugin")

    assert "bank" not in Registry().names()
    with pytest.raises(ConfigurationError, match="LIVEGATE_PLUGINS names no-such-plugin"):
        Registry(entry_points=["no-such-plugin"])


def test_all_entry_points_may_be_none() -> None:
    assert set(Registry(entry_points=["*"]).names()) == set(BUILT_INS)
