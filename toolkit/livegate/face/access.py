"""Where the service is and what opens it; everything is checked before the first call."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from livegate.errors import ConfigurationError, MissingDependencyError
from livegate.settings import normal_endpoint

if TYPE_CHECKING:
    from livegate.settings import Settings

_CLIENT_OPTIONS: Final[dict[str, Any]] = {
    "retry_total": 0,  # see livegate.face.calls
    "permit_redirects": False,  # the key is not to be carried to wherever an answer says
    "logging_enable": False,  # would log bodies: tokens, and pictures of faces
}


@dataclass(frozen=True, slots=True)
class Access:
    """How the library's client is made and called.

    Attributes:
        endpoint: Of the resource; normalised.
        credential: As the client takes it; never in a ``repr``.
        timeout: Seconds that one try of a call may take.
        retries: How often a call that is safe to repeat is repeated.
        transport: An azure-core transport, or None for the default one.

    Raises:
        ConfigurationError: Names the setting that is wrong.
    """

    endpoint: str
    credential: Any = field(repr=False)
    timeout: float
    retries: int
    transport: Any

    def __post_init__(self) -> None:
        object.__setattr__(self, "endpoint", _usable_endpoint(self.endpoint))
        if isinstance(self.timeout, bool) or not 0 < self.timeout < math.inf:
            raise ConfigurationError("LIVEGATE_FACE_TIMEOUT has to be a number above 0")
        if isinstance(self.retries, bool) or self.retries < 0:
            raise ConfigurationError("LIVEGATE_FACE_RETRIES has to be 0 or more")

    def client_arguments(self, api_version: str) -> dict[str, Any]:
        """To make a client that speaks *api_version*."""
        arguments = {
            "endpoint": self.endpoint,
            "credential": self.credential,
            "api_version": api_version,
            **_CLIENT_OPTIONS,
        }
        if self.transport is not None:
            arguments["transport"] = self.transport
        return arguments

    def call_arguments(self) -> dict[str, Any]:
        """For each call: streamed, so that a body is read only as far as it may go."""
        arguments: dict[str, Any] = {
            "stream": True,
            "connection_timeout": self.timeout,
            "read_timeout": self.timeout,
        }
        if _gives_tokens(self.credential) and self.endpoint.startswith("http://"):
            arguments["enforce_https"] = False  # a loopback address: no other has plain http
        return arguments


def need_packages(*, is_async: bool = False) -> None:
    """Say now, and not at the first call, what is not installed.

    Raises:
        MissingDependencyError: Names the package, and the extra that brings it.
    """
    try:
        importlib.import_module("azure.ai.vision.face")
    except ImportError:
        raise MissingDependencyError("azure-ai-vision-face", "azure") from None
    if is_async and importlib.util.find_spec("aiohttp") is None:
        raise MissingDependencyError("aiohttp", "azure")


def usable_key(key: str) -> str:
    """The *key*, if it can stand in a header; a client quotes in its error what cannot.

    Raises:
        ConfigurationError: It cannot.
    """
    if not key or key != key.strip() or not key.isascii() or not key.isprintable():
        raise ConfigurationError(
            "VISION_KEY or LIVEGATE_KEY has to be the key alone: printable ASCII, no blanks around "
            "it, no line breaks"
        )
    return key


def usable_token_credential(credential: Any, *, is_async: bool) -> Any:
    """The *credential*, if it gives tokens in the way that the client takes them.

    Raises:
        ConfigurationError: It does not.
    """
    get_token = _gives_tokens(credential)
    if not get_token:
        raise ConfigurationError(
            "VISION_KEY or LIVEGATE_KEY has to be the resource key; what was handed in for it is "
            "neither a key nor a token credential."
        )
    if inspect.iscoroutinefunction(get_token) is not is_async:
        raise ConfigurationError(
            "AzureFace needs a token credential such as those of azure.identity, and "
            "AsyncAzureFace one such as those of azure.identity.aio; this is the other kind."
        )
    return credential


def arguments_of(settings: Settings, credential: Any) -> dict[str, Any]:
    """What *settings* say, with a *credential* in place of their key if it is not None.

    Raises:
        ConfigurationError: A setting is missing.
    """
    return {
        "endpoint": settings.require("endpoint"),
        "credential": settings.require("key") if credential is None else credential,
        "api_version": settings.api_version,
        "timeout": settings.face_timeout,
        "retries": settings.face_retries,
    }


def _gives_tokens(credential: Any) -> Any:
    """Either of the two methods that azure-core asks for tokens with, or None."""
    return getattr(credential, "get_token", None) or getattr(credential, "get_token_info", None)


def _usable_endpoint(endpoint: Any) -> str:
    try:
        normal = normal_endpoint(endpoint)
    except ValueError as error:
        raise ConfigurationError(f"VISION_ENDPOINT or LIVEGATE_ENDPOINT {error}") from None
    if normal is None:
        raise ConfigurationError("VISION_ENDPOINT or LIVEGATE_ENDPOINT is not set.")
    return normal
