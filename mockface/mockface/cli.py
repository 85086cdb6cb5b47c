"""The command `mockface`: finds the command in the table, and runs it."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from mockface.commands import COMMANDS
from mockface.commands.parts import FAILED, CommandError, Parser, Version
from mockface.errors import ControlError
from mockface.extras import needs

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from types import ModuleType

_HELP = ("-h", "--help")
_HINT = "; start it with `mockface serve`, or say with --endpoint where it runs"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Without the program's name; by default those of the process.

    Returns:
        The exit status: 0 for success, 1 for something that was tried and went wrong, 2 for wrong
        usage.
    """
    options = _parse(list(sys.argv[1:] if arguments is None else arguments))
    try:
        with needs("mock"):
            result: int = options.run(options)
        sys.stdout.flush()
    except CommandError as wrong:
        print(f"mockface: {wrong}", file=sys.stderr)
        return wrong.status
    except ControlError as wrong:
        print(f"mockface: {wrong}{'' if wrong.status else _HINT}", file=sys.stderr)
        return FAILED
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("mockface"):
            raise
        print(f"mockface: {missing}", file=sys.stderr)
        return 2
    except OSError as wrong:
        if not isinstance(wrong, BrokenPipeError):  # who closed the pipe has read enough
            print(f"mockface: {wrong.strerror or wrong}", file=sys.stderr)
        # Python flushes once more as it ends, and would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return FAILED
    return result


def _parse(given: list[str]) -> argparse.Namespace:
    """Reads the command line; where a command's action is missing, it is the default one."""
    chosen, rest = (given[0], given[1:]) if given else ("", [])
    default = chosen in COMMANDS and getattr(_module(chosen), "DEFAULT_ACTION", None)
    if default and (not rest or (rest[0].startswith("-") and rest[0] not in _HELP)):
        rest = [default, *rest]
    return parser(chosen).parse_args([chosen, *rest] if given else [])


def parser(chosen: str) -> Parser:
    """The parser of all commands, with the options of the chosen one: others are not imported."""
    top = Parser(
        prog="mockface",
        description="An offline emulator of the session API of Azure AI Face.",
        epilog="The environment gives options too: the help of a command names the variables.",
    )
    top.add_argument("--version", action=Version, nargs=0, help="print the version")
    commands = top.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for name, summary in COMMANDS.items():
        prefix = "MOCKFACE_" if name == "serve" else f"MOCKFACE_{name.upper()}_"
        mine = commands.add_parser(name, help=summary, variables=prefix)
        if name == chosen:
            module = _module(name)
            mine.description = f"{summary[0].upper()}{summary[1:]}."
            mine.epilog = module.EXAMPLES
            module.add(mine)
            mine.set_defaults(run=module.run)
    return top


def _module(command: str) -> ModuleType:
    return import_module(f"mockface.commands.{command}")
