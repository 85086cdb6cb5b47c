"""A Flask application as a server loads it, also before it forks: it has called the service."""

from __future__ import annotations

import os

import flask

from livegate import StartRequest
from livegate_flask import Livegate

app = flask.Flask("forking")
gate = Livegate(app, subject=lambda: flask.request.headers.get("X-User"))

if os.environ.get("CALL_FIRST"):
    # What is opened by this call must not be used by the workers.
    app.extensions["livegate"].start(StartRequest("the-parent"))


@app.get("/")
def index() -> str:
    return "ready"


@app.after_request
def say_which_process(response: flask.Response) -> flask.Response:
    response.headers["X-Process"] = str(os.getpid())
    return response
