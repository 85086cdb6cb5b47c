"""The tests that the docs show, and the commands that run tests, in runs of their own."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from documents import Block, blocks, documents
from mockface import Mockface

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = [block for path in documents() for block in blocks(path)]
SUITES = [block for block in ALL if block.is_test]
COMMANDS = [block for block in ALL if block.runs_pytest]


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

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "error")

    assert result.ret == 0
    assert result.parseoutcomes().keys() == {"passed"}


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

    # Other plugins that happen to be here would only make it slow.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    given = ("-p", "mockface", "-p", "xdist", "-p", "no:cacheprovider", *shlex.split(arguments))
    result = pytester.runpytest_subprocess(*given)

    assert result.ret == 0
    assert result.parseoutcomes().keys() == {"passed"}
