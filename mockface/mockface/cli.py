"""The command `mockface`: finds the command in the table, and runs it."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from mockface.commands import COMMANDS
from mockface.commands.parts import CommandError, Parser

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Without the program's name; by default those of the process.

    Returns:
        The exit status: 0 for success, 1 for something that was tried and went wrong, 2 for wrong
        usage.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser(given[0] if given else "").parse_args(given)
    try:
        result: int = options.run(options)
    except CommandError as wrong:
        print(f"mockface: {wrong}", file=sys.stderr)
        return wrong.status
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("mockface"):
            raise
        remedy = "run: pip install 'livegate[mock]'"
        print(f"mockface: {missing.name} is not installed; {remedy}", file=sys.stderr)
        return 2
    return result


def parser(chosen: str) -> Parser:
    """The parser of all commands, with the options of the chosen one: others are not imported."""
    top = Parser(
        prog="mockface",
        description="An offline emulator of the session API of Azure AI Face.",
        epilog="The environment gives options too: the help of a command names the variables.",
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for name, summary in COMMANDS.items():
        prefix = "MOCKFACE_" if name == "serve" else f"MOCKFACE_{name.upper()}_"
        mine = commands.add_parser(name, help=summary, variables=prefix)
        if name == chosen:
            module = import_module(f"mockface.commands.{name}")
            mine.description = f"{summary[0].upper()}{summary[1:]}."
            mine.epilog = module.EXAMPLES
            module.add(mine)
            mine.set_defaults(run=module.run)
    return top
