"""Packages that come with an extra: without them the error names the remedy."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_REMEDY = "run: pip install"


@contextmanager
def needs(extras: str) -> Iterator[None]:
    """Imports in its block come with these extras.

    Args:
        extras: As pip takes them, `mock` or `mock,azure`.

    Raises:
        ModuleNotFoundError: One is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("mockface") or _REMEDY in str(missing):
            raise
        raise ModuleNotFoundError(
            f"{missing.name} is not installed; {_REMEDY} 'livegate[{extras}]'",
            name=missing.name,
        ) from None
