"""Starts a server in a process of its own, puts load on it, and sees what it takes (Linux)."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from benchmarks.peers import Call, Peer

_PATIENCE = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}

_SCRIPT = """
wrk.method = {method!r}
wrk.path = {path!r}
wrk.body = [==[{body}]==]
{headers}
"""


class Server:
    """A running peer.

    Attributes:
        start_ms: From the command to the first answer to a create.
        read: The call that reads what that create made.
    """

    def __init__(self, peer: Peer, scratch: Path) -> None:
        self.peer = peer
        self._scratch = scratch
        self.port = _free_port()
        command = [part.replace("{port}", str(self.port)) for part in peer.command]
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self.read = peer.read(self._first_answer(begun))
        except BaseException:
            self.stop()
            raise
        self.start_ms = (time.perf_counter() - begun) * 1000

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends it with what it has started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(8)
            except subprocess.TimeoutExpired:
                continue
            except ProcessLookupError:
                self._process.wait()
            return

    def memory_mib(self) -> float:
        """What it holds in memory."""
        pages = sum(int(_proc(pid, "statm").split()[1]) for pid in self._family())
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)

    def cpu_seconds(self) -> float:
        """How long it has computed."""
        fields = (_proc(pid, "stat").rpartition(")")[2].split() for pid in self._family())
        return sum(int(each[11]) + int(each[12]) for each in fields) / _TICKS

    def warm_up(self, call: Call, *, seconds: float, connections: int) -> None:
        """Puts load on it until it has computed for so long."""
        enough = self.cpu_seconds() + seconds
        while self.cpu_seconds() < enough:
            self.load(call, seconds=1, connections=connections)

    def load(self, call: Call, *, seconds: float, connections: int) -> Load:
        """Sends a call over and over, on connections that are kept."""
        script = self._scratch / "call.lua"
        headers = "\n".join(f"wrk.headers[{n!r}] = {v!r}" for n, v in call.headers.items())
        script.write_text(
            _SCRIPT.format(method=call.method, path=call.path, body=call.body, headers=headers)
        )
        before, begun = self.cpu_seconds(), time.perf_counter()
        output = subprocess.run(
            [
                *("wrk", "-t", "1", "-c", str(connections), "-d", f"{round(seconds)}s"),
                *("--latency", "--timeout", "8s", "-s", str(script)),
                f"http://127.0.0.1:{self.port}",
            ],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        cores = (self.cpu_seconds() - before) / (time.perf_counter() - begun)
        return Load.read(output, cores)

    def _first_answer(self, begun: float) -> bytes:
        call = self.peer.create
        while time.perf_counter() - begun < _PATIENCE:
            if self._process.poll() is not None:
                raise RuntimeError(f"{self.peer.name} ended: {' '.join(self.peer.command)}")
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            try:
                connection.request(call.method, call.path, call.body, call.headers)
                answer = connection.getresponse()
                body = answer.read()
                if answer.status == http.HTTPStatus.OK:
                    return body
            except (OSError, http.client.HTTPException):
                pass  # it does not listen yet
            finally:
                connection.close()
            time.sleep(0.002)
        raise RuntimeError(f"{self.peer.name} gave no answer")

    def _family(self) -> list[int]:
        """The process and its children's children."""
        family = [self._process.pid]
        for pid in family:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                with contextlib.suppress(OSError):  # the thread has just ended
                    family += map(int, (thread / "children").read_text().split())
        return family


@dataclass(frozen=True)
class Load:
    """What one load came to.

    Attributes:
        rate: Answers a second.
        p50_ms: Half of the answers took no longer.
        p99_ms: All but one of a hundred took no longer.
        errors: Answers that were none, or no success.
        cores: How many processor cores the server took.
    """

    rate: int
    p50_ms: float
    p99_ms: float
    errors: int
    cores: float

    @classmethod
    def read(cls, output: str, cores: float) -> Self:
        """Reads what wrk prints."""
        rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
        if rate is None:
            raise RuntimeError(f"wrk says something unknown:\n{output}")
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
        lost = re.search(r"Socket errors: .*", output)
        numbers = re.findall(r"\d+", lost[0]) if lost else []
        return cls(
            rate=round(float(rate[1])),
            p50_ms=_latency(output, 50),
            p99_ms=_latency(output, 99),
            errors=(int(bad[1]) if bad else 0) + sum(map(int, numbers)),
            cores=round(cores, 2),
        )


def _latency(output: str, percent: int) -> float:
    said = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)\b", output, re.MULTILINE)
    return float(said[1]) * _UNITS[said[2]] if said else float("nan")


def _proc(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
