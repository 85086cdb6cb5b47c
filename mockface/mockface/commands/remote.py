"""How commands speak to an emulator that runs somewhere else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mockface.commands.parts import USAGE, CommandError, secret, url

if TYPE_CHECKING:
    import argparse

    from mockface.commands.parts import Parser
    from mockface.remote.control_client import ControlClient


def add_place(parser: Parser) -> None:
    """Adds the options that say which emulator, and whose sessions in it."""
    parser.option(
        "--endpoint",
        type=url,
        metavar="URL",
        default="http://127.0.0.1:8178",
        variable="MOCKFACE_ENDPOINT",
        help="where the emulator runs; default: %(default)s",
    )
    parser.option(
        "--key",
        type=_key,
        variable="MOCKFACE_KEY",
        help="whose sessions: the tenant of this resource key; without it, all of them (where the "
        "variable names several keys, its first)",
    )


def emulator(options: argparse.Namespace, *, timeout: float = 30.0) -> ControlClient:
    """A hand on the emulator that the options name; `timeout` is how long an answer may take."""
    from mockface.remote.control_client import ControlClient  # noqa: PLC0415 - the help needs no HTTP
    from mockface.remote.sending import over_http  # noqa: PLC0415 - see above

    try:
        return ControlClient(options.endpoint, options.key or "", send=over_http(timeout))
    except ValueError as wrong:
        raise CommandError(str(wrong), USAGE) from None


def show(value: object) -> None:
    """Prints an answer as JSON."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _key(text: str) -> str:
    return secret(text.partition(",")[0].strip())
