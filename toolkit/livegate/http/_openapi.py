"""One operation of the HTTP API, and the OpenAPI 3.1 document of all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import livegate
from livegate.http._schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from livegate.http._bodies import Body
    from livegate.http._endpoints import Call
    from livegate.http.types import Response


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the HTTP API.

    Attributes:
        name: The ``operationId`` in OpenAPI.
        method: In capitals.
        path: Below the prefix; ``{id}`` stands for a session's id.
        endpoint: Makes the response.
        summary: In one line.
        responses: By the status of each success, the name of its schema; None for no body.
        bodies: What the body may be; with none it is not read.
        parameters: Of the query and the headers, as OpenAPI has them.
        response_headers: What the headers of a success say, by their names.
        needs_subject: Whether somebody has to be signed in.
    """

    name: str
    method: str
    path: str
    endpoint: Callable[[Call], Awaitable[Response]]
    summary: str
    responses: dict[int, str | None]
    bodies: tuple[Body, ...] = ()
    parameters: tuple[dict[str, Any], ...] = ()
    response_headers: dict[str, str] = field(default_factory=dict)
    needs_subject: bool = True


def openapi_document(operations: Iterable[Operation], base: str) -> dict[str, Any]:
    """The document of *operations*.

    Args:
        operations: The table.
        base: The prefix as the client has it, percent-encoded and without a slash at its end.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        item = paths.setdefault(operation.path, {})
        if "{id}" in operation.path:
            item["parameters"] = [_ID]
        item[operation.method.lower()] = _describe(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Liveness sessions",
            "version": livegate.__version__,
            "description": "Every session belongs to the user who is signed in.",
        },
        "servers": [{"url": base or "/"}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "responses": {
                "Problem": {
                    "description": "What is wrong.",
                    "headers": {"Retry-After": _header("Seconds to wait before the next try.")},
                    "content": {"application/problem+json": {"schema": _reference("Problem")}},
                }
            },
        },
    }


def _describe(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {"operationId": operation.name, "summary": operation.summary}
    if operation.parameters:
        described["parameters"] = list(operation.parameters)
    if operation.bodies:
        described["requestBody"] = {
            "content": {
                body.media_type: {"schema": _reference(body.schema)} for body in operation.bodies
            }
        }
    problem = {"$ref": "#/components/responses/Problem"}
    described["responses"] = {
        **{str(status): _success(operation, status) for status in operation.responses},
        "4XX": problem,
        "5XX": problem,
    }
    return described


def _success(operation: Operation, status: int) -> dict[str, Any]:
    headers = {name: _header(text) for name, text in operation.response_headers.items()}
    schema = operation.responses[status]
    return {
        "description": _DESCRIPTIONS[status],
        **({"headers": headers} if headers else {}),
        **({"content": {"application/json": {"schema": _reference(schema)}}} if schema else {}),
    }


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


def _reference(schema: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema}"}


_DESCRIPTIONS = {
    200: "Success.",
    201: "The session is started.",
    202: "There is no verdict yet.",
    204: "The session is over.",
}
_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "The `sessionId`.",
    "schema": {"type": "string"},
}
