"""The command ``livegate demo``: two complete sessions, from the first request to the deletion."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from livegate.errors import ConfigurationError, LivegateError, MissingDependencyError

if TYPE_CHECKING:
    import argparse

    from livegate_demo.walk import Step, Walk

KEY = "demo-resource-key"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to *commands*."""
    parser = commands.add_parser(
        "demo",
        help="run a liveness session and a verification, offline and end to end",
        description="Runs a complete liveness session and a complete liveness with verification "
        "session: a Flask application with livegate, the official client library, and mockface in "
        "the place of the service, each a process of its own. With VISION_ENDPOINT and VISION_KEY "
        "set, the same application talks to that Face resource, and the camera is yours.",
    )
    parser.add_argument(
        "--outcome",
        default="real",
        metavar="NAME",
        help="of the attempts: real, spoof, uncertain, wrong-person, mask (default: real)",
    )
    parser.add_argument(
        "--reference-image",
        type=Path,
        metavar="PATH",
        help="for the verification (default: a portrait that mockface draws)",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="end after the sessions; so it does with no terminal attached",
    )
    parser.add_argument("--json", action="store_true", help="print the steps as JSON lines")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the demo.

    Returns:
        0 when both sessions ran to their end, whatever the verdicts.

    Raises:
        LivegateError: Something is missing, or a step failed.
    """
    _need_packages()
    stay = not arguments.once and not arguments.json and sys.stdout.isatty()
    image = _read(arguments.reference_image)
    if "VISION_ENDPOINT" in os.environ:
        return _with_the_real_service(stay=stay)
    from livegate_demo.processes import serving  # noqa: PLC0415 - after the check
    from livegate_demo.walk import Walk  # noqa: PLC0415

    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="livegate-demo-"))
        emulator = stack.enter_context(
            serving("mockface", "serve", "--port", "0", "--key", KEY, environment={})
        )
        application = stack.enter_context(
            serving(
                "livegate_demo.app",
                environment={
                    "VISION_ENDPOINT": emulator,
                    "VISION_KEY": KEY,
                    "LIVEGATE_STORE": f"sqlite:///{folder}/sessions.sqlite",
                },
            )
        )
        printer: Printer = JsonPrinter() if arguments.json else _table_printer()
        for title, reference in (
            ("liveness", None),
            ("liveness with verification", image or _portrait(emulator)),
        ):
            walk = Walk(application, emulator, arguments.outcome, reference)
            printer.begin(title)
            for step in walk.steps():
                printer.step(title, step)
            printer.end(title, walk)
        if stay:
            _stay(application)
    return 0


def _with_the_real_service(*, stay: bool) -> int:
    """There is no simulated camera for the real service: start the application, and say where."""
    from livegate_demo.processes import serving  # noqa: PLC0415 - after the check

    if not stay:
        raise ConfigurationError(
            "VISION_ENDPOINT is set, so the application talks to your Face resource, and attempts "
            "need a camera: run this in a terminal without --once, or unset VISION_ENDPOINT."
        )
    with serving("livegate_demo.app", environment={}) as application:
        _stay(application)
    return 0


def _stay(application: str) -> None:
    print(f"\nThe application stays up at {application} until you press Ctrl-C.")
    threading.Event().wait()


def _need_packages() -> None:
    for package in ("azure.ai.vision.face", "flask", "mockface", "requests", "rich", "waitress"):
        if _is_missing(package):
            raise MissingDependencyError(package, "demo")


def _is_missing(package: str) -> bool:
    try:
        return find_spec(package) is None
    except ModuleNotFoundError:
        return True


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise LivegateError(f"--reference-image {path}: {error.strerror}") from error


def _portrait(emulator: str) -> bytes:
    import requests  # noqa: PLC0415 - after the check

    answer = requests.get(f"{emulator}/_mock/portraits/demo.jpg", timeout=30)
    answer.raise_for_status()
    return answer.content


class Printer(Protocol):
    """Tells what happens, as it happens."""

    def begin(self, title: str) -> None:
        """A session begins."""

    def step(self, title: str, step: Step) -> None:
        """A step of it happened."""

    def end(self, title: str, walk: Walk) -> None:
        """The session is over."""


class JsonPrinter:
    """A JSON object in a line for each step, and one for each end."""

    def begin(self, title: str) -> None:
        """Says nothing: the steps name their session."""

    def step(self, title: str, step: Step) -> None:
        """Print the step."""
        row = {"step": step.number, "from": step.source, "to": step.target}
        self._print({"session": title, **row, "what": step.what, "wire": step.wire})

    def end(self, title: str, walk: Walk) -> None:
        """Print the result."""
        self._print({"session": title, "result": walk.result})

    def _print(self, content: dict[str, object]) -> None:
        print(json.dumps(content, ensure_ascii=False), flush=True)


def _table_printer() -> Printer:
    from livegate_demo.table import TablePrinter  # noqa: PLC0415 - rich, after the check

    return TablePrinter()
