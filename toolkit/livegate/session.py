"""The nouns: what a liveness session is, what the service says of it, what we conclude.

All of them are immutable values. Nothing here does I/O, reads a clock or makes an id; the only way
from one :class:`LivenessSession` to the next is :func:`livegate.lifecycle.advance`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


class SessionState(StrEnum):
    """Where a session stands; the words are the same in code, in HTTP and in the docs."""

    REQUESTED = "requested"
    READY = "ready"
    STARTED = "started"
    AWAITING_RESULT = "awaiting_result"
    NEEDS_REVIEW = "needs_review"
    PASSED = "passed"
    REJECTED = "rejected"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the state never changes again."""
        return self in FINAL_STATES

    @property
    def is_open(self) -> bool:
        """Whether the front end or the service may still bring news."""
        return self in OPEN_STATES


VERDICT_STATES = frozenset(
    {SessionState.PASSED, SessionState.REJECTED, SessionState.INCONCLUSIVE},
)
FINAL_STATES = VERDICT_STATES | {
    SessionState.FAILED,
    SessionState.EXPIRED,
    SessionState.CANCELLED,
}
OPEN_STATES = frozenset(
    {SessionState.READY, SessionState.STARTED, SessionState.AWAITING_RESULT},
)


class RemoteState(StrEnum):
    """Where the service's own copy of the session stands, as far as the service confirmed it."""

    NONE = "none"
    PRESENT = "present"
    DELETING = "deleting"
    DELETED = "deleted"


class SessionKind(StrEnum):
    """What is asked of the service."""

    LIVENESS = "liveness"
    """Is this a real person?"""
    LIVENESS_WITH_VERIFY = "livenessWithVerify"
    """Is this a real person, and the one on the reference image?"""


class OperationMode(StrEnum):
    """How the front end's SDK looks at the face.

    Source: the service's ``LivenessOperationMode``, the same words in every API version.
    """

    PASSIVE = "Passive"
    PASSIVE_ACTIVE = "PassiveActive"


@dataclass(frozen=True, slots=True)
class ReferenceImage:
    """A picture of the person that the session has to find before the camera.

    It lives as long as the call that brought it: a store sees :attr:`sha256` and nothing else.

    Attributes:
        content: The encoded picture, as it is sent to the service; never in a ``repr``.
    """

    content: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the content: 64 hexadecimal digits, upper case as the service has them."""
        return hashlib.sha256(self.content).hexdigest().upper()


class AttemptStatus(StrEnum):
    """What became of one attempt; a word that we do not know is ``UNKNOWN``."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of the front end to show a face, as the service reports it.

    Attributes:
        number: Counts from 1; the only order that the service's answers can be trusted in.
        status: ``succeeded`` means "was classified", not "is real".
        decision: The service's ``livenessDecision``, as it came, or None.
        error_code: Why the attempt failed, in the service's word, or None.
        digest: What the client is expected to hold too, if this attempt is not tampered with.
        is_identical: Whether the face is the one of the reference image, or None if not said.
        match_confidence: 0 to 1, or None; for the server's eyes only.
        reference_sha256: The hash of the reference image that the service compared with, or None.
        abuse_detected: Whether abuse monitoring flagged the attempt, or None if not said.
    """

    number: int
    status: AttemptStatus
    decision: str | None = None
    error_code: str | None = None
    digest: str | None = field(default=None, repr=False)
    is_identical: bool | None = None
    match_confidence: float | None = field(default=None, repr=False)
    reference_sha256: str | None = None
    abuse_detected: bool | None = None


class OutcomeStatus(StrEnum):
    """What the service says of the session as a whole."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    ENDED = "ended"
    """The service takes no further attempt."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that the service knows of a session, in our words, whatever the API version.

    Attributes:
        status: Of the session as a whole. Truth is never derived from it alone.
        attempts: Oldest first.
    """

    status: OutcomeStatus
    attempts: tuple[Attempt, ...] = ()

    def with_status(self, *statuses: AttemptStatus) -> tuple[Attempt, ...]:
        """The attempts with one of the *statuses*, oldest first."""
        return tuple(attempt for attempt in self.attempts if attempt.status in statuses)


