"""`mockface openapi`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mockface.commands.parts import USAGE, CommandError

if TYPE_CHECKING:
    import argparse

    from mockface.commands.parts import Parser

EXAMPLES = """\
examples:
  mockface openapi v1.2
  mockface openapi v1.3-preview.1 --server https://face.test > face.json
"""


def add(parser: Parser) -> None:
    """Adds the options."""
    parser.add_argument("version", metavar="VERSION", help="a version, such as v1.2")
    parser.option(
        "--server",
        default="http://127.0.0.1:8178",
        metavar="URL",
        help="where the emulator is reached; default: %(default)s",
    )


def run(options: argparse.Namespace) -> int:
    """Prints the document."""
    from mockface.openapi import document  # noqa: PLC0415 - the help does not need it

    try:
        made = document(options.version, options.server.rstrip("/"))
    except LookupError as unknown:
        raise CommandError(str(unknown), USAGE) from None
    print(json.dumps(made, indent=2))
    return 0
