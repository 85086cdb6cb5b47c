"""The command and the server, over real sockets and processes."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from tests.mockface.conftest import OPTIONS

from mockface import LivenessDetectionError, Mockface, SimulatedClient
from mockface.people import person
from mockface.server import RemoteNotAllowedError
from mockface_command import run
from processes import interruptible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

READY = re.compile(r"mockface listening on (http://(?:127\.0\.0\.1|\[::1\]):\d+)\n")


@pytest.fixture
def mock() -> Iterator[Mockface]:
    with Mockface(seed="server", keys=["k"]) as running:
        yield running


def call(url: str, method: str, path: str, body: object = None, **headers: str) -> tuple[int, Any]:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
    try:
        data = None if body is None else json.dumps(body).encode()
        named = {"Ocp-Apim-Subscription-Key": "k", "Content-Type": "application/json"} | headers
        connection.request(method, path, data, named)
        response = connection.getresponse()
        raw = response.read()
        return response.status, json.loads(raw) if raw else None
    finally:
        connection.close()


def create(url: str, **options: Any) -> Any:
    status, body = call(url, "POST", "/face/v1.2/detectLiveness-sessions", OPTIONS | options)
    assert status == 200
    return body


def command(*arguments: str, **environment: str) -> AbstractContextManager[subprocess.Popen[str]]:
    return interruptible(
        [sys.executable, "-m", "mockface", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": "", **environment},
    )


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_says_where_it_listens_and_stops_cleanly(number: signal.Signals) -> None:
    with command("serve", "--port", "0", "--seed", "7", "--scenario", "spoof") as server:
        assert server.stdout is not None
        ready = READY.fullmatch(server.stdout.readline())
        assert ready is not None
        assert server.stdout.readline() == f"dashboard at {ready[1]}/_mock/ui\n"
        token = create(ready[1])["authToken"]
        assert SimulatedClient().start(token).digest

        server.send_signal(number)
        output, errors = server.communicate()

    assert (server.returncode, output, errors) == (0, "", "")


@pytest.mark.process
def test_the_environment_gives_the_options() -> None:
    environment = {
        "MOCKFACE_PORT": "0",
        "MOCKFACE_KEY": "one, two",
        "MOCKFACE_FROZEN_AT": "2026-01-01T12:00:00Z",
        "MOCKFACE_SCENARIO": "mask",
    }
    with command("serve", **environment) as server:
        assert server.stdout is not None
        ready = READY.fullmatch(server.stdout.readline())
        assert ready is not None
        path = "/face/v1.2/detectLiveness-sessions/none"
        statuses = [
            call(ready[1], "GET", path, **{"Ocp-Apim-Subscription-Key": key})[0]
            for key in ("one", "two", "three")
        ]
        _, clock = call(ready[1], "GET", "/_mock/clock", **{"Ocp-Apim-Subscription-Key": "one"})
        server.terminate()
        server.communicate()

    assert statuses == [404, 404, 401]
    assert clock == {"now": "2026-01-01T12:00:00.0000000+00:00", "frozen": True}


@pytest.mark.process
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize(("hard", "answered"), [(4096, 100), (64, None)])
def test_a_shell_that_allows_few_files(hard: int, answered: int | None, tmp_path: Path) -> None:
    # Given a server in a shell that allows it 64 open files
    limited = f'ulimit -Sn 64 && ulimit -Hn {hard} && exec "$0" -m mockface serve --port 0'
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(
            ["/bin/sh", "-c", limited, sys.executable],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as server,
        ExitStack() as stack,
    ):
        stack.callback(server.kill)
        assert server.stdout is not None
        ready = READY.fullmatch(server.stdout.readline())
        assert ready is not None
        place = urlsplit(ready[1])
        address = (place.hostname, place.port)

        # When a hundred callers come at once and stay
        with ExitStack() as there:
            callers = [there.enter_context(socket.create_connection(address)) for _ in range(100)]
            for caller in callers:
                caller.settimeout(20 if answered else 0.05)
                caller.sendall(b"GET /_mock/clock HTTP/1.1\r\nHost: localhost\r\n\r\n")
            heard = [_begins(caller) for caller in callers]

        # Then all are answered where more files may be had, and else it goes on for the next ones
        if answered:
            assert heard.count("HTTP/1.1 200") == answered
        assert call(ready[1], "GET", "/_mock/clock")[0] == 200
    assert (tmp_path / "log").read_text().count("Traceback") < 20


def _begins(caller: socket.socket) -> str:
    try:
        return caller.recv(12).decode()
    except TimeoutError:
        return ""


@pytest.mark.process
def test_serve_explains_what_it_cannot_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for arguments, word in (
            (["--port", port], "in use"),
            (["--port", "0", "--host", "0.0.0.0"], "--allow-remote"),
            (["--port", "0", "--scenario", "spof"], "wrong-person"),
            (["--port", "0", "--host", "no such host", "--allow-remote"], "Cannot listen"),
        ):
            with command("serve", *arguments) as server:
                output, errors = server.communicate()
            assert (server.returncode, output) == (2, "")
            assert errors.startswith("Usage: mockface serve ")
            assert word in errors.splitlines()[-1]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--port", "65536"),
        ("--port", "-1"),
        ("--port", "x"),
        ("--threads", "0"),
        ("--frozen-at", "tomorrow"),
        ("--public-url", "localhost"),
    ],
)
def test_a_wrong_option_is_named(option: str, value: str) -> None:
    done = run("serve", option, value)

    assert done.exit_code == 2
    assert option.removeprefix("--").replace("-", "_") in done.stderr


@pytest.mark.process
def test_attempt_and_portrait_are_commands(mock: Mockface, tmp_path: Path) -> None:
    session = create(mock.url)
    for scenario, status in (("mask", 1), ("real", 0)):
        with command("attempt", "--token", session["authToken"], "--outcome", scenario) as tried:
            output, _ = tried.communicate()
        said = json.loads(output)
        assert tried.returncode == status
        assert ("digest" in said) is (status == 0)
        assert said.get("livenessError") == (None if status == 0 else "FaceWithMaskDetected")
    # The person of a seed is in front of the camera, with a device of their own
    with command("attempt", "--token", session["authToken"], "--seed", "3") as tried:
        tried.communicate()
    (tenant,) = mock.engine.tenants()
    (recorded,) = tenant.sessions()
    assert recorded.attempts[-1].call.user_agent == person(3).user_agent

    for name, magic in (("face.jpg", b"\xff\xd8\xff"), ("face.PNG", b"\x89PNG")):
        with command("portrait", "--seed", "3", "--out", str(tmp_path / name)) as drawn:
            drawn.communicate()
        assert drawn.returncode == 0
        assert (tmp_path / name).read_bytes().startswith(magic)
    with command("portrait", "--out", str(tmp_path / "no" / "face.jpg")) as failed:
        _, errors = failed.communicate()
    assert failed.returncode == 1
    assert "No such file or directory" in errors


@pytest.mark.process
def test_the_help_and_the_package_load_nothing_heavy() -> None:
    heavy = ("flask", "werkzeug", "aiohttp", "faker", "PIL", "cv2", "jwt")
    script = f"""
