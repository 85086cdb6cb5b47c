"""The blocks of the docs that speak to an emulator: commands, and bodies of creates."""

from __future__ import annotations

import json
import os
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import requests

from documents import Block, blocks, documents
from mockface import Mockface
from mockface_command import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALL = [block for path in documents() for block in blocks(path)]
KEY = "docs-key"
BODY = '{"livenessOperationMode": "Passive", "deviceCorrelationId": "a-device"}'


@pytest.fixture
def mock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Mockface]:
    """An emulator that the commands find, with a session."""
    monkeypatch.chdir(tmp_path)
    with Mockface(keys=[KEY], seed="docs") as running:
        session = create(running, BODY)
        for name, value in {
            "MOCKFACE_ENDPOINT": running.url,
            "MOCKFACE_KEY": KEY,
            "AUTH_TOKEN": session["authToken"],
            "SESSION": session["sessionId"],
        }.items():
            monkeypatch.setenv(name, value)
        yield running


def create(mock: Mockface, body: str) -> Any:
    headers = {"Ocp-Apim-Subscription-Key": KEY, "Content-Type": "application/json"}
    url = f"{mock.url}/face/v1.2/detectLiveness-sessions"
    answer = requests.post(url, body.encode(), headers=headers, timeout=10)
    assert answer.ok, answer.text
    return answer.json()


@pytest.mark.parametrize("block", [b for b in ALL if b.asks_emulator], ids=str)
def test_commands_to_a_running_emulator_say_what_the_docs_say(block: Block, mock: Mockface) -> None:
    for command in block.content.removeprefix("$ ").split("\n$ "):
        words, _, shown = command.partition("\n")
        done = run(*[os.path.expandvars(word) for word in shlex.split(words)][1:])
        assert done.stdout.strip() == shown.strip()


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "json"], ids=str)
def test_json_is_json_and_a_create_is_taken(block: Block, mock: Mockface) -> None:
    if "livenessOperationMode" in json.loads(block.content):
        assert create(mock, block.content)["status"] == "NotStarted"
