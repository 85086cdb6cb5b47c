"""What the versions have in common: requests before any HTTP library has seen them, and parsing.

Types are parsed strictly, identifiers openly: a field that is missing or has a wrong type is a
response that cannot be understood, an unknown identifier is accepted as it is, since all
enumerations of the service are open. ``null`` counts as absent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from livegate.errors import FaceResponseError
from livegate.protocols import FaceSession

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from livegate.protocols import FaceSessionRequest

T = TypeVar("T")

Json = dict[str, Any]

REMOTE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The service's session ids look like UUIDs; only these characters are safe in a path."""

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_DIGEST: Final = re.compile(r"[!-~]{1,256}")
_TOKEN: Final = re.compile(r"[!-~]{1,16384}")
_MAX_INT: Final = 2**31 - 1


# --- requests --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One HTTP request: with a JSON object, with a multipart form, or without a body.

    Attributes:
        method: The HTTP method.
        path: Below ``{endpoint}/face``.
        json: The JSON object, or None.
        form: The text parts of a multipart form, or None.
        file: Its file part, as a name and bytes, or None; never in a ``repr``.
    """

    method: str
    path: str
    json: Mapping[str, object] | None = None
    form: Mapping[str, str] | None = None
    file: tuple[str, bytes] | None = field(default=None, repr=False)


def session_request(method: str, path: str, remote_id: str) -> WireRequest:
    """A request about one session: in every version its path is that of its kind, then its id.

    Raises:
        ValueError: *remote_id* is not an id of the service, and not safe in a path.
    """
    if not REMOTE_ID.fullmatch(remote_id):
        raise ValueError("remote_id is not a session id of the service")
    return WireRequest(method, f"{path}/{remote_id}")


def session_fields(request: FaceSessionRequest) -> dict[str, object]:
    """The fields of a create that are the same in every version, for both kinds of sessions.

    The server chooses the device's id, so that no client can reset the limits for it by naming
    another; the service takes it only with the flag being false. Session images are disabled
    explicitly, since the service documents no default: what it does not keep cannot leak.
    """
    return {
        "livenessOperationMode": request.mode.value,
        "deviceCorrelationIdSetInClient": False,
        "deviceCorrelationId": request.correlation_id,
        "authTokenTimeToLiveInSeconds": request.token_lifetime,
        "enableSessionImage": False,
    }


# --- fields: each kind returns the value, or None if it is of another kind --------------------


def required(body: Json, name: str, kind: Callable[[object], T | None]) -> T:
    """The field *name* of *body*, as *kind* returns it.

    Raises:
        FaceResponseError: It is missing, or is not of this kind.
    """
    value = kind(body.get(name))
    if value is None:
        raise FaceResponseError(f"The Face service's response has no valid {name}.")
    return value


def optional(body: Json, name: str, kind: Callable[[object], T | None]) -> T | None:
    """The field *name* of *body*, or None where there is none.

    Raises:
        FaceResponseError: There is one, and it is not of this kind.
    """
    return None if body.get(name) is None else required(body, name, kind)


def as_object(value: object) -> Json | None:
    """A JSON object."""
    return value if isinstance(value, dict) else None


def as_list(value: object) -> list[object] | None:
    """A JSON array."""
    return value if isinstance(value, list) else None


def as_bool(value: object) -> bool | None:
    """``true`` or ``false``, and nothing that is only truthy or falsy."""
    return value if isinstance(value, bool) else None


def as_positive_int(value: object) -> int | None:
    """An integer from 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 1 <= value <= _MAX_INT else None


def as_confidence(value: object) -> float | None:
    """A number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= 1 else None


def as_identifier(value: object) -> str | None:
    """A value of an enumeration, or an error code; safe to show."""
    return _matching(_IDENTIFIER, value)


def as_digest(value: object) -> str | None:
    """A digest or a hash: visible ASCII, not empty."""
    return _matching(_DIGEST, value)


def as_token(value: object) -> str | None:
    """A token that is valid in a header."""
    return _matching(_TOKEN, value)


def as_remote_id(value: object) -> str | None:
    """A session id that is valid in a path."""
    return _matching(REMOTE_ID, value)


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


# --- the same in every version ---------------------------------------------------------------


def parse_session(body: Json) -> FaceSession:
    """The session in the response to a create.

    Raises:
        FaceResponseError: A field is missing or not valid.
    """
    return FaceSession(
        remote_id=required(body, "sessionId", as_remote_id),
        auth_token=required(body, "authToken", as_token),
    )


def check_session_id(body: Json, name: str, remote_id: str) -> None:
    """Make sure that *body* is about the session that was read.

    Raises:
        FaceResponseError: It is not; its verdict would be about another person.
    """
    if required(body, name, as_remote_id).lower() != remote_id.lower():
        raise FaceResponseError("The Face service's response is about another session.")


def parse_verification(body: Json) -> tuple[bool | None, float | None]:
    """Whether the face is that of the reference image, and the confidence; None if absent.

    Raises:
        FaceResponseError: There is a result, and it is not valid.
    """
    result = optional(body, "verifyResult", as_object)
    if result is None:
        return None, None
    return (
        required(result, "isIdentical", as_bool),
        required(result, "matchConfidence", as_confidence),
    )
