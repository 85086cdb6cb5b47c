"""https: a certificate made for the run, files, and a proxy that ends TLS."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.mockface.conftest import OPTIONS

from mockface import ControlClient, ControlError, Mockface, SimulatedClient
from mockface.tls import make_certificate
from processes import interruptible

if TYPE_CHECKING:
    from collections.abc import Iterator

SESSIONS = "/face/v1.2/detectLiveness-sessions"


@pytest.fixture
def mock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mockface]:
    """An emulator with a made certificate, which this process trusts."""
    with Mockface(seed="tls", bearer="entra", keys=["k"], tls=True) as running:
        monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
        yield running


def test_a_made_certificate_is_good_for_loopback(mock: Mockface) -> None:
    assert mock.url.startswith("https://127.0.0.1:")
    for host in ("127.0.0.1", "localhost"):
        control = ControlClient(mock.url.replace("127.0.0.1", host), "k")
        assert control.call("GET", "health") == {"status": "ok"}


def test_nobody_has_to_trust_it(mock: Mockface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ControlError, match="certificate verify failed"):
        ControlClient(mock.url).about()


def test_a_whole_session_over_https_with_an_entra_token(mock: Mockface) -> None:
    """azure-core sends no token over http."""
    face = pytest.importorskip("azure.ai.vision.face")
    credentials = pytest.importorskip("azure.core.credentials")

    class Entra:
        def get_token(self, *_: str, **__: Any) -> Any:
            return credentials.AccessToken("entra", int(time.time()) + 3600)

    body = face.models.CreateLivenessSessionContent(
        liveness_operation_mode="Passive", device_correlation_id="d"
    )
    # The endpoint ends in a slash, as in the service's own templates
    with face.FaceSessionClient(
        f"{mock.url}/", Entra(), connection_verify=str(mock.certificate)
    ) as client:
        created = client.create_liveness_session(body)
        assert SimulatedClient().start(created.auth_token).digest  # at the token's endpoint
        read = client.get_liveness_session_result(created.session_id)

    assert read.result.response.body.liveness_decision == "realface"


def test_a_connection_of_https_can_be_reset(mock: Mockface) -> None:
    control = ControlClient(mock.url, "k")
    control.add_fault("session-start", reset=True)
    client = mock.app.test_client()
    headers = {"Ocp-Apim-Subscription-Key": "k"}
    token = client.post(SESSIONS, json=OPTIONS, headers=headers).get_json()
    with pytest.raises(Exception, match="Unexpected") as failed:
        SimulatedClient(endpoint=mock.url).start(token["authToken"])
    assert isinstance(failed.value.__cause__, ConnectionResetError)


def test_files_are_served_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate, key = make_certificate("127.0.0.1", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Mockface(tls_certificate=certificate, tls_key=str(key)) as mock:
        assert mock.certificate == certificate
        assert ControlClient(mock.url).about()


def test_wrong_files_are_named(tmp_path: Path) -> None:
    certificate, key = make_certificate("127.0.0.1", tmp_path)
    (tmp_path / "none.pem").write_text("none")
    with pytest.raises(ValueError, match="must be given together"):
        Mockface(tls_certificate=certificate)
    for wrong in (certificate.with_name("none.pem"), certificate.with_name("missing.pem")):
        with pytest.raises(ValueError, match=f"belong together: .*{wrong.name}"):
            Mockface(tls_certificate=certificate, tls_key=wrong).listen()
    with pytest.raises(RuntimeError, match="tls=True"):
        _ = Mockface().certificate
    assert key.stat().st_mode & 0o077 == 0


@pytest.mark.process
def test_serve_prints_what_to_trust() -> None:
    command = [sys.executable, "-m", "mockface", "serve", "--port", "0", "--tls"]
    with interruptible(command, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdout.readline().startswith("mockface listening on https://127.0.0.1:")
        assert server.stdout.readline().startswith("dashboard at https://")
        path = Path(server.stdout.readline().split()[-1])
        assert "CERTIFICATE" in path.read_text()
        server.terminate()
        server.wait(20)
    assert not path.exists()


@pytest.mark.parametrize(
    ("trusted", "said", "scheme"),
    [
        (True, "https", "https"),
        (True, "HTTPS, http", "https"),
        (True, "gopher", "http"),
        (True, None, "http"),
        (False, "https", "http"),
    ],
)
def test_the_scheme_behind_a_proxy(*, trusted: bool, said: str | None, scheme: str) -> None:
    mock = Mockface(keys=["k"], trust_proxy=trusted)
    headers = {"Ocp-Apim-Subscription-Key": "k"}
    if said is not None:
        headers["X-Forwarded-Proto"] = said

    created = mock.app.test_client().post(SESSIONS, json=OPTIONS, headers=headers).get_json()

    claims = mock.engine.tokens.read(created["authToken"])
    assert claims.endpoint == f"{scheme}://localhost"
