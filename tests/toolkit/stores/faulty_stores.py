"""All faulty stores, in :data:`FAULTS`."""

from __future__ import annotations

from tests.toolkit.stores import (
    faulty_claims,
    faulty_errors,
    faulty_finds,
    faulty_records,
    faulty_releases,
    faulty_removals,
    faulty_shared_stores,
)
from tests.toolkit.stores.faults import FAULTS

__all__ = ["FAULTS"]

MODULES = (
    faulty_claims,
    faulty_errors,
    faulty_finds,
    faulty_records,
    faulty_releases,
    faulty_removals,
    faulty_shared_stores,
)
