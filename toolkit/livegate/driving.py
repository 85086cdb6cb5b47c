"""One source for both colours: flows, and the two drivers that run them.

A *flow* is a generator. Where it needs something from a port it hands over what the port returned,
a value or an awaitable, and gets the value back::

    found = yield from ask(store.get(session_id))

:func:`drive` passes values through; :func:`adrive` awaits what can be awaited. What goes wrong
while waiting is raised inside the flow, at the ``yield from``, in both colours alike.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Generator
from typing import Any, TypeVar

T = TypeVar("T")

Flow = Generator[Any, Any, T]


def ask(value: T | Awaitable[T]) -> Flow[T]:
    """Give *value*, or what it gives when awaited, to the flow.

    Raises:
        Exception: Whatever awaiting it raises.
    """
    answer: T = yield value
    return answer


def drive(flow: Flow[T]) -> T:
    """Run *flow* here and now, and return its result.

    An awaitable (a plugin's ``async def`` hook) is run to its end in an event loop of its own.

    Raises:
        Exception: Whatever the flow raises.
    """
    try:
        step = next(flow)
        while True:
            if inspect.isawaitable(step):
                try:
                    step = _wait_for(step)
                except BaseException as error:  # noqa: BLE001 - the flow decides what to do
                    step = flow.throw(error)
                    continue
            step = flow.send(step)
    except StopIteration as end:
        result: T = end.value
        return result


async def adrive(flow: Flow[T]) -> T:
    """Run *flow* in the running event loop, and return its result.

    Raises:
        Exception: Whatever the flow raises.
    """
    try:
        step = next(flow)
        while True:
            if inspect.isawaitable(step):
                try:
                    step = await _outcome_of(step)
                except BaseException as error:  # noqa: BLE001 - the flow decides what to do
                    step = flow.throw(error)
                    continue
            step = flow.send(step)
    except StopIteration as end:
        result: T = end.value
        return result


async def _outcome_of(awaitable: Awaitable[T]) -> T:
    """What *awaitable* gives; that it was cancelled when nobody cancelled us is its own failure."""
    import asyncio  # noqa: PLC0415 - whoever awaits has imported it

    try:
        return await awaitable
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise RuntimeError("what was waited for has been cancelled") from error


def _wait_for(awaitable: Awaitable[T]) -> T:
    """Run *awaitable* to its end, also where the thread's own event loop is running already."""
    import asyncio  # noqa: PLC0415 - costs more to import than the rest of livegate together

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(_outcome_of(awaitable))
    answer: list[T] = []
    error: list[BaseException] = []

    def work() -> None:
        try:
            answer.append(asyncio.run(_outcome_of(awaitable)))
        except BaseException as raised:  # noqa: BLE001 - raised again in the caller's thread
            error.append(raised)

    thread = threading.Thread(target=work, name="livegate-async-hook")
    thread.start()
    thread.join()
    if error:
        raise error[0]
    return answer[0]
