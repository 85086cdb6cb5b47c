"""The page at `/_mock/ui`: sessions, journal, clock and faults, for a person to look at.

It is one file that loads nothing from elsewhere, and does only what the control API offers.
"""

from __future__ import annotations

from importlib.resources import files

from mockface.wire import Response

_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


def page() -> Response:
    """The page."""
    return Response(
        200, files("mockface.control").joinpath("dashboard.html").read_bytes(), dict(_HEADERS)
    )
