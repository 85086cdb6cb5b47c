"""`mockface serve`."""

from __future__ import annotations

import argparse
import errno
import signal
from typing import TYPE_CHECKING

from mockface.clock import Clock
from mockface.commands.parts import (
    USAGE,
    CommandError,
    one_of,
    pace,
    port,
    secret,
    time,
    url,
    whole,
)

if TYPE_CHECKING:
    from mockface.commands.parts import Parser
    from mockface.server import Mockface

_FILES = 65_536

EXAMPLES = """\
examples:
  mockface serve
  mockface serve --port 0 --key ci-key --seed 7
  mockface serve --frozen-at 2026-01-31T12:00:00Z --scenario spoof
"""


def add(parser: Parser) -> None:
    """Adds the options."""
    parser.option("--host", default="127.0.0.1", help="default: %(default)s")
    parser.option(
        "--port", type=port, default="8178", help="0 takes a free one; default: %(default)s"
    )
    parser.option(
        "--key",
        action="append",
        type=secret,
        metavar="KEY",
        help="a resource key that is accepted; may be repeated (in the environment: separated by "
        "commas). Without it any key is, each with sessions of its own",
    )
    parser.option("--seed", help="the same seed gives the same bytes")
    parser.option(
        "--scenario",
        default="real",
        metavar="NAME",
        help="what attempts are when nobody says otherwise; default: %(default)s",
    )
    parser.option(
        "--pace",
        type=pace,
        default="at-once",
        help="when results are out: at-once, after some reads (3reads) or seconds (30s); "
        "default: %(default)s",
    )
    parser.option(
        "--frozen-at",
        type=time,
        metavar="TIME",
        help="stop the clock at a time such as 2026-01-31T12:00:00Z",
    )
    parser.option(
        "--vision",
        type=_vision,
        default="auto",
        metavar="HOW",
        help="how posted pictures are looked at: opencv finds the faces of "
        "photographs (the extra vision), portraits knows drawn ones only, auto takes opencv if it "
        "is installed; default: %(default)s",
    )
    parser.option("--bearer", type=secret, metavar="TOKEN", help="an Entra token to accept")
    parser.option(
        "--public-url",
        type=url,
        metavar="URL",
        help="where clients reach the emulator, if not where the app server does",
    )
    parser.option(
        "--access-log", action="store_true", help="write a line for each request to stderr"
    )
    parser.option(
        "--trust-proxy",
        action="store_true",
        help="take the scheme of clients from X-Forwarded-Proto, behind a proxy that ends TLS",
    )
    parser.option(
        "--tls",
        action="store_true",
        help="serve https with a certificate made for the run; its file is printed",
    )
    parser.option(
        "--tls-certificate", metavar="FILE", help="serve https with this certificate, a PEM file"
    )
    parser.option("--tls-key", metavar="FILE", help="the PEM file of its private key")
    parser.option(
        "--tier",
        type=one_of("F0", "S0"),
        help="hold everybody to the rate limit of a price tier: F0 (20 calls a minute) or S0 (10 "
        "a second)",
    )
    parser.option(
        "--strict",
        action="store_true",
        default=True,
        help="refuse what the specification does not allow; this is the default",
    )
    parser.add_argument(
        "--loose",
        dest="strict",
        action="store_false",
        default=argparse.SUPPRESS,
        help='overlook small mistakes of callers, such as "true" for true',
    )
    parser.option(
        "--accept-newer",
        action="store_true",
        help="answer a version newer than all known ones as the newest, with a Warning",
    )
    parser.option(
        "--journal-entries",
        type=lambda text: whole(text, 0, 10**7),
        default="10000",
        metavar="COUNT",
        help="how many requests are kept, 0 for none; default: %(default)s",
    )
    parser.option(
        "--journal-bytes",
        type=lambda text: whole(text, 0, 10**9),
        default="16777216",
        metavar="BYTES",
        help="how much memory they may take, roughly; default: %(default)s",
    )
    parser.option(
        "--threads",
        type=_threads,
        default="8",
        help="how many pictures are worked on at once; default: %(default)s",
    )
    parser.option(
        "--allow-remote",
        action="store_true",
        help="let other machines in, to the control API too",
    )


def run(options: argparse.Namespace) -> int:
    """Serves until a signal comes."""
    try:
        mock = _emulator(options)
    except ValueError as wrong:
        raise CommandError(str(wrong), USAGE) from None
    try:
        url = mock.listen()
    except ValueError as wrong:
        raise CommandError(str(wrong), USAGE) from None
    except OSError as wrong:
        raise CommandError(_why(wrong, options.host, options.port), USAGE) from None
    _allow_files()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: mock.stop())
    print(f"mockface listening on {url}", flush=True)
    if url.startswith("https:"):
        print(f"clients have to trust {mock.certificate}", flush=True)
    mock.run()
    return 0


def _emulator(options: argparse.Namespace) -> Mockface:
    from mockface.server import Mockface  # noqa: PLC0415 - the help needs no server

    return Mockface(
        keys=options.key or None,
        seed=options.seed,
        scenario=options.scenario,
        pace=options.pace,
        clock=Clock(frozen_at=options.frozen_at),
        vision=options.vision,
        bearer=options.bearer,
        public_url=options.public_url,
        access_log=options.access_log,
        trust_proxy=options.trust_proxy,
        tls=options.tls,
        tls_certificate=options.tls_certificate,
        tls_key=options.tls_key,
        host=options.host,
        port=options.port,
        threads=options.threads,
        loose=not options.strict,
        accept_newer=options.accept_newer,
        tier=options.tier,
        journal_entries=options.journal_entries,
        journal_bytes=options.journal_bytes,
        allow_remote=options.allow_remote,
    )


def _allow_files() -> None:
    """Makes room for all connections: a shell often allows a process 256 or 1024 files."""
    try:
        import resource  # noqa: PLC0415 - Windows has none, and no such limit
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _why(wrong: OSError, host: str, port: int) -> str:
    place = f"cannot listen on {host}:{port}"
    if wrong.errno == errno.EADDRINUSE:
        return (
            f"{place}: the port is in use. Stop what listens there, or choose another --port; 0 "
            "takes a free one."
        )
    return f"{place}: {wrong.strerror}"


def _vision(text: str) -> str:
    from mockface.vision import Vision  # noqa: PLC0415 - see `run`

    if text not in tuple(Vision):
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(Vision)}")
    return text


def _threads(text: str) -> int:
    return whole(text, 1, 256)
