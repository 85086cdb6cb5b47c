"""Delivering events: at least once, in order for each session and destination.

A destination that fails holds nothing else up: it is left alone for a while, for all sessions (a
circuit breaker), and each session remembers how far each destination has come.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from livegate._record import read_event
from livegate.errors import StoreCorruptError
from livegate.protocols import GiveUp, RetryLater

if TYPE_CHECKING:
    from livegate.models import SessionEvent
    from livegate.operations import Runtime
    from livegate.protocols import Claim, Notifier

log = logging.getLogger("livegate.worker")

MAX_FAILURES: Final = 3
"""Failures in a row after which a destination is left alone for all sessions."""
MAX_RETRY_AFTER: Final = timedelta(days=1)
UNREADABLE_PAUSE: Final = timedelta(hours=1)
"""How long events that cannot be read are left alone."""
UNKNOWN_PAUSE: Final = timedelta(seconds=30)
"""How long a session is left to workers that have the destination which this one does not."""
_MARGIN: Final = timedelta(seconds=5)
"""Before the end of a lease, in which no delivery begins."""


def backoff(failures: int) -> timedelta:
    """How long to wait after so many failures in a row: 10 s, doubled to 10 min."""
    return timedelta(seconds=min(10 * 2 ** min(failures - 1, 10), 600))


@dataclass(slots=True)
class Breaker:
    """How a destination does, for all sessions of this process.

    Attributes:
        failures: In a row.
        open_until: Nothing is delivered to it before.
    """

    failures: int = 0
    open_until: datetime | None = None


@dataclass(slots=True)
class Place:
    """How far a destination has come with the events of one session.

    Attributes:
        sequence: Of the last event that was delivered, or given up.
        failures: Of the next one, in a row.
        retry_at: When it is to be tried again.
    """

    sequence: int = 0
    failures: int = 0
    retry_at: datetime | None = None


@dataclass(slots=True)
class Progress:
    """What the worker keeps with a session between two claims.

    Attributes:
        failures: Of the due work, in a row.
        places: By the destinations' names.
    """

    failures: int = 0
    places: dict[str, Place] = field(default_factory=dict)

    @classmethod
    def decode(cls, data: bytes | None) -> Progress:
        """From what :meth:`encode` made; what cannot be read is begun anew: delivered again."""
        try:
            content: Any = json.loads(data or b"{}")
            return cls(
                int(content.get("failures", 0)),
                {
                    str(name): Place(
                        int(sequence),
                        int(failures),
                        None if retry_at is None else datetime.fromisoformat(retry_at),
                    )
                    for name, (sequence, failures, retry_at) in content.get("places", {}).items()
                },
            )
        except (ValueError, TypeError, AttributeError):
            return cls()

    def encode(self) -> bytes | None:
        """As bytes; None when there is nothing to keep."""
        if not self.failures and not self.places:
            return None
        places = {
            name: (place.sequence, place.failures, place.retry_at and place.retry_at.isoformat())
            for name, place in self.places.items()
        }
        return json.dumps({"failures": self.failures, "places": places}).encode()

    def retry_at(self, last: int, now: datetime) -> datetime:
        """When the first destination that has not come to the event *last* is to be tried again."""
        times = [place.retry_at or now for place in self.places.values() if place.sequence < last]
        return min(times, default=now)


async def deliver(runtime: Runtime, claim: Claim, progress: Progress, lease_ends: datetime) -> int:
    """Deliver the events of *claim* to their destinations, as far as these take them now.

    What is for a destination that this process does not have waits for one that has it.

    Returns:
        The sequence up to which every destination is done with the events; 0 for none.
    """
    if not claim.events:
        return 0
    try:
        events = [(record.sequence, *read_event(record)) for record in claim.events]
    except StoreCorruptError as error:
        log.error("worker: %s", error)  # noqa: TRY400 - the message says all
        progress.places = {"": Place(retry_at=runtime.now() + UNREADABLE_PAUSE)}
        return 0
    names = sorted({name for _, _, destinations in events for name in destinations})
    progress.places = {name: progress.places.get(name, Place()) for name in names}
    for name, place in progress.places.items():
        mine = [
            event
            for sequence, event, destinations in events
            if name in destinations and sequence > place.sequence
        ]
        await _deliver_to(runtime, name, mine, place, lease_ends)
        if not mine or place.sequence == mine[-1].sequence:
            place.sequence = events[-1][0]
    first = events[0][0]
    done = [max(place.sequence, first - 1) for place in progress.places.values()]
    return min(done, default=events[-1][0])


async def _deliver_to(
    runtime: Runtime, name: str, events: list[SessionEvent], place: Place, lease_ends: datetime
) -> None:
    """Deliver to one destination, in order, up to the first event that fails."""
    notifier = next((each for each in runtime.notifiers if each.name == name), None)
    breaker = runtime.breakers.setdefault(name, Breaker())
    max_age = timedelta(seconds=runtime.settings.event_max_age)
    for event in events:
        now = runtime.now()
        if now - event.occurred_at > max_age:
            log.error("event %s is too old, and not delivered to %s", event.id, name)
            place.sequence = event.sequence
            continue
        if notifier is None:
            place.retry_at = now + UNKNOWN_PAUSE
            return
        holds = [time for time in (place.retry_at, breaker.open_until) if time and time > now]
        if now >= lease_ends - _MARGIN:
            holds.append(now)
        if holds:
            place.retry_at = max(holds)
            return
        retry_after = await _try(runtime, notifier, event)
        if retry_after is not None:
            _count_failure(runtime, notifier, place, breaker, retry_after)
            return
        breaker.failures, breaker.open_until = 0, None
        place.sequence, place.failures, place.retry_at = event.sequence, 0, None


async def _try(runtime: Runtime, notifier: Notifier, event: SessionEvent) -> timedelta | None:
    """Deliver one event; None when it is done with, else the least time to wait; 0 for any."""
    try:
        await runtime.plugins.deliver(notifier, event)
    except GiveUp as error:
        log.error("event %s cannot be delivered to %s: %s", event.id, notifier.name, error.reason)  # noqa: TRY400
    except RetryLater as error:
        return min(timedelta(seconds=max(error.after or 0, 0)), MAX_RETRY_AFTER)
    except Exception as error:  # noqa: BLE001 - one destination's fault is not another's
        # Without its text: an HTTP client may quote an address with a password in it.
        log.warning(
            "event %s is not delivered to %s yet: %s", event.id, notifier.name, type(error).__name__
        )
        return timedelta(0)
    return None


def _count_failure(
    runtime: Runtime, notifier: Notifier, place: Place, breaker: Breaker, retry_after: timedelta
) -> None:
    now = runtime.now()
    place.failures += 1
    place.retry_at = now + max(backoff(place.failures), retry_after)
    breaker.failures += 1
    if retry_after:
        breaker.open_until = now + retry_after
    elif breaker.failures >= MAX_FAILURES:
        breaker.open_until = now + backoff(breaker.failures - MAX_FAILURES + 1)
        log.warning("notifier %s failed %d times in a row", notifier.name, breaker.failures)
