"""The built-in rules of the verdict. They fail closed: every rule has to hold for ``passed``.

``passed`` needs an attempt that succeeded, was decided ``realface``, with verification was found
identical, and that nothing contradicts: not the digest that the client reported, not the hash of
the reference image, not abuse monitoring, not an error of the client, not another attempt.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final

from livegate.models import AttemptStatus, SessionKind, SessionState, Verdict
from livegate.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from livegate.models import Attempt, LivenessSession, Outcome
    from livegate.purposes import Purpose

_PASSED: Final = Verdict(SessionState.PASSED)
_UNKNOWN_DECISION: Final = Verdict(SessionState.INCONCLUSIVE, ("decision_unknown",))

BY_DECISION: Final = {
    "realface": _PASSED,
    "spoofface": Verdict(SessionState.REJECTED, ("spoof_detected",)),
    "uncertain": Verdict(SessionState.INCONCLUSIVE, ("liveness_uncertain",)),
}
"""By the service's ``livenessDecision``, compared without case: its own documentation spells the
values in two ways."""


@hookimpl
def decide(session: LivenessSession, outcome: Outcome, purpose: Purpose) -> Verdict:
    """The strictest of what all rules find; pure."""
    return Verdict.strictest(_findings(session, outcome, purpose))


def _findings(session: LivenessSession, outcome: Outcome, purpose: Purpose) -> Iterator[Verdict]:
    succeeded = outcome.with_status(AttemptStatus.SUCCEEDED)
    for attempt in succeeded:
        yield BY_DECISION.get(str(attempt.decision).lower(), _UNKNOWN_DECISION)
        yield from _check_person(session, attempt)
        yield from _check_integrity(session, attempt)
    if succeeded and purpose.require_digest and not session.client_digests:
        yield _inconclusive("digest_missing")
    if purpose.verify and session.kind is not SessionKind.LIVENESS_WITH_VERIFY:
        # The purpose was changed after the session began: nobody has compared the person.
        yield _inconclusive("verification_missing")
    if not succeeded:
        for attempt in outcome.with_status(AttemptStatus.FAILED):
            yield _inconclusive(_public(attempt.error_code) or "attempt_failed")
    if outcome.with_status(AttemptStatus.UNKNOWN):
        yield _inconclusive("attempt_unknown")
    if any(attempt.abuse_detected for attempt in outcome.attempts):
        yield _rejected("abuse_detected")
    if session.client_error is not None:
        yield _inconclusive(_public(session.client_error) or "client_error")


def _check_person(session: LivenessSession, attempt: Attempt) -> Iterator[Verdict]:
    if attempt.is_identical is False:
        yield _rejected("different_person")
    elif attempt.is_identical is None and session.kind is SessionKind.LIVENESS_WITH_VERIFY:
        yield _inconclusive("verification_missing")


def _check_integrity(session: LivenessSession, attempt: Attempt) -> Iterator[Verdict]:
    if any(not _is_same(digest, attempt.digest) for digest in session.client_digests):
        yield _rejected("digest_differs")
    if attempt.reference_sha256 is not None and not _is_same(
        attempt.reference_sha256, session.reference_sha256
    ):
        yield _rejected("reference_differs")


def _is_same(left: str, right: str | None) -> bool:
    # What the service sends may hold lone surrogates: such a digest differs, as any other.
    texts = (text.lower().encode(errors="surrogatepass") for text in (left, right or ""))
    return hmac.compare_digest(*texts)


def _public(identifier: str | None) -> str | None:
    """The service's or the client's *identifier*, if it is one and nothing else."""
    return identifier if identifier and re.fullmatch(r"\w{1,64}", identifier, re.ASCII) else None


def _inconclusive(reason: str) -> Verdict:
    return Verdict(SessionState.INCONCLUSIVE, (reason,))


def _rejected(reason: str) -> Verdict:
    return Verdict(SessionState.REJECTED, (reason,))
