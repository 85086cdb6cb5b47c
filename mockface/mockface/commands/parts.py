"""What all commands share: options that the environment gives too, checked words, one error."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from mockface.addresses import is_url
from mockface.clock import moment
from mockface.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable

FAILED, USAGE = 1, 2
"""Exit statuses: it was tried and went wrong; it was asked for in a wrong way."""

_MOST_DIGITS = 18
_YES = ("1", "true", "yes", "on")


class CommandError(Exception):
    """A command that cannot do what it was told.

    Args:
        message: A sentence for the person at the terminal.
        status: The exit status.
    """

    def __init__(self, message: str, status: int = FAILED) -> None:
        super().__init__(message)
        self.status = status


class Parser(argparse.ArgumentParser):
    """The parser of a command.

    Args:
        variables: What the names of its environment variables start with.
        options: What `argparse.ArgumentParser` takes.
    """

    def __init__(self, *, variables: str = "MOCKFACE_", **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**options)
        self.variables = variables

    def option(self, flag: str, *, help: str, variable: str = "", **settings: Any) -> None:  # noqa: A002 - argparse's own word
        """Adds an option whose default the environment may give; the help names the variable.

        Args:
            flag: `--port`.
            help: A line on it.
            variable: The variable's whole name, if it is not made of the command and the flag.
            settings: What `add_argument` takes. A repeated option is separated by commas in the
                environment, a flag is `1`, `true`, `yes` or `on`.
        """
        name = variable or self.variables + flag.lstrip("-").replace("-", "_").upper()
        given = os.environ.get(name)
        if given:
            settings["default"] = _default(given, settings.get("action"))
            settings["required"] = False
        self.add_argument(flag, help=f"{help} [{name}]", **settings)

    def actions(self) -> Actions:
        """What the command can do, each with options of its own."""
        return Actions(self)


class Actions:
    """The actions of a command.

    Args:
        parser: The command's.
    """

    def __init__(self, parser: Parser) -> None:
        self._variables = parser.variables
        self._parsers = parser.add_subparsers(
            dest="action", metavar="ACTION", required=True, parser_class=Parser
        )

    def add(self, name: str, summary: str) -> Parser:
        """The parser of an action; its options' variables are named after the command."""
        made: Parser = self._parsers.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            variables=self._variables,
        )
        return made


def _default(given: str, action: object) -> object:
    if action == "store_true":
        return given.lower() in _YES
    if action == "append":
        return [each for each in given.split(",") if each]
    return given  # argparse checks a text like one of the command line


def port(text: str) -> int:
    """A port's number; 0 is a free one."""
    return whole(text, 0, 65_535)


def whole(text: str, low: int, high: int) -> int:
    """A whole number within bounds."""
    read = int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else -1
    if not low <= read <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {low} to {high}")
    return read


def one_of(*words: str) -> Callable[[str], str]:
    """A word out of a list, in any case."""

    def check(text: str) -> str:
        known = {word.lower(): word for word in words}
        if text.lower() not in known:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(words)}")
        return known[text.lower()]

    return check


def number(text: str) -> float:
    """A number that is not negative."""
    try:
        read = float(text)
    except ValueError:
        read = -1.0
    if not 0 <= read < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return read


def url(text: str) -> str:
    """An address of HTTP."""
    if not is_url(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no http or https URL")
    return text


def time(text: str) -> float:
    """A moment in ISO 8601, as seconds since 1970."""
    try:
        return moment(text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(f"{text!r} {wrong}") from None


def pace(text: str) -> str:
    """How fast sessions move: `at-once`, `3reads` or `30s`."""
    try:
        return str(Pace.parse(text))
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(f"{text!r} {wrong}") from None
