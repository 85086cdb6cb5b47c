"""A Flask application over the emulator: the whole path, with real HTTP to the service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import flask

from forms import form
from livegate import Orchestrator, Settings
from livegate.orchestrator import utc_now
from livegate_flask import Livegate
from mockface import LivenessDetectionError, Mockface, SimulatedClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from mockface import ControlClient

KEY = "e2e-resource-key"


@dataclass
class Emulated:
    """An application, the emulator, and a person before the camera."""

    mock: Mockface
    app: flask.Flask
    orchestrator: Orchestrator
    api_version: str
    key: str = KEY

    def call(self, method: str, path: str, user: str = "alice", **request: Any) -> Any:
        headers = {"X-User": user, **request.pop("headers", {})}
        return self.app.test_client().open(
            f"/liveness{path}", method=method, headers=headers, **request
        )

    def start(self, image: bytes | None = None) -> dict[str, Any]:
        answer = self.call(
            "POST", "/sessions", **(form(("referenceImage", image)) if image else {"json": {}})
        )
        assert answer.status_code == 201, answer.data
        started: dict[str, Any] = answer.json
        return started

    def attempt(self, token: str, outcome: str | None = None) -> dict[str, str]:
        """What the front end reports after its attempt."""
        client = SimulatedClient(
            endpoint=self.mock.url, api_version=self.api_version, scenario=outcome
        )
        try:
            return {"digest": client.start(token).digest}
        except LivenessDetectionError as error:
            return {"clientError": error.liveness_error}

    def finish(self, session_id: str, report: dict[str, str] | None = None) -> Any:
        return self.call("POST", f"/sessions/{session_id}/finish", json=report or {})

    def live(self, outcome: str, image: bytes | None = None) -> dict[str, Any]:
        """A whole session."""
        started = self.start(image)
        answer = self.finish(started["sessionId"], self.attempt(started["authToken"], outcome))
        assert answer.status_code == 200, answer.data
        view: dict[str, Any] = answer.json
        return view

    @property
    def hand(self) -> ControlClient:
        """A hand on the service's side."""
        return self.mock.control(self.key)


def emulate(
    mock: Mockface,
    folder: Path,
    api_version: str,
    *,
    clock: Callable[[], datetime] = utc_now,
    plugins: Iterable[object] = (),
    key: str = KEY,
    endpoint: str | None = None,
) -> Emulated:
    """An application with a SQLite file in *folder*, pointed at *mock*."""
    settings = Settings(
        endpoint=f"{endpoint or mock.url}/",
        key=key,
        api_version=api_version,
        store=f"sqlite:///{folder}/sessions.sqlite",
        face_timeout=5,
        face_retries=0,
    )
    orchestrator = Orchestrator(settings, plugins=plugins, clock=clock)
    app = flask.Flask("emulated")
    Livegate(app, subject=lambda: flask.request.headers.get("X-User"), orchestrator=orchestrator)
    return Emulated(mock, app, orchestrator, api_version, key)
