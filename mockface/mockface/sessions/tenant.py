"""The sessions of one resource key, and what can be done with them."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from threading import Lock
from typing import TYPE_CHECKING

from mockface import scenarios
from mockface.errors import Reason, RefusedError
from mockface.pictures.marks import read_mark
from mockface.sessions import rules
from mockface.sessions.defaults import Defaults
from mockface.sessions.judging import as_found, judge
from mockface.sessions.nouns import Attempt, ClientCall, Flagged, Kind, Options, Session
from mockface.sessions.session_images import session_of
from mockface.sessions.table import SessionTable
from mockface.sessions.tokens import Claims

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mockface.clock import Clock
    from mockface.dice import Dice
    from mockface.scenarios import Pace
    from mockface.sessions.defaults import Common
    from mockface.sessions.tokens import TokenIssuer
    from mockface.vision import ImageInspector, Inspection

_MOST_FORGOTTEN = 100  # at once, so that no call pays for all that have expired
_MOST_COMPARED, _MOST_FLAGGED = 1000, 10  # sessions in which abuse is looked for, and finds


class Tenant:
    """The sessions of one resource key; nobody else sees them.

    Args:
        tenant_id: Its name; not the key.
        common: What holds where the tenant was told nothing.
        dice: Where everything random comes from.
        inspector: What inspects pictures.
        tokens: What signs tokens.
    """

    def __init__(
        self,
        tenant_id: str,
        *,
        common: Common,
        dice: Dice,
        inspector: ImageInspector,
        tokens: TokenIssuer,
    ) -> None:
        self.id = tenant_id
        self._dice = dice.child("tenant", tenant_id)
        self._inspector = inspector
        self._tokens = tokens
        self.defaults = Defaults(common)
        self._lock = Lock()
        self._sessions = SessionTable()
        self._busy: dict[str, float] = {}
        self._created = 0
        self._requests = 0
        self.abuse_monitoring = True

    @property
    def clock(self) -> Clock:
        """What time it is here: the emulator's clock, or the tenant's own once it has one."""
        return self.defaults.clock

    def now(self) -> float:
        """Seconds since 1970."""
        return self.defaults.clock.now()

    def pin(self, session_id: str, name: str) -> bool:
        """Binds a session to a scenario.

        Returns:
            Whether the session is one of this tenant's.

        Raises:
            UnknownScenarioError: There is no such scenario.
        """
        checked = scenarios.scenario(name).name
        return self._change(session_id, lambda session: replace(session, pinned=checked))

    def pin_pace(self, session_id: str, pace: Pace) -> bool:
        """Binds a session to a pace, results that are not out yet included.

        Returns:
            Whether the session is one of this tenant's.
        """
        return self._change(session_id, lambda session: session.paced(pace))

    def next_request_id(self) -> str:
        """The id of the next request."""
        with self._lock:
            self._requests += 1
            return self._dice.uuid("request", self._requests)

    def create(
        self, kind: Kind, options: Options, *, endpoint: str, image: bytes | None = None
    ) -> tuple[Session, str]:
        """Creates a session.

        Args:
            kind: With or without verification.
            options: What is asked for.
            endpoint: Where the client will have to go; it is written into the token.
            image: The reference image.

        Returns:
            The session and its token.

        Raises:
            RefusedError: `IMAGE_SIZE` or `IMAGE_INVALID`; if a queued scenario is the reason, it is
                used up.
            UnknownScenarioError: The device correlation id asks for a scenario that does not exist.
        """
        asked_for = scenarios.in_band(options.device_correlation_id)
        reference = None if image is None else self._inspector.reference(image)
        with self._lock:
            now = self.now()
            self._sessions.remove_expired(now, limit=_MOST_FORGOTTEN)
            bound_to = asked_for.name if asked_for else self.defaults.next_queued()
            if reference is not None:
                first = scenarios.scenario(bound_to or self.defaults.scenario).step(1)
                reference = as_found(reference, first.reference)
            self._created += 1
            session = Session(
                id=self._dice.uuid("session", self._created),
                kind=kind,
                options=options,
                created_at=now,
                reference=reference,
                scenario=bound_to,
                abuse_monitoring=self.abuse_monitoring,
            )
            self._sessions[session.id] = session
        return session, self._tokens.issue(
            Claims(
                session_id=session.id,
                tenant_id=self.id,
                kind=kind,
                endpoint=endpoint,
                issued_at=int(now),
                # Whole seconds, as in every JWT; rounded so that it never outlives what was asked.
                expires_at=math.floor(session.token_expires_at),
            )
        )

    def get(self, kind: Kind, session_id: str, *, read: bool = True) -> Session:
        """A session.

        Args:
            kind: Its family.
            session_id: Its id.
            read: Whether this is a read of the result, which late results may wait for.

        Raises:
            RefusedError: `SESSION_NOT_FOUND`: never created, deleted, older than 48 hours, or of
                the other kind.
        """
        with self._lock:
            session = self._alive(session_id, kind)
            return self._kept(session, session.seen(self.now(), read=read))

    def delete(self, kind: Kind, session_id: str) -> None:
        """Deletes a session; its token opens nothing from now on.

        Raises:
            RefusedError: `SESSION_NOT_FOUND`, also the second time.
        """
        with self._lock:
            del self._sessions[self._alive(session_id, kind).id]

    def page(self, kind: Kind, *, after: str = "", most: int = 1000) -> list[Session]:
        """Sessions in the order of their ids.

        Args:
            kind: Which family.
            after: Only ids greater than this one.
            most: How many at most.
        """
        with self._lock:
            self._sessions.remove_expired(self.now())
            return self._sessions.page(kind, after=after, limit=most)

    def sessions(self, limit: int | None = None) -> list[Session]:
        """The living sessions of both families, oldest first; with a limit, the newest so many."""
        with self._lock:
            now = self.now()
            self._sessions.remove_expired(now)
            newest = list(islice(self._sessions.newest_first(), limit))
            return [self._kept(s, s.seen(now)) for s in reversed(newest)]

    def forget_expired(self) -> None:
        """Gives some of the memory of what is over back; called now and then."""
        with self._lock:
            self._sessions.remove_expired(self.now(), limit=100 * _MOST_FORGOTTEN)
            now = time.monotonic()
            self._busy = {name: until for name, until in self._busy.items() if now < until}

    @contextmanager
    def turn(self, session_id: str, *, delay: float = 0.0) -> Iterator[None]:
        """Holds a session for one call of the client.

        Args:
            session_id: The session.
            delay: Seconds for which the answer is held back when it is made: the session is busy
                until the client has it.

        Raises:
            RefusedError: `CONCURRENT`: another call of the client is being answered.
        """
        with self._lock:
            if time.monotonic() < self._busy.get(session_id, 0.0):
                raise RefusedError(
                    Reason.CONCURRENT, "Another operation on this session is under way."
                )
            self._busy[session_id] = math.inf
        try:
            yield
        finally:
            with self._lock:
                if delay:
                    self._busy[session_id] = time.monotonic() + delay
                else:
                    self._busy.pop(session_id, None)

    def start(
        self, session_id: str, *, device_id: str | None = None, user_id: str | None = None
    ) -> Session:
        """Notes that the client begins; the ids are those that the app server left to it.

        Args:
            session_id: The session that the token opened.
            device_id: The device correlation id that the client sets.
            user_id: The user correlation id that the client sets.

        Raises:
            RefusedError: `SESSION_GONE`, `ATTEMPTS_USED_UP`; `DEVICE_ID` or `USER_ID`: the client
                may not set it; `DEVICE_ID`: nobody has set it.
            UnknownScenarioError: The device correlation id asks for a scenario that does not exist.
        """
        asked_for = scenarios.in_band(device_id)
        with self._lock:
            session = self._opened(session_id)
            rules.check_attempts_left(session)
            options = rules.with_ids(session.options, device_id=device_id, user_id=user_id)
            rules.check_device_named(options)
            session = replace(
                session,
                options=options,
                scenario=asked_for.name if asked_for else session.scenario,
                started_at=self.now() if session.started_at is None else session.started_at,
            )
            self._sessions[session_id] = session
        return session

    def end(self, session_id: str) -> Session:
        """Notes that the client is done with an attempt; the last one may have been used up.

        Raises:
            RefusedError: `SESSION_GONE`.
        """
        with self._lock:
            return self._opened(session_id)

    def attempt(
        self,
        kind: Kind,
        session_id: str,
        *,
        call: ClientCall,
        request_id: str,
        content: bytes | None = None,
        verify_image: bytes | None = None,
        scenario: str | None = None,
    ) -> tuple[Session, Attempt]:
        """Makes an attempt, as the client's SDK does.

        Args:
            kind: The family of the operation that the client called.
            session_id: The session that the token opened.
            call: What the client sent.
            request_id: The id of the client's call.
            content: What the camera saw; only the mark of a drawn portrait is looked at.
            verify_image: A reference image from the client, for a session that has none yet.
            scenario: What this attempt is to be, above everything that was said before.

        Returns:
            The session after the attempt, and the judged attempt; a failed one too.

        Raises:
            RefusedError: `SESSION_GONE`, `TOKEN_NOT_FOR_THIS`, `ATTEMPTS_USED_UP`, `DEVICE_ID`,
                `VERIFY_IMAGE_MISSING`, `VERIFY_IMAGE_NOT_ALLOWED`, `IMAGE_SIZE` or `IMAGE_INVALID`;
                none of them counts as an attempt (assumption).
            UnknownScenarioError: There is no such scenario.
        """
        mark = None if content is None else read_mark(content)
        offered = None if verify_image is None else self._inspector.reference(verify_image)
        with self._lock:
            session = self._opened(session_id)
            if session.kind is not kind:
                raise RefusedError(
                    Reason.TOKEN_NOT_FOR_THIS, "The token is for the other kind of session."
                )
            rules.check_attempts_left(session)
            rules.check_device_named(session.options)
            name = scenario or session.pinned or session.scenario or self.defaults.scenario
            step = scenarios.scenario(name).step(len(session.attempts) + 1)
            reference = rules.reference_for(session, offered)
            if offered is not None:
                reference = as_found(offered, step.reference)
            attempt = judge(
                session,
                step,
                call=call,
                request_id=request_id,
                now=self.now(),
                reference=reference,
                person=None if mark is None else mark.person,
                pace=self.defaults.pace,
                flagged=self._flagged(session_id) if step.abuse else (),
                dice=self._dice,
            )
            session = replace(session, attempts=(*session.attempts, attempt))
            self._sessions[session_id] = session
        return session, attempt

    def session_image(self, image_id: str) -> tuple[Session, Attempt]:
        """The session and the attempt whose picture this is.

        Raises:
            RefusedError: `SESSION_IMAGE_NOT_FOUND`: no such picture was kept, or its session is
                deleted or older than 48 hours.
        """
        with self._lock:
            session = self._sessions.get(session_of(image_id) or "")
        if session is not None and self.now() < session.expires_at:
            for attempt in session.attempts:
                if attempt.session_image_id == image_id:
                    return session, attempt
        raise RefusedError(
            Reason.SESSION_IMAGE_NOT_FOUND,
            "The session image is not found: none was kept under the id, or its session was "
            "deleted, or is older than 48 hours.",
        )

    def look(self, data: bytes) -> Inspection:
        """What there is to see in a posted picture.

        Raises:
            RefusedError: `IMAGE_SIZE` or `IMAGE_INVALID`.
        """
        return self._inspector.inspect(data)

    def face_ids(self, request_id: str, count: int) -> list[str]:
        """The ids of the faces that a request detected."""
        return [self._dice.uuid("face", request_id, number) for number in range(count)]

    def _change(self, session_id: str, change: Callable[[Session], Session]) -> bool:
        """Puts another session in the place of one; gives back whether there is one."""
        with self._lock:
            session = self._sessions.get(session_id)
            if session is not None:
                self._sessions[session_id] = change(session)
            return session is not None

    def _kept(self, before: Session, after: Session) -> Session:
        """The later one, which takes the place of the earlier one."""
        if after is not before:
            self._sessions[after.id] = after
        return after

    def _flagged(self, session_id: str) -> tuple[Flagged, ...]:
        """The attempts of other sessions that abuse monitoring has flagged lately."""
        lately = islice(self._sessions.newest_first(), _MOST_COMPARED)
        found = (
            Flagged(session.id, attempt.number, attempt.session_image_id)
            for session in lately
            if session.id != session_id
            for attempt in session.attempts
            if attempt.abuse is not None and attempt.abuse.detected
        )
        return tuple(islice(found, _MOST_FLAGGED))

    def _alive(self, session_id: str, kind: Kind) -> Session:
        session = self._sessions.get(session_id)
        if session is None or session.kind is not kind or self.now() >= session.expires_at:
            raise RefusedError(
                Reason.SESSION_NOT_FOUND,
                "The session is not found: no session of this kind has the id, or it was deleted, "
                "or it is older than 48 hours.",
            )
        return session

    def _opened(self, session_id: str) -> Session:
        """The session of a token that was let in."""
        session = self._sessions.get(session_id)
        if session is None or self.now() >= session.expires_at:
            raise rules.session_gone()
        return session
