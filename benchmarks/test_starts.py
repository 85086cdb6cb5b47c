"""How long it takes until something can be used; each in a process of its own."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from benchmarks.peers import FACE_CREATE, Peer, face_read
from benchmarks.servers import Server

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_benchmark.fixture import BenchmarkFixture

_ROUNDS = 15
_MOST_IMPORT_MS = 60.0  # that livegate may take more than a bare interpreter
_MOST_FIRST_ANSWER_MS = 500.0


@pytest.mark.parametrize("code", ["pass", "import livegate", "import mockface"])
def test_interpreter(benchmark: BenchmarkFixture, code: str) -> None:
    benchmark.pedantic(run, args=(code,), rounds=_ROUNDS, warmup_rounds=2)  # type: ignore[no-untyped-call]  # it has no types


def test_importing_livegate_costs_little_more_than_nothing() -> None:
    """Taken in turns, so that what else the machine does hits both alike."""
    bare, with_livegate = [], []
    for _ in range(_ROUNDS):
        bare.append(run("pass"))
        with_livegate.append(run("import livegate"))
    more_ms = (statistics.median(with_livegate) - statistics.median(bare)) * 1000
    print(f"import livegate: {more_ms:.0f} ms more than a bare interpreter")
    assert more_ms < _MOST_IMPORT_MS


def test_the_first_answer_of_mockface(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    peer = Peer(
        "mockface serve",
        "",
        (sys.executable, "-m", "mockface", "serve", "--port", "{port}"),
        FACE_CREATE,
        face_read,
    )
    starts: list[float] = []

    def start_and_stop() -> None:
        with Server(peer, tmp_path) as server:
            starts.append(server.start_ms)

    benchmark.pedantic(start_and_stop, rounds=_ROUNDS, warmup_rounds=1)  # type: ignore[no-untyped-call]  # see above
    print(f"first answer: {statistics.median(starts):.0f} ms after the command")
    assert statistics.median(starts) < _MOST_FIRST_ANSWER_MS


def run(code: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - begun
