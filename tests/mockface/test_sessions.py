"""The life of a session, in every version."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from tests.mockface.conftest import CLIENT, FORM, LATER, OPTIONS, PREVIEWS, Face, form

from mockface.images import portrait

if TYPE_CHECKING:
    from mockface.clock import Clock
    from mockface.service import Service

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
DIGEST = re.compile(r"[0-9A-F]{64}")
HOURS = 3600.0


def test_a_new_session_waits(face: Face) -> None:
    created = face.create()

    assert created.status == 200
    assert UUID.fullmatch(created.json["sessionId"])
    assert created.json["authToken"].count(".") == 2
    result = face.result(created.json["sessionId"]).json
    assert result["status"] == "NotStarted"
    assert face.outcome(result) is None


def test_the_answer_to_a_create_has_the_shape_of_its_version(face: Face) -> None:
    created = face.create(verify=True).json

    if face.preview:
        assert set(created) == {"sessionId", "authToken", "verifyImage"}
        assert set(created["verifyImage"]) == {"faceRectangle", "qualityForRecognition"}
    else:
        more = {"isAbuseMonitoringEnabled"} if face.version == "v1.3-preview.1" else set()
        common = {"sessionId", "authToken", "status", "modelVersion", "results"}
        assert set(created) == common | more
        assert created["modelVersion"] == "2024-11-15"
        assert created["results"]["attempts"] == []
        reference = created["results"]["verifyReferences"][0]
        assert set(reference) == {"referenceType", "faceRectangle", "qualityForRecognition"}


@pytest.mark.parametrize(
    ("scenario", "outcome", "status"),
    [
        ("real", "realface", "Succeeded"),
        ("spoof", "spoofface", "Succeeded"),
        ("uncertain", "uncertain", "Succeeded"),
        ("mask", "FaceWithMaskDetected", "Running"),
    ],
)
def test_an_attempt_ends_as_the_device_id_says(
    face: Face, scenario: str, outcome: str, status: str
) -> None:
    _, result = face.run(deviceCorrelationId=f"mock-{scenario}")

    assert face.outcome(result.json) == outcome
    assert result.json["status"] == ("ResultAvailable" if face.preview else status)


@pytest.mark.parametrize(
    ("scenario", "identical"), [("real", True), ("spoof", True), ("wrong-person", False)]
)
def test_verification_compares_with_the_reference_image(
    face: Face, scenario: str, *, identical: bool
) -> None:
    _, result = face.run(verify=True, deviceCorrelationId=f"mock-{scenario}:phone-1")

    match = face.match(result.json)
    assert match["isIdentical"] is identical
    assert (match["matchConfidence"] >= 0.5) is identical


def test_the_threshold_decides_who_is_identical(face: Face) -> None:
    _, strict = face.run(verify=True, verifyConfidenceThreshold=1)
    _, lenient = face.run(
        verify=True, verifyConfidenceThreshold=0, deviceCorrelationId="mock-wrong-person"
    )

    assert face.match(strict.json)["isIdentical"] is not face.knows_images
    assert face.match(lenient.json)["isIdentical"] is face.knows_images


def test_two_drawn_portraits_of_different_people_do_not_match(face: Face) -> None:
    for seen, identical in ((portrait(1, "PNG"), True), (portrait(2), False)):
        created = face.create(verify=True, image=portrait(1)).json
        face.attempt(created["authToken"], verify=True, files={"Content": seen})
        result = face.result(created["sessionId"], verify=True).json
        assert face.match(result)["isIdentical"] is identical


def test_the_client_learns_the_digest_that_the_result_repeats(face: Face) -> None:
    created = face.create().json
    attempt = face.attempt(created["authToken"])

    newest = face.newest(face.result(created["sessionId"]).json)
    assert DIGEST.fullmatch(newest["digest"])
    assert attempt.headers["x-mockface-digest"] == newest["digest"]
    if face.preview:
        assert newest["requestId"] == attempt.headers["apim-request-id"]


def test_the_verify_image_s_hash_comes_back_when_it_is_asked_for(face: Face) -> None:
    _, asked = face.run(verify=True, returnVerifyImageHash=True)
    _, unasked = face.run(verify=True)

    wanted = sha256(portrait(1)).hexdigest().upper() if face.knows_images else None
    assert face.newest(asked.json).get("verifyImageHash") == wanted
    assert "verifyImageHash" not in face.newest(unasked.json)


def test_a_session_image_has_an_id_when_it_is_asked_for(face: Face) -> None:
    _, asked = face.run(enableSessionImage=True)
    _, unasked = face.run()

    if face.knows_images:
        assert re.fullmatch(r"A[A-Za-z0-9_-]{43}", face.newest(asked.json)["sessionImageId"])
    else:
        assert "sessionImageId" not in face.newest(asked.json)
    assert "sessionImageId" not in face.newest(unasked.json)


def test_a_failed_attempt_leaves_room_for_a_good_one(face: Face) -> None:
    # Given an attempt that failed
    created = face.create().json
    failed = face.attempt(created["authToken"], x_mockface_scenario="mask")
    assert (failed.status, failed.code) == (400, "FaceWithMaskDetected")

    # When the next one is good
    face.attempt(created["authToken"])

    # Then both are there, the newest first
    result = face.result(created["sessionId"]).json
    assert face.outcome(result) == "realface"
    if face.preview:
        audit = face.send("GET", f"{face.paths[False]}/{created['sessionId']}/audit").json
        assert [entry["id"] for entry in audit] == [2, 1]
        assert [entry["response"]["statusCode"] for entry in audit] == [200, 400]
    else:
        assert [a["attemptId"] for a in result["results"]["attempts"]] == [2, 1]
        assert result["status"] == "Succeeded"


def test_three_attempts_and_no_more(face: Face) -> None:
    created = face.create(deviceCorrelationId="mock-mask").json
    statuses = [face.attempt(created["authToken"]).status for _ in range(3)]

    refused = face.attempt(created["authToken"])

    assert statuses == [400, 400, 400]
    assert (refused.status, refused.code) == (403, "UnsupportedFeature")
    result = face.result(created["sessionId"]).json
    assert result["status"] == ("ResultAvailable" if face.preview else "Failed")


@pytest.mark.parametrize("version", LATER)
def test_the_token_is_empty_in_a_result(face: Face) -> None:
    _, result = face.run()
    assert result.json["authToken"] == ""


@pytest.mark.parametrize("verify", [False, True])
def test_a_deleted_session_is_gone_for_both_sides(face: Face, *, verify: bool) -> None:
    created = face.create(verify=verify).json

    deleted = face.delete(created["sessionId"], verify=verify)

    assert (deleted.status, deleted.response.body) == (200 if face.preview else 204, b"")
    for again in (
        face.result(created["sessionId"], verify=verify),
        face.delete(created["sessionId"], verify=verify),
    ):
        assert (again.status, again.code) == (404, "SessionNotFound")
    assert face.attempt(created["authToken"], verify=verify).status == 403


def test_the_two_families_do_not_see_each_other(face: Face) -> None:
    plain = face.create().json
    verify = face.create(verify=True).json

    assert face.result(plain["sessionId"], verify=True).code == "SessionNotFound"
    assert face.delete(verify["sessionId"]).code == "SessionNotFound"
    assert face.attempt(plain["authToken"], verify=True).status == 403
    assert face.result(plain["sessionId"]).status == 200


def test_tenants_do_not_see_each_other(face: Face, service: Service) -> None:
    other = Face(service, face.version, key="another-key")
    session_id, _ = face.run()

    assert other.result(session_id).json == other.result("never").json
    assert other.delete(session_id).status == 404
    assert face.result(session_id).status == 200


@pytest.mark.parametrize("past_the_second", [0.0, 0.7])
def test_a_token_ends_with_its_lifetime(face: Face, clock: Clock, past_the_second: float) -> None:
    clock.advance(past_the_second)
    created = face.create(authTokenTimeToLiveInSeconds=60).json
    clock.advance(59)
    assert face.attempt(created["authToken"]).status == 204

    clock.advance(1)
    expired = face.attempt(created["authToken"])

    assert (expired.status, expired.code) == (401, "401")
    assert face.result(created["sessionId"]).status == 200


def test_ten_minutes_is_the_default(face: Face, clock: Clock) -> None:
    created = face.create().json
    clock.advance(599)
    assert face.attempt(created["authToken"]).status == 204
    clock.advance(1)
    assert face.attempt(created["authToken"]).status == 401


def test_a_session_ends_after_48_hours(face: Face, clock: Clock, service: Service) -> None:
    session_id, _ = face.run()
    clock.advance(48 * HOURS - 1)
    assert face.result(session_id).status == 200

    clock.advance(1)

    assert face.result(session_id).code == "SessionNotFound"
    face.create()
    assert len(service.engine.tenants()[0].sessions()) == 1


@pytest.mark.parametrize("forged", ["", "nonsense", "a.b.c", "é.é.é", "x" * 5000])
def test_a_token_that_is_none_is_refused(face: Face, forged: str) -> None:
    assert face.attempt(forged).status == 401


def test_a_token_with_another_payload_is_refused(face: Face) -> None:
    mine = face.create().json["authToken"].split(".")
    other = face.create().json["authToken"].split(".")

    assert face.attempt(".".join([mine[0], other[1], mine[2]])).status == 401
    assert face.attempt(".".join(mine)).status == 204


def test_the_resource_key_is_no_session_token(face: Face) -> None:
    body = face.attempt("unused", authorization="").json
    assert body["error"]["code"] == "401"


def test_paths_match_in_any_case(face: Face) -> None:
    created = face.create().json
    path = f"{face.paths[False]}/{created['sessionId']}"

    assert face.send("GET", path.lower()).status == 200
    assert face.send("POST", "/DETECTLIVENESS/singlemodal", b"").code == "401"


@pytest.mark.parametrize("version", PREVIEWS)
def test_verify_without_a_reference_image_needs_the_client_s(face: Face) -> None:
    # Given a preview session whose reference image the device will send
    created = face.post_json(face.paths[True], OPTIONS).json
    assert "verifyImage" not in created

    # When it does not, then that is an error; when it does, the attempt is judged
    missing = face.attempt(created["authToken"], verify=True)
    given = face.attempt(created["authToken"], verify=True, files={"VerifyImage": portrait(1)})

    assert (missing.status, missing.code) == (400, "VerifyImageNotProvided")
    assert given.status == 204
    result = face.result(created["sessionId"], verify=True).json
    assert result["result"]["id"] == 1
    assert face.match(result)["isIdentical"] is True


@pytest.mark.parametrize("version", PREVIEWS)
def test_a_client_s_picture_without_a_filename_is_refused_as_the_app_server_s(face: Face) -> None:
    # Given a session whose reference image the device will send
    created = face.post_json(face.paths[True], OPTIONS).json
    raw = form({}, {"VerifyImage": portrait(1)}).replace(b'; filename="VerifyImage.jpg"', b"")

    # When it comes without a filename, then no attempt is counted
    refused = face.send(
        "POST", CLIENT[True], raw, content_type=FORM, authorization=f"Bearer {created['authToken']}"
    )

    assert (refused.status, refused.code) == (400, "InvalidRequestBody")
    assert face.result(created["sessionId"], verify=True).json["status"] == "NotStarted"


def test_a_session_with_a_reference_image_takes_no_other(face: Face) -> None:
    created = face.create(verify=True).json
    refused = face.attempt(created["authToken"], verify=True, files={"VerifyImage": portrait(2)})
    assert (refused.status, refused.code) == (400, "SetVerifyImageNotAllowed")


def test_browsers_may_call_the_client_s_routes(face: Face) -> None:
    created = face.create()
    preflight = face.send("OPTIONS", CLIENT[False])

    assert preflight.status == 204
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"]
    for token, status in ((created.json["authToken"], 204), ("bad", 401)):
        attempt = face.attempt(token)
        assert attempt.status == status
        assert attempt.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Origin" not in created.headers
    assert face.send("OPTIONS", face.paths[False]).status == 404


def test_every_answer_says_that_it_is_a_mock(face: Face) -> None:
    for answer in (face.create(), face.send("GET", "/nowhere"), face.send("GET", "/_mock")):
        assert answer.headers["x-mockface"] == "emulator"
        assert UUID.fullmatch(answer.headers["apim-request-id"])
