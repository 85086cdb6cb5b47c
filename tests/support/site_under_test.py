"""Applications of each framework, and servers for them, in threads of the test."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

import flask
from werkzeug.serving import make_server

from livegate.testing.adapter_contract import Backend
from livegate_flask import Livegate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from livegate import Orchestrator

PREFIX = "/liveness"


def flask_site(orchestrator: Orchestrator, prefix: str = PREFIX) -> flask.Flask:
    """An application; the user is who the header ``X-User`` names."""
    app = flask.Flask("site")
    Livegate(
        app,
        subject=lambda: flask.request.headers.get("X-User"),
        url_prefix=prefix,
        orchestrator=orchestrator,
    )
    return app


@contextmanager
def werkzeug_server(app: flask.Flask) -> Iterator[str]:
    """Serve *app* with the development server; its URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def gunicorn_site() -> flask.Flask:
    """An application with a backend of its own, for a server in another process."""
    return flask_site(Backend().orchestrator)
