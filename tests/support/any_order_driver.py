"""Calls an orchestrator and the model of ``test_any_order`` alike, and compares the results."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from any_order_model import FINAL, Expected, Model
from any_order_world import IMAGE, PURPOSES, Destination, Policies, Service
from livegate import (
    LivegateError,
    Orchestrator,
    RemoteState,
    RequestContext,
    Settings,
    StartRequest,
)
from livegate._record import to_session
from livegate.errors import IdempotencyError
from livegate.protocols import RecordQuery
from livegate.stores.memory import MemoryStore
from livegate.testing import ManualClock
from orchestrators import EitherOrchestrator

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate import LivenessSession, SessionState, Verdict

YEAR = 365 * 86400
RETENTION = 9 * YEAR
"""Longer than any order takes: what is removed before is lost."""
OVERTAKEN_AFTER = 31
"""Seconds that a late create takes: longer than others wait for it."""
SUBJECTS = ("alice", "bob")
HTTP = RequestContext(is_http=True)


class Driver:
    """An orchestrator over a service that fails, another process on the same store, and the model.

    Every method that does something does it in both, and fails where they differ.
    """

    def set_up(self, kind: str, seen: set[Any]) -> None:
        """Begin without a session; *seen* gets all states, and all operations with their codes."""
        self.seen = seen
        self.clock = ManualClock()
        self.service = Service()
        self.store = MemoryStore()
        self.policies = Policies()
        self.good, self.bad = Destination("good"), Destination("bad")
        ports: dict[str, Any] = {
            "face": self.service,
            "store": self.store,
            "clock": self.clock,
            "settings": Settings(event_max_age=YEAR, record_retention=RETENTION),
            "purposes": PURPOSES.values(),
            "plugins": [self.policies],
        }
        self.orchestrator: Any = EitherOrchestrator(kind, **ports, notifiers=[self.bad, self.good])
        self.other_process = Orchestrator(**ports, notifiers=[self.bad, self.good])
        self.model = Model(self.service, self.clock())
        self.request: StartRequest | None = None

    def call(self, operation: str, *arguments: Any, **options: Any) -> tuple[str, Any]:
        """The code of the error, or ``ok``, and the result."""
        try:
            return "ok", getattr(self.orchestrator, operation)(*arguments, **options)
        except LivegateError as error:
            return error.code, None

    def expect(
        self, operation: str, expected: Callable[[], str], session_id: str, **options: Any
    ) -> LivenessSession | None:
        """Do the operation; it has to return the stored session, or to raise as expected."""
        code, result = self.call(operation, session_id, **options)
        assert (operation, code) == (operation, expected())
        self.seen.add((operation, code))
        if self.store.get(session_id) is not None:
            assert result in (None, self.stored(session_id))
        return result  # type: ignore[no-any-return]

    def stored(self, session_id: str) -> LivenessSession:
        record = self.store.get(session_id)
        assert record is not None
        session = to_session(record)
        self.seen.update((session.state, session.remote))
        return session

    def pick(self, which: int, *states: SessionState) -> Expected | None:
        """The newest session but *which*, in one of *states* if there is one."""
        found = [each for each in self.model.sessions if each.state in states]
        found = found or self.model.sessions
        return found[-1 - which % len(found)] if found else None

    def check_sessions(self) -> None:
        for subject in SUBJECTS:
            found = self.store.find(RecordQuery(subject, limit=100))
            assert {each.id for each in found} == {each.id for each in self.model.of(subject)}
        for session in self.model.sessions:
            session.check(self.stored(session.id))

    def check_calls(self) -> None:
        """The service has what it must have, and was called as often as it must be."""
        assert self.service.sessions == self.model.remotes
        assert sorted(self.service.calls) == sorted(self.model.calls)
        assert self.policies.asked == self.model.asked
        settled = [(session.id, outcome) for session, outcome in self.model.settled]
        assert self.policies.settled == settled

    # --- the operations ------------------------------------------------------------------------

    def open_session(self, subject: str, purpose: str) -> Expected:
        """A new session, while everything works."""
        self.service.heal()
        self.policies.is_locked = self.model.is_locked = False
        image = IMAGE if purpose == "enrol" else None
        request = StartRequest(subject, purpose, "payment 7", image, context=HTTP)
        session = self.start_with(request)
        assert session
        return session

    def start_with(
        self, request: StartRequest, fault: str | None = None, is_overtaken: bool = False
    ) -> Expected | None:
        if request.idempotency_key is None:
            is_overtaken = False
        else:
            self.request = request
        return self.compare_start(
            "start",
            (request,),
            {},
            lambda others: self.model.start(request, others),
            fault,
            is_overtaken,
        )

    def retry_with(
        self,
        session: Expected,
        fault: str | None = None,
        is_overtaken: bool = False,
        forgets_image: bool = False,
    ) -> Expected | None:
        image = IMAGE if session.purpose.name == "enrol" and not forgets_image else None
        request = StartRequest(
            session.subject, session.purpose.name, session.transaction, image, context=HTTP
        )
        options = {"subject": session.subject, "reference_image": image, "context": HTTP}
        return self.compare_start(
            "retry",
            (session.id,),
            options,
            lambda others: self.model.retry(session, request, others),
            fault,
            is_overtaken,
        )

    def compare_start(
        self,
        operation: str,
        arguments: tuple[Any, ...],
        options: dict[str, Any],
        expected: Callable[[Callable[[], None]], tuple[str, Expected | None]],
        fault: str | None,
        is_overtaken: bool,
    ) -> Expected | None:
        """Start or retry; while a late create lasts, another process does the same, or sweeps."""

        def overtake() -> None:
            with pytest.raises(IdempotencyError) as refused:
                getattr(self.other_process, operation)(*arguments, **options)
            self.seen.add((operation, refused.value.code))
            self.clock.advance(OVERTAKEN_AFTER)
            with suppress(LivegateError):  # locked out
                getattr(self.other_process, operation)(*arguments, **options)

        def overtake_in_model() -> None:
            assert expected(lambda: None)[0] == "start_in_progress"
            self.model.now += timedelta(seconds=OVERTAKEN_AFTER)
            expected(lambda: None)

        def sweep() -> None:
            self.clock.advance(OVERTAKEN_AFTER)
            self.other_process.sweep()

        def sweep_in_model() -> None:
            self.model.now += timedelta(seconds=OVERTAKEN_AFTER)
            self.model.sweep()

        before = {each.id for each in self.model.sessions}
        self.service.create_fault = fault
        self.service.before_late_answer = overtake if is_overtaken else sweep
        code, result = self.call(operation, *arguments, **options)
        self.service.create_fault = fault
        expected_code, session = expected(overtake_in_model if is_overtaken else sweep_in_model)
        self.service.create_fault = None
        assert (operation, code) == (operation, expected_code)
        self.seen.add((operation, code))
        unnamed = [each for each in self.model.sessions if not each.id]
        found = [
            record
            for subject in SUBJECTS
            for record in self.store.find(RecordQuery(subject, limit=100))
            if record.id not in before
        ]
        assert len(found) == len(unnamed)
        for new, record in zip(unnamed, found, strict=True):
            new.id = record.id
        for each in unnamed:
            each.check(self.stored(each.id))
        if session is not None:
            assert result.session == self.stored(session.id)
            assert result.auth_token == f"token-of-{session.remote_id}"
            wanted = self.service.requests[-1]
            assert wanted.kind is session.purpose.kind
            assert wanted.reference_image == (IMAGE if session.purpose.verify else None)
        return session

    def finish_with(self, session: Expected, digest: str | None, client_error: str | None) -> None:
        self.expect(
            "finish",
            lambda: self.model.finish(session, digest, client_error),
            session.id,
            subject=session.subject,
            digest=digest,
            client_error=client_error,
        )

    def read(self, session: Expected) -> None:
        self.expect("read", lambda: self.model.read(session), session.id, subject=session.subject)
        self.expect("get", lambda: "ok", session.id, subject=session.subject)

    def consume_with(self, session: Expected, purpose: str, transaction: str | None) -> None:
        self.expect(
            "consume",
            lambda: self.model.consume(session, purpose, transaction),
            session.id,
            subject=session.subject,
            purpose=purpose,
            transaction=transaction,
        )

    def review_with(self, session: Expected, verdict: Verdict) -> None:
        self.expect(
            "review",
            lambda: self.model.review(session, verdict.state, verdict.reasons, "carol"),
            session.id,
            reviewer="carol",
            verdict=verdict,
        )

    def erase_all_of(self, subject: str, delete_fault: str | None) -> None:
        self.service.delete_fault = delete_fault
        self.check_calls()
        gone = self.model.of(subject)
        receipt = self.orchestrator.erase(subject)
        assert set(receipt.sessions) == {each.id for each in gone}
        if self.service.delete_fault is None:
            # A deletion that has failed is not tried again before its time.
            waiting = {each.id for each in gone if each.waits_for_deletion(self.clock())}
            assert set(receipt.remote_pending) == waiting
        self.seen.add(("erase", "pending" if receipt.remote_pending else "ok"))
        if receipt.remote_pending:
            assert receipt.erased_at is None
            assert set(receipt.remote_pending) <= set(receipt.sessions)
            for session in self.orchestrator.find(subject=subject, limit=100).sessions:
                assert session.state.is_final
            self.service.heal()
            self.clock.advance(3700)
            self.orchestrator.sweep()
        self.model.calls = list(self.service.calls)  # whichever it needed
        self.model.now = self.clock()
        for session in gone:
            self.model.sessions.remove(session)
            self.model.remotes.discard(session.remote_id)
        self.model.settled = [each for each in self.model.settled if each[0] not in gone]
        ids = {each.id for each in gone}
        self.policies.settled = [each for each in self.policies.settled if each[0] not in ids]
        if receipt.remote_pending:
            self.model.sweep()
            self.model.calls = list(self.service.calls)
        assert self.orchestrator.export(subject) == []

    # --- time, and the worker --------------------------------------------------------------------

    def time_goes_by(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.model.now = self.clock()

    def sweep_all(self) -> None:
        self.orchestrator.sweep()
        self.model.sweep()
        self.seen.add(("sweep", "ok"))
        # A destination that fails does not hold up the other one.
        for session in self.model.sessions:
            assert self.good.received.get(session.id, []) == numbered(session)
            received = self.bad.received.get(session.id, [])
            assert received == numbered(session)[: len(received)]

    def in_the_end_everything_is_over_and_removed(self) -> None:
        # When everything works again, for long enough
        self.service.heal()
        self.bad.is_down = False
        for _ in range(7):
            self.time_goes_by(8 * 86400)
            self.sweep_all()
        self.check_sessions()
        # Then every session is over and deleted at the service, and all events have arrived
        for session in self.model.sessions:
            assert session.state in FINAL
            assert session.remote in (RemoteState.NONE, RemoteState.DELETED)
            assert self.bad.received[session.id] == numbered(session)
        # And each is kept as long as it has to be, and no longer
        remaining = sorted(self.model.sessions, key=lambda each: each.updated_at)
        for end in sorted({each.updated_at for each in remaining}):
            self.clock.now = end + timedelta(seconds=RETENTION)
            self.orchestrator.sweep()
            self.model.sessions = [each for each in remaining if each.updated_at >= end]
            self.check_sessions()
            self.seen.add(("purge", "ok"))
        self.clock.advance(1)
        assert self.orchestrator.sweep().purged == len(self.model.sessions)
        assert all(self.orchestrator.export(subject) == [] for subject in SUBJECTS)
        assert self.store.claim(self.clock(), 1, timedelta(seconds=1)) == ()


def numbered(session: Expected) -> list[tuple[int, str]]:
    """All events of *session*, as a destination receives them."""
    return list(enumerate(session.events, start=1))
