"""`mockface clock`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from mockface.commands.remote import add_place, emulator, show

if TYPE_CHECKING:
    from mockface.commands.parts import Parser

EXAMPLES = """\
examples:
  mockface clock                              what time it is there
  mockface clock --advance 600                ten minutes on: a token of the default TTL expires
  mockface clock --freeze                     stop it now
  mockface clock --freeze 2026-01-31T12:00Z   stop it then
  mockface clock --resume                     let it run on from where it stands
"""


def add(parser: Parser) -> None:
    """Adds the options."""
    add_place(parser)
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--advance", type=_seconds, metavar="SECONDS", help="move it forward")
    one.add_argument("--freeze", nargs="?", const=True, metavar="TIME", help="stop it, now or then")
    one.add_argument("--resume", action="store_const", const=True, help="let it run again")


def run(options: argparse.Namespace) -> int:
    """Moves or shows the clock."""
    told = {
        name: getattr(options, name)
        for name in ("advance", "freeze", "resume")
        if getattr(options, name) is not None
    }
    there = emulator(options)
    show(there.call("POST", "clock", told) if told else there.call("GET", "clock"))
    return 0


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds") from None
