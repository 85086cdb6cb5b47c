"""The default HTTP transports: azure-core's own, over a session whose limits we choose."""

from __future__ import annotations

import http.client
import io
import ssl
import time
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final

import requests
import urllib3.connection
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    import socket

    from azure.core.pipeline.transport import AioHttpTransport

_POOL_SIZE: Final = 100
"""Connections that stay open between calls of a sync client; as many as a process has threads."""

_BLOCK_SIZE: Final = 64
"""Bytes of a body that are read at once, and lost when the body ends in the middle of them. So that
a response to a create which is cut off still names the session, it is small."""


def requests_transport(connections: int | None) -> RequestsTransport:
    """A sync transport whose read time-out is that of the whole call, not of each wait.

    Args:
        connections: How many stay open for later calls; None for 100. Never a limit for calls.
    """
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = _DeadlineAdapter(pool_maxsize=connections or _POOL_SIZE)
    for scheme in ("https://", "http://"):
        session.mount(scheme, adapter)
    return RequestsTransport(session=session, connection_data_block_size=_BLOCK_SIZE)


def aiohttp_transport() -> AioHttpTransport:
    """An async transport for the running loop, with as many connections as there are calls."""
    import aiohttp  # noqa: PLC0415 - the sync client works without it
    from azure.core.pipeline.transport import AioHttpTransport  # noqa: PLC0415 - needs aiohttp

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),  # the service is not to recognize its callers
        trust_env=True,  # proxies
    )
    return AioHttpTransport(session=session)


# --- a deadline for a blocking response ---------------------------------------------------------
# A blocking HTTP client limits each wait for the next bytes, not the whole: a server that sends a
# byte now and then holds it for hours. Here the time-out that the socket has when the response
# begins is the time for the whole response, its headers included.


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket until the time-out that it has now is over."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = time.monotonic() + (sock.gettimeout() or 0)  # never without a time-out

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(remaining)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock))


class _HTTPConnection(urllib3.connection.HTTPConnection):
    response_class = _Response


class _HTTPSConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response

    def connect(self) -> None:
        # urllib3 keeps the class that there was when it was imported, which does not work any more
        # once gevent has replaced it.
        self.ssl_context = self.ssl_context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        super().connect()


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


_POOLS: Final = {"http": _HTTPPool, "https": _HTTPSPool}


class _DeadlineAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):  # these have pools of their own
            manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request: Any, *args: Any, timeout: Any = None, **kwargs: Any) -> Any:
        connect, read = timeout  # as azure-core passes them
        kwargs["timeout"] = urllib3.Timeout(connect=connect, total=read)
        return super().send(request, *args, **kwargs)
