"""Operations in any order, repeated and lost, by two users, while the service fails.

A state machine of hypothesis makes up the orders. A model says what each call has to return or
raise, and what every session has to be afterwards.
"""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from any_order_driver import HTTP, SUBJECTS, Driver
from any_order_model import FINAL, OPEN
from any_order_world import CASES, CREATE_FAULTS, DECIDED, DELETE_FAULTS, IMAGE, PURPOSES
from livegate import RemoteState, SessionState, StartRequest, Verdict
from orchestrators import KINDS

S = SessionState
REVIEWS = (
    Verdict(S.PASSED),
    Verdict(S.REJECTED, ("reviewer",)),
    Verdict(S.INCONCLUSIVE, ("blurred",)),
    Verdict(S.NEEDS_REVIEW, ("again",)),
)

CREATE_FAULT = st.sampled_from([None, None, None, *CREATE_FAULTS, "late", "late"])
IS_LOCKED = st.sampled_from([False, False, False, True])
STATES = st.sampled_from([OPEN, OPEN, (S.REQUESTED,), FINAL])
DIGEST = st.sampled_from(["AB", "AB", "ab", "CD", None])
CLIENT_ERROR = st.sampled_from([None, None, None, "TimedOut", "CameraLost"])
REVIEW = st.sampled_from(REVIEWS)
WHICH = st.integers(0, 3)
"""One of the newest sessions."""
PURPOSE = st.sampled_from([*PURPOSES, "payout", "enrol", "unheard-of"])
KNOWN_PURPOSE = st.sampled_from(sorted(PURPOSES))
TRANSACTION = st.sampled_from([None, "payment 7", "payment 8"])

ALL_THAT_HAPPENS = {
    *(("start", code) for code in (
        "ok", "face_unavailable", "face_response_invalid", "face_bad_request", "image_unusable",
        "idempotency_key_reused", "start_in_progress", "start_abandoned", "token_already_issued",
        "version_conflict", "locked", "unknown_purpose", "transaction_required",
        "reference_image_required", "reference_image_not_accepted",
    )),
    *(("retry", code) for code in (
        "ok", "face_unavailable", "face_bad_request", "start_in_progress", "start_abandoned",
        "token_already_issued", "retry_not_possible", "retries_exhausted", "version_conflict",
        "locked", "face_response_invalid", "image_unusable",
        "reference_image_required", "session_not_found",
    )),
    *(("finish", code) for code in ("ok", "not_ready", "face_unavailable", "session_not_found")),
    *(("read", code) for code in ("ok", "face_unavailable", "session_not_found")),
    *(("get", code) for code in ("ok", "session_not_found")),
    *(("cancel", code) for code in ("ok", "session_not_found")),
    *(("consume", code) for code in (
        "ok", "verdict_not_passed", "verdict_used", "verdict_expired", "purpose_mismatch",
        "transaction_required", "unknown_purpose", "session_not_found",
    )),
    *(("review", code) for code in ("ok", "invalid_transition", "session_not_found")),
    ("erase", "ok"), ("erase", "pending"), ("sweep", "ok"), ("purge", "ok"),
}  # fmt: skip


