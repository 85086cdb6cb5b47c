"""A storm of SIGKILLs: web processes and workers on one SQLite file die every half second.

The emulated service fails one call in five. In the end no session that a front end was given is
lost, none passed without a real face, none was used twice, every event was delivered in order, and
the service holds no session that nobody knows.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from tests.reliability import storm_app

from livegate import CallbackNotifier, Orchestrator, RemoteState, SessionState, Settings
from mockface import ControlClient, LivenessDetectionError, Mockface, SimulatedClient

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.reliability

SECONDS = float(os.environ.get("STORM_SECONDS", "60"))
KEY = "storm"
USERS = 6
WEB = 2
WORKERS = 2


class Storm:
    """The processes, and the thread that kills them."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = {**os.environ, **environment}
        self.ports = [free_port() for _ in range(WEB)]
        self.commands = [["web", str(port)] for port in self.ports] + [["worker"]] * WORKERS
        self.processes = [self.spawn(command) for command in self.commands]
        self.kills = 0
        self.is_over = threading.Event()

    def spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, storm_app.__file__, *command],
            env=self.environment,
            stderr=subprocess.DEVNULL,
        )

    def rage(self) -> None:
        choose = random.Random(7)
        while not self.is_over.wait(0.5):
            number = choose.randrange(len(self.commands))
            self.processes[number].send_signal(signal.SIGKILL)
            self.processes[number].wait()
            self.kills += 1
            self.processes[number] = self.spawn(self.commands[number])

    def stop(self) -> None:
        self.is_over.set()
        for process in self.processes:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class User:
    """A signed-in user who runs one session after the other, with a real face or a spoof."""

    def __init__(self, name: str, ports: list[int], is_over: threading.Event) -> None:
        self.name = name
        self.ports = ports
        self.is_over = is_over
        self.random = random.Random(name)
        self.accepted: dict[str, bool] = {}  # session id: a real face was shown
        self.paid: Counter[str] = Counter()
        self.errors: list[str] = []

    def run(self) -> None:
        try:
            while not self.is_over.is_set():
                self.one_session()
        except Exception as error:  # noqa: BLE001 - asserted on by the test
            self.errors.append(repr(error))

    def one_session(self) -> None:
        key = f"{self.random.random()}"
        started = self.call("POST", "/liveness/sessions", {"purpose": "payout"}, key)
        if started is None or started.status_code != 201:
            return
        session_id = started.json()["sessionId"]
        is_real = self.random.random() < 0.7
        self.accepted[session_id] = is_real
        camera = SimulatedClient(scenario="real" if is_real else "spoof")
        try:
            digest = camera.start(started.json()["authToken"]).digest
        except LivenessDetectionError:
            digest = None
        path = f"/liveness/sessions/{session_id}/finish"
        for _ in range(10):
            response = self.call("POST", path, {"digest": digest} if digest else {})
            if response is not None and response.status_code == 200:
                break
            self.is_over.wait(0.3)
        threads = [threading.Thread(target=self.pay, args=[session_id]) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def pay(self, session_id: str) -> None:
        response = self.call("POST", f"/pay/{session_id}", {})
        if response is not None and response.status_code == 200:
            self.paid[session_id] += 1

    def call(
        self, method: str, path: str, body: dict[str, Any], key: str | None = None
    ) -> requests.Response | None:
        """The response; a start is repeated with its key until there is one. None: unknown."""
        headers = {"X-User": self.name, **({"Idempotency-Key": key} if key else {})}
        for _ in range(20 if key else 3):
            port = self.random.choice(self.ports)
            try:
                response = requests.request(
                    method, f"http://127.0.0.1:{port}{path}", json=body, headers=headers, timeout=20
                )
            except requests.RequestException:
                if self.is_over.wait(0.2):
                    return None
                continue
            if response.status_code < 500:
                return response
            assert response.json()["retryable"], response.text
        return None


@pytest.mark.timeout(SECONDS + 240)
def test_nothing_is_lost_doubled_or_orphaned_while_processes_are_killed(tmp_path: Path) -> None:
    with ExitStack() as stack:
        face = stack.enter_context(Mockface(keys=[KEY], seed="storm"))
        control = ControlClient(face.url, KEY)
        for route in ("create", "result", "delete"):
            control.add_fault(route, status=503, probability=0.2, count=0)
        environment = {
            "VISION_ENDPOINT": face.url,
            "VISION_KEY": KEY,
            "LIVEGATE_STORE": f"sqlite:///{tmp_path}/storm.db",
            "LIVEGATE_FACE_TIMEOUT": "2",
            "LIVEGATE_FACE_RETRIES": "1",
            "STORM_EVENTS": str(tmp_path / "events.jsonl"),
        }
        storm = Storm(environment)
        stack.callback(storm.stop)
        users = [User(f"user-{number}", storm.ports, storm.is_over) for number in range(USERS)]
        threads = [threading.Thread(target=user.run) for user in users]
        killer = threading.Thread(target=storm.rage)

        # Given users who run sessions while processes are killed
        for thread in (*threads, killer):
            thread.start()
        time.sleep(SECONDS)
        storm.is_over.set()
        for thread in (*threads, killer):
            thread.join()
        storm.stop()
        assert [error for user in users for error in user.errors] == []
        assert storm.kills >= SECONDS

        # When the service works again and one worker does all that is due, a day later
        control.clear_faults()
        os.environ["STORM_EVENTS"] = environment["STORM_EVENTS"]
        settings = Settings.from_env({n: v for n, v in environment.items() if n != "STORM_EVENTS"})
        with Orchestrator(
            settings,
            purposes=[storm_app.PURPOSE],
            notifiers=[CallbackNotifier("file", storm_app.write_event)],
            clock=lambda: datetime.now(UTC) + timedelta(days=1),
        ) as gate:
            for _ in range(20):
                if not gate.sweep().claimed:
                    break
            sessions = {each["id"]: each for user in users for each in gate.export(user.name)}
        living = {each["sessionId"] for each in control.sessions()}

    # Then
    real = {name for user in users for name, is_real in user.accepted.items() if is_real}
    accepted = {name for user in users for name in user.accepted}
    assert accepted
    assert accepted <= sessions.keys(), "an accepted session is lost"
    passed = {name for name, each in sessions.items() if each["state"] == SessionState.PASSED}
    assert passed
    assert passed <= real, "a session passed without a real face"
    paid = sum((user.paid for user in users), Counter[str]())
    assert paid
    assert max(paid.values()) == 1, "a verdict was used twice"
    assert set(paid) <= {name for name in passed if sessions[name]["consumed_at"]}
    assert all(SessionState(each["state"]).is_final for each in sessions.values())
    check_events(tmp_path / "events.jsonl", sessions)
    check_remote(living, sessions)


def check_events(log: Path, sessions: dict[str, Any]) -> None:
    """Every event of every session was delivered, first in order, and the same each time."""
    delivered: dict[str, list[int]] = defaultdict(list)
    contents: dict[str, set[str]] = defaultdict(set)
    for line in log.read_text().splitlines():
        event = json.loads(line)
        contents[event["id"]].add(line)
        if event["sequence"] not in delivered[event["session"]]:
            delivered[event["session"]].append(event["sequence"])
    assert all(len(each) == 1 for each in contents.values())
    for name, session in sessions.items():
        assert delivered[name] == list(range(1, session["sequence"] + 1)), name


def check_remote(living: set[str], sessions: dict[str, Any]) -> None:
    """The service holds no session but those whose creation was never reported."""
    known = {each["remote_id"] for each in sessions.values()}
    assert all(
        each["remote"] in (RemoteState.NONE, RemoteState.DELETED) for each in sessions.values()
    )
    unanswered = [each for each in sessions.values() if each["remote"] == RemoteState.NONE]
    assert not living & known
    assert len(living) <= len(unanswered)
