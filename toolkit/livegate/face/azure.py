"""The Face service over ``azure-ai-vision-face``: :class:`AzureFace` and :class:`AsyncAzureFace`.

Of the package only ``FaceSessionClient.send_request`` is used, so that its pipeline (credentials,
proxies, request ids, tracing) serves every API version, also those whose paths it does not model.
What it logs holds no body and no header but harmless ones; what it raises is dropped but for the
name of the class, since an error of an HTTP client may quote the key.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any, Final, Self

from livegate.driving import adrive, drive
from livegate.errors import ConfigurationError
from livegate.face.access import (
    Access,
    arguments_of,
    need_packages,
    usable_key,
    usable_token_credential,
)
from livegate.face.calls import Calls
from livegate.face.deadline import within
from livegate.face.dialects.wire import FILE_NAME
from livegate.face.replies import MAX_BODY, NoReply, Reply, Silence

if TYPE_CHECKING:
    from azure.ai.vision.face import FaceSessionClient
    from azure.ai.vision.face.aio import FaceSessionClient as AsyncFaceSessionClient
    from azure.core.credentials import AzureKeyCredential, TokenCredential
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse

    from livegate.face.base import FaceSession, FaceSessionRequest
    from livegate.face.dialects.wire import WireRequest
    from livegate.face.replies import Answer
    from livegate.session import Outcome, SessionKind
    from livegate.settings import Settings

_OUT_OF_TIME: Final = NoReply(Silence.TIMED_OUT, "TimeoutError")


class AzureFace:
    """The service for :class:`livegate.Orchestrator`; safe to use from many threads.

    Args:
        endpoint: The Face resource: ``https://NAME.cognitiveservices.azure.com``.
        credential: The resource key, as text or as an ``AzureKeyCredential``, or a token
            credential such as those of ``azure-identity``.
        api_version: For new sessions.
        timeout: Seconds that one try of a call may take, all in all.
        retries: How often a read or a delete is repeated when the connection or the service
            fails; a create never is. So a call ends within ``(1 + retries) * (timeout + 1)``.
        transport: An azure-core transport in place of the default one; closed with this object.

    Raises:
        ConfigurationError: Names the setting that is wrong.
        MissingDependencyError: The package ``azure-ai-vision-face`` is not installed.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        credential: str | AzureKeyCredential | TokenCredential,
        api_version: str = "v1.2",
        timeout: float = 10.0,
        retries: int = 2,
        transport: Any = None,
    ) -> None:
        need_packages()
        self._access = Access(
            endpoint, _credential(credential, is_async=False), timeout, retries, transport
        )
        self._calls = Calls(api_version, retries, self._exchange, time.sleep)
        self._clients: dict[str, FaceSessionClient] = {}
        self._lock = threading.Lock()

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        credential: AzureKeyCredential | TokenCredential | None = None,
        transport: Any = None,
    ) -> Self:
        """The service as *settings* describe it; a *credential* is used in place of their key.

        Raises:
            ConfigurationError: A setting is missing or wrong.
        """
        return cls(**arguments_of(settings, credential), transport=transport)

    @property
    def api_version(self) -> str:
        """See :class:`livegate.face.base.FaceService`."""
        return self._calls.api_version

    def create(self, request: FaceSessionRequest) -> FaceSession:
        """See :meth:`livegate.face.base.FaceService.create`."""
        return drive(self._calls.create(request))

    def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        """See :meth:`livegate.face.base.FaceService.read`."""
        return drive(self._calls.read(kind, remote_id, api_version))

    def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
        """See :meth:`livegate.face.base.FaceService.delete`."""
        drive(self._calls.delete(kind, remote_id, api_version))

    def close(self) -> None:
        """See :meth:`livegate.face.base.FaceService.close`."""
        with self._lock:
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"AzureFace({self._access.endpoint!r}, api_version={self.api_version!r})"

    def _client(self, api_version: str) -> FaceSessionClient:
        from azure.ai.vision.face import FaceSessionClient  # noqa: PLC0415 - costs 0.3 s

        with self._lock:
            if api_version not in self._clients:
                # Entered here, since its transport does not guard its own opening against threads.
                self._clients[api_version] = FaceSessionClient(
                    **self._access.client_arguments(api_version)
                ).__enter__()
            return self._clients[api_version]

    def _exchange(self, api_version: str, wire: WireRequest) -> Answer:
        client = self._client(api_version)
        answer = within(self._access.timeout, lambda: self._try(client, wire))
        return _OUT_OF_TIME if answer is None else answer

    def _try(self, client: FaceSessionClient, wire: WireRequest) -> Answer:
        try:
            response = client.send_request(_to_azure(wire), **self._access.call_arguments())
        except Exception as error:  # noqa: BLE001 - whatever it is, it may quote the key
            return _no_reply(error)
        try:
            return _reply(response, _body(response))
        finally:
            response.close()


