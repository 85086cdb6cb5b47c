"""Reads the bodies of requests: JSON and forms. A `WireError` says what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockface import forms
from mockface.api.errors import bad_body, bad_media_type
from mockface.validation import json_object
from mockface.wire import JSON, Request

if TYPE_CHECKING:
    from mockface.forms import Part

FORM = "multipart/form-data"

__all__ = ["FORM", "form", "json_body", "json_object", "media_type", "text_of"]


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
