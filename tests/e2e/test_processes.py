"""Processes that die, and the worker as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import requests

from emulated import KEY
from livegate import Orchestrator, Settings, StartRequest
from livegate.orchestrator import utc_now
from mockface import SimulatedClient
from processes import interruptible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mockface import Mockface

pytestmark = pytest.mark.process


@pytest.fixture
def environment(mock: Mockface, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "VISION_ENDPOINT": mock.url,
        "VISION_KEY": KEY,
        "LIVEGATE_STORE": f"sqlite:///{tmp_path}/sessions.sqlite",
        "LIVEGATE_WORKER_INTERVAL": "1",
        "FLASK_SECRET_KEY": "the-same-after-the-restart",
    }


@contextmanager
def running(
    environment: dict[str, str], *command: str, until: str
) -> Iterator[tuple[subprocess.Popen[str], re.Match[str]]]:
    """A Python process, once it has printed *until*; it is killed at the end."""
    with interruptible(
        [sys.executable, *command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None
        printed = ""
        for line in process.stdout:
            printed += line
            if found := re.search(until, line):
                yield process, found
                return
        pytest.fail(f"{until!r} was never printed: {printed}")


def test_session_survives_the_death_of_its_application(
    mock: Mockface, environment: dict[str, str]
) -> None:
    listening = {"until": r"http://\S+"}
    with requests.Session() as browser:
        # Given a session whose application is killed after the start
        with running(environment, "-m", "livegate_demo.app", **listening) as (process, url):
            browser.post(f"{url[0]}/sign-in", {"user": "alice"}, timeout=10)
            started = browser.post(
                f"{url[0]}/liveness/sessions", json={"purpose": "sign-in"}, timeout=10
            ).json()
            digest = SimulatedClient().start(started["authToken"]).digest
            process.send_signal(signal.SIGKILL)
            process.wait()

        # When it comes back on the same file
        with running(environment, "-m", "livegate_demo.app", **listening) as (_, url):
            response = browser.post(
                f"{url[0]}/liveness/sessions/{started['sessionId']}/finish",
                json={"digest": digest},
                timeout=10,
            )

    # Then the session passes, and the service has deleted its own
    assert response.json()["state"] == "passed"
    assert mock.control(KEY).sessions() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_worker_does_what_is_due_and_ends_on_a_signal(
    mock: Mockface, environment: dict[str, str], number: signal.Signals
) -> None:
    # Given a session from an hour ago whose front end never came back
    settings = Settings.from_env(environment)
    an_hour_ago = utc_now() - timedelta(hours=1)
    with Orchestrator(settings, clock=lambda: an_hour_ago) as past:
        session_id = past.start(StartRequest("alice")).session.id

    # When a worker runs until it has done something
    worker = "import sys; from livegate.cli import main; sys.exit(main(['worker']))"
    with running(environment, "-c", worker, until="worker: claimed 1, settled 1") as (process, _):
        process.send_signal(number)

        # Then it ends at once and cleanly, and the session is over, here and at the service
        assert process.wait(10) == 0
    with Orchestrator(settings) as now:
        session = now.get(session_id, subject="alice")
    assert (session.state, session.remote) == ("expired", "deleted")
    assert mock.control(KEY).sessions() == []
