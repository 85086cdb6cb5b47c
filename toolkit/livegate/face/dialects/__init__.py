"""One file for each version of the Face API: our words to the wire's, and back; pure.

A dialect is a module with the four functions of :class:`Dialect`. To add a version, write the
module and give it a line in the table below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from livegate.errors import ConfigurationError
from livegate.face.dialects import v1_2, v1_2_preview_1

if TYPE_CHECKING:
    from livegate.face.base import FaceSession, FaceSessionRequest
    from livegate.face.dialects.reading import Json
    from livegate.face.dialects.wire import WireRequest
    from livegate.session import Outcome, SessionKind


class Dialect(Protocol):
    """What a version of the Face API is to us."""

    def path_of(self, kind: SessionKind) -> str:
        """Where sessions of *kind* live, below ``{endpoint}/face/{version}``."""
        ...

    def create(self, request: FaceSessionRequest) -> WireRequest:
        """The call that creates a session."""
        ...

    def created(self, body: Json) -> FaceSession:
        """What the service answered to it.

        Raises:
            FaceAnswerError: The answer cannot be understood.
        """
        ...

    def outcome(self, body: Json, remote_id: str) -> Outcome:
        """What the service says of the session *remote_id*.

        Raises:
            FaceAnswerError: The answer cannot be understood, or is about another session.
        """
        ...


_DIALECTS: Final[dict[str, Dialect]] = {
    "v1.2": v1_2,
    "v1.2-preview.1": v1_2_preview_1,
}

KNOWN_VERSIONS: Final = tuple(_DIALECTS)


def dialect_of(api_version: str) -> Dialect:
    """The dialect that *api_version* speaks.

    Raises:
        ConfigurationError: We do not speak it.
    """
    if api_version not in _DIALECTS:
        raise ConfigurationError(
            f"LIVEGATE_API_VERSION: livegate does not speak {api_version!r}; "
            f"it speaks {', '.join(KNOWN_VERSIONS)}."
        )
    return _DIALECTS[api_version]
