"""The request and the response that the endpoints speak of, and nothing of any framework."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from livegate.policies.reference_image import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_JSON: Final = 16 * 1024
"""Bytes of a JSON body."""
MAX_BODY: Final = MAX_BYTES + 64 * 1024
"""Bytes of any body: the largest reference image, and what a multipart form needs around it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What an adapter hands over; it has read the body, of at most :data:`MAX_BODY` bytes.

    Attributes:
        method: In capitals.
        path: Below the prefix, decoded, with a slash at its beginning: ``/sessions``.
        base: The prefix as the client has it, with no slash at its end, for ``Location``.
        headers: By their names in lower case.
        query: The parameters, in their order, decoded.
        body: The body, unless it was a multipart form.
        form: The text parts of a multipart form, None if it was none.
        files: The file parts of a multipart form.
    """

    method: str
    path: str
    base: str
    headers: Mapping[str, str] = field(repr=False)
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    form: tuple[tuple[str, str], ...] | None = None
    files: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in lower case; empty if there is none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Response:
    """What an adapter sends.

    Attributes:
        status: The HTTP status.
        headers: Each name once.
        body: May be empty.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


COMMON_HEADERS: Final = {
    # A token and a verdict are for the one who asked, now.
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}


def answer(
    status: int,
    content: Any = None,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """A response with *content* as JSON, or with no body when there is none."""
    common = dict(COMMON_HEADERS)
    if content is not None:
        common["Content-Type"] = media_type
    body = b"" if content is None else json.dumps(content, separators=(",", ":")).encode()
    return Response(status, {**common, **(headers or {})}, body)
