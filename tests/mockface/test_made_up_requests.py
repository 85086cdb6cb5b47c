"""Schemathesis makes requests of the served documents, right and wrong ones; no answer surprises.

Everything goes through WSGI, no socket is opened, and every run makes the same requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok
from tests.mockface.conftest import CLIENT, DEVICE, Face

from mockface import Mockface
from mockface.images import portrait
from mockface.openapi import document
from mockface.operations import VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemathesis import APIOperation, Case

load_all_checks()
CONFORMS: Any = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
PORTRAIT = portrait(1)
BOUNDED = settings(
    max_examples=6,
    database=None,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


class Resource:
    """An emulator behind WSGI, with a fresh session for every request that needs one."""

    def __init__(self, version: str) -> None:
        mock = Mockface(keys=["k"], seed="schemathesis")
        self.face = Face(mock.service, version, key="k")
        self.schema = schemathesis.openapi.from_dict(document(version))
        self.schema.app = mock.app

    def send(self, case: Case[Any], *, token: str) -> int:
        client_side = case.operation.path in {*CLIENT.values(), *CLIENT_CALLS}
        headers = (
            {"Authorization": f"Bearer {token}"}
            if client_side
            else {"Ocp-Apim-Subscription-Key": "k"}
        )
        response = case.call(headers=headers)
        case.validate_response(response, checks=CONFORMS)
        return int(response.status_code)

    def operations(self) -> list[APIOperation[Any, Any, Any, Any]]:
        found = list(self.schema.get_all_operations())
        assert all(isinstance(each, Ok) for each in found)
        return [each.ok() for each in found if isinstance(each, Ok)]


CLIENT_CALLS = ("/session/start", "/session/attempt/end")


def sensible(case: Case[Any]) -> None:
    """What the schemas cannot say: a file is a picture, an id is needed from just one side."""
    values: Any = case.body
    if not isinstance(values, dict):
        return
    if case.media_type == "multipart/form-data":
        # The client of the tests writes an odd name without quoting, and an empty field without
        # the end of its line.
        for name, value in list(values.items()):
            is_empty = getattr(value, "data", value) in ("", b"")
            if is_empty or not (name.isascii() and name.isidentifier()):
                del values[name]
    for name in ("verifyImage", "VerifyImage"):
        if name in values:
            values[name] = PORTRAIT
    values = values.get("Parameters", values)
    if "livenessOperationMode" in values:
        values["deviceCorrelationId"] = DEVICE
        values["deviceCorrelationIdSetInClient"] = False
        values["userCorrelationIdSetInClient"] = False
        if "expectedClientIpAddress" in values:
            values["expectedClientIpAddress"] = "192.0.2.0/24"


def run(
    operation: APIOperation[Any, Any, Any, Any],
    mode: GenerationMode,
    act: Callable[[Case[Any]], int],
) -> list[int]:
    statuses: list[int] = []

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Case[Any]) -> None:
        statuses.append(act(case))

    each()
    return statuses


@pytest.mark.parametrize("version", VERSIONS)
def test_requests_as_described_are_taken(version: str) -> None:
    resource = Resource(version)

    def act(case: Case[Any]) -> int:
        verify = "WithVerify" in case.operation.path
        created = resource.face.create(verify=verify, enableSessionImage=True).json
        if case.operation.path == "/detect" or "sessionImageId" in case.path_parameters:
            resource.face.attempt(created["authToken"])
            result = resource.face.result(created["sessionId"]).json
            picture = resource.face.newest(result).get("sessionImageId")
            if case.operation.path == "/detect":
                as_json = case.media_type == "application/json"
                case.body = {"sessionImageId": picture} if as_json else PORTRAIT
            else:
                case.path_parameters["sessionImageId"] = picture
            # Which of them go together, no schema says.
            for name in ("returnFaceAttributes", "returnFaceLandmarks"):
                case.query.pop(name, None)
        if "sessionId" in case.path_parameters:
            case.path_parameters["sessionId"] = created["sessionId"]
        sensible(case)
        if "start" in case.query:
            audited = case.operation.path.endswith("/audit")
            case.query["start"] = "1" if audited else created["sessionId"]
        if isinstance(case.body, dict) and case.operation.path in CLIENT.values():
            case.body.pop("VerifyImage", None)  # the session has one already
        if case.operation.path == CLIENT_CALLS[0]:
            case.body = {}  # and no session leaves its ids to the client
        return resource.send(case, token=created["authToken"])

    for operation in resource.operations():
        statuses = run(operation, GenerationMode.POSITIVE, act)
        assert set(statuses) <= {200, 204}, operation.label
        assert statuses, operation.label


@pytest.mark.parametrize("version", VERSIONS)
def test_requests_that_are_not_as_described_break_nothing(version: str) -> None:
    resource = Resource(version)
    created = resource.face.create(numberOfClientAttemptsAllowed=1).json
    refused = 0

    for operation in resource.operations():
        statuses = run(
            operation,
            GenerationMode.NEGATIVE,
            lambda case: resource.send(case, token=created["authToken"]),
        )
        refused += sum(status >= 400 for status in statuses)

    assert refused > 50
