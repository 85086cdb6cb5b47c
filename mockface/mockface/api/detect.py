"""POST /detect: the faces of a posted picture, of a session's picture, or behind an address.

The three operations share the URL; the body says which one it is. Which attributes go with which
model, and the 100 faces at most, are what the public documentation of the service says of Detect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, defstruct, field, structs

from mockface.api import reading
from mockface.api.errors import bad_body, bad_media_type
from mockface.api.images import STREAM
from mockface.api.models import FaceRectangle, Model, Number, Quality, Share, Uuid, rectangle
from mockface.pictures import faces
from mockface.responses import WireError, answer
from mockface.sessions import session_images
from mockface.validation import Words, integer, length, parameters, read
from mockface.wire import JSON, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockface.operations import Call
    from mockface.pictures.faces import Face

_SURE = 0.99  # the confidence of what the emulator drew or found


class DetectionModel(Words):
    """What finds faces."""

    FIRST = "detection_01"
    SECOND = "detection_02"
    THIRD = "detection_03"


class RecognitionModel(Words):
    """What the ids of faces are for."""

    FIRST = "recognition_01"
    SECOND = "recognition_02"
    THIRD = "recognition_03"
    FOURTH = "recognition_04"


class DetectQuery(Struct, rename="camel"):
    """What the query asks for. Nothing of the emulator takes the ids, so they never expire."""

    detection_model: DetectionModel = DetectionModel.FIRST
    recognition_model: RecognitionModel = RecognitionModel.FIRST
    return_face_id: bool = True
    return_face_attributes: str | UnsetType = UNSET
    return_face_landmarks: bool = False
    return_recognition_model: bool = False
    face_id_time_to_live: Annotated[int, integer(60, 86_400)] = 86_400


class DetectFromSessionImageIdRequest(Struct):
    """Names a session's picture."""

    image_id: Annotated[str, length(64, error="InvalidRequestBody")] = field(name="sessionImageId")


def _one_of(*values: str) -> Meta:
    return Meta(extra_json_schema={"enum": list(values)})


class HeadPose(Model):
    """How a head is turned, in degrees."""

    pitch: Number
    roll: Number
    yaw: Number


class OcclusionProperties(Model):
    """What is hidden."""

    forehead_occluded: bool
    eye_occluded: bool
    mouth_occluded: bool


class AccessoryItem(Model):
    """Something that is worn."""

    type: Annotated[str, _one_of("headwear", "glasses", "mask")]
    confidence: Share


class BlurProperties(Model):
    """How blurred a face is."""

    blur_level: Annotated[str, _one_of(*faces.LEVELS)]
    value: Share


class ExposureProperties(Model):
    """How a face is lit."""

    exposure_level: Annotated[str, _one_of(*faces.EXPOSURES)]
    value: Share


class NoiseProperties(Model):
    """How noisy a face is."""

    noise_level: Annotated[str, _one_of(*faces.LEVELS)]
    value: Share


class MaskProperties(Model):
    """What covers a face."""

    nose_and_mouth_covered: bool
    type: Annotated[str, _one_of(*faces.MASKS)]


class FaceAttributes(Model):
    """The attributes that were asked for."""

    head_pose: HeadPose | UnsetType = UNSET
    glasses: Annotated[str, _one_of(*faces.GLASSES)] | UnsetType = UNSET
    occlusion: OcclusionProperties | UnsetType = UNSET
    accessories: list[AccessoryItem] | UnsetType = UNSET
    blur: BlurProperties | UnsetType = UNSET
    exposure: ExposureProperties | UnsetType = UNSET
    noise: NoiseProperties | UnsetType = UNSET
    mask: MaskProperties | UnsetType = UNSET
    quality_for_recognition: Quality | UnsetType = UNSET


class LandmarkCoordinate(Model):
    """A point, in pixels."""

    x: Number
    y: Number


FaceLandmarks = defstruct(
    "FaceLandmarks", [(name, LandmarkCoordinate) for name in faces.LANDMARKS], bases=(Model,)
)


class FaceDetectionResult(Model, kw_only=True):
    """A face."""

    face_id: Uuid | UnsetType = UNSET
    recognition_model: RecognitionModel | UnsetType = UNSET
    face_rectangle: FaceRectangle
    face_landmarks: FaceLandmarks | UnsetType = UNSET  # type: ignore[valid-type]  # made above
    face_attributes: FaceAttributes | UnsetType = UNSET


def detect(call: Call) -> Response:
    """Detect, DetectFromUrl and DetectFromSessionImageId."""
    asked = read(DetectQuery, parameters(call.request), loose=True)
    attributes = _attributes(asked)
    named = call.operation.takes
    kind = reading.media_type(call.request)
    if kind == STREAM:
        found = list(call.tenant.look(call.request.body).faces)
    elif kind == JSON:
        image_id = _image_id(named, reading.json_body(call.request))
        _, attempt = call.tenant.session_image(image_id)
        found = [session_images.face(attempt)]
    else:
        raise bad_media_type(STREAM if named is None else f"{STREAM} or {JSON}")
    ids = call.tenant.face_ids(call.request_id, len(found))
    each = zip(found, ids, strict=True)
    return answer(200, [_result(face, face_id, asked, attributes) for face, face_id in each])


