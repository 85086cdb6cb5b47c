"""What is Flask's own in the adapter: configuration, who is signed in, own views, commands."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import flask
import pytest

from livegate import Orchestrator, Purpose, Settings, StartRequest
from livegate.errors import ConfigurationError, StoreError
from livegate.hooks import hookimpl
from livegate.stores.memory import MemoryStore
from livegate.testing import FakeFaceService, ManualClock
from livegate.testing.adapter_contract import Backend
from livegate.testing.adapter_suite.backend import DIGEST, JPEG, REAL
from livegate.testing.adapter_suite.http1 import form_body, form_type
from livegate_flask import Livegate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENDPOINT = "https://me.cognitiveservices.azure.com/"
SERVICE = {"VISION_ENDPOINT": ENDPOINT, "VISION_KEY": "key"}


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def orchestrator(backend: Backend) -> Any:
    return backend.orchestrator


def alice() -> str:
    return "alice"


def post(app: flask.Flask, path: str = "/liveness/sessions", **more: Any) -> Any:
    return app.test_client().post(path, **({} if "data" in more else {"json": {}}), **more)


# --- configuration ----------------------------------------------------------------------------


def test_configuration_of_the_application_goes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIVEGATE_TOKEN_LIFETIME", "120")
    monkeypatch.setenv("LIVEGATE_POLL_INTERVAL", "9")
    app = flask.Flask("configured")
    app.config.update(
        SERVICE, LIVEGATE_STORE=f"sqlite:///{tmp_path}/s.sqlite", LIVEGATE_TOKEN_LIFETIME=60
    )
    gate = Livegate(app, subject=alice)

    with app.app_context():
        settings = gate.orchestrator.runtime.settings
        gate.orchestrator.close()
    assert (settings.endpoint, settings.token_lifetime) == (ENDPOINT.rstrip("/"), 60)
    assert settings.poll_interval == 9


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({}, "VISION_ENDPOINT"),
        ({"VISION_ENDPOINT": ENDPOINT}, "VISION_KEY"),
        (SERVICE, "LIVEGATE_STORE"),
        ({"LIVEGATE_STOER": "memory://"}, "LIVEGATE_STORE"),
        ({**SERVICE, "LIVEGATE_STORE": "sqlite:////no/such/folder/s.sqlite"}, "/no/such/folder"),
    ],
)
def test_missing_setting_is_reported_when_the_application_starts(
    monkeypatch: pytest.MonkeyPatch, config: dict[str, str], named: str
) -> None:
    for name in ("VISION_ENDPOINT", "VISION_KEY", "LIVEGATE_STORE"):
        monkeypatch.delenv(name, raising=False)
    app = flask.Flask("unfinished")
    app.config.update(config)

    with pytest.raises(ConfigurationError, match=named):
        Livegate(app, subject=alice)


def test_arguments_reach_the_orchestrator() -> None:
    clock = ManualClock()

    class Policy:
        """A plugin."""

        @hookimpl
        def before_start(self, request: StartRequest) -> None:
            """Let everything pass."""

    app = flask.Flask("with arguments")
    gate = Livegate(
        app,
        subject=alice,
        face=FakeFaceService(),
        store=MemoryStore(),
        purposes=[Purpose("sign-in")],
        plugins=[Policy()],
        notifiers=["log://"],
        clock=clock,
    )

    with app.app_context():
        runtime = gate.orchestrator.runtime
    assert [purpose.name for purpose in runtime.purposes] == ["sign-in"]
    assert "policy" in runtime.plugins.names()
    assert [notifier.name for notifier in runtime.notifiers] == ["log"]
    assert runtime.now() == clock.now


def test_init_app_takes_a_clock_for_one_application() -> None:
    clock = ManualClock()
    gate = Livegate(
        subject=alice,
        face=FakeFaceService(),
        store=MemoryStore(),
        clock=lambda: datetime(2020, 1, 1, tzinfo=UTC),
    )
    app, other = flask.Flask("tested"), flask.Flask("other")

    gate.init_app(app, clock=clock)
    gate.init_app(other)

    with app.app_context():
        assert gate.orchestrator.runtime.now() == clock.now
    with other.app_context():
        assert gate.orchestrator.runtime.now().year == 2020


def test_init_app_takes_an_orchestrator_in_place_of_all_options(
    orchestrator: Orchestrator,
) -> None:
    app = flask.Flask("tested")
    gate = Livegate(subject=alice, purposes=[Purpose("payout")])

    gate.init_app(app, orchestrator=orchestrator)

    assert post(app).status_code == 201
    assert orchestrator.find(subject="alice").sessions


def test_one_object_serves_several_applications() -> None:
    gate = Livegate(subject=alice)
    apps = [flask.Flask(name) for name in ("one", "two")]
    for app in apps:
        app.config.update(SERVICE, LIVEGATE_STORE="memory://")
        gate.init_app(app)

    seen = []
    for app in apps:
        with app.app_context():
            seen.append(gate.orchestrator)
    assert seen[0] is not seen[1]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"url_prefix": "/<tenant>/liveness"}, "url_prefix="),
        ({"subject": "alice"}, "subject="),
        ({"orchestrator": object()}, "orchestrator="),
        (
            {"orchestrator": Backend(is_async=True).orchestrator},
            "orchestrator=.*not AsyncOrchestrator",
        ),
        (
            {"orchestrator": Backend().orchestrator, "purposes": [], "clock": ManualClock()},
            "purposes, clock",
        ),
    ],
)
def test_argument_that_cannot_be_used_is_reported_when_the_application_starts(
    arguments: Any, named: str
) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Livegate(flask.Flask("wrong"), **({"subject": alice} | arguments))


def test_second_binding_is_rejected(orchestrator: Orchestrator) -> None:
    app = flask.Flask("twice")
    Livegate(app, subject=alice, orchestrator=orchestrator)

    with pytest.raises(ConfigurationError, match="bound to this application already"):
        Livegate(app, subject=lambda: "bob", url_prefix="/other", orchestrator=orchestrator)
    post(app)

    assert orchestrator.find(subject="alice").sessions
    assert not orchestrator.find(subject="bob").sessions


def test_application_without_livegate_has_no_orchestrator() -> None:
    gate = Livegate(subject=alice)

    with (
        flask.Flask("unbound").app_context(),
        pytest.raises(ConfigurationError, match="call init_app"),
    ):
        gate.orchestrator  # noqa: B018 - the access fails


def test_import_without_flask_says_what_to_install() -> None:
    code = "import sys; sys.modules['flask'] = None; import livegate_flask"

    failed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1] == (
        "livegate.errors.MissingDependencyError: "
        "Flask is not installed; run: pip install 'livegate[flask]'"
    )


# --- who is signed in -------------------------------------------------------------------------


def test_application_that_does_not_say_who_is_signed_in_does_not_start(
    monkeypatch: pytest.MonkeyPatch, orchestrator: Orchestrator
) -> None:
    monkeypatch.setitem(sys.modules, "flask_login", None)

    with pytest.raises(ConfigurationError, match=r"subject=.*Flask-Login"):
        Livegate(flask.Flask("nobody"), orchestrator=orchestrator)


@pytest.mark.parametrize(
    ("user_id", "is_authenticated", "status"),
    [("7", True, 201), (None, False, 401), ("7", False, 401)],
    ids=["signed in", "anonymous", "deactivated since"],
)
def test_current_user_of_flask_login_is_the_subject(
    monkeypatch: pytest.MonkeyPatch,
    orchestrator: Orchestrator,
    user_id: str | None,
    is_authenticated: bool,
    status: int,
) -> None:
    login: Any = ModuleType("flask_login")
    login.__spec__ = ModuleSpec("flask_login", None)
    login.current_user = SimpleNamespace(get_id=lambda: user_id, is_authenticated=is_authenticated)
    monkeypatch.setitem(sys.modules, "flask_login", login)
    app = flask.Flask("login")
    Livegate(app, orchestrator=orchestrator)

    assert post(app).status_code == status
    assert len(orchestrator.find(subject="7").sessions) == (status == 201)


def test_subject_that_is_not_a_str_is_a_500(
    orchestrator: Orchestrator, caplog: pytest.LogCaptureFixture
) -> None:
    app = flask.Flask("unclear")
    Livegate(app, subject=lambda: 7, orchestrator=orchestrator)

    answer = post(app)

    assert (answer.status_code, answer.json["code"]) == (500, "misconfigured")
    assert "return str(user.id)" in caplog.text


def test_response_of_the_applications_own_sign_in_is_kept(orchestrator: Orchestrator) -> None:
    app = flask.Flask("aborts")
    Livegate(app, subject=lambda: flask.abort(418), orchestrator=orchestrator)

    assert post(app).status_code == 418


@pytest.mark.parametrize(("user", "status"), [("alice", 201), (None, 401)])
def test_subject_may_be_async(orchestrator: Orchestrator, user: str | None, status: int) -> None:
    class App(flask.Flask):
        """As with the package that Flask needs for async views."""

        def async_to_sync(self, func: Any) -> Any:
            return lambda: asyncio.run(func())

    async def subject() -> str | None:
        return user

    app = App("async")
    Livegate(app, subject=subject, orchestrator=orchestrator)

    assert post(app).status_code == status


def test_policies_see_the_client_as_flask_does() -> None:
    seen: list[StartRequest] = []

    class Policy:
        """A plugin."""

        @hookimpl
        def before_start(self, request: StartRequest) -> None:
            """Keep the request."""
            seen.append(request)

    app = flask.Flask("context")
    orchestrator = Orchestrator(
        Settings(), face=FakeFaceService(), store=MemoryStore(), plugins=[Policy()]
    )
    Livegate(app, subject=alice, orchestrator=orchestrator, context_headers=["X-Device"])

    post(app, headers={"X-Device": "phone"}, environ_overrides={"REMOTE_ADDR": "192.0.2.1"})

    (request,) = seen
    assert request.context.client_address == "192.0.2.1"
    assert request.context.headers == {"x-device": "phone"}


# --- routes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["/liveness", "liveness/", "/a/b", "", "/"])
def test_routes_are_below_the_prefix(orchestrator: Orchestrator, prefix: str) -> None:
    app = flask.Flask("prefixed")
    Livegate(subject=alice, url_prefix=prefix, orchestrator=orchestrator).init_app(app)
    base = f"/{prefix.strip('/')}" if prefix.strip("/") else ""

    answer = post(app, f"{base}/sessions")

    assert answer.status_code == 201
    location = answer.headers["Location"]
    assert location == f"{base}/sessions/{answer.json['sessionId']}"
    view: Any = app.test_client().get(location).json
    assert view["state"] == "ready"
    document: Any = app.test_client().get(f"{base}/openapi.json").json
    assert document["servers"] == [{"url": base or "/"}]


@pytest.mark.parametrize("prefix", ["/liveness", ""])
def test_other_routes_are_the_applications_own(orchestrator: Orchestrator, prefix: str) -> None:
    app = flask.Flask("with views")
    Livegate(app, subject=alice, url_prefix=prefix, orchestrator=orchestrator)
    app.add_url_rule("/hello/", view_func=lambda: "hello", endpoint="hello")
    app.register_error_handler(404, lambda _: ("own page", 404))
    client = app.test_client()

    assert client.get("/hello/").data == b"hello"
    assert client.get("/hello").status_code == 308
    assert client.post("/hello/").status_code == 405
    assert client.get("/nothing").data == b"own page"
    assert client.get("/sessionsx").data == b"own page"
    if not prefix:
        assert client.get("/").data == b"own page"


def test_more_special_routes_of_the_application_go_first(orchestrator: Orchestrator) -> None:
    app = flask.Flask("with views")
    Livegate(app, subject=alice, orchestrator=orchestrator)
    app.add_url_rule("/liveness/help", view_func=lambda: "help", endpoint="help")
    app.add_url_rule("/liveness/help/<page>", view_func=lambda page: page, endpoint="page")
    client = app.test_client()

    assert client.get("/liveness/help").data == b"help"
    assert client.get("/liveness/help/start").data == b"start"
    assert client.get("/liveness/help/a/b").status_code == 404


def test_paths_without_a_prefix_are_the_cores(orchestrator: Orchestrator) -> None:
    app = flask.Flask("no prefix")
    Livegate(app, subject=alice, url_prefix="", orchestrator=orchestrator)
    client = app.test_client()

    for path in ("/sessions/", "/sessions/x/", "/sessions//finish", "/openapi.json/"):
        answer: Any = client.get(path)
        assert (answer.status_code, answer.json["code"]) == (404, "path_unknown")
    for method in ("OPTIONS", "TRACE", "PUT"):
        assert client.open("/sessions", method=method).status_code == 405


@pytest.mark.parametrize(
    ("mount", "location"), [("/app", "/app/liveness/"), ("/a b", "/a%20b/liveness/")]
)
def test_location_is_below_the_mount_point(
    orchestrator: Orchestrator, mount: str, location: str
) -> None:
    app = flask.Flask("mounted")
    Livegate(app, subject=alice, orchestrator=orchestrator)

    answer = post(app, environ_overrides={"SCRIPT_NAME": mount})

    assert answer.headers["Location"].startswith(f"{location}sessions/")


# --- the application's own views --------------------------------------------------------------


def test_verdict_is_consumed_in_an_own_view(backend: Backend, orchestrator: Orchestrator) -> None:
    app = flask.Flask("own views")
    gate = Livegate(app, subject=alice, orchestrator=orchestrator)

    @app.post("/pay/<session_id>")
    def pay(session_id: str) -> str:
        session = gate.orchestrator.consume(session_id, subject="alice", purpose="default")
        return f"paid with {session.id}"

    session_id = post(app).json["sessionId"]

    def paid() -> Any:
        return app.test_client().post(f"/pay/{session_id}")

    early = paid()
    backend.face.outcome = REAL
    app.test_client().post(f"/liveness/sessions/{session_id}/finish", json={"digest": DIGEST})
    first, second = paid(), paid()

    assert (early.status_code, early.json["code"]) == (403, "verdict_not_passed")
    assert early.json["state"] == "ready"
    assert early.mimetype == "application/problem+json"
    assert first.data == f"paid with {session_id}".encode()
    assert (second.status_code, second.json["code"]) == (409, "verdict_used")


def test_error_in_an_own_view_is_logged(
    orchestrator: Orchestrator, caplog: pytest.LogCaptureFixture
) -> None:
    app = flask.Flask("failing")
    Livegate(app, subject=alice, orchestrator=orchestrator)

    @app.get("/enter")
    def enter() -> str:
        raise StoreError("the disk is full")

    answer: Any = app.test_client().get("/enter")

    assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable")
    assert b"disk" not in answer.data
    assert "the disk is full" in caplog.text


# --- extensions -------------------------------------------------------------------------------

FORM = form_body(("purpose", b"enrol"), ("referenceImage", JPEG))


@pytest.mark.parametrize(
    "look",
    [lambda: flask.request.form, lambda: flask.request.data],
    ids=["the form", "the body"],
)
def test_form_that_an_extension_has_read_is_reported_with_the_remedy(
    orchestrator: Orchestrator, caplog: pytest.LogCaptureFixture, look: Callable[[], object]
) -> None:
    app = flask.Flask("looked into")

    @app.before_request
    def extension() -> None:
        look()

    Livegate(app, subject=alice, orchestrator=orchestrator)

    answer = post(app, data=FORM, content_type=form_type())

    assert (answer.status_code, answer.json["code"]) == (400, "body_incomplete")
    assert "exempt livegate's routes" in caplog.text


def test_json_counts_though_an_extension_has_looked_for_a_form(orchestrator: Orchestrator) -> None:
    app = flask.Flask("looked into")

    @app.before_request
    def extension() -> None:
        flask.request.form.get("csrf_token")

    Livegate(app, subject=alice, orchestrator=orchestrator)

    answer = app.test_client().post("/liveness/sessions", json={"transaction": "7"})

    assert answer.status_code == 201
    assert orchestrator.find(subject="alice").sessions[0].transaction == "7"


def test_limit_of_the_application_does_not_count(orchestrator: Orchestrator) -> None:
    app = flask.Flask("limited")
    app.config["MAX_CONTENT_LENGTH"] = 100
    Livegate(app, subject=alice, orchestrator=orchestrator)

    assert post(app, data=FORM, content_type=form_type()).status_code == 201


# --- commands ---------------------------------------------------------------------------------


def test_sweep_command_reports_what_it_did(orchestrator: Orchestrator) -> None:
    app = flask.Flask("swept")
    Livegate(app, subject=alice, orchestrator=orchestrator)

    result = app.test_cli_runner().invoke(args=["livegate", "sweep"])

    assert (result.exit_code, result.output) == (
        0,
        "claimed 0, settled 0, deleted 0, delivered 0, failed 0, purged 0\n",
    )


def test_worker_command_works_until_the_process_is_ended(
    orchestrator: Orchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = flask.Flask("worked")
    Livegate(app, subject=alice, orchestrator=orchestrator)
    claims = []

    def claim(*_: object) -> tuple[()]:
        claims.append("claim")
        os.kill(os.getpid(), signal.SIGTERM)
        return ()

    monkeypatch.setattr(MemoryStore, "claim", claim)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        result = app.test_cli_runner().invoke(args=["livegate", "worker"])
    finally:
        logging.getLogger("livegate").setLevel(logging.NOTSET)
        for number, handler in before.items():
            signal.signal(number, handler)

    assert (result.exit_code, claims) == (0, ["claim"])


def test_sweep_that_fails_is_one_line(orchestrator: Orchestrator) -> None:
    app = flask.Flask("unswept")
    Livegate(app, subject=alice, orchestrator=orchestrator)
    orchestrator.close()

    result = app.test_cli_runner().invoke(args=["livegate", "sweep"])

    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1


def test_sweep_with_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    module = tmp_path / "wrong.py"
    module.write_text(
        "import flask\nfrom livegate_flask import Livegate\n\n\ndef create_app():\n"
        "    app = flask.Flask(__name__)\n"
        "    app.config['LIVEGATE_STORE'] = 'sqlite:////no/such/folder/s.sqlite'\n"
        "    app.config.update(VISION_ENDPOINT='https://a.test', VISION_KEY='k')\n"
        "    Livegate(app, subject=lambda: 'alice')\n    return app\n"
    )

    failed = subprocess.run(
        [sys.executable, "-m", "flask", "--app", str(module), "livegate", "sweep"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert failed.returncode != 0
    assert "/no/such/folder" in failed.stderr
    assert "Traceback" not in failed.stderr
