"""The unmodified client library asks for session images and detects faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from azure.ai.vision.face import FaceClient, FaceSessionClient
from azure.ai.vision.face.models import (
    CreateLivenessSessionContent,
    FaceAttributeTypeDetection01,
    FaceAttributeTypeDetection03,
    FaceAttributeTypeRecognition04,
    FaceDetectionModel,
    FaceRecognitionModel,
)
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from mockface import Mockface, SimulatedClient
from mockface.images import portrait

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = AzureKeyCredential("pictures")


@pytest.fixture(scope="module")
def mock() -> Iterator[Mockface]:
    with Mockface(seed="pictures") as running:
        yield running


def test_a_session_image_and_its_face(mock: Mockface) -> None:
    with FaceSessionClient(mock.url, KEY) as client:
        created = client.create_liveness_session(
            CreateLivenessSessionContent(
                liveness_operation_mode="Passive",
                device_correlation_id="a-device",
                enable_session_image=True,
            )
        )
        SimulatedClient().start(created.auth_token)
        entry = client.get_liveness_session_result(created.session_id).result
        assert entry is not None
        image_id = entry.session_image_id
        assert image_id is not None

        picture = b"".join(client.get_session_image(image_id))
        (face,) = client.detect_from_session_image(
            session_image_id=image_id,
            detection_model=FaceDetectionModel.DETECTION03,
            recognition_model=FaceRecognitionModel.RECOGNITION04,
            return_face_id=False,
            return_face_attributes=[
                FaceAttributeTypeDetection03.HEAD_POSE,
                FaceAttributeTypeDetection03.MASK,
                FaceAttributeTypeRecognition04.QUALITY_FOR_RECOGNITION,
            ],
            return_face_landmarks=True,
        )
        client.delete_liveness_session(created.session_id)
        with pytest.raises(ResourceNotFoundError):
            client.get_session_image(image_id)

    assert picture.startswith(b"\xff\xd8\xff")
    assert face.face_id is None
    target = entry.response.body.target
    assert target is not None
    assert face.face_rectangle == target.face_rectangle
    assert face.face_attributes is not None
    assert face.face_attributes.quality_for_recognition == "high"
    assert face.face_attributes.mask is not None
    assert face.face_attributes.mask.type == "noMask"
    assert face.face_landmarks is not None
    assert face.face_landmarks.pupil_left.x < face.face_landmarks.pupil_right.x


def test_a_posted_picture(mock: Mockface) -> None:
    bad = portrait(3, glasses="sunglasses", blur=0.5, light="bright", turned=-20)
    with FaceClient(mock.url, KEY) as client:
        (face,) = client.detect(
            bad,
            detection_model=FaceDetectionModel.DETECTION01,
            recognition_model=FaceRecognitionModel.RECOGNITION04,
            return_face_id=True,
            return_face_attributes=list(FaceAttributeTypeDetection01),
            return_recognition_model=True,
            face_id_time_to_live=120,
        )
        with pytest.raises(HttpResponseError) as refused:
            client.detect_from_url(
                url="http://127.0.0.1/portrait.jpg",
                detection_model=FaceDetectionModel.DETECTION01,
                recognition_model=FaceRecognitionModel.RECOGNITION04,
                return_face_id=False,
            )

    assert refused.value.status_code == 400
    assert refused.value.error is not None
    assert refused.value.error.code == "InvalidURL"
    assert face.recognition_model == "recognition_04"
    seen: Any = face.face_attributes
    assert seen.head_pose.yaw == -20
    assert seen.glasses == "sunglasses"
    assert seen.accessories[0].type == "glasses"
    assert seen.occlusion.eye_occluded
    assert (seen.blur.blur_level, seen.exposure.exposure_level) == ("medium", "overExposure")
    assert seen.noise.noise_level == "low"
