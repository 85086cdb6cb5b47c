"""The pages that are one terminal: all their commands run, against one emulator of their own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from documents import ROOT, blocks, documents
from mockface import Clock, Mockface
from mockface.clock import moment
from terminal import fits, outputs, steps

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN = "http://127.0.0.1:8178"
PAGES = [page for page in documents() if "<!-- one terminal -->" in page.read_text()]
START = moment("2026-01-31T12:00:00Z")


@pytest.fixture
def mock() -> Iterator[Mockface]:
    with Mockface(seed="docs", clock=Clock(frozen_at=START)) as running:
        yield running


@pytest.mark.process
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_print_what_the_page_shows(page: Path, mock: Mockface, tmp_path: Path) -> None:
    shown = steps(b for b in blocks(page) if b.language == "console")
    for tool in ("curl", "node"):
        if shutil.which(tool) is None and any(s.command.startswith(tool) for s in shown):
            pytest.skip(f"the page needs {tool}")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "HOME": str(tmp_path), "MOCKFACE_ENDPOINT": mock.url}

    commands = [step.command.replace(SHOWN, mock.url) for step in shown]
    printed = outputs(commands, tmp_path, environment)

    assert len(printed) == len(shown)
    for step, each in zip(shown, printed, strict=True):
        said = each.replace(mock.url, SHOWN)
        assert fits(step.shown, said), f"$ {step.command}\n{said}"


def test_there_are_such_pages() -> None:
    assert {page.relative_to(ROOT).name for page in PAGES} >= {"faults.md", "clock.md"}
