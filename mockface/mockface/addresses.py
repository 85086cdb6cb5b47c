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


def is_key(value: object) -> bool:
    """Whether it can be a resource key, which travels in a header."""
    return (
        isinstance(value, str)
        and 0 < len(value) <= LONGEST_KEY
        and value.isascii()
        and value.isprintable()
        and value == value.strip()
    )
