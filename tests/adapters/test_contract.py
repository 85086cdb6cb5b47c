"""The HTTP contract, over every adapter and under real servers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import needs
from livegate.testing import AdapterContract
from site_under_test import PREFIX, flask_site, werkzeug_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from livegate.testing.adapter_contract import Backend


class TestFlask(AdapterContract):
    @pytest.fixture
    def base_url(self, backend: Backend) -> Iterator[str]:
        with werkzeug_server(flask_site(backend.orchestrator)) as url:
            yield url + PREFIX


@pytest.fixture(scope="module")
def gunicorn_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    needs.module("gunicorn")
    here = Path(__file__).parents[1] / "support"
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--threads", "2", "--bind", "127.0.0.1:0"),
            "site_under_test:gunicorn_site()",
        ],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(here), *sys.path]),
            "HOME": str(tmp_path_factory.mktemp("home")),  # for its control socket
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    with server, server.stderr:
        try:
            listening = (re.search(r"Listening at: (\S+)", line) for line in server.stderr)
            yield next(found[1] for found in listening if found)
        finally:
            server.terminate()


@pytest.mark.process
class TestFlaskUnderGunicorn(AdapterContract):
    @pytest.fixture
    def backend(self) -> None:
        """In the other process."""

    @pytest.fixture
    def base_url(self, gunicorn_url: str) -> str:
        return gunicorn_url + PREFIX
