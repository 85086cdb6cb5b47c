"""The shapes of all answers as tables, from which the served OpenAPI documents are made.

Nothing here is needed to answer: the tests hold the answers against these tables. A name with `?`
behind it may be missing. Every object is open, as in the specification.
"""

from __future__ import annotations

from types import MappingProxyType

from mockface.pictures import faces

Schema = dict[str, object]
Shape = dict[str, Schema]
Shapes = dict[str, Shape]


def ref(name: str) -> Schema:
    """The shape of this name."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(of: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": of}


def _one_of(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_INT32: Schema = {"type": "integer", "format": "int32"}
_INT64: Schema = {"type": "integer", "format": "int64"}
_SHARE: Schema = {"type": "number", "format": "float", "minimum": 0, "maximum": 1}
_MEASURE: Schema = {"type": "number", "format": "float"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_SECONDS: Schema = {
    "type": "integer",
    "format": "int32",
    "minimum": 60,
    "maximum": 86_400,
    "default": 600,
}

_DECISION = _one_of("uncertain", "realface", "spoofface")
_QUALITY = _one_of("low", "medium", "high")
_IMAGE_TYPE = _one_of("Color", "Infrared", "Depth")
_PROGRESS = _one_of("NotStarted", "Running", "Succeeded", "Failed", "Canceled")

_EVERYWHERE: Shapes = {
    "Empty": {},
    "FaceErrorResponse": {"error": ref("FaceError")},
    "FaceError": {"code": _TEXT, "message": _TEXT},
    "FaceRectangle": {"top": _INT32, "left": _INT32, "width": _INT32, "height": _INT32},
    "LivenessOutputsTarget": {
        "faceRectangle": ref("FaceRectangle"),
        "fileName": _TEXT,
        "timeOffsetWithinFile": _INT32,
        "imageType": _IMAGE_TYPE,
    },
    # For a failed attempt the body of the error stands here; so nothing is always there.
    "LivenessResponseBody": {
        "livenessDecision?": _DECISION,
        "target?": ref("LivenessOutputsTarget"),
        "verifyResult?": ref("LivenessWithVerifyOutputs"),
    },
}

_ITEM: Shape = {
    "id": _TEXT,
    "createdDateTime": _TIME,
    "sessionStartDateTime?": _TIME,
    "sessionExpired": _FLAG,
    "deviceCorrelationId?": _TEXT,
    "authTokenTimeToLiveInSeconds?": _SECONDS,
}
_SESSION: Shape = _ITEM | {
    "status": _one_of("NotStarted", "Started", "ResultAvailable"),
    "result?": ref("LivenessSessionAuditEntry"),
}

_PREVIEWS: Shapes = {
    "CreateLivenessSessionResult": {"sessionId": _TEXT, "authToken": _TEXT},
    "CreateLivenessWithVerifySessionResult": {
        "sessionId": _TEXT,
        "authToken": _TEXT,
        "verifyImage?": ref("LivenessWithVerifyImage"),
    },
    "LivenessWithVerifyImage": {
        "faceRectangle": ref("FaceRectangle"),
        "qualityForRecognition": _QUALITY,
    },
    "LivenessWithVerifyOutputs": {
        "verifyImage": ref("LivenessWithVerifyImage"),
        "matchConfidence": _SHARE,
        "isIdentical": _FLAG,
    },
    "LivenessSessionItem": _ITEM,
    "LivenessSession": _SESSION,
    "LivenessWithVerifySession": _SESSION,
    "LivenessSessionAuditEntry": {
        "id": _INT64,
        "sessionId": _TEXT,
        "requestId": _TEXT,
        "clientRequestId": _TEXT,
        "receivedDateTime": _TIME,
        "request": ref("AuditRequestInfo"),
        "response": ref("AuditLivenessResponseInfo"),
        "digest": _TEXT,
    },
    "AuditRequestInfo": {
        "url": _TEXT,
        "method": _TEXT,
        "contentLength?": _INT64,
        "contentType": _TEXT,
        "userAgent?": _TEXT,
    },
    "AuditLivenessResponseInfo": {
        "body": ref("LivenessResponseBody"),
        "statusCode": _INT32,
        "latencyInMilliseconds": _INT64,
    },
}
_V1_1_PREVIEW_1: Shapes = {
    "LivenessResponseBody": {
        "modelVersionUsed?": _one_of(
            "2020-02-15-preview.01",
            "2021-11-12-preview.03",
            "2022-10-15-preview.04",
            "2023-03-02-preview.05",
        )
    },
}
_V1_2_PREVIEW_1: Shapes = {
    "LivenessResponseBody": {
        "modelVersionUsed?": _one_of("2022-10-15-preview.04", "2023-12-20-preview.06")
    },
    "LivenessSessionAuditEntry": {"sessionImageId?": _TEXT, "verifyImageHash?": _TEXT},
}

_RESULT: Shape = {
    "livenessDecision?": _DECISION,
    "targets": ref("LivenessDecisionTargets"),
    "digest": _TEXT,
    "sessionImageId?": _TEXT,
}
_SESSION_RESOURCE: Shape = {
    "sessionId": _TEXT,
    "authToken": _TEXT,
    "status": _PROGRESS,
    "modelVersion?": _one_of("2024-11-15", "2025-05-20"),
}
_ATTEMPT: Shape = {
    "attemptId": _INT32,
    "attemptStatus": _PROGRESS,
    "error?": ref("LivenessError"),
}

_RELEASED: Shapes = {
    "LivenessSession": _SESSION_RESOURCE | {"results": ref("LivenessSessionResults")},
    "LivenessWithVerifySession": _SESSION_RESOURCE
    | {"results": ref("LivenessWithVerifySessionResults")},
    "LivenessSessionResults": {"attempts": array(ref("LivenessSessionAttempt"))},
    "LivenessWithVerifySessionResults": {
        "verifyReferences": array(ref("LivenessWithVerifyReference")),
        "attempts": array(ref("LivenessWithVerifySessionAttempt")),
    },
    "LivenessWithVerifyReference": {
        "referenceType": _IMAGE_TYPE,
        "faceRectangle": ref("FaceRectangle"),
        "qualityForRecognition": _QUALITY,
    },
    "LivenessSessionAttempt": _ATTEMPT | {"result?": ref("LivenessResult")},
    "LivenessWithVerifySessionAttempt": _ATTEMPT | {"result?": ref("LivenessWithVerifyResult")},
    "LivenessResult": _RESULT,
    "LivenessWithVerifyResult": _RESULT
    | {"verifyResult?": ref("LivenessWithVerifyOutputs"), "verifyImageHash?": _TEXT},
    "LivenessWithVerifyOutputs": {"matchConfidence": _SHARE, "isIdentical": _FLAG},
    "LivenessError": {
        "code": _TEXT,
        "message": _TEXT,
        "targets": ref("LivenessDecisionTargets"),
    },
    "LivenessDecisionTargets": {"color": ref("LivenessColorDecisionTarget")},
    "LivenessColorDecisionTarget": {"faceRectangle": ref("FaceRectangle")},
}

_MONITORED: Shape = {"isAbuseMonitoringEnabled?": _FLAG, "expectedClientIpAddress?": _TEXT}
_MONITORED_ATTEMPT: Shape = {
    "clientInformation?": array(ref("ClientInformation")),
    "abuseMonitoringResult?": ref("AbuseMonitoringResult"),
}
_V1_3_PREVIEW_1: Shapes = {
    "LivenessSession": _MONITORED,
    "LivenessWithVerifySession": _MONITORED,
    "LivenessSessionAttempt": _MONITORED_ATTEMPT,
    "LivenessWithVerifySessionAttempt": _MONITORED_ATTEMPT,
    "ClientInformation": {"ip": _TEXT},
    "AbuseMonitoringResult": {
        "isAbuseDetected": _FLAG,
        "otherFlaggedSessions": array(ref("OtherFlaggedSessions")),
    },
    "OtherFlaggedSessions": {"attemptId": _INT32, "sessionId": _TEXT, "sessionImageId?": _TEXT},
    "Settings": {"livenessAbuseMonitoring": ref("LivenessAbuseMonitoringSetting")},
    "LivenessAbuseMonitoringSetting": {"enabled": _FLAG},
    "ClientAssetsAccessTokenResponse": {
        "expiry": _TIME,
        "accessToken": _TEXT,
        "base64AccessToken": _TEXT,
    },
}

_DETECTION: Shapes = {
    "FaceDetectionResult": {
        "faceId?": {"type": "string", "format": "uuid"},
        "recognitionModel?": _one_of(*(f"recognition_0{number}" for number in range(1, 5))),
        "faceRectangle": ref("FaceRectangle"),
        "faceLandmarks?": ref("FaceLandmarks"),
        "faceAttributes?": ref("FaceAttributes"),
    },
    "FaceLandmarks": dict.fromkeys(faces.LANDMARKS, ref("LandmarkCoordinate")),
    "LandmarkCoordinate": {"x": _MEASURE, "y": _MEASURE},
    "FaceAttributes": {
        "headPose?": ref("HeadPose"),
        "glasses?": _one_of(*faces.GLASSES),
        "occlusion?": ref("OcclusionProperties"),
        "accessories?": array(ref("AccessoryItem")),
        "blur?": ref("BlurProperties"),
        "exposure?": ref("ExposureProperties"),
        "noise?": ref("NoiseProperties"),
        "mask?": ref("MaskProperties"),
        "qualityForRecognition?": _one_of(*faces.QUALITIES),
    },
    "HeadPose": {"pitch": _MEASURE, "roll": _MEASURE, "yaw": _MEASURE},
    "OcclusionProperties": {
        "foreheadOccluded": _FLAG,
        "eyeOccluded": _FLAG,
        "mouthOccluded": _FLAG,
    },
    "AccessoryItem": {
        "type": _one_of("headwear", "glasses", "mask"),
        "confidence": _SHARE,
    },
    "BlurProperties": {"blurLevel": _one_of(*faces.LEVELS), "value": _SHARE},
    "ExposureProperties": {"exposureLevel": _one_of(*faces.EXPOSURES), "value": _SHARE},
    "NoiseProperties": {"noiseLevel": _one_of(*faces.LEVELS), "value": _SHARE},
    "MaskProperties": {"noseAndMouthCovered": _FLAG, "type": _one_of(*faces.MASKS)},
}

_LAYERS = MappingProxyType(
    {
        "v1.1-preview.1": (_EVERYWHERE, _PREVIEWS, _V1_1_PREVIEW_1, _DETECTION),
        "v1.2-preview.1": (_EVERYWHERE, _PREVIEWS, _V1_2_PREVIEW_1, _DETECTION),
        "v1.2": (_EVERYWHERE, _RELEASED, _DETECTION),
        "v1.3-preview.1": (_EVERYWHERE, _RELEASED, _V1_3_PREVIEW_1, _DETECTION),
    }
)


def of_version(version: str) -> Shapes:
    """All shapes of a version; later layers add fields to the shapes of earlier ones."""
    shapes: Shapes = {}
    for layer in _LAYERS[version]:
        for name, fields in layer.items():
            shapes[name] = shapes.get(name, {}) | fields
    return shapes
