"""Whether a history of concurrent calls could have happened one call after the other.

The search of Wing and Gong: of the calls that no finished call precedes, try each as the next one,
see whether a sequential register would have answered the same, and go on with the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call on a register, as its caller saw it.

    Attributes:
        begin: A tick before the call; ticks count up and no two are equal.
        end: A tick after it.
        swap: The value expected and the value to write, or None when the register was read.
        answer: The value that was read, or whether the swap took place.
    """

    begin: int
    end: int
    swap: tuple[Any, Any] | None
    answer: Any


class Recorder:
    """Writes down what threads call and what they are answered."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._ticks = count()
        self._lock = Lock()

    def tick(self) -> int:
        """The moment at which a call begins."""
        with self._lock:
            return next(self._ticks)

    def note(self, begin: int, swap: tuple[Any, Any] | None, answer: object) -> None:
        """Write down a call that ends now."""
        with self._lock:
            self.calls.append(Call(begin, next(self._ticks), swap, answer))


def is_linearizable(calls: list[Call], value: object) -> bool:
    """Whether *calls* on a register that holds *value* at first fit into some order."""
    seen: set[tuple[frozenset[Call], Any]] = set()
    to_try: list[tuple[frozenset[Call], Any]] = [(frozenset(calls), value)]
    while to_try:
        rest, value = to_try.pop()
        if not rest:
            return True
        if (rest, value) in seen:
            continue
        seen.add((rest, value))
        first_end = min(call.end for call in rest)
        for call in rest:
            if call.begin < first_end:
                answer, after = _sequentially(call, value)
                if answer == call.answer:
                    to_try.append((rest - {call}, after))
    return False


def _sequentially(call: Call, value: Any) -> tuple[Any, Any]:
    """What a register that holds *value* answers to *call*, and what it holds then."""
    if call.swap is None:
        return value, value
    expected, new = call.swap
    return (True, new) if value == expected else (False, value)
