"""What is killed in the storm: a web process, or a worker, by its first argument."""

from __future__ import annotations

import json
import os
import sys
import time

import flask
import waitress  # type: ignore[import-untyped]

from livegate import CallbackNotifier, Orchestrator, Purpose, SessionEvent, Settings
from livegate_flask import Livegate

PURPOSE = Purpose("payout", max_retries=0)


def write_event(event: SessionEvent) -> None:
    """Append one line, in one call, so that lines of two processes never mix."""
    line = {
        "session": event.session_id,
        "sequence": event.sequence,
        "id": event.id,
        "name": event.name,
        "state": event.state.value,
    }
    handle = os.open(os.environ["STORM_EVENTS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(handle, json.dumps(line).encode() + b"\n")
    finally:
        os.close(handle)


def orchestrator() -> Orchestrator:
    return Orchestrator(
        Settings.from_env(),
        purposes=[PURPOSE],
        notifiers=[CallbackNotifier("file", write_event)],
    )


def web(port: int) -> None:
    app = flask.Flask("storm")
    gate = Livegate(
        app,
        subject=lambda: flask.request.headers.get("X-User"),
        orchestrator=orchestrator(),
    )

    @app.post("/pay/<session_id>")
    def pay(session_id: str) -> dict[str, str]:
        gate.orchestrator.consume(
            session_id, subject=flask.request.headers["X-User"], purpose=PURPOSE.name
        )
        return {"paid": session_id}

    waitress.serve(app, host="127.0.0.1", port=port, threads=8)


def work() -> None:
    with orchestrator() as gate:
        while True:
            gate.sweep()
            time.sleep(0.1)


if __name__ == "__main__":
    web(int(sys.argv[2])) if sys.argv[1] == "web" else work()
