"""What every flow works with, and the two things that each of them does: look up and commit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from livegate.checks import check_subject
from livegate.driving import Flow, ask
from livegate.errors import SessionNotFoundError, VersionConflictError
from livegate.lifecycle import Event, advance

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from livegate.face.base import AnyFaceService
    from livegate.plugins import Plugins
    from livegate.session import LivenessSession
    from livegate.settings import Settings
    from livegate.stores.base import AnyStore

TRIES: Final = 5
"""How often a verb starts over when somebody else changed the session at the same moment."""


def is_id(value: object) -> bool:
    """Whether *value* looks like an id of ours."""
    return isinstance(value, str) and bool(re.fullmatch(r"[\w-]{16,64}", value, re.ASCII))


@dataclass(frozen=True, slots=True)
class Context:
    """The ports and the settings of one orchestrator.

    Attributes:
        store: Where sessions are kept.
        face: The service.
        plugins: Policies and observers.
        settings: What the operator decided.
        clock: The time, aware, in UTC.
        new_id: A new id, at least 128 bits of it random.
    """

    store: AnyStore
    face: AnyFaceService
    plugins: Plugins
    settings: Settings
    clock: Callable[[], datetime]
    new_id: Callable[[], str]

    def owned(self, session_id: str, subject: str) -> Flow[LivenessSession]:
        """The subject's session.

        Raises:
            SubjectRequiredError: There is no subject.
            SessionNotFoundError: There is none, or it is another subject's.
        """
        check_subject(subject)
        if not is_id(session_id):
            raise SessionNotFoundError
        session = yield from ask(self.store.get(session_id))
        if session is None or session.subject != subject:
            raise SessionNotFoundError
        return session

    def on_owned(
        self,
        session_id: str,
        subject: str,
        step: Callable[[LivenessSession], Flow[LivenessSession]],
    ) -> Flow[LivenessSession]:
        """Take *step* on the subject's session; start over if it changed at the same moment."""
        for _ in range(TRIES - 1):
            session = yield from self.owned(session_id, subject)
            try:
                return (yield from step(session))
            except VersionConflictError:
                continue
        session = yield from self.owned(session_id, subject)
        return (yield from step(session))

    def change(self, session: LivenessSession, event: Event) -> Flow[LivenessSession]:
        """Commit what follows from *event*, and then tell the observers.

        Raises:
            TransitionError: The event is not possible now.
            VersionConflictError: Somebody else changed the session since it was read.
        """
        after = advance(session, event, self.clock())
        yield from ask(self.store.save(after, session.version))
        yield from self.plugins.observe(session, after, event)
        return after

    def close(self) -> Flow[None]:
        """Let go of the store and of the service, of the latter also when the former fails."""
        try:
            yield from ask(self.store.close())
        finally:
            yield from ask(self.face.close())
