"""The hand on the emulator from Python, over HTTP and within the process."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.mockface.conftest import NOON, OPTIONS, PREVIEW

from mockface import (
    Clock,
    ControlClient,
    ControlError,
    LivenessDetectionError,
    Mockface,
    SimulatedClient,
)
from mockface.images import portrait
from mockface.people import person
from mockface.remote.sending import Reply, Send, in_process, over_http
from mockface.wire import Delivery, Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "a-key"
JSON = {"Content-Type": "application/json", "Ocp-Apim-Subscription-Key": KEY}


@pytest.fixture(scope="module")
def listening() -> Iterator[Mockface]:
    with Mockface(clock=Clock(frozen_at=NOON), seed="hand") as mock:
        yield mock


@pytest.fixture(params=["over HTTP", "in process"])
def send(request: pytest.FixtureRequest, listening: Mockface) -> Send:
    return over_http() if request.param == "over HTTP" else in_process(listening.service.handle)


@pytest.fixture
def emulator(listening: Mockface, send: Send) -> Iterator[ControlClient]:
    """A hand on the whole."""
    hand = ControlClient(f"{listening.url}/", send=send)
    yield hand
    hand.reset()


@pytest.fixture
def mine(emulator: ControlClient) -> ControlClient:
    """A hand on one tenant."""
    return emulator.tenant(KEY)


def face(hand: ControlClient, send: Send, method: str, path: str = "", body: Any = None) -> Reply:
    data = b"" if body is None else json.dumps(body).encode()
    return send(method, f"{hand.url}/face/v1.2-preview.1{PREVIEW[False]}{path}", JSON, data)


@pytest.fixture
def created(mine: ControlClient, send: Send) -> dict[str, str]:
    made: dict[str, str] = json.loads(face(mine, send, "POST", body=OPTIONS).body)
    return made


def decision(hand: ControlClient, send: Send, session: dict[str, str]) -> Any:
    read = json.loads(face(hand, send, "GET", f"/{session['sessionId']}").body)
    return read["result"]["response"]["body"]["livenessDecision"]


def test_it_says_what_there_is(emulator: ControlClient) -> None:
    about = emulator.about()

    assert "v1.2" in about["apiVersions"]
    assert {"real", "spoof"} <= about["scenarios"].keys()


def test_what_attempts_will_be(
    emulator: ControlClient, mine: ControlClient, send: Send, created: dict[str, str]
) -> None:
    # Given a scenario for the tenant, a queue, and a pin
    mine.scenario = "spoof"
    assert (mine.scenario, emulator.scenario) == ("spoof", "real")
    assert mine.enqueue("mask", "uncertain") == mine.queue() == ["mask", "uncertain"]
    mine.pin(created["sessionId"], "uncertain")

    # When attempts are made, then the pin counts, and above it what the attempt says
    mine.attempt(created["authToken"])
    assert decision(mine, send, created) == "uncertain"
    success = mine.attempt(created["authToken"], "real")
    assert decision(mine, send, created) == "realface"
    assert len(success.digest) == 64
    with pytest.raises(LivenessDetectionError, match="FaceWithMaskDetected"):
        mine.attempt(created["authToken"], scenario="mask")


def test_the_tenant_s_time(
    emulator: ControlClient, mine: ControlClient, created: dict[str, str]
) -> None:
    assert mine.clock.now() == datetime(2026, 1, 1, 12, tzinfo=UTC)

    assert mine.clock.advance(600) == datetime(2026, 1, 1, 12, 10, tzinfo=UTC)

    with pytest.raises(LivenessDetectionError, match="InvalidToken"):
        mine.attempt(created["authToken"])
    assert emulator.clock.now() == datetime(2026, 1, 1, 12, tzinfo=UTC)
    later = datetime(2030, 1, 1, tzinfo=UTC)
    assert mine.clock.freeze(later) == mine.clock.freeze() == later
    assert mine.clock.freeze("2031-01-01T00:00:00") == later.replace(year=2031)
    assert mine.clock.frozen
    assert mine.clock.resume() >= later
    assert not mine.clock.frozen


def test_what_goes_wrong(emulator: ControlClient, mine: ControlClient, send: Send) -> None:
    fault = mine.add_fault("create*", status=429, retry_after=7, body="gateway")
    other = mine.add_fault(delay=0, count=0)

    assert mine.faults() == [fault, other]
    refused = face(mine, send, "POST", body=OPTIONS)
    assert (refused.status, refused.headers["retry-after"]) == (429, "7")
    assert json.loads(refused.body)["error"]["statusCode"] == 429
    assert mine.faults() == [other]
    lost = mine.add_fault(reset=True, probability=0.5, seconds=9, cut_after=1, bytes_per_second=2)
    assert (lost["reset"], lost["probability"], lost["until"] is None) == (True, 0.5, False)
    mine.drop_fault(other["id"])
    assert mine.faults() == [lost]
    mine.clear_faults()
    assert mine.faults() == []
    mine.tier = "F0"
    assert (mine.tier, emulator.tier) == ("F0", "none")


def test_what_has_happened(mine: ControlClient, created: dict[str, str]) -> None:
    assert [session["sessionId"] for session in mine.sessions()] == [created["sessionId"]]
    mine.reset()
    assert mine.sessions() == []


def test_the_journal(mine: ControlClient, send: Send, created: dict[str, str]) -> None:
    face(mine, send, "GET", "/no-such-session")

    assert [entry["route"] for entry in mine.journal.entries()] == ["create", "result"]
    whole, *others = mine.journal.entries(route="create", status="2xx", bodies=True)
    assert others == []
    assert whole["request"]["body"] == OPTIONS
    assert mine.journal.count(status=404) == 1
    waited = mine.journal.wait_for(session=created["sessionId"])
    assert [entry["route"] for entry in waited] == ["create"]
    with pytest.raises(AssertionError, match=r"route 'delete' was to come 2 times within 0"):
        mine.journal.wait_for(count=2, timeout=0, route="delete")
    mine.journal.clear()
    assert mine.journal.entries() == []


def test_what_the_journal_is_held_to(
    mine: ControlClient, send: Send, created: dict[str, str]
) -> None:
    assert mine.journal.expect(route="create", body={"livenessOperationMode": "Passive"}) == 1
    assert mine.journal.expect(route="delete", at_most=0) == 0

    with pytest.raises(AssertionError) as unmet:
        mine.journal.expect(route="create", status="4xx", at_least=2)

    assert str(unmet.value).splitlines() == [
        "A call with route 'create', status '4xx' was to come at least 2 times; it came 0 times.",
        f"The nearest is POST /face/v1.2-preview.1{PREVIEW[False]} -> 200:",
        "  status is 200, not '4xx'",
    ]
    with pytest.raises(AssertionError, match=r"at most 0 times; it came once\.$"):
        mine.journal.expect(route="create", at_most=0)
    mine.journal.clear()
    with pytest.raises(AssertionError, match=r"it came 0 times\.$"):
        mine.journal.expect(route="create")


def test_people_and_their_portraits(mine: ControlClient) -> None:
    assert mine.person("alice & bob")["name"]
    assert mine.portrait("alice").startswith(b"\xff\xd8")
    assert mine.portrait(1, "png").startswith(b"\x89PNG")
    bad = mine.portrait("alice", mask=True, glasses="sunglasses", blur=0.8, light="dark", turned=40)
    assert bad == portrait(
        "alice", mask=True, glasses="sunglasses", blur=0.8, light="dark", turned=40
    )
    with pytest.raises(ControlError, match="light must be one of"):
        mine.portrait("alice", light="dim")


def test_the_environment_for_the_code_under_test(
    emulator: ControlClient, mine: ControlClient, listening: Mockface
) -> None:
    assert mine.environment == {"VISION_ENDPOINT": f"{listening.url}/", "VISION_KEY": KEY}
    assert emulator.environment == {"VISION_ENDPOINT": f"{listening.url}/"}
    assert KEY not in repr(mine)


@pytest.mark.parametrize("seed", ["alice.smith", "alice@example.com", "tests/a.py::b[c]", ".", "é"])
def test_a_seed_may_be_any_text(mine: ControlClient, seed: str) -> None:
    assert mine.portrait(seed) == portrait(seed)
    assert mine.portrait(seed, "png") == portrait(seed, "PNG")
    assert mine.person(seed)["id"] == person(seed).id


def test_a_refusal_says_why(emulator: ControlClient, mine: ControlClient) -> None:
    with pytest.raises(ControlError, match="wrong-person") as unknown:
        mine.scenario = "spof"
    assert (unknown.value.status, unknown.value.code) == (400, "BadArgument")
    with pytest.raises(ControlError, match="not found"):
        mine.pin("no-such-session", "real")
    with pytest.raises(ControlError, match="no GET /_mock/nothing"):
        emulator.call("GET", "nothing", query={"most": 1})


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ControlError, match=rf"No mockface answers at http://127.0.0.1:{port}:"):
        ControlClient(f"http://127.0.0.1:{port}").about()


@pytest.mark.parametrize(
    "other", [Response(200, b"<html>"), Response(204), Response(502)], ids=repr
)
def test_somebody_else_there(other: Response) -> None:
    hand = ControlClient("http://name:word@host", send=in_process(lambda _: other))
    with pytest.raises(ControlError, match="at http://host is no mockface"):
        hand.about()


@pytest.mark.parametrize(
    ("response", "name"),
    [
        (Response(204, delay=9), "ServerRequestTimedOut"),
        (Response(200, b"{}", delivery=Delivery(bytes_per_second=0.1)), "ServerRequestTimedOut"),
        (Response(200, b"{}", delivery=Delivery(cut_after=1)), "Unexpected"),
        (Response(200, b"{}", delivery=Delivery(reset=True)), "Unexpected"),
    ],
    ids=["too late", "too slow", "cut off", "reset"],
)
def test_the_way_within_the_process_fails_as_http_does(response: Response, name: str) -> None:
    seen: list[Request] = []

    def handle(request: Request) -> Response:
        seen.append(request)
        return response

    token = "e30.eyJraW5kIjoibGl2ZW5lc3MifQ.e30"
    camera = SimulatedClient(endpoint="https://user@name/x/", send=in_process(handle, timeout=0))

    with pytest.raises(LivenessDetectionError, match=name):
        camera.start(token)

    assert seen[0].path == "/x/face/v1.2/session/start"
    assert seen[0].origin == "https://name"


def test_a_mockface_gives_a_hand_without_listening() -> None:
    mock = Mockface(keys=[KEY], seed="hand")
    create = in_process(mock.service.handle)

    mock.control(KEY).scenario = "spoof"

    url = f"https://any.example/face/v1.2-preview.1{PREVIEW[False]}"
    made = json.loads(create("POST", url, JSON, json.dumps(OPTIONS).encode()).body)
    mock.control().attempt(made["authToken"])
    assert mock.control(KEY).sessions()[0]["attempts"] == ["spoof"]
