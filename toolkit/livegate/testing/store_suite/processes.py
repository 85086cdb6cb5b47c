"""A handle on the store in a process of its own, which can be killed."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from threading import Timer
from typing import TYPE_CHECKING, Any, Final

from livegate.testing.store_suite.handles import TIMEOUT, EventLoop, StoreHandle

if TYPE_CHECKING:
    from collections.abc import Callable

    Task = Callable[..., Any]

_CHILD: Final = """
import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
from livegate.testing.store_suite.processes import main
main()
"""


class NotPicklableError(Exception):
    """The fixture ``open_store`` cannot be handed over to another process."""


class StoreProcess:
    """A process with one handle, opened by *open_store*; it runs one task after the other.

    A task is a function of a module: ``task(store, report, *args)``. What it hands to ``report``
    arrives here while it runs.

    Raises:
        NotPicklableError: *open_store* cannot be pickled, or not be unpickled there.
    """

    def __init__(self, open_store: Callable[[], Any]) -> None:
        try:
            pickled = pickle.dumps(open_store)
        except Exception as error:
            raise _not_picklable(error) from error
        self._process = subprocess.Popen(  # noqa: S603 - this Python, with a program of our own
            [sys.executable, "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._send(sys.path)
        self._send(pickled)
        self.result()

    def run(self, task: Task, *args: object) -> Any:
        """What *task* returns; what it raises is raised here."""
        self.begin(task, *args)
        return self.result()

    def begin(self, task: Task, *args: object) -> None:
        """Begin *task*, and do not wait for it."""
        self._send((task, args))

    def result(self) -> Any:
        """What the task returns; what it raises is raised here."""
        while True:
            kind, value = self._receive()
            if kind == "error":
                raise value
            if kind == "result":
                return value

    def report(self) -> Any:
        """The next that the task reports."""
        kind, value = self._receive()
        if kind != "report":
            raise AssertionError(f"the task ended with {value!r}")
        return value

    def kill(self) -> list[Any]:
        """Kill the process, without a chance to clean up; what it had reported before."""
        if self._process.returncode is not None:
            return []
        self._process.kill()
        reports: list[Any] = []
        try:
            while True:
                reports.append(self.report())
        except EOFError:
            pass
        except (AssertionError, pickle.UnpicklingError):
            pass  # it was idle, or was killed while it reported
        self._process.communicate()
        return reports

    def _send(self, message: object) -> None:
        assert self._process.stdin is not None  # noqa: S101 - a pipe, see above
        pickle.dump(message, self._process.stdin)
        self._process.stdin.flush()

    def _receive(self) -> tuple[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - a pipe, see above
        too_late = Timer(2 * TIMEOUT, self._process.kill)
        too_late.start()
        try:
            message: tuple[str, Any] = pickle.load(self._process.stdout)  # noqa: S301 - our own
        finally:
            too_late.cancel()
        return message


def main() -> None:
    """Run the tasks that come in by standard input; the body of the process."""
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the store prints must not be taken for a reply

    def reply(kind: str, value: object) -> None:
        pickle.dump((kind, value), replies)
        replies.flush()

    def report(value: object) -> None:
        reply("report", value)

    loop = EventLoop()
    try:
        open_store = pickle.loads(pickle.load(requests))  # noqa: S301 - from our parent
    except Exception as error:  # noqa: BLE001 - whatever an import raises
        reply("error", _not_picklable(error))
        return
    store = StoreHandle(loop.value_of(open_store()), loop)
    reply("result", None)
    while True:
        try:
            task, args = pickle.load(requests)  # noqa: S301 - from our parent
        except EOFError:
            break
        try:
            result = task(store, report, *args)
        except Exception as error:  # noqa: BLE001 - raised again by our parent
            reply("error", error)
        else:
            reply("result", result)
    store.close()
    loop.close()


def _not_picklable(error: Exception) -> NotPicklableError:
    return NotPicklableError(
        f"open_store cannot be used in another process ({error}). The store claims to be durable "
        "or shared, so let the fixture return something that can be pickled: the store's class, "
        "functools.partial(MyStore, path), or a function of a module"
    )
