"""Threads for work that may take a while."""

from __future__ import annotations

from collections import deque
from threading import Lock, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Crew:
    """Does jobs in threads that are there only while there is something to do.

    They are daemons, which the threads of `concurrent.futures` are not: a caller that waits for
    minutes must not hold up the end of the process.

    Args:
        most: How many jobs are done at once; the others wait for their turn.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._running = 0
        self._waiting: deque[Callable[[], None]] = deque()

    def do(self, job: Callable[[], None]) -> None:
        """Sees to it that the job is done; a job must not raise."""
        with self._lock:
            if self._running >= self._most:
                self._waiting.append(job)
                return
            self._running += 1
        Thread(target=self._work, args=(job,), name="mockface-crew", daemon=True).start()

    def _work(self, job: Callable[[], None] | None) -> None:
        while job is not None:
            job()
            job = self._next()

    def _next(self) -> Callable[[], None] | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._running -= 1
            return None
