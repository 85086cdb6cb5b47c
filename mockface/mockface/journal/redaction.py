"""What of a message may be shown: secrets are shortened, pictures become their hash."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec

from mockface import forms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mockface.forms import Part

# Callers put their key into headers and queries of other services, too.
_SECRET_NAME = re.compile("key|token|secret|password|cookie|authorization", re.IGNORECASE)
_SECRET_FIELDS = frozenset({"authToken", "accessToken", "base64AccessToken"})
_TOKEN = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]+")
_LONGEST_TEXT = 64 * 1024
_LONGEST_PART = 1024
_LONG, _TAIL = 64, 4
_SHORTEST = 8  # what is shorter is a test's key, and part of many words


def shorten(secret: str) -> str:
    """As much of a secret as tells it from others: an eighth of it, and of a long one the end too.

    All tokens of one emulator begin alike, so there it is the end that counts.
    """
    if not secret:
        return ""
    head = secret[: min(8, len(secret) // 8)]
    return f"{head}...{secret[-_TAIL:]}" if len(secret) >= _LONG else f"{head}..."


def header(name: str, value: str) -> str:
    """A header's value as it may be shown; the name is in lower case."""
    if not _SECRET_NAME.search(name):
        return text(value)
    scheme, space, credentials = value.partition(" ")
    return f"{scheme} {shorten(credentials)}" if space else shorten(value)


def secrets(headers: Mapping[str, str], query: str) -> list[str]:
    """The keys and tokens that a caller shows, by the names of header fields and query fields."""
    fields = (field.partition("=") for field in query.split("&"))
    named = [*headers.items(), *((name, value) for name, _, value in fields)]
    return [value.rpartition(" ")[2] for name, value in named if _SECRET_NAME.search(name)]


def text(value: str, secrets: Iterable[str] = ()) -> str:
    """A text in which tokens, and these secrets, are shortened."""
    for secret in secrets:
        if len(secret) >= _SHORTEST:
            value = value.replace(secret, shorten(secret))
    return _TOKEN.sub(lambda found: shorten(found[0]), value)


def picture(data: bytes) -> dict[str, object]:
    """What stands for bytes that are not to be kept: how many, and their hash."""
    return {"bytes": len(data), "sha256": sha256(data).hexdigest()}


def body(content_type: str, data: bytes, secrets: Iterable[str] = ()) -> object:
    """A body as it may be shown.

    Args:
        content_type: The header's value.
        data: The body.
        secrets: What must not be seen in it, besides tokens.

    Returns:
        A JSON value: of JSON itself, of a form an object of its parts, of a text the text, of all
        else its size and hash; `None` for an empty body.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if not data:
        return None
    if kind == "multipart/form-data":
        return form(content_type, data, secrets)
    if kind == "application/json" or kind.startswith("text/"):
        return _text(data, secrets)
    return picture(data)


def form(content_type: str, data: bytes, secrets: Iterable[str] = ()) -> object:
    """The parts of a form: texts are shown, files become their hash."""
    try:
        parts = forms.parse(content_type, data)
    except ValueError:
        return picture(data)
    return {name: _part(part, secrets) for name, part in parts.items()}


def _part(part: Part, secrets: Iterable[str]) -> object:
    if part.filename is not None:
        return {"filename": part.filename[:100]} | picture(part.data)
    return _text(part.data, secrets, _LONGEST_PART) if part.data else ""


def _text(data: bytes, secrets: Iterable[str], most: int = _LONGEST_TEXT) -> object:
    """The JSON value that the bytes are, or else their text."""
    if len(data) > most:
        return picture(data)
    try:
        return hidden(msgspec.json.decode(data), secrets)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return text(data.decode("utf-8", "replace"), secrets)


def hidden(value: object, secrets: Iterable[str] = ()) -> object:
    """A JSON value in which tokens, and these secrets, are shortened."""
    if isinstance(value, str):
        return text(value, secrets)
    if isinstance(value, list):
        return [hidden(each, secrets) for each in value]
    if isinstance(value, dict):
        return {
            text(name, secrets): shorten(each)
            if name in _SECRET_FIELDS and isinstance(each, str)
            else hidden(each, secrets)
            for name, each in value.items()
        }
    return value
