"""What goes over the wire, before any HTTP library has seen it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from livegate.face.dialects.reading import REMOTE_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from livegate.face.base import FaceSessionRequest

FILE_NAME: Final = "verify-image"
"""A part without a file name is a text field to most servers. The service's own Python client
sends this one."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file in a multipart form.

    Attributes:
        name: Of the part.
        content: The bytes; never in a ``repr``.
    """

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One call: with a JSON object, with a form and its file, or with neither.

    Attributes:
        method: The HTTP method.
        path: Below ``{endpoint}/face/{version}``.
        json: The JSON object, or None.
        form: The text parts of a multipart form, or None.
        file: Its file part, or None.
    """

    method: str
    path: str
    json: Mapping[str, object] | None = None
    form: Mapping[str, str] | None = None
    file: FilePart | None = None


def about_session(method: str, path: str, remote_id: str) -> WireRequest:
    """A call about one session: every version has it at the path of its kind, below its id.

    Raises:
        ValueError: *remote_id* is none that the service ever gave us.
    """
    if not REMOTE_ID.fullmatch(remote_id):
        raise ValueError("no session of the service has such an id")
    return WireRequest(method, f"{path}/{quote(remote_id, safe='')}")


def session_fields(request: FaceSessionRequest) -> dict[str, object]:
    """The fields that every version of the API knows, for both kinds of sessions.

    The device's id is the server's to choose, so that no client can reset the limits for it by
    naming another; the service takes it only with the flag being false.
    """
    return {
        "livenessOperationMode": request.mode.value,
        "deviceCorrelationIdSetInClient": False,
        "deviceCorrelationId": request.correlation_id,
        "authTokenTimeToLiveInSeconds": request.token_lifetime,
    }
