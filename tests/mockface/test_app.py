"""The emulator as a Flask application and as a blueprint."""

from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any

import flask
import pytest
from tests.mockface.conftest import OPTIONS

from mockface import Mockface, create_app, create_blueprint
from mockface.operations import OPERATIONS

if TYPE_CHECKING:
    from flask.testing import FlaskClient

SESSIONS = "/face/v1.2/detectLiveness-sessions"
KEY = {"Ocp-Apim-Subscription-Key": "k"}


@pytest.fixture
def client() -> FlaskClient:
    return Mockface(keys=["k"]).app.test_client()


def create(client: FlaskClient, path: str = SESSIONS) -> Any:
    return client.post(path, json=OPTIONS, headers=KEY)


def test_every_operation_has_a_route() -> None:
    rules = {
        (rule.rule, method)
        for rule in create_app().url_map.iter_rules()
        for method in rule.methods or ()
    }
    for each in OPERATIONS:
        path = each.path.replace("{", "<").replace("}", ">")
        assert (f"/face/{each.version}{path}", each.method) in rules


@pytest.mark.process
def test_flask_runs_it_as_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "mockface", "routes"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{SESSIONS}/<sessionId>" in done.stdout


def test_a_session_is_created_read_and_deleted(client: FlaskClient) -> None:
    made = create(client)
    assert made.status_code == 200
    assert made.headers["Content-Type"] == "application/json"
    one = f"{SESSIONS}/{made.get_json()['sessionId']}"
    assert client.get(one, headers=KEY).get_json()["status"] == "NotStarted"
    deleted = client.delete(one, headers=KEY)
    assert (deleted.status_code, deleted.data) == (204, b"")
    assert "Content-Type" not in deleted.headers


@pytest.mark.parametrize(
    "method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"]
)
@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/face//v1.2",
        "/face/v1.2/%2e%2e/x",
        "/face/v1.2/%0A",
        "/face/v1.2/settings",
        "/face/v1.2/detectLiveness-sessions/%ff",
    ],
)
def test_flask_answers_nothing_for_itself(client: FlaskClient, method: str, path: str) -> None:
    response = client.open(path, method=method, headers=KEY)
    assert response.status_code == 404
    assert json.loads(response.data)["error"]["code"] in ("404", "SessionNotFound")


def test_other_spellings_and_newer_versions_are_answered() -> None:
    client = Mockface(accept_newer=True).app.test_client()
    assert create(client, SESSIONS.lower()).status_code == 200
    doubled = client.get("/", environ_overrides={"PATH_INFO": f"/{SESSIONS}/x"}, headers=KEY)
    assert doubled.get_json()["error"]["code"] == "SessionNotFound"
    assert "Warning" in create(client, SESSIONS.replace("v1.2", "v1.9")).headers


def test_the_control_api_is_there(client: FlaskClient) -> None:
    assert client.get("/_mock").get_json()["apiVersions"]
    told = client.put("/_mock/scenario", json={"scenario": "spoof"}, headers=KEY)
    assert told.get_json() == {"scenario": "spoof"}


def test_a_client_that_hangs_up_does_no_harm(client: FlaskClient) -> None:
    response = client.post(
        SESSIONS,
        headers=KEY | {"Content-Type": "application/json"},
        environ_overrides={"wsgi.input": BytesIO(b"{"), "CONTENT_LENGTH": "100"},
    )
    assert response.status_code == 400


def test_a_blueprint_serves_it_under_a_prefix_of_another_application() -> None:
    # Given an application with a page of its own
    mock = Mockface(keys=["k"])
    app = flask.Flask(__name__)
    app.add_url_rule("/own", view_func=lambda: "own")
    app.register_blueprint(create_blueprint(mock), url_prefix="/azure")
    client = app.test_client()

    # When a session is created there
    created = create(client, f"/azure{SESSIONS}").get_json()

    # Then its token leads back there, and the rest is the application's
    claims = mock.engine.tokens.read(created["authToken"])
    assert claims.endpoint == "http://localhost/azure"
    read = client.get(f"/azure{SESSIONS}/{created['sessionId']}", headers=KEY)
    assert read.get_json()["sessionId"] == created["sessionId"]
    assert client.get("/own").data == b"own"
    assert client.get(SESSIONS, headers=KEY).data.startswith(b"<!doctype")
