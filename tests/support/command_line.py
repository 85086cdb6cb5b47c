"""The page on the command line: what `--help` says, command by command."""

from __future__ import annotations

import contextlib
import io
import os
from unittest import mock

from mockface.cli import main
from mockface.commands import COMMANDS

HEAD = """\
# The command `mockface`

<!-- made from the code: a test compares it -->

Commands that speak to a running emulator find it by `--endpoint` and mean the sessions of `--key`.
Every option that has a name in square brackets can be given by that environment variable too; the
command line has the last word. The exit status is 0 for success, 1 for something that was tried and
went wrong, 2 for wrong usage.
"""


def page() -> str:
    """The page as it has to be."""
    parts = [HEAD, _block("--help")]
    for name in COMMANDS:
        parts += [f"## mockface {name}\n", _block(name, "--help")]
        parts += [_block(name, action, "--help") for action in _actions(said(name, "--help"))]
    return "\n".join(parts)


def said(*arguments: str) -> str:
    """What a command prints; without the environment, and 80 characters wide."""
    output = io.StringIO()
    with (
        mock.patch.dict(os.environ, {"COLUMNS": "80"}, clear=True),
        contextlib.redirect_stdout(output),
        contextlib.suppress(SystemExit),
    ):
        main(arguments)
    return output.getvalue()


def _block(*arguments: str) -> str:
    return f"```text\n{said(*arguments).rstrip()}\n```\n"


def _actions(shown: str) -> list[str]:
    """The actions that a command's help names."""
    _, found, rest = shown.partition("  ACTION\n")
    lines = rest.split("\n\n")[0].splitlines() if found else []
    return [line.split()[0] for line in lines if line.startswith("    ") and line[4] != " "]
