"""What the emulator remembers of requests and answers, and what can be asked of it."""

from __future__ import annotations

import hashlib
import json
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from tests.mockface.conftest import DEVICE, KEY, Face

from mockface.engine import Engine
from mockface.images import portrait
from mockface.journal.entries import Journal, entry
from mockface.service import Service
from mockface.wire import Request, Response

if TYPE_CHECKING:
    from mockface.clock import Clock


@pytest.fixture
def version() -> str:
    """The code is the same in all versions; test_all_versions.py walks through them."""
    return "v1.2"


def read(face: Face, query: str = "", place: str = "journal") -> Any:
    answer = face.send("GET", f"/_mock/{place}", query=query)
    assert answer.status == 200, answer.json
    return answer.json


def routes(face: Face, query: str = "") -> list[str]:
    return [each["route"] for each in read(face, query)["entries"]]


def test_a_whole_entry_shows_what_was_said_and_no_secret(face: Face) -> None:
    image = portrait(1)
    created = face.create(verify=True, image=image)
    token = created.json["authToken"]
    face.attempt(token, verify=True)

    create, attempt = read(face, "bodies=true")["entries"]

    assert create["sessionId"] == attempt["sessionId"] == created.json["sessionId"]
    assert create["request"]["body"]["Parameters"]["deviceCorrelationId"] == DEVICE
    assert create["request"]["body"]["VerifyImage"] == {
        "filename": "VerifyImage.jpg",
        "bytes": len(image),
        "sha256": hashlib.sha256(image).hexdigest(),
    }
    assert create["answer"]["body"]["sessionId"] == created.json["sessionId"]
    assert create["answer"]["body"]["authToken"].endswith(f"...{token[-4:]}")
    shown = attempt["request"]["headers"]["authorization"]
    assert shown.startswith("Bearer eyJ")
    assert shown.endswith(f"...{token[-4:]}")
    everything = json.dumps([create, attempt])
    assert token not in everything
    assert KEY not in everything


@pytest.mark.parametrize("place", ["/nowhere/{}", "/x?subscription-key={}"])
def test_secrets_are_hidden_wherever_they_stand(face: Face, place: str) -> None:
    face.key = "0123456789abcdef0123456789abcdef"
    path, _, query = place.format(face.key).partition("?")
    token = face.create().json["authToken"]
    face.send("POST", path, f"{token} {face.key}".encode(), query=query, content_type="text/plain")

    shown = json.dumps(read(face, "bodies=true"))
    everything = shown + json.dumps(
        Face(face.service, face.version, key=None)
        .send("GET", "/_mock/journal", query="bodies=true")
        .json
    )

    assert face.key not in everything
    assert token not in everything
    assert "0123..." in everything


@pytest.mark.parametrize(
    "misplaced",
    [
        {"query": "subscription-key={}"},
        {"query": "top=1&access_token={}"},
        {"headers": {"api-key": "{}"}},
        {"headers": {"x-functions-key": "{}"}},
    ],
    ids=str,
)
def test_a_key_in_the_wrong_place_is_hidden(face: Face, misplaced: dict[str, Any]) -> None:
    # Given a caller that shows its key as another service wants it, and not as this one does
    key = "0123456789abcdef0123456789abcdef"
    query = misplaced.get("query", "").format(key)
    headers = {name: value.format(key) for name, value in misplaced.get("headers", {}).items()}

    # When it calls
    stranger = Face(face.service, face.version, key=None)
    stranger.send("GET", face.paths[False] + "/some", query=query, **headers)

    # Then the journal shows that there was one, and no more
    shown = json.dumps(stranger.send("GET", "/_mock/journal", query="bodies=true").json)
    assert key not in shown
    assert "0123.." in shown


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["create", "attempt", "result", "result", "delete"]),
        ("route=result", ["result", "result"]),
        ("route=re*&status=200", ["result"]),
        ("status=4xx", ["result"]),
        ("status=404", ["result"]),
        ("code=SessionNotFound", ["result"]),
        ("method=DELETE", ["delete"]),
        ("path=*/detectLiveness/singleModal", ["attempt"]),
        ("session=other", []),
        ("session={session}", ["create", "attempt", "result", "delete"]),
        ("requestId={request}", ["create"]),
        ("since=3", ["result", "delete"]),
        ("since=1&limit=2", ["attempt", "result"]),
        ("limit=2", ["result", "delete"]),
        ("since=2026-01-01T12:00:10Z", ["result", "delete"]),
    ],
)
def test_what_one_can_ask_by(face: Face, clock: Clock, query: str, expected: list[str]) -> None:
    created = face.create()
    session_id = created.json["sessionId"]
    face.attempt(created.json["authToken"])
    face.result(session_id)
    clock.advance(10)
    face.result("unknown")
    face.delete(session_id)
    query = query.format(session=session_id, request=created.headers["apim-request-id"])

    assert routes(face, query) == expected
    if "limit" not in query:
        assert read(face, query, "journal/count") == {"count": len(expected)}


