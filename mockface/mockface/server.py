"""Runs the emulator on a port: in this thread for the command, in one of its own for tests."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Self

from mockface import arguments
from mockface.clock import Clock
from mockface.control.api import is_loopback
from mockface.engine import Engine
from mockface.journal.entries import MOST_BYTES, MOST_ENTRIES, Journal
from mockface.scenarios import AT_ONCE, DEFAULT, Pace
from mockface.service import Service

if TYPE_CHECKING:
    from collections.abc import Collection
    from os import PathLike
    from ssl import SSLContext

    from flask import Flask

    from mockface.http_server import HttpServer
    from mockface.remote.control_client import ControlClient


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
        pace: When results are out when nobody says otherwise: `at-once`, after some reads
            (`3reads`), or after some seconds (`30s`).
        clock: What time it is.
        vision: Whether OpenCV looks for faces in posted photographs (the extra `vision`); without
            it they are taken to show one good face.
        bearer: An Entra token that is taken instead of a key.
        public_url: Scheme and host that go into tokens; by default those of the request.
        trust_proxy: Whether `X-Forwarded-Proto` says by which scheme clients call, as it does
            behind a proxy that ends TLS; the scheme goes into tokens.
        tls: Whether to serve https, with a certificate made for the run (the extra `tls`).
        tls_certificate: A PEM file to serve https with, instead of a made one.
        tls_key: The PEM file of its private key.
        access_log: Whether the server writes a line for each request to stderr.
        host: Where to listen.
        port: Where to listen; 0 takes a free one.
        threads: How many pictures are worked on at once.
        loose: Whether small mistakes of callers are overlooked.
        accept_newer: Whether a version newer than all known ones is answered as the newest, with a
            header `Warning`; else it is a 404.
        tier: The price tier whose rate limit holds, `F0` or `S0`; `None` has no limit.
        journal_entries: How many requests the journal keeps; 0 keeps none.
        journal_bytes: How much memory they may take, roughly.
        allow_remote: Whether `host` may be reachable from other machines; the control API then
            answers them too.

    Raises:
        RemoteNotAllowedError: `host` is not loopback, and `allow_remote` is not set.
        UnknownScenarioError: There is no such scenario.
        ImportError: `vision` without OpenCV 4; the message names the remedy.
        ValueError: An argument is wrong, and the message names it.
    """

    # `mock.scenario = "spoof"` has to fail: what it can be told, `mock.control()` tells it.
    __slots__ = (
        "_access_log",
        "_app",
        "_host",
        "_http_server",
        "_listener",
        "_port",
        "_serving",
        "_thread",
        "_threads",
        "_tls",
        "_tls_files",
        "_tls_folder",
        "clock",
        "engine",
        "service",
    )

    def __init__(
        self,
        *,
        keys: Collection[str] | None = None,
        seed: str | None = None,
        scenario: str = DEFAULT,
        pace: str = AT_ONCE,
        clock: Clock | None = None,
        vision: bool = False,
        bearer: str | None = None,
        public_url: str | None = None,
        trust_proxy: bool = False,
        tls: bool = False,
        tls_certificate: str | PathLike[str] | None = None,
        tls_key: str | PathLike[str] | None = None,
        access_log: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        threads: int = 8,
        loose: bool = False,
        accept_newer: bool = False,
        tier: str | None = None,
        journal_entries: int = MOST_ENTRIES,
        journal_bytes: int = MOST_BYTES,
        allow_remote: bool = False,
    ) -> None:
        arguments.check(
            keys=keys,
            seed=seed,
            scenario=scenario,
            pace=pace,
            clock=clock,
            vision=vision,
            bearer=bearer,
            public_url=public_url,
            trust_proxy=trust_proxy,
            tls=tls,
            tls_certificate=tls_certificate,
            tls_key=tls_key,
            access_log=access_log,
            host=host,
            port=port,
            threads=threads,
            loose=loose,
            accept_newer=accept_newer,
            tier=tier,
            journal_entries=journal_entries,
            journal_bytes=journal_bytes,
            allow_remote=allow_remote,
        )
        if not allow_remote and not is_loopback(host):
            raise RemoteNotAllowedError(
                f"{host} can be reached from other machines: allow it with --allow-remote, from "
                "Python with allow_remote=True."
            )
        self.clock = clock or Clock()
        self.engine = Engine(
            clock=self.clock,
            seed=seed,
            keys=keys,
            scenario=scenario,
            pace=Pace.parse(pace),
            vision=vision,
        )
        self.service = Service(
            self.engine,
            bearer=bearer,
            public_url=public_url,
            trust_proxy=trust_proxy,
            remote_control=allow_remote,
            loose=loose,
            accept_newer=accept_newer,
            tier=tier,
            journal=Journal(journal_entries, journal_bytes),
        )
        self._host, self._port, self._threads = host, port, threads
        if (tls_certificate is None) != (tls_key is None):
            raise ValueError("tls_certificate and tls_key must be given together.")
        self._tls = tls or tls_certificate is not None
        self._tls_files: tuple[Path, Path] | None = None
        if tls_certificate is not None and tls_key is not None:
            self._tls_files = Path(tls_certificate), Path(tls_key)
        self._access_log = _access_log() if access_log else None
        self._tls_folder: TemporaryDirectory[str] | None = None
        self._app: Flask | None = None
        self._listener: socket.socket | None = None
        self._http_server: HttpServer | None = None
        self._thread: Thread | None = None
        self._serving = False

    @property
    def app(self) -> Flask:
        """The emulator as a WSGI application."""
        if self._app is None:
            from mockface.app import create_app  # noqa: PLC0415 - Flask is slow to import

            self._app = create_app(self)
        return self._app

    @property
    def url(self) -> str:
        """Where it listens, `http://127.0.0.1:PORT`.

        Raises:
            RuntimeError: It does not listen.
        """
        listener = self._listener
        if listener is None:
            raise RuntimeError("The emulator does not listen yet: call start().")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{listener.getsockname()[1]}"

    @property
    def certificate(self) -> Path:
        """The PEM file that clients of https have to trust.

        Raises:
            RuntimeError: It serves http, or has not made one yet.
        """
        if self._tls_files is None:
            raise RuntimeError("There is no certificate: give tls=True, and call start().")
        return self._tls_files[0]

    def control(self, key: str = "") -> ControlClient:
        """A hand on it from this process; it need not listen.

        Args:
            key: Whose sessions, scenario, clock, faults and journal are meant; empty means the
                whole emulator.
        """
        # The command needs neither, and has to be quick.
        from mockface.remote.control_client import ControlClient  # noqa: PLC0415 - see above
        from mockface.remote.sending import in_process  # noqa: PLC0415 - see above

        url = "http://localhost" if self._listener is None else self.url
        return ControlClient(url, key, send=in_process(self.service.handle))

    def listen(self) -> str:
        """Takes the port, so that connections wait from now on; gives the URL back.

        Raises:
            OSError: The port is taken, or the host is none of this machine.
            RuntimeError: It listens already.
        """
        if self._listener is not None and self._listener.fileno() >= 0:
            raise RuntimeError(f"The emulator listens already at {self.url}: call stop() first.")
        from mockface.http_server import HttpServer  # noqa: PLC0415 - a test may need no socket

        context = self._tls_context() if self._tls else None
        # The first address counts, since the URL names one.
        family, *_, address = socket.getaddrinfo(
            self._host, self._port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.create_server((str(address[0]), self._port), family=family)
        # Only for a socket that names its protocol does asyncio send small packets at once.
        self._listener = socket.socket(
            family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=made.detach()
        )
        self._http_server = HttpServer(
            self.service, threads=self._threads, tls=context, access_log=self._access_log
        )
        return self.url

    def _tls_context(self) -> SSLContext:
        from mockface import tls  # noqa: PLC0415 - few need it

        if self._tls_files is None:
            self._tls_folder = TemporaryDirectory(prefix="mockface-")
            self._tls_files = tls.make_certificate(self._host, Path(self._tls_folder.name))
        return tls.context(*self._tls_files)

    def _remove_certificate(self) -> None:
        """Removes what was made for the run."""
        if self._tls_folder is not None:
            self._tls_folder.cleanup()
            self._tls_folder = self._tls_files = None

    def run(self) -> None:
        """Serves in this thread until `stop` is called; `listen` comes first."""
        if self._http_server is None or self._listener is None:
            raise RuntimeError("The emulator does not listen yet: call listen().")
        self._serving = True
        try:
            if not self._http_server.stopped:
                self._http_server.run(self._listener)
        finally:
            self._listener.close()
            self._http_server = self._listener = None
            self._serving = False
            self._remove_certificate()

    def start(self) -> Self:
        """Serves in a thread of its own."""
        self.listen()
        self._thread = Thread(target=self.run, name="mockface", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends `run`, or gives the port back; safe in a signal handler and from any thread."""
        http_server, listener = self._http_server, self._listener
        if http_server is not None:
            http_server.stop()
        if listener is not None and not self._serving:
            listener.close()  # a `run` that begins now sees that it is to stop
            self._remove_certificate()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _access_log() -> logging.Logger:
    """A logger that is not in the tree of the process, whose settings are not ours."""
    log = logging.Logger("mockface.access")  # noqa: LOG001 - see above
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log.addHandler(handler)
    return log
