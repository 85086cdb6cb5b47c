"""The bodies of the control API: what it takes, as tables of fields, and what it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from mockface.clock import moment
from mockface.dialects import reading
from mockface.dialects.reading import Field, Type
from mockface.dialects.rendering import Json, timestamp
from mockface.faults.damage import BODIES
from mockface.faults.delays import LONGEST_SECONDS, Fixed, Lognormal, Uniform
from mockface.faults.limits import TIERS
from mockface.images import LIGHTS, MOST_FACES, MOST_TURNED
from mockface.pace import Pace
from mockface.pictures.faces import GLASSES
from mockface.scenarios import LONGEST_NAME, Decision
from mockface.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mockface.faults.delays import Delay
    from mockface.faults.waiting import Fault
    from mockface.people import Person
    from mockface.sessions.nouns import Session
    from mockface.sessions.tenant import Tenant
    from mockface.wire import Request

_MOST_COUNT = 1_000_000
_MOST_BYTES = 64 * 1024 * 1024
_A_YEAR = 366 * 86_400.0


def _count(value: object) -> object:
    """How many answers; 0 stands for all of them."""
    return reading.integer(0, _MOST_COUNT).check(value) or None


def _moment(value: object) -> object:
    """A time in seconds since 1970; true stands for now."""
    if value is True:
        return None
    return moment(value if isinstance(value, str) else "")


def _names(value: object) -> object:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("must be a list of names")
    return value


def _pace(value: object) -> object:
    return Pace.parse(value if isinstance(value, str) else "")


_SECONDS = reading.number(0, LONGEST_SECONDS)


def _delay(value: object) -> object:
    """A number of seconds, or one of the distributions by the names of its numbers."""
    if not isinstance(value, dict):
        return Fixed(cast("float", _SECONDS.check(value)))
    numbers = {name: cast("float", _SECONDS.check(number)) for name, number in value.items()}
    if numbers.keys() == {"median", "sigma"}:
        return Lognormal(**numbers)
    if numbers.keys() == {"low", "high"} and numbers["low"] <= numbers["high"]:
        return Uniform(**numbers)
    raise ValueError("must be seconds, {low, high} in this order, or {median, sigma}")


FAULT = (
    Field("route", "route", reading.text(64), required=True),
    Field("probability", "probability", reading.number(1e-6, 1)),
    Field("count", "left", Type(_count)),
    Field("seconds", "seconds", reading.number(0, _A_YEAR)),
    Field("status", "status", reading.integer(400, 599)),
    Field("retryAfter", "retry_after", reading.integer(0, 86_400)),
    Field("body", "body", reading.one_of(*BODIES)),
    Field("delay", "delay", Type(_delay)),
    Field("cutAfter", "cut_after", reading.integer(0, _MOST_BYTES)),
    Field("bytesPerSecond", "bytes_per_second", reading.number(1, _MOST_BYTES)),
    Field("reset", "reset", reading.boolean()),
)
SCENARIO = (Field("scenario", "scenario", reading.text(LONGEST_NAME), required=True),)
QUEUE = (Field("scenarios", "scenarios", Type(_names), required=True),)
PACE = (Field("pace", "pace", Type(_pace), required=True),)
EFFECTS = frozenset(
    {"status", "retry_after", "body", "delay", "cut_after", "bytes_per_second", "reset"}
)
"""What a fault does; it has to do one of these."""

LIMIT = (Field("tier", "tier", reading.one_of("none", *TIERS), required=True),)
CLOCK = (
    Field("advance", "advance", reading.number(0, _A_YEAR)),
    Field("freeze", "freeze", Type(_moment)),
    Field("resume", "resume", reading.boolean()),
)
PORTRAIT = (
    Field("faces", "faces", reading.integer(0, MOST_FACES)),
    Field("mask", "mask", reading.boolean()),
    Field("glasses", "glasses", reading.one_of(*GLASSES)),
    Field("blur", "blur", reading.number(0, 1)),
    Field("light", "light", reading.one_of(*LIGHTS)),
    Field("turned", "turned", reading.number(-MOST_TURNED, MOST_TURNED)),
)


def told(table: tuple[Field, ...], request: Request) -> dict[str, Any]:
    """What the body of a call says, checked against a table of fields.

    The service's objects are open. These are not: a slip of the pen must not pass for an order that
    was carried out.

    Raises:
        WireError: It is no JSON object, or a field is missing, wrong or unknown.
    """
    given = reading.json_body(request)
    _check_names(table, given)
    return reading.fields(table, given)


def asked(table: tuple[Field, ...], request: Request) -> dict[str, Any]:
    """What the query of a call says; the same for it as for `told`."""
    given = request.parameters()
    _check_names(table, given)
    return reading.fields(table, reading.from_text(table, given))


def _check_names(table: tuple[Field, ...], given: Iterable[str]) -> None:
    known = [field.name for field in table]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise WireError(
            400, "BadArgument", f"There is no {', '.join(unknown)}; there is: {', '.join(known)}."
        )


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
