"""The demo application: a small Flask application with livegate in it.

With ``VISION_ENDPOINT`` and ``VISION_KEY`` of a Face resource it talks to Azure; ``livegate demo``
points it at the emulator. Signing in is a form without a password: this is a demo.
"""

from __future__ import annotations

import os
import secrets
from urllib.parse import urlsplit

import flask
import waitress  # type: ignore[import-untyped]

from livegate_flask import Livegate

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def create_app() -> flask.Flask:
    """The application, configured from the environment."""
    app = flask.Flask(__name__)
    app.config["SECRET_KEY"] = secrets.token_hex()
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config["LIVEGATE_STORE"] = os.environ.get("LIVEGATE_STORE", "sqlite:///livegate.sqlite")
    app.config.from_prefixed_env()
    gate = Livegate(app, subject=lambda: flask.session.get("user"))

    @app.get("/")
    def page() -> str:
        return flask.render_template(
            "page.html", user=flask.session.get("user"), emulator=_emulator()
        )

    @app.post("/sign-in")
    def sign_in() -> flask.typing.ResponseReturnValue:
        flask.session["user"] = flask.request.form["user"]
        return flask.redirect("/")

    @app.post("/enter/<session_id>")
    def enter(session_id: str) -> flask.typing.ResponseReturnValue:
        """What the verdict is for: it opens this door once, for the one who earned it."""
        session = gate.orchestrator.consume(
            session_id, subject=flask.session.get("user", ""), purpose="enter"
        )
        return {"open": session.state == "passed"}

    return app


def _emulator() -> str:
    """Where the emulator is, for the page's simulated camera; empty when it is the real service."""
    endpoint = os.environ.get("VISION_ENDPOINT", "")
    return endpoint if urlsplit(endpoint).hostname in LOOPBACK else ""


def main() -> None:
    """Serve the application on a free port of this machine, and say where."""
    server = waitress.create_server(create_app(), host="127.0.0.1", port=0, threads=8)
    print(f"listening on http://127.0.0.1:{server.effective_port}", flush=True)  # noqa: T201
    server.run()


if __name__ == "__main__":
    main()
