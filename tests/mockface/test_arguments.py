"""What Python code hands to `Mockface` and `Clock`: what is wrong is named before anything runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from mockface import Clock, Mockface
from mockface.arguments import check
from mockface_command import run


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("keys", "any-key"),  # would accept each of its letters
        ("keys", [""]),
        ("keys", []),
        ("keys", ["schlüssel"]),
        ("keys", ["k" * 257]),
        ("keys", 5),
        ("seed", 1),
        ("scenario", None),
        ("scenario", ["real"]),
        ("pace", "quick"),
        ("pace", 3),
        ("clock", 5.0),
        ("vision", "eyes"),
        ("vision", []),
        ("bearer", ""),
        ("bearer", "a\nb"),
        ("public_url", "localhost:80"),
        ("public_url", "http://"),
        ("public_url", "http://a:b"),
        ("host", ""),
        ("port", "8178"),
        ("port", 65_536),
        ("threads", 0),
        ("threads", True),
        ("loose", "no"),
        ("tier", "f0"),
        ("journal_entries", -1),
        ("journal_bytes", None),
        ("allow_remote", 1),
    ],
)
def test_a_wrong_argument_is_named(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=rf"^{name} must be .+\.$"):
        Mockface(**cast("Any", {name: value}))


def test_the_defaults_and_the_largest_are_taken() -> None:
    check(keys=("a", "b"), seed="", port=65_535, threads=256, tier="S0", public_url="https://a/b")
    check(keys=None, seed=None, clock=None, bearer=None, public_url=None, tier=None)


@pytest.mark.parametrize("wrong", ["2026-01-31", datetime(2026, 1, 31, tzinfo=UTC), True, -1, 1e18])
def test_a_clock_is_told_seconds(wrong: Any) -> None:
    with pytest.raises(ValueError, match=r"^frozen_at must be .+ timestamp\(\)\.$"):
        Clock(frozen_at=wrong)
    with pytest.raises(ValueError, match=r"^at must be .+ timestamp\(\)\.$"):
        Clock().freeze(wrong)


@pytest.mark.parametrize("wrong", ["60", None, True])
def test_a_clock_moves_by_a_number(wrong: Any) -> None:
    with pytest.raises(ValueError, match="as a number"):
        Clock().advance(wrong)


@pytest.mark.parametrize(
    "wrong", ["http://", "http://[::1", "http://host:port", "ftp://host", "a b"]
)
def test_the_commands_want_a_whole_url(wrong: str) -> None:
    done = run("clock", "--endpoint", wrong)

    assert done.exit_code == 2
    assert "url must be where the emulator is" in done.stderr
