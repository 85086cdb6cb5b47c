"""Every row of the table of scenarios, alone and together, as the app server and the client see it.

Who has the last word on a scenario is in `test_control.py`.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.mockface.conftest import OPTIONS, Face, alice

from mockface.api.models import DECISIONS
from mockface.engine import Engine
from mockface.scenarios import (
    DEFAULT,
    LONGEST_NAME,
    SCENARIOS,
    Decision,
    Failure,
    Finding,
    Step,
)
from mockface.service import Service


@pytest.fixture
def version() -> str:
    """The code is the same in all versions; test_all_versions.py walks through them."""
    return "v1.2"


REFUSED = [
    name
    for name, row in SCENARIOS.items()
    if row.step(1).reference in (Finding.NO_FACE, Finding.TWO_FACES)
]
ACCEPTED = [name for name in SCENARIOS if name not in REFUSED]


def run(face: Face, name: str, *, verify: bool = True, reads: int = 3) -> tuple[Any, Any]:
    """A session with one attempt, its result read until even a late one is there."""
    created = face.create(
        verify=verify, deviceCorrelationId=f"mock-{name}", returnVerifyImageHash=True
    ).json
    attempt = face.attempt(created["authToken"], verify=verify)
    results = [face.result(created["sessionId"], verify=verify) for _ in range(reads)]
    return attempt, results[-1].json


@pytest.mark.parametrize("verify", [False, True])
@pytest.mark.parametrize("name", ACCEPTED)
def test_each_row_ends_as_it_says(face: Face, name: str, *, verify: bool) -> None:
    step = SCENARIOS[name].step(1)

    attempt, result = run(face, name, verify=verify)

    if isinstance(step.outcome, Failure):
        assert face.outcome(result) == step.outcome.code
        assert (attempt.status, attempt.code) == (400, step.outcome.code)
    elif step.outcome is Decision.UNSAID:
        assert "livenessDecision" not in str(result)
        assert attempt.status == 204
    else:
        assert face.outcome(result) == DECISIONS[step.outcome]
        assert attempt.status == 204


@pytest.mark.parametrize("name", ACCEPTED)
def test_only_some_rows_look_like_a_good_verification(face: Face, name: str) -> None:
    """A client may be sure of these; for all other rows there is something to be seen."""
    attempt, result = run(face, name)

    true_hash = sha256(alice()).hexdigest().upper()
    decided = not isinstance(SCENARIOS[name].step(1).outcome, Failure)
    good = (
        decided
        and "livenessDecision" in str(result)
        and face.outcome(result) == "realface"
        and face.newest(result).get("verifyImageHash") == true_hash
        and face.newest(result)["digest"] == attempt.headers["x-mockface-digest"]
        and "verifyResult" in str(result)
        and face.match(result)["isIdentical"]
    )
    # The quality is for the create to judge, late comes, and abuse is not in this version.
    assert good is (name in {"real", "low-quality-reference", "late", "abuse"})


@pytest.mark.parametrize(
    ("name", "found"), [("no-face-in-reference", "no face"), ("two-faces-in-reference", "2 faces")]
)
def test_a_reference_image_without_one_face_is_refused(face: Face, name: str, found: str) -> None:
    refused = face.create(verify=True, deviceCorrelationId=f"mock-{name}")
    plain = face.create(deviceCorrelationId=f"mock-{name}")

    assert (refused.status, refused.code) == (400, "InvalidImage")
    assert found in refused.json["error"]["message"]
    assert plain.status == 200
    assert len(face.send("GET", "/_mock/sessions").json["sessions"]) == 1


def test_a_refused_create_uses_up_the_queued_scenario(face: Face) -> None:
    face.post_json("/_mock/queue", {"scenarios": ["no-face-in-reference", "spoof"]})

    assert face.create(verify=True).status == 400
    assert face.outcome(face.run(verify=True)[1].json) == "spoofface"


def test_a_broken_reference_image_is_told_before_any_scenario(face: Face) -> None:
    face.post_json("/_mock/queue", {"scenarios": ["two-faces-in-reference"]})

    assert face.create(verify=True, image=b"tiny").code == "InvalidImageSize"
    assert face.send("GET", "/_mock/queue").json == {"scenarios": ["two-faces-in-reference"]}


def test_a_reference_image_of_low_quality_is_reported(face: Face) -> None:
    qualities = [
        str(face.create(verify=True, deviceCorrelationId=f"mock-{name}").json).count("'low'")
        for name in ("low-quality-reference", "real")
    ]
    assert qualities == [1, 0]


def test_what_is_found_in_the_reference_image_of_a_device(service: Service) -> None:
    # Given a preview session that waits for the device's image
    face = Face(service, "v1.2-preview.1")
    created = face.post_json(face.paths[True], OPTIONS).json

    # When the device sends it
    answers = [
        face.attempt(
            created["authToken"],
            verify=True,
            files={"VerifyImage": alice()},
            x_mockface_scenario=name,
        )
        for name in ("no-face-in-reference", "low-quality-reference")
    ]

    # Then it is judged like the app server's, and no refusal counts as an attempt
    assert [answer.status for answer in answers] == [400, 204]
    assert answers[0].code == "InvalidImage"
    result = face.result(created["sessionId"], verify=True).json["result"]
    assert result["id"] == 1
    image = result["response"]["body"]["verifyResult"]["verifyImage"]
    assert image["qualityForRecognition"] == "low"


def test_names_are_put_together(face: Face) -> None:
    attempt, result = run(face, "wrong-person+digest-mismatch:kiosk 7")

    assert face.match(result)["isIdentical"] is False
    assert face.newest(result)["digest"] != attempt.headers["x-mockface-digest"]


MASK = "FaceWithMaskDetected"


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        ("fail-then-succeed", [MASK, "realface", "realface"]),
        ("mask,real", [MASK, "realface", "realface"]),
        ("spoof,real", ["spoofface", "realface", "realface"]),
        ("fail-then-succeed,spoof", [MASK, "realface", "spoofface"]),
        ("real+spoof+uncertain", ["uncertain"] * 3),
        ("spoof+fail-then-succeed", [MASK, "spoofface", "spoofface"]),
        ("fail-then-succeed+spoof", ["spoofface"] * 3),
    ],
)
def test_what_one_attempt_after_the_other_ends_in(
    face: Face, name: str, outcomes: list[str]
) -> None:
    created = face.create(deviceCorrelationId=f"mock-{name}").json
    for _ in range(3):
        face.attempt(created["authToken"])

    attempts = face.result(created["sessionId"]).json["results"]["attempts"]

    found = [
        each["error"]["code"] if "error" in each else each["result"]["livenessDecision"]
        for each in reversed(attempts)
    ]
    assert found == outcomes


@pytest.mark.parametrize(
    "name",
    ["", ",", "+", "real,", "real+", "spof", "real,spof", "REAL", " real", "real=1", "late=",
     "late=5", "late=5 reads", "late=-1s", "late=99999999reads", "late=999999999s", "late=1e3s",
     "late=infs", "late=at once", "late=٣s"],
)  # fmt: skip
def test_what_is_no_scenario_is_told_with_what_is(face: Face, name: str) -> None:
    chosen = face.put_json("/_mock/scenario", {"scenario": name})
    in_band = face.create(deviceCorrelationId=f"mock-{name}")

    assert (chosen.status, chosen.code) == (400, "BadArgument")
    assert in_band.code == "BadArgument"
    if name:
        assert "known ones are: real, spoof" in chosen.json["error"]["message"]
    assert "known ones are: real, spoof" in in_band.json["error"]["message"]
    assert "begin with something else" in in_band.json["error"]["message"]


def test_a_name_is_as_long_as_it_may_be(face: Face) -> None:
    names = [",".join(["real"] * count) for count in (51, 52)]
    answers = [face.put_json("/_mock/scenario", {"scenario": name}).status for name in names]
    assert len(names[0]) <= LONGEST_NAME < len(names[1])
    assert answers == [200, 400]


@given(st.lists(st.lists(st.sampled_from(sorted(SCENARIOS)), min_size=1, max_size=3), min_size=1))
def test_every_combination_of_rows_is_a_scenario(names: list[list[str]]) -> None:
    name = ",".join("+".join(together) for together in names)
    answer = Face(Service(Engine()), "v1.2").put_json("/_mock/scenario", {"scenario": name})
    assert answer.status == (200 if len(name) <= LONGEST_NAME else 400)


@given(st.text(max_size=80))
def test_any_text_is_a_scenario_or_told_so(text: str) -> None:
    answer = Face(Service(Engine()), "v1.2").put_json("/_mock/scenario", {"scenario": text})
    assert answer.status == 200 or answer.code == "BadArgument"


def test_a_device_id_of_no_scenario_leaves_the_default(face: Face) -> None:
    for device in ("5519838a", "spoof", "Mock-spoof"):
        assert face.outcome(face.run(deviceCorrelationId=device)[1].json) == "realface"


def test_the_default_is_a_row_that_changes_nothing() -> None:
    assert SCENARIOS[DEFAULT].steps == (Step(),)


# --- abuse monitoring ----------------------------------------------------------------------------


@pytest.fixture
def watched(service: Service) -> Face:
    return Face(service, "v1.3-preview.1")


def monitored(face: Face, name: str, **options: Any) -> tuple[str, Any]:
    """A session of the version that monitors abuse: its id, and what its attempt says of it."""
    session_id, result = face.run(deviceCorrelationId=f"mock-{name}", **options)
    return session_id, result.json["results"]["attempts"][0].get("abuseMonitoringResult")


def test_abuse_names_the_other_sessions_of_the_same_tenant(watched: Face) -> None:
    # Given a session in which abuse was flagged, and two in which it was not
    first, alone = monitored(watched, "abuse", enableSessionImage=True)
    monitored(watched, "real")
    monitored(Face(watched.service, watched.version, key="another"), "abuse")
    assert alone == {"isAbuseDetected": True, "otherFlaggedSessions": []}

    # When it is flagged again
    second, again = monitored(watched, "spoof+abuse")

    # Then the one names the other
    (other,) = again["otherFlaggedSessions"]
    assert (other["sessionId"], other["attemptId"]) == (first, 1)
    assert again["isAbuseDetected"] is True
    assert other["sessionImageId"].startswith("A")
    assert monitored(watched, "real")[1]["isAbuseDetected"] is False
    watched.delete(first)
    (left,) = monitored(watched, "abuse")[1]["otherFlaggedSessions"]
    assert left == {"attemptId": 1, "sessionId": second}


def test_abuse_names_ten_others_at_most(watched: Face) -> None:
    flagged = [monitored(watched, "abuse") for _ in range(12)]
    newest = [session_id for session_id, _ in flagged[-2:-12:-1]]
    named = flagged[-1][1]["otherFlaggedSessions"]
    assert [other["sessionId"] for other in named] == newest


def test_abuse_is_not_seen_where_monitoring_is_off(watched: Face) -> None:
    body = json.dumps({"livenessAbuseMonitoring": {"enabled": False}}).encode()
    watched.send("PATCH", "/settings", body, content_type="application/json")

    assert monitored(watched, "abuse")[1] is None


@pytest.mark.parametrize("version", ["v1.1-preview.1", "v1.2-preview.1", "v1.2"])
def test_abuse_is_a_plain_real_face_in_older_versions(service: Service, version: str) -> None:
    face = Face(service, version)
    for _ in range(2):
        _, result = face.run(deviceCorrelationId="mock-abuse")
        assert face.outcome(result.json) == "realface"
        assert b"isAbuse" not in result.response.body
