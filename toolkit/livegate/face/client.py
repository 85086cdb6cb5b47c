"""Between our models and the client of ``azure-ai-vision-face``.

Of the package only ``FaceSessionClient.send_request`` is used, so that its pipeline (credentials,
proxies, request ids, tracing) serves every API version, also those whose paths it does not model.
Its log lines hold no body and no secret header. Of its errors only the name of the class is kept,
since an error of an HTTP client may quote the key.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from livegate.errors import ConfigurationError, MissingDependencyError
from livegate.face.responses import (
    MAX_BODY,
    FailureReason,
    Response,
    TransportFailure,
    Truncation,
)
from livegate.settings import normal_endpoint, validate_key

try:
    from azure.ai.vision.face import FaceSessionClient
    from azure.ai.vision.face.aio import FaceSessionClient as AsyncFaceSessionClient
    from azure.core import exceptions
    from azure.core.credentials import AzureKeyCredential
    from azure.core.rest import HttpRequest
except ImportError:
    raise MissingDependencyError("azure-ai-vision-face", "azure") from None

if TYPE_CHECKING:
    from collections.abc import Callable

    from azure.core.rest import AsyncHttpResponse, HttpResponse

    from livegate.face.versions.common import WireRequest

__all__ = [
    "AsyncFaceSessionClient",
    "ClientConfig",
    "FaceSessionClient",
    "async_read_response",
    "failure_from",
    "read_response",
]

_FILE_NAME: Final = "verify-image"
"""Most servers take a part without a file name for a text field. The service's own Python client
sends this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """How a client is made and called; checked as a whole before the first call.

    Attributes:
        is_async: For :class:`AsyncFaceSessionClient`.
        endpoint: Of the resource; normalized.
        credential: An ``AzureKeyCredential`` (made from a str), a token credential, or a function
            that returns one; never in a ``repr``.
        timeout: Seconds for one try of a call.
        retries: How often a read or a delete is tried again.
        connections: See the classes in :mod:`livegate.face.azure`.
        transport: A function that returns an azure-core transport, or None for the default one.

    Raises:
        ConfigurationError: Names the setting that is wrong.
        MissingDependencyError: ``aiohttp`` is not installed.
    """

    is_async: bool
    endpoint: str
    credential: Any = field(repr=False)
    timeout: float
    retries: int
    connections: int | None
    transport: Callable[[], Any] | None

    def __post_init__(self) -> None:
        if self.is_async and not self.transport and importlib.util.find_spec("aiohttp") is None:
            raise MissingDependencyError("aiohttp", "azure")
        try:
            object.__setattr__(self, "endpoint", normal_endpoint(self.endpoint))
        except ValueError as error:
            raise ConfigurationError(f"VISION_ENDPOINT or LIVEGATE_ENDPOINT {error}") from None
        object.__setattr__(self, "credential", self._checked_credential())
        if isinstance(self.timeout, bool) or not 0 < self.timeout < math.inf:
            raise ConfigurationError("LIVEGATE_FACE_TIMEOUT has to be a number above 0")
        if isinstance(self.retries, bool) or self.retries < 0:
            raise ConfigurationError("LIVEGATE_FACE_RETRIES has to be 0 or more")
        if self.connections is not None and self.connections < 1:
            raise ConfigurationError("LIVEGATE_FACE_CONNECTIONS has to be 1 or more")
        if self.transport is not None and not callable(self.transport):
            raise ConfigurationError(
                "transport has to be a function without arguments that returns a new transport, "
                "such as transport=lambda: RequestsTransport(...): a ready one cannot be made anew "
                "in a process that was forked."
            )

    def _checked_credential(self) -> Any:
        credential = self.credential
        if isinstance(credential, str | AzureKeyCredential):
            try:
                if isinstance(credential, str):
                    return AzureKeyCredential(validate_key(credential))
                if validate_key(credential.key) != credential.key:
                    raise ValueError("has to be the key alone, without blanks around it")  # noqa: TRY301
            except ValueError as error:
                raise ConfigurationError(f"VISION_KEY or LIVEGATE_KEY {error}") from None
            return credential
        return credential if _is_function(credential) else self._checked_token(credential)

    def is_made_by_us(self, credential: Any) -> bool:
        """Whether a *credential* of a client is to be closed with the client."""
        return credential is not self.credential and hasattr(credential, "close")

    def _checked_token(self, credential: Any) -> Any:
        get_token = getattr(credential, "get_token", None)
        if get_token is None:
            raise ConfigurationError(
                "VISION_KEY or LIVEGATE_KEY has to be the resource key; the credential that was "
                "passed in its place is neither a key nor a token credential."
            )
        if inspect.iscoroutinefunction(get_token) is not self.is_async:
            raise ConfigurationError(
                "AzureFace needs a token credential such as those of azure.identity, and "
                "AsyncAzureFace one such as those of azure.identity.aio; this is the other kind."
            )
        return credential

    def client_arguments(self, *, is_inherited: bool) -> dict[str, Any]:
        """The arguments of a new client, but for its transport.

        Args:
            is_inherited: Whether a process from which this one was forked has made a client.

        Raises:
            ConfigurationError: The credential has connections that the other process uses too.
        """
        credential = self.credential
        if _is_function(credential):
            credential = self._checked_token(credential())
        elif is_inherited and not isinstance(credential, AzureKeyCredential):
            raise ConfigurationError(
                "The token credential was used before this process was forked, and its connections "
                "cannot be shared. Pass a function that returns a new one, such as "
                "credential=DefaultAzureCredential (without parentheses)."
            )
        return {
            "endpoint": self.endpoint,
            "credential": credential,
            "retry_total": 0,
            "permit_redirects": False,  # the key must not be sent to another address
            "logging_enable": False,  # it would log bodies: tokens, and pictures of faces
        }

    def send_arguments(self, wire: WireRequest, read_timeout: float) -> dict[str, Any]:
        """The arguments of ``send_request``."""
        body: dict[str, Any] = {"json": wire.json} if wire.json is not None else {}
        if wire.file is not None:
            name, content = wire.file
            body["data"] = dict(wire.form or {})
            body["files"] = [(name, (_FILE_NAME, content, "application/octet-stream"))]
        url = f"{self.endpoint}/face{wire.path}"
        arguments = {
            "request": HttpRequest(
                wire.method, url, headers={"Accept": "application/json"}, **body
            ),
            "stream": True,  # so that no more of a body is read than we want
            "connection_timeout": self.timeout,
            "read_timeout": read_timeout,
        }
        is_key = isinstance(
            self.credential, AzureKeyCredential
        )  # whose policy has no such argument
        if self.endpoint.startswith("http://") and not is_key:
            arguments["enforce_https"] = False  # a loopback address: no other has plain http
        return arguments


