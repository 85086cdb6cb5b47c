"""The demo, as a person and as a script run it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from mockface.images import portrait
from processes import interruptible
from terminal import read_until

pytestmark = pytest.mark.process
DEMO = [str(Path(sys.executable).parent / "livegate"), "demo"]
LIVENESS, VERIFICATION = "liveness", "liveness with verification"


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


def test_nine_steps_and_a_verdict_for_each_session() -> None:
    said = lines()

    for session in (LIVENESS, VERIFICATION):
        own = [line for line in said if line["session"] == session]
        assert [line["step"] for line in own[:-1]] == [1, 2, 3, 4, 5, 6, 7, 8, 8, 9]
        assert own[-1]["result"]["state"] == "passed"
        assert "DELETE" in own[-3]["wire"]
        assert own[-3]["wire"].endswith("→ 204")
    assert {line["session"] for line in said} == {LIVENESS, VERIFICATION}


@pytest.mark.parametrize(
    ("outcome", "states"),
    [
        ("spoof", ["rejected", "rejected"]),
        ("uncertain", ["inconclusive", "inconclusive"]),
        ("mask", ["inconclusive", "inconclusive"]),
        ("wrong-person", ["passed", "rejected"]),
    ],
)
def test_every_outcome_ends_well(outcome: str, states: list[str]) -> None:
    said = lines("--outcome", outcome)

    assert [line["result"]["state"] for line in said if "result" in line] == states


def test_a_reference_image_of_ones_own(tmp_path: Path) -> None:
    picture = tmp_path / "me.png"
    picture.write_bytes(portrait("me", "PNG"))

    said = lines("--reference-image", str(picture))

    size = f"{len(picture.read_bytes()):,} bytes"
    assert any(size in line.get("wire", "") for line in said)
    assert said[-1]["result"]["state"] == "passed"


def test_no_secret_is_printed_whole() -> None:
    printed = run().stdout

    assert not re.search(r"eyJ[\w-]{20}", printed)
    assert "demo-resource-key" not in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--outcome", "nonsense"], "known ones are: real, spoof"),
        (["--reference-image", "/no/such.jpg"], "/no/such.jpg: No such file"),
        (["--reference-image", __file__], "image_format_unknown"),
    ],
)
def test_what_is_wrong_is_said_in_words(arguments: list[str], said: str) -> None:
    done = run(*arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_with_a_face_resource_a_terminal_is_needed() -> None:
    done = run(VISION_ENDPOINT="https://me.cognitiveservices.azure.com", VISION_KEY="k")

    assert done.returncode == 2
    assert "need a camera" in done.stderr


def test_in_a_terminal_the_application_stays_up_and_says_where() -> None:
    # Given the demo in a terminal
    terminal, other_end = pty.openpty()
    with interruptible(DEMO, stdin=other_end, stdout=other_end, stderr=other_end) as process:
        os.close(other_end)
        url = read_until(terminal, rb"stays up at (http://[\d.:]+)")[1].decode()

        # When somebody opens the page and signs in
        with requests.Session() as browser:
            assert "Sign in" in browser.get(url, timeout=10).text
            page = browser.post(f"{url}/sign-in", {"user": "bob"}, timeout=10).text

        # Then the page is there, and Ctrl-C ends everything
        assert "Start a session, as bob" in page
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    os.close(terminal)
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=5)
