"""The HTTP contract, over every adapter: what each call answers, and that nothing gives a 500."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms import form
from livegate import Outcome, Settings
from livegate.errors import FaceRefusedError, FaceThrottledError, FaceUnavailableError
from livegate.session import Attempt, AttemptStatus, OutcomeStatus
from site_under_test import Site

if TYPE_CHECKING:
    from site_under_test import Answer

DIGEST = "B0A8" * 16
REAL = Attempt(
    1, AttemptStatus.SUCCEEDED, decision="realface", digest=DIGEST, match_confidence=0.93
)
PASSES = Outcome(OutcomeStatus.ENDED, (REAL,))
JPEG = b"\xff\xd8\xff\xda" + bytes(2000) + b"\xff\xd9"


def image(content: bytes = JPEG, name: str = "referenceImage") -> dict[str, Any]:
    return form((name, content))


def is_problem(answer: Answer, status: int, code: str, field: str | None = None) -> bool:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    problem = answer.json
    assert (answer.status, problem["status"], problem["code"]) == (status, status, code), problem
    assert problem["type"] == f"urn:livegate:problem:{code}"
    assert problem["title"]
    assert problem["detail"]
    assert problem.get("field") == field
    return True


# --- what each call answers -------------------------------------------------------------------


def test_a_start(site: Site) -> None:
    answer = site.call("POST", "/sessions", json={"purpose": "login"})

    started = answer.json
    assert answer.status == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Location"] == f"/liveness/sessions/{started['sessionId']}"
    assert started == {
        "sessionId": started["sessionId"],
        "state": "ready",
        "authToken": "token-of-remote-1",
        "expiresAt": "2026-01-01T00:10:00Z",
    }


def test_a_start_with_an_empty_body(site: Site) -> None:
    assert site.call("POST", "/sessions").status == 201
    assert site.call("POST", "/sessions", json={}).status == 201


def test_a_start_with_a_reference_image(site: Site) -> None:
    answer = site.call("POST", "/sessions", **image())

    assert answer.status == 201
    assert site.face.requests[0].reference_image is not None
    assert site.face.requests[0].reference_image.content == JPEG
    view = site.call("GET", f"/sessions/{answer.json['sessionId']}").json
    assert view["kind"] == "livenessWithVerify"


def test_a_view_holds_words_and_no_score_no_token_and_no_id_of_the_service(site: Site) -> None:
    session_id = site.start()["sessionId"]
    site.face.outcome = PASSES

    done = site.call("POST", f"/sessions/{session_id}/finish", json={"digest": DIGEST})
    view = site.call("GET", f"/sessions/{session_id}")

    assert (done.status, view.status) == (200, 200)
    assert done.json == view.json
    assert view.json == {
        "sessionId": session_id,
        "state": "passed",
        "kind": "liveness",
        "purpose": "default",
        "createdAt": "2026-01-01T00:00:00Z",
        "expiresAt": "2026-01-01T00:10:00Z",
        "verdict": "passed",
        "reasons": [],
        "next": "continue",
    }


def test_a_finish_before_the_result_is_told_when_to_ask_again(site: Site) -> None:
    session_id = site.start()["sessionId"]

    answer = site.call("POST", f"/sessions/{session_id}/finish", json={})
    assert (answer.status, answer.headers["Retry-After"]) == (202, "2")
    assert (answer.json["state"], answer.json["next"]) == ("awaiting_result", "wait")

    site.face.outcome = PASSES
    answer = site.call("GET", f"/sessions/{session_id}")
    assert (answer.status, answer.json["state"]) == (200, "passed")
    assert "Retry-After" not in answer.headers


def test_the_reasons_are_told_in_words(site: Site) -> None:
    session_id = site.start()["sessionId"]
    mask = Attempt(1, AttemptStatus.FAILED, error_code="FaceWithMaskDetected")
    site.face.outcome = Outcome(OutcomeStatus.ENDED, (mask,))

    view = site.call("POST", f"/sessions/{session_id}/finish").json

    assert (view["verdict"], view["reasons"]) == ("inconclusive", ["FaceWithMaskDetected"])
    assert view["next"] == "start_again"


def test_a_get_past_the_lifetime_shows_that_the_session_expired(site: Site) -> None:
    session_id = site.start()["sessionId"]
    site.clock.advance(600)

    assert site.call("GET", f"/sessions/{session_id}").json["state"] == "expired"


def test_a_list_holds_the_users_own_and_goes_page_by_page(site: Site) -> None:
    mine = {site.start()["sessionId"] for _ in range(3)}
    site.start(user="bob")

    first = site.call("GET", "/sessions?limit=2").json
    second = site.call("GET", f"/sessions?limit=2&cursor={first['nextCursor']}").json

    seen = [view["sessionId"] for view in first["sessions"] + second["sessions"]]
    assert (len(seen), set(seen), second["nextCursor"]) == (3, mine, None)
    assert site.call("GET", "/sessions?state=passed").json["sessions"] == []
    assert len(site.call("GET", "/sessions?state=ready,started").json["sessions"]) == 3


def test_a_delete_ends_the_session_and_again_does_nothing(site: Site) -> None:
    session_id = site.start()["sessionId"]

    answers = [site.call("DELETE", f"/sessions/{session_id}") for _ in range(2)]

    assert [(answer.status, answer.body) for answer in answers] == [(204, b"")] * 2
    assert site.call("GET", f"/sessions/{session_id}").json["state"] == "cancelled"
    assert site.face.sessions == set()


def test_a_head_is_a_get_without_a_body(site: Site) -> None:
    session_id = site.start()["sessionId"]

    answer = site.call("HEAD", f"/sessions/{session_id}")

    assert (answer.status, answer.body) == (200, b"")


def test_an_idempotency_key_gives_one_session(site: Site) -> None:
    key = {"Idempotency-Key": "k"}
    session_id = site.start(headers=key)["sessionId"]

    again = site.call("POST", "/sessions", json={}, headers=key)
    other = site.call("POST", "/sessions", json={"purpose": "x"}, headers=key)

    assert is_problem(again, 409, "token_already_issued", "Idempotency-Key")
    assert session_id in again.json["detail"]
    assert is_problem(other, 422, "idempotency_key_reused", "Idempotency-Key")


# --- whose session it is ------------------------------------------------------------------------

ON_ONE = [("GET", ""), ("POST", "/finish"), ("DELETE", "")]


@pytest.mark.parametrize(("method", "path"), ON_ONE)
def test_another_users_session_and_no_session_are_the_same_to_the_byte(
    site: Site, method: str, path: str
) -> None:
    session_id = site.start()["sessionId"]
    before = site.orchestrator.get(session_id, subject="alice")

    hers = site.call(method, f"/sessions/{session_id}{path}", user="bob")
    none = site.call(method, f"/sessions/{'x' * 32}{path}", user="bob")

    assert is_problem(hers, 404, "session_not_found")
    assert hers.body == none.body
    assert dict(hers.headers) == dict(none.headers)
    assert site.orchestrator.get(session_id, subject="alice") == before


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/sessions"), ("GET", "/sessions"), ("GET", "/sessions/x")]
)
def test_a_stranger_is_told_to_sign_in(site: Site, method: str, path: str) -> None:
    answer = site.call(method, path, user=None)

    assert is_problem(answer, 401, "subject_required")
    assert site.face.calls == []


UNSAFE = [("POST", "/sessions"), ("POST", "/sessions/x/finish"), ("DELETE", "/sessions/x")]


@pytest.mark.parametrize(("method", "path"), UNSAFE)
def test_another_sites_page_cannot_act_for_the_user(site: Site, method: str, path: str) -> None:
    foreign = {"Sec-Fetch-Site": "cross-site"}

    assert is_problem(site.call(method, path, headers=foreign), 403, "cross_site_request")
    assert site.face.calls == []


@pytest.mark.parametrize("where", ["same-origin", "same-site", "none"])
def test_the_sites_own_pages_can(site: Site, where: str) -> None:
    answer = site.call("POST", "/sessions", headers={"Sec-Fetch-Site": where})

    assert answer.status == 201


def test_an_operator_may_let_other_sites_in() -> None:
    site = Site(Settings(allow_cross_site=True))

    assert site.call("POST", "/sessions", headers={"Sec-Fetch-Site": "cross-site"}).status == 201


# --- when the service fails ---------------------------------------------------------------------


def test_what_the_service_refuses_is_a_problem_without_its_own_words(site: Site) -> None:
    site.face.failures["create"] = FaceRefusedError("secret detail", service_code="BadArgument")

    answer = site.call("POST", "/sessions", **image())

    assert is_problem(answer, 422, "face_refused")
    assert b"secret" not in answer.body


def test_a_service_that_is_busy_says_when_to_come_back(site: Site) -> None:
    session_id = site.start()["sessionId"]
    site.face.failures["read"] = FaceThrottledError("26 s", retry_after=25.2)

    answer = site.call("POST", f"/sessions/{session_id}/finish")

    assert is_problem(answer, 503, "face_throttled")
    assert answer.headers["Retry-After"] == "26"
    assert answer.json["retryable"] is True


def test_after_a_failure_of_the_service_the_same_call_succeeds(site: Site) -> None:
    session_id = site.start()["sessionId"]
    site.face.failures["read"] = FaceUnavailableError("unreachable")
    assert is_problem(site.call("POST", f"/sessions/{session_id}/finish"), 503, "face_unavailable")

    del site.face.failures["read"]
    site.face.outcome = PASSES
    assert site.call("POST", f"/sessions/{session_id}/finish").json["state"] == "passed"


def test_what_nobody_foresaw_is_a_500_that_tells_nothing(site: Site) -> None:
    site.face.failures["create"] = ZeroDivisionError("internal detail")

    answer = site.call("POST", "/sessions")

    assert is_problem(answer, 500, "internal_error")
    assert b"internal detail" not in answer.body


# --- what cannot be understood --------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "request_", "status", "code", "field"),
    [
        ("POST", "/nothing", {}, 404, "path_unknown", None),
        ("GET", "", {}, 404, "path_unknown", None),
        ("GET", "/", {}, 404, "path_unknown", None),
        ("GET", "/sessions/a/b/c", {}, 404, "path_unknown", None),
        ("PUT", "/sessions", {}, 405, "method_not_allowed", None),
        ("PATCH", "/sessions/x", {}, 405, "method_not_allowed", None),
        ("GET", "/sessions/x/finish", {}, 405, "method_not_allowed", None),
        (
            "POST",
            "/sessions",
            {"data": "{}", "content_type": "text/plain"},
            415,
            "unsupported_media_type",
            "Content-Type",
        ),
        (
            "POST",
            "/sessions",
            {"data": {"purpose": "x"}},
            415,
            "unsupported_media_type",
            "Content-Type",
        ),
        (
            "POST",
            "/sessions",
            {"data": "{", "content_type": "application/json"},
            400,
            "invalid_json",
            None,
        ),
        ("POST", "/sessions", {"json": [1]}, 400, "invalid_json", None),
        (
            "POST",
            "/sessions",
            {"data": b"\xff", "content_type": "application/json"},
            400,
            "invalid_json",
            None,
        ),
        (
            "POST",
            "/sessions",
            {"data": "[" * 9000, "content_type": "application/json"},
            400,
            "invalid_json",
            None,
        ),
        ("POST", "/sessions", {"json": {"purpose": 5}}, 400, "invalid_field", "purpose"),
        ("POST", "/sessions", {"json": {"purpose": "a b"}}, 400, "invalid_field", "purpose"),
        ("POST", "/sessions", {"json": {"subject": "bob"}}, 400, "unknown_field", "subject"),
        (
            "POST",
            "/sessions",
            {"data": '{"purpose":"a","purpose":"b"}', "content_type": "application/json"},
            400,
            "invalid_field",
            "purpose",
        ),
        ("POST", "/sessions", {"json": {"purpose": "x" * 20000}}, 413, "body_too_large", None),
        (
            "POST",
            "/sessions",
            form(("referenceImage", JPEG), ("referenceImage", JPEG)),
            400,
            "invalid_field",
            "referenceImage",
        ),
        ("POST", "/sessions", image(name="photo"), 400, "unknown_field", "photo"),
        (
            "POST",
            "/sessions",
            {"data": {"purpose": "x"}, "content_type": "multipart/form-data"},
            400,
            "missing_field",
            "referenceImage",
        ),
        ("POST", "/sessions", image(JPEG[:-2]), 422, "image_truncated", "referenceImage"),
        (
            "POST",
            "/sessions",
            image(b"\xff\xd8\xff"),
            422,
            "reference_image_refused",
            "referenceImage",
        ),
        (
            "POST",
            "/sessions",
            image(b"GIF89a" + bytes(6 << 20) + b";"),
            422,
            "image_too_large",
            "referenceImage",
        ),
        ("POST", "/sessions", image(bytes(7 << 20)), 413, "body_too_large", None),
        (
            "POST",
            "/sessions",
            {"json": {}, "headers": {"Idempotency-Key": "k" * 256}},
            400,
            "invalid_request",
            "Idempotency-Key",
        ),
        (
            "POST",
            "/sessions/x/finish",
            {"json": {"digest": "no hex"}},
            400,
            "invalid_field",
            "digest",
        ),
        (
            "POST",
            "/sessions/x/finish",
            {"json": {"clientError": "<b>"}},
            400,
            "invalid_field",
            "clientError",
        ),
        (
            "POST",
            "/sessions/x/finish",
            {"json": {"verdict": "passed"}},
            400,
            "unknown_field",
            "verdict",
        ),
        ("POST", "/sessions/x/finish", image(), 415, "unsupported_media_type", "Content-Type"),
        ("GET", "/sessions?limit=0", {}, 400, "invalid_request", "limit"),
        ("GET", "/sessions?limit=ten", {}, 400, "invalid_field", "limit"),
        ("GET", "/sessions?limit=1&limit=2", {}, 400, "invalid_field", "limit"),
        ("GET", "/sessions?cursor=garbage", {}, 400, "invalid_request", "cursor"),
        ("GET", "/sessions?state=maybe", {}, 400, "invalid_field", "state"),
        ("GET", "/sessions?subject=bob", {}, 400, "unknown_field", "subject"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(
    site: Site, method: str, path: str, request_: Any, status: int, code: str, field: str | None
) -> None:
    answer = site.call(method, path, **request_)

    assert is_problem(answer, status, code, field)
    assert site.face.calls == []
    if status == 405:
        assert answer.headers["Allow"]


def test_all_that_is_wrong_with_an_image_is_told_at_once(site: Site) -> None:
    answer = site.call("POST", "/sessions", **image(b"<svg>"))

    codes = [each["code"] for each in answer.json["objections"]]
    assert codes == ["image_too_small", "image_format_unknown"]


@pytest.mark.parametrize("kept", [-1, -5, 90, 20])
def test_an_upload_that_breaks_off_is_a_400(site: Site, kept: int) -> None:
    whole = image()

    answer = site.call("POST", "/sessions", **{**whole, "data": whole["data"][:kept]})

    if kept == -1:  # the last line break may be missing
        assert answer.status == 201
    else:
        assert is_problem(answer, 400, "body_broken")


def test_a_face_is_never_written_to_a_file(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a temporary file")

    for name in ("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    big = JPEG[:4] + bytes(5 << 20) + JPEG[-2:]

    assert site.call("POST", "/sessions", **image(big)).status == 201
    assert site.face.requests[0].reference_image is not None
    assert site.face.requests[0].reference_image.content == big


words = st.text(max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["GET", "POST", "DELETE", "PUT", "PATCH"]),
    path=st.sampled_from(["/sessions", "/sessions/{}", "/sessions/{}/finish", "/{}"]),
    part=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="?#"), max_size=20),
    body=st.one_of(
        st.binary(max_size=60),
        st.builds(lambda value: json.dumps(value).encode(), json_values),
        st.dictionaries(st.sampled_from(["purpose", "digest", "clientError"]), json_values).map(
            lambda value: json.dumps(value).encode()
        ),
    ),
    content_type=st.sampled_from(
        [None, "application/json", "multipart/form-data", "multipart/form-data; boundary=x", "é"]
    ),
    query=st.dictionaries(st.sampled_from(["limit", "cursor", "state", "x"]), words),
)
def test_no_request_gives_a_500(
    site: Site,
    method: str,
    path: str,
    part: str,
    body: bytes,
    content_type: str | None,
    query: dict[str, str],
) -> None:
    answer = site.call(
        method,
        path.format(part),
        data=body,
        content_type=content_type,
        query_string=query,
    )

    assert answer.status < 500
    if answer.status >= 400:
        assert answer.json["status"] == answer.status
