"""Serves the emulator over HTTP with aiohttp's low-level server, on one event loop.

Quick calls are answered on the loop itself. Calls of the control API, which may wait for something
to happen, and pictures, which are much work, go to threads. Delays and slow bodies are timers. So a
slow request does not block others.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from mockface.control.order import PREFIX
from mockface.responses import error
from mockface.wire import JSON, MOST_BODY_BYTES, WHOLE, Request, Response

if TYPE_CHECKING:
    from ssl import SSLContext

    from mockface.service import Service

_BACKLOG = 1024
_LONGEST_FIELD = 32 * 1024  # bytes
_LARGE_BODY = 64 * 1024  # bytes; a smaller one needs no permit to be kept in memory
_LARGE_BODIES = 8  # are kept in memory at once
_WAITING_CALLS = 256  # of the control API, each in a thread
_RESET = struct.pack("hh" if hasattr(socket, "SO_EXCLUSIVEADDRUSE") else "ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long the server waits, in seconds.

    Attributes:
        idle: For the head of the next request; then the connection is closed.
        body: For a whole body; then the answer is a 408.
        shutdown: For responses that are being made when the server stops.
    """

    idle: float = 60.0
    body: float = 60.0
    shutdown: float = 5.0


class HttpServer:
    """Serves one service.

    Args:
        service: What answers.
        threads: How many pictures are worked on at once.
        timeouts: How long it waits.
        tls: Serves https.
        access_log: Gets a line for each request, without its query.
    """

    def __init__(
        self,
        service: Service,
        *,
        threads: int = 8,
        timeouts: Timeouts | None = None,
        tls: SSLContext | None = None,
        access_log: logging.Logger | None = None,
    ) -> None:
        self._service = service
        self._timeouts = timeouts or Timeouts()
        self._tls = tls
        self._access_log = access_log
        self._pictures = ThreadPoolExecutor(threads, "mockface-picture")
        self._control = ThreadPoolExecutor(_WAITING_CALLS, "mockface-control")
        self._large_bodies = asyncio.Semaphore(_LARGE_BODIES)
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._date = (0, "")
        self.stopped = False
        """Whether `stop` has been called."""

    def run(self, listener: socket.socket) -> None:
        """Serves in this thread until `stop`; closes the listener."""
        asyncio.run(self._serve(listener))

    def stop(self) -> None:
        """Ends `run`, before it has begun too; safe in a signal handler and from any thread."""
        self.stopped = True
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended between the two lines
                loop.call_soon_threadsafe(self._stopping.set)

    async def _serve(self, listener: socket.socket) -> None:
        self._loop = loop = asyncio.get_running_loop()
        if self.stopped:
            self._stopping.set()
        # Malformed requests are the callers' mistakes and no news for the log of the process.
        silent = logging.Logger("mockface.http")  # noqa: LOG001 - not in the tree of the process
        silent.addHandler(logging.NullHandler())
        http = web.Server(
            self._answer,
            handler_cancellation=True,  # no delayed answer for a client that has gone
            access_log=self._access_log,
            access_log_class=_AccessLog,
            logger=silent,
            auto_decompress=False,
            keepalive_timeout=self._timeouts.idle,
            max_field_size=_LONGEST_FIELD,  # a token has the address of the emulator in it
        )
        # asyncio takes its backlog for how often it tries to accept, too: with no file descriptor
        # left it would write as many tracebacks into the log, again and again.
        server = await loop.create_server(http, sock=listener, backlog=1, ssl=self._tls)
        listener.listen(_BACKLOG)
        tidying = loop.create_task(self._tidy())
        try:
            await self._stopping.wait()
        finally:
            self._loop = None
            tidying.cancel()
            server.close()
            self._service.journal.interrupt()
            http.pre_shutdown()
            await http.shutdown(self._timeouts.shutdown)
            for pool in (self._pictures, self._control):
                pool.shutdown(wait=False, cancel_futures=True)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(1)
            self._service.engine.forget_expired()

    async def _answer(self, arrived: web.BaseRequest) -> web.StreamResponse:
        content = arrived.content
        if content.is_eof():  # all of it is here, as nearly always
            return await self._deliver(arrived, await self._handle(arrived, await content.read()))
        if arrived.headers.get("Expect", "").lower() == "100-continue" and not _too_long(arrived):
            await arrived.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            arrived.writer.output_size = 0  # or aiohttp takes it for the beginning of the answer
        async with contextlib.AsyncExitStack() as permits:
            if (arrived.content_length or MOST_BODY_BYTES) > _LARGE_BODY:
                await permits.enter_async_context(self._large_bodies)
            try:
                async with asyncio.timeout(self._timeouts.body):
                    body = await _read(arrived)
            except TimeoutError:
                response = error(408, "BadArgument", "The request did not arrive in time.")
                return self._last(response)
            except web.RequestPayloadError:
                return self._last(error(400, "BadArgument", "The body is malformed."))
            response = await self._handle(arrived, body)
        return await self._deliver(arrived, response)

    async def _handle(self, arrived: web.BaseRequest, body: bytes | None) -> Response:
        """The answer to a request; `None` stands for a body that is too long."""
        request = _request(arrived, body)
        pool = self._pool(request)
        if pool is None:
            return self._service.handle(request)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, self._service.handle, request)

    def _pool(self, request: Request) -> ThreadPoolExecutor | None:
        """Where a request is answered; `None` if that takes no longer than to start a thread."""
        if request.path.startswith(PREFIX):
            return self._control
        is_json = request.headers.get("content-type", "").startswith(JSON)
        if (request.body and not is_json) or "sessionimages/" in request.path.lower():
            return self._pictures
        return None

    async def _deliver(self, arrived: web.BaseRequest, response: Response) -> web.StreamResponse:
        """Sends an answer as it wants to be sent."""
        if not response.delay and response.delivery is WHOLE:
            return web.Response(
                status=response.status, body=response.body, headers=self._headers(response)
            )
        await self._pause(response.delay)
        if response.delivery.reset or self._stopping.is_set():
            return _reset(arrived)
        headers = self._headers(response) | {"Content-Length": str(len(response.body))}
        sent = web.StreamResponse(status=response.status, headers=headers)
        missing = len(response.body)
        await sent.prepare(arrived)
        if arrived.method == "HEAD":
            return sent
        for seconds, piece in response.pieces():
            await self._pause(seconds)
            await sent.write(piece)
            missing -= len(piece)
        if missing:
            sent.force_close()
        return sent

    async def _pause(self, seconds: float) -> None:
        """Waits on purpose, as a fault wants it, or until the server stops."""
        if seconds:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)

    def _last(self, response: Response) -> web.Response:
        """An answer after which the connection is closed."""
        sent = web.Response(
            status=response.status, body=response.body, headers=self._headers(response)
        )
        sent.force_close()
        return sent

    def _headers(self, response: Response) -> dict[str, str]:
        second, text = self._date
        now = int(self._service.engine.clock.now())
        if now != second:
            text = formatdate(now, usegmt=True)
            self._date = (now, text)
        return response.headers | {"Date": text, "Server": "mockface"}


