"""`mockface clock`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockface.commands.parts import number
from mockface.commands.remote import add_place, emulator, show

if TYPE_CHECKING:
    import argparse

    from mockface.commands.parts import Parser

DEFAULT_ACTION = "show"
EXAMPLES = """\
examples:
  mockface clock                            what time it is there
  mockface clock advance 600                ten minutes on: a token of the default TTL expires
  mockface clock freeze                     stop it now
  mockface clock freeze 2026-01-31T12:00Z   stop it then
  mockface clock resume                     let it run on from where it stands
"""


def add(parser: Parser) -> None:
    """Adds the options."""
    actions = parser.actions()
    shown = actions.add("show", "say what time it is there (the default)")
    advanced = actions.add("advance", "move it forward")
    frozen = actions.add("freeze", "stop it, now or at a time")
    resumed = actions.add("resume", "let it run on from where it stands")
    for each in (shown, advanced, frozen, resumed):
        add_place(each)

    advanced.add_argument("seconds", type=number, metavar="SECONDS", help="how far")
    frozen.add_argument("time", nargs="?", metavar="TIME", help="such as 2026-01-31T12:00Z")


def run(options: argparse.Namespace) -> int:
    """Moves or shows the clock."""
    there = emulator(options)
    match options.action:
        case "show":
            show(there.call("GET", "clock"))
        case "advance":
            show(there.call("POST", "clock", {"advance": options.seconds}))
        case "freeze":
            show(there.call("POST", "clock", {"freeze": options.time or True}))
        case _:
            show(there.call("POST", "clock", {"resume": True}))
    return 0
