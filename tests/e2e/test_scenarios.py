"""Whatever the emulator can be told to answer, only a real face of the right person passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from forms import form
from mockface.scenarios import SCENARIOS

if TYPE_CHECKING:
    from emulated import Emulated

PASSED = {
    "real",
    "late",  # once it is there
    "low-quality-reference",  # the default rules take every picture that the service takes
    "abuse",  # no version that the toolkit speaks tells of it
    "realface-wrong-case",  # the service's own documents have both spellings
}
REFUSED = {"no-face-in-reference", "two-faces-in-reference"}


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - REFUSED))
def test_only_a_real_face_of_the_right_person_passes(path: Emulated, name: str) -> None:
    # Given a session with a reference image that goes by the scenario
    path.hand.scenario = name
    started = path.start(path.hand.portrait("alice"))

    # When the person has tried, and the application has asked until there is an answer
    report = path.attempt(started["authToken"])
    answers = [path.finish(started["sessionId"], report)]
    answers += [path.call("GET", f"/sessions/{started['sessionId']}") for _ in range(4)]

    # Then it passes only if nothing speaks against it
    assert {answer.status_code for answer in answers} <= {200, 202}
    assert (answers[-1].json["state"] == "passed") is (name in PASSED)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_reference_image_without_one_face_is_told_at_once(path: Emulated, name: str) -> None:
    path.hand.scenario = name

    picture = path.hand.portrait("alice")
    refused = path.call("POST", "/sessions", **form(("referenceImage", picture)))

    assert refused.status_code == 422
