"""What `import livegate` brings in: nothing of a framework, a driver or Azure."""

from __future__ import annotations

import subprocess
import sys

import pytest

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


def test_a_session_runs_with_every_foreign_package_blocked() -> None:
    said = python(f"""
import sys
for name in {FOREIGN}:
    sys.modules[name] = None
import livegate
from livegate.testing.doubles import ScriptedFace
gate = livegate.Orchestrator(livegate.Settings(store="memory://"), face=ScriptedFace())
print(gate.start(livegate.StartRequest("alice")).session.state)
""")

    assert said == "ready"


def test_every_public_name_loads_nothing_heavy() -> None:
    said = python("""
import sys
before = set(sys.modules)
from livegate import *
print(*sorted({name.partition(".")[0] for name in set(sys.modules) - before}))
""")

    loaded = set(said.split())
    assert not loaded & {*FOREIGN, "asyncio", "sqlite3", "pytest", "http"}
    assert {"livegate", "pluggy"} <= loaded


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


def test_a_misspelt_name_is_an_error_here_and_for_a_type_checker() -> None:
    with pytest.raises(ImportError):
        from livegate import Orchestratr  # type: ignore[attr-defined]  # noqa: F401
