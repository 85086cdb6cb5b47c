"""The stores that come with livegate; each is loaded when it is first used.

The contract of a store: :class:`livegate.hooks.SessionStore`; its conformance suite:
:class:`livegate.testing.StoreContract`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livegate.stores.memory import MemoryStore as MemoryStore
    from livegate.stores.sqlite import SqliteStore as SqliteStore

_MODULE_OF = {"MemoryStore": "memory", "SqliteStore": "sqlite"}

__all__ = sorted(_MODULE_OF)  # noqa: PLE0605 - a list


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
