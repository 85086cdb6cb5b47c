"""The pages that are one terminal: all their commands run, against one emulator of their own."""

from __future__ import annotations

import os
import re
import sys
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import needs
from documents import ROOT, Block, blocks, documents
from mockface import Clock, Mockface
from mockface.clock import moment
from terminal import fits, outputs, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN = "http://127.0.0.1:8178"
PAGES = [page for page in documents() if "<!-- one terminal -->" in page.read_text()]
PROGRAMS = ("curl", "node", "mcs", "mono")
START = moment("2026-01-31T12:00:00Z")


@pytest.fixture
def mock() -> Iterator[Mockface]:
    with Mockface(seed="docs", clock=Clock(frozen_at=START)) as running:
        yield running


def programs(block: Block) -> list[str]:
    """What its commands start and not every machine has."""
    started = r"(?:^\$ |[|&(] ?)(\w+) "
    return [name for name in re.findall(started, block.content, re.MULTILINE) if name in PROGRAMS]


@pytest.mark.process
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_print_what_the_page_shows(page: Path, mock: Mockface, tmp_path: Path) -> None:
    # Given the page down to the first block that this machine cannot run
    terminal = [block for block in blocks(page) if block.language == "console"]
    shown = steps(takewhile(lambda block: not needs.missing(*programs(block)), terminal))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "HOME": str(tmp_path), "MOCKFACE_ENDPOINT": mock.url}

    commands = [step.command.replace(SHOWN, mock.url) for step in shown]
    printed = outputs(commands, tmp_path, environment)

    assert len(printed) == len(shown)
    for step, each in zip(shown, printed, strict=True):
        said = each.replace(mock.url, SHOWN)
        assert fits(step.shown, said), f"$ {step.command}\n{said}"
    for block in terminal:
        needs.programs(*programs(block))


def test_there_are_such_pages() -> None:
    assert {page.relative_to(ROOT).name for page in PAGES} >= {"faults.md", "clock.md"}
