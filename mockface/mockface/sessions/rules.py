"""What a session lets its client do: pure functions that refuse or pass on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mockface.errors import Reason, RefusedError
from mockface.sessions.nouns import Kind, Options, Session

if TYPE_CHECKING:
    from mockface.vision import ReferenceImage


def check_attempts_left(session: Session) -> None:
    """Lets the client go on.

    Raises:
        RefusedError: `ATTEMPTS_USED_UP`.
    """
    if len(session.attempts) >= session.options.attempts:
        raise RefusedError(
            Reason.ATTEMPTS_USED_UP,
            f"All {session.options.attempts} attempts of this session have been used.",
        )


def with_ids(options: Options, *, device_id: str | None, user_id: str | None) -> Options:
    """The options with the ids that the client has set.

    Raises:
        RefusedError: `DEVICE_ID` or `USER_ID`: the app server has not left it to the client.
    """
    if device_id is None and user_id is None:
        return options
    if device_id is not None and not options.device_correlation_id_set_in_client:
        raise RefusedError(
            Reason.DEVICE_ID, "This session takes no device correlation id from the client."
        )
    if user_id is not None and not options.user_correlation_id_set_in_client:
        raise RefusedError(
            Reason.USER_ID, "This session takes no user correlation id from the client."
        )
    return replace(
        options,
        device_correlation_id=device_id or options.device_correlation_id,
        user_correlation_id=user_id or options.user_correlation_id,
    )


def check_device_named(options: Options) -> None:
    """Lets the client go on where somebody has said whose device it is.

    Raises:
        RefusedError: `DEVICE_ID`: the app server has left it to the client, and the client is
            silent.
    """
    if options.device_correlation_id is None:
        raise RefusedError(
            Reason.DEVICE_ID,
            "deviceCorrelationId is missing: this session leaves it to the client, which has to "
            "name it when it starts.",
        )


def reference_for(session: Session, offered: ReferenceImage | None) -> ReferenceImage | None:
    """The image to compare with: the app server's, or else the client's.

    Args:
        session: The session.
        offered: The client's, if it sent one.

    Raises:
        RefusedError: `VERIFY_IMAGE_NOT_ALLOWED`, `VERIFY_IMAGE_MISSING`.
    """
    if offered is not None and (session.kind is Kind.LIVENESS or session.reference is not None):
        raise RefusedError(
            Reason.VERIFY_IMAGE_NOT_ALLOWED,
            "This session takes no reference image from the client.",
        )
    reference = session.reference or offered
    if session.kind is Kind.VERIFY and reference is None:
        raise RefusedError(
            Reason.VERIFY_IMAGE_MISSING,
            "Neither the app server nor the client gave a reference image.",
        )
    return reference


def session_gone() -> RefusedError:
    """What a token gets whose session or tenant is no more."""
    return RefusedError(Reason.SESSION_GONE, "The session of this token no longer exists.")
