"""Which status and code a refusal has on the wire; the same in all versions."""

from __future__ import annotations

from types import MappingProxyType

from mockface.errors import Reason, RefusedError
from mockface.responses import WireError

_WIRE = MappingProxyType(
    {
        # The error page has "401"; an early example has "Unspecified".
        Reason.ACCESS_DENIED: (401, "401"),
        # The emulator's own bound, not the service's.
        Reason.TOO_MANY_TENANTS: (503, "Unspecified"),
        Reason.TOKEN_INVALID: (401, "401"),
        # 403 for used-up attempts and for deleted sessions is an assumption; the page has this code
        # for tokens that are refused on the client's calls.
        Reason.TOKEN_NOT_FOR_THIS: (403, "UnsupportedFeature"),
        Reason.ATTEMPTS_USED_UP: (403, "UnsupportedFeature"),
        Reason.SESSION_GONE: (403, "UnsupportedFeature"),
        Reason.SESSION_NOT_FOUND: (404, "SessionNotFound"),
        # 404 is an assumption; the code is the known one for what lives as long as the session.
        Reason.SESSION_IMAGE_NOT_FOUND: (404, "SessionNotFound"),
        Reason.IMAGE_SIZE: (400, "InvalidImageSize"),
        Reason.IMAGE_INVALID: (400, "InvalidImage"),
        Reason.DEVICE_ID: (400, "InvalidDeviceCorrelationId"),
        # No code is known for the id of a user: assumption.
        Reason.USER_ID: (400, "BadArgument"),
        Reason.CONCURRENT: (409, "ConcurrentOperationConflict"),
        # Assumption: the client SDK's own names for the two cases.
        Reason.VERIFY_IMAGE_MISSING: (400, "VerifyImageNotProvided"),
        Reason.VERIFY_IMAGE_NOT_ALLOWED: (400, "SetVerifyImageNotAllowed"),
    }
)


def on_the_wire(refused: RefusedError) -> WireError:
    """The error answer for a refusal of the engine."""
    status, code = _WIRE[refused.reason]
    return WireError(status, code, refused.message)


def bad_body(message: str) -> WireError:
    """A body that is not as the operation expects it."""
    return WireError(400, "InvalidRequestBody", message)


def bad_media_type(wanted: str) -> WireError:
    """A body of another kind than the operation takes (415 and the code are an early example's)."""
    return WireError(415, "BadArgument", f"Invalid media type: this operation takes {wanted}.")
