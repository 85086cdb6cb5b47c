"""What `import livegate` loads: nothing of a framework, a driver or Azure, and little else.

And what an operation may await, so that it runs without an event loop.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import livegate
from livegate import operations, worker

FOREIGN = (
    "aiohttp",
    "azure",
    "celery",
    "cryptography",
    "django",
    "fastapi",
    "flask",
    "mockface",
    "numpy",
    "opentelemetry",
    "PIL",
    "psycopg",
    "pydantic",
    "redis",
    "requests",
    "rich",
    "sqlalchemy",
    "starlette",
    "werkzeug",
)


def python(code: str) -> str:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def loaded_by(code: str) -> set[str]:
    """The modules that *code* loads: foreign ones by their top level, ours by their full name."""
    modules = python(f"""
import sys
before = set(sys.modules)
{code}
print(*(set(sys.modules) - before))
""").split()
    return {*modules, *(name.partition(".")[0] for name in modules)}


# --- what is loaded ------------------------------------------------------------------------------


def test_import_livegate_loads_next_to_nothing() -> None:
    loaded = loaded_by("import livegate")

    assert not loaded & {*FOREIGN, "asyncio", "dataclasses", "importlib.metadata", "json"}
    assert "pluggy" not in loaded
    assert [name for name in loaded if name.startswith("livegate")] == ["livegate"]


def test_every_public_name_loads_nothing_heavy() -> None:
    loaded = loaded_by("from livegate import *")

    assert not loaded & {*FOREIGN, "asyncio", "sqlite3", "pytest", "http"}
    assert {"livegate", "pluggy"} <= loaded


def test_a_plugin_loads_what_it_uses() -> None:
    loaded = loaded_by("from livegate import ReferenceImage, Verdict")

    assert {name for name in loaded if name.startswith("livegate.")} == {"livegate.models"}


def test_names_are_loaded_on_first_use() -> None:
    assert python("""
import livegate
print("Orchestrator" in vars(livegate))
livegate.Orchestrator
print("Orchestrator" in vars(livegate))
print(livegate.__version__)
""").splitlines() == ["False", "True", livegate.__version__]


def test_every_public_name_exists_and_is_documented() -> None:
    for name in livegate.__all__:
        assert getattr(livegate, name) is not None
    assert set(livegate.__all__) <= set(dir(livegate))


def test_an_unknown_name_is_an_attribute_error() -> None:
    said = python("""
import livegate
try:
    livegate.Orchestrater
except AttributeError as error:
    print(error)
print("Orchestrator" in dir(livegate))
""")

    assert said.splitlines() == ["module 'livegate' has no attribute 'Orchestrater'", "True"]


def test_a_misspelt_name_is_an_error_here_and_for_a_type_checker() -> None:
    with pytest.raises(ImportError):
        from livegate import Orchestratr  # type: ignore[attr-defined]  # noqa: F401


def test_a_session_runs_with_every_foreign_package_blocked() -> None:
    said = python(f"""
import sys
for name in {FOREIGN}:
    sys.modules[name] = None
import livegate
from livegate.testing import FakeFaceService
orchestrator = livegate.Orchestrator(livegate.Settings(store="memory://"), face=FakeFaceService())
session = orchestrator.start(livegate.StartRequest("alice")).session
orchestrator.cancel(session.id, subject="alice")
orchestrator.sweep()
print(session.state, "asyncio" in sys.modules)
""")

    assert said == "ready False"


def test_without_the_azure_package_the_error_names_the_remedy() -> None:
    said = python("""
import sys
sys.modules["azure"] = None
import livegate
settings = livegate.Settings(endpoint="https://me.example", key="k", store="memory://")
try:
    livegate.Orchestrator(settings)
except livegate.LivegateError as error:
    print(error)
""")

    assert "pip install 'livegate[azure]'" in said


# --- what an operation may await -----------------------------------------------------------------

SOURCES = [
    *sorted(Path(operations.__file__).parent.glob("*.py")),
    Path(worker.__file__),
    Path(worker.__file__).with_name("_delivery.py"),
]
TREES = {path.name: ast.parse(path.read_text()) for path in SOURCES}
PORT_CALLS = ("plugins", "runtime")
"""Objects of ours whose methods are operations themselves."""
CALLBACKS = {"step", "load"}
"""Operations that are handed to an operation."""
IN_A_LOOP = {"run_async"}
"""What an application awaits in its event loop, and no operation does."""


def operations_in(tree: ast.Module) -> list[ast.AsyncFunctionDef]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef) and node.name not in IN_A_LOOP
    ]


OPERATIONS = {each.name for tree in TREES.values() for each in operations_in(tree)}


def test_the_operations_are_found() -> None:
    assert {"start", "finish", "consume", "erase", "sweep", "deliver"} <= OPERATIONS
    assert len(OPERATIONS) > 40


@pytest.mark.parametrize("name", TREES)
def test_no_operation_imports_asyncio(name: str) -> None:
    tree = TREES[name]
    allowed = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) or getattr(node, "name", None) in IN_A_LOOP
        for child in ast.walk(node)  # for a type checker alone
    }
    imports = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in allowed
        for alias in [*node.names, ast.alias(getattr(node, "module", None) or "")]
    ]

    assert not {each.partition(".")[0] for each in imports} & {"asyncio", "threading", "time"}


@pytest.mark.parametrize("name", TREES)
def test_operations_await_operations_and_maybe_await_alone(name: str) -> None:
    strange = []
    for operation in operations_in(TREES[name]):
        for node in ast.walk(operation):
            assert not isinstance(node, ast.AsyncFor | ast.AsyncWith | ast.Yield | ast.YieldFrom)
            if isinstance(node, ast.Await) and not _may_be_awaited(node.value):
                strange.append(f"{operation.name}: await {ast.unparse(node.value)}")

    assert strange == []


def _may_be_awaited(value: ast.expr) -> bool:
    if not isinstance(value, ast.Call):
        return False
    function = value.func
    if isinstance(function, ast.Name):
        return function.id in {"maybe_await", *OPERATIONS, *CALLBACKS}
    if not isinstance(function, ast.Attribute):
        return False
    owner = ast.unparse(function.value)
    return owner.removeprefix("self.").rpartition(".")[2] in (*PORT_CALLS, "self")