import sys
import mockface
from mockface.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
from mockface import SimulatedClient
assert not [name for name in {heavy!r} if name in sys.modules]
from mockface import Mockface
assert not [name for name in ("flask", "faker", "PIL", "cv2") if name in sys.modules]
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "serve" in done.stdout


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1"])
def test_it_listens_on_any_loopback_host(host: str) -> None:
    try:
        socket.create_server((host, 0), family=socket.getaddrinfo(host, 0)[0][0]).close()
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with Mockface(host=host, keys=["k"]) as mock:
        assert mock.url.startswith(f"http://[{host}]:" if ":" in host else f"http://{host}:")
        assert SimulatedClient().start(create(mock.url)["authToken"]).digest


def test_an_emulator_is_started_and_stopped_again_and_again() -> None:
    mock = Mockface(seed="s")
    for _ in range(3):
        with mock:
            assert call(mock.url, "GET", "/_mock")[0] == 200
            url = mock.url
        with pytest.raises(OSError, match="refused"):
            call(url, "GET", "/_mock")
    with pytest.raises(RuntimeError, match="start"):
        _ = mock.url


def test_a_port_that_was_taken_and_never_served_is_given_back() -> None:
    mock = Mockface()
    url = mock.listen()
    port = int(url.rpartition(":")[2])
    mock.stop()
    socket.create_server(("127.0.0.1", port)).close()
    mock.run()  # as after a signal that came too early: it ends at once
    with pytest.raises(RuntimeError, match="listen"):
        mock.run()
    with mock:
        assert call(mock.url, "GET", "/_mock")[0] == 200


