"""The bodies of the control API: what it takes, as tables of fields, and what it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mockface.clock import moment
from mockface.dialects import reading
from mockface.dialects.reading import Field, Type
from mockface.dialects.rendering import Json, timestamp
from mockface.faces import GLASSES
from mockface.faults import BODIES, Fault
from mockface.images import LIGHTS, MOST_FACES, MOST_TURNED
from mockface.scenarios import Decision

if TYPE_CHECKING:
    from mockface.journal import Entry
    from mockface.people import Person
    from mockface.sessions import Session
    from mockface.tenant import Tenant

_MOST_COUNT = 1_000_000
_LONGEST_DELAY = 600.0
_A_YEAR = 366 * 86_400.0


def _count(value: object) -> object:
    """How many answers; 0 stands for all of them."""
    return reading.integer(0, _MOST_COUNT).check(value) or None


def _moment(value: object) -> object:
    """A time in seconds since 1970; true stands for now."""
    if value is True:
        return None
    return moment(value if isinstance(value, str) else "")


FAULT = (
    Field("route", "route", reading.text(64), required=True),
    Field("status", "status", reading.integer(400, 599)),
    Field("retryAfter", "retry_after", reading.integer(0, 86_400)),
    Field("body", "body", reading.one_of(*BODIES)),
    Field("delay", "delay", reading.number(0, _LONGEST_DELAY)),
    Field("count", "left", Type(_count)),
)
SCENARIO = (Field("scenario", "scenario", reading.text(64), required=True),)
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


def about_session(tenant: Tenant, session: Session) -> Json:
    """A session, without its token."""
    return {
        "sessionId": session.id,
        "kind": session.kind.value,
        "tenant": tenant.id,
        "createdDateTime": timestamp(session.created_at),
        "progress": session.progress.name.lower(),
        "scenario": session.scenario or tenant.scenario,
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
        "route": fault.route,
        "status": fault.status,
        "retryAfter": fault.retry_after,
        "body": fault.body,
        "delay": fault.delay,
        "count": fault.left or 0,
    }


def about_entry(entry: Entry) -> Json:
    """A line of the journal."""
    return {
        "at": timestamp(entry.at),
        "tenant": entry.tenant_id,
        "method": entry.method,
        "path": entry.path,
        "route": entry.route,
        "status": entry.status,
        "code": entry.code,
        "requestId": entry.request_id,
        "fault": entry.fault,
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
