"""The command as a whole: what it prints when it cannot run."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from mockface import Mockface
from mockface.images import portrait
from mockface_command import run
from tls import tls_proxy

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.mark.process
@pytest.mark.parametrize("package", ["click", "jwt"])
def test_without_the_extra_the_remedy_is_named(package: str) -> None:
    # Given an interpreter without the packages of the extra `mock`
    code = (
        "import sys\n"
        f"sys.modules[{package!r}] = None\n"
        "from mockface.__main__ import run\n"
        "sys.argv = ['mockface', 'serve', '--port', '0']\n"
        "run()\n"
    )

    # When the command is tried
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    # Then it says in a line what to install
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: {package} is not installed; run: pip install 'livegate[mock]'\n"
    )


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
    assert done.stderr == "Error: No space left on device.\n"


@pytest.mark.parametrize("out", ["face.gif", "face", "face.jpg.txt"])
def test_a_picture_of_another_format_is_not_promised(out: str, tmp_path: Path) -> None:
    done = run("portrait", "--out", str(tmp_path / out))

    assert done.exit_code == 2
    assert "does not end in .jpg or .png" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_the_distributions() -> None:
    assert run("--version").stdout == f"mockface of livegate {version('livegate')}\n"


# --- why an attempt has no result -----------------------------------------------------------------


@pytest.fixture(scope="module")
def mock() -> Iterator[Mockface]:
    with Mockface(seed="cli") as running:
        yield running


def create(mock: Mockface, path: str = "detectLiveness", **fields: object) -> str:
    """The token of a new session."""
    body = {"livenessOperationMode": "Passive", **fields}
    created = requests.post(
        f"{mock.url}/face/v1.2/{path}-sessions",
        json=body,
        headers={"Ocp-Apim-Subscription-Key": "a-key"},
        timeout=10,
    )
    return str(created.json()["authToken"])


def test_a_refused_connection_is_named_with_the_remedy(mock: Mockface) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

    done = run("attempt", "--token", create(mock, deviceCorrelationId="d"), "--endpoint", url)

    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: The emulator does not answer: Connection refused. Start it with `mockface serve`, "
        "or set --endpoint.\n"
    )


def test_a_certificate_that_is_not_trusted_is_named_with_the_remedy(
    mock: Mockface, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = create(mock, deviceCorrelationId="d")
    with tls_proxy(mock.url, tmp_path) as (url, certificate):
        refused = run("attempt", "--token", token, "--endpoint", url)
        monkeypatch.setenv("SSL_CERT_FILE", certificate)
        trusted = run("attempt", "--token", token, "--endpoint", url)

    assert refused.exit_code == 1
    assert "certificate is not trusted" in refused.stderr
    assert "SSL_CERT_FILE" in refused.stderr
    assert trusted.exit_code == 0


def test_https_where_http_is_served_is_named(mock: Mockface) -> None:
    url = mock.url.replace("http:", "https:")

    done = run("attempt", "--token", create(mock, deviceCorrelationId="d"), "--endpoint", url)

    assert done.exit_code == 1
    assert "Check whether it is http:// or https://" in done.stderr


def test_a_missing_device_is_named(mock: Mockface) -> None:
    token = create(mock, deviceCorrelationIdSetInClient=True)

    without = run("attempt", "--token", token)
    named = run("attempt", "--token", token, "--device-correlation-id", "phone")

    assert without.exit_code == 1
    assert "deviceCorrelationId" in without.stderr
    assert named.exit_code == 0


def test_a_token_of_somebody_else_is_named() -> None:
    done = run("attempt", "--token", "nonsense")

    assert done.exit_code == 1
    assert json.loads(done.stdout)["livenessError"] == "InvalidToken"
    assert "not the authToken" in done.stderr


def test_the_client_brings_the_reference_image(mock: Mockface, tmp_path: Path) -> None:
    # Given a session of v1.1-preview.1 that leaves the image to the client
    created = requests.post(
        f"{mock.url}/face/v1.1-preview.1/detectLivenessWithVerify/singleModal/sessions",
        json={"livenessOperationMode": "Passive", "deviceCorrelationId": "d"},
        headers={"Ocp-Apim-Subscription-Key": "a-key"},
        timeout=10,
    )
    image = tmp_path / "alice.jpg"
    image.write_bytes(portrait("alice"))

    # When the attempt is made without it and with it
    token = created.json()["authToken"]
    without = run("attempt", "--token", token)
    brought = run("attempt", "--token", token, "--verify-image", str(image))

    # Then only the second one succeeds
    assert json.loads(without.stdout)["livenessError"] == "VerifyImageNotProvided"
    assert brought.exit_code == 0
