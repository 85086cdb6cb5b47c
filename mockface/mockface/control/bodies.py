"""The control API's requests as models, and what it says of sessions and people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from mockface import validation
from mockface.api.models import timestamp
from mockface.api.reading import json_body
from mockface.clock import moment
from mockface.images import LIGHTS, MOST_FACES, MOST_TURNED
from mockface.limits import TIERS
from mockface.pictures.faces import GLASSES
from mockface.responses import WireError
from mockface.scenarios import LONGEST_NAME, Decision, Pace
from mockface.validation import integer, length, number, one_of

if TYPE_CHECKING:
    from mockface.people import Person
    from mockface.sessions.nouns import Session
    from mockface.sessions.tenant import Tenant
    from mockface.wire import Json, Request

T = TypeVar("T", bound=Struct)

_A_YEAR = 366 * 86_400.0
_TIMES = "a time such as 2026-01-31T12:00:00Z, or true for now"


class Closed(Struct, forbid_unknown_fields=True, rename="camel"):
    """A request of the control API: a misspelt field cannot pass silently."""


class ScenarioBody(Closed):
    """Chooses a scenario."""

    scenario: Annotated[str, length(LONGEST_NAME)]


class QueueBody(Closed):
    """Chooses scenarios for the next sessions."""

    scenarios: list[str]


class PaceBody(Closed):
    """Says when results are out."""

    pace: str

    def parsed(self) -> Pace:
        """The pace.

        Raises:
            WireError: It is none.
        """
        try:
            return Pace.parse(self.pace)
        except ValueError as wrong:
            raise bad(f"pace {wrong}.") from None


class ClockBody(Closed):
    """Moves time: one of the three."""

    advance: Annotated[float, number(0, _A_YEAR)] | UnsetType = UNSET
    freeze: Annotated[bool | str, Meta(description=_TIMES)] | UnsetType = UNSET
    resume: bool | UnsetType = UNSET

    def frozen_at(self) -> float | None:
        """Where `freeze` stops time, in seconds since 1970; `None` is now.

        Raises:
            WireError: It is no time.
        """
        if self.freeze is True:
            return None
        try:
            return moment(self.freeze if isinstance(self.freeze, str) else "")
        except ValueError as wrong:
            raise bad(f"freeze {wrong}.") from None


class TierBody(Closed):
    """Chooses a price tier."""

    tier: Annotated[str, one_of("none", *TIERS)]


class LimitQuery(Closed):
    """Asks for at most so many."""

    limit: Annotated[int, integer(1, 1_000_000)] | UnsetType = UNSET


class PortraitQuery(Closed):
    """How a portrait looks."""

    faces: Annotated[int, integer(0, MOST_FACES)] | UnsetType = UNSET
    mask: bool | UnsetType = UNSET
    glasses: Annotated[str, one_of(*GLASSES)] | UnsetType = UNSET
    blur: Annotated[float, number(0, 1)] | UnsetType = UNSET
    light: Annotated[str, one_of(*LIGHTS)] | UnsetType = UNSET
    turned: Annotated[float, number(-MOST_TURNED, MOST_TURNED)] | UnsetType = UNSET


def read(model: type[T], request: Request) -> T:
    """What the body of a call says.

    Raises:
        WireError: It is no JSON object, or a field is missing, wrong or unknown.
    """
    return validation.convert(model, json_body(request))


def query(model: type[T], request: Request) -> T:
    """What the query of a call says; the same for it as for `read`."""
    return validation.convert(model, validation.parameters(request), loose=True)


def bad(message: str) -> WireError:
    """A call that cannot be carried out."""
    return WireError(400, "BadArgument", message)


def about_session(tenant: Tenant, session: Session) -> Json:
    """A session, without its token."""
    return {
        "sessionId": session.id,
        "kind": session.kind.value,
        "tenant": tenant.id,
        "createdDateTime": timestamp(session.created_at),
        "progress": session.progress.name.lower(),
        "scenario": session.pinned or session.scenario or tenant.defaults.scenario,
        "attempts": [
            attempt.outcome.name.lower()
            if isinstance(attempt.outcome, Decision)
            else attempt.outcome.code
            for attempt in session.attempts
        ],
    }


def about_person(person: Person) -> Json:
    """Somebody who was made up."""
    return {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "device": person.device,
        "deviceCorrelationId": person.device_correlation_id,
        "userAgent": person.user_agent,
    }
