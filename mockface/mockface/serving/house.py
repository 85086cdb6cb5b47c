"""What all connections share: the service, the limits, the threads, and who is there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mockface.serving.crew import Crew
from mockface.serving.heads import Heads

if TYPE_CHECKING:
    from mockface.service import Service

_MOST_WAITING_CALLS = 256


@dataclass(frozen=True, slots=True)
class Limits:
    """What is put up with.

    Attributes:
        connections: How many there may be at once; one more is told to come later.
        idle: Seconds that a connection may rest between two requests.
        request: Seconds within which a request has to arrive in full, and its answer to be read.
        farewell: Seconds that a stopping front waits for answers that are being made.
        tick: Seconds between two looks at the clock.
    """

    connections: int = 900
    idle: float = 120.0
    request: float = 60.0
    farewell: float = 5.0
    tick: float = 1.0


class Guest(Protocol):
    """A connection, as the house knows it."""

    deadline: float
    """When the loop's clock shows this, `overdue` is called."""

    def overdue(self) -> None:
        """The client has taken too long."""

    def finish(self) -> None:
        """Ends the connection, after the answer that is being made now."""

    def abort(self) -> None:
        """Ends the connection at once."""


class House:
    """It is one event loop's, but for `stopping`, which any thread may set.

    Args:
        service: What answers.
        threads: How many pictures are worked on at once.
        limits: What is put up with.
    """

    def __init__(self, service: Service, *, threads: int, limits: Limits) -> None:
        self.service = service
        self.limits = limits
        self.heads = Heads(service.engine.clock)
        self.pictures = Crew(threads)
        self.waiting = Crew(_MOST_WAITING_CALLS)
        self.stopping = False
        self.guests: set[Guest] = set()
        self.empty = asyncio.Event()

    def enter(self, guest: Guest) -> bool:
        """A connection has come; gives back whether there is room for it."""
        room = len(self.guests) < self.limits.connections
        self.guests.add(guest)
        self.empty.clear()
        return room and not self.stopping

    def leave(self, guest: Guest) -> None:
        """A connection has ended."""
        self.guests.discard(guest)
        if not self.guests:
            self.empty.set()
