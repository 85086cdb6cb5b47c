"""API version v1.2, the first that is generally available."""

from __future__ import annotations

from mockface.dialects import attempts, detect, images, released
from mockface.dialects.routes import Dialect

DIALECT = Dialect(
    "v1.2",
    (
        *released.Released(released.FIELDS).routes(),
        *attempts.ROUTES,
        *images.ROUTES,
        *detect.ROUTES,
    ),
)
