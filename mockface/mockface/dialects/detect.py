"""POST /detect: the faces of a posted picture, of a session's picture, or behind an address.

The three operations share the URL; the body says which one it is. Which attributes go with which
model, and the 100 faces at most, are what the public documentation of the service says of Detect.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from mockface.dialects import reading
from mockface.dialects.errors import bad_body, bad_media_type
from mockface.dialects.images import STREAM
from mockface.dialects.reading import Field, Type
from mockface.dialects.rendering import Json, present, rectangle
from mockface.dialects.routes import Body, Call, Route
from mockface.pictures import faces
from mockface.sessions import session_images
from mockface.wire import JSON, Response, WireError, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockface.pictures.faces import Face

_SURE = 0.99  # the confidence of what the emulator drew or found

_DETECTION_MODELS = ("detection_01", "detection_02", "detection_03")
_RECOGNITION_MODELS = ("recognition_01", "recognition_02", "recognition_03", "recognition_04")
_LONGEST_IMAGE_ID = 64


def detect(named: Body | None, call: Call) -> Response:
    """Detect, DetectFromUrl and DetectFromSessionImageId.

    Args:
        named: The body that names a session's picture; `None` where sessions keep none.
        call: The call.
    """
    asked = _asked(call)
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
    return answer(200, [_result(face, face_id, asked) for face, face_id in each])


@dataclass(frozen=True, slots=True)
class Asked:
    """What the query asks for.

    Attributes:
        detection: The model that finds faces.
        recognition: The model that the ids are for.
        face_id: Whether the faces get ids.
        landmarks: Whether the 27 points are wanted.
        show_recognition: Whether the answer repeats the recognition model.
        seconds: How long the ids are good for; nothing of the emulator takes them.
        attributes: The names of the attributes, in the order of the query.
    """

    detection: str
    recognition: str
    face_id: bool
    landmarks: bool
    show_recognition: bool
    seconds: int
    attributes: tuple[str, ...] = ()


def _names(value: object) -> object:
    """A list of attributes with commas between them, in any case; empty names are passed over."""
    given = [name.strip().lower() for name in str(value).split(",") if name.strip()]
    unknown = [name for name in given if name not in _BY_LOWER]
    if unknown:
        raise ValueError(f"knows {', '.join(_ATTRIBUTES)}")
    return tuple(dict.fromkeys(_BY_LOWER[name] for name in given))


_QUERY = (
    Field(
        "detectionModel",
        "detection",
        reading.one_of(*_DETECTION_MODELS),
        default=_DETECTION_MODELS[0],
    ),
    Field(
        "recognitionModel",
        "recognition",
        reading.one_of(*_RECOGNITION_MODELS),
        default=_RECOGNITION_MODELS[0],
    ),
    Field("returnFaceId", "face_id", reading.boolean(), default=True),
    Field("returnFaceAttributes", "attributes", Type(_names, schema={"type": "string"})),
    Field("returnFaceLandmarks", "landmarks", reading.boolean(), default=False),
    Field("returnRecognitionModel", "show_recognition", reading.boolean(), default=False),
    Field("faceIdTimeToLive", "seconds", reading.integer(60, 86_400), default=86_400),
)
_BODY = Body(
    "DetectFromSessionImageIdRequest",
    (
        Field(
            "sessionImageId",
            "image_id",
            reading.text(_LONGEST_IMAGE_ID),
            code="InvalidRequestBody",
            required=True,
        ),
    ),
)


def _asked(call: Call) -> Asked:
    asked = Asked(**reading.query(call.request, _QUERY))
    for name in asked.attributes:
        detections, recognitions, _ = _ATTRIBUTES[name]
        if asked.detection not in detections:
            raise WireError(
                400, "BadArgument", f"returnFaceAttributes: {asked.detection} has no {name}."
            )
        if asked.recognition not in recognitions:
            raise WireError(
                400, "BadArgument", f"returnFaceAttributes: {asked.recognition} has no {name}."
            )
    if asked.landmarks and asked.detection not in _WITH_LANDMARKS:
        raise WireError(
            400, "BadArgument", f"returnFaceLandmarks: {asked.detection} has no landmarks."
        )
    return asked


def _image_id(named: Body | None, body: dict[str, object]) -> str:
    if body.get("url") is not None:
        # An emulator that fetches what it is told would be a way into the network it stands in.
        raise WireError(400, "InvalidURL", "The emulator fetches no pictures: post the bytes.")
    if named is None:
        raise bad_body(f"This version has no session images: post the picture as {STREAM}.")
    return str(reading.fields(named.fields, body)["image_id"])


def _result(face: Face, face_id: str, asked: Asked) -> Json:
    """A `FaceDetectionResult`."""
    return present(
        faceId=face_id if asked.face_id else None,
        recognitionModel=asked.recognition if asked.show_recognition else None,
        faceRectangle=rectangle(face.box),
        faceLandmarks=_landmarks(face) if asked.landmarks else None,
        faceAttributes={name: _ATTRIBUTES[name][2](face) for name in asked.attributes} or None,
    )


def _landmarks(face: Face) -> Json:
    points = faces.landmarks(face).items()
    return {name: {"x": round(x, 1), "y": round(y, 1)} for name, (x, y) in points}


def _head_pose(face: Face) -> Json:
    return {"roll": face.look.roll, "yaw": face.look.yaw, "pitch": face.look.pitch}


def _glasses(face: Face) -> str:
    return face.look.glasses


def _occlusion(face: Face) -> Json:
    return {
        "foreheadOccluded": False,
        "eyeOccluded": face.look.eyes_covered,
        "mouthOccluded": face.look.mouth_covered,
    }


def _accessories(face: Face) -> list[Json]:
    worn = {
        "glasses": face.look.glasses != "noGlasses",
        "mask": face.look.mask == "faceMask",
    }
    return [{"type": name, "confidence": _SURE} for name, is_worn in worn.items() if is_worn]


def _blur(face: Face) -> Json:
    blur = face.look.blur
    return {"blurLevel": faces.LEVELS[faces.level(blur, faces.BLUR_BOUNDS)], "value": blur}


def _exposure(face: Face) -> Json:
    light = face.look.exposure
    return {
        "exposureLevel": faces.EXPOSURES[faces.level(light, faces.EXPOSURE_BOUNDS)],
        "value": light,
    }


def _noise(face: Face) -> Json:
    noise = face.look.noise
    return {"noiseLevel": faces.LEVELS[faces.level(noise, faces.NOISE_BOUNDS)], "value": noise}


def _mask(face: Face) -> Json:
    return {"type": face.look.mask, "noseAndMouthCovered": face.look.mask == "faceMask"}


def _quality(face: Face) -> str:
    return face.quality


_FIRST, _THIRD = frozenset({"detection_01"}), frozenset({"detection_03"})
_WITH_LANDMARKS = _FIRST | _THIRD
_ANY, _NEW = frozenset(_RECOGNITION_MODELS), frozenset(_RECOGNITION_MODELS[2:])

_ATTRIBUTES: dict[str, tuple[frozenset[str], frozenset[str], Callable[[Face], object]]] = {
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

_ROUTE = Route(
    "detect",
    "POST",
    "/detect",
    partial(detect, None),
    operation="Detect",
    query=_QUERY,
    takes_file=True,
    gives="FaceDetectionResult[]",
)

FIRST_ROUTES = (_ROUTE,)
"""Of v1.1-preview.1, in which no session keeps a picture."""

ROUTES = (
    replace(
        _ROUTE,
        handler=partial(detect, _BODY),
        operation="DetectFromSessionImageId",
        json=_BODY,
    ),
)
"""Of all later versions."""
