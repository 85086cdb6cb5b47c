"""The Face service over ``azure-ai-vision-face``: :class:`AzureFace` and :class:`AsyncAzureFace`.

Nothing here starts a thread or holds a lock, and a client belongs to the process that made it, so
that both classes work in forked processes and under gevent. What gevent replaces, such as
``time.sleep``, is looked up when it is called.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from livegate._sync import run_sync
from livegate.errors import ConfigurationError, FaceResponseError
from livegate.face.client import (
    AsyncFaceSessionClient,
    ClientConfig,
    FaceSessionClient,
    async_read_response,
    failure_from,
    read_response,
)
from livegate.face.responses import (
    FailureReason,
    Operation,
    Response,
    TransportFailure,
    created_session_id,
    error_for,
    invalid_response,
    is_transient,
    parse_json,
)
from livegate.face.transports import aiohttp_transport, requests_transport
from livegate.face.versions import get_version
from livegate.face.versions.common import parse_session, session_request
from livegate.lifecycle import CREATE_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from azure.core.credentials import AzureKeyCredential, TokenCredential
    from azure.core.credentials_async import AsyncTokenCredential

    from livegate.face.responses import Result
    from livegate.face.versions.common import WireRequest
    from livegate.models import Outcome, SessionKind
    from livegate.protocols import FaceSession, FaceSessionRequest
    from livegate.settings import Settings

    AnyTokenCredential = TokenCredential | AsyncTokenCredential
    AnyCredential = str | AzureKeyCredential | AnyTokenCredential | Callable[[], AnyTokenCredential]

_log = logging.getLogger(__name__)

_FIRST_PAUSE: Final = 0.1
_MAX_PAUSE: Final = 1.0

_TIMED_OUT: Final = TransportFailure(FailureReason.TIMEOUT, "TimeoutError")


class _Operations(ABC):
    """The three operations, written once for both classes.

    A call is tried again here, and not by azure-core's retry policy: that one sleeps for as long as
    any ``Retry-After`` says, and repeats a create that may have been billed. Here a create is sent
    once, and a response that names a time to wait is reported and not waited for.
    """

    _is_async: ClassVar[bool]
    _by_process: dict[int, Any]

    def __init__(
        self,
        *,
        endpoint: str,
        credential: AnyCredential,
        api_version: str = "v1.2",
        timeout: float = 10.0,
        retries: int = 2,
        connections: int | None = None,
        transport: Callable[[], Any] | None = None,
    ) -> None:
        get_version(api_version)
        self._api_version = api_version
        self._by_process = {}  # what belongs to a process, by its id
        self._config = ClientConfig(
            is_async=self._is_async,
            endpoint=endpoint,
            credential=credential,
            timeout=timeout,
            retries=retries,
            connections=connections,
            transport=transport,
        )

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        credential: AnyCredential | None = None,
        transport: Callable[[], Any] | None = None,
    ) -> Self:
        """The service that *settings* describe; a *credential* is used in place of their key.

        Raises:
            ConfigurationError: A setting is missing or wrong.
        """
        return cls(
            endpoint=settings.require("endpoint"),
            credential=settings.require("key") if credential is None else credential,
            api_version=settings.api_version,
            timeout=settings.face_timeout,
            retries=settings.face_retries,
            connections=settings.face_connections or None,
            transport=transport,
        )

    @property
    def api_version(self) -> str:
        """The version that new sessions are created with."""
        return self._api_version

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"{name}({self._config.endpoint!r}, api_version={self.api_version!r})"

    def _is_inherited(self, process_id: int) -> bool:
        """Whether a process from which this one was forked has made a client."""
        return bool(set(self._by_process) - {process_id})

    @abstractmethod
    async def _exchange(self, operation: Operation, wire: WireRequest) -> Result:
        """Send one request. It ends within a bounded time and raises no error of the transport."""

    @abstractmethod
    async def _pause(self, seconds: float) -> None:
        """Wait."""

    async def _create(self, request: FaceSessionRequest, api_version: str) -> FaceSession:
        wire = get_version(api_version).create_request(request)
        response = await self._call(Operation.CREATE, wire)
        try:
            return parse_session(parse_json(response))
        except FaceResponseError as error:
            text = str(error)
        raise invalid_response(Operation.CREATE, response, text)

    async def _read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        version = get_version(api_version)
        wire = session_request("GET", version.PATHS[kind], remote_id)
        response = await self._call(Operation.READ, wire)
        try:
            return version.parse_outcome(parse_json(response), remote_id)
        except FaceResponseError as error:
            text = str(error)
        raise invalid_response(Operation.READ, response, text)

    async def _delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
        path = get_version(api_version).PATHS[kind]
        await self._call(Operation.DELETE, session_request("DELETE", path, remote_id))

    async def _call(self, operation: Operation, wire: WireRequest) -> Response:
        result = await self._exchange(operation, wire)
        for retry in range(0 if operation is Operation.CREATE else self._config.retries):
            if not is_transient(result):
                break
            await self._pause(min(_FIRST_PAUSE * 2**retry, _MAX_PAUSE))
            result = await self._exchange(operation, wire)
        error = error_for(operation, result)
        if error is not None:
            raise error
        assert isinstance(result, Response)  # noqa: S101 - a failure always has an error
        return result


class AzureFace(_Operations):
    """The service for :class:`livegate.Orchestrator`; safe to use from many threads.

    A read or a delete ends within ``(1 + retries) * (timeout + 1)`` seconds. A create is sent once
    and has twice the *timeout*, since giving it up leaves a session at the service. Looking up the
    host's name is not limited, and connecting is limited for each of its addresses: a blocking call
    offers no way to do better.

    Args:
        endpoint: The Face resource: ``https://NAME.cognitiveservices.azure.com``.
        credential: The resource key, as a str or as an ``AzureKeyCredential``, or a token
            credential such as those of ``azure-identity``. If the process forks after the first
            call, pass a function that returns a token credential, such as the class
            ``DefaultAzureCredential``; it is called in each process.
        api_version: For new sessions.
        timeout: Seconds that one try of a call may take.
        retries: How often a read or a delete is tried again when the connection or the service
            fails.
        connections: How many connections stay open for later calls; None for 100. It does not
            limit calls.
        transport: A function that returns an azure-core transport in place of the default one. It
            is called in each process; with it, the time until the response's body begins is limited
            by that transport alone.

    Raises:
        ConfigurationError: Names the setting that is wrong.
    """

    _is_async = False
    _by_process: dict[int, tuple[FaceSessionClient, Any]]

    def create(self, request: FaceSessionRequest, api_version: str) -> FaceSession:
        """See :meth:`livegate.protocols.FaceService.create`."""
        return run_sync(self._create(request, api_version))

    def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        """See :meth:`livegate.protocols.FaceService.read`."""
        return run_sync(self._read(kind, remote_id, api_version))

    def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
        """See :meth:`livegate.protocols.FaceService.delete`."""
        run_sync(self._delete(kind, remote_id, api_version))

    def close(self) -> None:
        """See :meth:`livegate.protocols.FaceService.close`."""
        found = self._by_process.pop(os.getpid(), None)
        if found is not None:
            self._close(*found)

    def _close(self, client: FaceSessionClient, credential: Any) -> None:
        client.close()
        if self._config.is_made_by_us(credential):
            credential.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _client(self) -> FaceSessionClient:
        """The client of this process.

        One that a fork inherited is neither used nor closed, since the parent process uses its
        connections. It stays referenced, so that nothing else closes them.
        """
        process_id = os.getpid()
        found = self._by_process.get(process_id)
        if found is None:
            arguments = self._config.client_arguments(is_inherited=self._is_inherited(process_id))
            transport = self._config.transport
            arguments["transport"] = (
                transport() if transport else requests_transport(self._config.connections)
            )
            # Entered here, since a transport does not guard its own opening against threads.
            made = (FaceSessionClient(**arguments).__enter__(), arguments["credential"])
            found = self._by_process.setdefault(process_id, made)
            if found is not made:  # another thread was here at the same time
                self._close(*made)
        return found[0]

    async def _exchange(self, operation: Operation, wire: WireRequest) -> Result:
        client = self._client()
        timeout = self._config.timeout * (2 if operation is Operation.CREATE else 1)
        deadline = time.monotonic() + timeout
        try:
            received = client.send_request(**self._config.send_arguments(wire, timeout))
        except Exception as error:  # noqa: BLE001 - any error may quote the key
            return failure_from(error)
        return read_response(received, deadline)

    async def _pause(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - run without an event loop


@dataclass(slots=True)
class _Process:
    """What an :class:`AsyncAzureFace` has in one process."""

    client: AsyncFaceSessionClient
    credential: Any
    loop: asyncio.AbstractEventLoop
    slots: asyncio.Semaphore
    late: set[asyncio.Task[None]] = field(default_factory=set)

    def run_late(self, work: Coroutine[Any, Any, None]) -> None:
        """Run *work* in the background; the loop itself keeps no reference to its tasks."""
        task = self.loop.create_task(work)
        self.late.add(task)
        task.add_done_callback(self.late.discard)


class AsyncAzureFace(_Operations):
    """The service for :class:`livegate.AsyncOrchestrator`, for one event loop in each process.

    A create that is cancelled, or not done within *timeout*, goes on in the background for at most
    two minutes, and the session that a late response names is deleted; :meth:`close` waits for that
    for at most *timeout* seconds. Each call that waits for the service holds a connection: a
    process with thousands of them needs a limit of open files to match.

    Args:
        endpoint: See :class:`AzureFace`.
        credential: See :class:`AzureFace`; a token credential is an async one, such as those of
            ``azure.identity.aio``.
        api_version: See :class:`AzureFace`.
        timeout: See :class:`AzureFace`.
        retries: See :class:`AzureFace`.
        connections: How many calls are sent at the same time; others wait until one ends, which is
            not part of their *timeout*. None for no limit.
        transport: A function that returns an async azure-core transport in place of the default
            one. It is called in each process, in the event loop.

    Raises:
        ConfigurationError: Names the setting that is wrong.
        MissingDependencyError: ``aiohttp`` is not installed.
    """

    _is_async = True
    _by_process: dict[int, _Process]

    async def create(self, request: FaceSessionRequest, api_version: str) -> FaceSession:
        """See :meth:`livegate.protocols.AsyncFaceService.create`."""
        return await self._create(request, api_version)

    async def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        """See :meth:`livegate.protocols.FaceService.read`."""
        return await self._read(kind, remote_id, api_version)

    async def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
        """See :meth:`livegate.protocols.FaceService.delete`."""
        await self._delete(kind, remote_id, api_version)

    async def close(self) -> None:
        """See :meth:`livegate.protocols.FaceService.close`."""
        process = self._by_process.get(os.getpid())
        if process is None:
            return
        late = process.late if process.loop is asyncio.get_running_loop() else ()
        try:
            if late:
                await asyncio.wait(late, timeout=self._config.timeout)
        finally:
            for task in late:
                task.cancel()
            self._by_process.pop(os.getpid(), None)
            await process.client.close()
            if self._config.is_made_by_us(process.credential):
                await process.credential.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _process(self) -> _Process:
        """The client of this process and its event loop; see :meth:`AzureFace._client`."""
        loop = asyncio.get_running_loop()
        process_id = os.getpid()
        process = self._by_process.get(process_id)
        if process is None:
            arguments = self._config.client_arguments(is_inherited=self._is_inherited(process_id))
            arguments["transport"] = (self._config.transport or aiohttp_transport)()
            client = AsyncFaceSessionClient(**arguments)
            slots = asyncio.Semaphore(self._config.connections or sys.maxsize)
            process = _Process(client, arguments["credential"], loop, slots)
            self._by_process[process_id] = process
        if process.loop is not loop:
            raise ConfigurationError(
                "This AsyncAzureFace was used in another event loop before: an AsyncOrchestrator "
                "is for one loop, so make one in each."
            )
        return process

    async def _exchange(self, operation: Operation, wire: WireRequest) -> Result:
        process = self._process()
        if operation is Operation.CREATE:
            return await self._exchange_create(process, wire)
        async with process.slots:
            return await self._send(process, wire, self._config.timeout)

    async def _exchange_create(self, process: _Process, wire: WireRequest) -> Result:
        """Send a create in a task of its own, which goes on when the caller does not wait."""
        await process.slots.acquire()
        sending = process.loop.create_task(
            self._send(process, wire, CREATE_TIMEOUT.total_seconds())
        )
        sending.add_done_callback(lambda _: process.slots.release())
        try:
            done, _ = await asyncio.wait({sending}, timeout=self._config.timeout)
        except asyncio.CancelledError:
            process.run_late(self._delete_late(process, wire, sending))
            raise
        if done:
            return sending.result()
        process.run_late(self._delete_late(process, wire, sending))
        return _TIMED_OUT

    async def _delete_late(
        self, process: _Process, create: WireRequest, sending: asyncio.Task[Result]
    ) -> None:
        remote_id = created_session_id(await sending)
        if remote_id is None:
            return
        wire = session_request("DELETE", create.path, remote_id)
        result = await self._send(process, wire, self._config.timeout)
        error = error_for(Operation.DELETE, result)
        if error is not None:
            _log.warning("A session that was created too late could not be deleted: %s", error)

    async def _send(self, process: _Process, wire: WireRequest, seconds: float) -> Result:
        deadline = process.loop.time() + seconds
        try:
            async with asyncio.timeout_at(deadline):
                received = await process.client.send_request(
                    **self._config.send_arguments(wire, seconds)
                )
        except TimeoutError:
            return _TIMED_OUT
        except Exception as error:  # noqa: BLE001 - any error may quote the key
            return failure_from(error)
        return await async_read_response(received, deadline)

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
