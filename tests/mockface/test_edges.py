"""Where bounds lie, what is kept and what is put back: a running emulator, called over HTTP."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from tests.mockface.conftest import CLIENT, FORM, GA, NOON, OPTIONS, PREVIEW, form

from mockface import (
    Clock,
    ControlClient,
    ControlError,
    LivenessDetectionError,
    Mockface,
    SimulatedClient,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "edges"
OLDEST, AUDITED, NEWEST = "v1.1-preview.1", "v1.2-preview.1", "v1.3-preview.1"
HOURS = 3600
START, ATTEMPT = "/session/start", CLIENT[False]


@pytest.fixture
def mock() -> Iterator[Mockface]:
    with Mockface(seed="edges", clock=Clock(frozen_at=NOON)) as running:
        yield running


@pytest.fixture
def hand(mock: Mockface) -> ControlClient:
    return ControlClient(mock.url, KEY)


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


@dataclass(frozen=True)
class Caller:
    """The app server and its client, in one version of the API."""

    mock: Mockface
    version: str = "v1.2"

    def send(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        connection = http.client.HTTPConnection(urlsplit(self.mock.url).netloc, timeout=20)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, f"/face/{self.version}{path}", body, named)
            answer = connection.getresponse()
            return Reply(answer.status, answer.read())
        finally:
            connection.close()

    def ask(self, method: str, path: str, body: object = None) -> Reply:
        """A call of the app server."""
        data = b"" if body is None else json.dumps(body).encode()
        kind = {"content_type": "application/json"} if data else {}
        return self.send(method, path, data, ocp_apim_subscription_key=KEY, **kind)

    @property
    def sessions(self) -> str:
        return (GA if self.version in {"v1.2", NEWEST} else PREVIEW)[False]

    def create(self, **options: Any) -> Reply:
        fields = {name: value for name, value in (OPTIONS | options).items() if value is not None}
        return self.ask("POST", self.sessions, fields)

    def created(self, **options: Any) -> tuple[str, str]:
        """The id and the token of a new session."""
        made = self.create(**options).json
        return made["sessionId"], made["authToken"]

    def result(self, session_id: str) -> Any:
        return self.ask("GET", f"{self.sessions}/{session_id}").json

    def start(self, token: str, **ids: str) -> Reply:
        named = {"authorization": f"Bearer {token}", "content_type": "application/json"}
        return self.send("POST", START, json.dumps(ids).encode(), **named)

    def attempt(self, token: str, **headers: str) -> Reply:
        named = {"authorization": f"Bearer {token}", "content_type": FORM}
        body = form({"Metadata": b"{}"}, {"Content": b"RIFF"})
        return self.send("POST", ATTEMPT, body, **named, **headers)


# --- whose device it is ---------------------------------------------------------------------------


def test_a_start_that_names_only_the_user_keeps_the_device(mock: Mockface) -> None:
    app = Caller(mock, NEWEST)
    _, token = app.created(
        deviceCorrelationId=None,
        deviceCorrelationIdSetInClient=True,
        userCorrelationIdSetInClient=True,
    )
    assert app.start(token, userCorrelationId="alice").code == "InvalidDeviceCorrelationId"
    assert app.start(token, deviceCorrelationId="phone").status == 200

    assert app.start(token, userCorrelationId="alice").status == 200
    assert app.attempt(token).status == 204


def test_the_device_that_the_client_named_last_counts(mock: Mockface) -> None:
    app = Caller(mock, OLDEST)
    session_id, token = app.created(deviceCorrelationId=None, deviceCorrelationIdSetInClient=True)

    for device in ("phone", "tablet"):
        assert app.start(token, deviceCorrelationId=device).status == 200
        assert app.result(session_id)["deviceCorrelationId"] == device


# --- session images -------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [True, False])
def test_only_a_decided_attempt_has_a_session_image(mock: Mockface, *, wanted: bool) -> None:
    app = Caller(mock, AUDITED)
    session_id, token = app.created(deviceCorrelationId="mock-mask,real", enableSessionImage=wanted)
    assert [app.attempt(token).status for _ in range(2)] == [400, 204]

    audit = app.ask("GET", f"{app.sessions}/{session_id}/audit").json

    kept = {entry["id"]: "sessionImageId" in entry for entry in audit}
    assert kept == {1: False, 2: wanted}


def test_a_session_image_is_there_for_48_hours_and_no_longer(
    mock: Mockface, hand: ControlClient
) -> None:
    app = Caller(mock)
    session_id, token = app.created(enableSessionImage=True)
    app.attempt(token)
    image_id = app.result(session_id)["results"]["attempts"][0]["result"]["sessionImageId"]

    hand.clock.advance(48 * HOURS - 0.001)
    assert app.ask("GET", f"/sessionImages/{image_id}").status == 200
    hand.clock.freeze("2026-01-03T12:00:00Z")
    gone = app.ask("GET", f"/sessionImages/{image_id}")

    assert (gone.status, gone.code) == (404, "SessionNotFound")


# --- abuse monitoring -----------------------------------------------------------------------------


def test_a_session_is_not_flagged_for_its_own_attempts(mock: Mockface) -> None:
    app = Caller(mock, NEWEST)
    options = {"deviceCorrelationId": "mock-abuse", "numberOfClientAttemptsAllowed": 2}
    first, token = app.created(**options)
    for _ in range(2):
        app.attempt(token)
    second, token = app.created(**options)
    for _ in range(2):
        app.attempt(token)

    def others(session_id: str) -> list[set[tuple[str, int]]]:
        return [
            {
                (other["sessionId"], other["attemptId"])
                for other in attempt["abuseMonitoringResult"]["otherFlaggedSessions"]
            }
            for attempt in app.result(session_id)["results"]["attempts"]
        ]

    assert others(first) == [set(), set()]
    assert others(second) == [{(first, 1), (first, 2)}] * 2


# --- what the client sends ------------------------------------------------------------------------


def test_a_token_is_good_however_long_the_address_in_it() -> None:
    with Mockface(public_url=f"http://localhost/{'a' * 8000}") as mock:
        app = Caller(mock)
        _, token = app.created()
        assert len(token) > 8000

        assert app.attempt(token).status == 204
        assert app.attempt(token[:-1]).status == 401


@pytest.mark.parametrize("sent", [500, 501, 2000])
def test_an_audit_keeps_500_characters_of_a_header(mock: Mockface, sent: int) -> None:
    app = Caller(mock, AUDITED)
    session_id, token = app.created()
    said = "".join(chr(ord("a") + number % 26) for number in range(sent))

    app.attempt(token, user_agent=said, client_request_id=said)

    entry = app.result(session_id)["result"]
    assert entry["request"]["userAgent"] == said[:500]
    assert entry["clientRequestId"] == said[:500]


def test_a_delayed_attempt_holds_its_session_all_the_time(
    mock: Mockface, hand: ControlClient
) -> None:
    # Given an attempt whose answer is held back for long
    app = Caller(mock)
    _, token = app.created()
    hand.add_fault("attempt", delay=60)
    with closing(http.client.HTTPConnection(urlsplit(mock.url).netloc, timeout=20)) as waiting:
        body = form({"Metadata": b"{}"}, {"Content": b"RIFF"})
        named = {"Authorization": f"Bearer {token}", "Content-Type": FORM}
        waiting.request("POST", f"/face/v1.2{ATTEMPT}", body, named)
        hand.journal.wait_for(route="attempt")

        # When the emulator tidies up, which it does every second and by no clock that can be moved
        until = time.monotonic() + 1.6
        statuses = []
        while time.monotonic() < until:
            statuses.append(app.start(token).status)
            time.sleep(0.1)

    # Then the session is held all the same
    assert set(statuses) == {409}


# --- faults and limits ----------------------------------------------------------------------------


def test_a_delayed_answer_comes_too_late_for_an_impatient_client(
    mock: Mockface, hand: ControlClient
) -> None:
    tokens = [Caller(mock).created()[1] for _ in range(2)]
    hand.add_fault("session-start", delay=60)

    impatient = SimulatedClient(timeout=0.2)
    with pytest.raises(LivenessDetectionError, match="ServerRequestTimedOut"):
        impatient.start(tokens[0])
    assert SimulatedClient().start(tokens[1]).digest  # the fault was for one answer


def test_a_call_counts_for_exactly_the_length_of_its_window(
    mock: Mockface, hand: ControlClient
) -> None:
    app = Caller(mock)
    hand.clock.freeze("2026-01-01T12:00:00Z")
    hand.tier = "F0"
    assert [app.create().status for _ in range(21)] == [200] * 20 + [429]

    hand.clock.freeze("2026-01-01T12:00:59.999Z")
    assert app.create().status == 429
    hand.clock.freeze("2026-01-01T12:01:00Z")
    assert [app.create().status for _ in range(21)] == [200] * 20 + [429]


def test_calls_do_not_count_before_they_were_made(mock: Mockface, hand: ControlClient) -> None:
    # Given a limit that is used up
    app = Caller(mock)
    hand.tier = "F0"
    assert [app.create().status for _ in range(21)] == [200] * 20 + [429]

    # When the clock is put back, then there is all of it again
    hand.clock.freeze("2026-01-01T11:59:50Z")
    assert [app.create().status for _ in range(21)] == [200] * 20 + [429]


def test_a_queue_takes_all_of_what_is_added_or_nothing(hand: ControlClient) -> None:
    for number in (5_000, 4_999):
        hand.enqueue(*["mask"] * number)

    with pytest.raises(ControlError, match="10000"):
        hand.enqueue("spoof", "spoof")

    assert hand.queue() == ["mask"] * 9_999
    assert len(hand.enqueue("spoof")) == 10_000
