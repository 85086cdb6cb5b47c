"""`mockface scenario`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from mockface.commands.parts import USAGE, CommandError
from mockface.commands.remote import add_place, emulator, show

if TYPE_CHECKING:
    import argparse

    from mockface.commands.parts import Parser

EXAMPLES = """\
examples:
  mockface scenario                       which one holds, and which there are
  mockface scenario spoof                 from now on
  mockface scenario mask real --next      for the next two sessions
  mockface scenario spoof --session ID    for one session
"""


def add(parser: Parser) -> None:
    """Adds the options."""
    add_place(parser)
    parser.add_argument("name", nargs="*", metavar="NAME", help="what attempts are to be")
    parser.option(
        "--next", action="store_true", help="the names are for the next sessions, one each"
    )
    parser.option("--session", metavar="ID", help="the name is for this session alone")


def run(options: argparse.Namespace) -> int:
    """Sets or shows the scenario."""
    there, names = emulator(options), options.name
    if not names:
        known = there.call("GET", "")["scenarios"]
        show(there.call("GET", "scenario") | {"scenarios": known})
    elif options.next:
        show(there.call("POST", "queue", {"scenarios": names}))
    elif len(names) > 1:
        raise CommandError("several names are for the next sessions: say --next.", USAGE)
    else:
        place = "scenario"
        if options.session:
            place = f"sessions/{quote(options.session, safe='')}/scenario"
        show(there.call("PUT", place, {"scenario": names[0]}))
    return 0
