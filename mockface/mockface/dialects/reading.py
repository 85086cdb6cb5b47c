"""Reads what arrives: JSON bodies, forms, fields, paging. What is wrong, a `WireError` names."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from mockface import forms
from mockface.dialects.errors import bad_body, bad_media_type
from mockface.wire import JSON, Request, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mockface.forms import Part

FORM = "multipart/form-data"
_MOST_JSON_BYTES = 64 * 1024
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Type:
    """What a field may hold.

    Attributes:
        check: Takes a JSON value, gives the checked one or raises `ValueError`.
        from_text: Makes a JSON value of a form's text; what it cannot read, it leaves as it is.
        schema: The same as a JSON Schema, without the fields of an object.
        table: The fields, if it is an object.
    """

    check: Callable[[object], object]
    from_text: Callable[[str], object] = str
    schema: Mapping[str, object] = field(default_factory=dict)
    table: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request.

    Attributes:
        name: On the wire.
        into: The attribute it becomes.
        type: What it may hold.
        code: The service's code when it is wrong.
        required: Whether it has to be there; `null` counts as absent.
        default: What counts where it is absent; `None` leaves that to the engine.
    """

    name: str
    into: str
    type: Type
    code: str = "BadArgument"
    required: bool = False
    default: object = None


def one_of(*words: str) -> Type:
    """A word out of a list, in any case: the documentation's own samples send lower case."""
    known = {word.lower(): word for word in words}

    def check(value: object) -> object:
        if not isinstance(value, str) or value.lower() not in known:
            raise ValueError(f"must be one of {', '.join(words)}")
        return known[value.lower()]

    return Type(check, schema={"type": "string", "enum": list(words)})


def boolean() -> Type:
    """True or false."""
    words = {"true": True, "false": False}

    def check(value: object) -> object:
        if value is True or value is False:
            return value
        raise ValueError("must be true or false")

    return Type(check, lambda text: words.get(text.lower(), text), {"type": "boolean"})


def integer(low: int, high: int) -> Type:
    """A whole number within bounds; 60.0 is one for JSON, which has one kind of numbers."""

    def check(value: object) -> object:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return Type(
        check,
        lambda text: int(text) if _is_short_number(text) else text,
        {"type": "integer", "format": "int32", "minimum": low, "maximum": high},
    )


def number(low: float, high: float) -> Type:
    """A number within bounds."""

    def check(value: object) -> object:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ValueError("must be a number")  # noqa: TRY004 - wrong values are ValueError here
        if not low <= value <= high:
            raise ValueError(f"must be a number from {low:g} to {high:g}")
        return float(value)

    def from_text(text: str) -> object:
        try:
            return float(text)
        except ValueError:
            return text

    return Type(
        check, from_text, {"type": "number", "format": "float", "minimum": low, "maximum": high}
    )


def text(most: int, least: int = 1) -> Type:
    """A text within bounds of its length."""

    def check(value: object) -> object:
        if not isinstance(value, str) or not least <= len(value) <= most:
            raise ValueError(f"must be a text of {least} to {most} characters")
        return value

    return Type(check, schema={"type": "string", "minLength": least, "maxLength": most})


def file() -> Type:
    """A part of a form that is a file; forms are read by themselves, so nothing is checked."""
    return Type(lambda value: value, schema={"type": "string", "format": "binary"})


def record(*table: Field) -> Type:
    """An object with fields of its own."""

    def check(value: object) -> object:
        if not isinstance(value, dict):
            raise ValueError("must be an object")  # noqa: TRY004 - see `number`
        return fields(table, value)

    return Type(check, table=table)


def fields(table: Iterable[Field], values: Mapping[str, object]) -> dict[str, Any]:
    """Checks values against a table of fields.

    Unknown values are passed over: the service's objects are open.

    Raises:
        WireError: The first field that is missing or wrong.
    """
    read: dict[str, Any] = {}
    for each in table:
        value = values.get(each.name)
        if value is None:
            if each.required:
                raise WireError(400, each.code, f"{each.name} is missing.")
            if each.default is not None:
                read[each.into] = each.default
            continue
        try:
            read[each.into] = each.type.check(value)
        except ValueError as wrong:
            raise WireError(400, each.code, f"{each.name} {wrong}.") from None
        except WireError as wrong:  # in an object, whose field the message begins with
            raise WireError(wrong.status, wrong.code, f"{each.name}.{wrong.message}") from None
    return read


def from_text(table: Iterable[Field], values: Mapping[str, object]) -> dict[str, object]:
    """The values with every text turned into what it stands for, by the types of their fields."""
    read = dict(values)
    for each in table:
        value = values.get(each.name)
        if isinstance(value, str):
            read[each.name] = each.type.from_text(value)
        elif isinstance(value, dict):
            read[each.name] = from_text(each.type.table, value)
    return read


def media_type(request: Request) -> str:
    """The content type without its parameters, in lower case; empty if there is none."""
    return (request.header("content-type") or "").partition(";")[0].strip().lower()


def json_body(request: Request) -> dict[str, object]:
    """The JSON object that a request carries.

    Raises:
        WireError: 415 for another content type, 400 for anything but a JSON object.
    """
    if media_type(request) != JSON:
        raise bad_media_type(JSON)
    return json_object(request.body, "The body")


def json_object(data: bytes, what: str) -> dict[str, object]:
    """A JSON object from bytes; `what` names them in the error.

    Raises:
        WireError: It is something else.
    """
    if len(data) > _MOST_JSON_BYTES:
        raise bad_body(f"{what} has more than {_MOST_JSON_BYTES} bytes of JSON.")
    try:
        value = _JSON.decode(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise bad_body(f"{what} is not valid JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise bad_body(f"{what} has to be a JSON object.")
    return value


def form(request: Request) -> dict[str, Part]:
    """The parts of a form.

    Raises:
        WireError: 415 for another content type, 400 for a body that is malformed or cut off.
    """
    if media_type(request) != FORM:
        raise bad_media_type(FORM)
    try:
        return forms.parse(request.header("content-type") or "", request.body)
    except ValueError as wrong:
        raise bad_body(str(wrong)) from None


def text_of(part: Part) -> str:
    """The text of a form's part.

    Raises:
        WireError: It is not in UTF-8.
    """
    try:
        return part.data.decode("utf-8")
    except UnicodeDecodeError:
        raise bad_body(f"The part {part.name} has to be a text in UTF-8.") from None


def query(request: Request, table: Iterable[Field]) -> dict[str, Any]:
    """The fields of a query.

    Raises:
        WireError: 400 with the code of the first field that is wrong.
    """
    return fields(table, from_text(table, request.parameters()))


def _is_short_number(value: str) -> bool:
    """Whether it is a handful of digits."""
    return value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS


def _no_such_number(word: str) -> NoReturn:
    raise ValueError(word)


_JSON = json.JSONDecoder(parse_constant=_no_such_number)
