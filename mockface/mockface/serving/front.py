"""Serves the emulator over HTTP/1.1, on one event loop.

Quick calls are answered on the loop itself, which is what makes it fast. Calls of the control API,
which may wait for something to happen, and pictures, which may be much work, go to threads. Delays
and slow answers are timers. So nobody waits for anybody else.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from mockface.serving.connection import Connection
from mockface.serving.house import House, Limits

if TYPE_CHECKING:
    import socket

    from mockface.service import Service

_BACKLOG = 1024


class Front:
    """Serves one service.

    Args:
        service: What answers.
        threads: How many pictures are worked on at once.
        limits: What is put up with.
    """

    def __init__(self, service: Service, *, threads: int = 8, limits: Limits | None = None) -> None:
        self.house = House(service, threads=threads, limits=limits or Limits())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether `stop` has been called."""
        return self.house.stopping

    def run(self, listener: socket.socket) -> None:
        """Serves in this thread until `stop`; closes the listener."""
        asyncio.run(self._serve(listener))

    def stop(self) -> None:
        """Ends `run`, before it has begun too; safe in a signal handler and from any thread."""
        self.house.stopping = True
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended between the two lines
                loop.call_soon_threadsafe(self._stop.set)

    async def _serve(self, listener: socket.socket) -> None:
        self._loop = loop = asyncio.get_running_loop()
        if self.stopping:
            self._stop.set()
        # asyncio takes its backlog for how often it tries to accept, too: with no file descriptor
        # left it would write as many tracebacks into the log, again and again.
        server = await loop.create_server(
            lambda: Connection(self.house, loop), sock=listener, backlog=1
        )
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
            await asyncio.sleep(self.house.limits.tick)
            now = loop.time()
            for guest in [guest for guest in self.house.guests if guest.deadline < now]:
                guest.overdue()
            self.house.service.engine.forget_expired()

    async def _say_farewell(self) -> None:
        for guest in list(self.house.guests):
            guest.finish()
        if self.house.guests:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.house.empty.wait(), self.house.limits.farewell)
        for guest in list(self.house.guests):
            guest.abort()
        await asyncio.sleep(0)  # lets the transports close their sockets
