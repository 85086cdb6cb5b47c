"""What the next attempt will be: one table. A new outcome is a new row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from mockface.errors import UnknownScenarioError

IN_BAND_PREFIX = "mock-"
"""A device correlation id `mock-spoof` (or `mock-spoof:anything`) chooses the scenario `spoof`."""


class Decision(Enum):
    """What the service holds the face to be."""

    REAL = auto()
    SPOOF = auto()
    UNCERTAIN = auto()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt came to no decision.

    Attributes:
        code: The service's code.
        message: A sentence for people.
    """

    code: str
    message: str


# The only code of a failed attempt that official material shows.
MASK = Failure("FaceWithMaskDetected", "The face in front of the camera wears a mask.")


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt.

    Attributes:
        outcome: The decision, or why there is none.
        same_person: Whether the face matches the reference image.
    """

    outcome: Decision | Failure
    same_person: bool = True


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named outcome.

    Attributes:
        name: How it is chosen.
        summary: A line for people.
        steps: The attempts in order; the last one stands for all later ones.
    """

    name: str
    summary: str
    steps: tuple[Step, ...]

    def step(self, number: int) -> Step:
        """The step of attempt `number`, which counts from 1."""
        return self.steps[min(number, len(self.steps)) - 1]


_ROWS = (
    Scenario("real", "A real face, the right person", (Step(Decision.REAL),)),
    Scenario("spoof", "A picture, a screen or a puppet", (Step(Decision.SPOOF),)),
    Scenario("uncertain", "The service cannot tell", (Step(Decision.UNCERTAIN),)),
    Scenario(
        "wrong-person",
        "A real face that does not match the reference image",
        (Step(Decision.REAL, same_person=False),),
    ),
    Scenario(
        "mask",
        "The attempt fails because the face wears a mask",
        (Step(MASK),),
    ),
)

SCENARIOS = MappingProxyType({row.name: row for row in _ROWS})
DEFAULT = "real"


def scenario(name: str) -> Scenario:
    """The scenario of this name.

    Raises:
        UnknownScenarioError: There is none; the error lists those that exist.
    """
    try:
        return SCENARIOS[name]
    except KeyError:
        raise UnknownScenarioError(name, tuple(SCENARIOS)) from None


def in_band(device_correlation_id: str | None) -> Scenario | None:
    """The scenario that a device correlation id asks for, if it asks for one.

    Raises:
        UnknownScenarioError: The id has the prefix, and no scenario has the name behind it.
    """
    if device_correlation_id is None or not device_correlation_id.startswith(IN_BAND_PREFIX):
        return None
    name, _, _ = device_correlation_id.removeprefix(IN_BAND_PREFIX).partition(":")
    return scenario(name)
