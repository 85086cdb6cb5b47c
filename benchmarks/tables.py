"""Puts the results into the page of the docs: `python -m benchmarks.tables`.

What the page says between a marker and the next empty line is made here; a test compares them.
"""

from __future__ import annotations

import json
import re
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = Path(__file__).parents[1] / "docs" / "mockface" / "speed.md"
RESULTS = Path(__file__).parent / "results"
OURS = "mockface serve"


def rates(load: dict[str, Any]) -> str:
    """Answers a second, and the range over the rounds."""
    rows = [
        "| server | creates a second | reads a second | 99 % of creates within | processor each |",
        "|---|---|---|---|---|",
    ]
    for name, rounds in load["rounds"].items():
        creates, reads = _loads(rounds)
        rows.append(
            f"| {name}: {load['remarks'][name]} | {_rates(creates)} | {_rates(reads)} "
            f"| {_middle(creates, 'p99_ms'):.0f} ms "
            f"| {_cost(creates)}, {_cost(reads)} |"
        )
    return "\n".join(rows)


def ratios(load: dict[str, Any]) -> str:
    """How many times the peer's answers mockface gives, round by round."""
    rows = ["| against | creates | reads |", "|---|---|---|"]
    for name, rounds in load["rounds"].items():
        if name != OURS:
            creates, reads = (
                [
                    ours[call]["rate"] / theirs[call]["rate"]
                    for ours, theirs in zip(load["rounds"][OURS], rounds, strict=True)
                ]
                for call in ("create", "read")
            )
            rows.append(f"| {name} | {_times(creates)} | {_times(reads)} |")
    return "\n".join(rows)


def warm(load: dict[str, Any]) -> str:
    """Answers a second of servers that have computed for long before they were measured."""
    after = f"after {load['warm_up']:.0f} s of computing"
    rows = [f"| {after} | creates a second | reads a second | memory |", "|---|---|---|---|"]
    for name, rounds in load["rounds"].items():
        creates, reads = _loads(rounds)
        rows.append(
            f"| {name} | {_rates(creates)} | {_rates(reads)} "
            f"| {_middle(rounds, 'loaded_mib'):,.0f} MiB |"
        )
    return "\n".join(rows)


def starts(load: dict[str, Any]) -> str:
    """From the command to the first answer, and memory."""
    rows = ["| server | first answer | memory at rest | after the load |", "|---|---|---|---|"]
    rows += [
        f"| {name} | {_middle(rounds, 'start_ms'):.0f} ms | {_middle(rounds, 'idle_mib'):.0f} MiB "
        f"| {_middle(rounds, 'loaded_mib'):.0f} MiB |"
        for name, rounds in load["rounds"].items()
    ]
    return "\n".join(rows)


def conditions(load: dict[str, Any]) -> str:
    """Where and how it was measured, and how quiet it was."""
    machine = load["machine"]
    loops = [each["fixed_loop_ms"] for rounds in load["rounds"].values() for each in rounds]
    count = len(load["rounds"][OURS])
    return (
        f"Measured on {machine['when']} with Python {machine['python']} on {machine['system']}, "
        f"{machine['cores']} cores with the load generator on the same ones: {count} rounds of "
        f"{load['seconds']} seconds a load, {load['connections']} connections. The machine had "
        f"other work too: the same loop took between {min(loops):.0f} and {max(loops):.0f} ms."
    )


def memory(result: dict[str, Any]) -> str:
    """What sessions cost."""
    create, resident = result["create_us"], result["resident_mib"]
    return "\n".join(
        [
            "| | |",
            "|---|---|",
            f"| sessions that live at once | {result['sessions']:,} |",
            f"| memory for each | {result['bytes_each']:,} bytes |",
            f"| creating one, in the first tenth | {create['first_tenth']:.0f} µs |",
            f"| creating one, in the last tenth | {create['last_tenth']:.0f} µs |",
            f"| a page of 100 out of all | {result['page_of_100_us']} µs |",
            f"| the process with all of them | {resident['full']:,} MiB |",
            f"| the process when all have expired | {resident['after_expiry']:,} MiB |",
        ]
    )


PARTS: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "conditions": ("load.json", conditions),
    "rates": ("load.json", rates),
    "ratios": ("load.json", ratios),
    "warm": ("warm.json", warm),
    "starts": ("load.json", starts),
    "memory": ("memory.json", memory),
}
"""What stands behind each marker of the page: a result, and what makes text of it."""


def marker(part: str) -> str:
    """What the marker says."""
    return f"{part}: made by benchmarks/tables.py"


def made(part: str) -> str:
    """The text of a part."""
    name, make = PARTS[part]
    return make(json.loads((RESULTS / name).read_text()))


def main() -> None:
    """Rewrites the parts of the page."""
    text = PAGE.read_text()
    for part in PARTS:
        text = re.sub(
            rf"(<!-- {re.escape(marker(part))} -->\n).*?(?=\n\n|\n?\Z)",
            lambda found, part=part: found[1] + made(part),  # type: ignore[misc]
            text,
            flags=re.DOTALL,
        )
    PAGE.write_text(text)


def _loads(rounds: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The creates and the reads of all rounds."""
    return ([each[call] for each in rounds] for call in ("create", "read"))


def _rates(loads: list[dict[str, Any]]) -> str:
    """Answers a second."""
    return _spread([each["rate"] for each in loads])


def _middle(rounds: list[dict[str, Any]], name: str) -> float:
    return float(statistics.median(each[name] for each in rounds))


def _cost(loads: list[dict[str, Any]]) -> str:
    """How long the server computes for one answer."""
    return f"{statistics.median(each['cores'] / each['rate'] for each in loads) * 1e6:,.0f} µs"


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


def _times(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} times ({min(values):.1f} to {max(values):.1f})"


if __name__ == "__main__":
    main()
