"""The command `mockface`: finds the command in the table, and runs it."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

from mockface.commands import COMMANDS
from mockface.commands.parts import FAILED, CommandError, Parser
from mockface.errors import ControlError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from types import ModuleType

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
        result: int = options.run(options)
    except CommandError as wrong:
        print(f"mockface: {wrong}", file=sys.stderr)
        return wrong.status
    except ControlError as wrong:
        print(f"mockface: {wrong}{'' if wrong.status else _HINT}", file=sys.stderr)
        return FAILED
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("mockface"):
            raise
        remedy = "run: pip install 'livegate[mock]'"
        print(f"mockface: {missing.name} is not installed; {remedy}", file=sys.stderr)
        return 2
    return result


def _parse(given: list[str]) -> argparse.Namespace:
    if not given or given[0] not in COMMANDS:
        return parser(None).parse_args(given)
    module = import_module(f"mockface.commands.{given[0]}")
    default = getattr(module, "DEFAULT_ACTION", None)
    rest = given[1:]
    if default and (not rest or rest[0].startswith("-")) and not {"-h", "--help"} & set(rest[:1]):
        rest.insert(0, default)
    return parser(module).parse_args([given[0], *rest])


def parser(chosen: ModuleType | None) -> Parser:
    """The parser of all commands, with the options of the chosen one: others are not imported.

    Args:
        chosen: The module of the command.
    """
    top = Parser(
        prog="mockface",
        description="An offline emulator of the session API of Azure AI Face.",
        epilog="The environment gives options too: the help of a command names the variables.",
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for name, summary in COMMANDS.items():
        prefix = "MOCKFACE_" if name == "serve" else f"MOCKFACE_{name.upper()}_"
        mine = commands.add_parser(name, help=summary, variables=prefix)
        if chosen is not None and chosen.__name__.endswith(f".{name}"):
            mine.description = f"{summary[0].upper()}{summary[1:]}."
            mine.epilog = chosen.EXAMPLES
            chosen.add(mine)
            mine.set_defaults(run=chosen.run)
    return top
