"""The command `mockface`.

What a command needs is imported when it runs, so that `--help` is quick.
"""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import sys
from http.client import HTTPException
from pathlib import Path
from typing import Any

import click

from mockface import cli_remote
from mockface.cli_parts import URL, Group, option, usage_errors
from mockface.errors import ControlError, UnknownScenarioError
from mockface.extras import needs

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FILES = 4096  # that the server may open: a shell often allows a process 256 or 1024


class _Main(Group):
    """Prints an error as one sentence."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            with needs("mock"):
                return super().invoke(ctx)
        except ControlError as error:
            remedy = "" if error.status else "; start it with `mockface serve`, or set --endpoint."
            raise click.ClickException(f"{error}{remedy}") from None
        except ImportError as error:
            raise click.ClickException(str(error)) from None
        except BrokenPipeError:
            raise  # click ends without a word
        except OSError as error:
            if not error.filename:
                # Python writes what is left of the output as it ends, and would fail again.
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or error}.") from None


@click.group(cls=_Main, context_settings={"auto_envvar_prefix": "MOCKFACE", "show_default": True})
@click.version_option(
    package_name="livegate", prog_name="mockface", message="mockface of livegate %(version)s"
)
def main() -> None:
    """An offline emulator of the session API of Azure AI Face."""


@main.command(context_settings={"auto_envvar_prefix": "MOCKFACE"})
@option("--host", default="127.0.0.1")
@option("--port", type=click.IntRange(0, 65_535), default=8178, help="0 takes a free one.")
@option(
    "--key",
    "keys",
    envvar="MOCKFACE_KEY",
    multiple=True,
    metavar="KEY",
    help="Accept this resource key; may be repeated, in the variable by commas. Default: any key.",
)
@option("--seed", help="The same seed gives the same bytes.")
@option("--scenario", default="real", metavar="NAME", help="What attempts are by default.")
@option("--pace", default="at-once", help="When results are out: at-once, 3reads, 30s.")
@option("--frozen-at", metavar="TIME", help="Stop the clock, such as at 2026-01-31T12:00:00Z.")
@option("--vision", is_flag=True, help="Look for faces in photographs with OpenCV.")
@option("--bearer", metavar="TOKEN", help="An Entra token to accept.")
@option("--public-url", metavar="URL", help="Where clients reach the emulator, if elsewhere.")
@option("--trust-proxy", is_flag=True, help="Believe the X-Forwarded-Proto of a proxy.")
@option("--tls", is_flag=True, help="Serve https with a certificate made for the run.")
@option("--tls-certificate", type=_FILE, help="Serve https with this certificate, a PEM file.")
@option("--tls-key", type=_FILE, help="The PEM file of its private key.")
@option("--access-log", is_flag=True, help="Write a line for each request to stderr.")
@option("--tier", help="Apply a rate limit: F0 (20 calls a minute) or S0 (10 a second).")
@option("--loose/--strict", default=False, help='Overlook small mistakes, such as "true" for true.')
@option("--accept-newer", is_flag=True, help="Answer newer API versions as the newest known one.")
@option("--journal-entries", type=int, default=10_000, help="How many requests are kept.")
@option("--journal-bytes", type=int, default=2**24, help="Roughly how much memory they take.")
@option("--threads", type=int, default=8, help="How many pictures are worked on at once.")
@option("--allow-remote", is_flag=True, help="Let other machines in, to the control API too.")
def serve(keys: tuple[str, ...], frozen_at: str | None, **options: Any) -> None:
    """Serve the API on a port.

    \b
    Examples:
      mockface serve
      mockface serve --port 0 --key ci-key --seed 7
      mockface serve --frozen-at 2026-01-31T12:00:00Z --scenario spoof
    """
    from mockface.clock import Clock, moment  # noqa: PLC0415 - see the module
    from mockface.server import Mockface  # noqa: PLC0415 - see the module

    with usage_errors():
        try:
            clock = Clock(frozen_at=None if frozen_at is None else moment(frozen_at))
        except ValueError as error:
            raise ValueError(f"frozen_at: {frozen_at!r} {error}") from None
        # The variable has commas between them, and click splits it at blanks.
        accepted = re.split(",+", ",".join(keys)) if keys else None
        mock = Mockface(keys=accepted, clock=clock, **options)
    try:
        with usage_errors():
            url = mock.listen()
    except OSError as error:
        why = error.strerror
        if error.errno == errno.EADDRINUSE:
            why = "the port is in use. Stop what listens there, or choose another --port"
        place = f"{options['host']}:{options['port']}"
        raise click.UsageError(f"Cannot listen on {place}: {why}.") from None
    _allow_files()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: mock.stop())
    click.echo(f"mockface listening on {url}\ndashboard at {url}/_mock/ui")
    if url.startswith("https:"):
        click.echo(f"clients have to trust {mock.certificate}")
    mock.run()


def _allow_files() -> None:
    if sys.platform == "win32":  # no such limit
        return
    import resource  # noqa: PLC0415 - Windows has none

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


@main.command()
@option("--token", required=True, help="The session's authToken.")
@option("--endpoint", metavar="URL", help="By default the one in the token.")
@option("--outcome", metavar="NAME", help="A scenario, or the web element's name for a failure.")
@option(
    "--recognition-failure", metavar="NAME", help="A failed comparison, as the element names it."
)
@option("--device-correlation-id", metavar="ID", help="The device, if the client has to name it.")
@option("--verify-image", type=_FILE, help="The reference image, if the client brings it.")
@option("--seed", help="Who is in front of the camera: the person of the portrait of this seed.")
def attempt(token: str, seed: str | None, verify_image: Path | None, **options: Any) -> None:
    """Make an attempt as the front end would. Prints what the page learns.

    \b
    Examples:
      mockface attempt --token "$AUTH_TOKEN"
      mockface attempt --token "$AUTH_TOKEN" --outcome spoof
      mockface attempt --token "$AUTH_TOKEN" --outcome CameraPermissionDenied
      mockface attempt --token "$AUTH_TOKEN" --verify-image alice.jpg
    """
    from mockface.remote.client_failures import CLIENT_FAILURES  # noqa: PLC0415 - see the module
    from mockface.remote.simulated_client import LivenessDetectionError, SimulatedClient  # noqa: PLC0415 - see the module

    outcome = options.pop("outcome")
    kind = "failure" if outcome in CLIENT_FAILURES else "scenario"
    content = None
    with usage_errors():
        try:
            client = SimulatedClient(**options, **{kind: outcome})
        except UnknownScenarioError as error:
            names = ", ".join(CLIENT_FAILURES)
            raise ValueError(f"{error} Failures on the device are: {names}.") from None
    if seed is not None:
        from mockface.images import portrait  # noqa: PLC0415 - see the module
        from mockface.people import person  # noqa: PLC0415 - see the module

        client.user_agent, content = person(seed).user_agent, portrait(seed)
    image = None if verify_image is None else verify_image.read_bytes()
    try:
        success = client.start(token, content=content, verify_image=image)
    except LivenessDetectionError as error:
        if isinstance(error.__cause__, OSError | HTTPException):
            raise click.ClickException(_unreachable(error.__cause__)) from None
        for note in getattr(error, "__notes__", ()):
            click.echo(note, err=True)
        said = {"livenessError": error.liveness_error, "recognitionError": error.recognition_error}
        click.echo(json.dumps(said))
        sys.exit(1)
    click.echo(json.dumps({"resultId": success.result_id, "digest": success.digest}))


def _unreachable(cause: OSError | HTTPException) -> str:
    """Why a call has no answer, and the remedy."""
    import ssl  # noqa: PLC0415 - see the module

    why = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = f"its certificate is not trusted ({cause.verify_message})"
        remedy = "Name the certificate in the environment variable SSL_CERT_FILE"
    elif isinstance(cause, ssl.SSLError | HTTPException):
        remedy = "Check whether it is http:// or https://, and set --endpoint"
    else:
        remedy = "Start it with `mockface serve`, or set --endpoint"
    return f"The emulator does not answer: {why}. {remedy}."


@main.command()
@click.argument("version")
@option("--server", metavar="URL", default=URL, help="Where the emulator is reached.")
def openapi(version: str, server: str) -> None:
    """Print an OpenAPI document. VERSION is an API version, such as v1.2.

    \b
    Examples:
      mockface openapi v1.2
      mockface openapi v1.3-preview.1 --server https://face.test > face.json
    """
    from mockface.openapi import document  # noqa: PLC0415 - see the module

    with usage_errors():
        made = document(version, server.rstrip("/"))
    click.echo(json.dumps(made, indent=2))


@main.command()
@option("--seed", default="1", help="Whose portrait.")
@option("--out", type=click.Path(path_type=Path), required=True, help="A .jpg or .png file.")
@option("--faces", type=int, default=1, help="How many: 0, 1 or 2.")
@option("--mask", is_flag=True, help="With a mask over mouth and nose.")
@option("--glasses", default="noGlasses", help="readingGlasses, sunglasses or swimmingGoggles.")
@option("--blur", type=float, default=0.0, help="0 (sharp) to 1.")
@option("--light", default="normal", metavar="WORD", help="normal, dark or bright.")
@option("--turned", type=float, default=0.0, help="Degrees from the camera, -45 to 45.")
def portrait(out: Path, seed: str, **options: Any) -> None:
    """Draw a reference image.

    \b
    Examples:
      mockface portrait --seed alice --out alice.jpg
      mockface portrait --seed alice --blur 0.8 --light dark --out bad.jpg
    """
    from mockface.images import portrait as draw  # noqa: PLC0415 - see the module

    formats = {".jpg": "JPEG", ".jpeg": "JPEG", ".png": "PNG"}
    with usage_errors():
        if out.suffix.lower() not in formats:
            raise ValueError(f"{out} does not end in .jpg or .png.")
        drawn = draw(seed, formats[out.suffix.lower()], **options)
    out.write_bytes(drawn)


for _command in (
    cli_remote.scenario,
    cli_remote.fault,
    cli_remote.clock,
    cli_remote.journal,
    cli_remote.reset,
):
    main.add_command(_command)
