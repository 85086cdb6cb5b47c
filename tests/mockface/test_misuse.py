"""What a test tells the emulator by mistake: no slip lets it go on with something else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mockface import ControlClient, ControlError, Mockface
from mockface.images import portrait

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
    with pytest.raises(ControlError, match="has a status that is no text and no number"):
        mine.journal.expect(status=None, at_most=0)
    with pytest.raises(ControlError, match="There is no rout; there is: route, method"):
        mine.journal.count(rout="create")


def test_a_misspelt_option_draws_no_good_portrait(mine: ControlClient) -> None:
    with pytest.raises(ControlError, match=r"There is no blurr; there is: faces, mask"):
        mine.portrait("alice", blurr=0.8)
    with pytest.raises(ControlError, match=r"ends in \.jpg or \.png"):
        mine.portrait("alice", "gif")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "scenario", {"scenario": "spoof"}),
        ("POST", "faults", {"route": "create", "delay": 1}),
        ("PUT", "pace", {"pace": "at-once"}),
        ("POST", "clock", {"advance": 1}),
        ("PUT", "limit", {"tier": "F0"}),
        ("POST", "snapshot", {"name": "one"}),
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
