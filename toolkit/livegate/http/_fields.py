"""The errors for fields that a client sends, the same in JSON, in forms and in queries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from livegate.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Collection


def invalid_field(name: str, why: str, code: str = "invalid_field") -> InvalidRequestError:
    """The error for the field *name*, which is the client's own text and is cut and cleaned."""
    shown = re.sub(r"[^\w.-]", "?", name[:64], flags=re.ASCII)
    return InvalidRequestError(f"{shown}: {why}.", code=code, field=shown)


def check_name(name: str, known: Collection[str], seen: Collection[str]) -> None:
    """See that a field is known, and there once.

    Raises:
        InvalidRequestError: It is not; the error names it.
    """
    if name not in known:
        expected = f"expected {', '.join(known)}" if known else "none is expected here"
        raise invalid_field(name, f"unknown field; {expected}", "unknown_field")
    if name in seen:
        raise invalid_field(name, "the field is there twice", "duplicate_field")
