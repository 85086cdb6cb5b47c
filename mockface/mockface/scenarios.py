"""What the next attempt will be: one table. A new outcome is a new row.

Rows are put together by name: `spoof+late` is a spoof whose result comes late, `mask,real` a person
who takes the mask off for the second attempt.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import Enum, auto
from types import MappingProxyType

from mockface.errors import UnknownScenarioError
from mockface.pace import Pace

IN_BAND_PREFIX = "mock-"
"""A device correlation id `mock-spoof` (or `mock-spoof:anything`) chooses the scenario `spoof`."""

LONGEST_NAME = 256
"""Characters in which rows can be put together."""

_LATE = "late"
_LATE_BY = Pace(reads=2)


class Decision(Enum):
    """What the service holds the face to be; the last three are words that it never says."""

    REAL = auto()
    SPOOF = auto()
    UNCERTAIN = auto()
    UNSAID = auto()
    UNHEARD_OF = auto()
    MISSPELT = auto()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt came to no decision.

    Attributes:
        code: The service's code.
        message: A sentence for people.
    """

    code: str
    message: str


class Finding(Enum):
    """What the service finds in the reference image."""

    AS_POSTED = auto()
    LOW_QUALITY = auto()
    NO_FACE = auto()
    TWO_FACES = auto()