def _attributes(asked: DetectQuery) -> tuple[str, ...]:
    """The names of the attributes, in the order of the query and in any case."""
    text = asked.return_face_attributes or ""
    given = [name.strip().lower() for name in text.split(",") if name.strip()]
    if any(name not in _BY_LOWER for name in given):
        raise WireError(400, "BadArgument", f"returnFaceAttributes knows {', '.join(_ATTRIBUTES)}.")
    names = tuple(dict.fromkeys(_BY_LOWER[name] for name in given))
    detection, recognition = asked.detection_model, asked.recognition_model
    for name in names:
        detections, recognitions, _ = _ATTRIBUTES[name]
        if detection not in detections:
            raise _no("returnFaceAttributes", f"{detection.value} has no {name}")
        if recognition not in recognitions:
            raise _no("returnFaceAttributes", f"{recognition.value} has no {name}")
    if asked.return_face_landmarks and detection not in _WITH_LANDMARKS:
        raise _no("returnFaceLandmarks", f"{detection.value} has no landmarks")
    return names


def _no(field: str, message: str) -> WireError:
    return WireError(400, "BadArgument", f"{field}: {message}.")


def _image_id(named: type[DetectFromSessionImageIdRequest] | None, body: dict[str, object]) -> str:
    if body.get("url") is not None:
        # An emulator that fetches what it is told would be a way into the network it stands in.
        raise WireError(400, "InvalidURL", "The emulator fetches no pictures: post the bytes.")
    if named is None:
        raise bad_body(f"This version has no session images: post the picture as {STREAM}.")
    return read(named, body).image_id


def _result(
    face: Face, face_id: str, asked: DetectQuery, names: tuple[str, ...]
) -> FaceDetectionResult:
    values = {_FIELDS[name]: _ATTRIBUTES[name][2](face) for name in names}
    return FaceDetectionResult(
        face_id=face_id if asked.return_face_id else UNSET,
        recognition_model=asked.recognition_model if asked.return_recognition_model else UNSET,
        face_rectangle=rectangle(face.box),
        face_landmarks=_landmarks(face) if asked.return_face_landmarks else UNSET,
        face_attributes=FaceAttributes(**values) if values else UNSET,
    )


def _landmarks(face: Face) -> Any:
    points = faces.landmarks(face).items()
    found = {n: LandmarkCoordinate(x=round(x, 1), y=round(y, 1)) for n, (x, y) in points}
    return FaceLandmarks(**found)


def _head_pose(face: Face) -> HeadPose:
    return HeadPose(roll=face.look.roll, yaw=face.look.yaw, pitch=face.look.pitch)


def _glasses(face: Face) -> str:
    return face.look.glasses


def _occlusion(face: Face) -> OcclusionProperties:
    return OcclusionProperties(
        forehead_occluded=False,
        eye_occluded=face.look.eyes_covered,
        mouth_occluded=face.look.mouth_covered,
    )


def _accessories(face: Face) -> list[AccessoryItem]:
    worn = {
        "glasses": face.look.glasses != "noGlasses",
        "mask": face.look.mask == "faceMask",
    }
    names = [name for name, is_worn in worn.items() if is_worn]
    return [AccessoryItem(type=name, confidence=_SURE) for name in names]


def _blur(face: Face) -> BlurProperties:
    level = faces.level(face.look.blur, faces.BLUR_BOUNDS)
    return BlurProperties(blur_level=faces.LEVELS[level], value=face.look.blur)


def _exposure(face: Face) -> ExposureProperties:
    level = faces.level(face.look.exposure, faces.EXPOSURE_BOUNDS)
    return ExposureProperties(exposure_level=faces.EXPOSURES[level], value=face.look.exposure)


def _noise(face: Face) -> NoiseProperties:
    level = faces.level(face.look.noise, faces.NOISE_BOUNDS)
    return NoiseProperties(noise_level=faces.LEVELS[level], value=face.look.noise)


def _mask(face: Face) -> MaskProperties:
    return MaskProperties(type=face.look.mask, nose_and_mouth_covered=face.look.mask == "faceMask")


def _quality(face: Face) -> str:
    return face.quality


_FIRST, _THIRD = frozenset({DetectionModel.FIRST}), frozenset({DetectionModel.THIRD})
_WITH_LANDMARKS = _FIRST | _THIRD
_ANY = frozenset(RecognitionModel)
_NEW = frozenset({RecognitionModel.THIRD, RecognitionModel.FOURTH})

_Row = tuple[frozenset[DetectionModel], frozenset[RecognitionModel], "Callable[[Face], Any]"]

_ATTRIBUTES: dict[str, _Row] = {
    "headPose": (_FIRST | _THIRD, _ANY, _head_pose),
    "glasses": (_FIRST, _ANY, _glasses),
    "occlusion": (_FIRST, _ANY, _occlusion),
    "accessories": (_FIRST, _ANY, _accessories),
    "blur": (_FIRST | _THIRD, _ANY, _blur),
    "exposure": (_FIRST, _ANY, _exposure),
    "noise": (_FIRST, _ANY, _noise),
    "mask": (_THIRD, _ANY, _mask),
    "qualityForRecognition": (_FIRST | _THIRD, _NEW, _quality),
}
"""For each attribute the detection models and the recognition models that have it, and its value.

Age, smile, hair and facial hair, which need an approval of their own, are left out: no rule for
reference images may depend on them.
"""

_BY_LOWER = {name.lower(): name for name in _ATTRIBUTES}
_FIELDS = {each.encode_name: each.name for each in structs.fields(FaceAttributes)}