def _is_function(credential: Any) -> bool:
    """Whether it returns a credential: a class does, although it has ``get_token`` itself."""
    is_credential = hasattr(credential, "get_token") and not isinstance(credential, type)
    return callable(credential) and not is_credential


def read_response(received: HttpResponse, deadline: float) -> Response:
    """The *received* response, with its body as far as it comes before the *deadline*.

    The status counts also when the body is not complete. Closes the response.

    Args:
        received: Streamed.
        deadline: On the clock ``time.monotonic``.
    """
    body = bytearray()
    truncation = None
    try:
        for chunk in received.iter_bytes():
            body += chunk
            if len(body) > MAX_BODY:
                truncation = Truncation.TOO_LONG
                break
            if time.monotonic() > deadline:
                truncation = Truncation.TIMED_OUT
                break
    except Exception as error:  # noqa: BLE001 - any error may quote the key
        truncation = _truncation(error)
    finally:
        received.close()
    return _response(received, body, truncation)


async def async_read_response(received: AsyncHttpResponse, deadline: float) -> Response:
    """See :func:`read_response`; *deadline* is on the clock of the event loop."""
    body = bytearray()
    truncation = None
    try:
        async with asyncio.timeout_at(deadline):
            async for chunk in received.iter_bytes():
                body += chunk
                if len(body) > MAX_BODY:
                    truncation = Truncation.TOO_LONG
                    break
    except TimeoutError:
        truncation = Truncation.TIMED_OUT
    except Exception as error:  # noqa: BLE001 - any error may quote the key
        truncation = _truncation(error)
    finally:
        await received.close()
    return _response(received, body, truncation)


def _response(
    received: HttpResponse | AsyncHttpResponse, body: bytearray, truncation: Truncation | None
) -> Response:
    headers = {name.lower(): value for name, value in received.headers.items()}
    return Response(received.status_code, headers, bytes(body), truncation, time.time())


def failure_from(error: Exception) -> TransportFailure:
    """The *error* of a transport in our model."""
    reasons: tuple[tuple[type[Exception], FailureReason], ...] = (
        (exceptions.ClientAuthenticationError, FailureReason.CREDENTIAL),
        (exceptions.ServiceRequestTimeoutError, FailureReason.TIMEOUT),
        (exceptions.ServiceResponseTimeoutError, FailureReason.TIMEOUT),
        (exceptions.ServiceRequestError, FailureReason.CONNECTION),
        (exceptions.ServiceResponseError, FailureReason.CONNECTION),
    )
    reason = next((r for kind, r in reasons if isinstance(error, kind)), FailureReason.UNEXPECTED)
    return TransportFailure(reason, type(_innermost(error)).__name__)


def _truncation(error: Exception) -> Truncation:
    is_timeout = failure_from(error).reason is FailureReason.TIMEOUT
    return Truncation.TIMED_OUT if is_timeout else Truncation.CUT_OFF


def _innermost(error: BaseException) -> BaseException:
    """The first error of the chain, such as a ``ConnectionRefusedError`` or a ``gaierror``."""
    seen = {id(error)}
    while True:
        inner = getattr(error, "inner_exception", None) or error.__cause__ or error.__context__
        if not isinstance(inner, BaseException) or id(inner) in seen:
            return error
        seen.add(id(inner))
        error = inner
