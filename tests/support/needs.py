"""What a test needs of its machine: where that is missing the test is skipped; in CI it fails."""

from __future__ import annotations

import os
import shutil
from importlib import import_module
from typing import Any

import pytest


def missing(*names: str) -> list[str]:
    """Those of the programs that this machine does not have."""
    return [name for name in names if shutil.which(name) is None]


def programs(*names: str) -> None:
    """Goes on only where all of them are."""
    __tracebackhide__ = True
    if lacking := missing(*names):
        (pytest.fail if _in_ci() else pytest.skip)(f"this machine has no {', '.join(lacking)}")


def module(name: str) -> Any:
    """Goes on only where it can be imported."""
    __tracebackhide__ = True
    return import_module(name) if _in_ci() else pytest.importorskip(name)


def _in_ci() -> bool:
    return bool(os.environ.get("CI"))
