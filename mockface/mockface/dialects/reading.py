"""Reads what arrives: JSON bodies, forms, fields, paging. Everything wrong is a `WireError` that names it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from mockface import multipart
from mockface.dialects.errors import bad_body, bad_media_type
from mockface.wire import JSON, Request, WireError

if TYPE_CHECKING:
    from mockface.multipart import Part

FORM = "multipart/form-data"
_MOST_JSON_BYTES = 64 * 1024
_MOST_PAGE = 1000
_MOST_START_CHARACTERS = 64

Reader = Callable[[object, bool], object]
"""Takes a value and whether it is text of a form; gives the checked value or raises `ValueError`."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a request.

    Attributes:
        name: On the wire.
        into: The name of the attribute in `mockface.sessions.Options`.
        read: Checks the value.
        code: The service's code when the value is wrong.
        required: Whether it has to be there; `null` counts as absent.
    """

    name: str
    into: str
    read: Reader
    code: str = "BadArgument"
    required: bool = False


def one_of(*words: str) -> Reader:
    """A word out of a list, in any case (the documentation's own samples send lower case)."""
    known = {word.lower(): word for word in words}

    def read(value: object, from_form: bool) -> object:
        if not isinstance(value, str) or value.lower() not in known:
            raise ValueError(f"must be one of {', '.join(words)}")
        return known[value.lower()]

    return read


def boolean(value: object, from_form: bool) -> object:
    """True or false; in a form the words for it."""
    if from_form and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def integer(low: int, high: int) -> Reader:
    """A whole number within bounds."""

    def read(value: object, from_form: bool) -> object:
        number = int(value) if from_form and isinstance(value, str) and _is_digits(value) else value
        if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return number

    return read


def number(low: float, high: float) -> Reader:
    """A number within bounds."""

    def read(value: object, from_form: bool) -> object:
        if from_form and isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                value = math.nan
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or not low <= value <= high
        ):
            raise ValueError(f"must be a number from {low:g} to {high:g}")
        return float(value)

    return read


def text(most: int) -> Reader:
    """A text that is not empty."""

    def read(value: object, from_form: bool) -> object:
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            raise ValueError(f"must be a text of 1 to {most} characters")
        return value

    return read


def fields(
    table: Iterable[Field], values: Mapping[str, object], *, from_form: bool
) -> dict[str, Any]:
    """Checks values against a table of fields; unknown ones are passed over, as the service's objects are open.

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
            read[field.into] = field.read(value, from_form)
        except ValueError as wrong:
            raise WireError(400, field.code, f"{field.name} {wrong}.") from None
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
    if not _is_digits(top) or not 1 <= int(top) <= _MOST_PAGE:
        raise WireError(400, "BadArgument", f"top must be a whole number from 1 to {_MOST_PAGE}.")
    return start, int(top)


def _is_digits(value: str) -> bool:
    """Whether `int` takes it and it is no more than a few digits."""
    return value.isascii() and value.isdigit() and len(value) < 10


def _no_such_number(word: str) -> NoReturn:
    raise ValueError(word)
