"""The command as a whole: what is said when it cannot run."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from mockface.cli import main


def test_without_the_extra_the_remedy_is_named() -> None:
    # Given an interpreter without the packages of the extra `mock`
    code = (
        "import sys\n"
        "sys.modules['jwt'] = None\n"
        "from mockface.cli import main\n"
        "sys.exit(main(['serve', '--port', '0']))\n"
    )

    # When the command is tried
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    # Then it says in a line what to install
    assert done.returncode == 2
    assert "pip install 'livegate[mock]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_reads_only_the_first_line_sees_no_traceback() -> None:
    # Given a reader of the output that has gone already
    asked = [sys.executable, "-m", "mockface", "openapi", "v1.2"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.close()

        # When the command writes more than a pipe takes, then it ends without a word
        assert running.stderr is not None
        assert running.stderr.read() == b""
    assert running.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to offer")
@pytest.mark.parametrize("arguments", [["openapi", "v1.2"], ["serve", "--port", "0"]])
def test_an_output_that_cannot_be_written_is_told(arguments: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mockface", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "mockface: No space left on device\n"


@pytest.mark.parametrize("out", ["face.gif", "face", "face.jpg.txt"])
def test_a_picture_of_another_format_is_not_promised(
    out: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["portrait", "--out", str(tmp_path / out)])
    assert left.value.code == 2
    assert "does not end in .jpg or .png" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_the_distributions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"mockface of livegate {version('livegate')}\n"
