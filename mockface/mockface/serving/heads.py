"""The heads of answers: status line and header fields."""

from __future__ import annotations

import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockface.clock import Clock
    from mockface.wire import Response

NO_BODY = frozenset({204, 304})
"""Statuses of answers that have neither a body nor its length."""

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_BREAK = re.compile(r"[\r\n]+")


class Heads:
    """Writes them.

    Args:
        clock: Where `Date` comes from: the time is the emulator's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ending: tuple[int | None, bytes] = (None, b"")

    def head(self, response: Response, connection: str = "") -> bytes:
        """Status line and header fields of an answer.

        Args:
            response: The answer.
            connection: What `Connection` says; empty leaves it out.
        """
        status = response.status
        lines = [f"HTTP/1.1 {status} {_REASONS.get(status, '')}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        if status not in NO_BODY:
            lines.append(f"Content-Length: {len(response.body)}")
        if connection:
            lines.append(f"Connection: {connection}")
        # A value with a line break would be a field, or an answer, of somebody else's making.
        text = "\n".join(lines)
        if "\r" in text or text.count("\n") >= len(lines):
            text = "\n".join(_BREAK.sub(" ", line) for line in lines)
        return text.replace("\n", "\r\n").encode("latin-1", "replace") + self._end()

    def _end(self) -> bytes:
        """The fields that all answers end with, made once a second."""
        second, text = self._ending
        now = int(self._clock.now())
        if now != second:
            text = f"\r\nDate: {_http_date(now)}\r\nServer: mockface\r\n\r\n".encode("ascii")
            self._ending = (now, text)
        return text


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


def _http_date(seconds: int) -> str:
    """A time as HTTP writes it (RFC 9110, section 5.6.7), whatever the locale."""
    at = time.gmtime(seconds)
    day, month = _DAYS[at.tm_wday], _MONTHS[at.tm_mon - 1]
    return (
        f"{day}, {at.tm_mday:02} {month} {at.tm_year} "
        f"{at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} GMT"
    )
