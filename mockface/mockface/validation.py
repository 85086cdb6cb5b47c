"""Checks what arrives against a model, and says what is wrong with which field.

A model is a `msgspec.Struct`: its types and bounds check requests, and the served OpenAPI documents
are made from them.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import UNSET, Meta, Struct

from mockface.responses import WireError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mockface.wire import Request

T = TypeVar("T", bound=Struct)

CODE = "x-ms-error-code"
"""What a schema calls the service's code for a wrong value; without it, it is `BadArgument`."""

_MOST_JSON_BYTES = 64 * 1024
_MOST_QUERY_FIELDS = 32
_AT = re.compile(r" - at `\$\.(.*?)(?:\[\.\.\.\])?`$")
_MISSING = re.compile(r"missing required field `(.*)`")
_UNKNOWN = re.compile(r"contains unknown field `(.*)`")


class Words(Enum):
    """Accepted words, in any case: the documentation's own samples send lower case."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if isinstance(value, str):
            return next((word for word in cls if word.value.lower() == value.lower()), None)
        return None


def integer(low: int, high: int, error: str = "BadArgument") -> Meta:
    """The bounds of an integer, both included, and the service's code for others."""
    return Meta(ge=low, le=high, extra_json_schema={CODE: error, "format": "int32"})


def number(low: float, high: float) -> Meta:
    """The bounds of a number, both included."""
    return Meta(ge=low, le=high, extra_json_schema={"format": "float"})


def length(longest: int, *, shortest: int = 1, error: str = "BadArgument") -> Meta:
    """How many characters a str has, and the service's code for others."""
    return Meta(min_length=shortest, max_length=longest, extra_json_schema={CODE: error})


def one_of(*values: str) -> Meta:
    """The values that a str may have."""
    pattern = f"^(?:{'|'.join(map(re.escape, values))})$"
    return Meta(pattern=pattern, extra_json_schema={"enum": list(values)})


def json_object(data: bytes, name: str) -> dict[str, object]:
    """A JSON object from bytes; `name` says in the error what they are.

    Raises:
        WireError: It is something else.
    """
    if len(data) > _MOST_JSON_BYTES:
        raise _bad_body(f"{name} has more than {_MOST_JSON_BYTES} bytes of JSON.")
    try:
        value = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _bad_body(f"{name} is not valid JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise _bad_body(f"{name} has to be a JSON object.")
    return value


def parameters(request: Request) -> dict[str, str]:
    """The fields of a query; the last one of a name counts.

    Raises:
        WireError: There are far too many.
    """
    try:
        pairs = parse_qsl(request.query, keep_blank_values=True, max_num_fields=_MOST_QUERY_FIELDS)
    except ValueError:
        raise WireError(400, "BadArgument", "The query has too many fields.") from None
    return dict(pairs)


def read(model: type[T], values: Mapping[str, object], *, loose: bool = False) -> T:
    """The model of values that the service takes: `null` counts as absent, and 60.0 is 60.

    Args:
        model: What they have to be. Unknown fields are ignored unless the model forbids them.
        values: By the names of the fields.
        loose: Whether a str may stand for what it says, `"600"` for 600: in forms, in queries, and
            where callers' mistakes are overlooked.

    Raises:
        WireError: 400 with the code of the first wrong field; the message says what it must be.
    """
    return convert(model, _plain(values), loose=loose)


def convert(model: type[T], values: object, *, loose: bool = False) -> T:
    """The model of exactly these values; the same as `read` for all else."""
    try:
        return msgspec.convert(values, model, strict=not loose)
    except msgspec.ValidationError as wrong:
        raise _error(model, str(wrong)) from None


def given(model: Struct) -> dict[str, Any]:
    """The fields of a model that have a value, by the names of its attributes."""
    return {
        name: value.value if isinstance(value, Words) else value
        for name, value in msgspec.structs.asdict(model).items()
        if value is not UNSET
    }


def _plain(value: Any) -> Any:
    """A JSON value without `null` in its objects; JSON has one kind of numbers, so 60.0 is 60."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if each is not None}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _error(model: type[Struct], message: str) -> WireError:
    missing, unknown, at = _MISSING.search(message), _UNKNOWN.search(message), _AT.search(message)
    path = at[1].split(".") if at else []
    if unknown:
        known = ", ".join(_schemas(model)[0])
        return WireError(400, "BadArgument", f"There is no {unknown[1]}; there is: {known}.")
    if missing:
        path.append(missing[1])
    schema: dict[str, Any] = {}
    properties, components = _schemas(model)
    for name in path:
        schema = _follow(properties.get(name, {}), components)
        properties = schema.get("properties", {})
    says = "is missing" if missing else _must(schema) or message.partition(" - at ")[0]
    said = f"{'.'.join(path)} {says}.".lstrip()  # what a model itself refuses has no path
    return WireError(400, schema.get(CODE, "BadArgument"), said)


@cache
def _schemas(model: type[Struct]) -> tuple[dict[str, Any], dict[str, Any]]:
    (_,), components = msgspec.json.schema_components([model], ref_template="{name}")
    return components[model.__name__]["properties"], components


def _follow(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    if "description" not in schema:
        schema = schema.get("anyOf", [schema])[0]  # the other one is null
    return components[schema["$ref"]] | schema if "$ref" in schema else schema


def _must(schema: dict[str, Any]) -> str:
    """What a value of this schema must be; empty for a schema that says nothing."""
    if "enum" in schema:
        return f"must be one of {', '.join(schema['enum'])}"
    if "description" in schema and "properties" not in schema:
        return f"must be {schema['description']}"
    low, high = schema.get("minimum", ""), schema.get("maximum", "")
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
    return {
        "integer": f"must be an integer from {low} to {high}",
        "number": f"must be a number from {low} to {high}",
        "boolean": "must be true or false",
        "array": "must be a list",
        "string": "must be a str" + (f" of {shortest} to {longest} characters" if longest else ""),
        "object": "must be an object",
    }.get(schema.get("type", ""), "")


def _bad_body(message: str) -> WireError:
    return WireError(400, "InvalidRequestBody", message)
