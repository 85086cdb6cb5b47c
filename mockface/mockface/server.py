"""Runs the emulator on a port: in this thread for the command, in one of its own for tests."""

from __future__ import annotations

import logging
import socket
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

from mockface.clock import Clock
from mockface.control import is_loopback
from mockface.control_client import ControlClient
from mockface.engine import Engine
from mockface.scenarios import DEFAULT
from mockface.sending import in_process
from mockface.service import Service
from mockface.vision import Vision

if TYPE_CHECKING:
    from collections.abc import Collection

    from flask import Flask

_MOST_WAITRESS_BYTES = 64 * 1024 * 1024
"""Above this waitress answers for itself; below it, an oversized body gets the service's error."""

_POLL_SECONDS = 1.0
_BACKLOG = 1024


class RemoteNotAllowedError(ValueError):
    """The emulator was to listen where other machines reach it, and nobody had allowed it."""


class Mockface:
    """An emulator with its server.

    Use it as a context manager, or call `start` and `stop`. For tests without a socket, `app` is a
    WSGI callable.

    Args:
        keys: The resource keys that are accepted; `None` accepts any, each with a tenant of its
            own.
        seed: Where everything random comes from; `None` takes an unguessable one.
        scenario: What attempts are when nobody says otherwise.
        clock: What time it is.
        vision: How posted pictures are looked at: `opencv` finds real faces and needs the extra
            `vision`, `portraits` knows drawn ones only, `auto` takes OpenCV if it is installed.
        bearer: An Entra token that is taken instead of a key.
        public_url: Scheme and host that go into tokens; by default those of the request.
        host: Where to listen.
        port: Where to listen; 0 takes a free one.
        threads: How many requests are answered at once.
        loose: Whether small mistakes of callers are overlooked.
        tier: The price tier whose rate limit holds, `F0` or `S0`; `None` has no limit.
        allow_remote: Whether `host` may be reachable from other machines; the control API then
            answers them too.

    Raises:
        RemoteNotAllowedError: `host` is not loopback, and `allow_remote` is not set.
        UnknownScenarioError: There is no such scenario.
        NoOpenCVError: `opencv` without the extra `vision`.
    """

    def __init__(
        self,
        *,
        keys: Collection[str] | None = None,
        seed: str | None = None,
        scenario: str = DEFAULT,
        clock: Clock | None = None,
        vision: str = Vision.AUTO,
        bearer: str | None = None,
        public_url: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        threads: int = 8,
        loose: bool = False,
        tier: str | None = None,
        allow_remote: bool = False,
    ) -> None:
        if not allow_remote and not is_loopback(host):
            raise RemoteNotAllowedError(
                f"{host} can be reached from other machines: allow it with --allow-remote."
            )
        self.clock = clock or Clock()
        self.engine = Engine(
            clock=self.clock, seed=seed, keys=keys, scenario=scenario, vision=vision
        )
        self.service = Service(
            self.engine,
            bearer=bearer,
            public_url=public_url,
            remote_control=allow_remote,
            loose=loose,
            tier=tier,
        )
        self._host, self._port, self._threads = host, port, threads
        self._app: Flask | None = None
        self._server: Any = None
        self._sockets: dict[int, Any] = {}
        self._stopping = Event()
        self._thread: Thread | None = None

    @property
    def app(self) -> Flask:
        """The emulator as a WSGI application."""
        if self._app is None:
            from mockface.app import create_app  # noqa: PLC0415 - Flask is slow to import

            self._app = create_app(self.service)
        return self._app

    @property
    def url(self) -> str:
        """Where it listens, `http://127.0.0.1:PORT`.

        Raises:
            RuntimeError: It does not listen.
        """
        if self._server is None:
            raise RuntimeError("The emulator does not listen yet: call start().")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._server.socket.getsockname()[1]}"

    def control(self, key: str | None = None) -> ControlClient:
        """A hand on it from this process; it need not listen.

        Args:
            key: Whose sessions, scenario, clock, faults and journal are meant; `None` means the
                whole emulator.
        """
        url = "http://localhost" if self._server is None else self.url
        return ControlClient(url, key, send=in_process(self.service.handle))

    def listen(self) -> str:
        """Takes the port, so that connections wait from now on; gives the URL back.

        Raises:
            OSError: The port is taken, or the host is none of this machine.
        """
        from waitress import create_server  # type: ignore[import-untyped]  # noqa: PLC0415 - a test may not need it

        # A slow answer that was asked for is no sign of trouble.
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        # One socket of our own: for a name with several addresses waitress would open several.
        family, *_, address = socket.getaddrinfo(
            self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.create_server(
            (str(address[0]), self._port), family=family, backlog=_BACKLOG
        )
        self._server = create_server(
            self.app,
            map=self._sockets,
            sockets=[listener],
            threads=self._threads,
            ident="mockface",
            connection_limit=1000,
            max_request_body_size=_MOST_WAITRESS_BYTES,
            asyncore_use_poll=True,
            clear_untrusted_proxy_headers=True,
        )
        self._stopping.clear()
        return self.url

    def run(self) -> None:
        """Serves in this thread until `stop` is called; `listen` comes first."""
        from waitress import wasyncore  # noqa: PLC0415 - see `listen`

        try:
            while not self._stopping.is_set():
                wasyncore.loop(timeout=_POLL_SECONDS, use_poll=True, map=self._sockets, count=1)
        finally:
            server, self._server = self._server, None  # so that a second signal finds nothing to do
            server.task_dispatcher.shutdown()
            wasyncore.close_all(self._sockets)

    def start(self) -> Self:
        """Serves in a thread of its own."""
        self.listen()
        self._thread = Thread(target=self.run, name="mockface", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends `run`; safe in a signal handler and from any thread."""
        self._stopping.set()
        server = self._server
        if server is not None:
            server.pull_trigger()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
