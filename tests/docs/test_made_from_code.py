"""What the docs show of the code is the code's own: tables and diagrams are compared with it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from dataclasses import MISSING, fields

import livegate
import livegate_flask
from documents import ROOT, after_marker
from livegate import Settings, errors, hooks
from livegate.flows import starting
from livegate.http.endpoints import ROUTES
from livegate.lifecycle import TRANSITIONS, name_of
from livegate.policies import decision, reference_image
from livegate.session import VERDICT_STATES, SessionState
from livegate.settings import ALIASES, PREFIX

MADE = "made from the code: a test compares it"


def diagram() -> str:
    """The state machine as the docs draw it."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> requested"]
    for state, arrows in TRANSITIONS.items():
        for event, target in arrows.items():
            targets = [target] if target else [SessionState.NEEDS_REVIEW, *_in_order()]
            if target is None and state is SessionState.NEEDS_REVIEW:
                targets = _in_order()
            lines += [f"    {state} --> {each}: {name_of(event)}" for each in targets]
    lines += [f"    {state} --> [*]" for state, arrows in TRANSITIONS.items() if not arrows]
    return "\n".join([*lines, "```"])


def _in_order() -> list[SessionState]:
    return [state for state in SessionState if state in VERDICT_STATES]


def settings_table() -> str:
    """The settings as the docs list them."""
    described = dict(
        re.findall(r"^    (?:    )?(\w+): (.+)$", inspect.getdoc(Settings) or "", re.MULTILINE)
    )
    rows = ["| name | default | |", "|---|---|---|"]
    for each in fields(Settings):
        names = [*ALIASES.get(each.name, ()), PREFIX + each.name.upper()]
        default = "" if each.default in (None, (), MISSING) else f"`{each.default}`"
        shown = " or ".join(f"`{name}`" for name in names)
        text = described[each.name].replace("``", "`")
        rows.append(f"| {shown} | {default} | {text} |".replace("|  |", "| |"))
    return "\n".join(rows)


def test_the_diagram_is_the_table() -> None:
    assert after_marker(ROOT / "docs/states.md", MADE) == diagram()


def test_the_settings_are_the_settings() -> None:
    assert after_marker(ROOT / "docs/settings.md", MADE) == settings_table()


def test_every_hook_is_in_the_docs_with_its_arguments() -> None:
    text = (ROOT / "docs/plugins.md").read_text()
    for name in hooks.HOOK_NAMES:
        arguments = ", ".join(inspect.signature(getattr(hooks, name)).parameters)
        assert f"`{name}({arguments})`" in text


def test_every_route_is_in_the_docs() -> None:
    text = (ROOT / "docs/http.md").read_text()
    for path, endpoints in ROUTES.items():
        for method in endpoints:
            assert f"`{method} {path}`" in text


def source_of(*modules: object) -> str:
    return "".join(inspect.getsource(module) for module in modules)  # type: ignore[arg-type]


def test_every_error_code_is_in_the_docs_and_no_other() -> None:
    text = (ROOT / "docs/http.md").read_text().partition("## Errors")[2]
    table = "".join(line for line in text.splitlines() if line.startswith("|"))
    documented = set(re.findall(r"`([a-z_]+)`", table))
    modules = [
        importlib.import_module(each.name)
        for each in pkgutil.walk_packages(livegate.__path__, "livegate.")
        if ".testing" not in each.name
    ]
    source = source_of(*modules, livegate_flask)
    raised = set(re.findall(r'\bcode="(\w+)"', source))
    raised |= set(re.findall(r'^    code(?:: str)? = "(\w+)"', source, re.MULTILINE))
    raised |= set(re.findall(r'Objection\(\s*"(\w+)"', source_of(reference_image, starting)))
    raised |= {f"{kind}_field" for kind in ("invalid", "unknown", "missing")}
    # What never reaches a caller over HTTP: a start-up error, and what the flows turn into others.
    inner = {"missing_dependency", "idempotency_conflict", "face_session_gone", "account_locked"}

    assert documented == raised - inner


def test_every_reason_is_in_the_docs() -> None:
    text = (ROOT / "docs/http.md").read_text()
    reasons = set(re.findall(r'"([a-z]+_[a-z]+)"', source_of(decision)))
    for reason in reasons - {"client_error"} | {"undecided", "policy_failed", "client_error"}:
        assert f"`{reason}`" in text


def test_every_public_name_has_words() -> None:
    for name in livegate.__all__:
        assert inspect.getdoc(getattr(livegate, name)) or name == "hookimpl"
    for name, value in vars(errors).items():
        if inspect.isclass(value) and issubclass(value, errors.LivegateError):
            assert value.__doc__, name
