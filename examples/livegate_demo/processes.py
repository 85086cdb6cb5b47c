"""The processes of the demo: each is started, says where it listens, and is stopped at the end."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from livegate.errors import LivegateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PATIENCE = 20.0
"""Seconds that a process may take to say where it listens, and to stop."""


@contextmanager
def serving(module: str, *arguments: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Run a Python module that serves, and give the URL that it says it listens on.

    Raises:
        LivegateError: It ended, or said nothing in time; with what it wrote.
    """
    process = subprocess.Popen(  # noqa: S603 - our own modules, no shell
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    impatient = threading.Timer(PATIENCE, process.kill)
    impatient.start()
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"listening on (http://\S+)", line):
            break
    else:
        impatient.cancel()
        raise LivegateError(f"{module} did not start:\n{''.join(said)}")
    impatient.cancel()
    # Whatever else it writes is read and dropped, so that it never waits for a full pipe.
    threading.Thread(target=process.stdout.read, daemon=True).start()
    try:
        yield found[1]
    finally:
        process.terminate()
        process.wait(PATIENCE)