@pytest.mark.parametrize(
    "query",
    [
        *("rout=create", "limit=0", "limit=x", "since=soon", "timeout=61", "count=0"),
        *("route=craete", "status=4XX", "status=all", "method=post"),
    ],
)
def test_a_wrong_question_is_refused(face: Face, query: str) -> None:
    for place in ("journal", "journal/count", "journal/wait"):
        assert face.send("GET", f"/_mock/{place}", query=query).code == "BadArgument"


def test_one_entry_by_its_number(face: Face) -> None:
    face.create()
    (line,) = read(face)["entries"]

    whole = read(face, place=f"journal/{line['id']}")

    assert whole == read(face, "bodies=true")["entries"][0]
    assert face.send("GET", "/_mock/journal/99").status == 404
    assert face.send("POST", "/_mock/journal/99").status == 404


def test_a_tenant_reads_its_own(face: Face, service: Service) -> None:
    face.create()
    other = Face(service, face.version, key="b")
    other.run()

    assert routes(face) == ["create"]
    assert routes(other) == ["create", "attempt", "result"]
    assert len(routes(Face(service, face.version, key=None))) == 4
    face.send("DELETE", "/_mock/journal")
    assert routes(face) == []
    assert len(routes(other)) == 3


# --- waiting ------------------------------------------------------------------------------------


def test_waiting_ends_when_enough_has_happened(face: Face, service: Service) -> None:
    face.create()
    found: list[Any] = []
    waits = Thread(
        target=lambda: found.append(read(face, "route=create&count=2&timeout=60", "journal/wait"))
    )
    waits.start()

    Face(service, face.version, key="b").create()
    face.send("GET", "/nowhere")
    created = face.create().json
    waits.join()

    (said,) = found
    assert (said["met"], said["count"]) == (True, 2)
    assert said["entries"][-1]["sessionId"] == created["sessionId"]


def test_waiting_ends_when_time_runs_out(face: Face) -> None:
    face.create()
    said = read(face, "route=create&count=2&timeout=0.01", "journal/wait")
    assert (said["met"], said["count"]) == (False, 1)


# --- verification -------------------------------------------------------------------------------


def verify(face: Face, **told: object) -> Any:
    return face.post_json("/_mock/journal/verify", told).json


def test_an_expectation_that_is_met(face: Face) -> None:
    face.run()
    face.create(authTokenTimeToLiveInSeconds=900)

    assert verify(face, expect={"route": "create"}, atLeast=2, atMost=2)["met"]
    assert verify(face, expect={"route": "delete"}, atMost=0) == {"met": True, "count": 0}
    body = {"livenessOperationMode": "P*", "authTokenTimeToLiveInSeconds": 900}
    assert verify(face, expect={"body": body}) == {"met": True, "count": 1}
    by_answer = {"answer": {"sessionId": "*"}, "headers": {"Content-Type": "application/json"}}
    assert verify(face, expect=by_answer)["count"] == 2
    assert verify(face, expect={"route": "create"}, atMost=1) == {"met": False, "count": 2}


def test_an_expectation_that_nothing_met_shows_the_nearest(face: Face) -> None:
    face.run()
    face.create(authTokenTimeToLiveInSeconds=600)
    face.send("GET", "/nowhere")

    said = verify(
        face,
        expect={
            "route": "create",
            "method": "POST",
            "status": 200,
            "body": {"authTokenTimeToLiveInSeconds": 900, "deviceCorrelationId": DEVICE},
        },
    )

    assert (said["met"], said["count"]) == (False, 0)
    assert said["nearest"]["differences"] == [
        {"field": "body.authTokenTimeToLiveInSeconds", "expected": 900, "actual": 600}
    ]
    assert said["nearest"]["entry"]["request"]["body"]["authTokenTimeToLiveInSeconds"] == 600


@pytest.mark.parametrize(
    ("expected", "field", "actual"),
    [
        ({"route": "delete"}, "route", "create"),
        ({"status": "5xx"}, "status", 200),
        ({"headers": {"Content-Type": "text/*"}}, "headers.Content-Type", "application/json"),
        ({"headers": {"X-Missing": "*"}}, "headers.X-Missing", None),
        ({"body": {"enableSessionImage": 1}}, "body.enableSessionImage", True),
        ({"body": []}, "body", {"enableSessionImage": True}),
        ({"query": {"top": "3"}}, "query.top", "2"),
        ({"fault": 1}, "fault", None),
    ],
    ids=str,
)
def test_how_an_entry_differs(
    face: Face, expected: dict[str, Any], field: str, actual: object
) -> None:
    body = json.dumps(
        {"livenessOperationMode": "Passive", "deviceCorrelationId": DEVICE}
        | {"enableSessionImage": True}
    ).encode()
    face.send("POST", face.paths[False], body, query="top=2", content_type="application/json")

    (difference,) = verify(face, expect=expected)["nearest"]["differences"]

    assert difference["field"] == field
    assert difference["expected"] == next(iter(_leaves(expected)))
    if field != "body":
        assert difference["actual"] == actual


