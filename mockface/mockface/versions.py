"""Versions of the API by their names, `v1.2` or `v1.3-preview.1`, and their order."""

from __future__ import annotations

import re

_NAMED_IN = re.compile(r"/*face/([^/]+)/", re.IGNORECASE)
_VERSION = re.compile(r"v(\d{1,4})\.(\d{1,4})(?:-preview\.(\d{1,4}))?", re.IGNORECASE | re.ASCII)
_RELEASE = 10_000  # comes after all its previews


def named_in(path: str) -> str:
    """The version that a path names, as it is written there; empty if it names none."""
    found = _NAMED_IN.match(path)
    return found[1] if found else ""


def is_newer(version: str, known: str) -> bool:
    """Whether a version comes after a known one; what is no version does not."""
    order = _order(version)
    return order is not None and order > (_order(known) or ())


def _order(version: str) -> tuple[int, ...] | None:
    found = _VERSION.fullmatch(version)
    return found and (int(found[1]), int(found[2]), int(found[3] or _RELEASE))
