"""The OpenAPI document of a version, made from the tables by which the emulator answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mockface.dialects import DIALECTS, shapes
from mockface.dialects.reading import FORM
from mockface.dialects.shapes import ref
from mockface.wire import JSON

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mockface.dialects.reading import Field, Type
    from mockface.dialects.routes import Dialect, Route
    from mockface.dialects.shapes import Schema, Shape

_PARAMETER = re.compile(r"\{(\w+)\}")
_FILE = "bytes"

_HEADERS: Schema = {
    "apim-request-id": {
        "description": "The id of the request; audit entries repeat it.",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    }
}
_ERROR_HEADERS: Schema = _HEADERS | {
    "x-ms-error-code": {
        "description": "The code of the body.",
        "required": True,
        "schema": {"type": "string"},
    }
}
_SECURITY: Schema = {
    "resourceKey": {"type": "apiKey", "in": "header", "name": "Ocp-Apim-Subscription-Key"},
    "entraToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "Accepted where the emulator was told which one.",
    },
    "sessionToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The authToken of a session.",
    },
}


def dialect(version: str) -> Dialect:
    """A version by its name, in any case.

    Raises:
        LookupError: There is none; the message lists those that exist.
    """
    for each in DIALECTS:
        if each.version == version.lower():
            return each
    known = ", ".join(each.version for each in DIALECTS)
    raise LookupError(f"Unknown version {version!r}; the known ones are: {known}.")


def document(version: str, server: str = "http://127.0.0.1:8178") -> Schema:
    """The document of a version.

    Args:
        version: Its name, such as `v1.2`.
        server: Scheme and host at which the emulator is reached.

    Returns:
        An OpenAPI 3.1 document, ready for `json.dumps`.

    Raises:
        LookupError: There is no such version.
    """
    described = dialect(version)
    paths: dict[str, Schema] = {}
    for route in described.routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    objects = {name: _object(shape) for name, shape in shapes.of_version(described.version).items()}
    for route in described.routes:
        for body in (route.json, route.form):
            if body is not None:
                objects[body.name] = _table(body.fields)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Face session API {described.version}, as mockface emulates it",
            "version": described.version,
            "description": "Every object may have more fields than are listed, and in an answer "
            "every list of words more words. Where the service's behaviour is not public, the "
            "emulator's is an assumption.",
        },
        "servers": [{"url": f"{server}/face/{described.version}"}],
        "paths": paths,
        "components": {"schemas": objects, "securitySchemes": _SECURITY},
    }


def _operation(route: Route) -> Schema:
    success: Schema = {"description": "It is done.", "headers": _HEADERS}
    if route.gives:
        kind, schema = _answer(route.gives)
        success["content"] = {kind: {"schema": schema}}
    responses = {
        str(route.status): success,
        "default": {
            "description": "It is refused.",
            "headers": _ERROR_HEADERS,
            "content": {JSON: {"schema": ref("FaceErrorResponse")}},
        },
    }
    keys = ["sessionToken"] if route.client_side else ["resourceKey", "entraToken"]
    operation: Schema = {
        "operationId": route.operation,
        "tags": ["front end" if route.client_side else "app server"],
        "security": [{key: []} for key in keys],
        "responses": responses,
    }
    if route.also:
        responses[str(route.also)] = {"description": "It is done.", "headers": _HEADERS}
    if parameters := [*_path_parameters(route.path), *_query_parameters(route.query)]:
        operation["parameters"] = parameters
    content = {
        kind: {"schema": ref(body.name)}
        for kind, body in ((JSON, route.json), (FORM, route.form))
        if body is not None
    }
    if route.takes_file:
        kind, schema = _answer(_FILE)
        content[kind] = {"schema": schema}
    if content:
        needed = route.form is not None or not route.client_side
        operation["requestBody"] = {"content": content, "required": needed}
    return operation


def _answer(gives: str) -> tuple[str, Schema]:
    if gives == _FILE:
        return "application/octet-stream", {"type": "string", "format": "binary"}
    if gives.endswith("[]"):
        return JSON, shapes.array(ref(gives.removesuffix("[]")))
    return JSON, ref(gives)


def _path_parameters(path: str) -> Iterable[Schema]:
    for name in _PARAMETER.findall(path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(table: Iterable[Field]) -> Iterable[Schema]:
    for field in table:
        yield {
            "name": field.name,
            "in": "query",
            "required": field.required,
            "schema": _field(field),
        }


def _object(shape: Shape) -> Schema:
    return {
        "type": "object",
        "properties": {name.removesuffix("?"): schema for name, schema in shape.items()},
        **_required(name for name in shape if not name.endswith("?")),
    }


def _table(table: Iterable[Field]) -> Schema:
    fields = list(table)
    return {
        "type": "object",
        "properties": {field.name: _field(field) for field in fields},
        **_required(field.name for field in fields if field.required),
    }


def _required(names: Iterable[str]) -> Schema:
    listed = list(names)
    return {"required": listed} if listed else {}


def _field(field: Field) -> Schema:
    schema = _type(field.type)
    return schema if field.default is None else schema | {"default": field.default}


def _type(described: Type) -> Schema:
    return _table(described.table) if described.table else dict(described.schema)