def _leaves(value: Any) -> Any:
    if not isinstance(value, dict):
        yield value
        return
    for each in value.values():
        yield from _leaves(each)


def test_nothing_at_all_is_near_to_nothing(face: Face) -> None:
    assert verify(face, expect={"route": "create"}) == {"met": False, "count": 0, "nearest": None}


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"expect": []},
        {"expect": {"rout": "create"}},
        {"expect": {"route": "create"}, "atLeast": -1},
        {"expect": {"route": "create"}, "timeout": 61},
        {"expect": {"route": "create"}, "atmost": 0},
        {"expect": {"route": "craete"}, "atMost": 0},
        {"expect": {"route": 1}, "atMost": 0},
        {"expect": {"status": "4XX"}, "atMost": 0},
        {"expect": {"status": None}, "atMost": 0},
        {"expect": {"status": True}, "atMost": 0},
        {"expect": {"method": "post"}, "atMost": 0},
    ],
)
def test_a_wrong_expectation_is_refused(face: Face, told: object) -> None:
    assert face.post_json("/_mock/journal/verify", told).code == "BadArgument"


# --- bounds -------------------------------------------------------------------------------------


def an_entry(body: bytes = b"", answer: bytes = b"{}", content_type: str = "text/plain") -> Any:
    return entry(
        Request("POST", "/x", headers={"content-type": content_type}, body=body),
        Response(200, answer, {"Content-Type": content_type}),
        at=0.0,
        tenant_id="t",
        route="create",
        session_id="",
        request_id="r",
        fault=None,
    )


def test_entries_are_bounded_by_number_and_by_bytes() -> None:
    few, small = Journal(most_entries=10), Journal(most_bytes=20_000)
    for _ in range(100):
        few.add(an_entry())
        small.add(an_entry(body=bytes(1500)))

    assert [each.id for each in few.entries()] == list(range(91, 101))
    assert 5 < len(small.entries()) < 20
    assert small.size <= 20_000
    small.clear()
    assert small.size == 0


def test_a_journal_of_0_entries_keeps_none(version: str) -> None:
    journal = Journal(most_entries=0)

    Face(Service(Engine(), journal=journal), version).create()

    assert (journal.entries(), journal.size) == ([], 0)


@pytest.mark.parametrize("content_type", ["image/jpeg", "multipart/form-data; boundary=b", ""])
def test_what_is_large_becomes_its_hash(content_type: str) -> None:
    data = (
        b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n" + bytes(5_000_000) + b"\r\n--b--"
    )
    kept = an_entry(body=data, answer=data, content_type=content_type)
    assert kept.size < 2000
    assert len(json.dumps(kept.asked)) < 300
    assert kept.answered["sha256"] == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("body", [b"\xff\xfe", b"NaN", b"[" * 1999, b'"\\ud800"', b"null"])
def test_any_body_can_be_shown(face: Face, body: bytes) -> None:
    face.send("POST", face.paths[False], body, content_type="application/json")
    assert len(read(face, "bodies=true")["entries"]) == 1


def test_any_name_can_be_asked_for(face: Face) -> None:
    face.create()
    for odd in ("[", "[a-z]*", "é", "\x00", "{}", "*" * 400):
        assert routes(face, f"path={quote(odd)}") == (["create"] if set(odd) == {"*"} else [])


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/face/v9/x"), ("PUT", "/face/v1.2/detectLiveness-sessions")]
)
def test_a_call_that_is_no_operation_stands_in_its_callers_journal(
    face: Face, service: Service, method: str, path: str
) -> None:
    token = face.create().json["authToken"]
    for headers in ({"ocp-apim-subscription-key": KEY}, {"authorization": f"Bearer {token}"}):
        service.handle(Request(method, path, headers=headers))

    assert [each["path"] for each in read(face, "status=404")["entries"]] == [path, path]
    assert len(service.engine.tenants()) == 1


def test_a_route_without_a_kind_means_both(face: Face) -> None:
    face.create()
    face.create(verify=True)

    assert routes(face, "route=create") == ["create", "create-with-verify"]
    assert routes(face, "route=create-with-verify") == ["create-with-verify"]


def test_an_expected_query_is_compared_as_it_was_meant(face: Face) -> None:
    face.send("GET", "/detectLiveness-sessions/x", query="a=b%20c&empty=")

    assert verify(face, expect={"query": {"a": "b c", "empty": ""}})["met"] is True


def test_at_most_waits_for_calls_that_come_late(face: Face, service: Service) -> None:
    late = Thread(target=Face(service, face.version).create)
    late.start()

    told = verify(face, expect={"route": "create"}, atMost=0, timeout=10)

    late.join()
    assert told == {"met": False, "count": 1}
