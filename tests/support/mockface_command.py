"""The command `mockface`, run in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.testing import CliRunner

from mockface.cli import main

if TYPE_CHECKING:
    from click.testing import Result


def run(*arguments: str) -> Result:
    """The exit code and what was printed; an exception that is no error of the command raises."""
    return CliRunner().invoke(main, arguments, catch_exceptions=False)
