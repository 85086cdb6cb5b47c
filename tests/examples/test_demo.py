"""The demo, as a person and as a script run it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
import requests

from mockface import SimulatedClient
from mockface.images import portrait
from processes import interruptible
from terminal import read_until

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

pytestmark = pytest.mark.process
DEMO = [sys.executable, "-c", "import sys; from livegate.cli import main; sys.exit(main())", "demo"]
SESSIONS = ["sign-in", "payout", "payout, somebody else in front of the camera"]


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DEMO, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


def lines(*arguments: str) -> list[dict[str, Any]]:
    done = run("--json", *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_each_session_has_eleven_steps_and_an_end() -> None:
    printed = lines()

    assert list(dict.fromkeys(line["session"] for line in printed)) == SESSIONS
    for session in SESSIONS:
        own = [line for line in printed if line["session"] == session]
        assert [line["step"] for line in own[:-1]] == [1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11]
        assert "DELETE" in own[8]["wire"]
        assert own[8]["wire"].endswith("→ 204")


@pytest.mark.parametrize(
    ("outcome", "states"),
    [
        ("real", ["passed", "passed"]),
        ("spoof", ["rejected", "rejected"]),
        ("uncertain", ["inconclusive", "inconclusive"]),
        ("mask", ["inconclusive", "inconclusive"]),
        ("wrong-person", ["passed", "rejected"]),
    ],
)
def test_application_does_what_it_is_asked_for_only_after_a_pass(
    outcome: str, states: list[str]
) -> None:
    ends = [line for line in lines("--outcome", outcome) if "result" in line]

    assert [end["result"]["state"] for end in ends] == [*states, "rejected"]
    statuses = [200 if state == "passed" else 403 for state in states]
    assert [end["response"]["status"] for end in ends] == [*statuses, 403]


def test_own_portrait_is_compared(tmp_path: Path) -> None:
    picture = tmp_path / "me.png"
    picture.write_bytes(portrait("me", "PNG"))

    ends = [line for line in lines("--reference-image", str(picture)) if "result" in line]

    assert [end["result"]["state"] for end in ends] == ["passed", "passed", "rejected"]


def test_no_secret_is_printed_whole() -> None:
    printed = run().stdout

    assert "verdict: rejected (different_person)" in printed
    assert not re.search(r"eyJ[\w-]{20}", printed)
    assert "demo-resource-key" not in printed


@pytest.mark.parametrize(
    ("arguments", "status", "printed"),
    [
        (["--outcome", "nonsense"], 2, "known ones are: real, spoof"),
        (["--reference-image", "/no/such.jpg"], 2, "/no/such.jpg: No such file"),
        (["--reference-image", __file__], 1, "image_format_unknown"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: list[str], status: int, printed: str) -> None:
    done = run(*arguments)

    assert done.returncode == status
    assert printed in done.stderr
    assert "Traceback" not in done.stderr


def test_missing_package_is_one_line_with_the_remedy(tmp_path: Path) -> None:
    hide_rich = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "import livegate_demo.command as command\n"
        "command.find_spec = lambda name: None if name == 'rich' else find(name)\n"
        "from livegate.cli import main; sys.exit(main(['demo']))"
    )

    done = subprocess.run(
        [sys.executable, "-c", hide_rich], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 2
    assert done.stderr == ("livegate: rich is not installed; run: pip install 'livegate[demo]'\n")


def test_face_resource_needs_a_terminal() -> None:
    done = run(VISION_ENDPOINT="https://me.cognitiveservices.azure.com", VISION_KEY="k")

    assert done.returncode == 2
    assert "need a camera" in done.stderr


def test_application_stays_up_in_a_terminal_until_ctrl_c() -> None:
    # Given the demo in a terminal
    terminal, other_end = pty.openpty()
    with interruptible(DEMO, stdin=other_end, stdout=other_end, stderr=other_end) as process:
        os.close(other_end)
        url = read_until(terminal, rb"stays up at (http://[\d.:]+)")[1].decode()

        # When a user signs in, and does by hand what the page does
        with requests.Session() as browser:
            assert "Sign in" in browser.get(url, timeout=10).text
            page = browser.post(f"{url}/sign-in", {"user": "alice"}, timeout=10).text
            paid = pay_as_the_page_does(browser, url, page)

        # Then it is paid, and Ctrl-C ends everything
        assert "Start a session, as alice" in page
        assert paid.json() == {"paid": 7}
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    os.close(terminal)
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)


def pay_as_the_page_does(browser: requests.Session, url: str, page: str) -> requests.Response:
    request = re.search(r'request: \{purpose: "(payout)", transaction: "(payout 7)"\}', page)
    route = re.search(r'route: "(/payouts/7)"', page)
    assert request
    assert route
    body = {"purpose": request[1], "transaction": request[2]}
    started = browser.post(f"{url}/liveness/sessions", json=body, timeout=10).json()
    digest = SimulatedClient().start(started["authToken"]).digest
    finish = f"{url}/liveness/sessions/{started['sessionId']}/finish"
    browser.post(finish, json={"digest": digest}, timeout=10)
    return browser.post(url + route[1], json={"sessionId": started["sessionId"]}, timeout=10)


@pytest.mark.parametrize("until", [rb"A session for", rb"stays up at"])
def test_sigterm_ends_the_processes_of_the_demo(until: bytes, tmp_path: Path) -> None:
    # Given the demo, early or late
    terminal, other_end = pty.openpty()
    files = {"stdin": other_end, "stdout": other_end, "stderr": other_end}
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with interruptible(DEMO, **files, env=environment) as process:
        os.close(other_end)
        read_until(terminal, until)
        children = children_of(process.pid)
        assert len(children) == 2

        # When it is ended with SIGTERM, as a service manager does
        process.terminate()
        status = process.wait(20)

    # Then the emulator and the application are ended, and the files are removed
    os.close(terminal)
    assert status == 128 + signal.SIGTERM
    assert [child for child in children if is_running(child)] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_a_demo_that_is_ended_while_it_starts(number: signal.Signals) -> None:
    with interruptible(DEMO, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        children = wait_for(lambda: children_of(process.pid))

        process.send_signal(number)
        process.wait(20)

        assert wait_for(lambda: not any(map(is_running, children)))


def wait_for(condition: Callable[[], T]) -> T:
    """What *condition* returns, as soon as it is true, within 20 seconds."""
    deadline = time.monotonic() + 20
    while not (result := condition()):
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.005)
    return result


def children_of(process_id: int) -> list[int]:
    listed = Path(f"/proc/{process_id}/task/{process_id}/children")
    return [int(child) for child in listed.read_text().split()]


def is_running(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):  # it ends while it is looked at
        return False
    return state != "Z"
