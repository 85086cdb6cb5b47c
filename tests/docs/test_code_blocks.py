"""Every code block of the README and the docs is executed, by the function for its language.

Those that are tests, or run tests, are in `test_suites`; those of pages that are one terminal are
in `test_terminals`.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from documents import ROOT, Block, blocks, documents
from mockface import Mockface, SimulatedClient

if TYPE_CHECKING:
    from collections.abc import Iterator

README = ROOT / "README.md"
ALL = [block for path in documents() for block in blocks(path)]
EXECUTED = {"python", "console", "text", "mermaid", "json"}
BIN = Path(sys.executable).parent


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Mockface]:
    """A machine whose environment names a Face resource: the emulator."""
    with Mockface(keys=["docs-key"], seed="docs") as mock:
        monkeypatch.setenv("VISION_ENDPOINT", f"{mock.url}/")
        monkeypatch.setenv("VISION_KEY", "docs-key")
        monkeypatch.chdir(tmp_path)
        yield mock


def code(start: str) -> str:
    """The README's Python block that holds *start*."""
    found = [block.content for block in blocks(README) if start in block.content]
    assert len(found) == 1, start
    return found[0]


def test_every_block_is_of_a_kind_that_is_executed() -> None:
    assert {block.language for block in ALL} <= EXECUTED
    assert len(ALL) > 8


PYTHON = [b for b in ALL if b.language == "python" and not b.is_test]


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_runs(block: Block, offline: Mockface) -> None:
    exec(compile(block.content, str(block), "exec"), {"__name__": "docs"})


# --- the README's examples do what it says ------------------------------------------------------


def test_the_twenty_lines_of_flask(offline: Mockface) -> None:
    names: dict[str, Any] = {"__name__": "readme"}
    exec(code("app = flask.Flask"), names)
    lines = [line for line in code("app = flask.Flask").splitlines() if line.strip()]
    assert len(lines) <= 20

    browser = names["app"].test_client()
    with browser.session_transaction() as session:
        session["user"] = "alice"
    started = browser.post("/liveness/sessions", json={"purpose": "open-vault"}).json
    digest = SimulatedClient().start(started["authToken"]).digest
    url = f"/liveness/sessions/{started['sessionId']}"
    finished = browser.post(f"{url}/finish", json={"digest": digest}).json

    assert (finished["state"], finished["next"]) == ("passed", "continue")
    assert browser.post(f"/vault/{started['sessionId']}").json == {"vault": "open"}
    second = browser.post(f"/vault/{started['sessionId']}")
    assert (second.status_code, second.json["code"]) == (409, "invalid_transition")
    names["app"].extensions["livegate"].orchestrator.close()


def test_without_a_web_framework(offline: Mockface) -> None:
    from mockface.images import portrait

    source = code("send_to_front_end").replace(
        '"https://NAME.cognitiveservices.azure.com"', repr(offline.url)
    )
    tokens: list[str] = []
    names: dict[str, Any] = {
        "send_to_front_end": tokens.append,
        "wait_for_front_end": lambda: SimulatedClient().start(tokens[0]),
    }
    exec(source.replace('"one of its two keys"', '"docs-key"'), names)

    assert names["check"]("alice", portrait("alice")) == "passed"
    names["gate"].close()


def test_the_store_contract_in_the_docs(pytester: pytest.Pytester) -> None:
    block = next(b for b in ALL if "StoreContract" in b.content and b.language == "python")
    pytester.makepyfile(block.content)

    result = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider")

    assert result.ret == 0
    assert result.parseoutcomes()["passed"] > 10


# --- commands -----------------------------------------------------------------------------------

CONSOLE = [
    b
    for b in ALL
    if b.language == "console" and not (b.runs_pytest or b.asks_emulator or b.of_a_terminal)
]


@pytest.mark.process
@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_commands_say_what_the_docs_say(block: Block) -> None:
    command, *expected = block.content.removeprefix("$ ").splitlines()
    words = shlex.split(command)
    if words[0] == "make":
        # The recipe itself is what .ci/run runs; here it is enough that there is one, and which.
        recipe = subprocess.run(
            ["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        recipes = {"demo": "/livegate demo", "test": "/tox run", "bench": "/tox run -e bench"}
        assert recipes[words[1]] in recipe
        return
    port = words.index("--port") + 1
    said = expected[0].replace(words[port], "PORT")
    words[port] = "0"
    with subprocess.Popen([str(BIN / words[0]), *words[1:]], stdout=subprocess.PIPE, text=True) as (
        process
    ):
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        process.terminate()
    assert re.sub(r":\d+$", ":PORT", line) == said


@pytest.mark.process
def test_the_output_of_the_demo_is_the_one_in_the_readme() -> None:
    shown = next(block.content for block in blocks(README) if block.language == "text")

    said = subprocess.run(
        [BIN / "livegate", "demo"], capture_output=True, text=True, check=True
    ).stdout

    assert without_chance(said) == without_chance(shown)


def without_chance(output: str) -> str:
    """The demo's output without what differs: ids, tokens, digests, and the portrait's size."""
    output = re.sub(r"[\w-]{8}…", "????????…", re.sub(r" +\n", "\n", output))
    return re.sub(r"[\d,]+ bytes", "some bytes", output).strip()


def test_every_link_within_the_project_leads_somewhere() -> None:
    for path in documents():
        for target in re.findall(r"\]\(([^)#]+)", path.read_text()):
            if "://" not in target:
                assert (path.parent / target).exists(), f"{path}: {target}"
