"""The commands that speak to a running emulator."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from tests.mockface.conftest import Face

from mockface import Mockface
from mockface_command import run as mockface

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Command = Callable[..., tuple[int, Any]]


@pytest.fixture
def mock() -> Iterator[Mockface]:
    with Mockface(seed="commands", keys=["k"]) as running:
        yield running


@pytest.fixture
def command(mock: Mockface, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command against the emulator; gives its status and what it printed."""
    monkeypatch.setenv("MOCKFACE_ENDPOINT", mock.url)
    monkeypatch.setenv("MOCKFACE_KEY", "k,other")

    def run(*arguments: str) -> tuple[int, Any]:
        done = mockface(*arguments)
        try:
            return done.exit_code, json.loads(done.stdout)
        except ValueError:
            return done.exit_code, done.stdout

    return run


@pytest.fixture
def face(mock: Mockface) -> Face:
    return Face(mock.service, "v1.2", key="k")


def test_clock(command: Command, face: Face) -> None:
    status, shown = command("clock", "freeze", "2026-01-31T12:00Z")
    assert (status, shown["frozen"]) == (0, True)
    assert command("clock", "advance", "600")[1]["now"].startswith("2026-01-31T12:10:00")
    assert command("clock", "resume")[1]["frozen"] is False
    assert command("clock", "freeze")[1]["frozen"] is True
    assert command("clock")[1]["frozen"] is True
    assert command("clock", "show")[1]["frozen"] is True


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--status", "429", "--retry-after", "7"], {"status": 429, "retryAfter": 7, "route": "*"}),
        (["--route", "create", "--reset", "--count", "0"], {"reset": True, "count": 0}),
        (["--delay", "1.5"], {"delay": 1.5}),
        (["--delay", "0.1-0.5"], {"delay": {"low": 0.1, "high": 0.5}}),
        (["--delay", "0.2~0.5"], {"delay": {"median": 0.2, "sigma": 0.5}}),
        (["--cut-after", "0", "--bytes-per-second", "10"], {"cutAfter": 0, "bytesPerSecond": 10}),
        (["--body", "garbage", "--probability", "0.5", "--count", "3"], {"probability": 0.5}),
    ],
    ids=str,
)
def test_fault_add(command: Command, arguments: list[str], told: dict[str, Any]) -> None:
    status, fault = command("fault", "add", *arguments)
    assert status == 0
    assert fault.items() >= told.items()
    assert command("fault")[1] == {"faults": [fault]}


def test_faults_are_dropped(command: Command, face: Face) -> None:
    for status in (500, 503, 502):
        command("fault", "add", "--status", str(status), "--count", "0")
    assert command("fault", "drop", "1") == (0, "")
    assert command("fault", "drop", "1")[0] == 1
    assert face.create().status == 503
    command("fault", "clear")
    assert face.create().status == 200


def test_the_tier(command: Command, face: Face) -> None:
    assert command("fault", "tier") == (0, {"tier": "none"})
    assert command("fault", "tier", "S0") == (0, {"tier": "S0"})
    assert command("fault", "tier", "S9")[0] == 1


def test_journal(command: Command, face: Face, tmp_path: Path) -> None:
    session_id, _ = face.run()
    face.result("unknown")

    _, lines = command("journal")
    assert [line.split()[2] for line in lines.splitlines()] == ["200", "204", "200", "404"]
    assert lines.splitlines()[-1].endswith("  result  SessionNotFound")
    assert command("journal", "--route", "create")[1].count("\n") == 1
    assert command("journal", "list", "--limit", "1")[1].count("\n") == 1
    _status, shown = command("journal", "list", "--bodies", "--session", session_id)
    assert shown["entries"][0]["request"]["body"]["livenessOperationMode"] == "Passive"
    assert command("journal", "count", "--status", "2xx") == (0, {"count": 3})
    assert command("journal", "wait", "--route", "attempt")[0] == 0
    assert command("journal", "wait", "--route", "delete", "--timeout", "0")[0] == 1
    assert command("journal", "clear") == (0, "")
    assert command("journal") == (0, "")


def test_journal_expect(command: Command, face: Face) -> None:
    face.create()
    expect = ("journal", "expect", "--route", "create", "--body")

    assert command(*expect, '{"livenessOperationMode": "Passive"}')[0] == 0
    status, said = command(*expect, '{"livenessOperationMode": "PassiveActive"}')
    assert status == 1
    assert said["nearest"]["differences"][0]["actual"] == "Passive"
    assert command("journal", "expect", "--route", "delete", "--at-most", "0")[0] == 0
    assert command("journal", "expect", "--answer", '{"sessionId": "*"}', "--at-least", "2")[0] == 1


