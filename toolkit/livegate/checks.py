"""What callers' values have to be like, and what tells two start requests apart; pure."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from livegate.errors import InvalidRequestError, SubjectRequiredError
from livegate.session import OperationMode, ReferenceImage, SessionState, StartRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SUBJECT: Final = 255
"""Characters; the same for an idempotency key."""
MAX_REPORT: Final = 255
"""Characters of what a client reports; over HTTP less."""


def check_request(request: StartRequest) -> None:
    """Refuse a request that no store and no service could take.

    Raises:
        SubjectRequiredError: It has no subject.
        InvalidRequestError: Something else in it cannot be used; the error names the field.
    """
    if not isinstance(request, StartRequest):
        raise InvalidRequestError("A session is started with a StartRequest.", field="request")
    check_subject(request.subject)
    check_text("purpose", request.purpose, 64)
    if request.correlation_id is not None:
        check_text("correlationId", request.correlation_id, 64)
    if request.idempotency_key is not None:
        check_text("Idempotency-Key", request.idempotency_key, 255)
    if request.mode not in (None, *OperationMode):
        raise InvalidRequestError(f"mode has to be {' or '.join(OperationMode)}.", field="mode")
    _check_image(request.reference_image)


def check_subject(subject: object) -> str:
    """The *subject*, unless it is nobody, or what is no name of a user.

    Raises:
        SubjectRequiredError: There is no subject.
        InvalidRequestError: It is no text, or too long.
    """
    if subject is None or subject == "":
        raise SubjectRequiredError("Nobody is signed in; sign in first.")
    return check_text("subject", subject, MAX_SUBJECT)


def check_report(digest: object, client_error: object) -> None:
    """Refuse what the client said if it is not what a client can say; it would be kept.

    Raises:
        InvalidRequestError: One of them is no text, or too long; the error names it.
    """
    if digest is not None:
        check_text("digest", digest, MAX_REPORT)
    if client_error is not None:
        check_text("clientError", client_error, MAX_REPORT)


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


def check_text(field: str, text: object, longest: int) -> str:
    """The *text*, unless it is none of 1 to *longest* characters, or cannot be encoded.

    Raises:
        InvalidRequestError: Names the *field*.
    """
    if not isinstance(text, str):
        raise InvalidRequestError(
            f"{field} has to be a text, and is of the type {type(text).__name__}.", field=field
        )
    if not 1 <= len(text) <= longest:
        raise InvalidRequestError(f"{field} has to have 1 to {longest} characters.", field=field)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidRequestError(f"{field} holds a lone surrogate.", field=field) from None
    return text


def _check_image(image: object) -> None:
    if image is None or (isinstance(image, ReferenceImage) and isinstance(image.content, bytes)):
        return
    raise InvalidRequestError(
        "referenceImage has to be a ReferenceImage of bytes.", field="referenceImage"
    )


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
