"""The command ``livegate``, run in this process."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from livegate import AsyncOrchestrator, Orchestrator, Settings, StartRequest, cli
from livegate.errors import FaceUnavailableError, StoreError
from livegate.hooks import hookimpl
from livegate.stores.memory import MemoryStore
from livegate.stores.sqlite import SqliteStore
from livegate.testing import AsyncFakeFaceService

if TYPE_CHECKING:
    from pathlib import Path

    from livegate.testing import FakeFaceService, ManualClock

OWN = ("--orchestrator", "acme:orchestrator")
ENDPOINT = "https://me.cognitiveservices.azure.com"


def start(gate: Orchestrator, subject: str = "alice", purpose: str = "sign-in") -> str:
    return gate.start(StartRequest(subject, purpose)).session.id


# --- arguments -------------------------------------------------------------------------------


@pytest.mark.parametrize("argv", [[], ["nonsense"], ["sessions"], ["erase"]])
def test_wrong_arguments_end_in_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(argv)

    assert end.value.code == 2
    assert "usage: livegate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "printed"), [(["--help"], "doctor"), (["--version"], "livegate 0.")]
)
def test_help_and_version(
    argv: list[str], printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(argv)

    assert end.value.code == 0
    assert printed in capsys.readouterr().out


@pytest.mark.parametrize("subject", ["", "x" * 256, "nul\0"])
def test_subject_that_cannot_be_is_a_wrong_argument(
    subject: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["export", subject])

    assert end.value.code == 2
    assert "argument SUBJECT" in capsys.readouterr().err


def test_each_wrong_setting_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LIVEGATE_MODE", "fast")
    monkeypatch.setenv("LIVEGATE_STOR", "memory://")
    monkeypatch.setenv("LIVEGATE_KEY", "a-key")

    assert cli.main(["sweep"]) == 2

    lines = capsys.readouterr().err.splitlines()
    named = ["LIVEGATE_STOR", "LIVEGATE_MODE", "VISION_ENDPOINT", "LIVEGATE_STORE"]
    assert [line.split()[:2] for line in lines] == [["livegate:", name] for name in named]
    assert "a-key" not in "".join(lines)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("no_such_module:gate", "cannot be imported"),
        ("acme:no_such_name", "cannot be imported"),
        (":", "cannot be imported"),
        ("json:dumps.__doc__", "is not an Orchestrator, but a str"),
        ("acme:make_async", "not an Orchestrator, but a AsyncOrchestrator"),
    ],
)
def test_orchestrator_that_is_none_is_a_wrong_argument(
    acme: Any, name: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    acme.make_async = lambda: AsyncOrchestrator(
        Settings(), face=AsyncFakeFaceService(), store=MemoryStore()
    )

    assert cli.main(["sweep", "--orchestrator", name]) == 2

    assert reason in capsys.readouterr().err


def test_orchestrator_is_found_in_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "our_app.py").write_text(
        "from livegate import Orchestrator, Settings\n"
        "from livegate.testing import FakeFaceService\n"
        "gate = Orchestrator(Settings(), face=FakeFaceService(), store='memory://')\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    assert cli.main(["sweep", "--orchestrator", "our_app:gate"]) == 0


def test_ctrl_c_is_not_a_traceback(acme: Any) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    acme.orchestrator = interrupt

    assert cli.main(["sweep", *OWN]) == 130


def test_reader_that_has_enough_is_not_a_traceback(gate: Orchestrator, tmp_path: Path) -> None:
    command = "from livegate import cli; import sys; sys.exit(cli.main(['export', 'alice']))"
    for _ in range(100):
        start(gate, "alice")
    environment = {
        **os.environ,
        "VISION_ENDPOINT": ENDPOINT,
        "VISION_KEY": "key",
        "LIVEGATE_STORE": f"sqlite:///{tmp_path}/sessions.sqlite",
    }

    with subprocess.Popen(
        [sys.executable, "-c", command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


# --- work that is due ------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["sweep"], ["worker", "--once"]])
def test_sweep_does_what_is_due_and_prints_it(
    gate: Orchestrator,
    clock: ManualClock,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
) -> None:
    session_id = start(gate)
    clock.advance(3600)

    assert cli.main([*command, *OWN]) == 0

    printed = capsys.readouterr().out
    assert printed == "claimed 1, settled 1, deleted 1, delivered 0, failed 0, purged 0\n"
    assert gate.get(session_id, subject="alice").state == "expired"


def test_store_that_is_down_is_one_line_and_status_1(
    acme: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("The store cannot be reached.")

    monkeypatch.setattr(SqliteStore, "claim", fail)

    assert cli.main(["sweep", *OWN]) == 1

    assert capsys.readouterr().err == "livegate: The store cannot be reached.\n"


def test_worker_ends_on_sigterm(acme: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a store in which the worker is sent the signal while it claims
    def claim(*_: object) -> tuple[()]:
        os.kill(os.getpid(), signal.SIGTERM)
        return ()

    monkeypatch.setattr(SqliteStore, "claim", claim)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert cli.main(["worker", *OWN]) == 0
    finally:
        logging.getLogger("livegate").setLevel(logging.NOTSET)
        for number, handler in before.items():
            signal.signal(number, handler)


# --- the sessions of a user ------------------------------------------------------------------


def test_sessions_are_a_table_newest_first(
    gate: Orchestrator, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    first = start(gate)
    clock.advance(60)
    second = start(gate, purpose="payout")
    gate.cancel(second, subject="alice")
    start(gate, "bob")

    assert cli.main(["sessions", "--subject", "alice", *OWN]) == 0

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["ID", "PURPOSE", "STATE", "REMOTE", "CREATED"],
        [second, "payout", "cancelled", "deleted", "2026-01-01T00:01:00+00:00"],
        [first, "sign-in", "ready", "present", "2026-01-01T00:00:00+00:00"],
    ]


def test_sessions_as_json_in_some_states(
    gate: Orchestrator, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [start(gate) for _ in range(3)]
    gate.cancel(ids[0], subject="alice")

    states = ("--state", "cancelled", "--state", "passed")
    assert cli.main(["sessions", "--subject", "alice", *states, "--json", *OWN]) == 0

    assert json.loads(capsys.readouterr().out) == [
        {
            "id": ids[0],
            "purpose": "sign-in",
            "state": "cancelled",
            "remote": "deleted",
            "created": "2026-01-01T00:00:00+00:00",
        }
    ]


def test_sessions_are_all_pages(gate: Orchestrator, capsys: pytest.CaptureFixture[str]) -> None:
    ids = {start(gate) for _ in range(101)}

    assert cli.main(["sessions", "--subject", "alice", "--json", *OWN]) == 0

    assert {row["id"] for row in json.loads(capsys.readouterr().out)} == ids


def test_export_is_everything_as_json(
    gate: Orchestrator, capsys: pytest.CaptureFixture[str]
) -> None:
    session_id = start(gate)

    assert cli.main(["export", "alice", *OWN]) == 0

    [exported] = json.loads(capsys.readouterr().out)
    assert (exported["id"], exported["subject"]) == (session_id, "alice")


@pytest.mark.parametrize("response", ["y\n", "YES\n"])
def test_erase_asks_and_prints_a_receipt(
    gate: Orchestrator,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    response: str,
) -> None:
    start(gate)
    monkeypatch.setattr("builtins.input", lambda _: response.strip())

    assert cli.main(["erase", "alice", *OWN]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "sessions: 1",
        "not deleted by the service yet: 0",
        "erased at: 2026-01-01T00:00:00+00:00",
    ]
    assert gate.find(subject="alice").sessions == ()


@pytest.mark.parametrize("response", ["", "n", "no", EOFError()])
def test_erase_does_nothing_without_a_yes(
    gate: Orchestrator, monkeypatch: pytest.MonkeyPatch, response: object
) -> None:
    start(gate)

    def respond(_: str) -> str:
        if isinstance(response, Exception):
            raise response
        return str(response)

    monkeypatch.setattr("builtins.input", respond)

    assert cli.main(["erase", "alice", *OWN]) == 2

    assert len(gate.find(subject="alice").sessions) == 1


def test_erase_is_pending_as_long_as_the_service_does_not_delete(
    gate: Orchestrator,
    face: FakeFaceService,
    clock: ManualClock,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Given a service that deletes nothing
    start(gate)
    face.failures["delete"] = FaceUnavailableError("The service is down.")

    # When the subject is erased, then it is pending, and not called erased
    assert cli.main(["erase", "alice", "--yes", *OWN]) == 3
    printed = capsys.readouterr().out
    assert "not deleted by the service yet: 1" in printed
    assert "erased at: not yet" in printed

    # When the service deletes again, then a later call completes it
    del face.failures["delete"]
    clock.advance(3600)
    assert cli.main(["erase", "alice", "--yes", *OWN]) == 0
    assert gate.find(subject="alice").sessions == ()


class LockOut:
    name = "lock_out"

    @hookimpl
    def before_start(self) -> None: ...

    @hookimpl
    def start_settled(self) -> None: ...


def test_plugins_are_listed_in_the_order_of_their_calls(
    acme: Any, face: FakeFaceService, capsys: pytest.CaptureFixture[str]
) -> None:
    acme.orchestrator = Orchestrator(
        Settings(), face=face, store=MemoryStore(), plugins=[LockOut()]
    )

    assert cli.main(["plugins", *OWN]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "lock_out: before_start, start_settled"
    assert "livegate.policies.decision: decide" in lines[1:]
