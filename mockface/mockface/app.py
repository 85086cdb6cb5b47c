"""The Flask application: one function that answers everything, over `mockface.service`."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING

from mockface.extras import needs

with needs("mock"):
    import flask
    from werkzeug.exceptions import ClientDisconnected

    from mockface.engine import Engine
    from mockface.service import Service

from mockface.wire import MOST_BODY_BYTES, WHOLE, Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

_NO_CONTENT = 204


def create_app(service: Service | None = None) -> flask.Flask:
    """Makes the application.

    Args:
        service: What answers; by default a new one that accepts any resource key.

    Returns:
        A WSGI application for any server that reads the whole body before it answers.
    """
    served = service or Service(Engine())
    app = flask.Flask("mockface", static_folder=None)

    # Before the routing, so that no method and no path gets an answer of Flask's own.
    @app.before_request
    def answer() -> flask.Response:
        response = served.handle(_request())
        if response.delay:
            sleep(response.delay)
        return _response(response)

    return app


def _request() -> Request:
    request = flask.request
    try:
        body = request.stream.read(MOST_BODY_BYTES + 1)
    except ClientDisconnected:
        body = b""  # nobody is left to read the answer
    return Request(
        method=request.method,
        path=request.path,
        query=request.query_string.decode("latin-1"),
        headers={name.lower(): value for name, value in request.headers},
        body=body,
        origin=f"{request.scheme}://{request.environ.get('HTTP_HOST') or request.host}",
        peer=request.remote_addr or "",
    )


def _response(response: Response) -> flask.Response:
    body = response.body if response.delivery is WHOLE else _delivered(response)
    made = flask.Response(body, response.status, response.headers.items())
    if "Content-Type" not in response.headers:
        del made.headers["Content-Type"]
    if response.status != _NO_CONTENT:
        made.headers["Content-Length"] = str(len(response.body))
    return made


def _delivered(response: Response) -> Iterator[bytes]:
    """The body as it is to arrive; WSGI has no reset, so that is a body of which nothing comes."""
    for wait, piece in response.pieces():
        if wait:
            sleep(wait)
        yield piece
