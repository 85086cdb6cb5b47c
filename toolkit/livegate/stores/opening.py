"""The built-in stores by URI, through the same door as everybody's.

=========================  =========================================================
``memory://``              a :class:`livegate.stores.memory.MemoryStore`
``sqlite:///relative.db``  a :class:`livegate.stores.sqlite.SqliteStore`
``sqlite:////srv/x.db``    the same, its path absolute
=========================  =========================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from livegate.errors import ConfigurationError
from livegate.hooks import hookimpl

if TYPE_CHECKING:
    from livegate.stores.base import SessionStore


@hookimpl
def open_store(uri: str) -> SessionStore | None:
    """Open the built-in store that *uri* names; None when its scheme is none of ours.

    Raises:
        ConfigurationError: The scheme is ours, and the rest of the URI makes no sense.
        StoreError: The store cannot be used now.
    """
    scheme, colon, _ = uri.partition(":")
    match scheme.lower() if colon else "":
        case "memory":
            return _open_memory(uri)
        case "sqlite":
            # Imported here: whoever keeps sessions elsewhere does not pay for it.
            from livegate.stores.sqlite import SqliteStore  # noqa: PLC0415

            return SqliteStore.from_uri(uri)
        case _:
            return None


def _open_memory(uri: str) -> SessionStore:
    from livegate.stores.memory import MemoryStore  # noqa: PLC0415 - as for SQLite

    if uri.lower() != "memory://":
        raise ConfigurationError(f"{uri!r}: a memory store takes nothing more; write memory://.")
    return MemoryStore()
