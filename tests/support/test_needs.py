"""That nothing is green in CI because it was skipped."""

from __future__ import annotations

import pytest

import needs

ABSENT = "no-such-thing"


def test_a_laptop_skips_what_it_cannot_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=f"no {ABSENT}"):
        needs.programs("bash", ABSENT)
    with pytest.raises(pytest.skip.Exception, match=ABSENT):
        needs.module(ABSENT)


def test_ci_fails_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=f"no {ABSENT}"):
        needs.programs("bash", ABSENT)
    with pytest.raises(ModuleNotFoundError, match=ABSENT):
        needs.module(ABSENT)


@pytest.mark.parametrize("ci", ["", "true"])
def test_what_is_there_is_used(ci: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", ci)
    needs.programs("bash")
    assert needs.module("pytest") is pytest
