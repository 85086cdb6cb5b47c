"""`mockface scenario`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from mockface.commands.parts import USAGE, CommandError, pace
from mockface.commands.remote import add_place, emulator, show

if TYPE_CHECKING:
    import argparse

    from mockface.commands.parts import Parser
    from mockface.remote.control_client import ControlClient

DEFAULT_ACTION = "list"
EXAMPLES = """\
examples:
  mockface scenario                         which there are, and which one holds
  mockface scenario set spoof               from now on
  mockface scenario set mask,real           each person fails once, and then succeeds
  mockface scenario queue spoof real+late   for the next two sessions
  mockface scenario pin SESSION uncertain   for one session
  mockface scenario pace 3reads             results are out after three more reads
"""


def add(parser: Parser) -> None:
    """Adds the commands below this one."""
    actions = parser.actions()
    listed = actions.add("list", "show which there are, and which one holds (the default)")
    chosen = actions.add("set", "choose what attempts are from now on")
    queued = actions.add("queue", "choose for the next sessions, or show what waits")
    pinned = actions.add("pin", "choose for one session")
    paced = actions.add("pace", "say when results are out, or show it")
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
    paced.option("--session", metavar="ID", help="for this session alone")


def run(options: argparse.Namespace) -> int:
    """Does it, and shows what the emulator says."""
    there = emulator(options)
    match options.action:
        case "list":
            known = there.call("GET", "")["scenarios"]
            show(there.call("GET", "scenario") | {"scenarios": known})
        case "set":
            show(there.call("PUT", "scenario", {"scenario": options.name}))
        case "queue":
            told = {"scenarios": options.name}
            show(there.call("POST", "queue", told) if options.name else there.call("GET", "queue"))
        case "pin":
            place = f"sessions/{quote(options.session, safe='')}/scenario"
            show(there.call("PUT", place, {"scenario": options.name}))
        case _:
            _pace(there, options.pace, options.session)
    return 0


def _pace(there: ControlClient, chosen: str | None, session: str | None) -> None:
    if session is None:
        told = {"pace": chosen}
        show(there.call("PUT", "pace", told) if chosen else there.call("GET", "pace"))
    elif chosen is None:
        raise CommandError("a session's pace can only be chosen: say which one.", USAGE)
    else:
        show(there.call("PUT", f"sessions/{quote(session, safe='')}/pace", {"pace": chosen}))
