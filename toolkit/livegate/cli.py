"""The command ``livegate``: run the worker, look after sessions, check a deployment.

It is configured as an application is, by ``LIVEGATE_`` variables. An application that passes
purposes, plugins or notifiers to its orchestrator hands that over by ``--orchestrator``.

Exit status: 0 for success; 1 when something was tried and failed; 2 for a wrong argument or
setting; 3 when an erasure is not complete yet; 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import pkgutil
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

import livegate
from livegate import worker
from livegate.errors import ConfigurationError, LivegateError
from livegate.models import SessionState
from livegate.orchestrator import Orchestrator
from livegate.protocols import MAX_PAGE
from livegate.validation import check_subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import FrameType

    from livegate._doctor import Check
    from livegate.models import LivenessSession

FAILED: Final = 1
WRONG_USE: Final = 2
PENDING: Final = 3
INTERRUPTED: Final = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that *argv* names, by default the arguments of the process.

    Returns:
        The exit status; see the module.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments[:1] == ["demo"]:
            from livegate_demo.command import main as demo  # noqa: PLC0415 - for this command alone

            return demo(arguments[1:])
        parsed = _parser().parse_args(arguments)
        status: int = parsed.run(parsed)
        sys.stdout.flush()
    except ConfigurationError as error:
        for fault in error.faults:
            print(f"livegate: {fault}", file=sys.stderr)
        return WRONG_USE
    except LivegateError as error:
        print(f"livegate: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, has enough. The interpreter flushes once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status


# --- arguments -------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="livegate", description="Runs face liveness sessions with Azure AI Face."
    )
    parser.add_argument("--version", action="version", version=f"livegate {livegate.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], int], text: str) -> Any:
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        command.set_defaults(run=run)
        command.add_argument(
            "--orchestrator",
            metavar="MODULE:NAME",
            help="an Orchestrator of your application, or a function that returns one; needed if "
            "it has purposes, plugins or notifiers that no LIVEGATE_ variable names",
        )
        return command

    commands.add_parser("demo", help="run complete sessions, offline and end to end")
    command = add("worker", _worker, "do all work that is due, now and later, until SIGTERM")
    command.add_argument("--once", action="store_true", help="end when nothing is due")
    add("sweep", _sweep, "do all work that is due now, and print what was done")
    command = add("sessions", _sessions, "list the sessions of a user, newest first")
    command.add_argument("--subject", required=True, type=_subject, help="the user's id")
    command.add_argument(
        "--state",
        action="append",
        default=[],
        choices=[state.value for state in SessionState],
        help="only sessions in this state; may be repeated",
    )
    command.add_argument("--json", action="store_true", help="print a JSON array")
    command = add("erase", _erase, "erase everything that is kept of a user, at the service too")
    command.add_argument("subject", metavar="SUBJECT", type=_subject, help="the user's id")
    command.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    command = add("export", _export, "print everything that is kept of a user, as JSON")
    command.add_argument("subject", metavar="SUBJECT", type=_subject, help="the user's id")
    add("doctor", _doctor, "check the settings, the plugins, the store and the Face resource")
    add("plugins", _plugins, "list the plugins in the order of their calls, with their hooks")
    return parser


def _subject(text: str) -> str:
    try:
        return check_subject(text)
    except (ValueError, LivegateError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _open(arguments: argparse.Namespace) -> Orchestrator:
    """The orchestrator that the command works with.

    Raises:
        ConfigurationError: It cannot be made, or there is none of that name.
    """
    name = arguments.orchestrator
    if name is None:
        return Orchestrator()
    if sys.path[0] != "":
        sys.path.insert(0, "")  # the current folder, as for `python -m`
    try:
        found = pkgutil.resolve_name(name)
    except (ValueError, ImportError, AttributeError) as error:
        raise ConfigurationError(f"--orchestrator {name} cannot be imported: {error}") from error
    if callable(found):
        found = found()
    if not isinstance(found, Orchestrator):
        raise ConfigurationError(
            f"--orchestrator {name} is not an Orchestrator, but a {type(found).__name__}. For an "
            "AsyncOrchestrator, write a function that returns an Orchestrator with the same "
            "arguments."
        )
    return found


# --- work that is due ------------------------------------------------------------------------


def _worker(arguments: argparse.Namespace) -> int:
    if arguments.once:
        return _sweep(arguments)
    with _open(arguments) as orchestrator:
        run_worker(orchestrator)
    return 0


def run_worker(orchestrator: Orchestrator) -> None:
    """Do the work that is due, and log it, until the process is sent SIGTERM or SIGINT.

    For the command of an adapter too; to be called in the main thread.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("livegate").setLevel(logging.INFO)
    stop = threading.Event()

    def end(number: int, _: FrameType | None) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)  # a second one ends the process at once

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    # In a thread, so that no signal handler runs while this one holds a lock of the event.
    thread = threading.Thread(target=worker.run, args=(orchestrator, stop), name="worker")
    thread.start()
    thread.join()


