"""For tests: conformance suites to subclass, which need pytest, and doubles, which need nothing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livegate.testing.adapter_contract import AdapterContract as AdapterContract
    from livegate.testing.doubles import AsyncFakeFaceService as AsyncFakeFaceService
    from livegate.testing.doubles import FakeFaceService as FakeFaceService
    from livegate.testing.doubles import ManualClock as ManualClock
    from livegate.testing.store_contract import StoreContract as StoreContract

_MODULE_OF = {
    "AdapterContract": "adapter_contract",
    "AsyncFakeFaceService": "doubles",
    "FakeFaceService": "doubles",
    "ManualClock": "doubles",
    "StoreContract": "store_contract",
}

__all__ = sorted(_MODULE_OF)  # noqa: PLE0605 - a list


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        # On demand: a double is of use without pytest too.
        return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
