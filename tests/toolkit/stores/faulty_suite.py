"""The suite over every faulty store, one class each; run by :mod:`test_store_contract`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.stores.faulty_stores import FAULTS
from tests.toolkit.stores.file_store import FileStore, broken

from livegate.testing.store_contract import StoreContract
from livegate.testing.store_suite.handles import TIMEOUT

if TYPE_CHECKING:
    from livegate.testing.store_suite.base import BreakStore


class FaultyStoreContract(StoreContract):
    store_class: Any

    @pytest.fixture
    def open_store(self, request: pytest.FixtureRequest) -> Any:
        if issubclass(self.store_class, FileStore):
            return partial(self.store_class, request.getfixturevalue("tmp_path") / "sessions")
        return self.store_class  # an async store is made in its event loop

    @pytest.fixture
    def break_store(self) -> BreakStore | None:
        return broken if issubclass(self.store_class, FileStore) else None


for store in FAULTS:
    name = f"Test{store.__name__}"
    timeout = getattr(store, "operation_timeout", TIMEOUT)
    members = {"store_class": store, "operation_timeout": timeout}
    globals()[name] = type(name, (FaultyStoreContract,), members)
