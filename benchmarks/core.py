"""The toolkit beside the bare structure: `python -m benchmarks.core` writes `results/core.json`
and the table in `docs/performance.md`.

Every figure is a ratio of two medians of one run: both are measured in turns, a round each, so that
what else the machine does is the same for both.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import flask
from azure.ai.vision.face import FaceSessionClient
from azure.core.credentials import AzureKeyCredential
from azure.core.rest import HttpRequest

from benchmarks.slow_service import slow_service
from livegate import AsyncOrchestrator, Orchestrator, Settings, StartRequest
from livegate.protocols import Record
from livegate.stores.sqlite import GET, SAVE, SqliteStore
from livegate.testing import FakeFaceService
from livegate_flask import Livegate
from mockface import SimulatedClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RESULTS = Path(__file__).parent / "results" / "core.json"
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
MARKER = "<!-- made by benchmarks/core.py -->"
KEY = "benchmark-key"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROUNDS = 30


@dataclass(frozen=True)
class Figure:
    """One comparison.

    Attributes:
        name: What is compared with what.
        bar: What the ratio has to be: ``at most`` or ``at least``, and a number.
        ours: Median seconds of one call.
        bare: The same, of the bare structure.
        ratio: As the bar means it.
    """

    name: str
    bar: str
    ours: float
    bare: float
    ratio: float

    @property
    def holds(self) -> bool:
        """Whether the ratio is what the bar wants."""
        word, limit = self.bar.rsplit(maxsplit=1)
        return self.ratio <= float(limit) if word == "at most" else self.ratio >= float(limit)


def load() -> tuple[str, list[Figure]]:
    """The machine and the figures of the committed run."""
    content = json.loads(RESULTS.read_text())
    return content["machine"], [Figure(**each) for each in content["figures"]]


def table() -> str:
    """The figures as a table for the page."""
    machine, figures = load()
    rows = ["| what | measured | bar |", "|---|---|---|"]
    rows += [f"| {each.name} | {each.ratio:.2f} | {each.bar} |" for each in figures]
    return "\n".join([f"Measured on {machine}.", "", *rows])


def main() -> None:
    """Measure everything, and write it down."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        figures = [
            *sqlite_figures(path),
            claim_figure(path),
            flask_figure(),
            session_figure(path),
            import_figure(),
            waiting_figure(path),
        ]
    python = platform.python_version()
    content = {
        "machine": f"{os.cpu_count()} cores, {platform.system()}, Python {python}",
        "figures": [vars(figure) for figure in figures],
    }
    RESULTS.write_text(json.dumps(content, indent=2) + "\n")
    for figure in figures:
        print(f"{figure.name:80} {figure.ratio:8.2f}   ({figure.bar})")
    page = PAGE.read_text()
    begin = page.index(MARKER) + len(MARKER)
    PAGE.write_text(f"{page[:begin]}\n{table()}\n")


def in_turns(
    ours: Callable[[], object], bare: Callable[[], object], calls: int, rounds: int = ROUNDS
) -> tuple[float, float]:
    """The median seconds of a call of each, over rounds that take turns."""
    samples: tuple[list[float], list[float]] = ([], [])
    for function in (ours, bare):
        function()
    for _ in range(rounds):
        for function, times in zip((ours, bare), samples, strict=True):
            begin = time.perf_counter()
            for _ in range(calls):
                function()
            times.append((time.perf_counter() - begin) / calls)
    return statistics.median(samples[0]), statistics.median(samples[1])


def a_record(name: str = "session-1", **changes: Any) -> Record:
    """A record with a body of the usual size."""
    record = Record(
        name, "alice", None, "ready", "present", "sign-in", NOW, NOW, NOW, 1, b"x" * 900
    )
    return replace(record, **changes)


