"""Calls one plugin's function, sync or async, under either orchestrator."""

from __future__ import annotations

import contextvars
import inspect
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Implementation:
    """One plugin's function for one hook.

    Attributes:
        hook: The name of the hook.
        plugin: The name of the plugin; empty for a function of the application itself.
        is_built_in: Whether it comes with livegate; those never block.
        function: The function itself.
        arguments: The names of the hook's arguments that the function takes.
    """

    hook: str
    plugin: str
    is_built_in: bool
    function: Callable[..., Any]
    arguments: tuple[str, ...] = ()

    def bind(self, arguments: Mapping[str, Any]) -> Callable[[], Any]:
        """The function with those of the hook's *arguments* that it takes."""
        return partial(self.function, **{name: arguments[name] for name in self.arguments})

    def failure(self, error: BaseException) -> str:
        """What failed and where, without a word of *error*, which may quote a secret."""
        function = getattr(self.function, "func", self.function)  # of a partial
        code = getattr(inspect.unwrap(function), "__code__", None)
        lines = [
            f" at {Path(frame.filename).name}, line {frame.lineno}"
            for frame in extract_tb(error.__traceback__)
            if code and frame.filename == code.co_filename
        ]
        where = lines[-1] if lines else ""
        return f"{self.label} failed with {type(error).__name__}{where}"

    @property
    def label(self) -> str:
        """The hook and its plugin, for messages."""
        return f"{self.hook} of plugin {self.plugin}" if self.plugin else self.hook


async def call(
    implementation: Implementation,
    arguments: Mapping[str, Any],
    *,
    is_async: bool,
    give_up_after: float | None = None,
) -> Any:
    """The result of *implementation*, awaited if it can be; without *is_async* never suspends.

    Args:
        implementation: What to call.
        arguments: All arguments of the hook, by name.
        is_async: Whether an event loop runs the caller and must not be blocked.
        give_up_after: Seconds that the result is waited for, or None for ever. A function that runs
            in the caller's thread cannot be given up.

    Raises:
        TimeoutError: The time is over.
        Exception: Whatever the plugin raises.
    """
    function = implementation.bind(arguments)
    may_block = not (
        implementation.is_built_in or inspect.iscoroutinefunction(implementation.function)
    )
    result = _in_thread(function) if is_async and may_block else function()
    if not inspect.isawaitable(result):
        return result
    if is_async:
        return await _settled(result, give_up_after)
    return run_in_own_loop(result, give_up_after)


def call_now(implementation: Implementation, arguments: Mapping[str, Any]) -> Any:
    """The result of *implementation*, in the caller's thread; an awaitable gets its own loop.

    Raises:
        Exception: Whatever the plugin raises.
    """
    result = implementation.bind(arguments)()
    return run_in_own_loop(result) if inspect.isawaitable(result) else result


def run_in_own_loop(awaitable: Awaitable[T], give_up_after: float | None = None) -> T:
    """Run *awaitable* to its end in a new event loop, with the caller's context variables.

    Raises:
        TimeoutError: The time, in seconds, is over.
        Exception: Whatever it raises.
    """
    import asyncio  # noqa: PLC0415 - takes longer to import than all of livegate

    work = partial(asyncio.run, _settled(awaitable, give_up_after))
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    # The thread runs an event loop already: another one needs a thread of its own.
    results: list[T] = []
    errors: list[BaseException] = []
    context = contextvars.copy_context()

    def run() -> None:
        try:
            results.append(context.run(work))
        except BaseException as error:  # noqa: BLE001 - raised in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, name="livegate-async-hook")
    thread.start()
    thread.join()
    for error in errors:
        raise error
    return results[0]


async def _in_thread(function: Callable[[], Any]) -> Any:
    import asyncio  # noqa: PLC0415 - as above

    def run() -> tuple[Any, Exception | None]:
        try:
            return function(), None
        except Exception as error:  # noqa: BLE001 - a future cannot raise a StopIteration
            return None, error

    result, error = await asyncio.to_thread(run)
    if error is not None:
        raise error
    return await result if inspect.isawaitable(result) else result


async def _settled(awaitable: Awaitable[T], give_up_after: float | None) -> T:
    """The result of *awaitable*; if it cancels itself, that is a failure of its own.

    Raises:
        TimeoutError: The time is over.
        RuntimeError: It was cancelled, and the caller was not.
    """
    import asyncio  # noqa: PLC0415 - as above

    try:
        if give_up_after is None:
            return await awaitable
        return await asyncio.wait_for(awaitable, give_up_after)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
    raise RuntimeError("it was cancelled from within")