def _sweep(arguments: argparse.Namespace) -> int:
    with _open(arguments) as orchestrator:
        print(orchestrator.sweep())
    return 0


# --- the sessions of a user ------------------------------------------------------------------


def _sessions(arguments: argparse.Namespace) -> int:
    with _open(arguments) as orchestrator:
        states = [SessionState(state) for state in arguments.state]
        rows = [_row(each) for each in _find_all(orchestrator, arguments.subject, states)]
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        _print_table(rows)
    return 0


def _find_all(
    orchestrator: Orchestrator, subject: str, states: Iterable[SessionState]
) -> Iterator[LivenessSession]:
    cursor = None
    while True:
        page = orchestrator.find(subject=subject, states=states, limit=MAX_PAGE, cursor=cursor)
        yield from page.sessions
        cursor = page.cursor
        if cursor is None:
            return


def _row(session: LivenessSession) -> dict[str, str]:
    return {
        "id": session.id,
        "purpose": session.purpose,
        "state": session.state.value,
        "remote": session.remote.value,
        "created": session.created_at.isoformat(timespec="seconds"),
    }


def _print_table(rows: list[dict[str, str]]) -> None:
    if not rows:
        return
    lines = [[name.upper() for name in rows[0]], *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        print("  ".join(cells).rstrip())


def _erase(arguments: argparse.Namespace) -> int:
    with _open(arguments) as orchestrator:
        if not arguments.yes and not _confirm():
            print("livegate: nothing was erased; pass --yes to erase", file=sys.stderr)
            return WRONG_USE
        receipt = orchestrator.erase(arguments.subject)
    pending = len(receipt.remote_pending)
    print(f"sessions: {len(receipt.sessions)}")
    print(f"not deleted by the service yet: {pending}")
    if receipt.erased_at is None:
        print("erased at: not yet; the worker goes on with it, or run this command again")
        return PENDING
    print(f"erased at: {receipt.erased_at.isoformat(timespec='seconds')}")
    return 0


def _confirm() -> bool:
    try:
        response = input("Erase everything that is kept of this user? It cannot be undone. [y/N] ")
    except EOFError:
        print()
        return False
    return response.strip().lower() in {"y", "yes"}


def _export(arguments: argparse.Namespace) -> int:
    with _open(arguments) as orchestrator:
        json.dump(orchestrator.export(arguments.subject), sys.stdout, indent=2)
    print()
    return 0


# --- checks ----------------------------------------------------------------------------------


def _doctor(arguments: argparse.Namespace) -> int:
    from livegate import _doctor as doctor  # noqa: PLC0415 - for this command alone

    if arguments.orchestrator is None:
        return _print_checks(doctor.examine_environment())
    with _open(arguments) as orchestrator:
        return _print_checks(doctor.examine_orchestrator(orchestrator))


def _print_checks(checks: Iterable[Check]) -> int:
    has_failed = False
    for check in checks:
        print(check, flush=True)
        has_failed |= check.has_failed
    return FAILED if has_failed else 0


def _plugins(arguments: argparse.Namespace) -> int:
    with _open(arguments) as orchestrator:
        for name, hooks in orchestrator.runtime.plugins.hooks().items():
            print(f"{name}: {', '.join(hooks)}")
    return 0
