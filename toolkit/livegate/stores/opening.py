"""The built-in stores, by their URIs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from livegate.hooks import hookimpl
from livegate.stores.uri import open_builtin

if TYPE_CHECKING:
    from livegate.stores.base import SessionStore


@hookimpl
def open_store(uri: str) -> SessionStore | None:
    """Open ``memory://`` or ``sqlite:///PATH``; None for another scheme."""
    return open_builtin(uri)
