"""What comes in and goes out, as JSON Schemas; requests are checked against the same fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from livegate.models import VERDICT_STATES, SessionKind, SessionState
from livegate.purposes import MAX_TRANSACTION

if TYPE_CHECKING:
    from collections.abc import Iterable

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TextField:
    """A str in the body of a request.

    Attributes:
        description: What it is for.
        expected: What its value has to be, in words.
        pattern: What the whole value has to match, or None.
        max_length: How many characters it has at most, or None; at least one where there is a most.
    """

    description: str
    expected: str = "a string"
    pattern: str | None = None
    max_length: int | None = None

    def accepts(self, value: object) -> bool:
        """Whether *value* is such a str."""
        if not isinstance(value, str):
            return False
        if self.max_length is not None and not 1 <= len(value) <= self.max_length:
            return False
        return self.pattern is None or re.fullmatch(self.pattern, value, re.ASCII) is not None

    def schema(self) -> Schema:
        """The JSON Schema; null is as good as leaving the field out."""
        schema: Schema = {"type": ["string", "null"], "description": self.description}
        if self.pattern is not None:
            schema["pattern"] = f"^{self.pattern}$"
        if self.max_length is not None:
            schema |= {"minLength": 1, "maxLength": self.max_length}
        return schema


Fields = dict[str, TextField]

START_FIELDS: Final[Fields] = {
    "purpose": TextField("What the session is for: the name of a purpose, or `default`."),
    "transaction": TextField(
        "What exactly the verdict will be for, such as the id of a payment.",
        f"a string of 1 to {MAX_TRANSACTION} characters",
        max_length=MAX_TRANSACTION,
    ),
}
FINISH_FIELDS: Final[Fields] = {
    "digest": TextField(
        "The digest that the web element's promise resolved with.",
        "a string of 1 to 128 hexadecimal digits",
        pattern="[0-9A-Fa-f]{1,128}",
    ),
    "clientError": TextField(
        "What the web element's promise rejected with, such as `CameraPermissionDenied`.",
        "an identifier of 1 to 64 letters, digits and '_'",
        pattern="[0-9A-Za-z_]{1,64}",
    ),
}
IMAGE: Final = "referenceImage"
"""The one file of a form."""

NEXT_STEPS: Final = ("capture", "wait", "continue", "retry", "start_again", "done")
VERDICTS: Final = sorted({*VERDICT_STATES, SessionState.NEEDS_REVIEW})


def _object(properties: dict[str, Schema], optional: Iterable[str] = ()) -> Schema:
    """A closed object: it has no other properties."""
    required = [name for name in properties if name not in tuple(optional)]
    schema: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**schema, "required": required} if required else schema


def _body(fields: Fields, *, has_image: bool = False) -> Schema:
    properties = {name: field.schema() for name, field in fields.items()}
    if has_image:
        properties[IMAGE] = {
            "type": "string",
            "contentMediaType": "application/octet-stream",
            "description": "A file, for a purpose that takes the image from the client.",
        }
    return _object(properties, optional=properties)


def _text(description: str, **more: Any) -> Schema:
    return {"type": "string", "description": description, **more}


def _time(description: str) -> Schema:
    return _text(description, format="date-time")


def _or_null(schema: Schema) -> Schema:
    nullable = {**schema, "type": [schema["type"], "null"]}
    return {**nullable, "enum": [*schema["enum"], None]} if "enum" in schema else nullable


_ID: Final = _text("Random; the only id of the session that leaves the server.")
_STATE: Final = _text("Where the session stands.", enum=[state.value for state in SessionState])
_EXPIRES: Final = _time("No attempt can begin after it.")

SCHEMAS: Final[dict[str, Schema]] = {
    "StartRequest": _body(START_FIELDS),
    "StartForm": _body(START_FIELDS, has_image=True),
    "RetryRequest": _body({}),
    "RetryForm": _body({}, has_image=True),
    "FinishRequest": _body(FINISH_FIELDS),
    "StartedSession": _object(
        {
            "sessionId": _ID,
            "state": _STATE,
            "authToken": _text("For the service's web element; sent in this response alone."),
            "expiresAt": _EXPIRES,
        }
    ),
    "Session": _object(
        {
            "sessionId": _ID,
            "state": _STATE,
            "kind": _text("What is checked.", enum=[kind.value for kind in SessionKind]),
            "purpose": _text("The name of the purpose."),
            "transaction": _or_null(_text("What exactly the verdict is for.")),
            "createdAt": _time("When the session was started."),
            "expiresAt": _EXPIRES,
            "decidedAt": _or_null(_time("When the verdict was reached.")),
            "verdict": _or_null(_text("Null until there is one.", enum=list(map(str, VERDICTS)))),
            "reasons": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Stable identifiers for why the verdict is not `passed`.",
            },
            "next": _text("What the front end does next.", enum=list(NEXT_STEPS)),
        }
    ),
    "SessionPage": _object(
        {
            "sessions": {
                "type": "array",
                "items": {"$ref": "#/components/schemas/Session"},
                "description": "Newest first.",
            },
            "nextCursor": _or_null(_text("The `cursor` of the next page; null on the last one.")),
        }
    ),
    "Problem": _object(
        {
            "type": _text("`urn:livegate:problem:` and the code.", format="uri"),
            "title": _text("What kind of error it is."),
            "status": {"type": "integer", "description": "The HTTP status."},
            "detail": _text("What is wrong."),
            "code": _text("A stable identifier for programs."),
            "retryable": {
                "type": "boolean",
                "description": "Whether the same request may succeed later.",
            },
            "field": _text("The input that is wrong."),
            "state": {**_STATE, "description": "Where the session whose verdict is wanted stands."},
            "violations": {
                "type": "array",
                "items": _object(
                    {
                        "code": _text("A stable identifier for programs."),
                        "message": _text("What is wrong, in the client's language."),
                        "remedy": _text("What to do, in the client's language."),
                    },
                    optional=["remedy"],
                ),
                "description": "Everything that policies have found.",
            },
        },
        optional=["field", "state", "violations"],
    ),
    "OpenapiDocument": {"type": "object", "description": "A document as OpenAPI 3.1 has it."},
}
"""By name, for ``#/components/schemas``. All objects but the last one are closed."""
