"""A Flask application on a real socket over the emulator, and its user in front of a camera."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Thread
from typing import TYPE_CHECKING, Any

import flask
import requests
from werkzeug.serving import make_server

from livegate import FROM_CLIENT, REQUIRED, Orchestrator, Purpose, ReferenceImage, Settings
from livegate_flask import Livegate
from mockface import LivenessDetectionError, Mockface, SimulatedClient
from mockface.images import portrait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from livegate import StartRequest
    from livegate.protocols import Notifier
    from mockface import ControlClient

KEY = "e2e-resource-key"
TIMEOUT = 30


def enrolled_portrait(request: StartRequest) -> ReferenceImage:
    """The portrait that the application has of its user."""
    return ReferenceImage(portrait(request.subject))


PURPOSES = (
    Purpose("default"),
    Purpose("sign-in"),
    Purpose("payout", reference_image=enrolled_portrait, transaction=REQUIRED),
    Purpose("unlock", reference_image=enrolled_portrait),
    Purpose("enrol", reference_image=FROM_CLIENT),
)


@dataclass
class Emulated:
    """An application with its own payouts, and the emulator of the service.

    Attributes:
        url: Of the application; the user is the one whom the header ``X-User`` names.
        paid: The payouts that the application has made.
    """

    mock: Mockface
    orchestrator: Orchestrator
    url: str
    api_version: str
    key: str
    paid: list[int] = field(default_factory=list)

    # --- what the front end sends to the application

    def call(
        self, method: str, path: str, user: str = "alice", **request: Any
    ) -> requests.Response:
        """Call the API of livegate."""
        headers = {"X-User": user, **request.pop("headers", {})}
        url = f"{self.url}/liveness{path}"
        return requests.request(method, url, headers=headers, timeout=TIMEOUT, **request)

    def start(self, purpose: str = "default", user: str = "alice", **fields: str) -> Any:
        """Start a session; returns the response's body."""
        response = self.call("POST", "/sessions", user, json={"purpose": purpose, **fields})
        assert response.status_code == 201, response.text
        return response.json()

    def finish(
        self, session_id: str, report: dict[str, str] | None = None, user: str = "alice"
    ) -> requests.Response:
        return self.call("POST", f"/sessions/{session_id}/finish", user, json=report or {})

    def read(self, session_id: str) -> Any:
        """Read a session after its poll interval; returns the response's body."""
        self.mock.clock.advance(self.orchestrator.runtime.settings.poll_interval)
        return self.call("GET", f"/sessions/{session_id}").json()

    def pay(self, number: int, session_id: str, user: str = "alice") -> requests.Response:
        """Call the application's own route that needs the verdict."""
        return requests.post(
            f"{self.url}/payouts/{number}",
            json={"sessionId": session_id},
            headers={"X-User": user},
            timeout=TIMEOUT,
        )

    # --- what happens in front of the camera

    def attempt(
        self, token: str, scenario: str | None = None, *, face: str | None = None, **options: Any
    ) -> dict[str, str]:
        """An attempt at the service; returns what the front end reports to the application.

        Args:
            token: Of the session.
            scenario: Of the emulator.
            face: The name of the person in front of the camera, or None for the right one.
        """
        client = SimulatedClient(
            endpoint=self.mock.url, api_version=self.api_version, scenario=scenario
        )
        content = None if face is None else portrait(face)
        try:
            return {"digest": client.start(token, content=content, **options).digest}
        except LivenessDetectionError as error:
            return {"clientError": error.liveness_error}

    def run_session(
        self,
        scenario: str | None = None,
        *,
        face: str | None = None,
        user: str = "alice",
        **start: str,
    ) -> Any:
        """A whole session; returns its public view."""
        started = self.start(user=user, **start)
        report = self.attempt(started["authToken"], scenario, face=face)
        response = self.finish(started["sessionId"], report, user)
        assert response.status_code == 200, response.text
        return response.json()

    # --- the service

    @property
    def control(self) -> ControlClient:
        """Controls the emulator, for the application's key."""
        return self.mock.control(self.key)


@contextmanager
def emulate(
    mock: Mockface,
    folder: Path,
    api_version: str = "v1.2",
    *,
    plugins: Iterable[object] = (),
    notifiers: Iterable[Notifier | str] = (),
    key: str = KEY,
    endpoint: str | None = None,
) -> Iterator[Emulated]:
    """An application with a SQLite file in *folder*, whose clock is that of *mock*."""
    settings = Settings(
        endpoint=f"{endpoint or mock.url}/",
        key=key,
        api_version=api_version,
        store=f"sqlite:///{folder}/sessions.sqlite",
        face_timeout=5,
        face_retries=0,
    )
    with Orchestrator(
        settings, purposes=PURPOSES, plugins=plugins, notifiers=notifiers, clock=clock_of(mock)
    ) as orchestrator:
        app = flask.Flask("emulated")
        site = Emulated(mock, orchestrator, "", api_version, key)
        Livegate(
            app, subject=lambda: flask.request.headers.get("X-User"), orchestrator=orchestrator
        )
        _add_payouts(app, site)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def clock_of(mock: Mockface) -> Callable[[], datetime]:
    """A clock that shows the time of *mock*, so that a test moves both."""
    return lambda: datetime.fromtimestamp(mock.clock.now(), UTC)


def _add_payouts(app: flask.Flask, site: Emulated) -> None:
    @app.post("/payouts/<int:number>")
    def pay_out(number: int) -> dict[str, int]:
        site.orchestrator.consume(
            flask.request.get_json()["sessionId"],
            subject=flask.request.headers["X-User"],
            purpose="payout",
            transaction=f"payout {number}",
        )
        site.paid.append(number)
        return {"paid": number}
