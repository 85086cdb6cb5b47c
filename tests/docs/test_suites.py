"""The tests that the docs show, and the commands that run tests, in runs of their own."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest
import requests  # noqa: F401 - else pytester unloads its cookies, and the next run has two kinds

from documents import ROOT, Block, blocks, documents
from mockface import ControlClient, Mockface

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = [block for path in documents() for block in blocks(path)]
SUITES = [block for block in ALL if block.is_test]
CONTRACTS = [block for block in ALL if "class TestMy" in block.content]
COMMANDS = [block for block in ALL if block.runs_pytest]


# The plugins that the pages speak of; others that happen to be here would only make it slow.
PLUGINS = ("-p", "mockface", "-p", "xdist", "-p", "no:cacheprovider")


@pytest.fixture(autouse=True)
def _no_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("MOCKFACE_URL", raising=False)


@pytest.fixture
def shared() -> Iterator[str]:
    """The URL of an emulator that runs already."""
    with Mockface() as mock:
        yield mock.url


def settings_of(page: str) -> str:
    shown = [b.content for b in ALL if b.path == page and b.content.startswith("[pytest]")]
    return "\n".join(shown) or "[pytest]"


@pytest.mark.parametrize("block", SUITES, ids=str)
def test_tests_pass(block: Block, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(block.content)
    pytester.makeini(settings_of(block.path))

    result = pytester.runpytest_inprocess(*PLUGINS, "-W", "error")

    assert result.ret == 0
    assert result.parseoutcomes().keys() == {"passed"}


@pytest.mark.process
@pytest.mark.parametrize("block", CONTRACTS, ids=str)
def test_conformance_suites_run(block: Block, pytester: pytest.Pytester) -> None:
    """A part of each suite; all of it runs elsewhere, over the same store and adapter."""
    pytester.makepyfile(block.content)

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-k", "insert or finish")

    assert result.ret == 0
    assert result.parseoutcomes()["passed"] > 0


@pytest.mark.process
@pytest.mark.parametrize("block", COMMANDS, ids=str)
def test_commands_run_the_tests_of_their_page(
    block: Block, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, shared: str
) -> None:
    pytester.makeini(settings_of(block.path))
    for suite in SUITES:
        if suite.path == block.path:
            pytester.makepyfile(**{f"test_line_{suite.line}": suite.content})
    before, arguments = block.content.removeprefix("$ ").split("pytest", 1)
    for name, _, url in (word.partition("=") for word in shlex.split(before)):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        monkeypatch.setenv(name, shared)

    result = pytester.runpytest_subprocess(*PLUGINS, *shlex.split(arguments))

    assert result.ret == 0
    assert result.parseoutcomes().keys() == {"passed"}


def test_the_page_names_all_that_the_hand_can_do() -> None:
    page = (ROOT / "docs/mockface/pytest.md").read_text()
    table = "\n".join(line for line in page.splitlines() if line.startswith("| `"))

    public = {name for name in dir(ControlClient) if not name.startswith("_")} | {"url", "key"}

    assert {name for name in public if not re.search(rf"`{name}\b", table)} == set()
