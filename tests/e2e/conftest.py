"""An application over the emulator, with real HTTP on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulated import KEY, Emulated, emulate
from mockface import Mockface

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def mock() -> Iterator[Mockface]:
    with Mockface(keys=[KEY], seed="e2e") as mock:
        yield mock


@pytest.fixture
def site(mock: Mockface, tmp_path: Path) -> Iterator[Emulated]:
    with emulate(mock, tmp_path) as site:
        yield site
