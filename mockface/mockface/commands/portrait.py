"""`mockface portrait`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mockface.commands.parts import USAGE, CommandError

if TYPE_CHECKING:
    import argparse

    from mockface.commands.parts import Parser

EXAMPLES = """\
examples:
  mockface portrait --seed alice --out alice.jpg
"""


def add(parser: Parser) -> None:
    """Adds the options."""
    parser.option("--seed", default="1", help="whose portrait; default: %(default)s")
    parser.option("--out", type=Path, required=True, metavar="FILE", help="a .jpg or .png file")


def run(options: argparse.Namespace) -> int:
    """Draws the portrait."""
    from mockface.images import portrait  # noqa: PLC0415 - the help needs none

    image_format = "PNG" if options.out.suffix.lower() == ".png" else "JPEG"
    try:
        options.out.write_bytes(portrait(options.seed, image_format))
    except OSError as wrong:
        raise CommandError(f"cannot write {options.out}: {wrong.strerror}", USAGE) from None
    return 0
