"""Processes that a test starts."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextmanager
def interruptible(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that Ctrl-C ends, in text mode; if it still runs in the end, it is killed.

    So are the processes that it has started.

    A shell that runs a script starts what is in its background with SIGINT ignored, and all
    processes below inherit that. It is undone here and not in the child by `preexec_fn`, which is
    not safe beside the threads of an emulator; so this is for the main thread only.

    Args:
        command: The program and its arguments.
        **options: Those of `subprocess.Popen`.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        started = subprocess.Popen(command, text=True, start_new_session=True, **options)
    finally:
        signal.signal(signal.SIGINT, before)
    with started as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    if hasattr(os, "killpg"):  # Windows has no groups of processes
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
