"""The built-in stores by URI.

=========================  =========================================================
``memory://``              a :class:`livegate.stores.memory.MemoryStore`
``sqlite:///relative.db``  a :class:`livegate.stores.sqlite.SqliteStore`
``sqlite:////srv/x.db``    the same, its path absolute
=========================  =========================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from livegate.errors import ConfigurationError

if TYPE_CHECKING:
    from livegate.stores.base import SessionStore

_SQLITE: Final = "sqlite:///"
_HOW: Final = "write sqlite:///relative/path.db or sqlite:////absolute/path.db"


def open_builtin(uri: str) -> SessionStore | None:
    """The built-in store that *uri* names, opened; None when its scheme is none of ours.

    Raises:
        ConfigurationError: The scheme is ours, and the rest of the URI makes no sense.
        StoreError: The store cannot be used now.
    """
    scheme, colon, _ = uri.partition(":")
    if not colon:
        return None
    match scheme.lower():
        case "memory":
            return _open_memory(uri)
        case "sqlite":
            # Imported here: whoever keeps sessions elsewhere does not pay for it.
            from livegate.stores.sqlite import SqliteStore  # noqa: PLC0415

            return SqliteStore.from_uri(uri)
        case _:
            return None


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


def _open_memory(uri: str) -> SessionStore:
    from livegate.stores.memory import MemoryStore  # noqa: PLC0415 - as for SQLite

    if uri.lower() != "memory://":
        raise ConfigurationError(f"{uri!r}: a memory store takes nothing more; write memory://.")
    return MemoryStore()
