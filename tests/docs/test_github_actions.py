"""The workflow in the docs: its steps run, against an emulator on another port."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import needs
from documents import ROOT, blocks
from mockface import ControlClient

PAGE = ROOT / "docs/mockface/github-actions.md"


def workflow() -> str:
    (found,) = (b.content for b in blocks(PAGE) if b.content.startswith("name:"))
    return found


def step(name: str) -> str:
    """What a step runs."""
    said = re.search(rf"- name: {name}\n +run: (?:\|\n((?: {{10}}.*\n)+)|(.*\n))", workflow())
    assert said is not None
    return dedent(said[1] or said[2])


def variable(name: str) -> str:
    """What the job's environment says."""
    said = re.search(rf"^      {name}: (\S+)$", workflow(), re.MULTILINE)
    assert said is not None
    return said[1]


@pytest.mark.process
def test_its_steps_run(tmp_path: Path) -> None:
    needs.programs("curl")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "GITHUB_RUN_ID": "77",
        "MOCKFACE_PORT": str(port),
        "MOCKFACE_ENDPOINT": url,
    }

    def run(script: str) -> int:
        return subprocess.run(
            ["bash", "-e", "-c", script], cwd=tmp_path, env=environment, check=False
        ).returncode

    assert run(step("Start the emulator").replace(" &\n", " & echo $! > pid\n")) == 0
    process = int((tmp_path / "pid").read_text())
    try:
        hand = ControlClient(url, variable("VISION_KEY"))
        hand.call("GET", "clock")
        assert run(step("No call was wrong")) == 0
        subprocess.run(["curl", "-s", f"{url}/face/v1.2/x"], check=True, stdout=subprocess.PIPE)
        assert run(step("Save what was asked")) == 0
        assert len((tmp_path / "exchanges.jsonl").read_text().splitlines()) == 1
    finally:
        os.kill(process, signal.SIGTERM)
    assert (tmp_path / "mockface.log").read_text().startswith(f"mockface listening on {url}\n")


def test_it_names_where_the_emulator_listens() -> None:
    assert variable("VISION_ENDPOINT") == "http://127.0.0.1:8178"
