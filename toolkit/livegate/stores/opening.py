"""The built-in stores by URI, through the hook ``open_store``.

=====================================  =====================================================
``memory://``                          a :class:`livegate.stores.memory.MemoryStore`
``sqlite:///relative.db``              a :class:`livegate.stores.sqlite.SqliteStore`
``sqlite:////srv/absolute.db``         the same, its path absolute
``sqlite:///x.db?synchronous=normal``  the same, faster, and not durable; see there
=====================================  =====================================================
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from livegate.errors import ConfigurationError
from livegate.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from livegate.plugins.uri import Uri
    from livegate.protocols import SessionStore

_HOW: Final = "write sqlite:///relative/path.db or sqlite:////absolute/path.db"

_CREDENTIALS: Final = re.compile(r"/*(?![A-Za-z]:[/\\]).*:.*@")
"""A path that begins as the URI of a database server would go on, with a name and a password."""


@hookimpl
def open_store(uri: Uri) -> SessionStore | None:
    """Open the built-in store that *uri* names; None when its scheme is another one.

    Raises:
        ConfigurationError: The scheme is a built-in store's, and the rest cannot be used. No error
            quotes the URI, which may hold a secret that was meant for another database.
        StoreError: The store cannot be used now.
    """
    match uri.scheme:
        case "memory":
            return _open_memory(uri)
        case "sqlite":
            return _open_sqlite(uri)
        case _:
            return None


def _open_memory(uri: Uri) -> SessionStore:
    # Imported when it is used, as the other one: an application needs one store.
    from livegate.stores.memory import MemoryStore  # noqa: PLC0415

    if uri.text.lower() != "memory://":
        raise ConfigurationError("A memory store takes nothing more: write memory://.")
    return MemoryStore()


def _open_sqlite(uri: Uri) -> SessionStore:
    from livegate.stores.sqlite import SqliteStore  # noqa: PLC0415

    path = uri.path[1:]
    if uri.host or uri.username or uri.password or uri.port or not path.strip("/"):
        raise ConfigurationError(
            f"A SQLite store needs three slashes and a path: {_HOW}, or memory:// to keep nothing."
        )
    if _CREDENTIALS.match(path):
        raise ConfigurationError(
            f"A SQLite store takes a path alone, no user name and no password: {_HOW}."
        )
    uri.check_options("synchronous")
    return SqliteStore(path, synchronous=uri.options.get("synchronous", "full"))