def test_journal_save(command: Command, face: Face, tmp_path: Path) -> None:
    face.run()
    file = tmp_path / "exchanges.jsonl"

    assert command("journal", "save", str(file)) == (0, f"3 exchanges in {file}\n")

    saved = [json.loads(line) for line in file.read_text().splitlines()]
    assert [exchange["route"] for exchange in saved] == ["create", "attempt", "result"]
    assert saved[0]["request"]["body"]["livenessOperationMode"] == "Passive"
    lost = mockface("journal", "save", str(tmp_path / "no" / "r"))
    assert lost.exit_code == 1
    assert lost.stderr == f"Error: {tmp_path / 'no' / 'r'}: No such file or directory.\n"


def test_reset(command: Command, face: Face) -> None:
    session_id, _ = face.run()
    assert command("reset") == (0, "")
    assert face.result(session_id).status == 404


@pytest.mark.parametrize(
    "arguments",
    [["clock"], ["fault"], ["journal"], ["reset"], ["scenario"]],
    ids=lambda arguments: arguments[0],
)
def test_nothing_runs_there(arguments: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    done = mockface(*arguments, "--endpoint", url)
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert url in done.stderr
    assert "Connection refused; start it with `mockface serve`" in done.stderr


def test_what_the_emulator_refuses_is_told(command: Command, mock: Mockface) -> None:
    unknown = mockface("scenario", "set", "spof", "--endpoint", mock.url)
    assert unknown.exit_code == 1
    assert "wrong-person" in unknown.stderr
    stranger = mockface("journal", "--key", "wrong")
    assert stranger.exit_code == 1
    assert "Access denied" in stranger.stderr


@pytest.mark.parametrize(
    ("variable", "arguments", "word"),
    [
        ("MOCKFACE_PORT", ["serve"], "nine"),
        ("MOCKFACE_JOURNAL_ENTRIES", ["serve"], "nine"),
        ("MOCKFACE_FAULT_ADD_STATUS", ["fault", "add"], "nine"),
        ("MOCKFACE_FAULT_ADD_DELAY", ["fault", "add"], "long"),
        ("MOCKFACE_JOURNAL_WAIT_TIMEOUT", ["journal", "wait"], "nine"),
        ("MOCKFACE_LOOSE", ["serve"], "maybe"),
        ("MOCKFACE_ALLOW_REMOTE", ["serve"], "2"),
    ],
)
def test_the_environment_is_checked_like_the_command_line(
    variable: str,
    arguments: list[str],
    word: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, word)

    done = mockface(*arguments)

    assert done.exit_code == 2
    option = variable.rpartition("_")[2] if len(arguments) > 1 else variable[len("MOCKFACE_") :]
    assert f"'--{option.lower().replace('_', '-')}': '{word}'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["serve", "--journal-bytes", "1000000000000"], "journal_bytes must be"),
        (["serve", "--tier", "nine"], "tier must be one of F0, S0"),
        (["clock", "--endpoint", "nine"], "url must be where the emulator is"),
        (["journal", "expect", "--body", "{"], "'{' is not JSON"),
    ],
)
def test_a_wrong_argument_is_named(arguments: list[str], sentence: str) -> None:
    done = mockface(*arguments)

    assert done.exit_code == 2
    assert sentence in done.stderr


def test_the_command_line_has_the_last_word(
    command: Command, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKFACE_FAULT_ADD_STATUS", "nine")
    assert command("fault", "add", "--status", "500")[1]["status"] == 500
    monkeypatch.setenv("MOCKFACE_KEY", "wrong")
    face.create()
    assert command("journal", "count", "--key", "k") == (0, {"count": 1})


@pytest.mark.parametrize("key", ["", " ", "k\nl", "schl\N{LATIN SMALL LETTER U WITH DIAERESIS}"])
@pytest.mark.parametrize("asked", [["serve"], ["serve", "--bearer"], ["reset"]], ids=" ".join)
def test_a_key_that_no_header_can_carry_is_refused(asked: list[str], key: str) -> None:
    option = [] if "--bearer" in asked else ["--key"]

    done = mockface(*asked, *option, key)

    assert done.exit_code == 2
    assert "ASCII" in done.stderr


def test_flags_and_lists_come_from_the_environment(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKFACE_FAULT_ADD_RESET", "yes")
    monkeypatch.setenv("MOCKFACE_FAULT_ADD_ROUTE", "create")
    _, fault = command("fault", "add")
    assert (fault["reset"], fault["route"]) == (True, "create")
    monkeypatch.setenv("MOCKFACE_FAULT_ADD_RESET", "no")
    assert command("fault", "add", "--status", "500")[1]["reset"] is False
