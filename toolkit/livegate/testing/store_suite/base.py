"""The fixtures that every part of the contract uses."""

from __future__ import annotations

import sys
from contextlib import closing, contextmanager
from threading import Barrier, Thread
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import pytest

from livegate.protocols import DURABLE, SHARED
from livegate.testing.store_suite.handles import TIMEOUT, EventLoop, StoreHandle
from livegate.testing.store_suite.processes import NotPicklableError, StoreProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from livegate.protocols import AnyStore

    OpenHandle = Callable[[], StoreHandle]
    StartProcess = Callable[[], StoreProcess]
    BreakStore = Callable[[Any], AbstractContextManager[object]]

T = TypeVar("T")

THREADS: Final = 16
"""How many threads race."""


class StoreSuite:
    """The fixtures. A subclass gives ``open_store``, and may give the others without a default."""

    operation_timeout: ClassVar[float] = TIMEOUT
    """Seconds that one operation of an async store may take."""

    @pytest.fixture
    def break_store(self) -> BreakStore | None:
        """Given the store, a context manager in which its driver fails; None: not tested."""
        return None

    @pytest.fixture
    def end_thread(self) -> Callable[[], object]:
        """Called at the end of each thread of a race, for drivers with connections by thread."""
        return lambda: None

    @pytest.fixture
    def open_handle(self, open_store: Callable[[], Any]) -> Iterator[OpenHandle]:
        """Opens one more handle on the store's data."""
        loop = EventLoop(self.operation_timeout)
        handles: list[StoreHandle] = []

        def open_handle() -> StoreHandle:
            raw: AnyStore = loop.value_of(open_store())
            handles.append(StoreHandle(raw, loop))
            return handles[-1]

        yield open_handle
        with closing(loop):
            for handle in handles:
                handle.close()

    @pytest.fixture
    def store(self, open_handle: OpenHandle) -> StoreHandle:
        """The store under test."""
        return open_handle()

    @pytest.fixture
    def other(self, store: StoreHandle, open_handle: OpenHandle) -> StoreHandle:
        """A second handle on the same data, for stores that can be shared."""
        _require(store, SHARED)
        return open_handle()

    @pytest.fixture
    def reopen(self, store: StoreHandle, open_handle: OpenHandle) -> OpenHandle:
        """Closes the store and opens its data again, where that is there afterwards."""
        _require(store, DURABLE, SHARED)

        def reopen() -> StoreHandle:
            store.close()
            return open_handle()

        return reopen

    @pytest.fixture
    def start_process(
        self, open_store: Callable[[], Any], open_handle: OpenHandle
    ) -> Iterator[StartProcess]:
        """Starts a process with a handle of its own; no handle is open in this one.

        For stores that are durable or shared. Tests with several processes need :attr:`other` too.
        """
        store = open_handle()
        _require(store, DURABLE, SHARED)
        store.close()
        processes: list[StoreProcess] = []

        def start_process() -> StoreProcess:
            try:
                processes.append(StoreProcess(open_store))
            except NotPicklableError as error:
                pytest.fail(str(error))
            return processes[-1]

        yield start_process
        for process in processes:
            process.kill()

    @pytest.fixture
    def race(self, end_thread: Callable[[], object]) -> Callable[..., list[Any]]:
        """:func:`race`, with ``end_thread``."""
        return lambda work, threads=THREADS: race(work, threads, end_thread)


def race(
    work: Callable[[int], T],
    threads: int = THREADS,
    end_thread: Callable[[], object] = lambda: None,
) -> list[T | Exception]:
    """What ``work(0)``, ``work(1)``, ... return or raise when all of them begin at one moment."""
    results: dict[int, T | Exception] = {}
    start = Barrier(threads)

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = work(number)
        except Exception as error:  # noqa: BLE001 - the test judges it
            results[number] = error
        finally:
            end_thread()

    running = [Thread(target=run, args=(number,)) for number in range(threads)]
    with _frequent_switches():
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    return [results[number] for number in range(threads)]


def _require(store: StoreHandle, *capabilities: str) -> None:
    if not store.capabilities.intersection(capabilities):
        pytest.skip(f"the store does not claim {' or '.join(map(repr, capabilities))}")


@contextmanager
def _frequent_switches() -> Iterator[None]:
    """Python switches threads as often as it can, so that a missing lock is noticed."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
