"""The pictures that sessions keep, and POST /detect, in every version that has them."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.mockface.conftest import Face
from tests.mockface.described import CheckedService

import needs
from documents import ROOT, after_marker
from mockface.api import detect
from mockface.engine import Engine
from mockface.images import portrait
from mockface.people import person_id
from mockface.pictures import faces
from mockface.pictures.marks import read_mark
from mockface.service import Service
from mockface.sessions.session_images import session_of

if TYPE_CHECKING:
    from tests.mockface.conftest import Answer

    from mockface.clock import Clock

STREAM = "application/octet-stream"
HOURS = 3600.0
ATTRIBUTES = {
    "detection_01": (
        "headPose",
        "glasses",
        "occlusion",
        "accessories",
        "blur",
        "exposure",
        "noise",
    ),
    "detection_02": (),
    "detection_03": ("headPose", "blur", "mask"),
}


@pytest.fixture(params=["v1.2-preview.1", "v1.2", "v1.3-preview.1"])
def version(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
def service(service: Service) -> Service:
    return CheckedService(service.engine)


def asked(face: Face, body: bytes, kind: str = STREAM, **query: Any) -> Answer:
    return face.send("POST", "/detect", body, urlencode(query), content_type=kind)


def stored(face: Face, **options: Any) -> tuple[str, str]:
    """The ids of a session and of the picture that it keeps."""
    session_id, result = face.run(enableSessionImage=True, **options)
    return session_id, face.newest(result.json)["sessionImageId"]


def image(face: Face, image_id: str) -> Answer:
    base = "/session/sessionImages" if face.preview else "/sessionImages"
    return face.send("GET", f"{base}/{image_id}")


class TestSessionImages:
    def test_a_session_s_picture_can_be_had(self, face: Face) -> None:
        session_id, image_id = stored(face)

        got = image(face, image_id)

        assert got.status == 200
        assert got.headers["Content-Type"] == STREAM
        assert Image.open(BytesIO(got.response.body)).size == (1080, 1920)
        assert image(face, image_id).response.body == got.response.body
        # It shows the face where the result has it
        mark = read_mark(got.response.body)
        assert mark is not None
        assert [face_rectangle(box) for box in mark.faces] == [rectangle_of(face, session_id)]

    def test_it_shows_who_was_in_front_of_the_camera(self, face: Face) -> None:
        created = face.create(enableSessionImage=True).json
        face.attempt(created["authToken"], files={"Content": portrait("eve")})
        newest = face.newest(face.result(created["sessionId"]).json)

        mark = read_mark(image(face, newest["sessionImageId"]).response.body)

        assert mark is not None
        assert mark.person == person_id("eve")

    def test_it_shows_the_person_of_the_reference_image_if_the_service_says_so(
        self, face: Face
    ) -> None:
        for device, same in (("mock-real", True), ("mock-wrong-person", False)):
            created = face.create(
                verify=True,
                image=portrait("ann"),
                enableSessionImage=True,
                deviceCorrelationId=device,
            ).json
            face.attempt(created["authToken"], verify=True)
            result = face.result(created["sessionId"], verify=True).json
            mark = read_mark(image(face, face.newest(result)["sessionImageId"]).response.body)
            assert mark is not None
            assert (mark.person == person_id("ann")) is same

    def test_it_lives_as_long_as_its_session(self, face: Face, clock: Clock) -> None:
        session_id, image_id = stored(face)
        _, other = stored(face)

        face.delete(session_id)
        assert (image(face, image_id).status, image(face, image_id).code) == (
            404,
            "SessionNotFound",
        )
        assert image(face, other).status == 200
        clock.advance(48 * HOURS)
        assert image(face, other).status == 404

    def test_nobody_else_gets_it(self, face: Face, service: Service) -> None:
        _, image_id = stored(face)

        stranger = Face(service, face.version, key="another-key")
        assert image(stranger, image_id).status == 404
        assert asked(stranger, body_of(image_id), "application/json").status == 404

    @pytest.mark.parametrize(
        "image_id", ["some", "A" * 44, "A" + "_" * 43, "A" * 43 + "é", "B" + "A" * 43, "a/b"]
    )
    def test_there_is_no_other(self, face: Face, image_id: str) -> None:
        stored(face)
        answer = image(face, image_id)
        assert answer.status == 404
        assert answer.code in ("SessionNotFound", "404")

    def test_the_journal_has_it_with_its_session(self, face: Face) -> None:
        session_id, image_id = stored(face)
        image(face, image_id)

        entries = face.send("GET", "/_mock/journal").json["entries"]
        (read,) = [entry for entry in entries if entry["route"] == "session-image"]
        assert read["sessionId"] == session_id

    def test_a_changed_id_is_another_one(self, face: Face) -> None:
        _, image_id = stored(face)
        for at in (1, 20, 22, 23, 30, 42):
            changed = image_id[:at] + ("x" if image_id[at] != "x" else "y") + image_id[at + 1 :]
            assert image(face, changed).status == 404

    def test_an_image_that_nobody_asked_for_is_not_kept(self, face: Face) -> None:
        _, result = face.run()
        assert "sessionImageId" not in face.newest(result.json)


def body_of(image_id: object) -> bytes:
    return json.dumps({"sessionImageId": image_id}).encode()


def face_rectangle(box: Any) -> dict[str, int]:
    return {"left": box.left, "top": box.top, "width": box.width, "height": box.height}


def rectangle_of(face: Face, session_id: str) -> dict[str, int]:
    """Where a result says the face was."""
    newest = face.newest(face.result(session_id).json)
    target = newest["response"]["body"]["target"] if face.preview else newest["targets"]["color"]
    found: dict[str, int] = target["faceRectangle"]
    return found


class TestDetect:
    def test_a_posted_picture(self, face: Face) -> None:
        answer = asked(
            face,
            portrait(1),
            returnFaceAttributes=",".join((*ATTRIBUTES["detection_01"], "qualityForRecognition")),
            returnFaceLandmarks="true",
            recognitionModel="recognition_04",
            returnRecognitionModel="true",
        )

        assert answer.status == 200
        (found,) = answer.json
        mark = read_mark(portrait(1))
        assert mark is not None
        assert found["faceRectangle"] == face_rectangle(mark.faces[0])
        assert found["recognitionModel"] == "recognition_04"
        assert len(found["faceId"]) == 36
        assert len(found["faceLandmarks"]) == 27
        assert found["faceAttributes"] == {
            "headPose": {"roll": 0.0, "yaw": 0.0, "pitch": 0.0},
            "glasses": "noGlasses",
            "occlusion": {"foreheadOccluded": False, "eyeOccluded": False, "mouthOccluded": False},
            "accessories": [],
            "blur": {"blurLevel": "low", "value": 0.06},
            "exposure": {"exposureLevel": "goodExposure", "value": 0.5},
            "noise": {"noiseLevel": "low", "value": 0.08},
            "qualityForRecognition": "high",
        }

    def test_a_bad_picture(self, face: Face) -> None:
        bad = portrait(1, mask=True, glasses="sunglasses", blur=0.8, light="dark", turned=30)
        names = ",".join((*ATTRIBUTES["detection_01"], "qualityForRecognition"))

        (first,) = asked(
            face, bad, returnFaceAttributes=names, recognitionModel="recognition_03"
        ).json
        (third,) = asked(
            face, bad, returnFaceAttributes="mask,blur", detectionModel="detection_03"
        ).json

        seen = first["faceAttributes"]
        assert seen["headPose"]["yaw"] == 30
        assert seen["glasses"] == "sunglasses"
        assert seen["occlusion"] == {
            "foreheadOccluded": False,
            "eyeOccluded": True,
            "mouthOccluded": True,
        }
        assert [each["type"] for each in seen["accessories"]] == ["glasses", "mask"]
        assert (seen["blur"]["blurLevel"], seen["exposure"]["exposureLevel"]) == (
            "high",
            "underExposure",
        )
        assert seen["qualityForRecognition"] == "low"
        assert third["faceAttributes"]["mask"] == {"type": "faceMask", "noseAndMouthCovered": True}

    def test_the_picture_of_a_session(self, face: Face) -> None:
        session_id, image_id = stored(face)

        answer = asked(face, body_of(image_id), "application/json", returnFaceLandmarks="TRUE")

        (found,) = answer.json
        assert found["faceRectangle"] == rectangle_of(face, session_id)
        # What is said of the picture is what a look at the picture says
        (posted,) = asked(
            face, image(face, image_id).response.body, returnFaceLandmarks="true"
        ).json
        assert found | {"faceId": ""} == posted | {"faceId": ""}

    def test_nobody_and_several(self, face: Face) -> None:
        assert asked(face, portrait(1, faces=0)).json == []
        both = asked(face, portrait(1, faces=2)).json
        areas = [each["faceRectangle"]["width"] * each["faceRectangle"]["height"] for each in both]
        assert areas == sorted(areas, reverse=True)
        assert len({each["faceId"] for each in both}) == 2

    def test_it_gives_what_was_asked_for_and_no_more(self, face: Face) -> None:
        (found,) = asked(face, portrait(1)).json
        assert set(found) == {"faceId", "faceRectangle"}
        (found,) = asked(face, portrait(1), returnFaceId="false").json
        assert set(found) == {"faceRectangle"}

    def test_two_calls_are_two_faces_and_a_run_can_be_repeated(self, version: str) -> None:
        def ids() -> list[str]:
            caller = Face(Service(Engine(seed="same")), version)
            return [asked(caller, portrait(1)).json[0]["faceId"] for _ in range(2)]

        assert len(set(ids())) == 2
        assert ids() == ids()

    def test_an_address_is_not_fetched(self, face: Face) -> None:
        body = json.dumps({"url": "http://127.0.0.1/portrait.jpg"}).encode()
        answer = asked(face, body, "application/json")
        assert (answer.status, answer.code) == (400, "InvalidURL")

    def test_an_address_that_is_null_is_none(self, face: Face) -> None:
        _, image_id = stored(face)
        body = json.dumps({"url": None, "sessionImageId": image_id}).encode()
        assert asked(face, body, "application/json").status == 200

    @pytest.mark.parametrize(
        ("body", "kind", "status", "code"),
        [
            (b"no picture" * 200, STREAM, 400, "InvalidImage"),
            (b"", STREAM, 400, "InvalidImageSize"),
            (b"{}", "application/json", 400, "InvalidRequestBody"),
            (body_of(7), "application/json", 400, "InvalidRequestBody"),
            (body_of("x" * 65), "application/json", 400, "InvalidRequestBody"),
            (body_of("unknown"), "application/json", 404, "SessionNotFound"),
            (portrait(1), "image/jpeg", 415, "BadArgument"),
            (portrait(1), "", 415, "BadArgument"),
        ],
    )
    def test_wrong_bodies(self, face: Face, body: bytes, kind: str, status: int, code: str) -> None:
        answer = asked(face, body, kind)
        assert (answer.status, answer.code) == (status, code)

    @pytest.mark.parametrize(
        "query",
        [
            {"detectionModel": "detection_04"},
            {"recognitionModel": "recognition_05"},
            {"returnFaceId": "perhaps"},
            {"returnFaceAttributes": "headPose,mood"},
            {"faceIdTimeToLive": "59"},
            {"faceIdTimeToLive": "86401"},
            {"returnFaceLandmarks": "true", "detectionModel": "detection_02"},
        ],
    )
    def test_wrong_queries(self, face: Face, query: dict[str, str]) -> None:
        answer = asked(face, portrait(1), **query)
        assert (answer.status, answer.code) == (400, "BadArgument")

    @pytest.mark.parametrize("model", ATTRIBUTES)
    def test_each_model_has_its_attributes(self, face: Face, model: str) -> None:
        every = {name for names in ATTRIBUTES.values() for name in names}
        for name in sorted(every):
            answer = asked(face, portrait(1), detectionModel=model, returnFaceAttributes=name)
            if name in ATTRIBUTES[model]:
                assert list(answer.json[0]["faceAttributes"]) == [name]
            else:
                assert (answer.status, answer.code) == (400, "BadArgument")

    @pytest.mark.parametrize("detection", ATTRIBUTES)
    @pytest.mark.parametrize("recognition", [1, 2, 3, 4])
    def test_the_quality_needs_newer_models(
        self, face: Face, detection: str, recognition: int
    ) -> None:
        answer = asked(
            face,
            portrait(1),
            detectionModel=detection,
            recognitionModel=f"recognition_0{recognition}",
            returnFaceAttributes="qualityforrecognition",
        )
        allowed = detection != "detection_02" and recognition >= 3
        assert answer.status == (200 if allowed else 400)

    def test_the_first_version_knows_no_session_s_picture(self, face: Face) -> None:
        # Given a picture that a session of a later version keeps
        _, image_id = stored(face)
        first = Face(face.service, "v1.1-preview.1")

        # When the first version is asked about it
        answer = asked(first, body_of(image_id), "application/json")

        # Then it says what it takes instead
        assert (answer.status, answer.code) == (400, "InvalidRequestBody")
        assert STREAM in answer.json["error"]["message"]
        assert asked(first, b"{}", "text/plain").json["error"]["message"].endswith(f" {STREAM}.")
        assert image(first, image_id).status == 404
        assert len(asked(first, portrait(1)).json) == 1


@given(st.one_of(st.text(), st.text("A-_!=é~", min_size=44, max_size=44)))
def test_any_text_may_be_taken_for_an_image_s_id(text: str) -> None:
    found = session_of(text)
    assert found is None or len(found) == 36


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    query=st.dictionaries(
        st.sampled_from(detect.DetectQuery.__struct_encode_fields__), st.text(max_size=40)
    ),
    kind=st.sampled_from([STREAM, "application/json", "text/plain"]),
    body=st.one_of(st.binary(max_size=60), st.just(portrait(1)), st.just(body_of("A" * 44))),
)
def test_any_call_gets_an_answer(query: dict[str, str], kind: str, body: bytes) -> None:
    caller = Face(Service(Engine(seed="any")), "v1.2")
    answer = asked(caller, body, kind, **query)
    assert answer.status in (200, 400, 404, 415)
    if answer.status != 200:
        assert answer.code


def test_the_table_in_the_docs_is_the_code_s() -> None:
    _, _, *rows = after_marker(ROOT / "docs/mockface/images.md", "attributes").splitlines()
    shown = [[cell.strip() for cell in row.split("|")[1:4]] for row in rows]

    def short(models: frozenset[Any]) -> str:
        numbers = sorted(model.value.rpartition("_")[2] for model in models)
        return "all" if len(numbers) == 4 else ", ".join(numbers)

    assert shown == [
        [f"`{name}`", short(detections), short(recognitions)]
        for name, (detections, recognitions, _) in detect._ATTRIBUTES.items()
    ]


def test_all_landmarks_have_the_service_s_names() -> None:
    """As the published client library reads them."""
    models = needs.module("azure.ai.vision.face.models")
    known = models.FaceLandmarks({name: {"x": 1, "y": 2} for name in faces.LANDMARKS})
    attributes = [name for name in vars(models.FaceLandmarks) if name.islower() and name[0] != "_"]
    read = [getattr(known, name) for name in attributes if not callable(getattr(known, name))]
    assert len(read) == 27
    assert all((point.x, point.y) == (1, 2) for point in read)
