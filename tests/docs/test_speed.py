"""The page on speed shows the results that are beside it, and they hold what is promised."""

from __future__ import annotations

import json
import statistics
from typing import Any

import pytest
from benchmarks.tables import OURS, PAGE, PARTS, RESULTS, made, marker

from documents import after_marker


def result(name: str) -> Any:
    return json.loads((RESULTS / name).read_text())


@pytest.mark.parametrize("part", PARTS)
def test_the_page_shows_the_results(part: str) -> None:
    assert after_marker(PAGE, marker(part)) == made(part)


def test_no_answer_was_an_error() -> None:
    rounds = [each for peer in result("load.json")["rounds"].values() for each in peer]
    assert sum(each["create"]["errors"] + each["read"]["errors"] for each in rounds) == 0


@pytest.mark.parametrize(
    ("peer", "times"), [("WireMock", 1), ("Mockoon", 4), ("moto's server", 10)]
)
@pytest.mark.parametrize("call", ["create", "read"])
def test_mockface_is_as_fast_as_promised(peer: str, times: float, call: str) -> None:
    rounds = result("load.json")["rounds"]
    ratios = [
        ours[call]["rate"] / theirs[call]["rate"]
        for ours, theirs in zip(rounds[OURS], rounds[peer], strict=True)
    ]
    assert len(ratios) >= 5
    assert statistics.median(ratios) >= times


def test_mockface_starts_and_rests_as_promised() -> None:
    starts = result("load.json")["rounds"][OURS]
    assert statistics.median(each["start_ms"] for each in starts) < 500
    assert statistics.median(each["idle_mib"] for each in starts) < 60


def test_sessions_cost_what_is_promised() -> None:
    memory = result("memory.json")
    assert memory["sessions"] >= 1_000_000
    assert memory["bytes_each"] < 2048
    # As fast as the first, give or take what else the machine did meanwhile
    assert memory["create_us"]["last_tenth"] < 1.5 * memory["create_us"]["first_tenth"]
    assert memory["resident_mib"]["after_expiry"] < 0.5 * memory["resident_mib"]["full"]