class AsyncAzureFace:
    """The service for :class:`livegate.AsyncOrchestrator`, for one event loop.

    Args:
        endpoint: See :class:`AzureFace`.
        credential: The resource key, as text or as an ``AzureKeyCredential``, or an asynchronous
            token credential such as those of ``azure.identity.aio``.
        api_version: See :class:`AzureFace`.
        timeout: See :class:`AzureFace`.
        retries: See :class:`AzureFace`.
        transport: An asynchronous azure-core transport in place of the default one.

    Raises:
        ConfigurationError: Names the setting that is wrong.
        MissingDependencyError: ``azure-ai-vision-face``, or ``aiohttp``, is not installed.
    """

    def __init__(
        self,
        *,
        endpoint: str,
        credential: str | AzureKeyCredential | AsyncTokenCredential,
        api_version: str = "v1.2",
        timeout: float = 10.0,
        retries: int = 2,
        transport: Any = None,
    ) -> None:
        need_packages(is_async=transport is None)
        self._access = Access(
            endpoint, _credential(credential, is_async=True), timeout, retries, transport
        )
        self._calls = Calls(api_version, retries, self._exchange, asyncio.sleep)
        self._clients: dict[str, AsyncFaceSessionClient] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        credential: AzureKeyCredential | AsyncTokenCredential | None = None,
        transport: Any = None,
    ) -> Self:
        """See :meth:`AzureFace.from_settings`."""
        return cls(**arguments_of(settings, credential), transport=transport)

    @property
    def api_version(self) -> str:
        """See :class:`livegate.face.base.FaceService`."""
        return self._calls.api_version

    async def create(self, request: FaceSessionRequest) -> FaceSession:
        """See :meth:`livegate.face.base.FaceService.create`."""
        return await adrive(self._calls.create(request))

    async def read(self, kind: SessionKind, remote_id: str, api_version: str) -> Outcome:
        """See :meth:`livegate.face.base.FaceService.read`."""
        return await adrive(self._calls.read(kind, remote_id, api_version))

    async def delete(self, kind: SessionKind, remote_id: str, api_version: str) -> None:
        """See :meth:`livegate.face.base.FaceService.delete`."""
        await adrive(self._calls.delete(kind, remote_id, api_version))

    async def close(self) -> None:
        """See :meth:`livegate.face.base.FaceService.close`."""
        clients = list(self._clients.values())
        self._clients.clear()
        for client in clients:
            await client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncAzureFace({self._access.endpoint!r}, api_version={self.api_version!r})"

    def _client(self, api_version: str) -> AsyncFaceSessionClient:
        from azure.ai.vision.face.aio import FaceSessionClient  # noqa: PLC0415 - costs 0.3 s

        loop = asyncio.get_running_loop()
        if self._clients and self._loop is not loop and self._access.transport is None:
            raise ConfigurationError(
                "This AsyncAzureFace was used in another event loop before: an AsyncOrchestrator "
                "is for one loop, so make one in each."
            )
        self._loop = loop
        if api_version not in self._clients:
            self._clients[api_version] = FaceSessionClient(
                **self._access.client_arguments(api_version)
            )
        return self._clients[api_version]

    async def _exchange(self, api_version: str, wire: WireRequest) -> Answer:
        client = self._client(api_version)
        try:
            async with asyncio.timeout(self._access.timeout):
                return await self._try(client, wire)
        except TimeoutError:
            return _OUT_OF_TIME

    async def _try(self, client: AsyncFaceSessionClient, wire: WireRequest) -> Answer:
        try:
            response = await client.send_request(_to_azure(wire), **self._access.call_arguments())
        except Exception as error:  # noqa: BLE001 - whatever it is, it may quote the key
            return _no_reply(error)
        try:
            return _reply(response, await _async_body(response))
        finally:
            await response.close()


