"""What every operation works with, and what each of them does: load and commit."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC
from typing import TYPE_CHECKING, Final

from livegate._record import to_event, to_record, to_session
from livegate._sync import maybe_await
from livegate.errors import SessionNotFoundError, VersionConflictError
from livegate.lifecycle import Event, ResultPolled, advance
from livegate.validation import check_subject

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from livegate._delivery import Breaker
    from livegate.lifecycle import Timing
    from livegate.models import LivenessSession
    from livegate.plugins.manager import Plugins
    from livegate.protocols import AnyFaceService, AnyStore, EventRecord, Notifier
    from livegate.purposes import Purposes
    from livegate.settings import Settings

MAX_ATTEMPTS: Final = 5
"""How often an operation starts over when the session was changed at the same moment."""


def is_session_id(value: object) -> bool:
    """Whether *value* has the form of an id of ours."""
    return isinstance(value, str) and bool(re.fullmatch(r"[\w-]{16,64}", value, re.ASCII))


@dataclass(frozen=True, slots=True)
class Runtime:
    """The ports, the purposes and the settings of one orchestrator.

    Attributes:
        store: Where records are kept.
        face: The service.
        plugins: Policies and observers.
        purposes: What sessions can be for.
        notifiers: Where events are delivered to; with none, no event is stored.
        settings: What the operator decided.
        clock: The time, aware.
        new_id: A new id, at least 128 bits of it random.
        timing: How long sessions may be left alone.
        reader_timing: The same for who reads a session, and does not wait as long as the worker.
        breakers: Which notifiers fail at the moment, by their names.
    """

    store: AnyStore
    face: AnyFaceService
    plugins: Plugins
    purposes: Purposes
    notifiers: tuple[Notifier, ...]
    settings: Settings
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    timing: Timing
    reader_timing: Timing
    breakers: dict[str, Breaker] = field(default_factory=dict)

    def now(self) -> datetime:
        """The time, in UTC."""
        return self.clock().astimezone(UTC)

    async def load(self, session_id: str) -> LivenessSession:
        """The session called *session_id*, whosever it is.

        Raises:
            SessionNotFoundError: There is none.
            StoreCorruptError: Its record cannot be read.
        """
        record = (
            await maybe_await(self.store.get(session_id)) if is_session_id(session_id) else None
        )
        if record is None:
            raise SessionNotFoundError
        return to_session(record)

    async def load_owned(self, session_id: str, subject: str) -> LivenessSession:
        """The subject's session.

        Raises:
            SubjectRequiredError: There is no subject.
            SessionNotFoundError: There is none, or it is another subject's.
        """
        check_subject(subject)
        session = await self.load(session_id)
        if session.subject != subject:
            raise SessionNotFoundError
        return session

    async def update(
        self,
        load: Callable[[], Awaitable[LivenessSession]],
        step: Callable[[LivenessSession], Awaitable[LivenessSession]],
    ) -> LivenessSession:
        """Take *step* on what *load* gives; start over if it changed at the same moment."""
        for _ in range(MAX_ATTEMPTS - 1):
            with suppress(VersionConflictError):
                return await step(await load())
        return await step(await load())

    async def update_owned(
        self,
        session_id: str,
        subject: str,
        step: Callable[[LivenessSession], Awaitable[LivenessSession]],
    ) -> LivenessSession:
        """Take *step* on the subject's session; start over if it changed at the same moment."""
        return await self.update(lambda: self.load_owned(session_id, subject), step)

    async def insert(self, session: LivenessSession) -> None:
        """Store a new session, and then call the observers.

        Raises:
            DuplicateKeyError: Its idempotency key is in use.
        """
        record = to_record(session, self.timing)
        events = self._events(session, None, session.created_at)
        await maybe_await(self.store.insert(record, events))
        await self.plugins.observe(None, session, None)

    async def commit(self, session: LivenessSession, event: Event) -> LivenessSession:
        """Store what follows from *event*, and then call the observers.

        Raises:
            TransitionError: The event is not possible now.
            VersionConflictError: The session was changed since it was read.
        """
        now = self.now()
        after = advance(session, event, now)
        is_noted = not isinstance(event, ResultPolled)
        record = to_record(after, self.timing)
        events = self._events(after, event, now) if is_noted else ()
        await maybe_await(self.store.save(record, session.version, events))
        if is_noted:
            await self.plugins.observe(session, after, event)
        return after

    def _events(
        self, after: LivenessSession, event: Event | None, now: datetime
    ) -> tuple[EventRecord, ...]:
        if not self.notifiers:
            return ()
        destinations = [notifier.name for notifier in self.notifiers]
        return (to_event(after, event, now, destinations=destinations),)


async def close(runtime: Runtime) -> None:
    """Release every port and plugin, each of them also when another fails; raise what failed."""
    errors: list[Exception] = []
    ports = (*runtime.notifiers, runtime.store, runtime.face)
    for release in (*(port.close for port in ports), runtime.plugins.shutdown):
        try:
            await maybe_await(release())
        except Exception as error:  # noqa: BLE001 - raised below
            errors.append(error)
    if errors:
        raise errors[0]
