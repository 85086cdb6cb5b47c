"""The models: what a liveness session is, what the service says of it, what we conclude.

All of them are immutable values. Nothing here does I/O, reads a clock or makes an id; the only way
from one :class:`LivenessSession` to the next is :func:`livegate.lifecycle.advance`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime


class SessionState(StrEnum):
    """Where a session stands; the names are the same in code, in HTTP and in the docs."""

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
        """Whether the front end or the service may still change the session."""
        return self in OPEN_STATES


VERDICT_STATES: Final = frozenset(
    {SessionState.PASSED, SessionState.REJECTED, SessionState.INCONCLUSIVE},
)
FINAL_STATES: Final = VERDICT_STATES | {
    SessionState.FAILED,
    SessionState.EXPIRED,
    SessionState.CANCELLED,
}
OPEN_STATES: Final = frozenset(
    {SessionState.READY, SessionState.STARTED, SessionState.AWAITING_RESULT},
)


class RemoteState(StrEnum):
    """Where the service's own session stands, as far as the service confirmed it."""

    NONE = "none"
    PRESENT = "present"
    DELETING = "deleting"
    DELETED = "deleted"


class SessionKind(StrEnum):
    """What the service is asked to check."""

    LIVENESS = "liveness"
    """Is this a real person?"""
    LIVENESS_WITH_VERIFY = "livenessWithVerify"
    """Is this a real person, and the one on the reference image?"""


class OperationMode(StrEnum):
    """How the front end's SDK checks the face.

    Source: the service's ``LivenessOperationMode``, the same in every API version.
    """

    PASSIVE = "Passive"
    PASSIVE_ACTIVE = "PassiveActive"


class ReferenceSource(StrEnum):
    """Where a session's reference image came from."""

    APPLICATION = "application"
    """The application's own call of ``start``."""
    PURPOSE = "purpose"
    """The purpose's ``reference_image`` callable."""
    PLUGIN = "plugin"
    """The hook ``provide_reference_image``."""
    CLIENT = "client"
    """The front end, for a purpose that takes it from there."""


@dataclass(frozen=True, slots=True)
class ReferenceImage:
    """A picture of the person that the session has to find in front of the camera.

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
    """What became of one attempt; a status that we do not know is ``UNKNOWN``."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of the front end to show a face, as the service reports it.

    Attributes:
        number: Counts from 1; the only order that the service's results can be trusted in.
        status: ``succeeded`` means "was classified", not "is real".
        decision: The service's ``livenessDecision``, as it came, or None.
        error_code: Why the attempt failed, the service's code, or None.
        digest: What the client is expected to hold too, if this attempt is not tampered with.
        is_identical: Whether the face is the one of the reference image, or None if not said.
        match_confidence: 0 to 1, or None; for the server alone.
        reference_sha256: The hash of the reference image that the service compared with, or None.
        abuse_detected: Whether abuse monitoring flagged the attempt, or None if not said.
        unknown: Fields of the stored record that this version of livegate does not know.
    """

    number: int
    status: AttemptStatus
    decision: str | None = None
    error_code: str | None = None
    digest: str | None = field(default=None, repr=False)
    is_identical: bool | None = None
    match_confidence: float | None = field(default=None, repr=False)
    reference_sha256: str | None = field(default=None, repr=False)
    abuse_detected: bool | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)


class OutcomeStatus(StrEnum):
    """What the service says of the session as a whole."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    ENDED = "ended"
    """The service takes no further attempt."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that the service knows of a session, in our models, whatever the API version.

    Attributes:
        status: Of the session as a whole. A verdict is never derived from it alone.
        attempts: Oldest first.
    """

    status: OutcomeStatus
    attempts: tuple[Attempt, ...] = ()

    def with_status(self, *statuses: AttemptStatus) -> tuple[Attempt, ...]:
        """The attempts with one of the *statuses*, oldest first."""
        return tuple(attempt for attempt in self.attempts if attempt.status in statuses)


