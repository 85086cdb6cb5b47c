"""The built-in rules of the verdict. They fail closed: ``passed`` has to be earned by every word.

``passed`` needs an attempt that succeeded, was decided ``realface``, with verification was found
identical, and that nothing contradicts: not the digest that the client reported, not the hash of
the reference image, not abuse monitoring, not an error of the client, not another attempt.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final

from livegate.hooks import hookimpl
from livegate.session import (
    AttemptStatus,
    OutcomeStatus,
    SessionKind,
    SessionState,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from livegate.session import Attempt, LivenessSession, Outcome

_PASSED = Verdict(SessionState.PASSED)
_UNKNOWN_DECISION = Verdict(SessionState.INCONCLUSIVE, ("decision_unknown",))

BY_DECISION: Final = {
    "realface": _PASSED,
    "spoofface": Verdict(SessionState.REJECTED, ("spoof_detected",)),
    "uncertain": Verdict(SessionState.INCONCLUSIVE, ("liveness_uncertain",)),
}
"""By the service's ``livenessDecision``, compared without case: both spellings of the words are
found in its own documentation."""


def is_conclusive(session: LivenessSession, outcome: Outcome) -> bool:
    """Whether the outcome can be judged now, or more may still come.

    Failed attempts alone conclude nothing as long as the front end may try again.
    """
    if outcome.with_status(AttemptStatus.RUNNING):
        return False
    if outcome.with_status(AttemptStatus.SUCCEEDED):
        return True
    if outcome.status is OutcomeStatus.ENDED:
        return bool(outcome.attempts)
    client_is_done = session.state is SessionState.AWAITING_RESULT
    return client_is_done and bool(outcome.attempts or session.client_error)


@hookimpl
def decide(session: LivenessSession, outcome: Outcome) -> Verdict:
    """Judge *outcome*; pure."""
    return Verdict.strictest(_findings(session, outcome))


def _findings(session: LivenessSession, outcome: Outcome) -> Iterator[Verdict]:
    """One verdict for each thing that there is to say; the strictest will count."""
    succeeded = outcome.with_status(AttemptStatus.SUCCEEDED)
    for attempt in succeeded:
        yield BY_DECISION.get((attempt.decision or "").lower(), _UNKNOWN_DECISION)
        yield from _about_person(session, attempt)
        yield from _about_integrity(session, attempt)
    if not succeeded:
        for attempt in outcome.with_status(AttemptStatus.FAILED):
            yield _inconclusive(_public_word(attempt.error_code) or "attempt_failed")
    if outcome.with_status(AttemptStatus.UNKNOWN):
        yield _inconclusive("attempt_unknown")
    if any(attempt.abuse_detected for attempt in outcome.attempts):
        yield _rejected("abuse_detected")
    if session.client_error is not None:
        yield _inconclusive(_public_word(session.client_error) or "client_error")


def _about_person(session: LivenessSession, attempt: Attempt) -> Iterator[Verdict]:
    if attempt.is_identical is False:
        yield _rejected("different_person")
    elif attempt.is_identical is None and session.kind is SessionKind.LIVENESS_WITH_VERIFY:
        yield _inconclusive("verification_missing")


def _about_integrity(session: LivenessSession, attempt: Attempt) -> Iterator[Verdict]:
    if any(not _same(digest, attempt.digest) for digest in session.client_digests):
        yield _rejected("digest_differs")
    if attempt.reference_sha256 is not None and not _same(
        attempt.reference_sha256, session.reference_sha256
    ):
        yield _rejected("reference_differs")


def _same(left: str, right: str | None) -> bool:
    # What the service says may hold lone surrogates: such a digest differs, as any other.
    texts = (text.upper().encode("utf-8", "surrogatepass") for text in (left, right or ""))
    return hmac.compare_digest(*texts)


def _public_word(text: str | None) -> str | None:
    """The service's or the client's word, if it is a word and nothing else."""
    return text if text and re.fullmatch(r"\w{1,64}", text, re.ASCII) else None


def _inconclusive(reason: str) -> Verdict:
    return Verdict(SessionState.INCONCLUSIVE, (reason,))


def _rejected(reason: str) -> Verdict:
    return Verdict(SessionState.REJECTED, (reason,))
