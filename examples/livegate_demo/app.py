"""The demo application: Flask with livegate, a sign-in and a payout that needs a fresh verdict.

With ``VISION_ENDPOINT`` and ``VISION_KEY`` of a Face resource it uses Azure; ``livegate demo``
connects it to the emulator. Signing in is a form without a password: this is a demo.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

import flask
import waitress  # type: ignore[import-untyped]

from livegate import REQUIRED, Purpose, ReferenceImage, StartRequest
from livegate_flask import Livegate

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def portrait_of(request: StartRequest) -> ReferenceImage | None:
    """The portrait of the user, from when they were enrolled: ``DEMO_PORTRAITS/alice.jpg``."""
    folder = Path(os.environ.get("DEMO_PORTRAITS", "portraits"))
    found = [path for path in folder.glob("*") if path.stem == request.subject]
    return ReferenceImage(found[0].read_bytes()) if found else None


PURPOSES = (
    Purpose("sign-in"),
    Purpose("payout", reference_image=portrait_of, transaction=REQUIRED),
)


def create_app() -> flask.Flask:
    """The application, configured from the environment."""
    app = flask.Flask(__name__)
    app.config["SECRET_KEY"] = secrets.token_hex()
    app.config["SESSION_COOKIE_SAMESITE"] = "Lax"
    app.config["LIVEGATE_STORE"] = os.environ.get("LIVEGATE_STORE", "sqlite:///livegate.sqlite")
    app.config.from_prefixed_env()
    gate = Livegate(app, subject=lambda: flask.session.get("user"), purposes=PURPOSES)

    @app.get("/")
    def page() -> str:
        return flask.render_template(
            "page.html", user=flask.session.get("user"), emulator=_emulator()
        )

    @app.post("/sign-in")
    def sign_in() -> flask.typing.ResponseReturnValue:
        flask.session["user"] = flask.request.form["user"]
        return flask.redirect("/")

    @app.post("/sign-in/confirm")
    def confirm() -> flask.typing.ResponseReturnValue:
        use_verdict("sign-in")
        flask.session["confirmed"] = True
        return {"signedIn": True}

    @app.post("/payouts/<int:number>")
    def pay_out(number: int) -> flask.typing.ResponseReturnValue:
        use_verdict("payout", f"payout {number}")
        # Here an application pays, and records it: a second verdict must not pay a second time.
        return {"paid": number}

    def use_verdict(purpose: str, transaction: str | None = None) -> None:
        """Go on only with the user's own fresh verdict, made for exactly this, once.

        What it raises otherwise becomes a response with the error's status and code.
        """
        gate.orchestrator.consume(
            str(flask.request.get_json()["sessionId"]),
            subject=flask.session.get("user", ""),
            purpose=purpose,
            transaction=transaction,
        )

    return app


def _emulator() -> str:
    """Where the emulator is, for the page's simulated camera; empty for the real service."""
    endpoint = os.environ.get("VISION_ENDPOINT", "")
    return endpoint if urlsplit(endpoint).hostname in LOOPBACK else ""


def main() -> None:
    """Serve the application on a free port of this machine, and print its URL."""
    server = waitress.create_server(create_app(), host="127.0.0.1", port=0, threads=8)
    print(f"listening on http://127.0.0.1:{server.effective_port}", flush=True)  # noqa: T201
    server.run()


if __name__ == "__main__":
    main()
