"""The HTTP API, for adapters to any web framework.

An adapter makes a :class:`Request` of its framework's own, hands it to :func:`handle` with the
orchestrator's ``runtime`` and the subject (a sync adapter through :func:`run_sync`), and sends the
:class:`Response` as it is. Which paths there are, what a body may be and how an error looks is
decided here. An adapter registers all methods of its prefix and of everything below it; where the
prefix is empty, of :data:`ROOTS` and of everything below them, so that other paths stay the
application's own.
"""

from livegate._sync import run_sync
from livegate.http._binding import Options, make_orchestrator, normalize_prefix, require_callable
from livegate.http._handler import handle
from livegate.http._problems import problem_response
from livegate.http._table import OPERATIONS, ROUTES
from livegate.http.types import Headers, Request, Response

ROOTS = ROUTES.roots
"""What every path begins with: ``/sessions`` and ``/openapi.json``."""

__all__ = [
    "OPERATIONS",
    "ROOTS",
    "Headers",
    "Options",
    "Request",
    "Response",
    "handle",
    "make_orchestrator",
    "normalize_prefix",
    "problem_response",
    "require_callable",
    "run_sync",
]
