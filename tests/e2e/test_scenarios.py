"""Whatever the service reports, only a real face of the right person passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mockface.scenarios import SCENARIOS

if TYPE_CHECKING:
    from emulated import Emulated

PASSED = {
    "real",
    "late",  # once the result is there
    "low-quality-reference",  # the default policies take every image that the service takes
    "abuse",  # no API version that the toolkit speaks reports it
    "realface-wrong-case",  # the service's own documentation has both spellings
}
REJECTED_IMAGES = {"no-face-in-reference", "two-faces-in-reference"}


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - REJECTED_IMAGES))
def test_only_a_real_face_of_the_right_person_is_paid(site: Emulated, name: str) -> None:
    # Given a session with verification that follows the scenario
    site.control.scenario = name
    started = site.start("payout", transaction="payout 7")

    # When the user makes an attempt, and the front end reads until there is a result
    report = site.attempt(started["authToken"])
    status = site.finish(started["sessionId"], report).status_code
    views = [site.read(started["sessionId"]) for _ in range(4)]

    # Then the payout is made only if nothing speaks against it
    assert status in {200, 202}
    assert (views[-1]["state"] == "passed") is (name in PASSED)
    response = site.pay(7, started["sessionId"])
    assert (response.status_code, site.paid) == ((200, [7]) if name in PASSED else (403, []))


@pytest.mark.parametrize("name", sorted(REJECTED_IMAGES))
def test_reference_image_without_one_face_is_rejected_at_the_start(
    site: Emulated, name: str
) -> None:
    site.control.scenario = name

    response = site.call("POST", "/sessions", json={"purpose": "payout", "transaction": "payout 7"})

    assert (response.status_code, response.json()["field"]) == (422, "referenceImage")
