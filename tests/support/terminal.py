"""Terminals: what a page shows as one, run in one shell; and what a program prints on one."""

from __future__ import annotations

import os
import re
import select
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from documents import Block

ANYTHING = "…"
"""In what a page shows of an output: any text within the line; as a line of its own any lines."""

_END = "--- end of command ---"


@dataclass(frozen=True)
class Step:
    """A command, and what the page says it prints."""

    command: str
    shown: str


def steps(blocks: Iterable[Block]) -> list[Step]:
    """Commands begin with `$ `, their further lines with `> ` (or are `>`); then comes output."""
    found: list[Step] = []
    for block in blocks:
        for part in re.split(r"^\$ ", block.content, flags=re.MULTILINE)[1:]:
            lines = part.splitlines()
            more = 1
            while more < len(lines) and re.match(r">( |$)", lines[more]):
                more += 1
            command = [lines[0], *(line[2:] for line in lines[1:more])]
            found.append(Step("\n".join(command), "\n".join(lines[more:])))
    return found


def outputs(commands: Iterable[str], where: Path, environment: Mapping[str, str]) -> list[str]:
    """What the commands print, errors too, in a shell that remembers its variables."""
    script = "".join(f"{command}\necho; echo '{_END}'\n" for command in commands)
    done = subprocess.run(
        ["bash", "-s"],
        input=script,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        cwd=where,
        env=dict(environment),
        timeout=100,
    )
    return [each.strip("\n") for each in done.stdout.split(f"{_END}\n")[:-1]]


def read_until(terminal: int, pattern: bytes, *, seconds: float = 30) -> re.Match[bytes]:
    """Reads what is printed on a terminal until the pattern is in it.

    Raises:
        AssertionError: It has not come in time, or nobody is left who could print it.
    """
    printed, deadline = b"", time.monotonic() + seconds
    while not (found := re.search(pattern, printed)):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([terminal], [], [], left)[0]:
            raise AssertionError(f"{pattern!r} was not printed within {seconds} s: {printed!r}")
        try:
            more = os.read(terminal, 4096)
        except OSError:  # how Linux says that the other end is closed
            more = b""
        if not more:
            raise AssertionError(f"{pattern!r} was never printed: {printed!r}")
        printed += more
    return found


def fits(shown: str, printed: str) -> bool:
    """Whether a command printed what the page shows."""
    pattern = "".join(
        "(?:.*\n)*" if line.strip() == ANYTHING else _line(line) for line in shown.splitlines()
    )
    return re.fullmatch(pattern, printed + "\n" if printed else "") is not None


def _line(line: str) -> str:
    return ".*".join(re.escape(each) for each in line.split(ANYTHING)) + "\n"