def sqlite_figures(folder: Path) -> list[Figure]:
    """One record, read and saved: through the store, and with its statements on one connection."""
    store = SqliteStore(folder / "get.db")
    record = a_record()
    store.insert(record)
    connection = sqlite3.connect(folder / "get.db", isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    ours, bare = in_turns(
        lambda: store.get("session-1"),
        lambda: connection.execute(GET, ("session-1",)).fetchone(),
        calls=1000,
    )
    get = Figure("SQLite get / the bare SELECT", "at most 3", ours, bare, ours / bare)

    versions = {"ours": 1, "bare": 1}
    store.insert(a_record("session-2"))
    values: dict[str, Any] = {
        "id": "session-2",
        "subject": "alice",
        "key": None,
        "state": "ready",
        "remote": "present",
        "purpose": "sign-in",
        "created_at": (NOW - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1),
        "updated_at": 0,
        "due_at": 0,
        "body": record.body,
        "purgeable_at": None,
        "events_since": None,
    }

    def save() -> None:
        versions["ours"] += 1
        store.save(replace(record, version=versions["ours"]), versions["ours"] - 1)

    def save_bare() -> None:
        versions["bare"] += 1
        row = values | {"version": versions["bare"]}
        assert connection.execute(SAVE, row).rowcount == 1

    ours, bare = in_turns(save, save_bare, calls=20)
    store.close()
    connection.close()
    return [get, Figure("SQLite save / the bare UPDATE", "at most 2", ours, bare, ours / bare)]


def claim_figure(folder: Path) -> Figure:
    """A claim that finds one due session behind many leased ones, and behind few."""
    stores = {}
    for count in (20_000, 100):
        store = stores[count] = SqliteStore(folder / f"claim{count}.db", synchronous="normal")
        for number in range(count):
            store.insert(a_record(f"session-{number}"))
        while store.claim(NOW, 1000, timedelta(days=1)):
            pass
        store.insert(a_record("due"))

    def claim(store: SqliteStore) -> None:
        (found,) = store.claim(NOW, 1, timedelta(minutes=1))
        store.release(found)

    many, few = in_turns(lambda: claim(stores[20_000]), lambda: claim(stores[100]), calls=100)
    for store in stores.values():
        store.close()
    return Figure(
        "claim behind 20,000 leased sessions / behind 100", "at most 1.5", many, few, many / few
    )


def flask_figure() -> Figure:
    """GET of a session through Flask, in process, beside a bare view with the same response."""
    app = flask.Flask("benchmark")
    gate = Orchestrator(Settings(), face=FakeFaceService(), store="memory://")
    Livegate(app, subject=lambda: "alice", orchestrator=gate)
    session = gate.start(StartRequest("alice")).session
    content: dict[str, bytes] = {}

    @app.get("/bare")
    def bare() -> flask.Response:
        return flask.Response(
            content["body"], headers={"Cache-Control": "no-store"}, mimetype="application/json"
        )

    client = app.test_client()
    path = f"/liveness/sessions/{session.id}"
    content["body"] = client.get(path).get_data()
    ours, without = in_turns(lambda: client.get(path), lambda: client.get("/bare"), calls=100)
    return Figure(
        "GET of a session through Flask: bare view / ours",
        "at least 0.7",
        ours,
        without,
        without / ours,
    )


def session_figure(folder: Path) -> Figure:
    """A whole session with SQLite, beside the plain client's calls and as many bare commits.

    They are five: the intent, the creation, the report, the verdict, the deletion.
    """
    commits = sqlite3.connect(folder / "bare.db", isolation_level=None)
    commits.execute("PRAGMA journal_mode = WAL")
    commits.execute("PRAGMA synchronous = FULL")
    commits.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)")
    samples: tuple[list[float], list[float]] = ([], [])
    with emulator() as url:
        settings = Settings(endpoint=url, key=KEY, store=f"sqlite:///{folder}/whole.db")
        client = FaceSessionClient(url, AzureKeyCredential(KEY), api_version="v1.2")
        camera = SimulatedClient()
        sessions = "/detectLiveness-sessions"
        fields = {"livenessOperationMode": "PassiveActive", "deviceCorrelationId": "device"}

        def commit() -> None:
            commits.execute("INSERT INTO t (body) VALUES (?)", (b"x" * 900,))

        def call(method: str, path: str, **arguments: Any) -> Any:
            response = client.send_request(HttpRequest(method, path, **arguments))
            response.raise_for_status()
            return response.json() if response.content else None

        with Orchestrator(settings) as gate, client:
            for _ in range(100):
                begin = time.perf_counter()
                started = gate.start(StartRequest("alice"))
                spent = time.perf_counter() - begin
                digest = camera.start(started.auth_token).digest
                begin = time.perf_counter()
                session = gate.finish(started.session.id, subject="alice", digest=digest)
                samples[0].append(spent + time.perf_counter() - begin)
                assert (session.state, session.remote) == ("passed", "deleted")

                begin = time.perf_counter()
                commit()
                created = call("POST", sessions, json=fields)
                commit()
                spent = time.perf_counter() - begin
                camera.start(created["authToken"])
                begin = time.perf_counter()
                commit()
                call("GET", f"{sessions}/{created['sessionId']}")
                commit()
                call("DELETE", f"{sessions}/{created['sessionId']}")
                commit()
                samples[1].append(spent + time.perf_counter() - begin)
    commits.close()
    ours, bare = map(statistics.median, samples)
    return Figure(
        "a whole session with SQLite / the plain client's calls and as many bare commits",
        "at most 1.5",
        ours,
        bare,
        ours / bare,
    )


@contextmanager
def emulator() -> Iterator[str]:
    """mockface in a process of its own, and its URL."""
    command = [sys.executable, "-m", "mockface", "serve", "--port", "0", "--key", KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def import_figure() -> Figure:
    """``import livegate`` in a new interpreter, beside an interpreter that imports nothing."""

    def run(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True)

    ours, bare = in_turns(run("import livegate"), run("pass"), calls=1, rounds=20)
    return Figure(
        "import livegate: ms over a bare interpreter",
        "at most 50",
        ours,
        bare,
        (ours - bare) * 1000,
    )


def waiting_figure(folder: Path) -> Figure:
    """Reads of one session while 2,000 others wait for the service, and while none does."""

    async def run(endpoint: str) -> tuple[float, float]:
        settings = Settings(endpoint=endpoint, key="key", store=f"sqlite:///{folder}/waiting.db")
        async with AsyncOrchestrator(settings) as gate:
            session = (await gate.start(StartRequest("reader"))).session

            async def read() -> float:
                begin = time.perf_counter()
                await gate.get(session.id, subject="reader")
                spent = time.perf_counter() - begin
                await asyncio.sleep(0.01)
                return spent

            alone = [await read() for _ in range(200)]
            starts = [gate.start(StartRequest(f"user-{number}")) for number in range(2_000)]
            waiting = asyncio.gather(*starts)
            beside = []
            while not waiting.done():
                beside.append(await read())
            await waiting
            return statistics.median(beside), statistics.median(alone)

    with slow_service(2) as endpoint:
        ours, bare = asyncio.run(run(endpoint))
    return Figure(
        "a read while 2,000 sessions wait for the service: ms, median",
        "at most 20",
        ours,
        bare,
        ours * 1000,
    )


if __name__ == "__main__":
    main()
