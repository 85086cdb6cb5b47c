"""Servers that fork: every worker process has its own connections to the service and the store."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from livegate._record import to_session
from livegate.stores.sqlite import SqliteStore
from mockface import Mockface
from tls import tls_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.reliability

KEY = "forking"
STARTS = 200
SERVERS = {
    "sync": ["--worker-class", "sync"],
    "gthread": ["--worker-class", "gthread", "--threads", "8"],
    "gevent": ["--worker-class", "gevent"],
}
CASES = [
    (scheme, server, preload)
    for scheme in ("http", "https")
    for server in SERVERS
    for preload in (True, False)
    if scheme == "http" or preload
]


@contextlib.contextmanager
def gunicorn(arguments: list[str], environment: dict[str, str]) -> Iterator[str]:
    """The application under gunicorn with two workers; gives its URL."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [
        *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2"),
        *("--chdir", str(Path(__file__).parent), "--graceful-timeout", "5", *arguments),
        "forking_app:app",
    ]
    process = subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, process)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            assert process.stderr is not None
            raise AssertionError(process.stderr.read().decode())
        with contextlib.suppress(requests.RequestException):
            requests.get(url, timeout=5)
            return
        time.sleep(0.1)
    raise AssertionError("the server did not start")


def session_of(token: str) -> str:
    """The service's session that a token of the emulator is for."""
    claims = token.split(".")[1]
    padded = claims + "=" * (-len(claims) % 4)
    return str(json.loads(base64.urlsafe_b64decode(padded))["sid"])


@pytest.mark.parametrize(("scheme", "server", "preload"), CASES)
def test_nobody_gets_the_session_of_another_after_a_fork(
    tmp_path: Path, scheme: str, server: str, preload: bool
) -> None:
    with contextlib.ExitStack() as stack:
        # Given two workers, forked after the application has called the service where it is loaded
        # before the fork
        face = stack.enter_context(Mockface(keys=[KEY]))
        endpoint, bundle = face.url, None
        if scheme == "https":
            endpoint, bundle = stack.enter_context(tls_proxy(face.url, tmp_path))
        environment = {
            "VISION_ENDPOINT": endpoint,
            "VISION_KEY": KEY,
            "LIVEGATE_STORE": f"sqlite:///{tmp_path}/sessions.db",
            "CALL_FIRST": "yes",
            **({"REQUESTS_CA_BUNDLE": bundle} if bundle else {}),
        }
        arguments = SERVERS[server] + (["--preload"] if preload else [])
        url = stack.enter_context(gunicorn(arguments, environment))

        # When many users start at once
        def start(number: int) -> tuple[str, str, Any]:
            response = requests.post(
                f"{url}/liveness/sessions",
                headers={"X-User": f"user-{number}"},
                json={},
                timeout=60,
            )
            assert response.status_code == 201, response.text
            return f"user-{number}", response.headers["X-Process"], response.json()

        with ThreadPoolExecutor(30) as pool:
            results = list(pool.map(start, range(STARTS)))

    # Then each has a token for the session that is stored as theirs, and for no other
    store = SqliteStore(tmp_path / "sessions.db")
    for user, _, body in results:
        record = store.get(body["sessionId"])
        assert record is not None
        session = to_session(record)
        assert session.subject == user
        assert session.remote_id == session_of(body["authToken"])
    store.close()
    assert len({body["authToken"] for *_, body in results}) == STARTS
    assert len({process for _, process, _ in results}) == 2
