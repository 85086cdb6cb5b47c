"""What a type checker sees of a plugin: mypy reports the wrong lines of one, and no others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import livegate
import needs

PLUGINS = """
from __future__ import annotations

from typing import Any

import module_plugin
import wrong_module_plugin

from livegate.hooks import (
    BeforeStart,
    Configure,
    Decide,
    LivenessSession,
    Outcome,
    PluginContext,
    PolicyViolation,
    Purpose,
    RequestContext,
    StartAttempt,
    StartRequest,
    Verdict,
    hookimpl,
)


class Right(Configure, BeforeStart, Decide):
    @hookimpl
    def configure(self, context: PluginContext) -> None: ...

    @hookimpl(tryfirst=True)
    async def before_start(
        self, request: StartRequest, purpose: Purpose, attempt: StartAttempt
    ) -> PolicyViolation | None: ...

    @hookimpl
    def decide(
        self,
        session: LivenessSession,
        outcome: Outcome,
        purpose: Purpose,
        context: RequestContext | None,
    ) -> Verdict:
        return Verdict(session.state)


class WrongArgument(BeforeStart):
    @hookimpl
    def before_start(self, request: int, purpose: Purpose, attempt: StartAttempt) -> None: ...  # E


class WrongResult(BeforeStart):
    @hookimpl
    def before_start(  # E
        self, request: StartRequest, purpose: Purpose, attempt: StartAttempt
    ) -> str:
        return ""


class WrongAsyncResult(BeforeStart):
    @hookimpl
    async def before_start(  # E
        self, request: StartRequest, purpose: Purpose, attempt: StartAttempt
    ) -> bool:
        return True


class TooFewArguments(BeforeStart):
    @hookimpl
    def before_start(self, request: StartRequest) -> None: ...  # E


class TooFewOnPurpose(BeforeStart):
    @hookimpl
    def before_start(self, request: StartRequest, *args: Any, **kwargs: Any) -> None: ...


class Misspelt(BeforeStart):
    @hookimpl
    def before_strat(
        self, request: StartRequest, purpose: Purpose, attempt: StartAttempt
    ) -> None: ...


class NotDerived:
    @hookimpl
    def before_start(self, request: int) -> str:
        return ""


Right()
Misspelt()  # E
one: BeforeStart = NotDerived()  # E
two: BeforeStart = module_plugin
three: BeforeStart = wrong_module_plugin  # E
"""

MODULE = """
from livegate.hooks import Purpose, StartAttempt, StartRequest, hookimpl

@hookimpl
def before_start(request: {request}, purpose: Purpose, attempt: StartAttempt) -> None: ...
"""


@pytest.fixture
def mypy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose files mypy checks together with livegate."""
    root = Path(livegate.__file__).parents[1]
    if root.name != "site-packages":  # mypy finds those itself
        monkeypatch.setenv("MYPYPATH", str(root))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_mypy_reports_what_is_wrong_with_a_plugin_that_derives_from_the_protocols(
    mypy: Path,
) -> None:
    api = needs.module("mypy.api")
    mypy.joinpath("plugins.py").write_text(PLUGINS)
    mypy.joinpath("module_plugin.py").write_text(MODULE.format(request="StartRequest"))
    mypy.joinpath("wrong_module_plugin.py").write_text(MODULE.format(request="int"))

    report, errors, _ = api.run(
        ["--strict", "--config-file=", "--disable-error-code=empty-body", "plugins.py"]
    )

    reported = {int(line) for line in re.findall(r"^plugins.py:(\d+): error", report, re.MULTILINE)}
    lines = PLUGINS.splitlines()
    wrong = {number for number, line in enumerate(lines, 1) if line.endswith("# E")}
    assert reported == wrong, report + errors
