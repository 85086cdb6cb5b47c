"""What goes wrong on the device: the page learns of it, the service's verdict never does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from tests.mockface.conftest import Face

from mockface import LivenessDetectionError, SimulatedClient
from mockface.remote.client_failures import CLIENT_FAILURES, RECOGNITION_FAILURES, Reach
from mockface.remote.sending import in_process
from mockface.scenarios import FAILURE_CODES, SCENARIOS, Failure
from mockface_command import run

if TYPE_CHECKING:
    from mockface.service import Service


# By the contract's list of the element's names, without `None`
@pytest.fixture
def version() -> str:
    """The code is the same in all versions; test_all_versions.py walks through them."""
    return "v1.2"


ELEMENT = re.findall(
    r"\w+",
    """TimedOut InvalidToken CameraPermissionDenied CameraStartupFailure NoFaceDetected
    FaceTrackingFailed SmileNotPerformed HeadTurnNotPerformed ServerRequestTimedOut
    FaceMouthRegionNotVisible FaceEyeRegionNotVisible ExcessiveImageBlurDetected
    ExcessiveFaceBrightness FaceWithMaskDetected EnvironmentNotSupported UserCanceledSession
    UserCanceledActiveMotion UserCanceledActiveMotionPrompt UnexpectedClientError
    UnexpectedServerError ClientVersionNotSupported VerifyImageNotProvided Unexpected""",
)
FAILING = {
    name: row.steps[-1].outcome.code
    for name, row in SCENARIOS.items()
    if isinstance(row.steps[-1].outcome, Failure)
}
CALLS = {
    Reach.NOWHERE: [],
    Reach.STARTED: ["session-start", "attempt-end"],
    Reach.SENT: ["session-start", "attempt"],
}


def client(
    service: Service,
    version: str,
    *,
    failure: str | None = None,
    recognition_failure: str | None = None,
    scenario: str | None = None,
    device: str | None = None,
) -> SimulatedClient:
    return SimulatedClient(
        api_version=version,
        failure=failure,
        recognition_failure=recognition_failure,
        scenario=scenario,
        device_correlation_id=device,
        send=in_process(service.handle),
    )


def calls(service: Service) -> list[str]:
    return [entry.route for entry in service.journal.entries()][1:]  # without the create


def test_the_table_has_the_element_s_names_and_no_other() -> None:
    assert set(CLIENT_FAILURES) == set(ELEMENT)
    assert set(FAILURE_CODES) == set(FAILING.values()) <= set(ELEMENT)


@pytest.mark.parametrize("name", CLIENT_FAILURES)
def test_each_failure_reaches_the_page_and_no_verdict(
    service: Service, version: str, name: str
) -> None:
    # Given a session in which a real face would be found
    face = Face(service, version)
    created = face.create().json

    # When the device gives up
    with pytest.raises(LivenessDetectionError) as caught:
        client(service, version, failure=name).start(created["authToken"])

    # Then the page is told why, and the service knows no more than it has seen
    reach = CLIENT_FAILURES[name]
    assert (caught.value.liveness_error, caught.value.recognition_error) == (name, "None")
    assert calls(service) == CALLS[reach]
    result = face.result(created["sessionId"]).json
    assert face.outcome(result) == ("realface" if reach is Reach.SENT else None)


@pytest.mark.parametrize("name", RECOGNITION_FAILURES)
def test_a_comparison_that_fails_reaches_the_page(
    service: Service, version: str, name: str
) -> None:
    face = Face(service, version)
    created = face.create(verify=True).json

    with pytest.raises(LivenessDetectionError) as caught:
        client(service, version, recognition_failure=name).start(created["authToken"])

    assert (caught.value.liveness_error, caught.value.recognition_error) == ("None", name)
    assert calls(service) == ["session-start", "attempt-with-verify"]


def test_after_a_failure_the_same_token_is_good(service: Service, version: str) -> None:
    face = Face(service, version)
    token = face.create(numberOfClientAttemptsAllowed=1).json["authToken"]
    for name in ("CameraPermissionDenied", "UserCanceledSession", "TimedOut"):
        with pytest.raises(LivenessDetectionError):
            client(service, version, failure=name).start(token)

    assert client(service, version).start(token).digest


def test_an_answer_that_does_not_arrive_hides_even_a_refusal(
    service: Service, version: str
) -> None:
    token = Face(service, version).create().json["authToken"]
    camera = client(service, version, failure="ServerRequestTimedOut", scenario="mask")
    with pytest.raises(LivenessDetectionError, match="ServerRequestTimedOut"):
        camera.start(token)


def test_a_token_that_is_refused_is_told_before_the_person_can_cancel(
    service: Service, version: str
) -> None:
    face = Face(service, version)
    created = face.create().json
    face.delete(created["sessionId"])
    with pytest.raises(LivenessDetectionError, match="UnexpectedClientError"):
        client(service, version, failure="UserCanceledSession").start(created["authToken"])


@pytest.mark.parametrize("scenario", FAILING)
def test_what_the_service_says_has_the_element_s_name(
    service: Service, version: str, scenario: str
) -> None:
    token = Face(service, version).create().json["authToken"]
    with pytest.raises(LivenessDetectionError) as caught:
        client(service, version, scenario=scenario).start(token)
    assert caught.value.liveness_error == FAILING[scenario]


def test_a_whole_attempt_makes_all_calls(service: Service, version: str) -> None:
    token = Face(service, version).create().json["authToken"]
    client(service, version).start(token)
    assert calls(service) == ["session-start", "attempt", "attempt-end"]


def test_the_device_may_choose_the_scenario(service: Service, version: str) -> None:
    face = Face(service, version)
    created = face.create(deviceCorrelationId=None, deviceCorrelationIdSetInClient=True).json
    client(service, version, device="mock-spoof").start(created["authToken"])
    assert face.outcome(face.result(created["sessionId"]).json) == "spoofface"


def test_a_failure_that_the_element_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no failure 'Hiccup'; it has: .*UserCanceledSession"):
        SimulatedClient(failure="Hiccup")
    with pytest.raises(ValueError, match=r"no failure 'TimedOut'; it has: .*FaceNotFrontal"):
        SimulatedClient(recognition_failure="TimedOut")


# --- the command ---------------------------------------------------------------------------------


def test_the_command_gives_up_on_the_device() -> None:
    token = "e30.eyJraW5kIjoibGl2ZW5lc3MifQ.e30"
    told = ["--endpoint", "http://127.0.0.1:1", "--outcome", "CameraPermissionDenied"]

    done = run("attempt", "--token", token, *told)

    assert done.exit_code == 1
    assert json.loads(done.stdout) == {
        "livenessError": "CameraPermissionDenied",
        "recognitionError": "None",
    }


def test_the_command_knows_what_there_is() -> None:
    done = run("attempt", "--token", "any", "--outcome", "spof")

    assert done.exit_code == 2
    assert "fail-then-succeed" in done.stderr
    assert "CameraPermissionDenied" in done.stderr
