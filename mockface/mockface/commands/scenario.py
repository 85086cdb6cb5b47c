"""`mockface scenario`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from mockface.commands.parts import USAGE, CommandError, pace
from mockface.commands.remote import add_place, emulator, show

if TYPE_CHECKING:
    import argparse

    from mockface.commands.parts import Parser
    from mockface.commands.remote import Emulator

EXAMPLES = """\
examples:
  mockface scenario list                    which there are, and which one holds
  mockface scenario set spoof               from now on
  mockface scenario set mask,real           each person fails once, and then succeeds
  mockface scenario queue spoof real+late   for the next two sessions
  mockface scenario pin SESSION uncertain   for one session
  mockface scenario pace 3reads             results are out after three more reads
"""


def add(parser: Parser) -> None:
    """Adds the commands below this one."""
    does = parser.add_subparsers(dest="does", required=True, metavar="WHAT")

    listed = does.add_parser("list", help="show which there are, and which one holds")
    chosen = does.add_parser("set", help="choose what attempts are from now on")
    queued = does.add_parser("queue", help="choose for the next sessions, or show what waits")
    pinned = does.add_parser("pin", help="choose for one session")
    paced = does.add_parser("pace", help="say when results are out, or show it")
    for each in (listed, chosen, queued, pinned, paced):
        add_place(each)

    one = "a name, or several: + for at once, a comma for one attempt after the other"
    chosen.add_argument("name", metavar="NAME", help=one)
    queued.add_argument("name", nargs="*", metavar="NAME", help="one for each of the next sessions")
    pinned.add_argument("session", metavar="SESSION", help="the session's id")
    pinned.add_argument("name", metavar="NAME", help=one)
    paced.add_argument(
        "pace", nargs="?", type=pace, metavar="PACE", help="at-once, 3reads or 30s, for example"
    )
    paced.add_argument("--session", metavar="ID", help="for this session alone")


def run(options: argparse.Namespace) -> int:
    """Does it, and shows what the emulator says."""
    there = emulator(options)
    match options.does:
        case "list":
            known = there.ask("GET", "")["scenarios"]
            show(there.ask("GET", "scenario") | {"scenarios": known})
        case "set":
            show(there.ask("PUT", "scenario", {"scenario": options.name}))
        case "queue":
            told = {"scenarios": options.name}
            show(there.ask("POST", "queue", told) if options.name else there.ask("GET", "queue"))
        case "pin":
            place = f"sessions/{quote(options.session, safe='')}/scenario"
            show(there.ask("PUT", place, {"scenario": options.name}))
        case _:
            _pace(there, options.pace, options.session)
    return 0


def _pace(there: Emulator, chosen: str | None, session: str | None) -> None:
    if session is None:
        told = {"pace": chosen}
        show(there.ask("PUT", "pace", told) if chosen else there.ask("GET", "pace"))
    elif chosen is None:
        raise CommandError("a session's pace can only be chosen: say which one.", USAGE)
    else:
        show(there.ask("PUT", f"sessions/{quote(session, safe='')}/pace", {"pace": chosen}))
