"""What can go wrong on the person's device: one table, by the names of the web element.

None of it is part of the service's verdict, and some never reaches the service at all, so the app
server learns of it from its own front end only. How far each gets is an assumption: of the element
only the names are public.
"""

from __future__ import annotations

from enum import Enum, auto
from types import MappingProxyType


class Reach(Enum):
    """How far a client gets before it gives up."""

    NOWHERE = auto()
    STARTED = auto()
    SENT = auto()


CLIENT_FAILURES = MappingProxyType(
    {
        # Nothing is asked of the service.
        "CameraPermissionDenied": Reach.NOWHERE,
        "CameraStartupFailure": Reach.NOWHERE,
        "ClientVersionNotSupported": Reach.NOWHERE,
        "EnvironmentNotSupported": Reach.NOWHERE,
        "InvalidToken": Reach.NOWHERE,
        "Unexpected": Reach.NOWHERE,
        # The session starts, and no picture is sent.
        "ExcessiveFaceBrightness": Reach.STARTED,
        "ExcessiveImageBlurDetected": Reach.STARTED,
        "FaceEyeRegionNotVisible": Reach.STARTED,
        "FaceMouthRegionNotVisible": Reach.STARTED,
        "FaceTrackingFailed": Reach.STARTED,
        "FaceWithMaskDetected": Reach.STARTED,
        "HeadTurnNotPerformed": Reach.STARTED,
        "NoFaceDetected": Reach.STARTED,
        "SmileNotPerformed": Reach.STARTED,
        "TimedOut": Reach.STARTED,
        "UnexpectedClientError": Reach.STARTED,
        "UserCanceledActiveMotion": Reach.STARTED,
        "UserCanceledActiveMotionPrompt": Reach.STARTED,
        "UserCanceledSession": Reach.STARTED,
        "VerifyImageNotProvided": Reach.STARTED,
        # The picture is sent and judged, and the answer does not arrive.
        "ServerRequestTimedOut": Reach.SENT,
        "UnexpectedServerError": Reach.SENT,
    }
)
"""All names that `livenessError` can have, but for `None` (contract: documentation)."""

RECOGNITION_FAILURES = (
    "GenericFailure",
    "FaceNotFrontal",
    "FaceEyeRegionNotVisible",
    "FaceMouthRegionNotVisible",
    "FaceWithMaskDetected",
    "ExcessiveFaceBrightness",
    "ExcessiveImageBlurDetected",
    "FaceNotFound",
    "MultipleFaceFound",
    "ContentDecodingError",
    "ImageSizeIsTooLarge",
    "ImageSizeIsTooSmall",
    "UnsupportedMediaType",
)
"""All names that `recognitionError` can have, but for `None` (contract: documentation).

They are about the comparison, so the picture has been sent and judged (assumption).
"""
