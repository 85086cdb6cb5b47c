"""The command ``livegate doctor``, run in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from livegate import cli
from livegate.errors import FaceSessionNotFoundError, FaceUnavailableError
from livegate.stores.sqlite import SqliteStore
from mockface import Mockface

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from livegate.testing import FakeFaceService

OWN = ("--orchestrator", "acme:orchestrator")


@pytest.fixture
def deployed(mock: Mockface, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Mockface:
    """A correct deployment."""
    monkeypatch.setenv("VISION_ENDPOINT", mock.url)
    monkeypatch.setenv("VISION_KEY", "a-resource-key")
    monkeypatch.setenv("LIVEGATE_STORE", f"sqlite:///{tmp_path}/sessions.sqlite")
    monkeypatch.setenv("LIVEGATE_FACE_RETRIES", "0")
    return mock


@pytest.fixture
def mock() -> Iterator[Mockface]:
    with Mockface(keys=["a-resource-key"]) as mock:
        yield mock


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[list[str]]]:
    """The exit status, and of each check its status, its name and its text."""
    status = cli.main(["doctor", *arguments])
    lines = capsys.readouterr().out.splitlines()
    return status, [[line.split()[0], *line[9:].split(": ", 1)] for line in lines]


def test_doctor_finds_nothing_wrong_and_creates_nothing(
    deployed: Mockface, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEGATE_NOTIFIERS", "log://")

    status, checks = doctor(capsys)

    assert status == 0
    assert [check[:2] for check in checks] == [
        ["ok", "settings"],
        ["ok", "plugins"],
        ["ok", "store"],
        ["ok", "notifier"],
        ["ok", "service"],
    ]
    entries = deployed.control().journal.entries()
    assert [(entry["method"], entry["status"]) for entry in entries] == [("GET", 404)]


@pytest.mark.parametrize(
    ("changes", "name", "text"),
    [
        ({"VISION_KEY": "another-key"}, "service", "does not accept the credential"),
        ({"VISION_ENDPOINT": "http://127.0.0.1:9"}, "service", "no connection"),
        ({"VISION_ENDPOINT": "ftp://x"}, "settings", "VISION_ENDPOINT"),
        ({"LIVEGATE_API_VERSION": "v9.9"}, "service", "v9.9"),
        ({"LIVEGATE_STORE": "sqlite:///no/such/folder/x.sqlite"}, "store", "folder"),
        ({"LIVEGATE_STORE": "postgres://app:secret-word@db/x"}, "store", "scheme postgres"),
        ({"LIVEGATE_NOTIFIERS": "x://app:secret-word@db"}, "notifier", "scheme x"),
        ({"LIVEGATE_PLUGINS": "no-such-plugin"}, "plugins", "no-such-plugin"),
    ],
)
def test_doctor_names_what_is_wrong(
    deployed: Mockface,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    name: str,
    text: str,
) -> None:
    for variable, value in changes.items():
        monkeypatch.setenv(variable, value)

    status, checks = doctor(capsys)

    assert status == 1
    [failed] = [check for check in checks if check[0] == "failed"]
    assert failed[1] == name
    assert text in failed[2]
    printed = str(checks)
    assert "secret-word" not in printed
    assert "another-key" not in printed
    # What is wrong with one part hides no other one.
    assert {check[1] for check in checks} >= {"settings", "plugins", "store", "service"}


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"status": 403}, "not approved for liveness"),
        ({"status": 500}, "an error of its own"),
        ({"status": 429}, "more calls than its tier allows"),
    ],
)
def test_doctor_reports_what_the_service_says(
    deployed: Mockface, capsys: pytest.CaptureFixture[str], fault: dict[str, Any], text: str
) -> None:
    deployed.control().add_fault("*result*", **fault)

    status, checks = doctor(capsys)

    assert status == 1
    assert checks[-1][:2] == ["failed", "service"]
    assert text in checks[-1][2]


def test_doctor_reports_all_settings_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    status, checks = doctor(capsys)

    assert status == 1
    assert [check[1] for check in checks if check[0] == "failed"] == ["settings"] * 3
    assert [check[1] for check in checks if check[0] == "skipped"] == ["store", "service"]


def test_doctor_says_what_a_store_is_good_for(
    deployed: Mockface, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEGATE_STORE", "memory://")

    _, checks = doctor(capsys)

    assert "for tests only" in dict(check[1:] for check in checks)["store"]


def test_doctor_checks_the_orchestrator_of_an_application(
    acme: Any, face: FakeFaceService, capsys: pytest.CaptureFixture[str]
) -> None:
    face.failures["read"] = FaceUnavailableError("The service is down.")

    status, checks = doctor(capsys, *OWN)

    assert status == 1
    assert [check[:2] for check in checks] == [
        ["ok", "settings"],
        ["ok", "plugins"],
        ["ok", "store"],
        ["failed", "service"],
    ]
    assert face.calls == ["read", "close"]


@pytest.mark.parametrize(
    ("code", "status"),
    [("SessionNotFound", "ok"), (None, "failed")],
)
def test_doctor_does_not_take_any_web_server_for_the_service(
    acme: Any,
    face: FakeFaceService,
    capsys: pytest.CaptureFixture[str],
    code: str | None,
    status: str,
) -> None:
    face.failures["read"] = FaceSessionNotFoundError(
        "There is no such session.", service_status=404, service_code=code
    )

    _, checks = doctor(capsys, *OWN)

    assert checks[-1][:2] == [status, "service"]


def test_doctor_quotes_nothing_of_an_unexpected_failure(
    acme: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ConnectionError("https://app:secret-word@db")

    monkeypatch.setattr(SqliteStore, "purge", fail)

    _, checks = doctor(capsys, *OWN)

    assert checks[2] == ["failed", "store", "a fault in its program: ConnectionError"]
