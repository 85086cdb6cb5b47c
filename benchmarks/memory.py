"""What sessions cost, and the last of a million: `python -m benchmarks.memory`."""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.load import machine
from benchmarks.peers import CREATE, KEY, SESSIONS
from mockface.clock import Clock
from mockface.engine import Engine
from mockface.service import Service
from mockface.sessions.nouns import LIFETIME_SECONDS, Kind
from mockface.wire import Request

if TYPE_CHECKING:
    from collections.abc import Callable

RESULT = Path(__file__).parent / "results" / "memory.json"
_NOON = 1_767_268_800.0
_HEADERS = {"content-type": "application/json"} | {n.lower(): v for n, v in KEY.items()}
_BODY = json.dumps(CREATE).encode()
_BATCH = 10_000


def main() -> int:
    """Creates sessions, looks at time and memory, lets them expire, looks again."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--sessions", type=int, default=1_000_000)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()

    clock = Clock(frozen_at=_NOON)
    service = Service(Engine(clock=clock, seed="memory"))
    batches = [batch(service) for _ in range(2)]  # the second has found everything warm
    empty = resident_mib()
    while len(batches) * _BATCH < options.sessions:
        batches.append(batch(service))
        if len(batches) % 10 == 0:
            print(f"{len(batches) * _BATCH} sessions, {batches[-1]:.0f} us each", flush=True)
    full = resident_mib()
    tenant = service.engine.tenants()[0]
    page_us = timed(lambda: tenant.page(Kind.LIVENESS, after="8", most=100))
    expiry_s = timed_once(lambda: (clock.advance(LIFETIME_SECONDS), tenant.sessions()))
    gc.collect()
    after = resident_mib()

    tenth = max(1, len(batches) // 10)
    options.out.write_text(
        json.dumps(
            {
                "machine": machine(),
                "sessions": len(batches) * _BATCH,
                "bytes_each": round((full - empty) * (1 << 20) / ((len(batches) - 2) * _BATCH)),
                "create_us": {
                    "first_tenth": round(statistics.median(batches[:tenth]), 1),
                    "last_tenth": round(statistics.median(batches[-tenth:]), 1),
                },
                "page_of_100_us": round(page_us),
                "resident_mib": {
                    "empty": round(empty),
                    "full": round(full),
                    "after_expiry": round(after),
                },
                "expiry_of_all_seconds": round(expiry_s, 2),
            },
            indent=1,
        )
        + "\n"
    )
    print(options.out.read_text())
    return 0


def batch(service: Service) -> float:
    """Creates some more; microseconds each."""
    request = Request("POST", SESSIONS, "", _HEADERS, _BODY)
    begun = time.process_time()
    for _ in range(_BATCH):
        service.handle(request)
    return (time.process_time() - begun) / _BATCH * 1e6


def timed(act: Callable[[], object]) -> float:
    """Microseconds, the median of some."""
    return statistics.median(timed_once(act) for _ in range(50)) * 1e6


def timed_once(act: Callable[[], object]) -> float:
    """Seconds of the processor, so that it does not matter what else the machine does."""
    begun = time.process_time()
    act()
    return time.process_time() - begun


def resident_mib() -> float:
    """What this process holds in memory (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


if __name__ == "__main__":
    sys.exit(main())
