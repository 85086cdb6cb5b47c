"""GetSessionImage: the picture that a session kept of an attempt. Not in v1.1-preview.1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockface.sessions import session_images
from mockface.wire import Response

if TYPE_CHECKING:
    from mockface.operations import Call

STREAM = "application/octet-stream"


def session_image(call: Call) -> Response:
    """GetSessionImage; the picture lives as long as its session."""
    session, attempt = call.tenant.session_image(call.session_id)
    return Response(200, session_images.draw(session, attempt), {"Content-Type": STREAM})
