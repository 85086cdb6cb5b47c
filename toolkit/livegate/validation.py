"""Validation of what callers hand over, and what tells two start requests apart; pure.

A wrong *type* is a mistake of the application: ``TypeError``, or ``ValueError`` for a value that
only the application chooses. A wrong *value* that a front end can send is an
:class:`livegate.errors.InvalidRequestError`, which names the field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from livegate.errors import InvalidRequestError, SubjectRequiredError
from livegate.models import ReferenceImage, RequestContext, SessionState, StartRequest, Verdict
from livegate.protocols import MAX_PAGE
from livegate.purposes import MAX_TRANSACTION

MIN_IMAGE_BYTES: Final = 1024
MAX_IMAGE_BYTES: Final = 6 * 1024 * 1024
"""Of a reference image. Source: the service's documentation of face detection."""

MAX_SUBJECT: Final = 255
MAX_IDEMPOTENCY_KEY: Final = 255
MAX_CORRELATION_ID: Final = 64
MAX_REPORT: Final = 255
"""Characters; ``MAX_REPORT`` is that of a digest and of an error that the client reports."""

RETRY_KEY_PREFIX: Final = "livegate-retry:"
"""Idempotency keys that begin with it are made by ``retry`` alone."""


def check_request(request: StartRequest) -> None:
    """Check everything in *request* but whether its purpose is configured.

    Raises:
        SubjectRequiredError: It has no subject.
        InvalidRequestError: The transaction or the idempotency key cannot be used.
        TypeError: A field has a wrong type.
        ValueError: The subject or the correlation id cannot be used.
    """
    _check_type("request", request, StartRequest)
    check_subject(request.subject)
    _check_type("purpose", request.purpose, str)
    if request.transaction is not None:
        check_text("transaction", request.transaction, MAX_TRANSACTION)
    if request.idempotency_key is not None:
        check_idempotency_key(request.idempotency_key)
    if request.correlation_id is not None:
        _check_type("correlation_id", request.correlation_id, str)
        if fault := _text_fault(request.correlation_id, MAX_CORRELATION_ID):
            raise ValueError(f"correlation_id {fault}")
    if request.reference_image is not None:
        check_image(request.reference_image)
    _check_type("context", request.context, RequestContext)


def check_subject(subject: object) -> str:
    """The *subject*.

    Raises:
        SubjectRequiredError: It is None or empty: nobody is signed in.
        TypeError: It is not a str. The integer 7 and the str "7" must not become one user.
        ValueError: No store could keep it.
    """
    if subject is None or subject == "":
        raise SubjectRequiredError("Nobody is signed in; sign in first.")
    if not isinstance(subject, str):
        raise TypeError(
            f"the subject has to be a str, not {_type_name(subject)}; return str(user.id)"
        )
    if fault := _text_fault(subject, MAX_SUBJECT):
        raise ValueError(f"the subject {fault}")
    return subject


def check_idempotency_key(key: object) -> str:
    """The *key*, as the field ``Idempotency-Key``.

    Raises:
        InvalidRequestError: It cannot be used.
        TypeError: It is not a str.
    """
    text = check_text("Idempotency-Key", key, MAX_IDEMPOTENCY_KEY)
    if text.startswith(RETRY_KEY_PREFIX):
        raise InvalidRequestError(
            f"Idempotency-Key must not begin with {RETRY_KEY_PREFIX}, which is reserved.",
            field="Idempotency-Key",
        )
    return text


def check_reviewer(reviewer: object) -> str:
    """The *reviewer*.

    Raises:
        TypeError: It is not a str.
        ValueError: No store could keep it.
    """
    _check_type("reviewer", reviewer, str)
    assert isinstance(reviewer, str)  # noqa: S101 - for the type checker
    if fault := _text_fault(reviewer, MAX_SUBJECT):
        raise ValueError(f"reviewer {fault}")
    return reviewer


def check_verdict(verdict: object) -> Verdict:
    """The *verdict*.

    Raises:
        TypeError: It is not a Verdict.
    """
    _check_type("verdict", verdict, Verdict)
    assert isinstance(verdict, Verdict)  # noqa: S101 - for the type checker
    return verdict


def check_report(digest: object, client_error: object) -> None:
    """Check what the client reports when it is done; None is no report.

    Raises:
        InvalidRequestError: One of them cannot be stored; the error names it.
        TypeError: One of them is not a str.
    """
    if digest is not None:
        check_text("digest", digest, MAX_REPORT)
    if client_error is not None:
        check_text("clientError", client_error, MAX_REPORT)


def check_image(image: object) -> ReferenceImage:
    """The *image*, whatever its bytes are: those are for the hook ``check_reference_image``.

    Raises:
        TypeError: It is not a ReferenceImage of bytes.
    """
    if isinstance(image, ReferenceImage) and isinstance(image.content, bytes):
        return image
    shown = (
        f"ReferenceImage of {_type_name(image.content)}"
        if isinstance(image, ReferenceImage)
        else _type_name(image)
    )
    raise TypeError(f"reference_image has to be a ReferenceImage of bytes, not {shown}")


def check_limit(limit: object, maximum: int = MAX_PAGE) -> int:
    """The *limit*.

    Raises:
        TypeError: It is not an int.
        ValueError: It is not in 1..*maximum*.
    """
    if type(limit) is not int:
        raise TypeError(f"limit has to be an int, not {_type_name(limit)}")
    if not 1 <= limit <= maximum:
        raise ValueError(f"limit has to be an integer from 1 to {maximum}")
    return limit


def check_states(states: Iterable[SessionState | str]) -> frozenset[SessionState]:
    """The *states*, each of them a SessionState.

    Raises:
        TypeError: It is one state, or not iterable.
        ValueError: One of them is not a state.
    """
    if isinstance(states, str) or not isinstance(states, Iterable):
        raise TypeError("states has to be several states, such as [SessionState.PASSED]")
    try:
        return frozenset(SessionState(state) for state in states)
    except ValueError:
        raise ValueError(f"states may hold {', '.join(SessionState)}") from None


def check_text(field: str, text: object, maximum: int) -> str:
    """The *text*.

    Args:
        field: Its name, as the front end writes it.
        text: What to check.
        maximum: Characters.

    Raises:
        InvalidRequestError: It has no or too many characters, or some that no store can keep.
        TypeError: It is not a str.
    """
    _check_type(field, text, str)
    assert isinstance(text, str)  # noqa: S101 - for the type checker
    if fault := _text_fault(text, maximum):
        raise InvalidRequestError(f"{field} {fault}.", field=field)
    return text


def fingerprint(request: StartRequest) -> str:
    """A SHA-256 of what makes two requests with one idempotency key the same request.

    That is the purpose, the transaction, the correlation id and the reference image.
    """
    image = request.reference_image
    parts = (
        request.purpose,
        request.transaction or "",
        request.correlation_id or "",
        image.sha256 if image else "",
    )
    # No part holds a NUL: the parts cannot run into each other.
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _text_fault(text: str, maximum: int) -> str | None:
    if not 1 <= len(text) <= maximum:
        return f"has to have 1 to {maximum} characters"
    if "\0" in text:
        return "must not hold a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "must not hold a lone surrogate"
    return None


def _check_type(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} has to be a {kind.__name__}, not {_type_name(value)}")


def _type_name(value: object) -> str:
    return type(value).__name__
