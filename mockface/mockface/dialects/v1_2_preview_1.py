"""API version v1.2-preview.1, which client library 1.0.0b2 speaks."""

from __future__ import annotations

from mockface.dialects import attempts, creating, detect, images, previews
from mockface.dialects.routes import Body, Dialect

MODELS = ("2023-12-20-preview.06", "2022-10-15-preview.04")

FIELDS = (
    *creating.COMMON,
    creating.SEND_RESULTS,
    creating.SESSION_IMAGE,
    creating.model("livenessSingleModalModel", *MODELS),
)

DIALECT = Dialect(
    "v1.2-preview.1",
    (
        *previews.routes(
            Body("CreateLivenessSessionContent", FIELDS),
            Body("CreateLivenessWithVerifySessionJsonContent", (*FIELDS, *creating.VERIFY)),
            "CreateLivenessWithVerifySessionMultipartContent",
        ),
        *attempts.ROUTES,
        *images.PREVIEW_ROUTES,
        *detect.ROUTES,
    ),
)
