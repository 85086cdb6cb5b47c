"""The kit itself: a store that breaks a promise must not pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.toolkit.stores.broken_stores import NOTICED_BY, SavesOverAnything

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

pytest_plugins = ["pytester"]

PROLOGUE = """
import pytest
from livegate.stores.memory import MemoryStore
from livegate.stores.threads import ThreadedStore
from livegate.testing import StoreContract
from tests.toolkit.stores.broken_stores import *
"""

SUBJECT = """
class Test{name}(StoreContract):
    @pytest.fixture
    def store(self):
        return {store}
"""

OTHER = """
    @pytest.fixture
    def other_store(self):
        return {store}
"""

SOUND_ASYNC = """
async def opened():
    return ThreadedStore(MemoryStore())
"""


def outcomes(
    pytester: pytest.Pytester,
    code: str,
    tests: Iterable[tuple[str, str]],
) -> dict[tuple[str, str], str]:
    """How each of *tests*, a class and a method, ended: the worst of its parametrizations."""
    path = pytester.makepyfile(test_broken=PROLOGUE + code)
    nodes = [f"{path}::{kind}::{test}" for kind, test in tests]
    reports = pytester.inline_run(*nodes, "-p", "no:cacheprovider", "-q").listoutcomes()
    found: dict[tuple[str, str], str] = {}
    for outcome, ended in zip(("passed", "skipped", "failed"), reports, strict=True):
        for report in ended:
            _, kind, test = report.nodeid.split("::")
            found[kind, test.split("[")[0]] = outcome
    return found


def test_every_broken_store_fails(pytester: pytest.Pytester) -> None:
    code = ""
    for store in NOTICED_BY:
        code += SUBJECT.format(name=store.__name__, store=f"{store.__name__}()")
        if "shared" in store.capabilities:
            code += OTHER.format(store=f"{store.__name__}()")
    wanted = [(f"Test{s.__name__}", test) for s, tests in NOTICED_BY.items() for test in tests]
    assert outcomes(pytester, code, wanted) == dict.fromkeys(wanted, "failed")


def test_the_same_tests_pass_with_sound_stores(pytester: pytest.Pytester) -> None:
    """It is the faults that fail, not the way the tests are run here."""
    code = SUBJECT.format(name="Sync", store="MemoryStore()")
    code += SOUND_ASYNC + SUBJECT.format(name="Async", store="opened()")
    tests = set[str]().union(*NOTICED_BY.values())
    wanted = [(kind, test) for kind in ("TestSync", "TestAsync") for test in tests]
    found = outcomes(pytester, code, wanted)
    skipped = {test for (_, test), outcome in found.items() if outcome == "skipped"}
    assert skipped == {"test_what_was_written_stays", "test_what_one_writes_the_other_reads"}
    passed = [(kind, test) for kind, test in wanted if test not in skipped]
    assert found | dict.fromkeys(passed, "passed") == found


def test_a_broken_async_store_fails_too(pytester: pytest.Pytester) -> None:
    code = SUBJECT.format(name="Broken", store="ThreadedStore(SavesOverAnything())")
    wanted = [("TestBroken", test) for test in NOTICED_BY[SavesOverAnything]]
    assert outcomes(pytester, code, wanted) == dict.fromkeys(wanted, "failed")


def test_what_is_skipped_says_why(pytester: pytest.Pytester) -> None:
    code = PROLOGUE + SUBJECT.format(name="Memory", store="MemoryStore()")
    path = pytester.makepyfile(test_memory=code)
    run = pytester.inline_run(path, "-p", "no:cacheprovider", "-q", "-k", "other or stays")
    _, skipped, failed = run.listoutcomes()
    assert failed == []
    reasons = {str(report.longrepr[2]) for report in skipped if isinstance(report.longrepr, tuple)}
    assert reasons == {"Skipped: the store claims neither 'durable' nor 'shared'"}


def test_a_failure_shows_what_was_compared(pytester: pytest.Pytester) -> None:
    """Given a third party's own session; the kit's asserts explain themselves there."""
    path = pytester.makepyfile("""
        import pytest
        from livegate.stores.memory import MemoryStore
        from livegate.testing import StoreContract

        class FindsNothing(MemoryStore):
            def get(self, session_id):
                return None

        class TestFindsNothing(StoreContract):
            @pytest.fixture
            def store(self):
                return FindsNothing()
    """)
    node = f"{path}::TestFindsNothing::test_save_replaces_the_record"
    run = pytester.runpytest_subprocess(node, "-p", "no:cacheprovider")
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(["E*assert None == LivenessSession(*"])
