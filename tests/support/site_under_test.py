"""An application of each framework, over a scripted service, called without a socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import flask

from livegate import Orchestrator, Settings
from livegate.stores.memory import MemoryStore
from livegate.testing.doubles import ManualClock, ScriptedFace
from livegate_flask import Livegate


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        import json

        return json.loads(self.body)


@dataclass
class Site:
    """An application, and what stands behind it; the user is who the header ``X-User`` names."""

    settings: Settings = field(default_factory=Settings)
    face: ScriptedFace = field(default_factory=ScriptedFace)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.orchestrator = Orchestrator(
            self.settings, face=self.face, store=MemoryStore(), clock=self.clock
        )
        app = flask.Flask("site")
        Livegate(
            app,
            subject=lambda: flask.request.headers.get("X-User"),
            url_prefix="/liveness",
            orchestrator=self.orchestrator,
        )
        self.app = app

    def call(self, method: str, path: str, *, user: str | None = "alice", **request: Any) -> Answer:
        headers = {**request.pop("headers", {}), **({"X-User": user} if user else {})}
        answer = self.app.test_client().open(
            f"/liveness{path}", method=method, headers=headers, **request
        )
        return Answer(answer.status_code, answer.headers, answer.data)

    def start(self, user: str = "alice", **request: Any) -> Any:
        answer = self.call("POST", "/sessions", user=user, json={}, **request)
        assert answer.status == 201, answer.body
        return answer.json
