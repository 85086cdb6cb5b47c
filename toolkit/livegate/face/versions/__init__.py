"""One file for each version of the Face API: our models to its requests, its responses to ours.

Nothing here does I/O. To add a version, write a module with the members of :class:`ApiVersion` and
add it to the table below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from livegate.errors import ConfigurationError
from livegate.face.versions import v1_2, v1_2_preview_1

if TYPE_CHECKING:
    from collections.abc import Mapping

    from livegate.face.versions.common import Json, WireRequest
    from livegate.models import Outcome, SessionKind
    from livegate.protocols import FaceSessionRequest


class ApiVersion(Protocol):
    """What a module for a version of the Face API defines."""

    @property
    def PATHS(self) -> Mapping[SessionKind, str]:  # noqa: N802 - a constant of the module
        """The path of the sessions of each kind, below ``{endpoint}/face``."""
        ...

    def create_request(self, request: FaceSessionRequest) -> WireRequest:
        """The HTTP request that creates a session."""
        ...

    def parse_outcome(self, body: Json, remote_id: str) -> Outcome:
        """The outcome in the response to a read of the session *remote_id*.

        Raises:
            FaceResponseError: The response cannot be understood, or is about another session.
        """
        ...


_VERSIONS: Final[dict[str, ApiVersion]] = {
    "v1.2": v1_2,
    "v1.2-preview.1": v1_2_preview_1,
}

API_VERSIONS: Final = tuple(_VERSIONS)


def get_version(api_version: str) -> ApiVersion:
    """The module for *api_version*.

    Raises:
        ConfigurationError: The version is not supported.
    """
    if api_version not in _VERSIONS:
        raise ConfigurationError(
            f"LIVEGATE_API_VERSION: {api_version!r} is not supported; "
            f"use one of {', '.join(API_VERSIONS)}."
        )
    return _VERSIONS[api_version]