@dataclass(frozen=True, slots=True)
class Step:
    """One attempt.

    Attributes:
        outcome: The decision, or why there is none.
        same_person: Whether the face matches the reference image.
        compared: Whether the result has a comparison, in a session with verification.
        hash_differs: Whether the hash of the reference image is another one's.
        digest_differs: Whether the client has seen another digest than the service.
        abuse: Whether abuse monitoring flags it.
        reference: What is found in a reference image that comes with this attempt; for the app
            server's image the first step counts.
        pace: When the result is out; `None` leaves it to the session's pace.
    """

    outcome: Decision | Failure = Decision.REAL
    same_person: bool = True
    compared: bool = True
    hash_differs: bool = False
    digest_differs: bool = False
    abuse: bool = False
    reference: Finding = Finding.AS_POSTED
    pace: Pace | None = None

    def with_also(self, other: Step) -> Step:
        """Both at once; where they contradict each other, the other one counts."""
        plain = Step()
        said = {f.name: getattr(other, f.name) for f in fields(other)}
        return replace(self, **{n: v for n, v in said.items() if v != getattr(plain, n)})


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named outcome.

    Attributes:
        name: How it is chosen.
        summary: A line for people.
        steps: The attempts in order; the last one stands for all later ones.
        hostile: Whether the service would never answer so.
    """

    name: str
    summary: str
    steps: tuple[Step, ...]
    hostile: bool = False

    def step(self, number: int) -> Step:
        """The step of attempt `number`, which counts from 1."""
        return self.steps[min(number, len(self.steps)) - 1]


def _one(name: str, summary: str, step: Step, *, hostile: bool = False) -> Scenario:
    return Scenario(name, summary, (step,), hostile)


def _fails(name: str, code: str, why: str) -> Scenario:
    """An attempt that fails.

    The only code of a failed attempt that official material shows is `FaceWithMaskDetected`. The
    others are the client's names for the same things: an assumption.
    """
    message = f"{why[0].upper()}{why[1:]}."
    return _one(name, f"The attempt fails: {why}", Step(Failure(code, message)))


_MASK = _fails("mask", "FaceWithMaskDetected", "the face wears a mask")

_ROWS = (
    _one("real", "A real face, the right person", Step()),
    _one("spoof", "A picture, a screen or a puppet", Step(Decision.SPOOF)),
    _one("uncertain", "The service cannot tell", Step(Decision.UNCERTAIN)),
    _one(
        "wrong-person",
        "A real face that does not match the reference image",
        Step(same_person=False),
    ),
    Scenario(
        "fail-then-succeed",
        "A first attempt with a mask, and then a real face: the same as mask,real",
        (*_MASK.steps, Step()),
    ),
    _MASK,
    _fails("mouth-covered", "FaceMouthRegionNotVisible", "the mouth is not visible"),
    _fails("eyes-covered", "FaceEyeRegionNotVisible", "the eyes are not visible"),
    _fails("blurred", "ExcessiveImageBlurDetected", "the picture is blurred"),
    _fails("too-bright", "ExcessiveFaceBrightness", "there is too much light on the face"),
    _fails("no-face", "NoFaceDetected", "no face is in front of the camera"),
    _fails("face-lost", "FaceTrackingFailed", "the face left the picture"),
    _fails("no-smile", "SmileNotPerformed", "the person did not smile when asked to"),
    _fails("no-head-turn", "HeadTurnNotPerformed", "the person did not turn the head"),
    _fails("timed-out", "TimedOut", "the person took too long"),
    _fails("environment", "EnvironmentNotSupported", "the device or the browser is not supported"),
    _one(
        "low-quality-reference",
        "The reference image is of low quality for recognition",
        Step(reference=Finding.LOW_QUALITY),
    ),
    _one(
        "no-face-in-reference",
        "The reference image shows nobody: the create is refused",
        Step(reference=Finding.NO_FACE),
    ),
    _one(
        "two-faces-in-reference",
        "The reference image shows two people: the create is refused",
        Step(reference=Finding.TWO_FACES),
    ),
    _one("abuse", "A real face that abuse monitoring flags (v1.3)", Step(abuse=True)),
    _one(
        "digest-mismatch",
        "The client has seen another digest than the result has",
        Step(digest_differs=True),
    ),
    _one(
        "wrong-verify-image-hash",
        "The result has the hash of another reference image",
        Step(hash_differs=True),
    ),
    _one(
        _LATE,
        f"The result is out after {_LATE_BY.reads} more reads; late=5reads and late=30s say when",
        Step(pace=_LATE_BY),
    ),
    _one("no-decision", "A result without a decision", Step(Decision.UNSAID)),
    _one(
        "no-verify-result",
        "A result without a comparison, in a session with verification",
        Step(compared=False),
    ),
    _one(
        "unknown-decision",
        "Hostile: a decision that nobody has heard of",
        Step(Decision.UNHEARD_OF),
        hostile=True,
    ),
    _one(
        "realface-wrong-case",
        "Hostile: RealFace where realface has to stand",
        Step(Decision.MISSPELT),
        hostile=True,
    ),
)

SCENARIOS = MappingProxyType({row.name: row for row in _ROWS})
DEFAULT = "real"

FAILURE_CODES = tuple(
    step.outcome.code
    for row in _ROWS
    for step in row.steps
    if len(row.steps) == 1 and isinstance(step.outcome, Failure)
)
"""The codes of failed attempts."""


def scenario(name: str) -> Scenario:
    """The scenario of this name, or what names are put together to.

    Args:
        name: A name; several with `+` hold at once, several with `,` one attempt after the other.

    Raises:
        UnknownScenarioError: There is none; the error lists those that exist.
    """
    row = SCENARIOS.get(name)
    if row is not None:
        return row
    if len(name) > LONGEST_NAME:
        raise UnknownScenarioError(name, tuple(SCENARIOS))
    steps = tuple(step for part in name.split(",") for step in _at_once(part))
    return Scenario(name, "", steps)


def in_band(device_correlation_id: str | None) -> Scenario | None:
    """The scenario that a device correlation id asks for, if it asks for one.

    Raises:
        UnknownScenarioError: The id has the prefix, and no scenario has the name behind it.
    """
    if device_correlation_id is None or not device_correlation_id.startswith(IN_BAND_PREFIX):
        return None
    name, _, _ = device_correlation_id.removeprefix(IN_BAND_PREFIX).partition(":")
    return scenario(name)


def _at_once(part: str) -> tuple[Step, ...]:
    """The steps of names that hold together."""
    first, *others = (_row(word) for word in part.split("+"))
    steps = first.steps
    for other in others:
        whole = Scenario(part, "", steps)
        count = max(len(steps), len(other.steps))
        steps = tuple(whole.step(n).with_also(other.step(n)) for n in range(1, count + 1))
    return steps


def _row(word: str) -> Scenario:
    name, says, value = word.partition("=")
    row = SCENARIOS.get(name)
    if row is None or (says and name != _LATE):
        raise UnknownScenarioError(word, tuple(SCENARIOS))
    if not says:
        return row
    try:
        return _one(word, row.summary, Step(pace=Pace.parse(value)))
    except ValueError:
        raise UnknownScenarioError(word, tuple(SCENARIOS)) from None