def test_an_emulator_that_listens_is_not_started_again(mock: Mockface) -> None:
    url = mock.url
    with pytest.raises(RuntimeError, match="listens already"):
        mock.start()
    assert mock.url == url
    assert call(url, "GET", "/_mock")[0] == 200


def test_another_machine_is_let_in_only_on_purpose() -> None:
    for host in ("0.0.0.0", "192.0.2.1", "mock.example"):
        with pytest.raises(RemoteNotAllowedError, match="--allow-remote"):
            Mockface(host=host)
    with Mockface(host="0.0.0.0", allow_remote=True) as mock:
        assert mock.url.startswith("http://0.0.0.0:")


def test_the_tokens_endpoint_is_where_the_app_server_called(mock: Mockface) -> None:
    token = create(mock.url)["authToken"]
    assert SimulatedClient().start(token).result_id

    with Mockface(seed="s", public_url="http://127.0.0.1:9/base/") as elsewhere:
        token = create(elsewhere.url)["authToken"]
        with pytest.raises(LivenessDetectionError, match="Unexpected"):
            SimulatedClient().start(token)
        assert SimulatedClient(endpoint=elsewhere.url).start(token).digest


def test_a_truncated_answer_breaks_the_connection(mock: Mockface) -> None:
    session_id = create(mock.url)["sessionId"]
    call(mock.url, "POST", "/_mock/faults", {"route": "result", "body": "truncated"})
    path = f"/face/v1.2/detectLiveness-sessions/{session_id}"

    with pytest.raises(http.client.IncompleteRead):
        call(mock.url, "GET", path)
    assert call(mock.url, "GET", path)[0] == 200


def test_a_client_that_gives_up_names_the_time_out(mock: Mockface) -> None:
    token = create(mock.url)["authToken"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(LivenessDetectionError) as gave_up:
            SimulatedClient(endpoint=endpoint, timeout=0.05).start(token)
    assert gave_up.value.liveness_error == "ServerRequestTimedOut"


@pytest.mark.parametrize(
    ("fault", "name"),
    [
        ({"status": 401}, "InvalidToken"),
        ({"status": 403}, "UnexpectedClientError"),
        ({"status": 409}, "UnexpectedClientError"),
        ({"status": 413}, "Unexpected"),
        ({"status": 415}, "Unexpected"),
        ({"status": 429, "body": "garbage"}, "Unexpected"),
        ({"status": 500, "body": "gateway"}, "UnexpectedServerError"),
        ({"body": "truncated"}, "Unexpected"),
    ],
)
def test_the_client_names_errors_as_the_web_element_does(
    mock: Mockface, fault: dict[str, Any], name: str
) -> None:
    token = create(mock.url)["authToken"]
    call(mock.url, "POST", "/_mock/faults", {"route": "attempt"} | fault)
    with pytest.raises(LivenessDetectionError) as refused:
        SimulatedClient().start(token)
    assert (refused.value.liveness_error, refused.value.recognition_error) == (name, "None")


@pytest.mark.parametrize(
    "token", ["", "a.b.c", "x.bnVsbA.y", "é.é.é", "x.eyJraW5kIjoibGl2ZW5lc3MifQ.y"]
)
def test_the_client_refuses_what_is_no_token(token: str) -> None:
    with pytest.raises(LivenessDetectionError, match="InvalidToken"):
        SimulatedClient().start(token)
