"""What must become of the sessions of ``test_any_order``, by rules that are written by hand.

The model is asked about each call of the orchestrator. It returns the error's code, or ``ok``, and
changes its own sessions, which those in the store have to equal. It imports nothing of livegate
that decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from any_order_world import CASES, DIGEST, FACE_CODES, PURPOSES, Case, Service
from livegate import LivenessSession, Purpose, RemoteState, SessionState
from livegate.models import StartOutcome
from livegate.purposes import FROM_CLIENT, REQUIRED

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate import StartRequest

S = SessionState
R = RemoteState
OPEN = (S.READY, S.STARTED, S.AWAITING_RESULT)
FINAL = (S.PASSED, S.REJECTED, S.INCONCLUSIVE, S.FAILED, S.EXPIRED, S.CANCELLED)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@dataclass(eq=False)
class Expected:
    """A session as it must be."""

    subject: str
    purpose: Purpose
    transaction: str | None
    key: str | None
    has_image: bool
    updated_at: datetime
    requested_at: datetime | None
    expires_at: datetime
    retry_of: str | None = None
    retries: int = 0
    id: str = ""
    state: SessionState = S.REQUESTED
    reasons: frozenset[str] = frozenset()
    first_reasons: frozenset[str] = frozenset()
    remote: RemoteState = R.NONE
    remote_id: str = ""
    delete_at: datetime | None = None
    deletions_failed: int = 0
    polled_at: datetime | None = None
    decided_at: datetime | None = None
    consumed_at: datetime | None = None
    reviewer: str | None = None
    digests: list[str] = field(default_factory=list)
    client_error: str | None = None
    has_details: bool = False
    events: list[str] = field(default_factory=lambda: ["requested"])

    def check(self, session: LivenessSession) -> None:
        """See that *session* is as it must be."""
        assert session.state is self.state
        assert set(session.reasons) == self.reasons
        assert not session.reasons or session.reasons[0] in self.first_reasons
        for name in (
            "subject",
            "transaction",
            "remote",
            "client_error",
            "decided_at",
            "consumed_at",
            "reviewer",
            "retry_of",
            "retries",
            "expires_at",
            "has_details",
        ):
            assert getattr(session, name) == getattr(self, name), name
        assert session.purpose == self.purpose.name
        assert (session.remote_id or "") == self.remote_id
        assert session.sequence == len(self.events)

    def waits_for_deletion(self, now: datetime) -> bool:
        """Whether the service is not to be asked yet to delete its session again."""
        return self.remote is R.DELETING and self.delete_at is not None and now < self.delete_at

    def due_at(self, poll: timedelta = 30 * SECOND) -> datetime | None:
        """When the worker has to do something; a reader polls more often."""
        times: list[datetime] = []
        match self.state:
            case S.REQUESTED:
                times.append((self.requested_at or self.updated_at) + 30 * SECOND)
            case S.READY | S.STARTED:
                polled_at = self.polled_at or self.updated_at - DAY
                times.append(max(self.expires_at, polled_at + poll))
            case S.AWAITING_RESULT:
                assert self.polled_at
                times.append(self.polled_at + poll)
            case S.NEEDS_REVIEW:
                assert self.decided_at
                times.append(self.decided_at + 7 * DAY)
            case _ if self.has_details:
                times.append(self.updated_at + 30 * DAY)
        if self.remote is R.DELETING:
            times.append(self.delete_at or self.updated_at)
        return min(times, default=None)


def verdict(case: Case, session: Expected) -> tuple[SessionState, frozenset[str], frozenset[str]]:
    """The verdict, its strictest reasons, and all of them."""
    purpose = session.purpose
    findings = {*case.findings, *(case.of_verify if purpose.verify else case.of_liveness)}
    if case.has_face and purpose.require_digest and not session.digests:
        findings.add((S.INCONCLUSIVE, "digest_missing"))
    if case.has_face and {*session.digests} - {DIGEST}:
        findings.add((S.REJECTED, "digest_differs"))
    if session.client_error:
        findings.add((S.INCONCLUSIVE, session.client_error))
    for state in (S.REJECTED, S.INCONCLUSIVE, S.NEEDS_REVIEW):
        strictest = frozenset(reason for found, reason in findings if found is state)
        if strictest:
            return state, strictest, frozenset(reason for _, reason in findings)
    return S.PASSED, frozenset(), frozenset()


@dataclass(eq=False)
class Model:
    """All sessions of a store, and what the service has and is asked.

    Attributes:
        service: For its outcomes and its faults alone.
        now: The time.
        sessions: Oldest first.
        remotes: The service's sessions.
        calls: How the service was called.
        created: How many sessions the service has created.
        asked: Whether each start that policies were asked about was a repeated one.
        settled: What became of the starts.
    """

    service: Service
    now: datetime
    is_locked: bool = False
    sessions: list[Expected] = field(default_factory=list)
    remotes: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    created: int = 0
    asked: list[bool] = field(default_factory=list)
    settled: list[tuple[Expected, StartOutcome]] = field(default_factory=list)

    def of(self, subject: str) -> list[Expected]:
        return [each for each in self.sessions if each.subject == subject]

    # --- starting ------------------------------------------------------------------------------

    def start(
        self, request: StartRequest, others: Callable[[], None], earlier: Expected | None = None
    ) -> tuple[str, Expected | None]:
        """The code, and the session whose token is handed out. *others* act in a late create."""
        if code := self._fault_of(request):
            return code, None
        key = request.idempotency_key
        if earlier is not None:
            key = f"retry of {earlier.id}"
        found = next((each for each in self.of(request.subject) if key and each.key == key), None)
        if found is not None and (code := self._why_not_again(found, request)):
            return code, None
        self.asked.append(found is not None and found.requested_at is not None)
        if self.is_locked:
            return "locked", None
        if found is None:
            if earlier is not None:
                self.cancel(earlier)
            purpose = PURPOSES[request.purpose]
            found = Expected(
                request.subject,
                purpose,
                request.transaction,
                key,
                has_image=request.reference_image is not None,
                updated_at=self.now,
                requested_at=self.now,
                expires_at=self.now + 600 * SECOND,
                retry_of=earlier.id if earlier else None,
                retries=earlier.retries + 1 if earlier else 0,
                has_details=purpose.verify,
            )
            self.sessions.append(found)
        else:
            self._happen(found, "create_requested", requested_at=self.now)
        return self._create(found, others)

    def _fault_of(self, request: StartRequest) -> str | None:
        if request.purpose not in PURPOSES:
            return "unknown_purpose"
        purpose = PURPOSES[request.purpose]
        if purpose.transaction is REQUIRED and request.transaction is None:
            return "transaction_required"
        takes_image = purpose.reference_image is FROM_CLIENT
        if request.reference_image is not None and not takes_image:
            return "reference_image_not_accepted"
        if request.reference_image is None and takes_image:
            return "reference_image_required"
        return None

    def _why_not_again(self, found: Expected, request: StartRequest) -> str | None:
        """Why a start with a known key does not carry on with the session of that key."""
        wanted = (request.purpose, request.transaction, request.reference_image is not None)
        if wanted != (found.purpose.name, found.transaction, found.has_image):
            return "idempotency_key_reused"
        if found.state is S.FAILED:
            return "image_unusable" if found.reasons == {"InvalidImage"} else "face_bad_request"
        if found.state is not S.REQUESTED:
            return "start_abandoned" if found.remote is R.NONE else "token_already_issued"
        if found.requested_at and self.now < found.requested_at + 30 * SECOND:
            return "start_in_progress"
        return None

    def _create(self, session: Expected, others: Callable[[], None]) -> tuple[str, Expected | None]:
        fault = self.service.create_fault
        asked_at = self.now
        self.calls.append("create")
        remote_id = ""
        if fault not in ("down", "bad_request", "bad_image"):
            self.created += 1
            remote_id = f"remote-{self.created}"
            self.remotes.add(remote_id)
        if fault == "late":
            self.service.create_fault = None
            others()
            self._delete_at_service(remote_id)
            return "version_conflict", None
        if fault is None:
            self._happen(
                session,
                "created",
                state=S.READY,
                requested_at=None,
                remote=R.PRESENT,
                remote_id=remote_id,
                expires_at=asked_at + 600 * SECOND,
            )
            self.settled.append((session, StartOutcome.CREATED))
            return "ok", session
        if fault == "answer_unreadable":
            self._delete_at_service(remote_id)
        if fault in ("bad_request", "bad_image"):
            reason = frozenset({"BadArgument" if fault == "bad_request" else "InvalidImage"})
            self._happen(
                session,
                "create_rejected",
                state=S.FAILED,
                requested_at=None,
                reasons=reason,
                first_reasons=reason,
            )
        else:
            self._happen(session, "create_failed", requested_at=None)
        self.settled.append((session, StartOutcome.NOT_CREATED))
        return FACE_CODES[fault], None

    def retry(
        self, session: Expected, request: StartRequest, others: Callable[[], None]
    ) -> tuple[str, Expected | None]:
        if code := self._fault_of(request):
            return code, None
        if session.state in (S.PASSED, S.NEEDS_REVIEW):
            return "retry_not_possible", None
        if session.retries >= session.purpose.max_retries:
            return "retries_exhausted", None
        return self.start(request, others, session)

    # --- the owner's and the reviewer's --------------------------------------------------------

    def read(self, session: Expected) -> str:
        due_at = session.due_at(poll=2 * SECOND)
        if due_at is not None and self.now >= due_at:
            return self._do_due(session)
        return "ok"

    def finish(self, session: Expected, digest: str | None, client_error: str | None) -> str:
        if session.state is S.REQUESTED:
            return "not_ready"
        if session.state not in OPEN:
            self._delete(session)
            return "ok"
        known = {each.upper() for each in session.digests}
        is_new_digest = digest is not None and digest.upper() not in known and len(known) < 2
        is_new_error = client_error is not None and session.client_error is None
        if session.state is S.AWAITING_RESULT and not is_new_digest and not is_new_error:
            return self.read(session)
        if is_new_digest:
            assert digest
            session.digests.append(digest.upper())
            session.has_details = True
        session.client_error = session.client_error or client_error
        self._happen(session, "client_finished", state=S.AWAITING_RESULT)
        return self._poll(session)

    def cancel(self, session: Expected) -> str:
        if session.state not in FINAL:
            self._happen(session, "cancelled", state=S.CANCELLED)
        self._delete(session)
        return "ok"

    def consume(  # noqa: PLR0911 - one for each rule
        self, session: Expected, purpose: str, transaction: str | None
    ) -> str:
        if purpose not in PURPOSES:
            return "unknown_purpose"
        if PURPOSES[purpose].transaction is REQUIRED and transaction is None:
            return "transaction_required"
        if (purpose, transaction) != (session.purpose.name, session.transaction):
            return "purpose_mismatch"
        if session.state is not S.PASSED:
            return "verdict_not_passed"
        if session.consumed_at is not None:
            return "verdict_used"
        assert session.decided_at
        if self.now >= session.decided_at + PURPOSES[purpose].max_age:
            return "verdict_expired"
        self._happen(session, "consumed", consumed_at=self.now)
        return "ok"

    def review(
        self, session: Expected, state: SessionState, reasons: tuple[str, ...], reviewer: str
    ) -> str:
        if session.state is not S.NEEDS_REVIEW or state is S.NEEDS_REVIEW:
            return "invalid_transition"
        self._happen(
            session,
            "reviewed",
            state=state,
            reasons=frozenset(reasons),
            first_reasons=frozenset(reasons),
            decided_at=self.now,
            reviewer=reviewer,
        )
        return "ok"

    # --- the worker's --------------------------------------------------------------------------

    def sweep(self) -> None:
        for session in self.sessions:
            while (due_at := session.due_at()) is not None and due_at <= self.now:
                self._do_due(session)

    def _do_due(self, session: Expected) -> str:
        if session.state is S.REQUESTED:
            self._happen(session, "expired", state=S.EXPIRED)
        elif session.state in OPEN:
            return self._poll(session)
        else:
            self._delete(session)
            if session.state is S.NEEDS_REVIEW:
                assert session.decided_at
                if self.now >= session.decided_at + 7 * DAY:
                    self._happen(session, "expired", state=S.EXPIRED)
            elif session.has_details and self.now >= session.updated_at + 30 * DAY:
                session.has_details = False
                session.events.append("details_removed")
        return "ok"

    def _poll(self, session: Expected) -> str:
        session.polled_at = session.updated_at = self.now
        if self.now >= session.expires_at + 600 * SECOND:
            self._end(session, "expired", S.EXPIRED)
            return "ok"
        self.calls.append("read")
        if self.service.cannot_read:
            return "face_unavailable"
        if session.remote_id not in self.remotes:
            self._happen(session, "expired", state=S.EXPIRED)
            self._happen(session, "remote_deleted", remote=R.DELETED)
            return "ok"
        case = CASES[self.service.outcomes.get(session.remote_id, "nothing")]
        is_done = session.state is S.AWAITING_RESULT
        if (
            case.progress == "decided"
            or (case.progress == "tried" and is_done)
            or (case.progress == "none" and is_done and session.client_error)
        ):
            state, strictest, reasons = verdict(case, session)
            session.has_details = session.has_details or case.has_face
            session.reasons, session.first_reasons = reasons, strictest
            session.decided_at = self.now
            self._end(session, "result_read", state)
        elif case.progress == "over" or (
            case.progress != "running" and self.now >= session.expires_at
        ):
            self._end(session, "expired", S.EXPIRED)
        elif session.state is S.READY and case.progress != "none":
            self._happen(session, "client_started", state=S.STARTED)
        return "ok"

    def _end(self, session: Expected, event: str, state: SessionState) -> None:
        self._happen(session, event, state=state)
        self._delete(session)

    def _delete(self, session: Expected) -> None:
        if session.remote is not R.DELETING or session.waits_for_deletion(self.now):
            return
        if self._delete_at_service(session.remote_id):
            self._happen(session, "remote_deleted", remote=R.DELETED)
            return
        wait = min(30 * 2**session.deletions_failed, 3600) * SECOND
        session.deletions_failed += 1
        session.delete_at = self.now + wait
        session.events.append("remote_deletion_failed")

    def _delete_at_service(self, remote_id: str) -> bool:
        """Whether the service confirms it."""
        self.calls.append("delete")
        fault = self.service.delete_fault
        if fault != "before":
            self.remotes.discard(remote_id)
        return fault is None

    def _happen(self, session: Expected, event: str, **changes: object) -> None:
        session.updated_at = self.now
        for name, value in {**changes}.items():
            setattr(session, name, value)
        if session.remote is R.PRESENT and session.state not in OPEN:
            session.remote = R.DELETING
        session.events.append(event)
