"""Why the emulated service refuses: one exception, a reason for each case, no HTTP."""

from __future__ import annotations

from enum import Enum, auto

_LONGEST_SHOWN = 64


class Reason(Enum):
    """What stands in the way. The dialects say which status and code a reason has on the wire."""

    ACCESS_DENIED = auto()
    TOO_MANY_TENANTS = auto()
    TOKEN_INVALID = auto()
    TOKEN_NOT_FOR_THIS = auto()
    ATTEMPTS_USED_UP = auto()
    SESSION_GONE = auto()
    SESSION_NOT_FOUND = auto()
    SESSION_IMAGE_NOT_FOUND = auto()
    IMAGE_SIZE = auto()
    IMAGE_INVALID = auto()
    DEVICE_ID = auto()
    USER_ID = auto()
    CONCURRENT = auto()
    VERIFY_IMAGE_MISSING = auto()
    VERIFY_IMAGE_NOT_ALLOWED = auto()


class RefusedError(Exception):
    """The service says no.

    Args:
        reason: Which of the known cases this is.
        message: A sentence for the person who has to act; it never holds a key or a token.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class UnknownScenarioError(ValueError):
    """Somebody asked for a scenario that has no row in the table.

    Args:
        name: What was asked for.
        known: The names that exist.
        hint: A sentence on how it was asked for, if that may surprise.
    """

    def __init__(self, name: str, known: tuple[str, ...], hint: str = "") -> None:
        shown = name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}..."
        said = f"Unknown scenario {shown!r}; the known ones are: {', '.join(known)}. {hint}"
        super().__init__(said.rstrip())


class ControlError(Exception):
    """The emulator did not do what it was told.

    Args:
        message: A sentence for people.
        status: The HTTP status; `None` if nothing answered.
        code: The error's code, or empty.
    """

    def __init__(self, message: str, *, status: int | None = None, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
