"""What the official client sends for us, and what comes back of it: both versions, both colours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from livegate.session import Attempt, AttemptStatus, Outcome, OutcomeStatus, SessionKind

if TYPE_CHECKING:
    from tests.toolkit.face.conftest import Door, FaceOnLoopback

    from livegate.face.base import FaceSessionRequest

PATHS = {
    ("v1.2", SessionKind.LIVENESS): "/detectLiveness-sessions",
    ("v1.2", SessionKind.LIVENESS_WITH_VERIFY): "/detectLivenessWithVerify-sessions",
    ("v1.2-preview.1", SessionKind.LIVENESS): "/detectLiveness/singleModal/sessions",
    (
        "v1.2-preview.1",
        SessionKind.LIVENESS_WITH_VERIFY,
    ): "/detectLivenessWithVerify/singleModal/sessions",
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


def test_create(
    *,
    door: Door,
    service: FaceOnLoopback,
    version: str,
    kind: SessionKind,
    wanted: FaceSessionRequest,
    created: dict[str, Any],
) -> None:
    # given a service that creates the session
    service.answer(200, created)
    # when it is asked to
    session = door("create", wanted, endpoint=service.endpoint, api_version=version)
    # then it was asked once, at the place of the version and with the key
    (seen,) = service.seen
    assert (seen.method, seen.path) == ("POST", f"/face/{version}{PATHS[version, kind]}")
    assert seen.headers["Ocp-Apim-Subscription-Key"] == KEY
    assert seen.headers["Authorization"] is None
    # and its answer is ours
    assert (session.remote_id, session.auth_token) == (REMOTE_ID, created["authToken"])


@pytest.mark.parametrize("kind", [SessionKind.LIVENESS], indirect=True)
def test_create_liveness_is_json(
    door: Door,
    service: FaceOnLoopback,
    version: str,
    wanted: FaceSessionRequest,
    created: dict[str, Any],
) -> None:
    service.answer(200, created)
    door("create", wanted, endpoint=service.endpoint, api_version=version)
    (seen,) = service.seen
    assert seen.headers["Content-Type"] == "application/json"
    assert seen.json == FIELDS


@pytest.mark.parametrize("kind", [SessionKind.LIVENESS_WITH_VERIFY], indirect=True)
@pytest.mark.parametrize("version", ["v1.2"], indirect=True)
def test_create_with_verify_is_a_flat_form(
    door: Door,
    service: FaceOnLoopback,
    version: str,
    wanted: FaceSessionRequest,
    created: dict[str, Any],
) -> None:
    service.answer(200, created)
    door("create", wanted, endpoint=service.endpoint, api_version=version)
    parts = service.seen[0].parts
    image = parts.pop("verifyImage")
    assert (image.filename, image.content_type) == ("verify-image", "application/octet-stream")
    assert wanted.reference_image is not None
    assert image.content == wanted.reference_image.content
    assert {part.filename for part in parts.values()} == {None}
    assert {name: part.content for name, part in parts.items()} == {
        "livenessOperationMode": b"PassiveActive",
        "deviceCorrelationIdSetInClient": b"false",
        "deviceCorrelationId": b"0f2c1d9e-7a55-4c8e-9d55-2a4be6d3a001",
        "authTokenTimeToLiveInSeconds": b"300",
        "enableSessionImage": b"false",
        "returnVerifyImageHash": b"true",
    }


@pytest.mark.parametrize("kind", [SessionKind.LIVENESS_WITH_VERIFY], indirect=True)
@pytest.mark.parametrize("version", ["v1.2-preview.1"], indirect=True)
def test_create_with_verify_is_parameters_and_image(
    door: Door,
    service: FaceOnLoopback,
    version: str,
    wanted: FaceSessionRequest,
    created: dict[str, Any],
) -> None:
    service.answer(200, created)
    door("create", wanted, endpoint=service.endpoint, api_version=version)
    parts = service.seen[0].parts
    assert set(parts) == {"Parameters", "VerifyImage"}
    assert parts["VerifyImage"].filename == "verify-image"
    assert wanted.reference_image is not None
    assert parts["VerifyImage"].content == wanted.reference_image.content
    assert parts["Parameters"].filename is None
    assert json.loads(parts["Parameters"].content) == {**FIELDS, "returnVerifyImageHash": True}


def test_read(
    door: Door, service: FaceOnLoopback, version: str, kind: SessionKind, result: dict[str, Any]
) -> None:
    # given a service object for new sessions of one version
    service.answer(200, result)
    # when a session of any version is read
    outcome = door("read", kind, REMOTE_ID, version, endpoint=service.endpoint)
    # then it is read at the place of the version that it was created with
    (seen,) = service.seen
    assert (seen.method, seen.path) == ("GET", f"/face/{version}{PATHS[version, kind]}/{REMOTE_ID}")
    assert seen.headers["Ocp-Apim-Subscription-Key"] == KEY
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
def test_delete(
    door: Door, service: FaceOnLoopback, version: str, kind: SessionKind, status: int
) -> None:
    body = {"error": {"code": "SessionNotFound", "message": "…"}} if status == 404 else None
    service.answer(status, body)
    assert door("delete", kind, REMOTE_ID, version, endpoint=service.endpoint) is None
    (seen,) = service.seen
    assert (seen.method, seen.path) == (
        "DELETE",
        f"/face/{version}{PATHS[version, kind]}/{REMOTE_ID}",
    )


@pytest.mark.parametrize("call", ["read", "delete"])
def test_an_impossible_id_goes_into_no_path(
    door: Door, service: FaceOnLoopback, version: str, call: str
) -> None:
    for remote_id in ("", "..", "a/b", "a?b", "{endpoint}", "a" * 65, "a\n"):
        with pytest.raises(ValueError, match="id"):
            door(call, SessionKind.LIVENESS, remote_id, version, endpoint=service.endpoint)
    assert service.seen == []
