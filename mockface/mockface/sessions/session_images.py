"""The pictures that sessions keep: their ids, and whom they show.

A picture is drawn when somebody asks for it, so a session that keeps one costs no more memory than
another. Its id says which attempt it belongs to; so nothing has to be remembered for it either.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from uuid import UUID

from mockface.pictures.faces import Face

if TYPE_CHECKING:
    from mockface.dice import Dice
    from mockface.sessions.nouns import Attempt, Session

_SALT = 15  # bytes; with the session's 16 and one for the attempt they make 43 characters
_ID_LENGTH = 44


def image_id(session_id: str, number: int, dice: Dice) -> str:
    """44 characters that begin with A, as in the specification's examples.

    Args:
        session_id: A UUID.
        number: The attempt's.
        dice: The attempt's.
    """
    salt = dice.bytes("session image", size=_SALT)
    packed = UUID(session_id).bytes + bytes([number]) + salt
    return "A" + base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def session_of(image_id: str) -> str | None:
    """The id of the session that an image's id speaks of; `None` if it is no such id."""
    if len(image_id) != _ID_LENGTH or not image_id.isascii():
        return None
    try:
        packed = base64.b64decode(f"{image_id[1:]}=", altchars=b"-_", validate=True)
    except binascii.Error:
        return None
    return str(UUID(bytes=packed[:16]))


def shown(session: Session, attempt: Attempt) -> str:
    """Whom an attempt's picture shows, as the id of a person.

    Whom the client's picture showed; else, where the match says so, whom the reference image shows;
    else somebody of the session's own.
    """
    match = attempt.match
    known = match.reference.person if match and match.identical else None
    return attempt.person or known or session.id


def face(attempt: Attempt) -> Face:
    """The face in an attempt's picture: it was good enough for a decision."""
    return Face(attempt.face)


def draw(session: Session, attempt: Attempt) -> bytes:
    """The picture: a JPEG of the same bytes each time."""
    from mockface.images import session_image  # noqa: PLC0415 - only who asks for it needs Pillow

    return session_image(shown(session, attempt), attempt.face)
