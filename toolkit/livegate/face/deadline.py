"""An end for blocking calls that have none."""

from __future__ import annotations

import threading
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def within(seconds: float, work: Callable[[], T]) -> T | None:
    """What *work* returns, or None if it takes longer than *seconds*.

    A blocking HTTP client limits each wait for the next bytes, not the whole: a server that sends
    a byte now and then holds it for hours, and a look-up of a name has no limit at all. So the
    work is done in a thread of its own, which is left behind when the time is over; it ends when
    its connection does, and its result is dropped.

    Args:
        seconds: To wait at most.
        work: Must not raise. It sees the caller's context variables.
    """
    result: SimpleQueue[T] = SimpleQueue()
    context = copy_context()
    threading.Thread(
        target=lambda: result.put(context.run(work)), name="livegate-face-call", daemon=True
    ).start()
    try:
        return result.get(timeout=seconds)
    except Empty:
        return None
