"""One source for sync and async: an operation gives the same under either kind of port."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from livegate._sync import maybe_await, run_sync

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class PortError(Exception):
    pass


class SyncPort:
    def double(self, number: int) -> int:
        if number < 0:
            raise PortError(number)
        return 2 * number


class AsyncPort:
    async def double(self, number: int) -> int:
        await asyncio.sleep(0)
        return SyncPort().double(number)


async def quadruple(port: Any, number: int) -> str:
    """An operation that calls a port twice and handles one failure."""
    try:
        number = await maybe_await(port.double(number))
    except PortError as error:
        number = await maybe_await(port.double(-error.args[0]))
        return f"caught, {number}"
    return str(await maybe_await(port.double(number)))


async def inside_a_loop(operation: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    return run_sync(operation())


@pytest.mark.parametrize(("number", "expected"), [(3, "12"), (-3, "caught, 6")])
def test_an_operation_gives_the_same_under_sync_and_async_ports(number: int, expected: str) -> None:
    sync_port, async_port = SyncPort(), AsyncPort()

    assert run_sync(quadruple(sync_port, number)) == expected
    assert asyncio.run(quadruple(sync_port, number)) == expected
    assert asyncio.run(quadruple(async_port, number)) == expected
    assert asyncio.run(inside_a_loop(lambda: quadruple(sync_port, number))) == expected


def test_what_an_operation_does_not_catch_is_raised_to_the_caller() -> None:
    async def careless(port: Any) -> Any:
        return await maybe_await(port.double(-1))

    with pytest.raises(PortError):
        run_sync(careless(SyncPort()))
    with pytest.raises(PortError):
        asyncio.run(careless(AsyncPort()))


def test_an_operation_may_return_a_value_without_calling_a_port() -> None:
    async def quick() -> str:
        return await maybe_await("done")

    assert run_sync(quick()) == "done"


def test_an_operation_that_waits_under_run_sync_cleans_up_and_is_an_error() -> None:
    # Given an operation that gets an async port, although it runs without an event loop
    steps: list[str] = []

    async def operation() -> None:
        try:
            number: int = await maybe_await(AsyncPort().double(1))
            steps.append(f"went on with {number}")
        except RuntimeError:
            steps.append("failed")
            raise
        finally:
            steps.append("cleaned up")

    # When it runs, then the error is raised where it waits
    with pytest.raises(RuntimeError, match="async port"):
        run_sync(operation())
    assert steps == ["failed", "cleaned up"]


def test_a_clean_up_may_wait_in_vain_a_bounded_number_of_times() -> None:
    waits = 0
    is_closed = False

    async def stubborn() -> None:
        nonlocal waits, is_closed
        try:
            while True:
                waits += 1
                try:
                    await asyncio.sleep(0)
                except RuntimeError:
                    continue
        finally:
            is_closed = True

    operation = stubborn()
    with pytest.raises(RuntimeError, match="went on waiting"):
        run_sync(operation)
    assert 2 <= waits <= 1000
    assert is_closed


def test_a_cancelled_operation_cleans_up() -> None:
    steps: list[str] = []

    async def forever() -> str:
        await asyncio.Event().wait()
        return "a result"

    async def operation() -> None:
        try:
            result: str = await maybe_await(forever())
            steps.append(f"went on with {result}")
        finally:
            steps.append("cleaned up")

    async def impatient() -> None:
        async with asyncio.timeout(0):
            await operation()

    with pytest.raises(TimeoutError):
        asyncio.run(impatient())
    assert steps == ["cleaned up"]
