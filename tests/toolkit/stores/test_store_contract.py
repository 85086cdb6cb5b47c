"""The suite fails for a faulty store: in exactly the tests of what the store does not keep."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from tests.toolkit.stores.faulty_stores import FAULTS

from livegate.testing.store_contract import StoreContract
from livegate.testing.store_suite.racing import Racing

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.reliability

SUITE = Path(__file__).with_name("faulty_suite.py")
RACES = frozenset(name for name in vars(Racing) if name.startswith("test_"))
"""A race finds many faults, but not each time: what else it finds is no mistake of the suite."""

OPTIONS = ("-p", "no:cacheprovider", "-p", "no:logging", "-p", "no:warnings", "--noconftest", "-s")

OUTSIDE = """
    import pytest
    from livegate.stores.memory import MemoryStore
    from livegate.testing import StoreContract

    class FindsNothing(MemoryStore):
        def get(self, session_id):
            return None

    class Shared(MemoryStore):
        capabilities = frozenset({"shared"})

    class TestFindsNothing(StoreContract):
        @pytest.fixture
        def open_store(self):
            return FindsNothing

    class TestLambda(StoreContract):
        @pytest.fixture
        def open_store(self):
            return lambda: Shared()
"""


def run_pytest(*arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", *OPTIONS, *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The names of the tests that fail, by the name of the faulty store."""
    report = tmp_path_factory.mktemp("suite") / "report.xml"
    run_pytest(str(SUITE), "--tb=no", "-q", f"--junitxml={report}")
    return failed_tests(ET.parse(report).iter("testcase"))


def failed_tests(cases: Iterable[ET.Element]) -> dict[str, set[str]]:
    failures: dict[str, set[str]] = {}
    for case in cases:
        failed = failures.setdefault(case.attrib["classname"].rpartition(".Test")[2], set())
        if case.find("failure") is not None or case.find("error") is not None:
            failed.add(case.attrib["name"].partition("[")[0])
    return failures


@pytest.mark.timeout(600)
@pytest.mark.parametrize("store", FAULTS, ids=lambda store: store.__name__)
def test_suite_fails_in_exactly_the_tests_of_the_fault(
    store: type, failures: dict[str, set[str]]
) -> None:
    failed, expected = failures[store.__name__], FAULTS[store]
    assert expected <= failed
    assert failed - RACES == expected - RACES


def test_every_test_but_that_of_an_empty_store_fails_for_some_fault() -> None:
    names = {name for name in dir(StoreContract) if name.startswith("test_")}
    found = frozenset[str]().union(*FAULTS.values())
    assert names - found - RACES == {"test_new_store_is_empty"}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest prints for the suite in a project of its own."""
    path = tmp_path_factory.mktemp("project") / "test_stores.py"
    path.write_text(dedent(OUTSIDE))
    names = "id_is_taken_once or survive_a_kill or driver_failure"
    return run_pytest(str(path), "-rs", "-k", names, f"--rootdir={path.parent}", "-c", "/dev/null")


def test_failure_shows_what_was_compared(output: str) -> None:
    assert re.search(r"E +AssertionError: assert None == Record\(id='session-1', ", output)


def test_skipped_test_names_the_capability_or_the_fixture(output: str) -> None:
    assert re.search(r"SKIPPED .*: the store does not claim 'durable' or 'shared'\n", output)
    assert re.search(r"SKIPPED .*: the fixture break_store is not given\n", output)


def test_factory_that_cannot_be_pickled_is_explained(output: str) -> None:
    assert "open_store cannot be used in another process (Can't pickle" in output
    assert "functools.partial(MyStore, path)" in output
