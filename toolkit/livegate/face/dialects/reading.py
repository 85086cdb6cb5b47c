"""How the service's JSON is read: strictly by type, openly by word, never by guess.

A field that is missing or of a wrong type is an answer that cannot be understood. A word that is
not known is still a word: all enumerations of the service are open. ``null`` counts as absent.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeVar

from livegate.errors import FaceAnswerError
from livegate.face.base import FaceSession

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

Json = dict[str, Any]

REMOTE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""The service's session ids look like UUIDs; more than this never goes into a path."""

_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_TEXT: Final = re.compile(r"[!-~]{1,256}")
_TOKEN: Final = re.compile(r"[!-~]{1,16384}")
_MAX_NUMBER: Final = 2**31 - 1


def required(body: Json, name: str, kind: Callable[[object], T | None]) -> T:
    """The field *name* of *body*, as *kind* has it.

    Raises:
        FaceAnswerError: It is missing, or is not of this kind.
    """
    value = kind(body.get(name))
    if value is None:
        raise FaceAnswerError(f"The Face service's answer has no {name} that can be understood.")
    return value


def optional(body: Json, name: str, kind: Callable[[object], T | None]) -> T | None:
    """The field *name* of *body*, or None where there is none.

    Raises:
        FaceAnswerError: There is one, and it is not of this kind.
    """
    return None if body.get(name) is None else required(body, name, kind)


# --- the kinds: each gives the value back, or None if it is not one -------------------------


def an_object(value: object) -> Json | None:
    """A JSON object."""
    return value if isinstance(value, dict) else None


def a_list(value: object) -> list[object] | None:
    """A JSON array."""
    return value if isinstance(value, list) else None


def a_flag(value: object) -> bool | None:
    """``true`` or ``false``, and nothing that only behaves like them."""
    return value if isinstance(value, bool) else None


def a_number(value: object) -> int | None:
    """A whole number, counted from 1."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 1 <= value <= _MAX_NUMBER else None


def a_confidence(value: object) -> float | None:
    """A number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= 1 else None


def a_word(value: object) -> str | None:
    """A word of an enumeration, or an error code; safe to show."""
    return _matching(_WORD, value)


def a_text(value: object) -> str | None:
    """A digest or a hash: visible ASCII, not empty."""
    return _matching(_TEXT, value)


def a_token(value: object) -> str | None:
    """A token, as it can stand in a header."""
    return _matching(_TOKEN, value)


def a_remote_id(value: object) -> str | None:
    """A session's id, as it can stand in a path."""
    return _matching(REMOTE_ID, value)


def _matching(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


# --- what more than one version has in common -----------------------------------------------


def created_session(body: Json) -> FaceSession:
    """The answer to a create; all versions have both fields in the same place.

    Raises:
        FaceAnswerError: One of them is missing or cannot be used.
    """
    return FaceSession(
        remote_id=required(body, "sessionId", a_remote_id),
        auth_token=required(body, "authToken", a_token),
    )


def same_session(body: Json, name: str, remote_id: str) -> None:
    """Make sure that *body* is about the session that was asked for.

    Raises:
        FaceAnswerError: It is not; its verdict would be somebody else's.
    """
    if required(body, name, a_remote_id).lower() != remote_id.lower():
        raise FaceAnswerError("The Face service's answer is about another session.")


def verification(body: Json) -> tuple[bool | None, float | None]:
    """Whether it is the person of the reference image, and the confidence; None if not said.

    Raises:
        FaceAnswerError: It is said in a way that cannot be understood.
    """
    result = optional(body, "verifyResult", an_object)
    if result is None:
        return None, None
    return (
        required(result, "isIdentical", a_flag),
        required(result, "matchConfidence", a_confidence),
    )
