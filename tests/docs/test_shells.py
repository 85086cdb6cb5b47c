"""The commands of the README and of livegate's pages.

They run in one shell for each page, in a folder that holds the files that the page shows, beside an
emulator and, if the page has an `app.py`, its application. Commands that serve or wait are started
alone, and stopped.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

import needs
from documents import ROOT, Block, blocks, documents
from livegate import Orchestrator, Settings, StartRequest
from mockface import Mockface
from processes import interruptible
from terminal import fits, outputs, steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEY = "any-key"
EMULATOR, APPLICATION = "http://127.0.0.1:8178", "http://127.0.0.1:5000"
BIN = Path(sys.executable).parent
IMPORTED_FROM = os.pathsep.join(
    str(Path(each).resolve()) for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each
)
"""The PYTHONPATH of this process, for processes in other folders."""

COMMANDS = [block for path in documents() for block in blocks(path) if block.of_a_shell]
WAITING = re.compile(
    r"(\w+=\S+ )*(make|gunicorn|mockface serve|livegate worker|flask --app app run)\b"
)
"""Commands that do not end by themselves, or that CI runs anyway."""

RECIPES = {"demo": "/livegate demo", "test": "/tox run", "bench": "/tox run -e bench"}


def command(block: Block) -> str:
    return block.content.removeprefix("$ ")


SHELLS = sorted({b.path for b in COMMANDS if not WAITING.match(command(b))})
SERVERS = [
    Block(block.path, block.line, "console", line)
    for block in COMMANDS
    if WAITING.match(command(block))
    for line in re.split(r"^\$ ", block.content, flags=re.MULTILINE)[1:]
]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Of a shell: the emulator, a store with two sessions of alice, and the path."""
    store = f"sqlite:///{tmp_path}/sessions.sqlite"
    with Mockface(seed="docs") as mock:
        with Orchestrator(Settings(endpoint=mock.url, key=KEY, store=store)) as gate:
            for _ in range(2):
                gate.start(StartRequest("alice"))
        yield {
            "PATH": os.pathsep.join([str(BIN), os.environ["PATH"]]),
            "PYTHONPATH": IMPORTED_FROM,
            "HOME": str(tmp_path),
            "MOCKFACE_ENDPOINT": mock.url,
            "VISION_ENDPOINT": mock.url,
            "VISION_KEY": KEY,
            "LIVEGATE_STORE": store,
        }


def write_files(page: str, folder: Path) -> None:
    for block in blocks(ROOT / page):
        if block.file_name is not None:
            (folder / block.file_name).write_text(block.content)


@contextmanager
def application(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The application of the page, served; its address."""
    command = [str(BIN / "flask"), "--app", "app", "run", "--port", "0"]
    with interruptible(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        yield _read(process, r"Running on (http://\S+)")
        process.send_signal(signal.SIGINT)


def _read(process: subprocess.Popen[str], pattern: str) -> str:
    """What the *pattern* finds as soon as it is printed."""
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if found := re.search(pattern, printed):
            return found[1]
    raise AssertionError(f"{pattern} was not printed:\n{printed}")


@pytest.mark.process
@pytest.mark.parametrize("page", SHELLS)
def test_commands_print_what_the_page_shows(
    page: str, environment: dict[str, str], tmp_path: Path
) -> None:
    needs.programs("curl")
    write_files(page, tmp_path)
    shown = [
        step
        for step in steps(block for block in COMMANDS if block.path == page)
        if not WAITING.match(step.command)
    ]

    with ExitStack() as stack:
        url = APPLICATION
        if any(APPLICATION in step.command for step in shown):
            url = stack.enter_context(application(tmp_path, environment))
        commands = [step.command.replace(APPLICATION, url) for step in shown]
        printed = outputs(commands, tmp_path, environment)

    assert len(printed) == len(shown)
    for step, each in zip(shown, printed, strict=True):
        assert fits(step.shown, each), f"$ {step.command}\n{each}"


@pytest.mark.process
@pytest.mark.parametrize("block", SERVERS, ids=str)
def test_commands_that_wait_start(
    block: Block, environment: dict[str, str], tmp_path: Path
) -> None:
    write_files(block.path, tmp_path)
    line, _, shown = block.content.partition("\n")
    words = shlex.split(line)
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        environment.setdefault(name, value)
    match words:
        case ["make", target]:
            # CI runs the recipe itself; here it is enough that there is one, and which.
            recipe = subprocess.run(
                ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=True
            ).stdout
            assert RECIPES[target] in recipe
        case ["mockface", "serve", *_]:
            port = words.index("--port") + 1
            expected = shown.strip().replace(words[port], "PORT")
            words[port] = "0"
            ready = _started(words, r"(.*listening on .*\ndashboard .*)", environment, tmp_path)
            assert re.sub(r"(?<=127\.0\.0\.1:)\d+", "PORT", ready) == expected
        case ["flask", *_]:
            _started([*words, "--port", "0"], r"Running on (http://\S+)", environment, tmp_path)
        case ["gunicorn", *_]:
            needs.module("gunicorn")
            if "gevent" in words:
                needs.module("gevent")
            words += ["--bind", "127.0.0.1:0", "--graceful-timeout", "1"]
            (tmp_path / "app.py").write_text(APP)
            _started(words, r"Listening at: (\S+)", environment, tmp_path, "/liveness/openapi.json")
        case ["livegate", "worker", *_]:
            _ends_when_nothing_is_due([*words, "--once"], environment, tmp_path)
        case _:
            pytest.fail(f"nothing says how to start {words}")


APP = """
import flask
from livegate_flask import Livegate

def create_app():
    app = flask.Flask(__name__)
    Livegate(app, subject=lambda: None)
    return app
"""


def _started(
    words: list[str],
    pattern: str,
    environment: Mapping[str, str],
    folder: Path,
    path: str | None = None,
) -> str:
    """What it prints when it is ready; then it serves *path*, is interrupted, and has to end."""
    with interruptible(
        [str(BIN / words[0]), *words[1:]],
        cwd=folder,
        env={**environment, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        ready = _read(process, pattern)
        if path is not None:
            assert requests.get(f"{ready}{path}", timeout=30).ok
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    return ready.strip()


def _ends_when_nothing_is_due(
    words: list[str], environment: Mapping[str, str], folder: Path
) -> None:
    done = subprocess.run(
        [str(BIN / words[0]), *words[1:]],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("claimed 0")


def test_there_are_such_pages() -> None:
    assert {"README.md", "docs/quickstart.md", "docs/privacy.md"} <= {b.path for b in COMMANDS}
