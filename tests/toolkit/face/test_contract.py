"""Our requests and parsers against the service's description and examples, where these are at hand.

They are not part of this repository: set ``FACE_CONTRACT_DIR`` to a folder with a JSON Schema for
each version in ``schemas`` and example bodies in ``examples/VERSION``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from livegate.face.responses import Operation, Response, error_for
from livegate.face.versions import API_VERSIONS, get_version
from livegate.face.versions.common import parse_session
from livegate.models import AttemptStatus, SessionKind
from livegate.protocols import FaceSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate.protocols import FaceSessionRequest

FOLDER = os.environ.get("FACE_CONTRACT_DIR")
CONTRACT = Path(FOLDER or "unset")
REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"

pytestmark = pytest.mark.skipif(FOLDER is None, reason="FACE_CONTRACT_DIR is not set")


def schema_of(version: str) -> Any:
    return json.loads((CONTRACT / "schemas" / f"{version}.json").read_text("utf-8"))


def examples(*patterns: str, versions: tuple[str, ...] = API_VERSIONS) -> list[Any]:
    found = [
        (version, path)
        for version in versions
        for pattern in patterns
        for path in sorted((CONTRACT / "examples" / version).glob(pattern))
    ]
    return [
        pytest.param(version, json.loads(path.read_text("utf-8")), id=f"{version}-{path.stem}")
        for version, path in found
    ]


def test_the_examples_are_there() -> None:
    names = [param.id for param in examples("*.json")]
    assert any("doc_Get" in str(name) for name in names)
    assert len(names) > 15


def test_a_create_is_as_described(
    version: str, kind: SessionKind, make_request: Callable[[SessionKind], FaceSessionRequest]
) -> None:
    # given the request of a version
    wire = get_version(version).create_request(make_request(kind))
    path = wire.path.removeprefix(f"/{version}")
    # when it is looked up in the description
    schema = schema_of(version)
    media_type = "application/json" if wire.file is None else "multipart/form-data"
    (operation,) = (
        operation
        for operation in schema["x-operations"].values()
        if (operation["method"], operation["path"]) == (wire.method, path)
        and media_type in operation["request"]
    )
    described = operation["request"][media_type]
    # then each field is of its type, and is known there
    definition = schema["$defs"][described["$ref"].removeprefix("#/$defs/")]
    sent = fields(wire.json, wire.form, definition)
    if wire.file is not None:
        sent[wire.file[0]] = "<file>"
    Draft202012Validator({**schema, **described}).validate(sent)
    assert set(sent) <= set(definition["properties"])
    if "Parameters" in sent:
        inner = definition["properties"]["Parameters"]["contentSchema"]
        parameters = json.loads(sent["Parameters"])
        Draft202012Validator({**schema, **inner}).validate(parameters)
        known = schema["$defs"][inner["$ref"].removeprefix("#/$defs/")]["properties"]
        assert set(parameters) <= set(known)


def fields(body: Any, form: Any, definition: Any) -> dict[str, Any]:
    """The fields with their types, which a form does not have."""
    if form is None:
        return dict(body)
    texts = {
        name
        for name, described in definition["properties"].items()
        if described.get("type", "string") == "string"
    }
    return {name: text if name in texts else json.loads(text) for name, text in form.items()}


@pytest.mark.parametrize(("version", "example"), examples("Create*.json"))
def test_each_example_of_a_create_is_parsed(version: str, example: Any) -> None:
    session = parse_session(example["responses"]["200"]["body"])
    assert session == FaceSession(REMOTE_ID, "eyJhbGciOiJFUzI1NiIsIm")


@pytest.mark.parametrize(("version", "example"), examples("*Get*SessionResult.json"))
def test_each_example_of_a_result_is_parsed(version: str, example: Any) -> None:
    outcome = get_version(version).parse_outcome(
        example["responses"]["200"]["body"], example["path"]["sessionId"]
    )
    assert outcome.attempts
    expected = AttemptStatus.SUCCEEDED if version == "v1.2" else AttemptStatus.UNKNOWN
    # the examples of the preview have a result while the session is not started
    assert outcome.attempts[-1].status is expected


@pytest.mark.parametrize(
    ("version", "example"),
    examples("docdraft_Get*SessionResult.json", versions=("v1.1-preview.1",)),
)
def test_each_draft_of_a_result_is_parsed(version: str, example: Any) -> None:
    body = example["responses"]["200"]["body"]
    outcome = get_version("v1.2-preview.1").parse_outcome(body, body["id"])
    assert [attempt.decision for attempt in outcome.attempts] == ["realface"]


@pytest.mark.parametrize(
    ("version", "example"),
    examples("recorded_*AuditEntries.json", versions=("v1.1-preview.1",)),
)
def test_each_recorded_entry_is_parsed(version: str, example: Any) -> None:
    for entry in example["responses"]["200"]["body"]:
        body = {
            "id": REMOTE_ID,
            "status": "ResultAvailable",
            "sessionExpired": False,
            "result": entry,
        }
        (attempt,) = get_version("v1.2-preview.1").parse_outcome(body, REMOTE_ID).attempts
        assert attempt.status is AttemptStatus.SUCCEEDED
        assert (attempt.number, attempt.decision) == (entry["id"], "spoofface")
        assert attempt.digest == entry["digest"]


@pytest.mark.parametrize(
    ("version", "example"),
    examples("errors.json", versions=("v1.1-preview.1", "v1.3-preview.1")),
)
def test_each_example_of_an_error_keeps_its_code(version: str, example: Any) -> None:
    for status, answer in example["responses"].items():
        content = json.dumps(answer["body"]).encode()
        failure = error_for(
            Operation.CREATE, Response(int(status), {}, content, None, received_at=0)
        )
        assert failure is not None
        assert failure.service_status == int(status)
        assert failure.service_code == answer["body"]["error"].get("code")
