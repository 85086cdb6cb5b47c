"""What is Flask's own in the binding: configuration, who is signed in, own views, commands."""

from __future__ import annotations

import asyncio
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import flask
import pytest

from forms import form
from livegate import Orchestrator, ReferenceImage, Settings
from livegate.errors import ConfigurationError, StoreError
from livegate.stores.memory import MemoryStore
from livegate.testing.doubles import ManualClock, ScriptedFace
from livegate_flask import Livegate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENDPOINT = "https://me.cognitiveservices.azure.com/"
JPEG = b"\xff\xd8\xff\xda" + bytes(2000) + b"\xff\xd9"


@pytest.fixture
def orchestrator() -> Orchestrator:
    return Orchestrator(Settings(), face=ScriptedFace(), store=MemoryStore(), clock=ManualClock())


def post(app: flask.Flask, path: str) -> Any:
    return app.test_client().post(path, json={})


def test_the_applications_configuration_goes_before_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIVEGATE_TOKEN_LIFETIME", "120")
    monkeypatch.setenv("LIVEGATE_POLL_INTERVAL", "9")
    app = flask.Flask("configured")
    app.config.update(
        VISION_ENDPOINT=ENDPOINT,
        VISION_KEY="key",
        LIVEGATE_STORE=f"sqlite:///{tmp_path}/s.sqlite",
        LIVEGATE_TOKEN_LIFETIME=60,
    )
    gate = Livegate(app, subject=lambda: "alice")

    with app.app_context():
        settings = gate.orchestrator.settings
        gate.orchestrator.close()
    assert (settings.endpoint, settings.token_lifetime) == (ENDPOINT.rstrip("/"), 60)
    assert settings.poll_interval == 9


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({}, "VISION_ENDPOINT"),
        ({"VISION_ENDPOINT": ENDPOINT}, "VISION_KEY"),
        ({"VISION_ENDPOINT": ENDPOINT, "VISION_KEY": "k"}, "LIVEGATE_STORE"),
        ({"LIVEGATE_STOER": "memory://"}, "LIVEGATE_STORE"),
        (
            {
                "VISION_ENDPOINT": ENDPOINT,
                "VISION_KEY": "k",
                "LIVEGATE_STORE": "sqlite:////no/such/folder/s.sqlite",
            },
            "/no/such/folder",
        ),
    ],
)
def test_what_is_missing_is_said_when_the_application_starts(
    monkeypatch: pytest.MonkeyPatch, config: dict[str, str], named: str
) -> None:
    for name in ("VISION_ENDPOINT", "VISION_KEY", "LIVEGATE_STORE"):
        monkeypatch.delenv(name, raising=False)
    app = flask.Flask("unfinished")
    app.config.update(config)

    with pytest.raises(ConfigurationError, match=named):
        Livegate(app, subject=lambda: "alice")


def test_without_a_word_on_who_is_signed_in_the_application_does_not_start(
    monkeypatch: pytest.MonkeyPatch, orchestrator: Orchestrator
) -> None:
    monkeypatch.setattr("livegate_flask.find_spec", lambda _: None)

    with pytest.raises(ConfigurationError, match="subject=") as error:
        Livegate(flask.Flask("nobody"), orchestrator=orchestrator)
    assert "Flask-Login" in str(error.value)


@pytest.mark.parametrize(
    ("user_id", "is_authenticated", "status"),
    [("7", True, 201), (None, False, 401), ("7", False, 401)],
    ids=["signed in", "anonymous", "deactivated since"],
)
def test_with_flask_login_the_current_user_is_the_subject(
    monkeypatch: pytest.MonkeyPatch,
    orchestrator: Orchestrator,
    user_id: str | None,
    is_authenticated: bool,
    status: int,
) -> None:
    login: Any = ModuleType("flask_login")
    login.current_user = SimpleNamespace(get_id=lambda: user_id, is_authenticated=is_authenticated)
    monkeypatch.setitem(sys.modules, "flask_login", login)
    monkeypatch.setattr("livegate_flask.find_spec", lambda _: object())
    app = flask.Flask("login")
    Livegate(app, orchestrator=orchestrator)

    assert post(app, "/liveness/sessions").status_code == status
    assert len(orchestrator.find(subject="7").sessions) == (status == 201)


