"""What holds for sessions where nobody says more: scenario, pace and time."""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING

from mockface.scenarios import DEFAULT, Pace, scenario

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mockface.clock import Clock

_AT_ONCE = Pace()
_LONGEST_QUEUE = 10_000


class Common:
    """What holds in the whole emulator: what time it is, what attempts are, when results are out.

    Raises:
        UnknownScenarioError: There is no such scenario.
    """

    def __init__(self, clock: Clock, name: str = DEFAULT, pace: Pace = _AT_ONCE) -> None:
        self.clock = clock
        self.scenario = name
        self.pace = pace
        self._first = (self.scenario, pace)

    @property
    def scenario(self) -> str:
        """What the attempts of a session are that is bound to no scenario."""
        return self._scenario

    @scenario.setter
    def scenario(self, name: str) -> None:
        self._scenario = scenario(name).name

    def own_clock(self) -> Clock:
        """The clock that may be moved for all."""
        return self.clock

    def reset(self) -> None:
        """Puts everything back to how it was at the start."""
        self.scenario, self.pace = self._first
        self.clock.reset()


class Defaults:
    """What holds for a tenant: its own settings, over those of the whole emulator."""

    def __init__(self, common: Common) -> None:
        self._common = common
        self._lock = Lock()
        self._scenario: str | None = None
        self._pace: Pace | None = None
        self._clock: Clock | None = None
        self._queue: deque[str] = deque()

    @property
    def scenario(self) -> str:
        """What the attempts of a session are that is bound to no scenario."""
        return self._scenario or self._common.scenario

    @scenario.setter
    def scenario(self, name: str) -> None:
        self._scenario = scenario(name).name

    @property
    def pace(self) -> Pace:
        """When results are out, if neither session nor scenario says so."""
        return self._pace or self._common.pace

    @pace.setter
    def pace(self, pace: Pace) -> None:
        self._pace = pace

    @property
    def clock(self) -> Clock:
        """What time it is here."""
        return self._clock or self._common.clock

    def own_clock(self) -> Clock:
        """The clock that only this tenant goes by, from now on.

        So one test can let its sessions expire, and those of all others live on.
        """
        with self._lock:
            if self._clock is None:
                self._clock = self._common.clock.fork()
            return self._clock

    @property
    def queue(self) -> list[str]:
        """The scenarios that wait for the tenant's next sessions, one each, the next one first."""
        with self._lock:
            return list(self._queue)

    def enqueue(self, names: Iterable[str]) -> None:
        """Lets scenarios wait behind the others.

        Raises:
            UnknownScenarioError: One of them does not exist; then none is added.
            OverflowError: Too many would wait.
        """
        checked = [scenario(name).name for name in names]
        with self._lock:
            if len(self._queue) + len(checked) > _LONGEST_QUEUE:
                raise OverflowError(f"At most {_LONGEST_QUEUE} scenarios can wait.")
            self._queue.extend(checked)

    def next_queued(self) -> str | None:
        """Takes the next one out of the queue; `None` if none waits."""
        with self._lock:
            return self._queue.popleft() if self._queue else None
