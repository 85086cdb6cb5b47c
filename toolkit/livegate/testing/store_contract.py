"""The conformance suite for stores.

Subclass :class:`StoreContract` in a test module, and say how to open the store::

    class TestMyStore(StoreContract):
        @pytest.fixture
        def open_store(self, tmp_path):
            return functools.partial(MyStore, tmp_path / "sessions")

``open_store`` is called without arguments, and returns a handle on the test's data, which is empty
at first. The store is sync or async; an async one is opened (``open_store`` may be a coroutine
function) and awaited in one event loop. The suite closes every handle. Each further call opens
another handle on the same data: the suite makes them for stores that claim the capability
``shared``, and after it has closed or killed the first one for those that claim ``durable``.
Processes get ``open_store`` too: let it be something that can be pickled, such as a class,
a ``functools.partial`` of one, or a function of a module.

A subclass may give these too:

- The fixture ``break_store``: a function of the store that returns a context manager in which the
  driver fails, for example by a patch, or by a proxy that drops connections. Without it the tests
  of driver failures are skipped.
- The fixture ``end_thread``: a function that a thread of a race calls last, for drivers that keep a
  connection for each thread.
- The attribute ``operation_timeout``: seconds that an operation of an async store may take.

A test's name says what holds, its docstring what is given. Later versions of livegate may add
tests; the changelog names them.
"""
# ruff: noqa: E402 - imported after pytest has been told to rewrite their asserts

from __future__ import annotations

import pytest

_PARTS = (
    "cancelling", "claiming", "failing", "finding", "racing", "records", "releasing", "removing",
    "reopening", "volume",
)  # fmt: skip
# A failed assert then shows what it compared.
pytest.register_assert_rewrite(*(f"livegate.testing.store_suite.{part}" for part in _PARTS))

from livegate.testing.store_suite.cancelling import Cancelling
from livegate.testing.store_suite.claiming import Claiming
from livegate.testing.store_suite.failing import Failing
from livegate.testing.store_suite.finding import Finding
from livegate.testing.store_suite.racing import Racing
from livegate.testing.store_suite.records import Records
from livegate.testing.store_suite.releasing import Releasing
from livegate.testing.store_suite.removing import Removing
from livegate.testing.store_suite.reopening import Reopening, Sharing
from livegate.testing.store_suite.volume import Volume


class StoreContract(
    Records,
    Finding,
    Claiming,
    Releasing,
    Removing,
    Volume,
    Racing,
    Reopening,
    Sharing,
    Failing,
    Cancelling,
):
    """All that :mod:`livegate.protocols` promises of a store, as tests."""
