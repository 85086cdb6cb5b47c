"""`mockface fault`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockface.commands.parts import number, whole
from mockface.commands.remote import add_place, emulator, show

if TYPE_CHECKING:
    import argparse

    from mockface.commands.parts import Parser

DEFAULT_ACTION = "list"
EXAMPLES = """\
examples:
  mockface fault                                                 those that wait
  mockface fault add --route create --status 429 --retry-after 7
  mockface fault add --route 'result*' --status 503 --count 0 --seconds 30
  mockface fault add --delay 0.2~0.5 --count 0                   around 0.2 s, at times much longer
  mockface fault add --route create --reset --probability 0.1 --count 0
  mockface fault clear
  mockface fault tier F0                                         20 calls a minute
"""

_EFFECTS = {
    "status": "status",
    "retry_after": "retryAfter",
    "body": "body",
    "delay": "delay",
    "cut_after": "cutAfter",
    "bytes_per_second": "bytesPerSecond",
    "reset": "reset",
    "probability": "probability",
    "count": "count",
    "seconds": "seconds",
}


def add(parser: Parser) -> None:
    """Adds the options."""
    actions = parser.actions()
    add_place(actions.add("list", "show the faults that wait (the default)"))
    _add_options(actions.add("add", "let answers go wrong"))
    add_place(actions.add("clear", "drop the faults that wait"))
    drop = actions.add("drop", "drop one fault")
    add_place(drop)
    drop.add_argument("id", type=lambda text: whole(text, 1, 10**9), help="the fault's number")
    tier = actions.add("tier", "show or set the price tier whose rate limit holds")
    add_place(tier)
    tier.add_argument("tier", nargs="?", metavar="TIER", help="F0, S0 or none")


def _add_options(parser: Parser) -> None:
    add_place(parser)
    parser.option(
        "--route",
        default="*",
        help="an operation such as create, or a pattern such as result*; default: all",
    )
    parser.option(
        "--status",
        type=lambda text: whole(text, 400, 599),
        help="of the answer, with the service's body; the operation is then not carried out",
    )
    parser.option(
        "--retry-after",
        type=lambda text: whole(text, 0, 86_400),
        metavar="SECONDS",
        help="a Retry-After header",
    )
    parser.option(
        "--body",
        help="what the body is: service, gateway, garbage, truncated or empty; default: service",
    )
    parser.option(
        "--delay",
        type=_delay,
        metavar="SECONDS",
        help="hold the answer back: 1.5, anything from 0.1-0.5, or with the median and the sigma "
        "of a lognormal distribution 0.2~0.5",
    )
    parser.option(
        "--cut-after",
        type=lambda text: whole(text, 0, 10**7),
        metavar="BYTES",
        help="close the connection after so much of the body",
    )
    parser.option(
        "--bytes-per-second", type=number, metavar="BYTES", help="send the body this slowly"
    )
    parser.option("--reset", action="store_true", help="reset the connection, answer nothing")
    parser.option(
        "--probability", type=number, help="how likely an answer is hit, up to 1; default: 1"
    )
    parser.option(
        "--count",
        type=lambda text: whole(text, 0, 10**6),
        help="how many answers are hit, 0 for all; default: 1",
    )
    parser.option(
        "--seconds", type=number, help="for how long, by the emulator's clock; default: for ever"
    )


def run(options: argparse.Namespace) -> int:
    """Tells the emulator."""
    there, action = emulator(options), options.action
    if action == "list":
        show(there.call("GET", "faults"))
    elif action == "clear":
        there.call("DELETE", "faults")
    elif action == "drop":
        there.call("DELETE", f"faults/{options.id}")
    elif action == "tier":
        told = options.tier and {"tier": options.tier}
        show(there.call("PUT", "limit", told) if told else there.call("GET", "limit"))
    else:
        told = {name: getattr(options, option) for option, name in _EFFECTS.items()}
        given = {n: v for n, v in told.items() if v is not None and v is not False}
        show(there.call("POST", "faults", {"route": options.route} | given))
    return 0


def _delay(text: str) -> object:
    for sign, names in (("~", ("median", "sigma")), ("-", ("low", "high"))):
        first, found, second = text.partition(sign)
        if found and first:
            return {names[0]: number(first), names[1]: number(second)}
    return number(text)
