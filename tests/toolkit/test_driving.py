"""The two drivers: the same flow gives the same, whatever colour its ports have."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from livegate.driving import Flow, adrive, ask, drive

if TYPE_CHECKING:
    from collections.abc import Callable


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


def careful(port: Any, number: int) -> Flow[str]:
    """A flow that asks twice and survives one failure."""
    try:
        number = yield from ask(port.double(number))
    except PortError as error:
        number = yield from ask(port.double(-error.args[0]))
        return f"caught, {number}"
    return str((yield from ask(port.double(number))))


def run(flow: Callable[[], Flow[Any]]) -> list[Any]:
    """What the flow gives under each driver, in and out of a running event loop."""

    async def within() -> list[Any]:
        return [drive(flow()), await adrive(flow())]

    return [drive(flow()), asyncio.run(adrive(flow())), *asyncio.run(within())]


@pytest.mark.parametrize("port", [SyncPort(), AsyncPort()])
def test_a_flow_gives_the_same_in_either_colour(port: Any) -> None:
    assert run(lambda: careful(port, 3)) == ["12"] * 4


@pytest.mark.parametrize("port", [SyncPort(), AsyncPort()])
def test_what_goes_wrong_while_waiting_is_raised_in_the_flow(port: Any) -> None:
    assert run(lambda: careful(port, -3)) == ["caught, 6"] * 4


@pytest.mark.parametrize("port", [SyncPort(), AsyncPort()])
def test_what_the_flow_does_not_catch_leaves_the_driver(port: Any) -> None:
    def careless() -> Flow[Any]:
        return (yield from ask(port.double(-1)))

    with pytest.raises(PortError):
        drive(careless())
    with pytest.raises(PortError):
        asyncio.run(adrive(careless()))


def test_a_flow_may_ask_for_nothing() -> None:
    def quick() -> Flow[str]:
        yield from ()
        return "done"

    assert run(quick) == ["done"] * 4


def test_a_cancelled_flow_can_clean_up() -> None:
    steps: list[str] = []

    async def forever() -> Any:
        await asyncio.Event().wait()

    def patient() -> Flow[None]:
        try:
            yield from ask(forever())
        finally:
            steps.append("cleaned up")

    async def impatient() -> None:
        async with asyncio.timeout(0):
            await adrive(patient())

    with pytest.raises(TimeoutError):
        asyncio.run(impatient())
    assert steps == ["cleaned up"]
