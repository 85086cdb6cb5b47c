"""Holds answers against the served OpenAPI document of their version."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker

from mockface.openapi import document
from mockface.service import Service

if TYPE_CHECKING:
    from mockface.wire import Request, Response


@cache
def described(version: str) -> dict[str, Any]:
    made: dict[str, Any] = document(version)
    return made


@cache
def _paths(version: str) -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    return [
        (re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(f"/face/{version}{path}"))), methods)
        for path, methods in described(version)["paths"].items()
    ]


def operation_of(version: str, request: Request) -> dict[str, Any] | None:
    """What the document says of a request's operation, if it has it."""
    for path, methods in _paths(version):
        if path.fullmatch(request.path):
            found: dict[str, Any] | None = methods.get(request.method.lower())
            return found
    return None


def validator(version: str, schema: object) -> Draft202012Validator:
    whole = {"components": described(version)["components"], "allOf": [schema]}
    return Draft202012Validator(whole, format_checker=FormatChecker())


def check(version: str, request: Request, response: Response) -> None:
    """The answer has a status, headers and a body that the document has for the operation."""
    operation = operation_of(version, request)
    if operation is None:
        assert response.status == 404
        return
    said = operation["responses"].get(str(response.status))
    if said is None:
        assert response.status >= 400
        said = operation["responses"]["default"]
    for name, header in said["headers"].items():
        validator(version, header["schema"]).validate(response.headers[name])
    if "content" not in said:
        assert response.body == b""
        return
    kind = response.headers["Content-Type"]
    if kind == "application/json":
        validator(version, said["content"][kind]["schema"]).validate(json.loads(response.body))
    assert kind in said["content"]


class CheckedService(Service):
    """Holds every answer of the emulated service against its document."""

    checked = 0

    def handle(self, request: Request) -> Response:
        response = super().handle(request)
        if request.path.startswith("/face/"):
            check(request.path.split("/")[2], request, response)
            self.checked += 1
        return response
