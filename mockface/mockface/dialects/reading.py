"""Reads what arrives: JSON bodies, forms, fields, paging. What is wrong, a `WireError` names."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from mockface import multipart
from mockface.dialects.errors import bad_body, bad_media_type
from mockface.wire import JSON, Request, WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mockface.multipart import Part

FORM = "multipart/form-data"
_MOST_JSON_BYTES = 64 * 1024
_MOST_PAGE = 1000
_MOST_START_CHARACTERS = 64
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Type:
    """What a field may hold.

    Attributes:
        check: Takes a JSON value, gives the checked one or raises `ValueError`.
        from_text: Makes a JSON value of a form's text; what it cannot read, it leaves as it is.
    """

    check: Callable[[object], object]
    from_text: Callable[[str], object] = str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request.

    Attributes:
        name: On the wire.
        into: The attribute it becomes.
        type: What it may hold.
        code: The service's code when it is wrong.
        required: Whether it has to be there; `null` counts as absent.
    """

    name: str
    into: str
    type: Type
    code: str = "BadArgument"
    required: bool = False


def one_of(*words: str) -> Type:
    """A word out of a list, in any case: the documentation's own samples send lower case."""
    known = {word.lower(): word for word in words}

    def check(value: object) -> object:
        if not isinstance(value, str) or value.lower() not in known:
            raise ValueError(f"must be one of {', '.join(words)}")
        return known[value.lower()]

    return Type(check)


def boolean() -> Type:
    """True or false."""
    words = {"true": True, "false": False}

    def check(value: object) -> object:
        if value is True or value is False:
            return value
        raise ValueError("must be true or false")

    return Type(check, lambda text: words.get(text.lower(), text))


def integer(low: int, high: int) -> Type:
    """A whole number within bounds."""

    def check(value: object) -> object:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return Type(check, lambda text: int(text) if _is_short_number(text) else text)


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

    return Type(check, from_text)


def text(most: int) -> Type:
    """A text that is not empty."""

    def check(value: object) -> object:
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            raise ValueError(f"must be a text of 1 to {most} characters")
        return value

    return Type(check)


def fields(table: Iterable[Field], values: Mapping[str, object]) -> dict[str, Any]:
    """Checks values against a table of fields.

    Unknown values are passed over: the service's objects are open.

    Raises:
        WireError: The first field that is missing or wrong.
    """
    read: dict[str, Any] = {}
    for field in table:
        value = values.get(field.name)
        if value is None:
            if field.required:
                raise WireError(400, field.code, f"{field.name} is missing.")
            continue
        try:
            read[field.into] = field.type.check(value)
        except ValueError as wrong:
            raise WireError(400, field.code, f"{field.name} {wrong}.") from None
    return read


def from_text(table: Iterable[Field], texts: Mapping[str, str]) -> dict[str, object]:
    """The values that a form's texts stand for, by the types of their fields."""
    return {f.name: f.type.from_text(texts[f.name]) for f in table if f.name in texts}


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
        value = json.loads(data.decode("utf-8-sig"), parse_constant=_no_such_number)
    except (ValueError, RecursionError):
        raise bad_body(f"{what} is not valid JSON.") from None
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
        return multipart.parse(request.header("content-type") or "", request.body)
    except ValueError as wrong:
        raise bad_body(str(wrong)) from None


def paging(request: Request) -> tuple[str, int]:
    """`start` and `top` of a list (contract section 9).

    Raises:
        WireError: 400 `BadArgument`.
    """
    given = request.parameters()
    start, top = given.get("start", ""), given.get("top", str(_MOST_PAGE))
    if len(start) > _MOST_START_CHARACTERS:
        raise WireError(400, "BadArgument", "start must be an id of at most 64 characters.")
    if not _is_short_number(top) or not 1 <= int(top) <= _MOST_PAGE:
        raise WireError(400, "BadArgument", f"top must be a whole number from 1 to {_MOST_PAGE}.")
    return start, int(top)


def _is_short_number(value: str) -> bool:
    """Whether it is a handful of digits."""
    return value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS


def _no_such_number(word: str) -> NoReturn:
    raise ValueError(word)
