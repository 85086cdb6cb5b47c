"""Every answer against the contract's JSON Schemas, and every example request replayed.

Runs when the environment variable FACE_CONTRACT_DIR names a folder with `schemas/` and `examples/`;
tests/mockface has the expectations that do not need it.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from mockface.engine import Engine
from mockface.images import portrait
from mockface.operations import VERSIONS, of_version
from mockface.scenarios import SCENARIOS
from mockface.service import Service
from mockface.wire import Request, Response

CONTRACT = os.environ.get("FACE_CONTRACT_DIR", "")
KEY = {"ocp-apim-subscription-key": "k"}

pytestmark = pytest.mark.skipif(not CONTRACT, reason="FACE_CONTRACT_DIR names no contract")


@cache
def schema(version: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        (Path(CONTRACT) / "schemas" / f"{version}.json").read_text("utf-8")
    )
    return document


def examples() -> list[Any]:
    if not CONTRACT:
        return []
    return [
        pytest.param(version, json.loads(path.read_text("utf-8")), id=f"{version}/{path.stem}")
        for version in VERSIONS
        for path in sorted((Path(CONTRACT) / "examples" / version).glob("*.json"))
        if path.stem != "errors"  # answers without requests
    ]


def check(version: str, operation: str, response: Response) -> None:
    """The status is one of the operation's, and the body is as its schema says."""
    document = schema(version)
    responses = document["x-operations"][operation]["responses"]
    if response.status >= 400:
        wanted = responses["default"]
        assert response.headers["x-ms-error-code"] == json.loads(response.body)["error"]["code"]
    else:
        assert str(response.status) in responses
        wanted = responses[str(response.status)]
    assert response.headers["apim-request-id"]
    if wanted is None:
        assert response.body == b""
        return
    if wanted.get("$ref") == "#/$defs/SessionImageStream":
        assert response.headers["Content-Type"] == "application/octet-stream"
        assert response.body.startswith(b"\xff\xd8\xff")
        return
    assert response.headers["Content-Type"] == "application/json"
    whole = {"$schema": document["$schema"], "$defs": document["$defs"], **wanted}
    validator = Draft202012Validator(whole, format_checker=FormatChecker())
    validator.validate(json.loads(response.body))


