"""One interleaved run of mockface and its peers: `python -m benchmarks.load`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.peers import peers
from benchmarks.servers import Server

if TYPE_CHECKING:
    from benchmarks.peers import Peer

RESULT = Path(__file__).parent / "results" / "load.json"
_REST = 1.0  # seconds before memory is looked at


def main() -> int:
    """Runs the rounds and writes the result."""
    options = _options()
    if shutil.which("wrk") is None:
        print("wrk is missing; README.md says how to get it", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no server stays behind
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        chosen = [
            peer
            for peer in peers(options.peers.resolve(), scratch)
            if not options.only or any(word in peer.name for word in options.only)
        ]
        result: dict[str, Any] = {
            "machine": machine(),
            "connections": options.connections,
            "seconds": options.seconds,
            "warm_up": options.warm_up,
            "remarks": {peer.name: peer.remark for peer in chosen},
            "rounds": {peer.name: [] for peer in chosen},
        }
        for number in range(1, options.rounds + 1):
            measured = {peer.name: measure(peer, scratch, options) for peer in chosen}
            for name, measures in measured.items():
                result["rounds"][name].append(measures)
                print(f"round {number}: {said(name, measures)}", flush=True)
            # After each round, so that who has to stop keeps those that are done
            options.out.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def measure(peer: Peer, scratch: Path, options: argparse.Namespace) -> dict[str, Any]:
    """One server's part of a round."""
    loop_ms = fixed_loop_ms()
    with Server(peer, scratch) as server:
        time.sleep(_REST)
        idle = server.memory_mib()
        seconds = peer.warm_up if options.warm_up is None else options.warm_up
        server.warm_up(peer.create, seconds=seconds, connections=options.connections)
        create, read = (
            server.load(call, seconds=options.seconds, connections=options.connections)
            for call in (peer.create, server.read)
        )
        return {
            "start_ms": round(server.start_ms),
            "idle_mib": round(idle),
            "loaded_mib": round(server.memory_mib()),
            "create": asdict(create),
            "read": asdict(read),
            "fixed_loop_ms": round(loop_ms, 1),
        }


def said(name: str, measures: dict[str, Any]) -> str:
    """A line for people who wait."""
    create, read = measures["create"], measures["read"]
    return (
        f"{name}: {create['rate']:.0f} creates/s, {read['rate']:.0f} reads/s, "
        f"{create['errors'] + read['errors']} errors, start {measures['start_ms']} ms, "
        f"{measures['idle_mib']} -> {measures['loaded_mib']} MiB, "
        f"fixed loop {measures['fixed_loop_ms']:.0f} ms"
    )


def fixed_loop_ms() -> float:
    """The same work each time: how much it varies is how much the machine does."""
    begun, total = time.perf_counter(), 0
    for number in range(1_000_000):
        total += number & 7
    return (time.perf_counter() - begun) * 1000


def machine() -> dict[str, str]:
    """What the result depends on."""
    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%d"),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument(
        "--peers", type=Path, default=Path("peers"), help="where peers are installed"
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=3, help="of each load")
    parser.add_argument(
        "--warm-up", type=float, help="seconds that each server computes before it is measured"
    )
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument(
        "--only", action="append", metavar="WORD", help="peers with this in the name"
    )
    parser.add_argument("--out", type=Path, default=RESULT)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
