"""What only the two older previews have: lists, audits, results for the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.mockface.conftest import LATER, OPTIONS, PREVIEWS, Face

if TYPE_CHECKING:
    from mockface.clock import Clock


@pytest.fixture(params=PREVIEWS)
def version(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


def ids(face: Face, query: str = "", *, verify: bool = False) -> list[str]:
    return [item["id"] for item in face.send("GET", face.paths[verify], query=query).json]


def test_lists_are_in_the_order_of_ids_and_paged(face: Face) -> None:
    created = sorted(face.create().json["sessionId"] for _ in range(5))
    face.create(verify=True)

    assert ids(face) == created
    assert ids(face, "top=2") == created[:2]
    assert ids(face, f"start={created[1]}&top=2") == created[2:4]
    assert ids(face, f"start={created[1].upper()}&top=2") == created[2:4]
    assert ids(face, f"start={created[4]}") == []
    assert ids(face, "start=00000000-0000-0000-0000-000000000000") == created
    assert len(ids(face, verify=True)) == 1


@pytest.mark.parametrize(
    "query",
    [
        *("top=0", "top=1001", "top=-1", "top=x", "top="),
        *("start=" + "a" * 65, "start=x", "start=1"),
    ],
)
def test_a_bad_page_is_named(face: Face, query: str) -> None:
    answer = face.send("GET", face.paths[False], query=query)
    assert (answer.status, answer.code) == (400, "BadArgument")
    assert query.partition("=")[0] in answer.json["error"]["message"]


def test_audits_are_paged_by_the_entry_s_id(face: Face) -> None:
    created = face.create().json
    for _ in range(3):
        face.attempt(created["authToken"])
    path = f"{face.paths[False]}/{created['sessionId']}/audit"

    assert [e["id"] for e in face.send("GET", path).json] == [3, 2, 1]
    assert [e["id"] for e in face.send("GET", path, query="start=1&top=1").json] == [2]
    assert face.send("GET", path, query="start=3").json == []
    assert face.send("GET", path, query="start=x").code == "BadArgument"
    assert face.send("GET", f"{face.paths[False]}/other/audit").code == "SessionNotFound"


def test_an_audit_entry_says_what_the_client_sent(face: Face) -> None:
    created = face.create().json
    face.attempt(created["authToken"], user_agent="A browser", client_request_id="mine")

    entry = face.result(created["sessionId"]).json["result"]

    assert entry["clientRequestId"] == "mine"
    assert entry["receivedDateTime"] == "2026-01-01T12:00:00.0000000+00:00"
    assert entry["request"]["url"] == f"/face/{face.version}/detectLiveness/singleModal"
    assert entry["request"]["userAgent"] == "A browser"
    assert entry["request"]["contentLength"] > 100
    assert entry["response"]["statusCode"] == 200
    assert entry["response"]["body"]["target"]["fileName"] == "video.webp"


def test_the_client_sees_the_verdict_only_when_it_may(face: Face) -> None:
    told = face.create(sendResultsToClient=True).json
    untold = face.create().json

    answer = face.attempt(told["authToken"])

    assert answer.status == 200
    stored = face.result(told["sessionId"]).json["result"]["response"]["body"]
    assert answer.json == stored
    silent = face.attempt(untold["authToken"])
    assert (silent.status, silent.response.body) == (204, b"")


def test_the_expired_flag_follows_the_token(face: Face, clock: Clock) -> None:
    created = face.create(authTokenTimeToLiveInSeconds=60).json
    assert face.result(created["sessionId"]).json["sessionExpired"] is False
    clock.advance(60)
    assert face.result(created["sessionId"]).json["sessionExpired"] is True


def test_both_sides_may_name_the_device_as_the_official_example_does(face: Face) -> None:
    both = OPTIONS | {"deviceCorrelationIdSetInClient": True}
    assert face.post_json(face.paths[False], both).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/detectLiveness-sessions"),
        ("GET", "/detectLiveness/singleModal/sessions"),
        ("GET", "/detectLiveness/singleModal/sessions/some/audit"),
        ("POST", "/detectLiveness/singleModal/sessions"),
    ],
)
@pytest.mark.parametrize("version", LATER)
def test_later_versions_have_none_of_it(face: Face, method: str, path: str) -> None:
    answer = face.send(method, path)
    assert (answer.status, answer.code) == (404, "404")