class Caller:
    """Calls operations by the contract's own names and paths."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.service = Service(Engine(keys=["k"], seed="schemas"))

    def call(
        self,
        operation: str,
        session_id: str = "",
        *,
        image_id: str = "",
        body: object = None,
        parts: dict[str, Any] | None = None,
        query: str = "",
    ) -> Response:
        entry = schema(self.version)["x-operations"][operation]
        path = entry["path"].replace("{sessionId}", session_id)
        path = path.replace("{sessionImageId}", image_id)
        headers, data = dict(KEY), b""
        if parts is not None:
            headers["content-type"], data = "multipart/form-data; boundary=B", form(parts)
        elif body is not None:
            headers["content-type"], data = "application/json", json.dumps(body).encode()
        response = self.service.handle(
            Request(entry["method"], f"/face/{self.version}{path}", query, headers, data)
        )
        check(self.version, operation, response)
        return response

    def session_image(self) -> str:
        """The id of a picture that a session has kept."""
        operation, request = next((o, r) for o, r in creates(self.version) if "Verify" not in o)
        body = request["body"] | {"enableSessionImage": True}
        created = json.loads(self.call(operation, body=body).body)
        assert self.attempt(created["authToken"], verify=False, scenario="real").status < 300
        read = operation.replace("Create", "Get") + "Result"
        result = json.loads(self.call(read, created["sessionId"]).body)
        newest = (
            result["result"] if "result" in result else result["results"]["attempts"][0]["result"]
        )
        image_id: str = newest["sessionImageId"]
        return image_id

    def attempt(self, token: str, *, verify: bool, scenario: str) -> Response:
        name = "detectLivenessWithVerify" if verify else "detectLiveness"
        headers = {
            "authorization": f"Bearer {token}",
            "content-type": "multipart/form-data; boundary=B",
            "x-mockface-scenario": scenario,
        }
        path = f"/face/{self.version}/{name}/singleModal"
        data = form({"Metadata": "{}", "Content": b"RIFF"})
        return self.service.handle(Request("POST", path, "", headers, data))


def form(parts: dict[str, Any]) -> bytes:
    body = b""
    for name, value in parts.items():
        file = name.lower() in ("verifyimage", "content")
        text = json.dumps(value) if isinstance(value, bool | int) else value
        data = portrait(1) if name.lower() == "verifyimage" else text
        head = f'--B\r\nContent-Disposition: form-data; name="{name}"'
        head += '; filename="file"' if file else ""
        body += head.encode() + b"\r\n\r\n"
        body += (data if isinstance(data, bytes) else data.encode()) + b"\r\n"
    return body + b"--B--\r\n"


def creates(version: str) -> list[tuple[str, dict[str, Any]]]:
    """The operations that create a session, with the request of their example."""
    found = []
    for path in sorted((Path(CONTRACT) / "examples" / version).glob("Create*.json")):
        example = json.loads(path.read_text("utf-8"))
        found.append((example["operation"], request_of(example)))
    return found


def request_of(example: dict[str, Any]) -> dict[str, Any]:
    request = example.get("request", {})
    if "parts" in request:
        return {"parts": request["parts"]}
    return {"body": request["body"]} if "body" in request else {}


@pytest.mark.parametrize(("version", "example"), examples())
def test_every_example_request_is_taken(version: str, example: dict[str, Any]) -> None:
    # Given an emulator with a session for the operations that name one
    caller = Caller(version)
    operation = example["operation"]
    session_id = ""
    if "sessionId" in example.get("path", {}):
        family = "WithVerify" if "WithVerify" in operation else "CreateLivenessSession"
        create, request = next((o, r) for o, r in creates(version) if family in o)
        created = json.loads(caller.call(create, **request).body)
        session_id = created["sessionId"]

    request, image_id = request_of(example), ""
    if "sessionImageId" in example.get("path", {}) or "DetectFromSession" in operation:
        image_id = caller.session_image()
    if "DetectFromSession" in operation:
        request = {"body": {"sessionImageId": image_id}}

    # When the example's request is sent
    query = "&".join(f"{name}={value}" for name, value in example.get("query", {}).items())
    response = caller.call(operation, session_id, image_id=image_id, query=query, **request)

    # Then the answer is a success of the same status
    assert str(response.status) in example["responses"]


@pytest.mark.parametrize("scenario", [name for name, row in SCENARIOS.items() if not row.hostile])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_state_of_a_session_is_as_the_schema_says(version: str, scenario: str) -> None:
    for create, request in creates(version):
        caller = Caller(version)
        verify = "WithVerify" in create
        family = "LivenessWithVerify" if verify else "Liveness"
        created = json.loads(caller.call(create, **request).body)
        session_id, token = created["sessionId"], created["authToken"]
        reads = [name for name in schema(version)["x-operations"] if f"Get{family}Session" in name]
        assert reads

        # One more than allowed, so that the refusal is there too
        for _ in range(4):
            for read in reads:
                caller.call(read, session_id)
            response = caller.attempt(token, verify=verify, scenario=scenario)
            assert response.status in (200, 204, 400, 403)
        delete = f"LivenessSessionOperations_Delete{family}Session"
        assert caller.call(delete, session_id).status in (200, 204)
        assert caller.call(delete, session_id).status == 404
        for read in reads:
            caller.call(read, session_id)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_of_the_contract_is_served(version: str) -> None:
    served = {(each.method, each.path) for each in of_version(version)}
    wanted = {
        (entry["method"], entry["path"]) for name, entry in schema(version)["x-operations"].items()
    }
    assert wanted <= served
    beyond = {(method, path) for method, path in served - wanted}
    # The contract is about sessions; that the first version can detect, its client library says.
    detection = {("POST", "/detect")} if version == "v1.1-preview.1" else set()
    assert beyond == detection | {
        ("POST", "/session/start"),
        ("POST", "/detectLiveness/singleModal"),
        ("POST", "/detectLivenessWithVerify/singleModal"),
        ("POST", "/session/attempt/end"),
    }
