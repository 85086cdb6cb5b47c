"""The control API's requests as models, and what it says of sessions, faults and people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from mockface import validation
from mockface.api.models import timestamp
from mockface.api.reading import json_body
from mockface.clock import moment
from mockface.faults.damage import BODIES
from mockface.faults.delays import LONGEST_SECONDS, NONE, Fixed, Lognormal, Uniform
from mockface.faults.limits import TIERS
from mockface.images import LIGHTS, MOST_FACES, MOST_TURNED
from mockface.pace import Pace
from mockface.pictures.faces import GLASSES
from mockface.responses import WireError
from mockface.scenarios import LONGEST_NAME, Decision
from mockface.validation import integer, length, number, one_of

if TYPE_CHECKING:
    from mockface.faults.delays import Delay
    from mockface.faults.waiting import Fault
    from mockface.people import Person
    from mockface.sessions.nouns import Session
    from mockface.sessions.tenant import Tenant
    from mockface.wire import Json, Request

T = TypeVar("T", bound=Struct)

_MOST_BYTES = 64 * 1024 * 1024
_A_YEAR = 366 * 86_400.0
_TIMES = "a time such as 2026-01-31T12:00:00Z, or true for now"
_DELAYS = "seconds, {low, high} in this order, or {median, sigma}"

Count = Annotated[int, integer(0, 1_000_000)]
Seconds = Annotated[float, number(0, LONGEST_SECONDS)]
AnyDelay = Annotated[float | dict[str, float], Meta(description=_DELAYS)]


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


class FaultBody(Closed):
    """Lets answers go wrong; the attributes are those of `Fault`."""

    route: Annotated[str, length(64)]
    probability: Annotated[float, number(1e-6, 1)] = 1.0
    count: Count = 1
    seconds: Annotated[float, number(0, _A_YEAR)] | UnsetType = UNSET
    status: Annotated[int, integer(400, 599)] | UnsetType = UNSET
    retry_after: Annotated[int, integer(0, 86_400)] | UnsetType = UNSET
    body: Annotated[str, one_of(*BODIES)] | UnsetType = UNSET
    delay: AnyDelay | UnsetType = UNSET
    cut_after: Annotated[int, integer(0, _MOST_BYTES)] | UnsetType = UNSET
    bytes_per_second: Annotated[float, number(1, _MOST_BYTES)] | UnsetType = UNSET
    reset: bool | UnsetType = UNSET

    def effects(self) -> dict[str, Any]:
        """What the fault does, by the attributes of `Fault`.

        Raises:
            WireError: Nothing, or its delay is none.
        """
        names = ("status", "retry_after", "body", "cut_after", "bytes_per_second", "reset")
        found = {name: getattr(self, name) for name in names}
        found = {name: value for name, value in found.items() if value is not UNSET}
        if self.delay is not UNSET:
            found["delay"] = _delay(self.delay)
        if not found:
            raise bad(
                "Say at least one of status, retryAfter, body, delay, cutAfter, bytesPerSecond and "
                "reset."
            )
        return found


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


def _delay(value: float | dict[str, float]) -> Delay:
    numbers = value if isinstance(value, dict) else {"seconds": value}
    if not all(0 <= number <= LONGEST_SECONDS for number in numbers.values()):
        raise bad(f"delay must be {_DELAYS}, of at most {LONGEST_SECONDS:g} seconds.")
    if not isinstance(value, dict):
        return Fixed(value) if value else NONE
    if value.keys() == {"median", "sigma"}:
        return Lognormal(**value)
    if value.keys() == {"low", "high"} and value["low"] <= value["high"]:
        return Uniform(**value)
    raise bad(f"delay must be {_DELAYS}.")


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


def about_fault(fault: Fault) -> Json:
    """A fault; count 0 is for all answers."""
    return {
        "id": fault.id,
        "tenant": fault.tenant_id,
        "route": fault.route,
        "probability": fault.probability,
        "count": fault.left or 0,
        "hits": fault.hits,
        "until": None if fault.until is None else timestamp(fault.until),
        "status": fault.status,
        "retryAfter": fault.retry_after,
        "body": fault.body,
        "delay": _about_delay(fault.delay),
        "cutAfter": fault.cut_after,
        "bytesPerSecond": fault.bytes_per_second,
        "reset": fault.reset,
    }


def _about_delay(delay: Delay) -> object:
    if isinstance(delay, Fixed):
        return delay.seconds
    if isinstance(delay, Uniform):
        return {"low": delay.low, "high": delay.high}
    return {"median": delay.median, "sigma": delay.sigma}


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