_STRICTNESS: Final = {
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
        reasons: Stable identifiers for why it is not ``passed``, such as ``spoof_detected``, or the
            service's code of a failed attempt, such as ``FaceWithMaskDetected``. They are public.

    Raises:
        ValueError: The state is not one of a verdict, or a reason is not an identifier.
    """

    state: SessionState
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.state not in _STRICTNESS:
            raise ValueError(f"{self.state} is not a verdict; use one of {', '.join(_STRICTNESS)}")
        reasons: object = self.reasons  # a plugin's author may not check types
        if not isinstance(reasons, tuple | list) or not all(map(is_identifier, reasons)):
            raise ValueError(f"the reasons of a verdict are a tuple, each of them {_IDENTIFIER}")
        # What is equal to a state may still be a plain str, as in Verdict("rejected").
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
    """One liveness session, from the intent to the verdict, as it is stored.

    It holds no image, no token and no key. Times are aware and in UTC. What is not for a log, the
    service's id, the digests, the hashes and the scores, is in no ``repr``.

    Attributes:
        id: Ours, random; the only id that ever leaves the server.
        subject: Who the session belongs to, as the host application names its users.
        purpose: The name of the purpose: what the verdict may be used for.
        transaction: What exactly the verdict is for, such as ``payout 7``, or None.
        kind: Liveness alone, or with verification against a reference image.
        mode: How the SDK checks the face.
        api_version: The version of the service's API that the session was created with.
        correlation_id: What the service knows the end user's device by; no personal data.
        created_at: When the intent was stored.
        updated_at: When the session last changed; failed deletions at the service and the removal
            of details do not count.
        expires_at: When the token's lifetime ends: no attempt can begin after it.
        version: Counts the changes; a store saves only over the version that was read.
        sequence: Counts the events; see :class:`SessionEvent`.
        state: Where the session stands.
        idempotency_key: The caller's key, unique for the subject, or None.
        fingerprint: Of the start request, so that a key is not used for two different ones.
        create_requested_at: When the service was asked to create the session; None once it has
            responded.
        remote: Where the service's own session stands.
        remote_id: The service's id of it; it never leaves the server.
        remote_retry_at: When its deletion is to be tried again.
        remote_tries: How often its deletion has failed.
        reference_sha256: The hash of the reference image that we uploaded, or None.
        reference_source: Where that image came from, or None.
        polled_at: When the service was last asked for the result, or None.
        client_digests: The different digests that the client reported; more than one is a
            contradiction.
        client_error: What the client says went wrong, in the web element's identifiers.
        attempts: As the service reported them with the verdict.
        reasons: Why it is not ``passed``; public.
        decided_at: When the verdict was reached, by the policies or by a reviewer, or None.
        reviewer: Who decided a session that needed review, or None.
        consumed_at: When the verdict was used, or None.
        retry_of: The id of the session that this one repeats, or None.
        retries: How many sessions came before this one in its chain of retries.
        erase_requested_at: When the erasure of the subject was requested, or None.
        unknown: Fields of the stored record that this version of livegate does not know.
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
    transaction: str | None = None
    version: int = 1
    sequence: int = 1
    state: SessionState = SessionState.REQUESTED
    idempotency_key: str | None = None
    fingerprint: str = ""
    create_requested_at: datetime | None = None
    remote: RemoteState = RemoteState.NONE
    remote_id: str | None = field(default=None, repr=False)
    remote_retry_at: datetime | None = None
    remote_tries: int = 0
    reference_sha256: str | None = field(default=None, repr=False)
    reference_source: ReferenceSource | None = None
    polled_at: datetime | None = None
    client_digests: tuple[str, ...] = field(default=(), repr=False)
    client_error: str | None = None
    attempts: tuple[Attempt, ...] = ()
    reasons: tuple[str, ...] = ()
    decided_at: datetime | None = None
    reviewer: str | None = None
    consumed_at: datetime | None = None
    retry_of: str | None = None
    retries: int = 0
    erase_requested_at: datetime | None = None
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False, hash=False)

    @property
    def verdict(self) -> Verdict | None:
        """The verdict, once there is one."""
        if self.state in VERDICT_STATES or self.state is SessionState.NEEDS_REVIEW:
            return Verdict(self.state, self.reasons)
        return None

    @property
    def has_details(self) -> bool:
        """Whether the record still holds digests, scores or hashes of reference images."""
        return bool(
            self.client_digests
            or self.reference_sha256
            or any(
                attempt.digest or attempt.match_confidence is not None or attempt.reference_sha256
                for attempt in self.attempts
            )
        )


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Where a request came from; given to policies, never stored, never in a ``repr``.

    Attributes:
        is_http: Whether the front end sent the request over HTTP, and not the application itself.
        client_address: The IP address of the client, through the proxies that the application
            trusts, or None.
        user_agent: The ``User-Agent`` header, or None.
        languages: Of the ``Accept-Language`` header, the most wanted first.
        headers: Those that the application chose to hand on, by their names in lower case.
    """

    is_http: bool = False
    client_address: str | None = field(default=None, repr=False)
    user_agent: str | None = field(default=None, repr=False)
    languages: tuple[str, ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)


@dataclass(frozen=True, slots=True)
class StartRequest:
    """What starts a session.

    Attributes:
        subject: Who the session will belong to: a str of 1 to 255 characters.
        purpose: The name of a configured purpose.
        transaction: What exactly the verdict will be for: 1 to 128 characters, or None.
        reference_image: For a purpose with verification: the person to find. None takes it from
            where the purpose says.
        correlation_id: A random id for the end user's device, at most 64 characters; None makes
            one for this session alone. Never take it from the client, which could then reset the
            service's limits for the device.
        idempotency_key: The same key of the same subject gives the same session.
        context: Where the request came from.
    """

    subject: str
    purpose: str = "default"
    transaction: str | None = None
    reference_image: ReferenceImage | None = None
    correlation_id: str | None = None
    idempotency_key: str | None = None
    context: RequestContext = field(default_factory=RequestContext, repr=False)


@dataclass(frozen=True, slots=True)
class StartResult:
    """A started session.

    Attributes:
        session: As it was stored before this result was given.
        auth_token: For the front end's SDK, and for nothing else; handed out this once.
    """

    session: LivenessSession
    auth_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StartAttempt:
    """One pass of a start through the start policies.

    Attributes:
        session_id: Of the session to be; the same when the start is repeated with its key.
        is_repeat: Whether the policies have let this start pass before, so that a budget counts it
            once.
    """

    session_id: str
    is_repeat: bool = False


class StartOutcome(StrEnum):
    """What became of a start that the policies let pass."""

    CREATED = "created"
    """The token was handed out."""
    NOT_CREATED = "not_created"
    """The service has no session for it, and the person had no chance."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the sessions that were looked for, newest first.

    Attributes:
        sessions: At most as many as were asked for.
        cursor: Hand it over to get the next page; None on the last one.
    """

    sessions: tuple[LivenessSession, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """A change of a session, as notifiers deliver it: ids and states, nothing biometric.

    Attributes:
        id: Stable: a repeated delivery has the same id.
        sequence: Counts the events of one session from 1, without a gap.
        name: What happened, such as ``result_read``; the names are those of the lifecycle's events.
        session_id: Ours.
        subject: Whose session it is.
        purpose: The name of its purpose.
        transaction: What the verdict is for, or None.
        state: Of the session after the change.
        remote: Of the service's own session after the change.
        occurred_at: When; aware, in UTC.
    """

    id: str
    sequence: int
    name: str
    session_id: str
    subject: str
    purpose: str
    transaction: str | None
    state: SessionState
    remote: RemoteState
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class EraseReceipt:
    """What an erasure of a subject has done so far.

    Attributes:
        sessions: The ids of the sessions that it covers.
        remote_pending: Of these, those whose session at the service is not confirmed to be deleted;
            the worker goes on with them, and removes the records afterwards.
        erased_at: When the records were removed; None as long as something is pending.
    """

    sessions: tuple[str, ...]
    remote_pending: tuple[str, ...]
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class PolicyViolation:
    """Why a policy rejects.

    Attributes:
        code: A stable identifier for programs, such as ``image_too_large``.
        message: What is wrong, for the person who must act: one line of at most 1000 characters,
            or one for each language (``{"en": ..., "de": ...}``); public.
        remedy: What to do about it, in the same form, or None.
        status: The HTTP status of the response, 400 to 499; the first violation's counts.
        retry_after: Seconds after which it makes sense to try again, or None.

    Raises:
        ValueError: The code is not an identifier, a message is not such a line, or the status is
            out of range.
    """

    code: str
    message: str | Mapping[str, str]
    remedy: str | Mapping[str, str] | None = None
    status: int | None = None
    retry_after: float | None = None

    def __post_init__(self) -> None:
        if not is_identifier(self.code):
            raise ValueError(f"the code of a violation is {_IDENTIFIER}")
        for name in ("message", "remedy"):
            value = getattr(self, name)
            lines = list(value.values()) if hasattr(value, "values") else [value]
            if (value is not None or name == "message") and not (
                lines and all(map(_is_line, lines))
            ):
                raise ValueError(
                    f"the {name} of a violation is one line, at most {MAX_MESSAGE} long"
                )
        is_status = type(self.status) is int and self.status in range(400, 500)
        if self.status is not None and not is_status:
            raise ValueError("the status of a violation is an HTTP status from 400 to 499")

    def in_language(self, languages: Iterable[str] = ()) -> tuple[str, str | None]:
        """The message and the remedy in the first of *languages* that there is, else the first."""
        wanted = tuple(languages)
        remedy = None if self.remedy is None else _in_language(self.remedy, wanted)
        return _in_language(self.message, wanted), remedy


MAX_MESSAGE: Final = 1000
"""Characters of a violation's message."""

_IDENTIFIER: Final = "an identifier of 1 to 64 letters, digits, '_', '-', '.' and ':'"


def is_identifier(value: object) -> bool:
    """Whether *value* may be shown to everybody as a stable identifier."""
    return isinstance(value, str) and bool(re.fullmatch(r"[\w.:-]{1,64}", value, re.ASCII))


def _is_line(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= MAX_MESSAGE and value.isprintable()


def _in_language(text: str | Mapping[str, str], wanted: tuple[str, ...]) -> str:
    if isinstance(text, str):
        return text
    by_name = {name.lower(): line for name, line in text.items()}
    for language in wanted:
        for name in (language.lower(), language.lower().partition("-")[0]):
            if name in by_name:
                return by_name[name]
    return next(iter(text.values()))
