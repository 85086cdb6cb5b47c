"""GetSessionImage: the picture that a session kept of an attempt. Not in v1.1-preview.1."""

from __future__ import annotations

from mockface.dialects.routes import Call, Route
from mockface.sessions import session_images
from mockface.wire import Response

STREAM = "application/octet-stream"


def session_image(call: Call) -> Response:
    """GetSessionImage; the picture lives as long as its session."""
    session, attempt = call.tenant.session_image(call.session_id)
    return Response(200, session_images.draw(session, attempt), {"Content-Type": STREAM})


def _route(base: str) -> Route:
    return Route(
        "session-image",
        "GET",
        f"{base}/{{sessionImageId}}",
        session_image,
        operation="GetSessionImage",
        gives="bytes",
    )


PREVIEW_ROUTES = (_route("/session/sessionImages"),)
"""Of v1.2-preview.1."""

ROUTES = (_route("/sessionImages"),)
"""Of v1.2 and v1.3-preview.1."""
