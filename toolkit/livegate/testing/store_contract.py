"""The conformance kit for stores.

Subclass :class:`StoreContract` in a test module and give it a store that is empty::

    class TestMyStore(StoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            return MyStore(tmp_path / "sessions")

        @pytest.fixture
        def other_store(self, store, tmp_path):
            return MyStore(tmp_path / "sessions")

``store`` may be sync or async: an async one is awaited in one event loop, which is also where the
fixture's own value is awaited if it is a coroutine. The kit closes what the fixtures give.

``other_store`` is a second handle on the same data, such as another process would have. A store
that claims the capability ``durable`` or ``shared`` has to give one; for any other, the tests that
need it are skipped and say so.

A test is named after what it wants and says in a line what is given, done and expected. Later
versions of livegate may add tests; the changelog names them.
"""

from __future__ import annotations

from livegate.testing.store_suite.closing import Closing
from livegate.testing.store_suite.finding import Finding
from livegate.testing.store_suite.forgetting import Forgetting
from livegate.testing.store_suite.keeping import Keeping
from livegate.testing.store_suite.looking_after import LookingAfter
from livegate.testing.store_suite.racing import Racing


class StoreContract(Keeping, Racing, Finding, LookingAfter, Forgetting, Closing):
    """All that :mod:`livegate.stores.base` promises, as tests."""
