"""The served OpenAPI documents: valid, complete, and true of the answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.mockface.conftest import OPTIONS, Face
from tests.mockface.described import CheckedService, described, validator

from mockface.images import portrait
from mockface.operations import VERSIONS, of_version
from mockface.scenarios import SCENARIOS
from mockface_command import run

if TYPE_CHECKING:
    from mockface.clock import Clock
    from mockface.service import Service


# They say what the service never says, on purpose.
HOSTILE = {"unknown-decision", "realface-wrong-case"}


@pytest.fixture
def service(service: Service) -> CheckedService:
    return CheckedService(service.engine)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_document_is_valid(version: str) -> None:
    OpenAPIV31SpecValidator(described(version)).validate()


def test_it_is_served_and_printed(service: Service, version: str) -> None:
    face = Face(service, version, key=None)

    served = face.send("GET", f"/_mock/openapi/{version}.json")
    printed = run("openapi", version, "--server", "http://localhost/")

    assert served.status == 200
    assert served.json == json.loads(printed.stdout)
    assert served.json["servers"] == [{"url": f"http://localhost/face/{version}"}]
    assert face.send("GET", f"/_mock/openapi/{version.upper()}").json == served.json


def test_an_unknown_version_has_none(service: Service) -> None:
    answer = Face(service, "v1.2").send("GET", "/_mock/openapi/v9.json")

    assert (answer.status, answer.code) == (404, "404")
    done = run("openapi", "v9")
    assert done.exit_code == 2
    for said in (answer.json["error"]["message"], done.stderr):
        assert "v1.3-preview.1" in said


def test_every_operation_is_described(version: str) -> None:
    paths = described(version)["paths"]
    assert sum(len(methods) for methods in paths.values()) == len(of_version(version))
    named = [paths[o.path][o.method.lower()]["operationId"] for o in of_version(version)]
    assert len(set(named)) == len(named)
    assert all(named)


@pytest.mark.parametrize("verify", [False, True])
def test_every_state_of_a_session_is_as_described(face: Face, *, verify: bool) -> None:
    for scenario in sorted(SCENARIOS.keys() - HOSTILE):
        created = face.create(
            verify=verify, enableSessionImage=True, returnVerifyImageHash=True
        ).json
        session_id, token = created["sessionId"], created["authToken"]
        face.send("POST", "/session/start", authorization=f"Bearer {token}")
        # One more than allowed, so that the refusal is there too
        for _ in range(4):
            face.result(session_id, verify=verify)
            face.attempt(token, verify=verify, x_mockface_scenario=scenario)
        face.send("POST", "/session/attempt/end", authorization=f"Bearer {token}")
        face.result(session_id, verify=verify)
        if face.preview:
            assert face.send("GET", f"{face.paths[verify]}/{session_id}/audit").status == 200
            assert face.send("GET", face.paths[verify]).status == 200
        face.delete(session_id, verify=verify)
        face.delete(session_id, verify=verify)
    assert isinstance(face.service, CheckedService)
    assert face.service.checked == len(SCENARIOS.keys() - HOSTILE) * (16 if face.preview else 14)


def test_what_only_some_versions_have_is_as_described(face: Face, clock: Clock) -> None:
    told = face.create(sendResultsToClient=True).json
    assert face.attempt(told["authToken"]).status == (200 if face.preview else 204)
    later = face.post_json(face.paths[True], OPTIONS)
    assert later.status == (200 if face.preview else 415)
    settings = [
        face.send("GET", "/settings").status,
        face.send("PATCH", "/settings", b"{}", content_type="application/json").status,
        face.send("GET", "/settings/getClientAssetsAccessToken").status,
    ]
    assert settings == [200 if face.version == "v1.3-preview.1" else 404] * 3
    clock.advance(48 * 3600)
    assert face.result(told["sessionId"]).status == 404


def bodies(version: str) -> dict[str, Any]:
    """The request bodies of a version, by operation and content type."""
    return {
        f"{operation['operationId']} {kind}": content["schema"]
        for methods in described(version)["paths"].values()
        for operation in methods.values()
        for kind, content in operation.get("requestBody", {}).get("content", {}).items()
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("livenessOperationMode", "Active"),
        ("authTokenTimeToLiveInSeconds", 59),
        ("deviceCorrelationId", "x" * 65),
        ("numberOfClientAttemptsAllowed", 4),
        ("livenessModelVersion", "2020-01-01"),
        ("sendResultsToClient", "yes"),
    ],
)
def test_the_document_and_the_emulator_agree_on_what_is_wrong(
    face: Face, field: str, value: Any
) -> None:
    schema = bodies(face.version)["CreateLivenessSession application/json"]
    body = OPTIONS | {field: value}

    described_as_right = validator(face.version, schema).is_valid(body)

    assert (face.post_json(face.paths[False], body).status == 200) is described_as_right


def test_a_form_is_described_with_its_file(version: str) -> None:
    (schema,) = (
        schema
        for name, schema in bodies(version).items()
        if name.startswith("CreateLivenessWithVerifySession multipart")
    )
    checked = validator(version, schema)
    picture = portrait(1).decode("latin-1")

    flat = OPTIONS | {"verifyImage": picture}
    nested = {"Parameters": OPTIONS, "VerifyImage": picture}

    assert checked.is_valid(nested if "v1.1" in version or "v1.2-p" in version else flat)
    assert not checked.is_valid(OPTIONS)
