"""The command ``livegate``: its subcommands are entry points of the group ``livegate.commands``.

Each is a function that takes the subparsers of :mod:`argparse`, adds its own, and sets the default
``run``: a callable that takes the parsed arguments and returns the exit status.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import entry_points, version
from typing import TYPE_CHECKING

from livegate.errors import LivegateError

if TYPE_CHECKING:
    from collections.abc import Sequence

GROUP = "livegate.commands"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that *argv* names, by default that of the process.

    Returns:
        The exit status: 0, or 2 when something is missing or wrong, which is then said in words.
    """
    parser = argparse.ArgumentParser(
        prog="livegate", description="Runs face liveness sessions with Azure AI Face."
    )
    parser.add_argument("--version", action="version", version=f"livegate {version('livegate')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        point.load()(commands)
    arguments = parser.parse_args(argv)
    try:
        status: int = arguments.run(arguments)
    except LivegateError as error:
        print(f"livegate: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return status
