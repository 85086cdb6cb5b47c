"""The OpenAPI document of a version, made from the tables by which the emulator answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from mockface import operations
from mockface.api.models import FaceErrorResponse
from mockface.api.reading import FORM
from mockface.validation import CODE
from mockface.wire import JSON

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mockface.operations import Operation

Schema = dict[str, Any]

_PARAMETER = re.compile(r"\{(\w+)\}")

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
    served = operations.of_version(version)
    if not served:
        known = ", ".join(operations.VERSIONS)
        raise LookupError(f"Unknown version {version!r}; the known ones are: {known}.")
    schemas = _Schemas(served)
    paths: dict[str, Schema] = {}
    for each in served:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, schemas)
    name = served[0].version
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"Face session API {name}, as mockface emulates it",
            "version": name,
            "description": "Every object may have more fields than are listed, and in an answer "
            "every list of words more words. Where the service's behaviour is not public, the "
            "emulator's is an assumption.",
        },
        "servers": [{"url": f"{server}/face/{name}"}],
        "paths": paths,
        "components": {"schemas": schemas.components, "securitySchemes": _SECURITY},
    }


class _Schemas:
    """The schemas of all models of a version.

    Args:
        served: Its operations.
    """

    def __init__(self, served: Iterable[Operation]) -> None:
        models: list[Any] = [FaceErrorResponse]
        for each in served:
            takes = each.takes if each.json else None
            models += [m for m in (takes, each.form, each.query, _item(each.gives)) if m]
        unique = list(dict.fromkeys(model for model in models if model is not bytes))
        found, components = msgspec.json.schema_components(
            unique, ref_template="#/components/schemas/{name}"
        )
        self._of = dict(zip(unique, found, strict=True))
        # Words stand where they are used: a reader need not look them up.
        self._words = {
            f"#/components/schemas/{name}": {"type": "string", "enum": schema["enum"]}
            for name, schema in components.items()
            if "enum" in schema
        }
        queries = {each.query.__name__ for each in served if each.query}
        self.components: Schema = {
            name: self._plain(schema)
            for name, schema in components.items()
            if "enum" not in schema and name not in queries
        }
        self._queries = {name: self._plain(components[name]) for name in queries}

    def of(self, model: Any) -> Schema:
        """The schema of a model, of a list of models, or of a file."""
        if model is bytes:
            return {"type": "string", "format": "binary"}
        if isinstance(model, list):
            return {"type": "array", "items": self.of(model[0])}
        schema: Schema = self._of[model]
        return schema

    def query(self, model: Any) -> Schema:
        """The schemas of the fields of a query."""
        properties: Schema = self._queries[model.__name__]["properties"]
        return properties

    def _plain(self, schema: Any) -> Any:
        """A schema without titles, and with its words."""
        if isinstance(schema, list):
            return [self._plain(each) for each in schema]
        if not isinstance(schema, dict):
            return schema
        known = self._words.get(str(schema.get("$ref")))
        if known is not None:
            schema = {name: value for name, value in schema.items() if name != "$ref"} | known
        return {
            name: self._plain(value)
            for name, value in schema.items()
            if name not in ("title", CODE) or not isinstance(value, str)
        }


def _item(model: Any) -> Any:
    return model[0] if isinstance(model, list) else model


def _operation(each: Operation, schemas: _Schemas) -> Schema:
    success: Schema = {"description": "It is done.", "headers": _HEADERS}
    if each.gives:
        kind = "application/octet-stream" if each.gives is bytes else JSON
        success["content"] = {kind: {"schema": schemas.of(each.gives)}}
    responses = {
        str(each.status): success,
        "default": {
            "description": "It is refused.",
            "headers": _ERROR_HEADERS,
            "content": {JSON: {"schema": schemas.of(FaceErrorResponse)}},
        },
    }
    if each.also:
        responses[str(each.also)] = {"description": "It is done.", "headers": _HEADERS}
    keys = ["sessionToken"] if each.client_side else ["resourceKey", "entraToken"]
    operation: Schema = {
        "operationId": each.id,
        "tags": ["front end" if each.client_side else "app server"],
        "security": [{key: []} for key in keys],
        "responses": responses,
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(each.path)
    ]
    if each.query:
        parameters += [
            {"name": name, "in": "query", "required": False, "schema": schema}
            for name, schema in schemas.query(each.query).items()
        ]
    if parameters:
        operation["parameters"] = parameters
    content: Schema = {}
    if each.json:
        content[JSON] = {"schema": schemas.of(each.takes)}
    if each.form:
        content[FORM] = {"schema": schemas.of(each.form)}
    if each.file:
        content["application/octet-stream"] = {"schema": schemas.of(bytes)}
    if content:
        needed = bool(each.form) or not each.client_side
        operation["requestBody"] = {"content": content, "required": needed}
    return operation
