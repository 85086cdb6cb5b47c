"""Reads the body of a request, within its limit, and parses it; errors name the field."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from livegate._sync import maybe_await
from livegate.errors import InvalidRequestError
from livegate.http._fields import check_name, invalid_field
from livegate.http._form import parse_form
from livegate.http._schemas import IMAGE
from livegate.models import ReferenceImage

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from livegate.http._schemas import Fields
    from livegate.http.types import Request

log = logging.getLogger("livegate.http")

JSON: Final = "application/json"
FORM: Final = "multipart/form-data"

_MAX_DIGITS: Final = 18
"""Of a Content-Length; what is longer is over every limit even when it is cut."""


@dataclass(frozen=True, slots=True)
class Body:
    """What the body of a request may be.

    Attributes:
        media_type: :data:`JSON`, or :data:`FORM`, which may have a file, too.
        limit: Bytes at most.
        schema: The name of its schema.
        fields: The strings in it.
    """

    media_type: str
    limit: int
    schema: str
    fields: Fields


@dataclass(frozen=True, slots=True)
class Content:
    """What the body of a request holds.

    Attributes:
        fields: The strings that are not null.
        image: The file of a form, or None.
    """

    fields: Mapping[str, str]
    image: ReferenceImage | None = None


async def read_content(request: Request, bodies: Sequence[Body]) -> Content:
    """The content of the body, which has to be one of *bodies*; an empty body has no fields.

    Raises:
        InvalidRequestError: The media type is another one, the body is too long, ends early or
            cannot be parsed, or a field is unknown, there twice or not what it has to be.
        ConfigurationError: The library for forms is not installed.
    """
    content_type = request.headers.get("content-type") or ""
    media_type = content_type.partition(";")[0].strip().lower()
    body = next((body for body in bodies if body.media_type == media_type), None)
    if body is None:
        if media_type or await _read(request, bodies[0].limit):
            raise InvalidRequestError(
                f"The Content-Type has to be {' or '.join(each.media_type for each in bodies)}.",
                code="unsupported_media_type",
                field="Content-Type",
                status=415,
            )
        return Content({})
    data = await _read(request, body.limit)
    if body.media_type == JSON:
        return Content(_checked(_parse_json(data, body.fields), body.fields))
    parts = parse_form(content_type, data, (*body.fields, IMAGE))
    image = parts.pop(IMAGE, None)
    texts = {name: _decode(name, part) for name, part in parts.items()}
    return Content(_checked(texts, body.fields), None if image is None else ReferenceImage(image))


async def _read(request: Request, limit: int) -> bytes:
    """The whole body, of at most *limit* bytes."""
    too_large = InvalidRequestError(
        f"The body may have at most {limit} bytes.", code="body_too_large", status=413
    )
    length = _content_length(request)
    if length > limit:
        raise too_large
    chunks = []
    size = 0
    while chunk := await _read_chunk(request, limit + 1 - size):
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise too_large
    if size < length or (size == 0 and request.headers.get("transfer-encoding")):
        raise _incomplete(f"Only {size} bytes of it came.")
    return b"".join(chunks)


def _content_length(request: Request) -> int:
    """The length that the client has announced; 0 where it has not."""
    declared = request.headers.get("content-length") or ""
    if not declared.isascii() or not declared.isdecimal():
        return 0
    return int(declared[:_MAX_DIGITS])  # int() refuses very long numbers


async def _read_chunk(request: Request, size: int) -> bytes:
    try:
        return await maybe_await(request.read(size))
    except Exception as error:  # the framework's own, when the client has disconnected
        raise _incomplete(type(error).__name__) from error


def _incomplete(reason: str) -> InvalidRequestError:
    log.warning(
        "The body of a request could not be received. %s Either the client has disconnected, or an "
        "extension of the application has read the body: exempt livegate's routes from it.",
        reason,
    )
    return InvalidRequestError("The body ended early.", code="body_incomplete")


def _parse_json(data: bytes, known: Collection[str]) -> dict[str, Any]:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            check_name(name, known, found)
            found[name] = value
        return found

    try:
        content = json.loads(data.decode() or "{}", object_pairs_hook=members)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("The body is not valid JSON.", code="invalid_json") from error
    if not isinstance(content, dict):
        raise InvalidRequestError("The body has to be a JSON object.", code="invalid_json")
    return content


def _decode(name: str, part: bytes) -> str:
    try:
        return part.decode()
    except UnicodeDecodeError as error:
        raise invalid_field(name, "has to be UTF-8") from error


def _checked(values: Mapping[str, Any], fields: Fields) -> dict[str, str]:
    """The *values* that are not null."""
    for name, value in values.items():
        if value is not None and not fields[name].accepts(value):
            raise invalid_field(name, f"has to be {fields[name].expected}")
    return {name: value for name, value in values.items() if value is not None}
