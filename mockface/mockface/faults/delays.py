"""How long an answer is held back: a fixed time, or one that is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

LONGEST_SECONDS = 600.0
"""No delay is longer, whatever is drawn."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same.

    Attributes:
        seconds: How long.
    """

    seconds: float

    def draw(self, _: random.Random) -> float:
        """The next delay, in seconds."""
        return self.seconds


@dataclass(frozen=True, slots=True)
class Uniform:
    """Anything between two times, equally likely.

    Attributes:
        low: Seconds.
        high: Seconds.
    """

    low: float
    high: float

    def draw(self, generator: random.Random) -> float:
        """The next delay, in seconds."""
        return generator.uniform(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Mostly near the median, at times much longer: how real services are slow.

    Attributes:
        median: Seconds.
        sigma: The spread of the logarithm; at 0.5 one delay in a hundred is 3.2 times the median.
    """

    median: float
    sigma: float

    def draw(self, generator: random.Random) -> float:
        """The next delay, in seconds."""
        return min(self.median * math.exp(self.sigma * generator.gauss(0, 1)), LONGEST_SECONDS)


Delay = Fixed | Uniform | Lognormal

NONE = Fixed(0.0)
