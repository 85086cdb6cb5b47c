"""The tables of scenarios and failures in the docs are the code's own."""

from __future__ import annotations

from documents import ROOT, after_marker
from mockface.api.models import DECISIONS
from mockface.remote.client_failures import CLIENT_FAILURES, Reach
from mockface.scenarios import SCENARIOS, Failure, Finding, Step

PAGE = ROOT / "docs/mockface/scenarios.md"
REACHES = {
    Reach.NOWHERE: "nothing",
    Reach.STARTED: "the start of the session",
    Reach.SENT: "the service, which judges; the answer is lost",
}


def scenarios_table() -> str:
    rows = ["| name | what happens | decision or code |", "|---|---|---|"]
    for row in SCENARIOS.values():
        seen = ", then ".join(_seen(step) for step in row.steps)
        rows.append(f"| `{row.name}` | {row.summary} | {seen} |")
    return "\n".join(rows)


def _seen(step: Step) -> str:
    if step.reference in (Finding.NO_FACE, Finding.TWO_FACES):
        return "`InvalidImage`"
    if isinstance(step.outcome, Failure):
        return f"`{step.outcome.code}`"
    word = DECISIONS[step.outcome]
    return f"`{word}`" if isinstance(word, str) else "none"


def failures_table() -> str:
    rows = ["| reaches | failures |", "|---|---|"]
    for reach, words in REACHES.items():
        names = ", ".join(f"`{name}`" for name, far in CLIENT_FAILURES.items() if far is reach)
        rows.append(f"| {words} | {names} |")
    return "\n".join(rows)


def test_the_table_of_scenarios_is_the_table() -> None:
    assert after_marker(PAGE, "the scenarios: a test compares them") == scenarios_table()


def test_the_table_of_failures_is_the_table() -> None:
    assert after_marker(PAGE, "the failures: a test compares them") == failures_table()
