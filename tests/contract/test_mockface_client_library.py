"""The unmodified client library `azure-ai-vision-face` against a real `mockface serve`."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from azure.ai.vision.face import FaceSessionClient
from azure.ai.vision.face import aio as face_aio
from azure.ai.vision.face.models import (
    CreateLivenessSessionContent,
    CreateLivenessWithVerifySessionContent,
    LivenessOperationMode,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.rest import HttpRequest

from mockface.images import portrait
from mockface.remote.simulated_client import SimulatedClient

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "contract-key"
READY = re.compile(r"mockface listening on (http://127\.0\.0\.1:\d+)\n")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    command = [sys.executable, "-m", "mockface", "serve", "--port", "0", "--key", KEY]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        ready = READY.fullmatch(server.stdout.readline())
        assert ready is not None
        yield ready[1]
        server.terminate()
        assert server.wait() == 0


@pytest.fixture(scope="module")
def image() -> bytes:
    return portrait(7)


def _liveness() -> CreateLivenessSessionContent:
    return CreateLivenessSessionContent(
        liveness_operation_mode=LivenessOperationMode.PASSIVE,
        device_correlation_id="723d6d03-ef33-40a8-9682-23a1feb7bccd",
        auth_token_time_to_live_in_seconds=60,
    )


def _verify() -> CreateLivenessWithVerifySessionContent:
    return CreateLivenessWithVerifySessionContent(
        liveness_operation_mode=LivenessOperationMode.PASSIVE_ACTIVE,
        device_correlation_id="723d6d03-ef33-40a8-9682-23a1feb7bccd",
        return_verify_image_hash=True,
    )


@pytest.mark.process
def test_sync_liveness(endpoint: str) -> None:
    with FaceSessionClient(endpoint, AzureKeyCredential(KEY)) as client:
        # Given a session in which an attempt was made
        created = client.create_liveness_session(_liveness())
        waiting = client.get_liveness_session_result(created.session_id)
        success = SimulatedClient(scenario="spoof").start(created.auth_token)

        # When it is read
        result = client.get_liveness_session_result(created.session_id)
        listed = client.get_liveness_sessions(top=1000)
        audit = client.get_liveness_session_audit_entries(created.session_id)

        # Then the library's own models hold what happened
        assert waiting.status == "NotStarted"
        assert waiting.result is None
        assert result.status == "ResultAvailable"
        assert result.result is not None
        assert result.result.response.body.liveness_decision == "spoofface"
        assert result.result.digest == success.digest
        assert result.result.request_id == success.result_id
        assert result.created_date_time.tzinfo is not None
        assert result.session_start_date_time is not None
        assert created.session_id in [session.id for session in listed]
        assert [entry.id for entry in audit] == [1]

        # And after the delete there is nothing left
        client.delete_liveness_session(created.session_id)
        with pytest.raises(HttpResponseError) as gone:
            client.get_liveness_session_result(created.session_id)
        assert gone.value.status_code == 404
        assert gone.value.error is not None
        assert gone.value.error.code == "SessionNotFound"


@pytest.mark.process
def test_sync_verify_with_image(endpoint: str, image: bytes) -> None:
    with FaceSessionClient(endpoint, AzureKeyCredential(KEY)) as client:
        created = client.create_liveness_with_verify_session(_verify(), verify_image=image)
        assert created.verify_image is not None
        assert created.verify_image.face_rectangle.width > 100
        SimulatedClient(scenario="wrong-person").start(created.auth_token)

        result = client.get_liveness_with_verify_session_result(created.session_id)
        audit = client.get_liveness_with_verify_session_audit_entries(created.session_id)
        listed = client.get_liveness_with_verify_sessions()

        assert result.result is not None
        body = result.result.response.body
        assert body.liveness_decision == "realface"
        assert body.verify_result is not None
        assert body.verify_result.is_identical is False
        assert result.result.verify_image_hash is not None
        assert [entry.digest for entry in audit] == [result.result.digest]
        assert created.session_id in [session.id for session in listed]
        client.delete_liveness_with_verify_session(created.session_id)
        assert created.session_id not in [s.id for s in client.get_liveness_with_verify_sessions()]


@pytest.mark.process
def test_sync_verify_without_image(endpoint: str, image: bytes) -> None:
    with FaceSessionClient(endpoint, AzureKeyCredential(KEY)) as client:
        created = client.create_liveness_with_verify_session(_verify(), verify_image=None)
        assert created.verify_image is None
        SimulatedClient().start(created.auth_token, verify_image=image)

        result = client.get_liveness_with_verify_session_result(created.session_id)

        assert result.result is not None
        assert result.result.response.body.verify_result is not None
        assert result.result.response.body.verify_result.is_identical is True
        client.delete_liveness_with_verify_session(created.session_id)


@pytest.mark.process
def test_async_both_kinds(endpoint: str, image: bytes) -> None:
    async def run() -> None:
        async with face_aio.FaceSessionClient(endpoint, AzureKeyCredential(KEY)) as client:
            plain = await client.create_liveness_session(_liveness())
            with_image = await client.create_liveness_with_verify_session(
                _verify(), verify_image=image
            )
            without = await client.create_liveness_with_verify_session(_verify(), verify_image=None)
            SimulatedClient().start(plain.auth_token)
            SimulatedClient().start(with_image.auth_token)
            SimulatedClient().start(without.auth_token, verify_image=image)

            result = await client.get_liveness_session_result(plain.session_id)
            assert result.result is not None
            assert result.result.response.body.liveness_decision == "realface"
            for created in (with_image, without):
                verified = await client.get_liveness_with_verify_session_result(created.session_id)
                assert verified.result is not None
                assert verified.result.response.body.verify_result is not None
                assert verified.result.response.body.verify_result.is_identical is True
                entries = await client.get_liveness_with_verify_session_audit_entries(
                    created.session_id
                )
                assert len(entries) == 1
            assert len(await client.get_liveness_session_audit_entries(plain.session_id)) == 1
            assert plain.session_id in [s.id for s in await client.get_liveness_sessions()]
            verify_ids = [s.id for s in await client.get_liveness_with_verify_sessions()]
            assert {with_image.session_id, without.session_id} <= set(verify_ids)

            await client.delete_liveness_session(plain.session_id)
            await client.delete_liveness_with_verify_session(with_image.session_id)
            await client.delete_liveness_with_verify_session(without.session_id)
            with pytest.raises(HttpResponseError, match="SessionNotFound"):
                await client.get_liveness_session_result(plain.session_id)

    asyncio.run(run())


FLAT = {
    "livenessOperationMode": "Passive",
    "deviceCorrelationId": "723d6d03-ef33-40a8-9682-23a1feb7bccd",
    "returnVerifyImageHash": "true",
    "verifyConfidenceThreshold": "0.6",
}
PARAMETERS = FLAT | {"returnVerifyImageHash": True, "verifyConfidenceThreshold": 0.6}


def _verify_requests(image: bytes) -> list[HttpRequest]:
    """Both forms that clients of v1.2 post."""
    path = "/detectLivenessWithVerify-sessions"
    return [
        HttpRequest("POST", path, data=FLAT, files={"verifyImage": ("face.jpg", image)}),
        HttpRequest(
            "POST",
            path,
            data={"Parameters": json.dumps(PARAMETERS)},
            files={"VerifyImage": ("face.jpg", image)},
        ),
    ]


LIVENESS_BODY = {"livenessOperationMode": "Passive", "deviceCorrelationId": "a-device"}


def _check_verified(body: dict[str, Any]) -> None:
    attempt = body["results"]["attempts"][0]
    assert body["status"] == "Succeeded"
    assert attempt["result"]["verifyResult"]["isIdentical"] is True
    assert len(attempt["result"]["verifyImageHash"]) == 64
    assert body["results"]["verifyReferences"][0]["qualityForRecognition"] == "high"


@pytest.mark.process
def test_sync_v1_2_through_send_request(endpoint: str, image: bytes) -> None:
    client = FaceSessionClient(endpoint, AzureKeyCredential(KEY), api_version="v1.2")
    with client:
        # Given a session of the version that the library does not model
        request = HttpRequest("POST", "/detectLiveness-sessions", json=LIVENESS_BODY)
        created = client.send_request(request)
        created.raise_for_status()
        session_id = created.json()["sessionId"]

        # When an attempt is made and the result is read
        success = SimulatedClient().start(created.json()["authToken"])
        path = f"/detectLiveness-sessions/{session_id}"
        result = client.send_request(HttpRequest("GET", path)).json()

        # Then it has the GA shape, and the delete answers 204
        assert result["results"]["attempts"][0]["result"]["digest"] == success.digest
        assert client.send_request(HttpRequest("DELETE", path)).status_code == 204
        assert client.send_request(HttpRequest("GET", path)).status_code == 404

        for request in _verify_requests(image):
            verify = client.send_request(request)
            verify.raise_for_status()
            SimulatedClient().start(verify.json()["authToken"])
            path = f"/detectLivenessWithVerify-sessions/{verify.json()['sessionId']}"
            _check_verified(client.send_request(HttpRequest("GET", path)).json())
            assert client.send_request(HttpRequest("DELETE", path)).status_code == 204


@pytest.mark.process
def test_async_v1_2_through_send_request(endpoint: str, image: bytes) -> None:
    async def run() -> None:
        client = face_aio.FaceSessionClient(endpoint, AzureKeyCredential(KEY), api_version="v1.2")
        async with client:
            request = HttpRequest("POST", "/detectLiveness-sessions", json=LIVENESS_BODY)
            created = await client.send_request(request)
            created.raise_for_status()
            path = f"/detectLiveness-sessions/{created.json()['sessionId']}"
            assert (await client.send_request(HttpRequest("GET", path))).json()["status"] == (
                "NotStarted"
            )
            assert (await client.send_request(HttpRequest("DELETE", path))).status_code == 204
            for request in _verify_requests(image):
                verify = await client.send_request(request)
                verify.raise_for_status()
                SimulatedClient().start(verify.json()["authToken"])
                path = f"/detectLivenessWithVerify-sessions/{verify.json()['sessionId']}"
                _check_verified((await client.send_request(HttpRequest("GET", path))).json())
                assert (await client.send_request(HttpRequest("DELETE", path))).status_code == 204

    asyncio.run(run())


@pytest.mark.process
def test_a_wrong_key_is_the_library_s_authentication_error(endpoint: str) -> None:
    with (
        FaceSessionClient(endpoint, AzureKeyCredential("other")) as client,
        pytest.raises(ClientAuthenticationError) as refused,
    ):
        client.create_liveness_session(_liveness())
    assert refused.value.status_code == 401
