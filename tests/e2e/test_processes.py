"""Processes that die: the application is killed between start and finish, and comes back."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests

from emulated import KEY
from mockface import Mockface, SimulatedClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.process


@contextmanager
def application(environment: dict[str, str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The demo application in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "livegate_demo.app"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found
        try:
            yield found[0], process
        finally:
            process.kill()


def test_a_session_survives_the_death_of_its_application(tmp_path: Path) -> None:
    with Mockface(keys=[KEY]) as mock, requests.Session() as browser:
        environment = {
            "VISION_ENDPOINT": mock.url,
            "VISION_KEY": KEY,
            "LIVEGATE_STORE": f"sqlite:///{tmp_path}/sessions.sqlite",
            "FLASK_SECRET_KEY": "the-same-after-the-restart",
        }

        # Given a session whose application dies without a word after the start
        with application(environment) as (url, process):
            browser.post(f"{url}/sign-in", {"user": "alice"}, timeout=10)
            started = browser.post(f"{url}/liveness/sessions", json={}, timeout=10).json()
            digest = SimulatedClient().start(started["authToken"]).digest
            process.send_signal(signal.SIGKILL)
            process.wait()

        # When it comes back on the same file
        with application(environment) as (url, _):
            answer = browser.post(
                f"{url}/liveness/sessions/{started['sessionId']}/finish",
                json={"digest": digest},
                timeout=10,
            )

        # Then the session finishes, and the service has forgotten it
        assert answer.json()["state"] == "passed"
        assert [session for tenant in mock.engine.tenants() for session in tenant.sessions()] == []
