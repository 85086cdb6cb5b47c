"""The scenarios that wait for a tenant's next sessions."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

from mockface.scenarios import scenario

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 10_000


class Queue:
    """Names of scenarios, for one session each; what is taken is gone. Safe from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: deque[str] = deque()

    @property
    def names(self) -> tuple[str, ...]:
        """Those that wait, the next one first."""
        with self._lock:
            return tuple(self._waiting)

    def add(self, names: Iterable[str]) -> None:
        """Lets them wait behind the others.

        Raises:
            UnknownScenarioError: One of them does not exist; then none is added.
            OverflowError: It would be longer than it may be.
        """
        checked = [scenario(name).name for name in names]
        with self._lock:
            if len(self._waiting) + len(checked) > _LONGEST:
                raise OverflowError(f"At most {_LONGEST} scenarios can wait.")
            self._waiting.extend(checked)

    def take(self) -> str | None:
        """The next one, which waits no longer; `None` if none does."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else None
