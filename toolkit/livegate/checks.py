"""What a start request has to be like, and what tells two of them apart; pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from livegate.errors import InvalidRequestError, SubjectRequiredError

if TYPE_CHECKING:
    from livegate.session import StartRequest

MAX_SUBJECT: Final = 255
"""Characters; the same for an idempotency key."""


def check_request(request: StartRequest) -> None:
    """Refuse a request that no store and no service could take.

    Raises:
        SubjectRequiredError: It has no subject.
        InvalidRequestError: Another text is too short or too long; the error names the field.
    """
    check_subject(request.subject)
    _check_length("purpose", request.purpose, 64)
    _check_length("correlationId", request.correlation_id, 64)
    _check_length("Idempotency-Key", request.idempotency_key, 255)


def check_subject(subject: str) -> None:
    """Refuse to do anything for nobody.

    Raises:
        SubjectRequiredError: There is no subject, or it is too long.
    """
    if not subject or len(subject) > MAX_SUBJECT:
        raise SubjectRequiredError(f"A session needs a subject: 1 to {MAX_SUBJECT} characters.")


def _check_length(field: str, text: str | None, longest: int) -> None:
    if text is not None and not 1 <= len(text) <= longest:
        raise InvalidRequestError(f"{field} has to have 1 to {longest} characters.", field=field)


def fingerprint(request: StartRequest) -> str:
    """A hash of all that makes the request what it is; the subject and the key aside."""
    image = request.reference_image
    parts = (
        request.purpose,
        request.kind,
        request.mode or "",
        request.correlation_id or "",
        image.sha256 if image else "",
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
