"""From a request to a response: who may call, what is logged, what policies learn."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from http_calls import Stream, call, make_request, post_json, start
from livegate import Orchestrator, Settings, StartRequest, http
from livegate.errors import FaceUnavailableError, StoreError
from livegate.hooks import hookimpl
from livegate.stores.memory import MemoryStore
from livegate.testing import FakeFaceService
from livegate.testing.adapter_contract import Backend

if TYPE_CHECKING:
    from livegate.operations import Runtime


# --- who is signed in -------------------------------------------------------------------------


@pytest.mark.parametrize("subject", [None, ""])
def test_nobody_gets_a_401(runtime: Runtime, subject: object) -> None:
    answer = call(runtime, "GET", "/sessions", subject=subject)

    assert (answer.status, answer.json["code"]) == (401, "subject_required")


@pytest.mark.parametrize("subject", [7, 0, True, False, b"alice", 1.5, [], object()])
def test_subject_that_is_not_a_str_is_an_error_of_the_application(
    runtime: Runtime, caplog: pytest.LogCaptureFixture, subject: object
) -> None:
    answer = call(runtime, "GET", "/sessions", subject=subject)

    assert (answer.status, answer.json["code"]) == (500, "misconfigured")
    assert "return str(user.id)" in caplog.text
    assert "user.id" not in answer.json["detail"]


@pytest.mark.parametrize("subject", ["x" * 256, "a\0b", "\ud800"])
def test_subject_that_no_store_can_keep_is_an_error_of_the_application(
    runtime: Runtime, caplog: pytest.LogCaptureFixture, subject: str
) -> None:
    answer = call(runtime, "POST", "/sessions", subject=subject)

    assert (answer.status, answer.json["code"]) == (500, "misconfigured")
    assert "the subject" in caplog.text
    assert subject not in caplog.text


def test_document_is_served_whoever_is_signed_in(runtime: Runtime) -> None:
    for subject in (None, 7, "alice"):
        assert call(runtime, "GET", "/openapi.json", subject=subject).status == 200


# --- paths -------------------------------------------------------------------------------------


def test_segments_of_a_path_are_decoded_one_by_one(runtime: Runtime) -> None:
    session_id = start(runtime)
    spelled = f"%{ord(session_id[0]):02x}{session_id[1:]}"

    assert call(runtime, "GET", f"/%73essions/{spelled}").json["sessionId"] == session_id
    assert call(runtime, "GET", f"/sessions%2F{session_id}").json["code"] == "path_unknown"
    for strange in ("%2F", "%FF", "%zz", "%", "%00", f"{session_id}%0A"):
        assert call(runtime, "GET", f"/sessions/{strange}").json["code"] == "session_not_found"


# --- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "subject", "headers"),
    [
        ("POST", "/sessions", None, {}),
        ("POST", "/sessions", 7, {}),
        ("POST", "/nothing", "alice", {}),
        ("PUT", "/sessions", "alice", {}),
        ("POST", "/sessions", "alice", {"Sec-Fetch-Site": "cross-site"}),
        ("POST", "/sessions", "alice", {"Content-Type": "text/plain"}),
        ("GET", "/sessions", "alice", {}),
        ("DELETE", "/sessions/x", "alice", {}),
    ],
)
def test_body_is_not_read_where_it_is_of_no_use(
    runtime: Runtime, method: str, path: str, subject: object, headers: dict[str, str]
) -> None:
    stream = Stream([b"{}"])

    call(runtime, method, path, subject=subject, headers=headers, read=stream.read)

    assert stream.sizes == []


def test_head_of_a_session_has_the_headers_of_get(runtime: Runtime) -> None:
    path = f"/sessions/{start(runtime)}"

    get, head = (call(runtime, method, path) for method in ("GET", "HEAD"))

    assert (head.status, head.body) == (200, b"")
    assert head.headers == get.headers
    assert head.headers["Content-Length"] == str(len(get.body))


# --- what is logged ---------------------------------------------------------------------------


def test_unexpected_error_is_logged_with_its_traceback(
    backend: Backend, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    backend.face.failures["create"] = ZeroDivisionError("a detail")

    answer = post_json(runtime, "/sessions")

    assert (answer.status, answer.json["code"]) == (500, "internal_error")
    assert "a detail" not in answer.body.decode()
    logged = [record for record in caplog.records if record.exc_info]
    assert [record.name for record in logged] == ["livegate.http"]
    assert "ZeroDivisionError: a detail" in caplog.text


def test_server_error_is_logged_and_its_message_is_not_shown(
    backend: Backend, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    backend.face.failures["create"] = FaceUnavailableError("no route to the host")

    answer = post_json(runtime, "/sessions")

    assert answer.status == 503
    assert "no route" not in answer.body.decode()
    assert "face_unavailable: no route to the host" in caplog.text


def test_error_of_the_client_is_not_logged(
    runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    assert call(runtime, "GET", "/sessions?limit=0").status == 400
    assert caplog.records == []


def test_failing_store_is_a_503(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(runtime.store, "find", fail)

    answer = call(runtime, "GET", "/sessions")

    assert (answer.status, answer.json["code"]) == (503, "store_unavailable")
    assert "disk" not in answer.body.decode()
    assert "The disk is full." in caplog.text


def test_rejected_origin_is_logged_with_the_setting(
    runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    origin = "https://evil.test/\n" + "x" * 500

    answer = call(runtime, "POST", "/sessions", headers={"Origin": origin})

    assert answer.status == 403
    assert "LIVEGATE" not in answer.body.decode()
    (record,) = caplog.records
    assert "LIVEGATE_ALLOWED_ORIGINS" in record.message
    assert "evil.test" in record.message
    assert "\n" not in record.message
    assert len(record.message) < 500


def test_origin_null_never_passes_even_if_it_is_allowed(backend: Backend) -> None:
    runtime: Any = SimpleNamespace(settings=SimpleNamespace(allowed_origins=("null",)))

    answer = call(runtime, "POST", "/sessions", headers={"Origin": "null"})

    assert answer.json["code"] == "cross_site_request"


@pytest.mark.parametrize(
    ("origin", "host", "passes"),
    [
        ("https://Example.com", "example.COM", True),
        ("https://example.com:8443", "example.com:8443", True),
        ("https://example.com:8443", "example.com", False),
        ("https://example.com", None, False),
        ("https://", "", False),
        ("://example.com", "example.com", False),
        ("", "", False),
    ],
)
def test_origin_has_to_be_that_of_the_host(
    runtime: Runtime, origin: str, host: str | None, passes: bool
) -> None:
    headers = {"Origin": origin} | ({} if host is None else {"Host": host})

    answer = call(runtime, "POST", "/sessions", headers=headers)

    assert answer.status == (201 if passes else 403)


# --- what policies learn ----------------------------------------------------------------------


class Recorder:
    """A policy that keeps what it is called with."""

    def __init__(self) -> None:
        self.requests: list[StartRequest] = []

    @hookimpl
    def before_start(self, request: StartRequest) -> None:
        self.requests.append(request)


def test_policies_learn_where_a_request_comes_from() -> None:
    recorder = Recorder()
    runtime = Orchestrator(
        Settings(), face=FakeFaceService(), store=MemoryStore(), plugins=[recorder]
    ).runtime

    post_json(
        runtime,
        "/sessions",
        headers={
            "User-Agent": "a browser",
            "Accept-Language": "de-AT, en;q=0.5",
            "X-Device": "a phone",
            "Cookie": "secret",
        },
        client_address="192.0.2.1",
        context_headers=("X-Device", "X-Absent"),
    )

    (request,) = recorder.requests
    context = request.context
    assert (context.is_http, context.client_address) == (True, "192.0.2.1")
    assert (context.user_agent, context.languages) == ("a browser", ("de-AT", "en"))
    assert context.headers == {"x-device": "a phone"}
    assert "secret" not in repr(request)


# --- async ------------------------------------------------------------------------------------


def test_async_adapter_awaits_the_same_source() -> None:
    backend = Backend(is_async=True)
    body = Stream([b'{"trans', b'action": "7"}'])

    async def run() -> tuple[http.Response, http.Response]:
        runtime = backend.orchestrator.runtime
        headers = {"Content-Type": "application/json"}
        started = await http.handle(
            runtime, make_request("POST", "/sessions", headers, read=body.read_later), "alice"
        )
        path = started.headers["Location"].removeprefix("/base")
        return started, await http.handle(runtime, make_request("GET", path), "alice")

    started, read = asyncio.run(run())

    assert (started.status, read.status) == (201, 200)
    assert b'"transaction":"7"' in read.body
