"""The commands that speak to a running emulator."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from tests.mockface.conftest import Face

from mockface import Mockface
from mockface.cli import main, parser
from mockface.commands import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Command = Callable[..., tuple[int, Any]]


@pytest.fixture
def mock() -> Iterator[Mockface]:
    with Mockface(seed="commands", keys=["k"]) as running:
        yield running


@pytest.fixture
def command(
    mock: Mockface, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Runs a command against the emulator; gives its status and what it printed."""
    monkeypatch.setenv("MOCKFACE_ENDPOINT", mock.url)
    monkeypatch.setenv("MOCKFACE_KEY", "k,other")

    def run(*arguments: str) -> tuple[int, Any]:
        status = main(arguments)
        output = capsys.readouterr().out
        try:
            return status, json.loads(output)
        except ValueError:
            return status, output

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
    assert command("journal", "save", str(tmp_path / "no" / "r"))[0] == 2


def test_reset(command: Command, face: Face) -> None:
    session_id, _ = face.run()
    assert command("reset") == (0, "")
    assert face.result(session_id).status == 404


@pytest.mark.parametrize(
    "arguments",
    [["clock"], ["fault"], ["journal"], ["reset"], ["scenario"]],
    ids=lambda arguments: arguments[0],
)
def test_nothing_runs_there(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    assert main([*arguments, "--endpoint", url]) == 1
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert url in errors
    assert "mockface serve" in errors


def test_what_the_emulator_refuses_is_told(
    command: Command, mock: Mockface, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scenario", "set", "spof", "--endpoint", mock.url]) == 1
    assert "wrong-person" in capsys.readouterr().err
    assert main(["journal", "--key", "wrong"]) == 1
    assert "Access denied" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "arguments", "word"),
    [
        ("MOCKFACE_PORT", ["serve"], "nine"),
        ("MOCKFACE_TIER", ["serve"], "nine"),
        ("MOCKFACE_JOURNAL_ENTRIES", ["serve"], "nine"),
        ("MOCKFACE_JOURNAL_BYTES", ["serve"], "1000000000000"),
        ("MOCKFACE_ENDPOINT", ["clock"], "nine"),
        ("MOCKFACE_FAULT_STATUS", ["fault", "add"], "nine"),
        ("MOCKFACE_JOURNAL_TIMEOUT", ["journal", "wait"], "nine"),
        ("MOCKFACE_STRICT", ["serve"], "maybe"),
        ("MOCKFACE_ALLOW_REMOTE", ["serve"], "2"),
    ],
)
def test_the_environment_is_checked_like_the_command_line(
    variable: str,
    arguments: list[str],
    word: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(variable, word)
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert f"error: {variable}: {word!r}" in capsys.readouterr().err


def test_the_command_line_has_the_last_word(
    command: Command, face: Face, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKFACE_FAULT_STATUS", "nine")
    assert command("fault", "add", "--status", "500")[1]["status"] == 500
    monkeypatch.setenv("MOCKFACE_KEY", "wrong")
    face.create()
    assert command("journal", "count", "--key", "k") == (0, {"count": 1})
    assert parser("serve").parse_args(["serve", "--key", "mine"]).key == ["mine"]
    monkeypatch.setenv("MOCKFACE_STRICT", "yes")
    assert parser("serve").parse_args(["serve", "--loose"]).strict is False


@pytest.mark.parametrize("key", ["", " ", "k\nl", "schl\N{LATIN SMALL LETTER U WITH DIAERESIS}"])
@pytest.mark.parametrize("asked", [["serve"], ["serve", "--bearer"], ["reset"]], ids=" ".join)
def test_a_key_that_no_header_can_carry_is_refused(
    asked: list[str], key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    option = [] if "--bearer" in asked else ["--key"]
    with pytest.raises(SystemExit) as left:
        main([*asked, *option, key])
    assert left.value.code == 2
    assert "printable ASCII" in capsys.readouterr().err


def test_flags_and_lists_come_from_the_environment(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKFACE_FAULT_RESET", "yes")
    monkeypatch.setenv("MOCKFACE_FAULT_ROUTE", "create")
    _, fault = command("fault", "add")
    assert (fault["reset"], fault["route"]) == (True, "create")
    monkeypatch.setenv("MOCKFACE_FAULT_RESET", "no")
    assert command("fault", "add", "--status", "500")[1]["reset"] is False


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert f"\n  mockface {name}" in shown
    with pytest.raises(SystemExit):
        main(["--help"])
    assert f" {name} " in capsys.readouterr().out
