"""What the official client sends for us, and what its responses become."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from livegate.errors import FaceUnavailableError
from livegate.face.transports import requests_transport
from livegate.models import Attempt, AttemptStatus, Outcome, OutcomeStatus, SessionKind

if TYPE_CHECKING:
    from pathlib import Path

    from tests.toolkit.face.conftest import Caller, FaceServer

    from livegate.protocols import FaceSessionRequest

LIVENESS = SessionKind.LIVENESS
VERIFY = SessionKind.LIVENESS_WITH_VERIFY
PATHS = {
    ("v1.2", LIVENESS): "/face/v1.2/detectLiveness-sessions",
    ("v1.2", VERIFY): "/face/v1.2/detectLivenessWithVerify-sessions",
    ("v1.2-preview.1", LIVENESS): "/face/v1.2-preview.1/detectLiveness/singleModal/sessions",
    ("v1.2-preview.1", VERIFY): (
        "/face/v1.2-preview.1/detectLivenessWithVerify/singleModal/sessions"
    ),
}
FIELDS = {
    "livenessOperationMode": "PassiveActive",
    "deviceCorrelationIdSetInClient": False,
    "deviceCorrelationId": "0f2c1d9e-7a55-4c8e-9d55-2a4be6d3a001",
    "authTokenTimeToLiveInSeconds": 300,
    "enableSessionImage": False,
}
REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"
KEY = "0123456789abcdef-canary-key"


def test_create_sends_json_with_the_key_and_returns_the_session(
    caller: Caller, server: FaceServer, liveness: FaceSessionRequest, created: dict[str, Any]
) -> None:
    server.respond(200, created)

    session = caller("create", liveness, "v1.2", endpoint=server.endpoint)

    (received,) = server.received
    assert (received.method, received.path) == ("POST", PATHS["v1.2", LIVENESS])
    assert received.headers["Ocp-Apim-Subscription-Key"] == KEY
    assert received.headers["Authorization"] is None
    assert received.headers["Content-Type"] == "application/json"
    assert received.json == FIELDS
    assert (session.remote_id, session.auth_token) == (REMOTE_ID, created["authToken"])


def test_create_with_verify_sends_a_form_with_one_part_for_each_field(
    caller: Caller, server: FaceServer, verify: FaceSessionRequest, created: dict[str, Any]
) -> None:
    server.respond(200, created)

    caller("create", verify, "v1.2", endpoint=server.endpoint)

    (received,) = server.received
    assert (received.method, received.path) == ("POST", PATHS["v1.2", VERIFY])
    parts = received.parts
    image = parts.pop("verifyImage")
    assert (image.filename, image.content_type) == ("verify-image", "application/octet-stream")
    assert verify.reference_image is not None
    assert image.content == verify.reference_image.content
    assert {part.filename for part in parts.values()} == {None}
    assert {name: part.content for name, part in parts.items()} == {
        "livenessOperationMode": b"PassiveActive",
        "deviceCorrelationIdSetInClient": b"false",
        "deviceCorrelationId": b"0f2c1d9e-7a55-4c8e-9d55-2a4be6d3a001",
        "authTokenTimeToLiveInSeconds": b"300",
        "enableSessionImage": b"false",
        "returnVerifyImageHash": b"true",
    }


def test_create_with_verify_in_the_preview_sends_parameters_and_image(
    caller: Caller, server: FaceServer, verify: FaceSessionRequest, created: dict[str, Any]
) -> None:
    server.respond(200, created)

    caller("create", verify, "v1.2-preview.1", endpoint=server.endpoint)

    parts = server.received[0].parts
    assert set(parts) == {"Parameters", "VerifyImage"}
    assert parts["VerifyImage"].filename == "verify-image"
    assert verify.reference_image is not None
    assert parts["VerifyImage"].content == verify.reference_image.content
    assert parts["Parameters"].filename is None
    assert json.loads(parts["Parameters"].content) == {**FIELDS, "returnVerifyImageHash": True}


def test_read_returns_the_outcome(
    caller: Caller, server: FaceServer, good_results: dict[str, Any]
) -> None:
    server.respond(200, good_results["v1.2"])

    outcome = caller("read", VERIFY, REMOTE_ID, "v1.2", endpoint=server.endpoint)

    (received,) = server.received
    assert (received.method, received.path) == ("GET", f"{PATHS['v1.2', VERIFY]}/{REMOTE_ID}")
    assert received.headers["Ocp-Apim-Subscription-Key"] == KEY
    assert outcome == Outcome(
        OutcomeStatus.ENDED,
        (
            Attempt(
                number=1,
                status=AttemptStatus.SUCCEEDED,
                decision="realface",
                digest="D1" * 32,
                is_identical=True,
                match_confidence=0.93,
                reference_sha256="A2" * 32,
            ),
        ),
    )


@pytest.mark.parametrize("status", [200, 204, 404])
def test_delete_succeeds_when_the_session_is_deleted_or_unknown(
    caller: Caller, server: FaceServer, status: int
) -> None:
    body = {"error": {"code": "SessionNotFound", "message": "…"}} if status == 404 else None
    server.respond(status, body)

    caller("delete", LIVENESS, REMOTE_ID, "v1.2", endpoint=server.endpoint)

    (received,) = server.received
    assert received.method == "DELETE"
    assert received.path == f"{PATHS['v1.2', LIVENESS]}/{REMOTE_ID}"


@pytest.mark.parametrize(("version", "kind"), PATHS)
def test_every_operation_uses_the_version_of_the_session(
    sync_caller: Caller,
    server: FaceServer,
    version: str,
    kind: SessionKind,
    make_request: Any,
    created: dict[str, Any],
    good_results: dict[str, Any],
) -> None:
    # given a service object for new sessions of v1.2
    server.respond(200, created)
    server.respond(200, good_results[version])
    server.respond(204)
    # when it is called for a session of any version
    calls = [
        ("create", make_request(kind), version),
        ("read", kind, REMOTE_ID, version),
        ("delete", kind, REMOTE_ID, version),
    ]
    sync_caller.each(calls, endpoint=server.endpoint, api_version="v1.2")
    # then the paths are those of that version
    path = PATHS[version, kind]
    assert [received.path for received in server.received] == [path, *[f"{path}/{REMOTE_ID}"] * 2]


@pytest.mark.parametrize("operation", ["read", "delete"])
def test_an_id_that_is_not_safe_in_a_path_is_never_sent(
    server: FaceServer, caller: Caller, operation: str
) -> None:
    for remote_id in ("", "..", "a/b", "a?b", "{endpoint}", "a" * 65, "a\n"):
        with pytest.raises(ValueError, match="remote_id"):
            caller(operation, LIVENESS, remote_id, "v1.2", endpoint=server.endpoint)
    assert server.received == []


def test_calls_go_through_the_proxy_of_the_environment(
    caller: Caller,
    server: FaceServer,
    good_results: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given a proxy, and an endpoint that nothing listens at
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.setenv("HTTP_PROXY", server.endpoint)
    server.respond(200, good_results["v1.2"])
    # when a session is read, then the proxy gets the whole URL
    caller("read", VERIFY, REMOTE_ID, "v1.2", endpoint="http://127.0.0.1:1")
    assert server.received[0].path == f"http://127.0.0.1:1{PATHS['v1.2', VERIFY]}/{REMOTE_ID}"


def test_a_socks_proxy_keeps_its_own_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    # given the manager of SOCKS connections, which needs a package of its own
    manager = SimpleNamespace(pool_classes_by_scheme="its own")
    monkeypatch.setattr("requests.adapters.SOCKSProxyManager", lambda *_, **__: manager)
    # when there is a SOCKS proxy, then calls are not sent past it
    adapter: Any = requests_transport(None).session.get_adapter("https://name.example")
    assert adapter.proxy_manager_for("socks5://127.0.0.1") is manager
    assert manager.pool_classes_by_scheme == "its own"


@pytest.mark.usefixtures("server_with_tls")
def test_a_certificate_that_is_not_trusted_is_rejected(caller: Caller, server: FaceServer) -> None:
    server.respond(204)
    with pytest.raises(FaceUnavailableError, match="SSLCertVerificationError"):
        caller("delete", LIVENESS, REMOTE_ID, "v1.2", endpoint=server.endpoint, retries=0)
    assert server.received == []


def test_a_certificate_of_another_host_is_rejected(
    sync_caller: Caller,
    server: FaceServer,
    server_with_tls: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.respond(204)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server_with_tls))
    delete = ("delete", LIVENESS, REMOTE_ID, "v1.2")
    sync_caller(*delete, endpoint=server.endpoint)
    with pytest.raises(FaceUnavailableError, match="SSLCertVerificationError"):
        sync_caller(*delete, endpoint=f"https://localhost:{server.server_port}", retries=0)
    assert len(server.received) == 1
