"""`mockface scenario` and `serve --pace`, against an emulator that runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mockface import LivenessDetectionError, Mockface
from mockface.scenarios import SCENARIOS
from mockface_command import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mockface.remote.control_client import ControlClient


@pytest.fixture(scope="module")
def mock() -> Iterator[Mockface]:
    with Mockface(seed="scenario command") as running:
        yield running


@pytest.fixture
def hand(mock: Mockface, monkeypatch: pytest.MonkeyPatch) -> ControlClient:
    from mockface.remote.control_client import ControlClient

    everything = ControlClient(mock.url)
    everything.reset()
    monkeypatch.setenv("MOCKFACE_ENDPOINT", mock.url)
    monkeypatch.setenv("MOCKFACE_KEY", "a-key")
    return everything.tenant("a-key")


class Told:
    """Runs the command and reads what it shows."""

    def __call__(self, *arguments: str) -> Any:
        done = run("scenario", *arguments)
        assert done.exit_code == 0
        return json.loads(done.stdout)

    def refused(self, *arguments: str) -> tuple[int, str]:
        done = run("scenario", *arguments)
        return done.exit_code, done.stderr


@pytest.fixture
def told(hand: ControlClient) -> Told:
    return Told()


def test_the_list(told: Told) -> None:
    said = told()
    assert told("list") == said
    assert said["scenario"] == "real"
    assert list(said["scenarios"]) == list(SCENARIOS)


def test_a_scenario_is_set_for_the_tenant_of_the_key(told: Told, hand: ControlClient) -> None:
    assert told("set", "spoof+late") == {"scenario": "spoof+late"}
    assert hand.scenario == "spoof+late"
    assert hand.tenant("other").scenario == "real"
    assert told("set", "uncertain", "--key", "other") == {"scenario": "uncertain"}
    assert hand.tenant("other").scenario == "uncertain"


def test_scenarios_are_queued_and_shown(told: Told, hand: ControlClient) -> None:
    assert told("queue", "spoof", "mask,real") == {"scenarios": ["spoof", "mask,real"]}
    assert told("queue", "late=3s") == told("queue")
    assert hand.queue() == ["spoof", "mask,real", "late=3s"]


def create(mock: Mockface) -> dict[str, str]:
    import requests

    created: dict[str, str] = requests.post(
        f"{mock.url}/face/v1.2/detectLiveness-sessions",
        json={"livenessOperationMode": "Passive", "deviceCorrelationId": "phone"},
        headers={"Ocp-Apim-Subscription-Key": "a-key"},
        timeout=10,
    ).json()
    return created


def test_a_session_is_pinned_and_paced(told: Told, hand: ControlClient, mock: Mockface) -> None:
    created = create(mock)
    session = created["sessionId"]

    assert told("pin", session, "mask") == {"sessionId": session, "scenario": "mask"}
    told("pace", "9reads", "--session", session)

    with pytest.raises(LivenessDetectionError, match="FaceWithMaskDetected"):
        hand.attempt(created["authToken"])
    assert hand.sessions()[0]["progress"] == "started"
    told("pace", "at-once", "--session", session)
    assert hand.sessions()[0]["progress"] == "running"


def test_the_pace(told: Told, hand: ControlClient) -> None:
    assert told("pace") == {"pace": "at-once"}
    assert told("pace", "2.50s") == {"pace": "2.5s"}
    assert hand.pace == "2.5s"
    hand.pace = "1read"
    assert told("pace") == {"pace": "1reads"}


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (("set", "spof"), 1, "known ones are: real, spoof"),
        (("queue", "real", "spof"), 1, "known ones are"),
        (("pin", "no such?session", "real"), 1, "not found"),
        (("pace", "1s", "--session", "none"), 1, "not found"),
        (("pace", "soon"), 1, "must be at-once"),
        (("sett",), 2, "No such command 'sett'"),
        (("set",), 2, "Missing argument 'NAME'"),
        (("pace", "--session", "none"), 2, "name the new PACE"),
    ],
)
def test_what_is_refused_is_told(
    told: Told, arguments: tuple[str, ...], status: int, word: str
) -> None:
    said = told.refused(*arguments)
    assert said[0] == status
    assert word in said[1]


def test_serve_wants_a_pace() -> None:
    done = run("serve", "--pace", "slow")

    assert done.exit_code == 2
    assert "pace must be at-once" in done.stderr


def test_a_mockface_with_a_pace() -> None:
    assert str(Mockface(pace="3reads").engine.common.pace) == "3reads"
    with pytest.raises(ValueError, match="must be at-once"):
        Mockface(pace="soon")
