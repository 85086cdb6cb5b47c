"""`mockface portrait`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mockface.commands.parts import USAGE, CommandError, whole

if TYPE_CHECKING:
    from mockface.commands.parts import Parser

EXAMPLES = """\
examples:
  mockface portrait --seed alice --out alice.jpg
  mockface portrait --seed alice --blur 0.8 --light dark --out bad.jpg
"""


def add(parser: Parser) -> None:
    """Adds the options."""
    parser.option("--seed", default="1", help="whose portrait; default: %(default)s")
    parser.option("--out", type=_picture, required=True, metavar="FILE", help="a .jpg or .png file")
    parser.option(
        "--faces", type=_faces, default="1", help="how many: 0, 1 or 2; default: %(default)s"
    )
    parser.option("--mask", action="store_true", help="with a mask over mouth and nose")
    parser.option(
        "--glasses",
        default="noGlasses",
        metavar="KIND",
        help="readingGlasses, sunglasses or swimmingGoggles; default: %(default)s",
    )
    parser.option("--blur", type=_number, default="0", help="0 (sharp) to 1; default: %(default)s")
    parser.option(
        "--light",
        default="normal",
        metavar="WORD",
        help="normal, dark or bright; default: %(default)s",
    )
    parser.option(
        "--turned",
        type=_number,
        default="0",
        metavar="DEGREES",
        help="how far from the camera the head is turned, -45 to 45; default: %(default)s",
    )


def run(options: argparse.Namespace) -> int:
    """Draws the portrait."""
    from mockface.images import portrait  # noqa: PLC0415 - the help needs none

    image_format = "PNG" if options.out.suffix.lower() == ".png" else "JPEG"
    try:
        drawn = portrait(
            options.seed,
            image_format,
            faces=options.faces,
            mask=options.mask,
            glasses=options.glasses,
            blur=options.blur,
            light=options.light,
            turned=options.turned,
        )
        options.out.write_bytes(drawn)
    except ValueError as wrong:
        raise CommandError(str(wrong), USAGE) from None
    except OSError as wrong:
        raise CommandError(f"cannot write {options.out}: {wrong.strerror}", USAGE) from None
    return 0


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in (".jpg", ".jpeg", ".png"):
        raise argparse.ArgumentTypeError(f"{text!r} does not end in .jpg or .png")
    return path


def _faces(text: str) -> int:
    return whole(text, 0, 2)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
