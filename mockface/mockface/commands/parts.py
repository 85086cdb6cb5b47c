"""What all commands share: options that the environment gives too, checked words, one error."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mockface.addresses import is_sendable, is_url
from mockface.clock import moment
from mockface.scenarios import Pace

if TYPE_CHECKING:
    from collections.abc import Callable

FAILED, USAGE = 1, 2
"""Exit statuses: it was tried and went wrong; it was asked for in a wrong way."""

_MOST_DIGITS = 18
_YES, _NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


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
        self._given: list[_Given] = []

    def option(self, flag: str, *, help: str, variable: str = "", **settings: Any) -> None:  # noqa: A002 - argparse's own word
        """Adds an option whose default the environment may give; the help names the variable.

        Args:
            flag: `--port`.
            help: A line on it.
            variable: The variable's whole name, if it is not made of the command and the flag.
            settings: What `add_argument` takes. A repeated option is separated by commas in the
                environment, a flag is `1`, `true`, `yes` or `on`, or else `0`, `false`, `no` or
                `off`.
        """
        name = variable or self.variables + flag.lstrip("-").replace("-", "_").upper()
        help = help.replace("%(default)s", str(settings.get("default")))  # noqa: A001 - see above
        given = os.environ.get(name)
        if given:
            settings |= {"default": argparse.SUPPRESS, "required": False}
        added = self.add_argument(flag, help=f"{help} [{name}]", **settings)
        if given:
            read = _reader(settings.get("action"), settings.get("type", str))
            self._given.append(_Given(added.dest, name, given, read))

    def parse_known_args(self, *arguments: Any, **named: Any) -> Any:
        """Reads the command line, and then from the environment what it leaves open."""
        options, rest = super().parse_known_args(*arguments, **named)
        for each in self._given:
            if not hasattr(options, each.option):
                try:
                    setattr(options, each.option, each.read(each.text))
                except argparse.ArgumentTypeError as wrong:
                    self.error(f"{each.variable}: {wrong}")
        return options, rest

    def actions(self) -> Actions:
        """What the command can do, each with options of its own."""
        return Actions(self)


@dataclass(frozen=True, slots=True)
class _Given:
    """What the environment says of an option."""

    option: str
    variable: str
    text: str
    read: Callable[[str], object]


class Version(argparse.Action):
    """Prints the version of the distribution, which is looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """Prints it, and ends."""
        from importlib.metadata import version  # noqa: PLC0415 - see the class

        print(f"mockface of livegate {version('livegate')}")
        parser.exit()


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


def _reader(action: object, check: Callable[[str], object]) -> Callable[[str], object]:
    """How a variable's text is read, by what the option does with it."""
    if action == "store_true":
        return _flag
    if action == "append":
        return lambda text: [check(each.strip()) for each in text.split(",")]
    return check


def _flag(text: str) -> bool:
    if text.lower() not in (*_YES, *_NO):
        words = ", ".join((*_YES, *_NO))
        raise argparse.ArgumentTypeError(f"{text!r} is none of {words}")
    return text.lower() in _YES


def secret(text: str) -> str:
    """A key or a token, as a header can carry it; what it is stays out of the message."""
    if not is_sendable(text):
        raise argparse.ArgumentTypeError(
            "has to have one or more printable ASCII characters, and no blank around them"
        )
    return text


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