USER = UUID("00000000-0000-4000-8000-000000000007")


@pytest.mark.parametrize(("who", "name"), [(42, "42"), (0, "0"), (USER, str(USER))])
def test_a_number_or_a_uuid_is_a_subject(
    orchestrator: Orchestrator, who: object, name: str
) -> None:
    app = flask.Flask("numbers")
    Livegate(app, subject=lambda: who, orchestrator=orchestrator)

    assert post(app, "/liveness/sessions").status_code == 201
    assert orchestrator.find(subject=name).sessions


def test_an_empty_text_is_nobody(orchestrator: Orchestrator) -> None:
    app = flask.Flask("nobody")
    Livegate(app, subject=lambda: "", orchestrator=orchestrator)

    assert post(app, "/liveness/sessions").status_code == 401


@pytest.mark.parametrize("who", [object(), True, False, b"alice", [], 1.5])
def test_what_may_name_two_users_is_no_subject(
    orchestrator: Orchestrator, caplog: pytest.LogCaptureFixture, who: object
) -> None:
    app = flask.Flask("unclear")
    Livegate(app, subject=lambda: who, orchestrator=orchestrator)

    answer = post(app, "/liveness/sessions")

    assert (answer.status_code, answer.json["code"]) == (500, "misconfigured")
    assert f"subject= gave a {type(who).__name__}" in caplog.text


@pytest.mark.parametrize(("user", "status"), [("alice", 201), (None, 401)])
def test_a_subject_may_be_async(orchestrator: Orchestrator, user: str | None, status: int) -> None:
    class App(flask.Flask):
        """As with the package that Flask needs for async views."""

        def async_to_sync(self, func: Any) -> Any:
            return lambda: asyncio.run(func())

    async def subject() -> str | None:
        return user

    app = App("async")
    Livegate(app, subject=subject, orchestrator=orchestrator)

    assert post(app, "/liveness/sessions").status_code == status


@pytest.mark.parametrize("prefix", ["/liveness", "liveness/", "/a/b", "", "/"])
def test_the_routes_are_where_the_application_wants_them(
    orchestrator: Orchestrator, prefix: str
) -> None:
    app = flask.Flask("prefixed")
    gate = Livegate(subject=lambda: "alice", url_prefix=prefix, orchestrator=orchestrator)
    gate.init_app(app)
    base = f"/{prefix.strip('/')}" if prefix.strip("/") else ""

    answer = post(app, f"{base}/sessions")

    assert answer.status_code == 201
    location = answer.headers["Location"]
    assert location == f"{base}/sessions/{answer.json['sessionId']}"
    view: Any = app.test_client().get(location).json
    assert view["state"] == "ready"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"url_prefix": "/<tenant>/liveness"}, "url_prefix="),
        ({"subject": "alice"}, "subject="),
        ({"orchestrator": object()}, "orchestrator="),
    ],
)
def test_what_cannot_be_bound_is_told_when_the_application_starts(
    arguments: Any, named: str
) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Livegate(**arguments)


def test_a_second_binding_does_not_take_the_place_of_the_first(orchestrator: Orchestrator) -> None:
    app = flask.Flask("twice")
    Livegate(app, subject=lambda: "alice", orchestrator=orchestrator)

    with pytest.raises(ConfigurationError, match="bound to this application already"):
        Livegate(app, subject=lambda: "bob", url_prefix="/other", orchestrator=orchestrator)
    post(app, "/liveness/sessions")

    assert orchestrator.find(subject="alice").sessions
    assert not orchestrator.find(subject="bob").sessions


def test_an_application_that_livegate_is_not_bound_to_has_no_orchestrator() -> None:
    gate = Livegate(subject=lambda: "alice")

    with (
        flask.Flask("unbound").app_context(),
        pytest.raises(ConfigurationError, match="call init_app"),
    ):
        gate.orchestrator  # noqa: B018 - it is the looking that fails


