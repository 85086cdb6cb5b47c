"""What the next attempt will be, in one table, and when its result is out.

Rows are put together by name: `spoof+late` is a spoof whose result comes late, `mask,real` a person
who takes the mask off for the second attempt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from enum import Enum, auto
from types import MappingProxyType
from typing import Self

from mockface.errors import UnknownScenarioError

IN_BAND_PREFIX = "mock-"
"""A device correlation id `mock-spoof` (or `mock-spoof:anything`) chooses the scenario `spoof`."""

LONGEST_NAME = 256
"""Characters in which rows can be put together."""

AT_ONCE = "at-once"
_LATE = "late"
_READS = re.compile(r"([0-9]{1,7})reads?")
_SECONDS = re.compile(r"([0-9]{1,8}(?:\.[0-9]{1,6})?)s")
_MOST_READS, _MOST_SECONDS = 1_000_000, 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Pace:
    """After how many reads or seconds the result of an attempt is out; with neither, at once."""

    reads: int = 0
    seconds: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `at-once`, `3reads` or `2.5s`.

        Raises:
            ValueError: It is none of them, or more than a million reads or a year; the message
                continues a sentence.
        """
        if text == AT_ONCE:
            return cls()
        if (match := _READS.fullmatch(text)) and int(match[1]) <= _MOST_READS:
            return cls(reads=int(match[1]))
        if (match := _SECONDS.fullmatch(text)) and float(match[1]) <= _MOST_SECONDS:
            return cls(seconds=float(match[1]))
        raise ValueError(f"must be {AT_ONCE}, or reads such as 3reads, or seconds such as 30s")

    def __str__(self) -> str:
        if self.reads:
            return f"{self.reads}reads"
        return f"{self.seconds:.6f}".rstrip("0").rstrip(".") + "s" if self.seconds else AT_ONCE

    def late(self) -> Self | None:
        """What keeps a new result back; `None` if nothing does."""
        return self if self.reads or self.seconds else None

    def left(self, since: float, now: float, *, read: bool) -> Self | None:
        """What still keeps a result back when somebody looks; `None` once it is out.

        Args:
            since: When the attempt was made, in seconds since 1970.
            now: When somebody looks, in seconds since 1970.
            read: Whether this look is a read of the result, which counts.
        """
        if self.reads:
            return replace(self, reads=self.reads - 1) if read else self
        return self if now < since + self.seconds else None


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
    """Why an attempt came to no decision: the service's code, and a sentence for people."""

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
    """One attempt."""

    outcome: Decision | Failure = Decision.REAL
    same_person: bool = True  # as in the reference image
    compared: bool = True  # whether a session with verification has a comparison
    hash_differs: bool = False  # the hash is another reference image's
    digest_differs: bool = False  # the client has seen another digest than the service
    abuse: bool = False  # abuse monitoring flags it
    reference: Finding = Finding.AS_POSTED  # of the app server's image the first step tells it
    pace: Pace | None = None  # None leaves it to the session's

    def with_also(self, other: Step) -> Step:
        """Both at once; where they contradict each other, the other one counts."""
        said = {f.name: getattr(other, f.name) for f in fields(other)}
        return replace(self, **{n: v for n, v in said.items() if v != getattr(Step(), n)})


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named outcome: its attempts in order, of which the last one stands for all later ones."""

    name: str
    summary: str
    steps: tuple[Step, ...]
    hostile: bool = False  # the service would never answer so

    def step(self, number: int) -> Step:
        """The step of attempt `number`, which counts from 1."""
        return self.steps[min(number, len(self.steps)) - 1]


def _row(name: str, summary: str, *steps: Step, hostile: bool = False) -> Scenario:
    return Scenario(name, summary, steps, hostile)


def _fails(name: str, code: str, why: str) -> Scenario:
    """An attempt that fails.

    The only code of a failed attempt that official material shows is `FaceWithMaskDetected`. The
    others are the client's names for the same things: an assumption.
    """
    message = f"{why[0].upper()}{why[1:]}."
    return _row(name, f"The attempt fails: {why}", Step(Failure(code, message)))


_MASK = _fails("mask", "FaceWithMaskDetected", "the face wears a mask")
_LATE_BY = Pace(reads=2)

_ROWS = (
    _row("real", "A real face, the right person", Step()),
    _row("spoof", "A picture, a screen or a puppet", Step(Decision.SPOOF)),
    _row("uncertain", "The service cannot tell", Step(Decision.UNCERTAIN)),
    _row(
        "wrong-person",
        "A real face that does not match the reference image",
        Step(same_person=False),
    ),
    _row(
        "fail-then-succeed",
        "A first attempt with a mask, and then a real face: the same as mask,real",
        *_MASK.steps,
        Step(),
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
    _row(
        "low-quality-reference",
        "The reference image is of low quality for recognition",
        Step(reference=Finding.LOW_QUALITY),
    ),
    _row(
        "no-face-in-reference",
        "The reference image shows nobody: the create is refused",
        Step(reference=Finding.NO_FACE),
    ),
    _row(
        "two-faces-in-reference",
        "The reference image shows two people: the create is refused",
        Step(reference=Finding.TWO_FACES),
    ),
    _row("abuse", "A real face that abuse monitoring flags (v1.3)", Step(abuse=True)),
    _row(
        "digest-mismatch",
        "The client has seen another digest than the result has",
        Step(digest_differs=True),
    ),
    _row(
        "wrong-verify-image-hash",
        "The result has the hash of another reference image",
        Step(hash_differs=True),
    ),
    _row(
        _LATE,
        f"The result is out after {_LATE_BY.reads} more reads; late=5reads and late=30s say when",
        Step(pace=_LATE_BY),
    ),
    _row("no-decision", "A result without a decision", Step(Decision.UNSAID)),
    _row(
        "no-verify-result",
        "A result without a comparison, in a session with verification",
        Step(compared=False),
    ),
    _row(
        "unknown-decision",
        "Hostile: a decision that nobody has heard of",
        Step(Decision.UNHEARD_OF),
        hostile=True,
    ),
    _row(
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
    try:
        return scenario(name)
    except UnknownScenarioError:
        hint = (
            f"A device correlation id that begins with {IN_BAND_PREFIX} chooses one; let others "
            "begin with something else."
        )
        raise UnknownScenarioError(name, tuple(SCENARIOS), hint) from None


def _at_once(part: str) -> tuple[Step, ...]:
    """The steps of names that hold together."""
    first, *others = (_named(word) for word in part.split("+"))
    for other in others:
        count = max(len(first.steps), len(other.steps))
        both = (first.step(n).with_also(other.step(n)) for n in range(1, count + 1))
        first = replace(first, steps=tuple(both))
    return first.steps


def _named(word: str) -> Scenario:
    """The row of a single name, such as `spoof` or `late=30s`."""
    name, says, value = word.partition("=")
    row = SCENARIOS.get(name)
    if row is None or (says and name != _LATE):
        raise UnknownScenarioError(word, tuple(SCENARIOS))
    if not says:
        return row
    try:
        return replace(row, steps=(Step(pace=Pace.parse(value)),))
    except ValueError:
        raise UnknownScenarioError(word, tuple(SCENARIOS)) from None
