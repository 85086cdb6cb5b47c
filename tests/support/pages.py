"""The parts of the pages that are made from the code.

`python tests/support/pages.py` writes them anew, with the packages on the path.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING

import api_reference
from documents import ROOT
from livegate import Settings
from livegate.lifecycle import (
    REMOTE_TRANSITIONS,
    TRANSITIONS,
    Consumed,
    Created,
    DetailsRemoved,
    EraseRequested,
    RemoteEvent,
    ResultPolled,
    StateEvent,
    event_name,
)
from livegate.models import VERDICT_STATES, RemoteState, SessionState
from livegate.settings import ALIASES, PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MARKER = "made from the code: "


def states() -> str:
    """The diagram of the states."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> requested"]
    verdicts = [state for state in SessionState if state in VERDICT_STATES]
    for state, transitions in TRANSITIONS.items():
        for event, target in transitions.items():
            targets = [target] if target else [SessionState.NEEDS_REVIEW, *verdicts]
            if target is None and state is SessionState.NEEDS_REVIEW:
                targets = verdicts
            lines += [f"    {state} --> {each}: {event_name(event)}" for each in targets]
    lines += [f"    {state} --> [*]" for state in SessionState if state.is_final]
    return "\n".join([*lines, "```"])


def remote_states() -> str:
    """The diagram of the service's session; the first two arrows are those of other tables."""
    lines = [
        "```mermaid",
        "stateDiagram-v2",
        "    [*] --> none",
        f"    none --> present: {event_name(Created)}",
        "    present --> deleting: not needed any more",
    ]
    for state, transitions in REMOTE_TRANSITIONS.items():
        lines += [f"    {state} --> {to}: {event_name(event)}" for event, to in transitions.items()]
    return "\n".join([*lines, f"    {RemoteState.DELETED} --> [*]", "```"])


def settings() -> str:
    """The table of the settings."""
    described = _attributes(Settings)
    rows = ["| name | default | |", "|---|---|---|"]
    for each in fields(Settings):
        if each.name == "plugin_values":  # of plugins
            continue
        names = [*ALIASES.get(each.name, ()), PREFIX + each.name.upper()]
        default = "" if each.default in (None, (), MISSING) else f"`{each.default}`"
        shown = " or ".join(f"`{name}`" for name in names)
        text = described[each.name].replace("``", "`")
        rows.append(f"| {shown} | {default} | {text} |".replace("|  |", "| |"))
    return "\n".join(rows)


def events() -> str:
    """The table of the events that notifiers deliver."""
    rows = ["| event | what happened |", "|---|---|", "| `requested` | A session was started. |"]
    every = [
        *StateEvent.__args__,
        Consumed,
        *RemoteEvent.__args__,
        DetailsRemoved,
        EraseRequested,
    ]
    for event in every:
        if event is not ResultPolled:
            text = " ".join((inspect.getdoc(event) or "").split())
            rows.append(f"| `{event_name(event)}` | {text} |")
    return "\n".join(rows)


def retention() -> str:
    """The table of what is kept, and how long."""
    rows = (
        ("the reference image", "in memory", "while the call that brought it runs", None),
        ("the token", "in memory", "until the response to the start", None),
        (
            "the service's session: its copy of the reference image, what the camera has sent",
            "at the Face service",
            "until the result was read, or can no longer come; 48 hours at most",
            None,
        ),
        (
            "digests, scores, hashes of reference images",
            "in the store",
            "{} after its last change, once the session is over",
            "detail_retention",
        ),
        (
            "the record: subject, purpose, transaction, states, reasons, times, reviewer",
            "in the store",
            "{} after its last change, once the session is over",
            "record_retention",
        ),
        ("events that are not delivered", "in the store", "{}", "event_max_age"),
        ("a session that waits for a reviewer", "in the store", "{}", "review_timeout"),
    )
    lines = ["| data | where | kept | setting |", "|---|---|---|---|"]
    for data, where, kept, setting in rows:
        if setting is None:
            lines.append(f"| {data} | {where} | {kept} | |")
        else:
            default = getattr(Settings(), setting) // 86400
            name = PREFIX + setting.upper()
            lines.append(f"| {data} | {where} | {kept.format(f'{default} days')} | `{name}` |")
    return "\n".join(lines)


PARTS: dict[tuple[str, str], Callable[[], str]] = {
    ("docs/states.md", "the states"): states,
    ("docs/states.md", "the service's session"): remote_states,
    ("docs/settings.md", "the settings"): settings,
    ("docs/worker.md", "the events"): events,
    ("docs/privacy.md", "the retention"): retention,
}
"""By the page and the name in its marker."""

API_PAGE = "docs/api.md"


def write() -> None:
    """Write every part, and the page of the API."""
    for (page, name), make in PARTS.items():
        _replace(ROOT / page, f"<!-- {MARKER}{name} -->\n", make())
    (ROOT / API_PAGE).write_text(api_reference.page())


def _replace(path: Path, marker: str, part: str) -> None:
    before, found, after = path.read_text().partition(marker)
    assert found, f"{path} has no {marker}"
    _, separator, rest = after.partition("\n\n")
    path.write_text(before + found + part + (separator or "\n") + rest)


def _attributes(kind: type) -> dict[str, str]:
    """The attributes that the docstring of a class describes, each in one line."""
    _, _, text = (inspect.getdoc(kind) or "").partition("Attributes:\n")
    text, _, _ = text.partition("\n\n")
    found = re.findall(r"^    (\w+): ((?:.+\n?)(?:^        .+\n?)*)", text, re.MULTILINE)
    return {name: " ".join(words.split()) for name, words in found}


if __name__ == "__main__":
    write()
