"""The command `mockface`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mockface.clock import Clock, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

_FAILED, _USAGE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Without the program's name; by default those of the process.

    Returns:
        The exit status: 0 for success, 1 for an attempt that ended in an error, 2 for wrong usage.
    """
    options = _parser().parse_args(arguments)
    result: int = options.run(options)
    return result


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mockface",
        description="An offline emulator of the session API of Azure AI Face.",
        epilog="The environment gives the options of serve too: --port is MOCKFACE_PORT.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the API on a port")
    serve.set_defaults(run=_serve)
    serve.add_argument("--host", default=_env("HOST", "127.0.0.1"), help="default: %(default)s")
    serve.add_argument(
        "--port",
        type=_port,
        default=_env("PORT", "8178"),
        help="0 takes a free one; default: %(default)s",
    )
    serve.add_argument(
        "--key",
        action="append",
        metavar="KEY",
        help="a resource key that is accepted; may be repeated (in the environment: separated by "
        "commas). Without it any key is, each with sessions of its own",
    )
    serve.add_argument(
        "--seed", default=_env("SEED") or None, help="the same seed gives the same bytes"
    )
    serve.add_argument(
        "--scenario",
        default=_env("SCENARIO", "real"),
        metavar="NAME",
        help="what attempts are when nobody says otherwise; default: %(default)s",
    )
    serve.add_argument(
        "--frozen-at",
        type=_moment,
        default=_env("FROZEN_AT") or None,
        metavar="TIME",
        help="stop the clock at a time such as 2026-01-31T12:00:00Z",
    )
    serve.add_argument(
        "--bearer", default=_env("BEARER") or None, metavar="TOKEN", help="an Entra token to accept"
    )
    serve.add_argument(
        "--public-url",
        type=_url,
        default=_env("PUBLIC_URL") or None,
        metavar="URL",
        help="where clients reach the emulator, if not where the app server does",
    )
    serve.add_argument(
        "--threads", type=_threads, default=_env("THREADS", "8"), help="default: %(default)s"
    )
    strictness = serve.add_mutually_exclusive_group()
    strictness.add_argument(
        "--strict",
        dest="strict",
        action="store_true",
        default=_env("STRICT", "1").lower() not in ("0", "false", "no"),
        help="refuse what the specification does not allow (the default)",
    )
    strictness.add_argument(
        "--loose",
        dest="strict",
        action="store_false",
        help='overlook small mistakes, such as "true" for true (MOCKFACE_STRICT=0)',
    )
    serve.add_argument(
        "--allow-remote",
        action="store_true",
        default=_env("ALLOW_REMOTE").lower() in ("1", "true", "yes"),
        help="let other machines in, to the control API too",
    )

    attempt = commands.add_parser("attempt", help="make an attempt as the front end would")
    attempt.set_defaults(run=_attempt)
    attempt.add_argument("--token", required=True, help="the session's authToken")
    attempt.add_argument("--endpoint", metavar="URL", help="default: the one in the token")
    attempt.add_argument("--scenario", metavar="NAME", help="what the attempt is to be")
    attempt.add_argument(
        "--seed", help="who is in front of the camera: the person whose portrait has this seed"
    )

    portrait = commands.add_parser("portrait", help="draw a reference image")
    portrait.set_defaults(run=_portrait)
    portrait.add_argument("--seed", default="1", help="whose portrait; default: %(default)s")
    portrait.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="a .jpg or .png file"
    )
    return parser


def _serve(options: argparse.Namespace) -> int:
    from mockface.errors import UnknownScenarioError  # noqa: PLC0415 - the help needs none of them
    from mockface.server import Mockface, RemoteNotAllowedError  # noqa: PLC0415 - see above

    keys = options.key or [key for key in _env("KEY").split(",") if key]
    try:
        mock = Mockface(
            keys=keys or None,
            seed=options.seed,
            scenario=options.scenario,
            clock=Clock(frozen_at=options.frozen_at),
            bearer=options.bearer,
            public_url=options.public_url,
            host=options.host,
            port=options.port,
            threads=options.threads,
            loose=not options.strict,
            allow_remote=options.allow_remote,
        )
        url = mock.listen()
    except (RemoteNotAllowedError, UnknownScenarioError) as wrong:
        return _complain(str(wrong))
    except OSError as wrong:
        return _complain(f"cannot listen on {options.host}:{options.port}: {wrong.strerror}")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: mock.stop())
    print(f"mockface listening on {url}", flush=True)
    mock.run()
    return 0


def _attempt(options: argparse.Namespace) -> int:
    from mockface.client import LivenessDetectionError, SimulatedClient  # noqa: PLC0415 - see `_serve`

    client = SimulatedClient(endpoint=options.endpoint, scenario=options.scenario)
    content = None
    if options.seed is not None:
        from mockface.images import portrait  # noqa: PLC0415 - see `_serve`
        from mockface.people import person  # noqa: PLC0415 - see above

        client.user_agent = person(options.seed).user_agent
        content = portrait(options.seed)
    try:
        success = client.start(options.token, content=content)
    except LivenessDetectionError as error:
        said = {"livenessError": error.liveness_error, "recognitionError": error.recognition_error}
        print(json.dumps(said))
        return _FAILED
    print(json.dumps({"resultId": success.result_id, "digest": success.digest}))
    return 0


def _portrait(options: argparse.Namespace) -> int:
    from mockface.images import portrait  # noqa: PLC0415 - see `_serve`

    image_format = "PNG" if options.out.suffix.lower() == ".png" else "JPEG"
    try:
        options.out.write_bytes(portrait(options.seed, image_format))
    except OSError as wrong:
        return _complain(f"cannot write {options.out}: {wrong.strerror}")
    return 0


def _env(name: str, default: str = "") -> str:
    """The environment's value for an option; argparse checks it like one of the command line."""
    return os.environ.get(f"MOCKFACE_{name}", default)


def _port(text: str) -> int:
    return _whole(text, 0, 65_535)


def _threads(text: str) -> int:
    return _whole(text, 1, 256)


def _whole(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit()) or not low <= int(text[:9]) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from {low} to {high}")
    return int(text)


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{text!r} is no http or https URL")
    return text


def _moment(text: str) -> float:
    try:
        return moment(text)
    except ValueError as wrong:
        raise argparse.ArgumentTypeError(f"{text!r} {wrong}") from None


def _complain(message: str) -> int:
    print(f"mockface: {message}", file=sys.stderr)
    return _USAGE
