"""API version v1.1-preview.1, which client library 1.0.0b1 speaks: no session image, no model."""

from __future__ import annotations

from mockface.dialects import attempts, creating, detect, previews
from mockface.dialects.routes import Body, Dialect

# The same for both families: nothing about the comparison can be chosen yet. Nor can the model;
# this is the newest that the enumeration of this version knows.
_BODY = Body(
    "CreateLivenessSessionContent",
    (*creating.COMMON, creating.SEND_RESULTS),
    always={"model": "2023-03-02-preview.05"},
)

DIALECT = Dialect(
    "v1.1-preview.1",
    (
        *previews.routes(_BODY, _BODY, "CreateLivenessWithVerifySessionContent"),
        *attempts.ROUTES,
        *detect.FIRST_ROUTES,
    ),
)
