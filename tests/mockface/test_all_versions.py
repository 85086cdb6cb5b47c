"""One walk through every version: whatever the other tests try in one of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.mockface.conftest import KEY, OPTIONS, Face, form

from mockface import SimulatedClient
from mockface.images import portrait
from mockface.remote.sending import in_process
from mockface.scenarios import SCENARIOS

if TYPE_CHECKING:
    from mockface.service import Service


@pytest.mark.parametrize("verify", [False, True])
def test_a_session_lives_from_its_create_to_its_delete(face: Face, *, verify: bool) -> None:
    created = face.create(verify=verify, enableSessionImage=True, returnVerifyImageHash=True).json
    session_id, token = created["sessionId"], created["authToken"]
    assert face.result(session_id, verify=verify).json["status"] == "NotStarted"

    # The front end begins, fails once, and succeeds
    bearer: Any = {"authorization": f"Bearer {token}"}
    assert face.send("POST", "/session/start", **bearer).status == 200
    masked = face.attempt(token, verify=verify, x_mockface_scenario="mask")
    assert (masked.status, masked.code) == (400, "FaceWithMaskDetected")
    real = face.attempt(token, verify=verify)
    assert face.send("POST", "/session/attempt/end", **bearer).status == 200

    # The app server sees it
    result = face.result(session_id, verify=verify).json
    assert face.outcome(result) == "realface"
    newest = face.newest(result)
    assert newest["digest"] == real.headers["x-mockface-digest"]
    assert ("sessionImageId" in newest) is face.knows_images
    if verify:
        assert face.match(result)["isIdentical"] is True
    if face.preview:
        entries = face.send("GET", f"{face.paths[verify]}/{session_id}/audit").json
        assert [entry["id"] for entry in entries] == [2, 1]
        (listed,) = face.send("GET", face.paths[verify]).json
        assert listed["id"] == session_id

    # And it is gone after the delete
    assert face.delete(session_id, verify=verify).status in (200, 204)
    assert face.result(session_id, verify=verify).code == "SessionNotFound"
    assert face.attempt(token, verify=verify).code == "UnsupportedFeature"


def test_every_scenario_comes_out(face: Face) -> None:
    for name, scenario in SCENARIOS.items():
        created = face.create(verify=True, numberOfClientAttemptsAllowed=2)
        token = created.json["authToken"]
        answer = face.attempt(token, verify=True, x_mockface_scenario=name)
        code = getattr(scenario.step(1).outcome, "code", None)
        assert answer.status == (400 if code else 204), name
        assert code is None or answer.code == code


def test_a_wrong_request_has_its_code(face: Face) -> None:
    wrong: Any = (
        ("livenessOperationMode", "Active", "InvalidLivenessOperationMode"),
        ("authTokenTimeToLiveInSeconds", 59, "InvalidTokenLifetime"),
        ("deviceCorrelationId", "x" * 65, "InvalidDeviceCorrelationId"),
        ("deviceCorrelationIdSetInClient", "true", "BadArgument"),
    )
    for field, value, code in wrong:
        for verify in (False, True):
            answer = face.create(verify=verify, **{field: value})
            assert (answer.status, answer.code) == (400, code)
            assert field in answer.json["error"]["message"]
    assert face.post_json(face.paths[False], []).code == "InvalidRequestBody"
    assert face.create(verify=True, image=b"x" * 2000).code == "InvalidImage"
    assert Face(face.service, face.version, key=None).create().code == "401"


def test_both_kinds_of_forms_are_read(face: Face) -> None:
    flat = {name: str(value).encode() for name, value in OPTIONS.items()}
    nested = {"Parameters": json.dumps(OPTIONS).encode()}
    for texts, name in ((flat, "verifyImage"), (nested, "VerifyImage")):
        body = form(texts, {name: portrait(1)})
        kind = "multipart/form-data; boundary=frontier"
        assert face.send("POST", face.paths[True], body, content_type=kind).status == 200


def test_faults_tiers_and_the_journal_know_the_operations(face: Face) -> None:
    face.post_json("/_mock/faults", {"route": "create", "status": 503})
    face.put_json("/_mock/limit", {"tier": "F0"})

    statuses = [face.create(verify=verify).status for verify in (True, *[False] * 20)]

    assert statuses == [503, *[200] * 19, 429]
    entries = face.send("GET", "/_mock/journal", query="route=create").json["entries"]
    assert [entry["status"] for entry in entries] == statuses


def test_the_simulated_client_makes_an_attempt(service: Service, face: Face) -> None:
    created = face.create(deviceCorrelationId=None, deviceCorrelationIdSetInClient=True).json
    client = SimulatedClient(
        api_version=face.version, device_correlation_id="d", send=in_process(service.handle)
    )

    success = client.start(created["authToken"])

    assert face.newest(face.result(created["sessionId"]).json)["digest"] == success.digest
    assert face.key == KEY
