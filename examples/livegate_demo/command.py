"""The command ``livegate demo``: complete sessions, from the first request to the verdict's use."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from livegate.errors import ConfigurationError, MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from livegate_demo.walk import Step, Walk

KEY: Final = "demo-resource-key"
PACKAGES: Final = ("azure.ai.vision.face", "flask", "mockface", "requests", "rich", "waitress")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo.

    Returns:
        0 when every session ran to its end, whatever the verdicts.

    Raises:
        ConfigurationError: A package is missing, or an argument or a setting is wrong.
        LivegateError: A step failed.
    """
    arguments = _parser().parse_args(argv)
    for package in PACKAGES:
        if _is_missing(package):
            raise MissingDependencyError(package, "demo")
    stays = not arguments.once and not arguments.json and sys.stdout.isatty()
    signal.signal(signal.SIGTERM, _exit)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="livegate-demo-")))
        if arguments.reference_image is not None:
            _enrol(folder, _read(arguments.reference_image))
        if "VISION_ENDPOINT" in os.environ:
            _run_with_service(stack, folder, stays=stays)
        else:
            _run_with_emulator(stack, folder, arguments, stays=stays)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="livegate demo",
        description="Runs three complete sessions: a sign-in, a payout for which the application "
        "compares the face with an enrolled portrait, and the same with somebody else in front of "
        "the camera. A Flask application with livegate, the official client library, and mockface "
        "in place of the service, each a process of its own. With VISION_ENDPOINT and VISION_KEY "
        "set, the application uses that Face resource, and the camera is yours.",
    )
    parser.add_argument(
        "--outcome",
        default="real",
        metavar="NAME",
        help="of the user's attempts: real, spoof, uncertain, wrong-person, mask (default: real)",
    )
    parser.add_argument(
        "--reference-image",
        type=Path,
        metavar="PATH",
        help="the enrolled portrait of alice (default: one that mockface draws)",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="end after the sessions, also in a terminal",
    )
    parser.add_argument("--json", action="store_true", help="print the steps as JSON lines")
    return parser


def _exit(number: int, _: FrameType | None) -> None:
    """End as after Ctrl-C: the processes that were started are stopped on the way out."""
    raise SystemExit(128 + number)


def _run_with_emulator(
    stack: ExitStack, folder: Path, arguments: argparse.Namespace, *, stays: bool
) -> None:
    from livegate_demo.processes import serving  # noqa: PLC0415 - after the check of packages
    from livegate_demo.walk import Walk  # noqa: PLC0415

    emulator = stack.enter_context(
        serving("mockface", "serve", "--port", "0", "--key", KEY, environment={})
    )
    if arguments.reference_image is None:
        _enrol(folder, _draw_portrait(emulator))
    environment = {"VISION_ENDPOINT": emulator, "VISION_KEY": KEY, **_folders(folder)}
    application = stack.enter_context(serving("livegate_demo.app", environment=environment))
    printer: Printer = JsonPrinter() if arguments.json else _table_printer()
    sign_in = {"purpose": "sign-in"}
    payout = {"purpose": "payout", "transaction": "payout 7"}
    other_payout = {"purpose": "payout", "transaction": "payout 8"}
    outcome = arguments.outcome
    for walk in (
        Walk(application, emulator, "sign-in", sign_in, "/sign-in/confirm", outcome),
        Walk(application, emulator, "payout", payout, "/payouts/7", outcome),
        Walk(
            application,
            emulator,
            "payout, somebody else in front of the camera",
            other_payout,
            "/payouts/8",
            "wrong-person",
        ),
    ):
        printer.begin(walk)
        for step in walk.steps():
            printer.step(walk, step)
        printer.end(walk)
    if stays:
        _stay(application)


def _run_with_service(stack: ExitStack, folder: Path, *, stays: bool) -> None:
    """The service has no simulated camera: start the application, and print its URL."""
    from livegate_demo.processes import serving  # noqa: PLC0415 - after the check of packages

    if not stays:
        raise ConfigurationError(
            "VISION_ENDPOINT is set, so the application uses your Face resource, and attempts need "
            "a camera: run this in a terminal without --once, or unset VISION_ENDPOINT."
        )
    _stay(stack.enter_context(serving("livegate_demo.app", environment=_folders(folder))))


def _folders(folder: Path) -> dict[str, str]:
    return {
        "LIVEGATE_STORE": f"sqlite:///{folder}/sessions.sqlite",
        "DEMO_PORTRAITS": f"{folder}/portraits",
    }


def _enrol(folder: Path, portrait: bytes) -> None:
    """Store the portrait of alice, as an application does when it enrols a user."""
    (folder / "portraits").mkdir()
    (folder / "portraits" / "alice.jpg").write_bytes(portrait)


def _draw_portrait(emulator: str) -> bytes:
    import requests  # noqa: PLC0415 - after the check of packages

    response = requests.get(f"{emulator}/_mock/portraits/alice.jpg", timeout=30)
    response.raise_for_status()
    return response.content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"--reference-image {path}: {error.strerror}") from error


def _stay(application: str) -> None:
    print(f"\nThe application stays up at {application} until you press Ctrl-C.", flush=True)
    threading.Event().wait()


def _is_missing(package: str) -> bool:
    try:
        return find_spec(package) is None
    except ModuleNotFoundError:
        return True


class Printer(Protocol):
    """Prints what happens, as it happens."""

    def begin(self, walk: Walk) -> None:
        """A session begins."""

    def step(self, walk: Walk, step: Step) -> None:
        """A step of it happened."""

    def end(self, walk: Walk) -> None:
        """The session is over."""


class JsonPrinter:
    """Prints a JSON object in a line for each step, and one for each end."""

    def begin(self, walk: Walk) -> None:
        """Print nothing: every step names its session."""

    def step(self, walk: Walk, step: Step) -> None:
        """Print the step."""
        row = {"step": step.number, "from": step.source, "to": step.target}
        self._print({"session": walk.title, **row, "what": step.what, "wire": step.wire})

    def end(self, walk: Walk) -> None:
        """Print the result."""
        self._print({"session": walk.title, "result": walk.result, "response": walk.response})

    def _print(self, content: dict[str, object]) -> None:
        print(json.dumps(content, ensure_ascii=False), flush=True)


def _table_printer() -> Printer:
    from livegate_demo.table import TablePrinter  # noqa: PLC0415 - rich, after the check

    return TablePrinter()
