"""What a ``sqlite:///`` URI names."""

from __future__ import annotations

from typing import Final

from livegate.errors import ConfigurationError

_SQLITE: Final = "sqlite:///"
_HOW: Final = "write sqlite:///relative/path.db or sqlite:////absolute/path.db"


def sqlite_path(uri: str) -> str:
    """The path in a ``sqlite:///`` URI, percent-escapes resolved.

    Raises:
        ConfigurationError: It is none.
    """
    if uri[: len(_SQLITE)].lower() != _SQLITE:
        raise ConfigurationError(f"{uri!r} needs three slashes and a path: {_HOW}.")
    path, _, options = uri[len(_SQLITE) :].partition("?")
    if options:
        raise ConfigurationError(f"{uri!r}: a SQLite store takes no options; leave out ?{options}.")
    if path in {"", "/"}:
        raise ConfigurationError(f"{uri!r} names no file: {_HOW}, or memory:// to keep nothing.")
    return _unescape(path)


def _unescape(path: str) -> str:
    if "%" not in path:
        return path
    from urllib.parse import unquote  # noqa: PLC0415 - few paths need it

    return unquote(path)
