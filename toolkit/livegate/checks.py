"""What callers may ask for, and what tells two start requests apart; pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from livegate.errors import InvalidRequestError, SubjectRequiredError
from livegate.session import OperationMode, ReferenceImage, SessionState, StartRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SUBJECT: Final = 255
"""Characters; the same for an idempotency key."""


def check_request(request: StartRequest) -> None:
    """Refuse a request that no store and no service could take.

    Raises:
        SubjectRequiredError: It has no subject.
        InvalidRequestError: Another part is of a wrong kind or length; the error names the field.
    """
    if not isinstance(request, StartRequest):
        raise InvalidRequestError("A session is started with a StartRequest.", field="request")
    check_subject(request.subject)
    _check_text("purpose", request.purpose, 64)
    if request.correlation_id is not None:
        _check_text("correlationId", request.correlation_id, 64)
    if request.idempotency_key is not None:
        _check_text("Idempotency-Key", request.idempotency_key, 255)
    if request.mode not in (None, *OperationMode):
        raise InvalidRequestError(f"mode has to be {' or '.join(OperationMode)}.", field="mode")
    image: object = request.reference_image
    if image is not None and not (
        isinstance(image, ReferenceImage) and isinstance(image.content, bytes)
    ):
        raise InvalidRequestError(
            "referenceImage has to be a ReferenceImage with the encoded picture in bytes.",
            field="referenceImage",
        )


def check_subject(subject: str) -> None:
    """Refuse to do anything for nobody.

    Raises:
        SubjectRequiredError: There is no subject, or none that a store can hold.
    """
    if not _is_text(subject, MAX_SUBJECT):
        raise SubjectRequiredError(
            f"A session needs a subject: a text of 1 to {MAX_SUBJECT} characters."
        )


def check_report(digest: str | None, client_error: str | None) -> None:
    """Refuse a report of the client that is no text.

    Raises:
        InvalidRequestError: It is something else; the error names the field.
    """
    for field, text in {"digest": digest, "clientError": client_error}.items():
        if not isinstance(text, str | None):
            raise InvalidRequestError(f"{field} has to be a text, or left out.", field=field)


def check_number(field: str, number: int, most: int) -> None:
    """Refuse a count that is none.

    Raises:
        InvalidRequestError: It is no whole number from 1 to *most*; the error names the field.
    """
    if type(number) is not int or not 1 <= number <= most:
        raise InvalidRequestError(
            f"{field} has to be a whole number from 1 to {most}.", field=field
        )


def states_in(states: Iterable[SessionState]) -> frozenset[SessionState]:
    """The *states*, each of them one.

    Raises:
        InvalidRequestError: One of them is none, or there are not several.
    """
    try:
        if not isinstance(states, str):  # one state is a text, and a text is several letters
            return frozenset(map(SessionState, states))
    except (TypeError, ValueError):
        pass
    raise InvalidRequestError(
        f"states has to be several of {', '.join(SessionState)}, such as [SessionState.PASSED].",
        field="states",
    )


def _check_text(field: str, text: str, longest: int) -> None:
    if not _is_text(text, longest):
        raise InvalidRequestError(
            f"{field} has to be a text of 1 to {longest} characters.", field=field
        )


def _is_text(value: object, longest: int) -> bool:
    """Whether *value* is a text of 1 to *longest* characters that a store can look up."""
    if not isinstance(value, str) or not 1 <= len(value) <= longest:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True


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