class AnyOrder(Driver, RuleBasedStateMachine):
    kind: ClassVar[str]
    all_seen: ClassVar[set[Any]]

    @initialize()
    def open(self) -> None:
        self.set_up(self.kind, self.all_seen)

    def teardown(self) -> None:
        if not hasattr(self, "orchestrator"):
            return
        if sys.exception() is None:  # no step has failed
            self.in_the_end_everything_is_over_and_removed()
        self.orchestrator.end()

    # --- starting ------------------------------------------------------------------------------

    @rule(
        subject=st.sampled_from(SUBJECTS),
        purpose=PURPOSE,
        transaction=TRANSACTION,
        key=st.sampled_from(["k", "l", None]),
        has_image=st.sampled_from([None, None, True, False]),
        fault=CREATE_FAULT,
        is_overtaken=st.booleans(),
        is_locked=IS_LOCKED,
    )
    def start(
        self,
        subject: str,
        purpose: str,
        transaction: str | None,
        key: str | None,
        has_image: bool | None,
        fault: str | None,
        is_overtaken: bool,
        is_locked: bool,
    ) -> None:
        self.policies.is_locked = self.model.is_locked = is_locked
        if has_image is None:
            has_image = purpose == "enrol"
        request = StartRequest(
            subject,
            purpose,
            transaction=transaction,
            reference_image=IMAGE if has_image else None,
            idempotency_key=key,
            context=HTTP,
        )
        self.start_with(request, fault, is_overtaken)
        if key is not None:
            self.start_with(request)

    @rule(seconds=st.sampled_from([0, 0, 29, 30]), fault=CREATE_FAULT)
    @precondition(lambda self: self.request)
    def start_again(self, seconds: int, fault: str | None) -> None:
        """Repeat the last start that had a key."""
        assert self.request
        self.time_goes_by(seconds)
        self.start_with(self.request, fault)

    @rule(
        which=WHICH,
        forgets_image=st.sampled_from([False, False, False, True]),
        fault=CREATE_FAULT,
        is_overtaken=st.booleans(),
        is_locked=IS_LOCKED,
    )
    @precondition(lambda self: self.model.sessions)
    def retry(
        self,
        which: int,
        forgets_image: bool,
        fault: str | None,
        is_overtaken: bool,
        is_locked: bool,
    ) -> None:
        session = self.pick(which)
        assert session
        self.policies.is_locked = self.model.is_locked = is_locked
        self.retry_with(session, fault, is_overtaken, forgets_image)
        self.retry_with(session)

    # --- the client ----------------------------------------------------------------------------

    @rule(which=WHICH, name=st.sampled_from(sorted(CASES)))
    @precondition(lambda self: self.model.sessions)
    def the_client_shows_a_face(self, which: int, name: str) -> None:
        session = self.pick(which, *OPEN)
        assert session
        is_possible = session.remote_id in self.model.remotes and self.clock() < session.expires_at
        if is_possible and self.service.outcomes.get(session.remote_id) not in DECIDED:
            self.service.outcomes[session.remote_id] = name

    @rule(
        which=WHICH,
        states=STATES,
        digest=DIGEST,
        client_error=CLIENT_ERROR,
        is_repeated=st.booleans(),
    )
    @precondition(lambda self: self.model.sessions)
    def finish(
        self,
        which: int,
        states: tuple[SessionState, ...],
        digest: str | None,
        client_error: str | None,
        is_repeated: bool,
    ) -> None:
        session = self.pick(which, *states)
        assert session
        if is_repeated:  # since the service did not respond
            self.service.cannot_read = True
            self.finish_with(session, digest, client_error)
            self.service.cannot_read = False
            self.time_goes_by(2)
        self.finish_with(session, digest, client_error)

    @rule(
        subject=st.sampled_from(SUBJECTS),
        purpose=KNOWN_PURPOSE,
        name=st.sampled_from([*DECIDED, "real", "real", "odd"]),
        digest=st.sampled_from(["AB", "AB", "AB", "ab", "CD", None]),
        is_slow=st.booleans(),
    )
    def a_whole_session(
        self, subject: str, purpose: str, name: str, digest: str | None, is_slow: bool
    ) -> None:
        session = self.open_session(subject, purpose)
        if is_slow:
            self.service.outcomes[session.remote_id] = "running"
            self.finish_with(session, digest, None)
            self.time_goes_by(2)
            self.service.cannot_read = True
            self.read(session)
            self.service.cannot_read = False
            self.time_goes_by(2)
        self.service.outcomes[session.remote_id] = name
        if is_slow:
            self.read(session)
        else:
            self.finish_with(session, digest, None)
        assert session.state in (*FINAL, S.NEEDS_REVIEW)

    @rule(
        subject=st.sampled_from(SUBJECTS),
        purpose=KNOWN_PURPOSE,
        seconds=st.sampled_from([0, 0, 0, 59, 60, 599, 600]),
    )
    def a_verdict_is_used(self, subject: str, purpose: str, seconds: int) -> None:
        session = self.open_session(subject, purpose)
        self.service.outcomes[session.remote_id] = "real"
        self.finish_with(session, "AB" if session.purpose.require_digest else None, None)
        assert session.state is S.PASSED
        self.time_goes_by(seconds)
        for wrong_use in ((purpose, None), (purpose, "payment 8"), ("unheard-of", "payment 7")):
            self.consume_with(session, *wrong_use)
        for _ in range(2):
            self.consume_with(session, purpose, "payment 7")

    @rule(subject=st.sampled_from(SUBJECTS), is_retry=st.booleans(), is_overtaken=st.booleans())
    def creates_fail_in_every_way(self, subject: str, is_retry: bool, is_overtaken: bool) -> None:
        for fault in CREATE_FAULTS:
            if is_retry:
                session = self.open_session(subject, "sign-in")
                for each in (fault, None):
                    self.retry_with(session, each, is_overtaken)
            else:
                request = StartRequest(subject, "sign-in", idempotency_key=fault)
                for each in (fault, None):
                    self.start_with(request, each, is_overtaken)
                    self.finish_with(self.model.sessions[-1], "AB", None)
                self.start_with(replace(request, transaction="payment 8"))

    @rule(
        subject=st.sampled_from(SUBJECTS),
        purpose=KNOWN_PURPOSE,
        before=st.sampled_from(["running", "nothing"]),
        reports=st.lists(st.tuples(DIGEST, CLIENT_ERROR), min_size=2, max_size=4),
        name=st.sampled_from(["real", "real", "spoof", "mask", "odd"]),
    )
    def a_client_reports_several_times(
        self,
        subject: str,
        purpose: str,
        before: str,
        reports: list[tuple[str | None, str | None]],
        name: str,
    ) -> None:
        session = self.open_session(subject, purpose)
        self.service.outcomes[session.remote_id] = before
        for digest, client_error in reports:
            self.finish_with(session, digest, client_error)
            self.time_goes_by(1)
        self.service.outcomes[session.remote_id] = name
        self.time_goes_by(2)
        self.read(session)
        assert session.state in (*FINAL, S.NEEDS_REVIEW)

    @rule(subject=st.sampled_from(SUBJECTS), delete_fault=st.sampled_from(DELETE_FAULTS))
    def a_deletion_fails_again_and_again(self, subject: str, delete_fault: str) -> None:
        session = self.open_session(subject, "sign-in")
        self.service.delete_fault = delete_fault
        self.expect("cancel", lambda: self.model.cancel(session), session.id, subject=subject)
        for seconds in (29, 1, 59, 1, 119, 1):
            self.time_goes_by(seconds)
            self.sweep_all()
            self.everything_is_as_the_model_says()

    @rule(subject=st.sampled_from(SUBJECTS), purpose=KNOWN_PURPOSE)
    def a_session_is_retried_until_it_cannot_be(self, subject: str, purpose: str) -> None:
        session = self.open_session(subject, purpose)
        self.retry_with(session, forgets_image=True)
        while again := self.retry_with(session):
            session = again

    @rule(
        subject=st.sampled_from(SUBJECTS),
        name=st.sampled_from(["running", "mask"]),
        seconds=st.sampled_from([0, 0, 599, 600, 1199, 1200]),
    )
    def a_session_that_is_not_finished(self, subject: str, name: str, seconds: int) -> None:
        session = self.start_with(StartRequest(subject, "sign-in"))
        if session:
            self.service.outcomes[session.remote_id] = name
            self.time_goes_by(seconds)
            self.read(session)

    # --- the owner and the reviewer ------------------------------------------------------------

    @rule(which=WHICH, states=STATES, cannot_read=st.booleans(), seconds=st.sampled_from([0, 1, 2]))
    @precondition(lambda self: self.model.sessions)
    def read_one(
        self, which: int, states: tuple[SessionState, ...], cannot_read: bool, seconds: int
    ) -> None:
        session = self.pick(which, *states)
        assert session
        self.time_goes_by(seconds)
        self.service.cannot_read = cannot_read
        self.read(session)
        self.service.cannot_read = False

    @rule(
        which=WHICH,
        delete_fault=st.sampled_from([None, *DELETE_FAULTS]),
        chance=st.sampled_from([False, True]),
    )
    @precondition(lambda self: self.model.sessions)
    def cancel(self, which: int, delete_fault: str | None, chance: bool) -> None:
        session = self.pick(which)
        if session and chance:
            self.service.delete_fault = delete_fault
            self.expect(
                "cancel", lambda: self.model.cancel(session), session.id, subject=session.subject
            )

    @rule(which=WHICH, verdict=REVIEW)
    @precondition(lambda self: self.model.sessions)
    def review(self, which: int, verdict: Verdict) -> None:
        session = self.pick(which, S.NEEDS_REVIEW)
        assert session
        self.review_with(session, verdict)

    @rule(
        subject=st.sampled_from(SUBJECTS),
        purpose=KNOWN_PURPOSE,
        verdict=REVIEW,
        seconds=st.sampled_from([0, 0, 7 * 86400 - 1, 7 * 86400]),
    )
    def an_odd_session_is_reviewed(
        self, subject: str, purpose: str, verdict: Verdict, seconds: int
    ) -> None:
        session = self.open_session(subject, purpose)
        self.service.outcomes[session.remote_id] = "odd"
        self.finish_with(session, "AB", None)
        assert session.state is S.NEEDS_REVIEW
        self.consume_with(session, purpose, "payment 7")
        self.time_goes_by(seconds)
        self.sweep()
        self.review_with(session, verdict)
        self.consume_with(session, purpose, "payment 7")

    @rule(which=WHICH, states=st.sampled_from([(S.PASSED,), (S.PASSED,), ()]),
          purpose=st.sampled_from([None, None, None, "payout", "sign-in", "unheard-of"]),
          transaction=st.sampled_from(["right", "right", None, "payment 8"]),
          seconds=st.sampled_from([0, 0, 59, 60, 599, 600]))  # fmt: skip
    @precondition(lambda self: self.model.sessions)
    def consume(
        self,
        which: int,
        states: tuple[SessionState, ...],
        purpose: str | None,
        transaction: str | None,
        seconds: int,
    ) -> None:
        session = self.pick(which, *states)
        assert session
        if session.decided_at:
            since = (self.clock() - session.decided_at).total_seconds()
            self.time_goes_by(max(seconds - since, 0))
        for_purpose = session.purpose.name if purpose is None else purpose
        for_what = session.transaction if transaction == "right" else transaction
        self.consume_with(session, for_purpose, for_what)

    @rule(which=WHICH, operation=st.sampled_from(
        ["get", "read", "finish", "cancel", "consume", "retry"]))  # fmt: skip
    @precondition(lambda self: self.model.sessions)
    def another_user_finds_nothing(self, which: int, operation: str) -> None:
        session = self.pick(which, S.PASSED if operation == "consume" else S.AWAITING_RESULT)
        assert session
        options: dict[str, Any] = {"subject": next(s for s in SUBJECTS if s != session.subject)}
        if operation == "finish":
            options["digest"] = "CD"
        if operation == "consume":
            options |= {"purpose": session.purpose.name, "transaction": session.transaction}
        before = self.stored(session.id)
        self.expect(operation, lambda: "session_not_found", session.id, **options)
        self.expect("get", lambda: "session_not_found", session.id, subject=options["subject"])
        assert self.stored(session.id) == before

    @rule()
    def nobody_finds_what_never_was(self) -> None:
        self.expect(
            "review",
            lambda: "session_not_found",
            "never-was-such-a-session",
            reviewer="carol",
            verdict=REVIEWS[0],
        )

    # --- time, faults, and the worker ----------------------------------------------------------

    @rule(
        seconds=st.sampled_from([1, 2, 29, 30, 61, 570, 599, 600, 1200, 8 * 86400, 30 * 86400]),
        heals=st.booleans(),
    )
    def some_time_goes_by(self, seconds: int, heals: bool) -> None:
        if heals:
            self.service.heal()
        self.time_goes_by(seconds)

    @rule(delete_fault=st.sampled_from([None, *DELETE_FAULTS]), cannot_read=st.booleans())
    def the_service_fails(self, delete_fault: str | None, cannot_read: bool) -> None:
        self.service.delete_fault = delete_fault
        self.service.cannot_read = cannot_read

    @rule(which=WHICH)
    @precondition(lambda self: self.model.sessions)
    def the_service_forgets_a_session(self, which: int) -> None:
        session = self.pick(which, *OPEN)
        assert session
        self.service.sessions.discard(session.remote_id)
        self.model.remotes.discard(session.remote_id)

    @rule()
    def a_destination_fails_or_works_again(self) -> None:
        self.bad.is_down = not self.bad.is_down

    @rule()
    def sweep(self) -> None:
        self.sweep_all()

    @rule(subject=st.sampled_from(SUBJECTS), delete_fault=st.sampled_from([None, *DELETE_FAULTS]))
    @precondition(lambda self: len(self.model.sessions) > 6)
    def erase(self, subject: str, delete_fault: str | None) -> None:
        self.erase_all_of(subject, delete_fault)

    # --- what always holds ---------------------------------------------------------------------

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        assert self.model.now == self.clock()
        self.check_sessions()
        self.check_calls()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(600)  # for a failure, which hypothesis makes small
def test_operations_in_any_order(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "livegate")
    seen: set[Any] = set()
    machine = type(f"AnyOrder{kind}", (AnyOrder,), {"kind": kind, "all_seen": seen})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=120, stateful_step_count=40, deadline=None, derandomize=True
        ),
    )

    assert {*ALL_THAT_HAPPENS, *SessionState, *RemoteState} - seen == set()
