"""One client's connection: requests are read from it and answered in their order."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, cast

from mockface.control.api import PREFIX
from mockface.service import MOCK_HEADER
from mockface.serving.heads import NO_BODY
from mockface.serving.http1 import RequestReader
from mockface.wire import JSON, WHOLE, Request, Response, WireError

if TYPE_CHECKING:
    from mockface.serving.house import House

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_MOST_AHEAD = 64 * 1024  # bytes that a client may send before it has its last answer
_INBOX = 16 * 1024  # bytes
_RESET = struct.pack("hh" if hasattr(socket, "SO_EXCLUSIVEADDRUSE") else "ii", 1, 0)


async def pause(seconds: float) -> None:
    """Waits on purpose, as a fault wants it; the one place, so that a test need not wait."""
    await asyncio.sleep(seconds)


class Connection(asyncio.BufferedProtocol):
    """A connection.

    It keeps a buffer of its own for what arrives: a plain protocol of asyncio gets a new one of 256
    KiB with each piece, and to make that takes longer than to read a request.

    Args:
        house: What it shares with the others.
        loop: Where it lives.
    """

    def __init__(self, house: House, loop: asyncio.AbstractEventLoop) -> None:
        self.deadline = loop.time() + house.limits.request
        """When the loop's clock shows this, `overdue` is called."""
        self._house = house
        self._loop = loop
        self._limits = house.limits
        self._handle = house.service.handle
        self._write_head = house.heads.head
        self._task: asyncio.Task[None] | None = None  # an answer that takes its time
        self._inbox = memoryview(bytearray(_INBOX))
        self._working = False  # a thread is busy with a request
        self._leaving = False  # the last answer has been given
        self._full = False  # the client does not read
        self._silent = False  # the client sends no more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = cast("asyncio.Transport", transport)
        peer, here = (transport.get_extra_info(name) for name in ("peername", "sockname"))
        self._reader = RequestReader(
            peer=peer[0] if peer else "",
            authority=f"{f'[{here[0]}]' if ':' in here[0] else here[0]}:{here[1]}",
        )
        if not self._house.enter(self):
            self._refuse(WireError(503, "Unspecified", "There are too many connections."))

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone, or was sent away."""
        del exc
        self._leaving = True
        if self._task is not None and not self._working:
            self._task.cancel()
        self._house.leave(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where what the client sends is to be put."""
        del sizehint
        return self._inbox

    def buffer_updated(self, nbytes: int) -> None:
        """The client has sent something."""
        if self._leaving:
            return  # it is read only so that the client gets its last answer
        if self._task is None and self._reader.between_requests:
            self.deadline = self._loop.time() + self._limits.request
        self._reader.feed(self._inbox[:nbytes])
        if self._task is None and not self._full:
            self._proceed()
        elif self._reader.waiting > _MOST_AHEAD:
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """The client sends no more; gives back whether it still gets an answer.

        Nearly always it has gone, most of all while an answer is delayed on purpose. But it may
        also have sent all that it had to say, and wait.
        """
        self._silent = True
        if self._task is not None:
            return self._working
        if self._leaving or not self._reader.waiting:
            return False
        self._loop.call_soon(self._proceed)  # half a request ends it: the rest can no longer come
        return True

    def pause_writing(self) -> None:
        """The client does not read."""
        self._full = True
        self.deadline = self._loop.time() + self._limits.request

    def resume_writing(self) -> None:
        """The client reads again."""
        self._full = False
        if self._task is None:
            self._go_on()

    def overdue(self) -> None:
        """The client has taken too long."""
        if self._task is not None and not self._full:
            self.deadline = self._loop.time() + self._limits.request  # it is we who take so long
        elif self._leaving or self._full:
            self.abort()
        elif self._reader.between_requests:
            self._transport.close()
        else:
            self._refuse(WireError(408, "BadArgument", "The request did not arrive in time."))

    def finish(self) -> None:
        """Ends the connection, after the answer that is being made now."""
        if self._working:
            self._reader.keep_alive = False
        elif self._task is not None:
            self.abort()  # what makes it slow is a fault that somebody asked for
        else:
            self._transport.close()

    def abort(self) -> None:
        """Ends the connection at once."""
        self._transport.abort()

    def _proceed(self) -> None:
        """Answers the next request, if it is there."""
        if self._leaving or self._full or self._task is not None:
            return
        try:
            request = self._reader.next()
        except WireError as wrong:
            self._refuse(wrong)
            return
        if request is None:
            if self._silent:
                self._transport.close()
            elif self._reader.wants_continue():
                self._transport.write(_CONTINUE)
            return
        if not _is_quick(request):
            self._working = True
            self._task = self._loop.create_task(self._take_time(request))
            return
        response = self._handle(request)
        if response.delay or response.delivery is not WHOLE:
            self._task = self._loop.create_task(self._deliver(request, response))
            return
        self._transport.write(self._head(response) + self._body(request, response))
        self._after(request)

    def _after(self, request: Request) -> None:
        """Goes on after a whole answer."""
        if request.oversized:
            self._hang_up()
        elif not self._reader.keep_alive or self._house.stopping:
            self._leaving = True
            self._transport.close()
        else:
            self._go_on()

    def _go_on(self) -> None:
        """Waits for the next request, or takes it up after everybody else has had a turn."""
        if self._full:
            return  # goes on when the client has read
        waiting = self._reader.waiting
        self.deadline = self._loop.time() + (self._limits.request if waiting else self._limits.idle)
        if waiting or self._silent:
            self._loop.call_soon(self._proceed)
        if not self._transport.is_reading():
            self._transport.resume_reading()

    async def _take_time(self, request: Request) -> None:
        """Answers a request that is not quick."""
        crew = self._house.waiting if _is_control(request) else self._house.pictures
        answered: asyncio.Future[Response] = self._loop.create_future()

        def job() -> None:
            response = self._handle(request)
            with contextlib.suppress(RuntimeError):  # the front has stopped without waiting for us
                self._loop.call_soon_threadsafe(_settle, answered, response)

        crew.do(job)
        response = await answered
        self._working = False
        if self._leaving:
            return
        await self._deliver(request, response)

    async def _deliver(self, request: Request, response: Response) -> None:
        """Sends an answer as it wants to be sent."""
        if response.delay:
            await pause(response.delay)
        if response.delivery.reset:
            self._transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, _RESET
            )
            self.abort()
            return
        self._transport.write(self._head(response))
        whole = self._body(request, response)
        left = len(whole)
        if whole:
            for wait, piece in response.pieces():
                if wait:
                    await pause(wait)
                self._transport.write(piece)
                left -= len(piece)
        self._task = None
        if left:
            self._leaving = True
            self._transport.close()
        elif not self._leaving:
            self._after(request)

    def _head(self, response: Response) -> bytes:
        if not self._reader.keep_alive or self._house.stopping:
            return self._write_head(response, "close")
        # Only a client of HTTP/1.0 has to be told that it stays open.
        return self._write_head(response, "keep-alive" if self._reader.old else "")

    def _body(self, request: Request, response: Response) -> bytes:
        if request.method == "HEAD" or response.status in NO_BODY:
            return b""
        return response.body

    def _refuse(self, wrong: WireError) -> None:
        """Answers what is no request, and ends the connection."""
        response = wrong.response()
        response.headers[MOCK_HEADER] = "emulator"
        response.headers["apim-request-id"] = self._house.service.engine.stranger_request_id()
        self._transport.write(self._write_head(response, "close") + response.body)
        self._hang_up()

    def _hang_up(self) -> None:
        """Ends a connection whose client may still be sending.

        To close it at once would reset it, and the client would lose the answer.
        """
        self._leaving = True
        self.deadline = self._loop.time() + self._limits.request
        with contextlib.suppress(OSError):  # the client has reset it already
            self._transport.write_eof()
        if not self._transport.is_reading():
            self._transport.resume_reading()


def _is_control(request: Request) -> bool:
    return request.path.startswith(PREFIX)


def _is_quick(request: Request) -> bool:
    """Whether answering it takes no longer than starting a thread for it."""
    if _is_control(request):
        return False
    return not request.body or request.headers.get("content-type", "").startswith(JSON)


def _settle(answered: asyncio.Future[Response], response: Response) -> None:
    if not answered.done():
        answered.set_result(response)
