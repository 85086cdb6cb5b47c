"""`mockface reset`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockface.commands.remote import add_place, emulator

if TYPE_CHECKING:
    import argparse

    from mockface.commands.parts import Parser

EXAMPLES = """\
examples:
  mockface reset              everything, and the clock is put back
  mockface reset --key KEY    one tenant's sessions, faults and journal
"""


def add(parser: Parser) -> None:
    """Adds the options."""
    add_place(parser)


def run(options: argparse.Namespace) -> int:
    """Forgets."""
    emulator(options).call("POST", "reset")
    return 0
