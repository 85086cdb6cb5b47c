"""Time: the real one, a stopped one, and one that can be moved."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

LATEST = 250_000_000_000.0
"""The last moment, in seconds since 1970, that a clock may be moved to; in the year 9892."""


class Clock:
    """A clock that runs with the machine's until somebody freezes or advances it.

    It never goes back, except by `reset` and by `freeze(at)`, which are for the start of a test.

    Args:
        frozen_at: Seconds since 1970 at which the clock stands still from the start; `None` lets it
            run.
        source: Where real time comes from, in seconds since 1970.

    Raises:
        ValueError: `frozen_at` is before 1970, after `LATEST`, or no number.
    """

    def __init__(
        self, *, frozen_at: float | None = None, source: Callable[[], float] = time.time
    ) -> None:
        _check_moment("frozen_at", frozen_at)
        self._source = source
        self._lock = Lock()
        self._first_frozen_at = frozen_at
        self._frozen_at = frozen_at
        self._ahead = 0.0

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self._frozen_at is not None

    def now(self) -> float:
        """Seconds since 1970."""
        with self._lock:
            return self._read()

    def advance(self, seconds: float) -> float:
        """Moves time forward.

        Args:
            seconds: How far, zero or more.

        Returns:
            The new time.

        Raises:
            ValueError: The step is negative or no number, or leads past `LATEST`.
        """
        if not _is_number(seconds) or not seconds >= 0:
            raise ValueError("A clock only moves forward: give zero or more seconds, as a number.")
        with self._lock:
            if self._read() + seconds > LATEST:
                raise ValueError("That is further than dates go.")
            if self._frozen_at is not None:
                self._frozen_at += seconds
            else:
                self._ahead += seconds
            return self._read()

    def freeze(self, at: float | None = None) -> float:
        """Stops time, now or at the moment given in seconds since 1970; gives the time back.

        Raises:
            ValueError: The moment is before 1970, after `LATEST`, or no number.
        """
        _check_moment("at", at)
        with self._lock:
            self._frozen_at = self._read() if at is None else at
            return self._frozen_at

    def resume(self) -> float:
        """Lets time run on from where it stands; gives the time back."""
        with self._lock:
            if self._frozen_at is not None:
                self._ahead = self._frozen_at - self._source()
                self._frozen_at = None
            return self._read()

    def reset(self) -> None:
        """Puts the clock back to how it was made."""
        with self._lock:
            self._frozen_at = self._first_frozen_at
            self._ahead = 0.0

    def fork(self) -> Clock:
        """Another clock that shows the same time, runs if this one does, and is moved alone."""
        with self._lock:
            other = Clock(frozen_at=self._frozen_at, source=self._source)
            other._ahead = self._ahead
        return other

    def _read(self) -> float:
        return self._source() + self._ahead if self._frozen_at is None else self._frozen_at


def _check_moment(name: str, seconds: object) -> None:
    if seconds is not None and not (_is_number(seconds) and 0 <= cast(float, seconds) <= LATEST):
        raise ValueError(
            f"{name} must be a time from 1970 to 9892, in seconds since 1970; a datetime gives "
            "them with timestamp()."
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def moment(text: str) -> float:
    """Reads a time in ISO 8601, as seconds since 1970; without an offset it is UTC.

    Raises:
        ValueError: It is none, before 1970, or after `LATEST`; the message continues a sentence.
    """
    try:
        read = datetime.fromisoformat(text)
        seconds = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError("must be a time such as 2026-01-31T12:00:00Z") from None
    if not 0 <= seconds <= LATEST:
        raise ValueError("must be a time from 1970 to 9892")
    return seconds
