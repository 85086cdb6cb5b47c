"""The processes of the demo: each is started, prints its URL, and is stopped at the end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from livegate.errors import LivegateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TIMEOUT: Final = 20.0
"""Seconds that a process may take to start, and to stop."""

# Runs the module that its first argument names, and ends when its standard input does: that is a
# pipe from this process, so that no way to end this process leaves another one behind.
_MAIN: Final = """
import os, runpy, signal, sys, threading

def end_with_parent():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=end_with_parent, daemon=True).start()
del sys.argv[0]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


@contextmanager
def serving(module: str, *arguments: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Run a Python module that serves, and yield the URL that it listens on.

    Raises:
        LivegateError: It ended, or printed no URL in time; the message has what it printed.
    """
    process = subprocess.Popen(  # noqa: S603 - our own modules, no shell
        [sys.executable, "-c", _MAIN, module, *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield _url_of(process, module)
    finally:
        process.terminate()
        try:
            process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()


def _url_of(process: subprocess.Popen[str], module: str) -> str:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    deadline = threading.Timer(TIMEOUT, process.kill)
    deadline.daemon = True
    deadline.start()
    printed = []
    try:
        for line in process.stdout:
            printed.append(line)
            if found := re.search(r"listening on (http://\S+)", line):
                # The rest is read and dropped, so that the process never waits for a full pipe.
                threading.Thread(target=process.stdout.read, daemon=True).start()
                return found[1]
    finally:
        deadline.cancel()
    raise LivegateError(f"{module} did not start:\n{''.join(printed)}")
