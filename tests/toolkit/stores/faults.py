"""Faulty stores, each with one fault, and the tests of the suite that have to fail for it.

The stores are in the modules ``faulty_*``; :mod:`test_store_contract` runs the suite over them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import active_count
from typing import Final, TypeVar

from livegate.protocols import EventRecord

Events = Sequence[EventRecord]
S = TypeVar("S", bound=type)

FAULTS: Final[dict[type, frozenset[str]]] = {}
"""The faulty stores, and the names of the tests that have to fail."""


def fails(*tests: str) -> Callable[[S], S]:
    """Add the decorated store to :data:`FAULTS`."""

    def add(store: S) -> S:
        FAULTS[store] = frozenset(tests)
        return store

    return add


def pause() -> None:
    """Let the other threads of a race do something."""
    if active_count() > 2:
        time.sleep(0.001)
