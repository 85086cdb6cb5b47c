"""Where an emulator is, and whose sessions are meant: what can be sent as a URL and as a key."""

from __future__ import annotations

from urllib.parse import urlsplit

LONGEST_KEY = 256


def is_url(value: object) -> bool:
    """Whether it is an address of HTTP with a host in it."""
    if not isinstance(value, str) or any(sign.isspace() for sign in value):
        return False
    try:
        where = urlsplit(value)
        return where.scheme in {"http", "https"} and bool(where.hostname) and where.port != 0
    except ValueError:
        return False


def is_sendable(text: str) -> bool:
    """Whether a header can carry it as it is: a key or a token."""
    return text != "" and text.isascii() and text.isprintable() and text == text.strip()


def is_key(value: object) -> bool:
    """Whether it can be a resource key, which travels in a header."""
    return isinstance(value, str) and len(value) <= LONGEST_KEY and is_sendable(value)