_STRICTNESS = {
    SessionState.PASSED: 0,
    SessionState.NEEDS_REVIEW: 1,
    SessionState.INCONCLUSIVE: 2,
    SessionState.REJECTED: 3,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What we conclude from an outcome.

    Attributes:
        state: ``passed``, ``needs_review``, ``inconclusive`` or ``rejected``.
        reasons: Stable words for why it is not ``passed``, such as ``spoof_detected``, or the
            service's code of a failed attempt, such as ``FaceWithMaskDetected``. They are public.

    Raises:
        ValueError: The state is no verdict, or the reasons are no words.
    """

    state: SessionState
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.state not in _STRICTNESS:
            raise ValueError(f"{self.state} is no verdict; one of {', '.join(_STRICTNESS)} is")
        reasons: object = self.reasons  # a plugin's author may not check types
        if not isinstance(reasons, tuple | list) or not all(map(_is_word, reasons)):
            raise ValueError(f"the reasons of a verdict are a tuple, each of them {_A_WORD}")
        # What is equal to a state may still be a plain text, as in Verdict("rejected").
        object.__setattr__(self, "state", SessionState(self.state))
        object.__setattr__(self, "reasons", tuple(reasons))

    @classmethod
    def strictest(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """The strictest of *verdicts*, with the reasons of all; with none at all: inconclusive."""
        ordered = sorted(verdicts, key=lambda verdict: -_STRICTNESS[verdict.state])
        if not ordered:
            return cls(SessionState.INCONCLUSIVE, ("undecided",))
        reasons = dict.fromkeys(reason for verdict in ordered for reason in verdict.reasons)
        return cls(ordered[0].state, tuple(reasons))


@dataclass(frozen=True, slots=True)
class LivenessSession:
    """One liveness session, from the intent to the verdict, as a store keeps it.

    It holds no image, no token and no key. Times are aware and in UTC. What is not for a log, the
    service's id, the digests and the scores, is in no ``repr``.

    Attributes:
        id: Ours, random; the only id that ever leaves the server.
        subject: Who the session belongs to, as the host application names its users.
        purpose: What the verdict may be used for, in the host application's words.
        kind: Liveness alone, or with verification against a reference image.
        mode: How the SDK looks at the face.
        api_version: The version of the service's API that the session was created with.
        correlation_id: What the service knows the end user's device by; no personal data.
        created_at: When the intent was stored.
        updated_at: When the record last changed.
        expires_at: When the token's lifetime ends: no attempt can begin after it.
        version: Counts the changes; a store saves only over the version that was read.
        state: Where the session stands.
        idempotency_key: The caller's key, unique for the subject, or None.
        fingerprint: Of the start request, so that a key is not used for two different ones.
        asked_at: When the service was asked to create the session, None when it has answered.
        remote: Where the service's own session stands.
        remote_id: The service's id of it; it never leaves the server.
        remote_retry_at: When its deletion is to be tried again.
        remote_tries: How often its deletion has failed.
        reference_sha256: The hash of the reference image that we uploaded, or None.
        client_digests: The different digests that the client reported; more than one is a
            contradiction.
        client_error: What the client says went wrong, in the words of the web element.
        attempts: As the service reported them with the verdict.
        reasons: Why it is not ``passed``; public.
        consumed_at: When the verdict was used, None as long as it is not.
    """

    id: str
    subject: str
    purpose: str
    kind: SessionKind
    mode: OperationMode
    api_version: str
    correlation_id: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    version: int = 1
    state: SessionState = SessionState.REQUESTED
    idempotency_key: str | None = None
    fingerprint: str = ""
    asked_at: datetime | None = None
    remote: RemoteState = RemoteState.NONE
    remote_id: str | None = field(default=None, repr=False)
    remote_retry_at: datetime | None = None
    remote_tries: int = 0
    reference_sha256: str | None = None
    client_digests: tuple[str, ...] = field(default=(), repr=False)
    client_error: str | None = None
    attempts: tuple[Attempt, ...] = ()
    reasons: tuple[str, ...] = ()
    consumed_at: datetime | None = None

    @property
    def verdict(self) -> Verdict | None:
        """The verdict, once there is one."""
        if self.state in VERDICT_STATES or self.state is SessionState.NEEDS_REVIEW:
            return Verdict(self.state, self.reasons)
        return None


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What a host application asks for when it starts a session.

    Attributes:
        subject: Who the session will belong to: 1 to 255 characters, never empty.
        purpose: What the verdict may be used for.
        reference_image: With one, the service also says whether it is this person.
        mode: How the SDK looks at the face; None takes the setting.
        correlation_id: A random id for the end user's device, at most 64 characters; None makes
            one for this session alone. Never take it from the client: whoever chooses it resets
            the service's limits for the device.
        idempotency_key: The same key of the same subject gives the same session.
    """

    subject: str
    purpose: str = "default"
    reference_image: ReferenceImage | None = None
    mode: OperationMode | None = None
    correlation_id: str | None = None
    idempotency_key: str | None = None

    @property
    def kind(self) -> SessionKind:
        """With a reference image the session also verifies."""
        if self.reference_image is None:
            return SessionKind.LIVENESS
        return SessionKind.LIVENESS_WITH_VERIFY


@dataclass(frozen=True, slots=True)
class Started:
    """The answer to a start.

    Attributes:
        session: As it was stored before this answer was given.
        auth_token: For the front end's SDK, and for nobody else; handed out this once.
    """

    session: LivenessSession
    auth_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the sessions that were looked for, newest first.

    Attributes:
        sessions: At most as many as were asked for.
        cursor: Give it back to get the next page; None on the last one.
    """

    sessions: tuple[LivenessSession, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a policy refuses.

    Attributes:
        code: A stable word for programs, such as ``image_too_large``.
        message: What is wrong and what to do, for the person who must act: one line of at most
            1000 characters; public.

    Raises:
        ValueError: The code is no word, or the message no such line.
    """

    code: str
    message: str

    def __post_init__(self) -> None:
        if not _is_word(self.code):
            raise ValueError(f"the code of an objection is {_A_WORD}")
        text: object = self.message
        if not (isinstance(text, str) and 1 <= len(text) <= MAX_MESSAGE and text.isprintable()):
            raise ValueError(f"the message of an objection is one line, at most {MAX_MESSAGE} long")


MAX_MESSAGE: Final = 1000
"""Characters of an objection's message."""

_A_WORD: Final = "a word of 1 to 64 letters, digits, '_', '-', '.' and ':'"


def _is_word(value: object) -> bool:
    """Whether *value* may be shown to everybody as a stable word."""
    return isinstance(value, str) and bool(re.fullmatch(r"[\w.:-]{1,64}", value, re.ASCII))
