"""What a test tells the emulator by mistake: no slip lets it go on with something else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mockface import (
    ControlClient,
    ControlError,
    LivenessDetectionError,
    Mockface,
    SimulatedClient,
)
from mockface.images import portrait
from mockface.remote.sending import in_process
from mockface.transport import AsyncMockfaceTransport, MockfaceTransport

KEY = "a-key"


@pytest.fixture(scope="module")
def mock() -> Mockface:
    return Mockface(seed="misuse")


@pytest.fixture
def mine(mock: Mockface) -> ControlClient:
    return mock.control(KEY)


@pytest.mark.parametrize("wrong", ["creat", "delte*", "CREATE", "None"])
def test_a_route_that_cannot_be_called_is_no_expectation(mine: ControlClient, wrong: str) -> None:
    with pytest.raises(ControlError, match=r"route must fit one of: create, .+ \* is allowed"):
        mine.journal.expect(route=wrong, at_most=0)
    with pytest.raises(ControlError, match="route must fit one of"):
        mine.journal.count(route=wrong)


def test_an_expectation_that_nothing_can_meet_is_refused(mine: ControlClient) -> None:
    with pytest.raises(ControlError, match="atLeast must not be more than atMost"):
        mine.journal.expect(at_least=2, at_most=1)
    with pytest.raises(ControlError, match="has a status that is neither a str nor a number"):
        mine.journal.expect(status=None, at_most=0)
    with pytest.raises(ControlError, match="There is no rout; there is: route, method"):
        mine.journal.count(rout="create")


def test_a_misspelt_option_draws_no_good_portrait(mine: ControlClient) -> None:
    with pytest.raises(ControlError, match=r"There is no blurr; there is: faces, mask"):
        mine.portrait("alice", blurr=0.8)
    with pytest.raises(ControlError, match=r"ends in \.jpg or \.png"):
        mine.portrait("alice", "gif")  # type: ignore[arg-type]


def called(mock: Mockface, times: int) -> ControlClient:
    """A hand on a tenant that has asked for its sessions so many times."""
    ask = in_process(mock.service.handle)
    for _ in range(times):
        url = "http://localhost/face/v1.2/detectLiveness-sessions/x"
        ask("DELETE", url, {"Ocp-Apim-Subscription-Key": KEY})
    return mock.control(KEY)


def test_a_journal_that_is_off_answers_no_question() -> None:
    journal = called(Mockface(journal_entries=0), 1).journal

    for ask in (
        journal.count,
        journal.wait_for,
        lambda **words: journal.expect(at_most=0, **words),
    ):
        with pytest.raises(ControlError, match="The journal is off"):
            ask(route="delete")
    assert journal.entries() == []


def test_what_the_journal_has_forgotten_is_not_taken_for_never() -> None:
    # Given a journal with room for two calls, and three
    mock = Mockface(journal_entries=2)
    hand = called(mock, 3)

    with pytest.raises(ControlError, match="has forgotten calls"):
        hand.journal.expect(route="create", at_most=0)
    with pytest.raises(ControlError, match="has forgotten calls"):
        mock.control().journal.expect(route="create", at_most=0)

    # Then what is there still counts, and so do another key's calls and a new start
    assert hand.journal.expect(route="delete", at_least=2) == 2
    assert hand.tenant("other").journal.expect(at_most=0) == 0
    hand.journal.clear()
    assert hand.journal.expect(at_most=0) == 0


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "scenario", {"scenario": "spoof"}),
        ("POST", "faults", {"route": "create", "delay": 1}),
        ("POST", "queue", {"scenarios": ["spoof"]}),
        ("PUT", "pace", {"pace": "at-once"}),
        ("POST", "clock", {"advance": 1}),
        ("PUT", "limit", {"tier": "F0"}),
        ("POST", "journal/verify", {"expect": {}}),
    ],
)
def test_a_misspelt_field_is_not_passed_over(
    mine: ControlClient, method: str, path: str, body: dict[str, object]
) -> None:
    with pytest.raises(ControlError, match="There is no staus; there is: "):
        mine.call(method, path, body | {"staus": 429})


def test_a_misspelt_attribute_is_not_taken(mine: ControlClient, mock: Mockface) -> None:
    with pytest.raises(AttributeError):
        mine.scenaro = "spoof"  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        mine.queue = ["spoof"]  # type: ignore[method-assign,assignment]
    with pytest.raises(AttributeError):
        mock.scenario = "spoof"  # type: ignore[attr-defined]


def test_an_answer_that_is_no_json_comes_as_bytes(mine: ControlClient) -> None:
    assert mine.call("GET", "portraits/alice.jpg") == portrait("alice")


@pytest.mark.parametrize("wrong", [timedelta(seconds=5), float("nan"), b"5"])
def test_what_cannot_be_sent_is_named(mine: ControlClient, wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"^advance must be made of .+ to be sent as JSON: "):
        mine.clock.advance(wrong)


@pytest.mark.parametrize("wrong", [5, -1.5])
def test_a_moment_that_is_a_number_is_refused(mine: ControlClient, wrong: Any) -> None:
    with pytest.raises(ControlError, match="freeze must be a time such as"):
        mine.clock.freeze(wrong)


@pytest.mark.parametrize("wrong", ["", "127.0.0.1:8178", "ftp://127.0.0.1", "http://[::1", None])
def test_a_place_that_is_no_url_is_named(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"^url must be .+ http://127\.0\.0\.1:8178"):
        ControlClient(wrong)


@pytest.mark.parametrize("wrong", [None, 5, "a\nb", " a", "日本", "k" * 257])
def test_a_key_that_is_none_speaks_for_nobody(mock: Mockface, wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"^key must be "):
        ControlClient("http://localhost", wrong)
    with pytest.raises(ValueError, match=r"^key must be "):
        mock.control(wrong)


# --- the simulated client -------------------------------------------------------------------------


def test_an_unknown_scenario_is_refused_before_the_attempt(mine: ControlClient) -> None:
    with pytest.raises(ValueError, match=r"Unknown scenario 'spof'; the known ones are: real, "):
        SimulatedClient(scenario="spof")
    with pytest.raises(ValueError, match=r"Unknown scenario 'spof'"):
        mine.attempt("any.token.here", "spof")
    with pytest.raises(
        TypeError, match="scenario must be the name of a scenario, or None, not int"
    ):
        SimulatedClient(scenario=5)  # type: ignore[arg-type]


def test_what_is_no_token_and_no_picture_is_named(mine: ControlClient) -> None:
    with pytest.raises(TypeError, match=r"token must be the session's authToken, .+ not NoneType"):
        mine.attempt(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"content must be the bytes of a file, .+ not str"):
        mine.attempt("", content="alice.jpg")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="verify_image must be the bytes of a file"):
        mine.attempt("", verify_image="alice.jpg")  # type: ignore[arg-type]


TOKEN = "e30.eyJraW5kIjoibGl2ZW5lc3MifQ.e30"


def test_a_refused_attempt_says_to_people_what_was_answered(mine: ControlClient) -> None:
    with pytest.raises(LivenessDetectionError) as refused:
        mine.attempt(TOKEN)

    assert str(refused.value) == "InvalidToken"
    assert refused.value.__notes__ == [
        "session/start was answered with 401: The session token is not valid."
    ]


def test_a_service_that_is_not_there_is_the_cause() -> None:
    with pytest.raises(LivenessDetectionError, match="Unexpected") as failed:
        SimulatedClient(endpoint="http://127.0.0.1:1").start(TOKEN)

    assert isinstance(failed.value.__cause__, ConnectionRefusedError)


def test_a_broken_token_is_in_no_traceback() -> None:
    with pytest.raises(LivenessDetectionError, match="Unexpected") as failed:
        SimulatedClient(endpoint="http://127.0.0.1:1").start(f"{TOKEN}\n")

    assert failed.value.__suppress_context__
    assert failed.value.__cause__ is None


# --- portraits and transports ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image_format", "GIF"),
        ("faces", "1"),
        ("faces", 1.0),
        ("mask", "yes"),
        ("glasses", None),
        ("blur", "much"),
        ("blur", float("nan")),
        ("light", []),
        ("turned", None),
        ("turned", 46),
    ],
)
def test_a_wrong_option_of_a_portrait_is_named(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{name} must be "):
        portrait("alice", **{name: value})
    with pytest.raises(ValueError, match=r"^seed must be a string or an integer"):
        portrait(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("transport", [MockfaceTransport, AsyncMockfaceTransport])
def test_a_transport_ends_in_an_emulator(
    mine: ControlClient, transport: type[MockfaceTransport | AsyncMockfaceTransport]
) -> None:
    with pytest.raises(TypeError, match=r"^mock must be a mockface\.Mockface: .+ ControlClient\.$"):
        transport(mine)  # type: ignore[arg-type]
