"""The OpenAPI document, and the fields that requests are checked against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from http_calls import call
from livegate.http import OPERATIONS
from livegate.http._schemas import FINISH_FIELDS, SCHEMAS, START_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from livegate.operations import Runtime


@pytest.fixture
def document(runtime: Runtime) -> Any:
    return call(runtime, "GET", "/openapi.json", subject=None).json


def test_document_is_valid_openapi_3_1(document: Any) -> None:
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"] == "3.1.0"
    assert document["servers"] == [{"url": "/base"}]


def test_document_names_the_host_itself_where_there_is_no_prefix(runtime: Runtime) -> None:
    document = call(runtime, "GET", "/openapi.json", base="").json

    assert document["servers"] == [{"url": "/"}]


def test_document_describes_every_operation(document: Any) -> None:
    described = {
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }

    assert described == {
        ("POST", "/sessions"),
        ("GET", "/sessions"),
        ("GET", "/sessions/{id}"),
        ("HEAD", "/sessions/{id}"),
        ("DELETE", "/sessions/{id}"),
        ("POST", "/sessions/{id}/finish"),
        ("POST", "/sessions/{id}/retry"),
        ("GET", "/openapi.json"),
    }
    names = [operation.name for operation in OPERATIONS]
    assert len(set(names)) == len(names)


def test_document_names_parameters_and_headers(document: Any) -> None:
    found = {
        operation["operationId"]: (
            [each["name"] for each in operation.get("parameters", [])],
            sorted({name for each in operation["responses"].values() for name in _headers(each)}),
        )
        for item in document["paths"].values()
        for method, operation in item.items()
        if method != "parameters"
    }

    assert found == {
        "startSession": (["Idempotency-Key"], ["Location"]),
        "listSessions": (["limit", "state", "cursor"], []),
        "readSession": ([], ["Retry-After"]),
        "peekSession": ([], ["Retry-After"]),
        "cancelSession": ([], []),
        "finishSession": ([], ["Retry-After"]),
        "retrySession": ([], ["Location"]),
        "readOpenapi": ([], []),
    }


def test_parameters_are_described_as_they_are_checked(document: Any) -> None:
    sessions = document["paths"]["/sessions"]
    (key,) = sessions["post"]["parameters"]
    limit, state, _ = sessions["get"]["parameters"]

    assert key["schema"] == {"type": "string", "minLength": 1, "maxLength": 255}
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert (state["style"], state["explode"]) == ("form", False)  # separated by commas


def _headers(response: Any) -> list[str]:
    return list(response.get("headers", {}))


def test_all_objects_are_closed(document: Any) -> None:
    schemas = dict(document["components"]["schemas"])
    del schemas["OpenapiDocument"]

    objects = [each for each in _parts(schemas) if each.get("type") == "object"]

    assert len(objects) > len(schemas)
    assert all(each["additionalProperties"] is False for each in objects)


def test_limits_of_bodies() -> None:
    limits = {
        (operation.name, body.media_type): body.limit
        for operation in OPERATIONS
        for body in operation.bodies
    }

    form = 6 * 1024 * 1024 + 64 * 1024
    assert limits == {
        ("startSession", "application/json"): 16384,
        ("startSession", "multipart/form-data"): form,
        ("finishSession", "application/json"): 16384,
        ("retrySession", "application/json"): 16384,
        ("retrySession", "multipart/form-data"): form,
    }


values = st.one_of(
    st.none(),
    st.integers(),
    st.text(max_size=140),
    st.text("0123456789abcdefABCDEF_", max_size=140),
)


@given(values)
def test_fields_are_checked_as_they_are_described(value: object) -> None:
    for name, field in {**START_FIELDS, **FINISH_FIELDS}.items():
        is_described = Draft202012Validator(field.schema()).is_valid(value)
        assert (value is None or field.accepts(value)) is is_described, name


def test_schemas_are_json_schemas() -> None:
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for each in value.values() if isinstance(value, dict) else value:
        if isinstance(each, dict | list):
            yield from _parts(each)
