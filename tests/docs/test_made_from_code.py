"""What the pages show of the code is the code's own.

To write the parts anew: `python tests/support/pages.py`, with the packages on the path.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from typing import TYPE_CHECKING

import pytest

import api_reference
import livegate
from documents import ROOT, after_marker
from livegate import Orchestrator, errors, hooks, worker
from livegate.http import OPERATIONS
from livegate.lifecycle import Timing
from livegate.models import PolicyViolation
from livegate.policies import decision
from livegate.purposes import Purpose
from livegate.testing import FakeFaceService, StoreContract
from pages import API_PAGE, MARKER, PARTS

if TYPE_CHECKING:
    from livegate.errors import LivegateError

NEVER_SENT = {
    "idempotency_conflict",  # its causes have codes of their own
    "verdict_not_usable",  # as above
    "face_session_gone",  # becomes an expired session
}
"""Codes of errors that no request ends in."""

CODE_POSITIONS = {"PolicyViolation": 0, "_bad_image": 1, "_unusable": 2, "invalid_field": 2}
"""Where functions and classes that take a code as an argument take it."""


@pytest.mark.parametrize(("page", "name"), PARTS)
def test_parts_of_pages_are_made_from_the_code(page: str, name: str) -> None:
    assert after_marker(ROOT / page, f"{MARKER}{name}") == PARTS[page, name]()


def test_the_page_of_the_api_is_made_from_the_code() -> None:
    assert (ROOT / API_PAGE).read_text() == api_reference.page()


@pytest.mark.parametrize("module", api_reference.MODULES)
def test_the_page_of_the_api_names_every_public_name(module: str) -> None:
    page = (ROOT / API_PAGE).read_text()
    for name in api_reference.public_names(module):
        assert f"`{name}`" in page


@pytest.mark.parametrize("module", api_reference.MODULES)
def test_every_public_name_has_a_docstring(module: str) -> None:
    for name in api_reference.public_names(module):
        value = getattr(importlib.import_module(module), name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, name


def test_every_operation_is_in_the_page() -> None:
    page = (ROOT / "docs/http.md").read_text()
    rows = set(re.findall(r"^\| `([A-Z]+ /\S*)` \|", page, re.MULTILINE))
    assert rows == {f"{each.method} {each.path}" for each in OPERATIONS}


def test_every_error_code_is_in_the_page_and_no_other() -> None:
    assert set(documented_codes()) == raised_codes() - NEVER_SENT - set(consume_codes())


def test_error_codes_are_at_their_status() -> None:
    documented = documented_codes()
    for kind in error_classes():
        if kind.code in documented and kind is not errors.MethodNotAllowedError:
            assert documented[kind.code] == kind.status, kind.code


def test_the_codes_of_consume_are_in_the_page() -> None:
    page = " ".join((ROOT / "docs/http.md").read_text().split())
    (text,) = re.findall(r"`consume` raises in your own views.*?`\.", page)
    for code in consume_codes():
        assert f"`{code}`" in text


def test_every_reason_is_in_the_page() -> None:
    page = (ROOT / "docs/http.md").read_text()
    reasons = set(re.findall(r'"([a-z]+_[a-z]+)"', inspect.getsource(decision)))
    for reason in reasons | {"undecided", "policy_failed", "client_error"}:
        assert f"`{reason}`" in page


def test_every_hook_is_in_the_page_with_its_arguments() -> None:
    page = (ROOT / "docs/plugins.md").read_text()
    for name, protocol in hooks.HOOKS.items():
        parameters = inspect.signature(getattr(protocol, name)).parameters
        arguments = ", ".join(each for each in parameters if each != "self")
        assert f"| `{name}({arguments})` |" in page


def test_every_operation_of_a_store_is_in_the_page() -> None:
    page = (ROOT / "docs/plugins.md").read_text()
    for name, function in vars(hooks.SessionStore).items():
        if inspect.isfunction(function) and not name.startswith("_"):
            assert f"`{name}(" in page


def test_every_argument_of_a_purpose_is_in_the_page() -> None:
    page = (ROOT / "docs/purposes.md").read_text()
    for name in inspect.signature(Purpose).parameters:
        assert f"| `{name}` |" in page


def test_every_field_of_a_violation_is_in_the_page() -> None:
    page = (ROOT / "docs/plugins.md").read_text()
    for name in inspect.signature(PolicyViolation).parameters:
        assert f"| `{name}` |" in page


def test_optional_parts_of_the_store_contract_are_in_the_page() -> None:
    page = (ROOT / "docs/plugins.md").read_text()
    for name in ("open_store", "break_store", "end_thread", "operation_timeout"):
        assert hasattr(StoreContract, name) or name == "open_store"
        assert f"`{name}`" in page


def test_times_in_the_pages_are_those_of_the_code() -> None:
    seconds = int(Timing().create.total_seconds())
    assert f"| {seconds} seconds after it called the service |" in (
        (ROOT / "docs/worker.md").read_text()
    )
    assert f"closed by the worker after {seconds} seconds" in (
        (ROOT / "docs/states.md").read_text()
    )


def test_the_lease_in_the_page_is_that_of_the_code() -> None:
    with Orchestrator(face=FakeFaceService(), store="memory://") as gate:
        seconds = worker._lease(gate.runtime).total_seconds()
    assert f"With the default settings that is {seconds:.0f} seconds." in " ".join(
        (ROOT / "docs/worker.md").read_text().split()
    )


# --- the tests themselves ----------------------------------------------------------------------


def test_every_helper_of_the_tests_is_in_their_readme() -> None:
    page = (ROOT / "tests/README.md").read_text().partition("## Helpers")[2]
    named = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    helpers = {each.stem for each in (ROOT / "tests/support").glob("*.py")}
    assert named == {each for each in helpers if not each.startswith("test_")}


def test_every_folder_of_the_tests_is_in_their_readme() -> None:
    page = (ROOT / "tests/README.md").read_text()
    for folder in (ROOT / "tests").iterdir():
        if folder.is_dir() and folder.name not in {"support", "__pycache__"}:
            assert f"| `{folder.name}` |" in page


# --- the codes of errors -----------------------------------------------------------------------


def documented_codes() -> dict[str, int]:
    """The codes in the table of the page, with their statuses."""
    table = (ROOT / "docs/http.md").read_text().partition("## Errors")[2]
    rows = re.findall(r"^\| (\d{3}) \| (.*) \|$", table, re.MULTILINE)
    return {code: int(status) for status, row in rows for code in re.findall(r"`([a-z_]+)`", row)}


def error_classes() -> list[type[LivegateError]]:
    return [getattr(errors, name) for name in api_reference.public_names("livegate.errors")]


def consume_codes() -> list[str]:
    return [
        kind.code
        for kind in error_classes()
        if issubclass(kind, errors.ConsumeError) and kind is not errors.ConsumeError
    ]


def raised_codes() -> set[str]:
    """The codes of the error classes, and those that the code passes to them."""
    found = {kind.code for kind in error_classes()}
    for each in pkgutil.walk_packages(livegate.__path__, "livegate."):
        if ".testing" in each.name:
            continue
        tree = ast.parse(inspect.getsource(importlib.import_module(each.name)))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call):
                found |= _codes_of(call)
    return found | {"invalid_field"}


def _codes_of(call: ast.Call) -> set[str]:
    arguments = [each.value for each in call.keywords if each.arg == "code"]
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    position = CODE_POSITIONS.get(name)
    if position is not None:
        arguments += call.args[position : position + 1]
    values = [each.value for each in arguments if isinstance(each, ast.Constant)]
    return {value for value in values if isinstance(value, str)}
