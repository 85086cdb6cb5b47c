"""The command: where its subcommands come from, and that what is wrong is said in words."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

import pytest

from livegate import cli
from livegate.errors import ConfigurationError

if TYPE_CHECKING:
    import argparse

RUNS: dict[str, Any] = {"ok": lambda _: 0, "three": lambda _: 3}


def add(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser("sample", help="a sample")
    parser.add_argument("how")
    parser.set_defaults(run=lambda arguments: RUNS[arguments.how](arguments))


@pytest.fixture(autouse=True)
def sample_command(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("sample", f"{__name__}:add", cli.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _: add)
    monkeypatch.setattr(cli, "entry_points", lambda group: [point] if group == cli.GROUP else [])


def test_a_subcommand_runs_and_its_status_is_the_commands() -> None:
    assert cli.main(["sample", "ok"]) == 0
    assert cli.main(["sample", "three"]) == 3


def test_an_error_of_ours_is_one_line_and_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(_: object) -> int:
        raise ConfigurationError("LIVEGATE_STORE is not set.")

    monkeypatch.setitem(RUNS, "fails", fails)

    assert cli.main(["sample", "fails"]) == 2
    assert capsys.readouterr().err == "livegate: LIVEGATE_STORE is not set.\n"


def test_ctrl_c_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setitem(RUNS, "interrupted", interrupted)

    assert cli.main(["sample", "interrupted"]) == 130


@pytest.mark.parametrize("argv", [[], ["nonsense"]])
def test_an_unknown_command_is_told_with_the_known_ones(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(argv)

    assert end.value.code == 2
    assert "usage: livegate" in capsys.readouterr().err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    for argv, said in ((["--help"], "a sample"), (["--version"], "livegate 0.")):
        with pytest.raises(SystemExit) as end:
            cli.main(argv)
        assert end.value.code == 0
        assert said in capsys.readouterr().out
