"""Conformance kits: what a third party's part has to do, as tests to subclass. They need pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from livegate.testing.store_contract import StoreContract

__all__ = ["StoreContract"]


def __getattr__(name: str) -> object:
    if name != "StoreContract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # On demand, so that pytest is imported by whoever tests and by nobody else.
    from livegate.testing.store_contract import StoreContract  # noqa: PLC0415

    return StoreContract
