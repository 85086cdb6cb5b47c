"""The built-in rules of the verdict: what passes, and that nothing else does."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livegate.hooks import (
    Attempt,
    AttemptStatus,
    LivenessSession,
    OperationMode,
    Outcome,
    OutcomeStatus,
    Purpose,
    SessionKind,
    SessionState,
    Verdict,
)
from livegate.policies.decision import decide

NOW = datetime(2026, 1, 1, tzinfo=UTC)
S = SessionState
DIGEST = "B0A8" * 16
REFERENCE = "43B7" * 16

LIVENESS = LivenessSession(
    id="a" * 32,
    subject="alice",
    purpose="login",
    kind=SessionKind.LIVENESS,
    mode=OperationMode.PASSIVE,
    api_version="v1.2",
    correlation_id="device",
    created_at=NOW,
    updated_at=NOW,
    expires_at=NOW,
    state=S.AWAITING_RESULT,
    remote_id="remote",
    client_digests=(DIGEST,),
)
VERIFY = replace(LIVENESS, kind=SessionKind.LIVENESS_WITH_VERIFY, reference_sha256=REFERENCE)
REAL = Attempt(1, AttemptStatus.SUCCEEDED, decision="realface", digest=DIGEST)
RIGHT = replace(REAL, is_identical=True, match_confidence=0.9, reference_sha256=REFERENCE)
LOGIN = Purpose("login")
PAYOUT = Purpose("login", verify=True)
LENIENT = Purpose("login", require_digest=False)
MASK = Attempt(1, AttemptStatus.FAILED, error_code="FaceWithMaskDetected")


def ended(*attempts: Attempt) -> Outcome:
    return Outcome(OutcomeStatus.ENDED, attempts)


@pytest.mark.parametrize(
    ("session", "outcome", "state", "reasons"),
    [
        pytest.param(LIVENESS, ended(REAL), S.PASSED, (), id="real"),
        pytest.param(VERIFY, ended(RIGHT), S.PASSED, (), id="real and the same person"),
        pytest.param(
            LIVENESS, ended(replace(REAL, decision="RealFace")), S.PASSED, (), id="in any case"
        ),
        pytest.param(
            replace(LIVENESS, client_digests=(DIGEST.lower(),)),
            ended(REAL),
            S.PASSED,
            (),
            id="digest in any case",
        ),
        pytest.param(
            LIVENESS, ended(MASK, replace(REAL, number=2)), S.PASSED, (), id="second attempt"
        ),
        pytest.param(
            LIVENESS,
            ended(replace(REAL, decision="spoofface")),
            S.REJECTED,
            ("spoof_detected",),
            id="spoof",
        ),
        pytest.param(
            VERIFY,
            ended(replace(RIGHT, is_identical=False)),
            S.REJECTED,
            ("different_person",),
            id="another person",
        ),
        pytest.param(
            VERIFY,
            ended(replace(RIGHT, is_identical=False, decision="uncertain")),
            S.REJECTED,
            ("different_person", "liveness_uncertain"),
            id="uncertain and another person",
        ),
        pytest.param(
            LIVENESS,
            ended(replace(REAL, is_identical=False)),
            S.REJECTED,
            ("different_person",),
            id="a different person without verification",
        ),
        pytest.param(
            LIVENESS,
            ended(replace(REAL, is_identical=True)),
            S.PASSED,
            (),
            id="the same person without verification",
        ),
        pytest.param(
            LIVENESS,
            ended(replace(REAL, reference_sha256=REFERENCE)),
            S.REJECTED,
            ("reference_differs",),
            id="a reference hash where no image was sent",
        ),
        pytest.param(
            replace(VERIFY, reference_sha256=None),
            ended(RIGHT),
            S.REJECTED,
            ("reference_differs",),
            id="a reference hash where the record has none",
        ),
        pytest.param(
            replace(LIVENESS, client_digests=()),
            ended(REAL),
            S.INCONCLUSIVE,
            ("digest_missing",),
            id="the client reported no digest",
        ),
        pytest.param(
            replace(LIVENESS, client_digests=()),
            ended(replace(REAL, digest=None)),
            S.INCONCLUSIVE,
            ("digest_missing",),
            id="nobody has a digest",
        ),
        pytest.param(
            replace(LIVENESS, client_digests=()),
            ended(replace(REAL, decision="spoofface")),
            S.REJECTED,
            ("spoof_detected", "digest_missing"),
            id="a spoof without a digest",
        ),
        pytest.param(
            replace(LIVENESS, client_digests=()),
            ended(MASK),
            S.INCONCLUSIVE,
            ("FaceWithMaskDetected",),
            id="no digest is missing where no attempt succeeded",
        ),
        pytest.param(
            LIVENESS,
            ended(replace(REAL, decision="uncertain")),
            S.INCONCLUSIVE,
            ("liveness_uncertain",),
            id="uncertain",
        ),
        pytest.param(
            LIVENESS, ended(MASK), S.INCONCLUSIVE, ("FaceWithMaskDetected",), id="only a mask"
        ),
        pytest.param(
            LIVENESS,
            ended(MASK, Attempt(2, AttemptStatus.FAILED, error_code="TimedOut")),
            S.INCONCLUSIVE,
            ("FaceWithMaskDetected", "TimedOut"),
            id="only failures",
        ),
        pytest.param(
            LIVENESS,
            ended(replace(MASK, error_code="<script>")),
            S.INCONCLUSIVE,
            ("attempt_failed",),
            id="a code that is not an identifier",
        ),
        pytest.param(
            LIVENESS,
            ended(replace(MASK, error_code="Gesicht_verhüllt")),
            S.INCONCLUSIVE,
            ("attempt_failed",),
            id="a code that is not ASCII",
        ),
        pytest.param(
            LIVENESS,
            ended(replace(REAL, decision="probablyface")),
            S.INCONCLUSIVE,
            ("decision_unknown",),
            id="unknown decision",
        ),
        pytest.param(
            LIVENESS,
            ended(replace(REAL, decision=None)),
            S.INCONCLUSIVE,
            ("decision_unknown",),
            id="no decision",
        ),
        pytest.param(
            VERIFY,
            ended(replace(RIGHT, is_identical=None)),
            S.INCONCLUSIVE,
            ("verification_missing",),
            id="no verification",
        ),
        pytest.param(
            replace(LIVENESS, client_digests=("AB",)),
            ended(REAL),
            S.REJECTED,
            ("digest_differs",),
            id="digest differs",
        ),
        pytest.param(
            replace(LIVENESS, client_digests=("\N{LATIN SMALL LIGATURE FF}",)),
            ended(replace(REAL, digest="FF")),
            S.REJECTED,
            ("digest_differs",),
            id="digest that is the same in capitals alone",
        ),
        pytest.param(
            replace(LIVENESS, client_digests=(DIGEST, "AB")),
            ended(REAL),
            S.REJECTED,
            ("digest_differs",),
            id="two digests",
        ),
        pytest.param(
            LIVENESS,
            ended(replace(REAL, digest=None)),
            S.REJECTED,
            ("digest_differs",),
            id="the service has no digest",
        ),
        pytest.param(
            replace(LIVENESS, client_digests=("XXXX",)),
            ended(replace(REAL, digest=None)),
            S.REJECTED,
            ("digest_differs",),
            id="the service has no digest, and the client made one up",
        ),
        pytest.param(
            VERIFY,
            ended(replace(RIGHT, reference_sha256="AB")),
            S.REJECTED,
            ("reference_differs",),
            id="another reference image",
        ),
        pytest.param(
            VERIFY,
            ended(replace(RIGHT, reference_sha256=None)),
            S.PASSED,
            (),
            id="the hash of the reference image is not returned",
        ),
        pytest.param(
            LIVENESS,
            ended(replace(REAL, abuse_detected=True)),
            S.REJECTED,
            ("abuse_detected",),
            id="abuse",
        ),
        pytest.param(
            LIVENESS,
            ended(replace(MASK, abuse_detected=True), replace(REAL, number=2)),
            S.REJECTED,
            ("abuse_detected",),
            id="abuse on another attempt",
        ),
        pytest.param(
            replace(LIVENESS, client_error="UnexpectedClientError"),
            ended(REAL),
            S.INCONCLUSIVE,
            ("UnexpectedClientError",),
            id="the client says it failed",
        ),
        pytest.param(
            replace(LIVENESS, client_error="<script>"),
            ended(REAL),
            S.INCONCLUSIVE,
            ("client_error",),
            id="the client says something that is not an identifier",
        ),
        pytest.param(
            LIVENESS,
            ended(REAL, replace(REAL, number=2, decision="spoofface")),
            S.REJECTED,
            ("spoof_detected",),
            id="a real and a spoof",
        ),
        pytest.param(
            LIVENESS,
            ended(REAL, Attempt(2, AttemptStatus.UNKNOWN)),
            S.INCONCLUSIVE,
            ("attempt_unknown",),
            id="a real and something unknown",
        ),
        pytest.param(LIVENESS, ended(), S.INCONCLUSIVE, ("undecided",), id="nothing at all"),
    ],
)
def test_an_outcome_has_this_verdict(
    session: LivenessSession, outcome: Outcome, state: SessionState, reasons: tuple[str, ...]
) -> None:
    purpose = PAYOUT if session.kind is SessionKind.LIVENESS_WITH_VERIFY else LOGIN

    assert decide(session, outcome, purpose) == Verdict(state, reasons)


def test_a_purpose_without_require_digest_takes_a_result_without_one() -> None:
    session = replace(LIVENESS, client_digests=())

    assert decide(session, ended(REAL), LENIENT).state is S.PASSED
    differs = replace(LIVENESS, client_digests=("AB",))
    assert decide(differs, ended(REAL), LENIENT).reasons == ("digest_differs",)


def test_a_session_without_verification_is_inconclusive_for_a_purpose_with_it() -> None:
    outcome = ended(replace(REAL, is_identical=True))

    assert decide(LIVENESS, outcome, PAYOUT) == Verdict(S.INCONCLUSIVE, ("verification_missing",))


def test_a_session_with_verification_keeps_it_for_a_purpose_without() -> None:
    assert decide(VERIFY, ended(RIGHT), LOGIN).state is S.PASSED
    other = ended(replace(RIGHT, is_identical=None))
    assert decide(VERIFY, other, LOGIN).reasons == ("verification_missing",)


attempts = st.builds(
    Attempt,
    number=st.integers(1, 3),
    status=st.sampled_from(AttemptStatus),
    decision=st.sampled_from(["realface", "realFace", "spoofface", "uncertain", "real", "", None]),
    error_code=st.none() | st.text(max_size=8),
    digest=st.sampled_from([DIGEST, "", "AB", None]),
    is_identical=st.none() | st.booleans(),
    reference_sha256=st.sampled_from([REFERENCE, "AB", "", None]),
    abuse_detected=st.none() | st.booleans(),
)
sessions = st.builds(
    replace,
    st.sampled_from([LIVENESS, VERIFY]),
    client_digests=st.lists(st.sampled_from([DIGEST, "AB"]), max_size=2, unique=True).map(tuple),
    client_error=st.sampled_from([None, "TimedOut", ""]),
)
outcomes = st.builds(
    Outcome, st.sampled_from(OutcomeStatus), st.lists(attempts, max_size=3).map(tuple)
)


@given(sessions, outcomes, st.sampled_from([LOGIN, PAYOUT, LENIENT]))
def test_only_what_satisfies_every_rule_passes(
    session: LivenessSession, outcome: Outcome, purpose: Purpose
) -> None:
    verdict = decide(session, outcome, purpose)

    succeeded = [each for each in outcome.attempts if each.status is AttemptStatus.SUCCEEDED]
    with_verify = session.kind is SessionKind.LIVENESS_WITH_VERIFY
    right = (
        bool(succeeded)
        and all((each.decision or "").lower() == "realface" for each in succeeded)
        and all(
            each.is_identical is True or (each.is_identical is None and not with_verify)
            for each in succeeded
        )
        and all(
            each.reference_sha256 in (None, session.reference_sha256)
            or (not each.reference_sha256 and not with_verify)
            for each in succeeded
        )
        and all(
            each.digest in session.client_digests or not session.client_digests
            for each in succeeded
        )
        and len(session.client_digests) < 2
        and (bool(session.client_digests) or not purpose.require_digest)
        and (with_verify or not purpose.verify)
        and session.client_error is None
        and not any(each.abuse_detected for each in outcome.attempts)
        and not any(each.status is AttemptStatus.UNKNOWN for each in outcome.attempts)
    )
    assert (verdict.state is S.PASSED) == right
    assert (verdict.state is S.PASSED) == (verdict.reasons == ())


@given(st.lists(st.sampled_from([S.PASSED, S.REJECTED, S.INCONCLUSIVE, S.NEEDS_REVIEW])), st.data())
def test_a_further_verdict_never_makes_the_whole_milder(
    states: list[SessionState], data: st.DataObject
) -> None:
    order = [S.PASSED, S.NEEDS_REVIEW, S.INCONCLUSIVE, S.REJECTED]
    verdicts = [Verdict(S.PASSED), *map(Verdict, states)]
    more = Verdict(data.draw(st.sampled_from(order)))

    before, after = Verdict.strictest(verdicts), Verdict.strictest([*verdicts, more])

    assert order.index(after.state) >= order.index(before.state)
    assert Verdict.strictest([]).state is S.INCONCLUSIVE


def test_the_order_of_attempts_does_not_matter() -> None:
    three: list[Any] = [
        MASK,
        replace(REAL, number=2),
        replace(REAL, number=3, decision="spoofface"),
    ]

    states = {
        decide(LIVENESS, ended(*order), LOGIN).state for order in itertools.permutations(three)
    }

    assert states == {S.REJECTED}
