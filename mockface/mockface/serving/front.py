"""Serves the emulator over HTTP/1.1, on one event loop.

Quick calls are answered on the loop itself, which is what makes it fast. Calls of the control API,
which may wait for something to happen, and pictures, which may be much work, go to threads. Delays
and slow answers are timers. So nobody waits for anybody else.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from mockface.serving.connection import NO_BODY, Connection
from mockface.serving.crew import Crew

if TYPE_CHECKING:
    import socket

    from mockface.service import Service
    from mockface.wire import Response

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_MOST_WAITING_CALLS = 256
_BACKLOG = 1024
_BREAK = re.compile(r"[\r\n]+")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a front puts up with.

    Attributes:
        connections: How many there may be at once; one more is told to come later.
        idle: Seconds that a connection may rest between two requests.
        request: Seconds within which a request has to arrive in full, and its answer to be read.
        farewell: Seconds that a stopping front waits for answers that are being made.
        tick: Seconds between two looks at the clock.
    """

    connections: int = 900
    idle: float = 120.0
    request: float = 60.0
    farewell: float = 5.0
    tick: float = 1.0


class Front:
    """Serves one service.

    Args:
        service: What answers.
        threads: How many pictures are worked on at once.
        limits: What is put up with.
    """

    def __init__(self, service: Service, *, threads: int = 8, limits: Limits | None = None) -> None:
        self.service = service
        self.limits = limits or Limits()
        self.connections: set[Connection] = set()
        self.stopping = False
        self.pictures = Crew(threads)
        self.waiting = Crew(_MOST_WAITING_CALLS)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._last_one_left = asyncio.Event()
        self._ending: tuple[int | None, bytes] = (None, b"")

    def run(self, listener: socket.socket) -> None:
        """Serves in this thread until `stop`; closes the listener."""
        asyncio.run(self._serve(listener))

    def stop(self) -> None:
        """Ends `run`, before it has begun too; safe in a signal handler and from any thread."""
        self.stopping = True
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended between the two lines
                loop.call_soon_threadsafe(self._stop.set)

    def left(self, connection: Connection) -> None:
        """A connection has ended."""
        self.connections.discard(connection)
        if not self.connections:
            self._last_one_left.set()

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

    async def _serve(self, listener: socket.socket) -> None:
        self._loop = loop = asyncio.get_running_loop()
        if self.stopping:
            self._stop.set()
        # asyncio takes its backlog for how often it tries to accept, too: with no file descriptor
        # left it would write as many tracebacks into the log, again and again.
        server = await loop.create_server(lambda: Connection(self, loop), sock=listener, backlog=1)
        listener.listen(_BACKLOG)
        keeper = loop.create_task(self._keep_house())
        try:
            await self._stop.wait()
        finally:
            self._loop = None
            keeper.cancel()
            server.close()
            await self._say_farewell()

    async def _keep_house(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.tick)
            now = loop.time()
            for connection in [c for c in self.connections if c.deadline < now]:
                connection.overdue()
            self.service.engine.forget_expired()

    async def _say_farewell(self) -> None:
        for connection in list(self.connections):
            connection.finish()
        if self.connections:
            self._last_one_left.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._last_one_left.wait(), self.limits.farewell)
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0)  # lets the transports close their sockets

    def _end(self) -> bytes:
        """The fields that all answers end with, made once a second; the time is the emulator's."""
        second, text = self._ending
        now = int(self.service.engine.clock.now())
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