class _AccessLog(AbstractAccessLogger):
    """A line for each request; a query may have a key in it."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        path = request.raw_path.partition("?")[0]
        self.logger.info("%s %s %d %.0f ms", request.method, path, response.status, time * 1000)


def _too_long(arrived: web.BaseRequest) -> bool:
    return (arrived.content_length or 0) > MOST_BODY_BYTES


async def _read(arrived: web.BaseRequest) -> bytes | None:
    """The body of a request; `None` if it is too long."""
    body = bytearray()
    if _too_long(arrived):
        return None
    async for piece in arrived.content.iter_any():
        body += piece
        if len(body) > MOST_BODY_BYTES:
            return None
    return bytes(body)


def _request(arrived: web.BaseRequest, body: bytes | None) -> Request:
    target = arrived.raw_path
    if not target.startswith("/"):  # the absolute form, which proxies use
        parts = urlsplit(target)
        target = f"{parts.path or '/'}?{parts.query}"
    path, _, query = target.partition("?")
    headers: dict[str, str] = {}
    for name, raw in arrived.headers.items():
        known, value = headers.get(name.lower()), _readable(raw)
        headers[name.lower()] = value if known is None else f"{known}, {value}"
    return Request(
        method=arrived.method.upper(),
        path=unquote(path, errors="replace") if "%" in path else path,
        query=query,
        headers=headers,
        body=body or b"",
        origin=f"{arrived.scheme}://{headers.get('host') or _address(arrived)}",
        peer=arrived.remote or "",
        oversized=body is None,
    )


def _readable(text: str) -> str:
    """Without lone surrogates, which stand for bytes that are not UTF-8: no answer takes them."""
    if text.isascii():
        return text
    return text.encode(errors="surrogateescape").decode(errors="replace")


def _address(arrived: web.BaseRequest) -> str:
    """Host and port for callers that name none, as HTTP/1.0 allows."""
    host, port, *_ = arrived.transport.get_extra_info("sockname") if arrived.transport else ("", 0)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _reset(arrived: web.BaseRequest) -> web.Response:
    """Resets the connection (RST); what is returned finds it closed."""
    transport = arrived.transport
    if transport is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()
    return web.Response()