# --- what both have in common: to the library's words and back ---------------------------------


def _credential(credential: Any, *, is_async: bool) -> Any:
    """The *credential* as the client takes it."""
    from azure.core.credentials import AzureKeyCredential  # noqa: PLC0415 - costs 0.1 s

    if isinstance(credential, str):
        return AzureKeyCredential(usable_key(credential.strip()))
    if isinstance(credential, AzureKeyCredential):
        usable_key(credential.key)
        return credential
    return usable_token_credential(credential, is_async=is_async)


def _to_azure(wire: WireRequest) -> HttpRequest:
    from azure.core.rest import HttpRequest  # noqa: PLC0415 - costs 0.1 s

    arguments: dict[str, Any] = {}
    if wire.json is not None:
        arguments["json"] = wire.json
    if wire.file is not None:
        content = (FILE_NAME, wire.file.content, "application/octet-stream")
        arguments |= {"data": dict(wire.form or {}), "files": [(wire.file.name, content)]}
    return HttpRequest(wire.method, wire.path, headers={"Accept": "application/json"}, **arguments)


def _reply(response: HttpResponse | AsyncHttpResponse, body: bytes | None) -> Reply:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, body, received_at=time.time())


def _body(response: HttpResponse) -> bytes | None:
    """The body, or None if it is cut off or longer than we read."""
    content = bytearray()
    try:
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > MAX_BODY:
                return None
    except Exception:  # noqa: BLE001 - the status is known; of the body it is enough that it is bad
        return None
    return bytes(content)


async def _async_body(response: AsyncHttpResponse) -> bytes | None:
    """The body, or None if it is cut off or longer than we read."""
    content = bytearray()
    try:
        async for chunk in response.iter_bytes():
            content += chunk
            if len(content) > MAX_BODY:
                return None
    except Exception:  # noqa: BLE001 - the status is known; of the body it is enough that it is bad
        return None
    return bytes(content)


def _no_reply(error: Exception) -> NoReply:
    from azure.core import exceptions  # noqa: PLC0415 - costs 0.1 s

    kinds: tuple[tuple[type[Exception], Silence], ...] = (
        (exceptions.ClientAuthenticationError, Silence.NO_CREDENTIAL),
        (exceptions.ServiceRequestTimeoutError, Silence.TIMED_OUT),
        (exceptions.ServiceResponseTimeoutError, Silence.TIMED_OUT),
        (exceptions.ServiceRequestError, Silence.LOST),
        (exceptions.ServiceResponseError, Silence.LOST),
    )
    why = next((why for kind, why in kinds if isinstance(error, kind)), Silence.BROKEN)
    return NoReply(why, type(_innermost(error)).__name__)


def _innermost(error: BaseException) -> BaseException:
    """What it all began with, such as a ``ConnectionRefusedError`` or a ``gaierror``."""
    seen = {id(error)}
    while True:
        inner = getattr(error, "inner_exception", None) or error.__cause__ or error.__context__
        if not isinstance(inner, BaseException) or id(inner) in seen:
            return error
        seen.add(id(inner))
        error = inner
