"""What holds for sessions where nobody says more: scenario, pace and time."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from mockface.pace import Pace
from mockface.scenarios import DEFAULT, scenario

if TYPE_CHECKING:
    from mockface.clock import Clock

_AT_ONCE = Pace()


class Common:
    """Those of the whole emulator.

    Args:
        clock: What time it is.
        scenario: What attempts are.
        pace: When results are out.

    Raises:
        UnknownScenarioError: There is no such scenario.
    """

    def __init__(self, clock: Clock, scenario: str = DEFAULT, pace: Pace = _AT_ONCE) -> None:
        self.clock = clock
        self.scenario = scenario
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
        """Puts them back to how they were at the start."""
        self.scenario, self.pace = self._first
        self.clock.reset()


class Defaults:
    """A tenant's own, over those of the whole emulator.

    Args:
        common: Those of the whole emulator.
    """

    def __init__(self, common: Common) -> None:
        self._common = common
        self._lock = Lock()
        self._scenario: str | None = None
        self._pace: Pace | None = None
        self._clock: Clock | None = None

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
