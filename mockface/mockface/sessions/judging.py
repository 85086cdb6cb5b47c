"""How attempts and reference images are judged: pure functions of what is there and the dice."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from mockface.errors import Reason, RefusedError
from mockface.pictures.faces import Rectangle
from mockface.scenarios import Decision, Finding, Pace, Step
from mockface.sessions.nouns import (
    MATCH_THRESHOLD,
    Abuse,
    Attempt,
    ClientCall,
    Flagged,
    Match,
    Session,
)
from mockface.sessions.session_images import image_id

if TYPE_CHECKING:
    from mockface.dice import Dice
    from mockface.vision import ReferenceImage


_FACES_FOUND = MappingProxyType({Finding.NO_FACE: "no face was", Finding.TWO_FACES: "2 faces were"})


def judge(
    session: Session,
    step: Step,
    *,
    call: ClientCall,
    request_id: str,
    now: float,
    reference: ReferenceImage | None,
    person: str | None,
    pace: Pace,
    flagged: tuple[Flagged, ...],
    dice: Dice,
) -> Attempt:
    """Judges the next attempt of a session.

    Args:
        session: The session as it is.
        step: What the scenario wants this attempt to be.
        call: What the client sent.
        request_id: The id of the client's call.
        now: Seconds since 1970.
        reference: What to compare with; `None` in a session without verification.
        person: Who is in front of the camera, if the client's picture says so.
        pace: When the result is out, if neither the session nor the step says so.
        flagged: The attempts of other sessions that abuse monitoring has flagged.
        dice: Where numbers come from.

    Returns:
        The attempt, numbered after the last one of the session.
    """
    number = len(session.attempts) + 1
    own = dice.child("attempt", session.id, number)
    succeeded = isinstance(step.outcome, Decision)
    options = session.options
    digest = own.bytes("digest").hex().upper()
    pace = session.pace or step.pace or pace
    return Attempt(
        number=number,
        request_id=request_id,
        received_at=now,
        call=call,
        outcome=step.outcome,
        face=_face(own),
        digest=digest,
        client_digest=own.bytes("tampered").hex().upper() if step.digest_differs else digest,
        latency_ms=own.integer(500, 1500, "latency"),
        match=(
            _match(session, step, reference, person, own)
            if reference is not None and step.compared
            else None
        ),
        session_image_id=(
            image_id(session.id, number, own)
            if succeeded and options.enable_session_image
            else None
        ),
        verify_image_hash=(
            _hash(reference, step, own)
            if reference is not None and options.return_verify_image_hash
            else None
        ),
        person=person,
        abuse=(Abuse(detected=step.abuse, others=flagged) if session.abuse_monitoring else None),
        late=pace.late(),
    )


def as_found(reference: ReferenceImage, finding: Finding) -> ReferenceImage:
    """What a scenario makes of a reference image that is good in itself.

    Raises:
        RefusedError: `IMAGE_INVALID`: there is not one face in it.
    """
    if finding is Finding.LOW_QUALITY:
        return replace(reference, quality="low")
    if finding in _FACES_FOUND:
        raise RefusedError(
            Reason.IMAGE_INVALID,
            f"The image has to show one face, and {_FACES_FOUND[finding]} found.",
        )
    return reference


def _match(
    session: Session, step: Step, reference: ReferenceImage, person: str | None, dice: Dice
) -> Match:
    strangers = person is not None and reference.person is not None and person != reference.person
    low, high = (0.85, 0.999) if step.same_person and not strangers else (0.02, 0.2)
    confidence = dice.fraction(low, high, "confidence")
    threshold = session.options.verify_threshold
    return Match(
        confidence=confidence,
        identical=confidence >= (MATCH_THRESHOLD if threshold is None else threshold),
        reference=reference,
    )


def _hash(reference: ReferenceImage, step: Step, dice: Dice) -> str:
    return dice.bytes("other image").hex().upper() if step.hash_differs else reference.sha256


def _face(dice: Dice) -> Rectangle:
    """A face in an upright video picture of 1080 by 1920 pixels."""
    width, height = dice.integer(600, 760, "width"), dice.integer(720, 960, "height")
    left, top = dice.integer(180, 300, "left"), dice.integer(560, 800, "top")
    return Rectangle(left, top, width, height)
