"""For tests: conformance kits to subclass, which need pytest, and stand-ins, which need nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from livegate.testing.store_contract import StoreContract

__all__ = ["StoreContract"]


def __getattr__(name: str) -> object:
    if name != "StoreContract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # On demand: a stand-in is of use without pytest too.
    from livegate.testing.store_contract import StoreContract  # noqa: PLC0415

    return StoreContract
