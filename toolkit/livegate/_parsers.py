"""Parsers of single values, as the environment or a framework's configuration has them.

Each returns the value in its own type, or raises a ValueError that says what would be right and
quotes nothing of the value.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable


_LARGEST: Final = sys.float_info.max


def parse_number(
    kind: type[int] | type[float], low: float = -_LARGEST, high: float = _LARGEST
) -> Callable[[Any], Any]:
    """A parser of numbers of *kind* from *low* to *high*, never nan or infinite."""
    expected = f"has to be {'an integer' if kind is int else 'a number'}"
    if low > -_LARGEST:
        expected += f" from {low} to {high}"

    def parse(value: Any) -> int | float:
        try:
            number = kind(value)
        except (TypeError, ValueError, OverflowError):
            raise ValueError(expected) from None
        is_truncated = isinstance(value, float) and number != value
        if isinstance(value, bool) or is_truncated or not low <= number <= high:
            raise ValueError(expected)
        return number

    return parse


def parse_switch(value: Any) -> bool:
    """True or False, also as a text.

    Raises:
        ValueError: It is neither.
    """
    texts = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    try:
        return texts[str(value).lower()]
    except KeyError:
        raise ValueError("has to be true or false") from None


def parse_names(value: Any) -> tuple[str, ...]:
    """Several texts, or one with commas between them.

    Raises:
        ValueError: They are not texts.
    """
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, Iterable) or not all(isinstance(name, str) for name in names):
        raise ValueError("has to be texts separated by commas, or a tuple of texts")
    return tuple(name.strip() for name in names if name.strip())


def split_url(value: Any, right: str) -> tuple[str, str, str]:
    """Scheme, host with its port, and whatever else there is.

    Raises:
        ValueError: There is no such host, with *right* as the message.
    """
    text = str(value).strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(right) from None
    host = parts.hostname or ""
    if not text.isprintable():  # urlsplit drops line breaks
        raise ValueError(right)
    if parts.scheme not in {"http", "https"} or not re.fullmatch(r"[\w.:-]+", host, re.ASCII):
        raise ValueError(right)
    user = "@" if "@" in parts.netloc else ""
    rest = f"{user}{parts.path}{parts.query}{parts.fragment}"
    host = f"[{host}]" if ":" in host else host
    return parts.scheme, f"{host}:{port}" if port else host, rest
