"""One source for sync and async: operations are ``async def``, and run without an event loop too.

An operation awaits other operations and :func:`maybe_await` alone, so under sync ports it never
suspends, and :func:`run_sync` runs it to its end with a single ``send``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine

T = TypeVar("T")

_MAX_THROWS: Final = 100
"""How often a suspended operation may suspend again while it cleans up."""


@overload
async def maybe_await(value: Awaitable[T]) -> T: ...
@overload
async def maybe_await(value: T | Awaitable[T]) -> T: ...
async def maybe_await(value: Any) -> Any:
    """*value*, or what it gives when it is awaited."""
    # Several times faster than inspect.isawaitable; only old generators await without the method.
    return await value if hasattr(value, "__await__") else value


def run_sync(operation: Coroutine[Any, Any, T]) -> T:
    """Run *operation* here and now, without an event loop, and return its result.

    Raises:
        RuntimeError: It waited for something. It was raised at that place, so that the operation
            cleaned up.
        Exception: Whatever the operation raises.
    """
    try:
        operation.send(None)
        for _ in range(_MAX_THROWS):
            # A port that is not what it claims to be. The operation has to give back what it holds.
            operation.throw(RuntimeError("a sync operation waited; an async port is in use"))
    except StopIteration as end:
        result: T = end.value
        return result
    operation.close()
    raise RuntimeError("a sync operation went on waiting; an async port is in use")
