"""Every session operation of the installed client library, unmodified, sync and async.

The environment `sdk-b1` of tox.ini runs this file with 1.0.0b1, which speaks v1.1-preview.1; the
others have 1.0.0b2, which speaks v1.2-preview.1.
"""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest
from azure.ai.vision.face import FaceSessionClient, aio, models
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from mockface import Mockface, SimulatedClient
from mockface.images import portrait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIBRARY = version("azure-ai-vision-face")
SPEAKS = {"1.0.0b1": "v1.1-preview.1", "1.0.0b2": "v1.2-preview.1"}[LIBRARY]
HAS_IMAGES = LIBRARY != "1.0.0b1"
DEVICE = "723d6d03-ef33-40a8-9682-23a1feb7bccd"
PICTURE = portrait(7)


class Library:
    """Calls the library in either colour, and remembers which operations were called."""

    def __init__(self, mock: Mockface, *, is_async: bool) -> None:
        self.mock, self.is_async = mock, is_async
        self.called: set[str] = set()

    def call(self, operation: str, *arguments: Any, **named: Any) -> Any:
        self.called.add(operation)
        credential = AzureKeyCredential("k")
        if not self.is_async:
            with FaceSessionClient(self.mock.url, credential) as client:
                return self._whole(getattr(client, operation)(*arguments, **named))

        async def run() -> Any:
            async with aio.FaceSessionClient(self.mock.url, credential) as client:
                answer = await getattr(client, operation)(*arguments, **named)
                if hasattr(answer, "__aiter__"):
                    return b"".join([chunk async for chunk in answer])
                return answer

        return asyncio.run(run())

    @staticmethod
    def _whole(answer: Any) -> Any:
        return b"".join(answer) if hasattr(answer, "__next__") else answer


@pytest.fixture(scope="module")
def mock() -> Iterator[Mockface]:
    with Mockface(keys=["k"], seed="sdk") as running:
        yield running


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def library(request: pytest.FixtureRequest, mock: Mockface) -> Library:
    return Library(mock, is_async=request.param)


# In 1.0.0b1 both families take the same object.
LIVENESS: Any = models.CreateLivenessSessionContent
VERIFY: Any = models.CreateLivenessWithVerifySessionContent if HAS_IMAGES else LIVENESS


def body(model: Any, **more: Any) -> Any:
    """What both versions take, and more for the one that has more."""
    return model(
        liveness_operation_mode=models.LivenessOperationMode.PASSIVE,
        device_correlation_id=DEVICE,
        auth_token_time_to_live_in_seconds=60,
        **(more if HAS_IMAGES else {}),
    )


def liveness(library: Library) -> None:
    created = library.call("create_liveness_session", body(LIVENESS))
    waiting = library.call("get_liveness_session_result", created.session_id)
    success = SimulatedClient(api_version=SPEAKS, scenario="spoof").start(created.auth_token)

    result = library.call("get_liveness_session_result", created.session_id)
    listed = library.call("get_liveness_sessions", top=1000)
    audit = library.call("get_liveness_session_audit_entries", created.session_id, top=3)

    assert (waiting.status, result.status) == ("NotStarted", "ResultAvailable")
    assert waiting.result is None
    assert result.result.response.body.liveness_decision == "spoofface"
    assert result.result.request.url.startswith(f"/face/{SPEAKS}/")
    assert (result.result.digest, result.result.request_id) == (success.digest, success.result_id)
    assert result.device_correlation_id == DEVICE
    assert result.created_date_time.tzinfo is not None
    assert created.session_id in [session.id for session in listed]
    assert [entry.id for entry in audit] == [1]
    library.call("delete_liveness_session", created.session_id)
    with pytest.raises(ResourceNotFoundError) as gone:
        library.call("get_liveness_session_result", created.session_id)
    assert "SessionNotFound" in str(gone.value)


def verify(library: Library) -> None:
    given = body(VERIFY, return_verify_image_hash=True)
    with_image = library.call("create_liveness_with_verify_session", given, verify_image=PICTURE)
    without = library.call("create_liveness_with_verify_session", given, verify_image=None)
    assert with_image.verify_image.face_rectangle.width > 100
    assert without.verify_image is None
    client = SimulatedClient(api_version=SPEAKS)
    client.start(with_image.auth_token)
    client.start(without.auth_token, verify_image=PICTURE)

    for created in (with_image, without):
        name = "get_liveness_with_verify_session"
        result = library.call(f"{name}_result", created.session_id).result
        audit = library.call(f"{name}_audit_entries", created.session_id)
        assert result.response.body.verify_result.is_identical is True
        assert ("verifyImageHash" in result) is HAS_IMAGES
        assert [entry.digest for entry in audit] == [result.digest]
        assert created.session_id in [each.id for each in library.call(f"{name}s")]
        library.call("delete_liveness_with_verify_session", created.session_id)


def refused(library: Library) -> None:
    with pytest.raises(HttpResponseError) as wrong:
        library.call(
            "create_liveness_with_verify_session", body(VERIFY), verify_image=b"no picture" * 200
        )
    assert wrong.value.status_code == 400
    assert "InvalidImage" in str(wrong.value)


def images(library: Library) -> None:
    created = library.call("create_liveness_session", body(LIVENESS, enable_session_image=True))
    SimulatedClient(api_version=SPEAKS).start(created.auth_token)
    image_id = library.call(
        "get_liveness_session_result", created.session_id
    ).result.session_image_id

    picture = library.call("get_session_image", image_id)
    (face,) = library.call(
        "detect_from_session_image",
        session_image_id=image_id,
        detection_model="detection_03",
        recognition_model="recognition_04",
        return_face_id=True,
    )

    assert len(picture) > 1024
    assert face.face_rectangle.width > 36
    assert face.face_id


PARTS: list[Callable[[Library], None]] = [liveness, verify, refused]
if HAS_IMAGES:
    PARTS.append(images)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_a_part_of_the_library(part: Callable[[Library], None], library: Library) -> None:
    part(library)


def test_no_operation_of_the_library_is_left_out(library: Library) -> None:
    for part in PARTS:
        part(library)

    client = aio.FaceSessionClient if library.is_async else FaceSessionClient
    operations = {name for name in dir(client) if "session" in name and name[0] != "_"}
    assert library.called == operations