def test_location_is_right_below_a_mount_point(orchestrator: Orchestrator) -> None:
    app = flask.Flask("mounted")
    Livegate(app, subject=lambda: "alice", orchestrator=orchestrator)

    answer = app.test_client().post(
        "/liveness/sessions", json={}, environ_overrides={"SCRIPT_NAME": "/app"}
    )

    assert answer.headers["Location"].startswith("/app/liveness/sessions/")


def test_other_routes_of_the_application_are_left_alone(orchestrator: Orchestrator) -> None:
    app = flask.Flask("with views")
    Livegate(app, subject=lambda: "alice", orchestrator=orchestrator)
    app.add_url_rule("/hello", view_func=lambda: "hello", endpoint="hello")

    assert app.test_client().get("/hello").data == b"hello"
    assert app.test_client().get("/nothing").status_code == 404


def test_a_verb_in_an_own_view_ends_in_a_problem(orchestrator: Orchestrator) -> None:
    app = flask.Flask("own views")
    gate = Livegate(app, subject=lambda: "alice", orchestrator=orchestrator)

    @app.get("/enter/<session_id>")
    def enter(session_id: str) -> str:
        return gate.orchestrator.consume(session_id, subject="alice", purpose="enter").state

    answer: Any = app.test_client().get(f"/enter/{'x' * 32}")

    assert (answer.status_code, answer.json["code"]) == (404, "session_not_found")


def test_what_fails_in_an_own_view_is_logged_for_the_operator(
    orchestrator: Orchestrator, caplog: pytest.LogCaptureFixture
) -> None:
    app = flask.Flask("failing")
    Livegate(app, subject=lambda: "alice", orchestrator=orchestrator)

    @app.get("/enter")
    def enter() -> str:
        raise StoreError("the disk is full")

    answer: Any = app.test_client().get("/enter")

    assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable")
    assert b"disk" not in answer.data
    assert "the disk is full" in caplog.text


@pytest.mark.parametrize(
    "look",
    [lambda: flask.request.form.get("csrf_token"), lambda: flask.request.get_data(cache=True)],
    ids=["the form", "the body"],
)
def test_a_form_that_an_extension_has_looked_into_still_counts(
    orchestrator: Orchestrator, look: Callable[[], object]
) -> None:
    app = flask.Flask("looked into")

    @app.before_request
    def extension() -> None:
        look()

    Livegate(app, subject=lambda: "alice", orchestrator=orchestrator)

    answer = app.test_client().post("/liveness/sessions", **form(("referenceImage", JPEG)))

    assert answer.status_code == 201
    (session,) = orchestrator.find(subject="alice").sessions
    assert session.reference_sha256 == ReferenceImage(JPEG).sha256


def test_one_object_serves_several_applications() -> None:
    gate = Livegate(subject=lambda: "alice")
    apps = [flask.Flask(name) for name in ("one", "two")]
    for app in apps:
        app.config.update(VISION_ENDPOINT=ENDPOINT, VISION_KEY="key", LIVEGATE_STORE="memory://")
        gate.init_app(app)

    seen = []
    for app in apps:
        with app.app_context():
            seen.append(gate.orchestrator)
    assert seen[0] is not seen[1]


def test_the_sweep_command(orchestrator: Orchestrator) -> None:
    app = flask.Flask("swept")
    Livegate(app, subject=lambda: "alice", orchestrator=orchestrator)
    post(app, "/liveness/sessions")

    result = app.test_cli_runner().invoke(args=["livegate", "sweep"])

    assert (result.exit_code, result.output) == (
        0,
        "due 0, settled 0, deleted 0, failed 0\n",
    )


def test_a_sweep_that_fails_says_why_in_a_line(orchestrator: Orchestrator) -> None:
    app = flask.Flask("unswept")
    Livegate(app, subject=lambda: "alice", orchestrator=orchestrator)
    orchestrator.close()

    result = app.test_cli_runner().invoke(args=["livegate", "sweep"])

    assert (result.exit_code, result.output) == (1, "Error: The memory store is closed.\n")
