"""The Flask application: a route for each operation, over `mockface.service`."""

from __future__ import annotations

import re
from time import sleep
from typing import TYPE_CHECKING

from mockface.extras import needs

with needs("mock"):
    import flask
    from werkzeug.exceptions import ClientDisconnected, HTTPException

    from mockface.server import Mockface

from mockface.control.order import PREFIX
from mockface.operations import OPERATIONS
from mockface.wire import MOST_BODY_BYTES, WHOLE, Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.sansio.blueprints import BlueprintSetupState

_NO_CONTENT = 204
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
_PARAMETER = re.compile(r"\{(\w+)\}")


def create_app(mock: Mockface | None = None) -> flask.Flask:
    """Makes the application, for any WSGI host and for `flask --app mockface run`.

    Args:
        mock: The emulator that answers; by default a new one that accepts any resource key.

    Returns:
        A WSGI application. A delay holds the thread that answers; `mockface serve` has timers.
    """
    app = flask.Flask("mockface", static_folder=None)
    app.url_map.merge_slashes = False  # no redirect of Flask's own
    views = _Views(mock or Mockface())
    app.register_blueprint(views.blueprint())
    # Whatever has no route is answered by the emulator too: an unknown method, a line break.
    app.register_error_handler(HTTPException, lambda _: views.answer())
    return app


def create_blueprint(mock: Mockface | None = None) -> flask.Blueprint:
    """Makes a blueprint, to be registered in another application, with a prefix if you like.

    Args:
        mock: See `create_app`. One blueprint is registered once.
    """
    return _Views(mock or Mockface()).blueprint()


class _Views:
    """Answers with an emulator.

    Args:
        mock: The emulator.
    """

    def __init__(self, mock: Mockface) -> None:
        self._service = mock.service
        self._prefix = ""

    def blueprint(self) -> flask.Blueprint:
        """A route for each operation, one for the control API, and one for all else.

        Other spellings of a path, newer versions and unknown operations take the last.
        """
        made = flask.Blueprint("mockface", "mockface")
        made.record(self._register)
        for each in OPERATIONS:
            rule = _PARAMETER.sub(r"<\1>", f"/face/{each.version}{each.path}")
            name = f"{each.name}@{each.version.replace('.', '_')}"
            made.add_url_rule(
                rule, name, self.answer, methods=[each.method], provide_automatic_options=False
            )
        for name, rule in {
            "control": f"{PREFIX}/<path:call>",
            "root": "/",
            "other": "/<path:path>",
        }.items():
            made.add_url_rule(
                rule, name, self.answer, methods=_METHODS, provide_automatic_options=False
            )
        return made

    def answer(self, **_: str) -> flask.Response:
        """Answers the request that Flask is working on."""
        response = self._service.handle(_request(self._prefix))
        if response.delay:
            sleep(response.delay)
        return _response(response)

    def _register(self, state: BlueprintSetupState) -> None:
        self._prefix = (state.url_prefix or "").rstrip("/")


def _request(prefix: str) -> Request:
    request = flask.request
    try:
        body = request.stream.read(MOST_BODY_BYTES + 1)
    except ClientDisconnected:
        body = b""  # nobody is left to read the answer
    host = request.environ.get("HTTP_HOST") or request.host
    return Request(
        method=request.method,
        path=request.path.removeprefix(prefix) or "/",
        query=request.query_string.decode("latin-1"),
        headers={name.lower(): value for name, value in request.headers},
        body=body,
        origin=f"{request.scheme}://{host}{request.root_path}{prefix}",
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
