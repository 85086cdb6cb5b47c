"""The whole path, for each API version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from emulated import KEY, Emulated, emulate
from mockface import Mockface

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSIONS = ("v1.2", "v1.2-preview.1")


@pytest.fixture(params=VERSIONS)
def api_version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def mock() -> Iterator[Mockface]:
    with Mockface(keys=[KEY], seed="e2e") as mock:
        yield mock


@pytest.fixture
def path(mock: Mockface, tmp_path: Path, api_version: str) -> Iterator[Emulated]:
    whole = emulate(mock, tmp_path, api_version)
    yield whole
    whole.orchestrator.close()
