"""The page on the command line is what the command says of itself.

To make it anew: `python -c 'import command_line; print(command_line.page(), end="")'`, with
`tests/support` on the path.
"""

from __future__ import annotations

import click
import pytest

import command_line
from documents import ROOT

PAGE = ROOT / "docs/mockface/cli.md"
COMMANDS = dict(command_line.commands())


def test_the_page_is_what_the_help_says() -> None:
    # Versions of click break lines at other places.
    assert PAGE.read_text().split() == command_line.page().split()


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_environment_gives_every_option(path: tuple[str, ...]) -> None:
    options = [each for each in COMMANDS[path].params if isinstance(each, click.Option)]

    assert all(each.show_envvar for each in options if each.name != "version")


@pytest.mark.parametrize("path", [path for path in COMMANDS if len(path) == 1], ids=" ".join)
def test_every_command_has_examples(path: tuple[str, ...]) -> None:
    # In one line, since Python 3.13 removes the indentation of docstrings
    assert f"Examples: mockface {path[0]}" in " ".join(str(COMMANDS[path].help).split())
