"""The page on the command line: what `--help` says, command by command."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from unittest import mock

import click

import mockface_command
from mockface.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD = """\
# The command `mockface`

<!-- made from the code: a test compares it -->

Commands that speak to a running emulator find it by `--endpoint` and use the sessions of `--key`.
Every option can be given by the environment variable that its help names; the command line has the
last word. The exit status is 0 for success, 1 for something that was tried and went wrong, 2 for
wrong usage.
"""


def page() -> str:
    """The page as it has to be."""
    parts = [HEAD]
    for path, _ in commands():
        if len(path) == 1:
            parts.append(f"## mockface {path[0]}\n")
        parts.append(f"```text\n{_help(path)}\n```\n")
    return "\n".join(parts)


def commands(
    command: click.Command = main, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands with their names, the outer ones first."""
    yield path, command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from commands(command.commands[name], (*path, name))


def _help(path: tuple[str, ...]) -> str:
    """What `--help` prints, without the environment and 80 characters wide."""
    with mock.patch.dict(os.environ, {"COLUMNS": "80"}, clear=True):
        shown = mockface_command.run(*path, "--help").stdout
    return shown.replace("Usage: main", "Usage: mockface").rstrip()
