"""How fast the state of a session moves: at once, after some reads, or after some seconds.

Clients that poll are only tested by results that are not there yet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Self

AT_ONCE = "at-once"
_MOST_READS = 1_000_000
_MOST_SECONDS = 366 * 86_400.0

_READS = re.compile(r"([0-9]{1,7})reads?")
_SECONDS = re.compile(r"([0-9]{1,8}(?:\.[0-9]{1,6})?)s")


@dataclass(frozen=True, slots=True)
class Late:
    """What keeps the result of an attempt back.

    Attributes:
        reads: How many reads of the result will still find none.
        until: Seconds since 1970 before which there is none.
    """

    reads: int
    until: float

    def seen(self, now: float, *, read: bool) -> Self | None:
        """What is left of it when somebody looks; `None` once the result is out.

        Args:
            now: Seconds since 1970.
            read: Whether this look is a read of the result, which counts.
        """
        if self.reads:
            return replace(self, reads=self.reads - 1) if read else self
        return self if now < self.until else None


@dataclass(frozen=True, slots=True)
class Pace:
    """After what the result of an attempt is out; with neither, at once.

    Attributes:
        reads: This many reads of the result find none.
        seconds: This long there is none.
    """

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

    def late(self, since: float) -> Late | None:
        """What keeps a result back that could be out since then, in seconds since 1970."""
        if not self.reads and not self.seconds:
            return None
        return Late(self.reads, since + self.seconds)
