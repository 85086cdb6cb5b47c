"""The nouns of the emulated service. All of them are values: a change makes a new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Self

from mockface.scenarios import Decision, Failure

if TYPE_CHECKING:
    from mockface.pictures.faces import Rectangle
    from mockface.scenarios import Pace
    from mockface.vision import ReferenceImage

LIFETIME_SECONDS = 48 * 3600
"""How long a session lives after it was created (contract: specification)."""

ATTEMPTS = 3
"""Attempts a token is good for: up to three in the previews' text, for v1.2 an assumption."""

MATCH_THRESHOLD = 0.5
"""From this match confidence on it is the same person, if the caller names none: assumption."""


class Kind(Enum):
    """The two families of sessions."""

    LIVENESS = "liveness"
    VERIFY = "liveness-with-verify"


class Progress(Enum):
    """Where a session stands; each dialect has its own words for it."""

    WAITING = auto()
    STARTED = auto()
    RUNNING = auto()
    CLASSIFIED = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Options:
    """What the app server asks for when it creates a session.

    Attributes:
        mode: `Passive` or `PassiveActive`.
        model: The model version that will judge the face.
        device_correlation_id: Whose device it is, 1 to 64 characters.
        device_correlation_id_set_in_client: The client will say it instead.
        token_seconds: Lifetime of the token, 60 to 86400.
        attempts: How many attempts the token is good for.
        send_results_to_client: The client gets the verdict in its own answer (previews only).
        enable_session_image: A picture of the attempt is kept.
        return_verify_image_hash: The result repeats the hash of the reference image.
        verify_threshold: Match confidence needed, 0 to 1.
        user_correlation_id: Whose face it is, 1 to 64 characters (v1.3).
        user_correlation_id_set_in_client: The client will say it instead (v1.3).
        expected_client_ip: An address, or a block of them in CIDR notation (v1.3).
    """

    mode: str
    model: str
    device_correlation_id: str | None = None
    device_correlation_id_set_in_client: bool = False
    token_seconds: int = 600
    attempts: int = ATTEMPTS
    send_results_to_client: bool = False
    enable_session_image: bool = False
    return_verify_image_hash: bool = False
    verify_threshold: float | None = None
    user_correlation_id: str | None = None
    user_correlation_id_set_in_client: bool = False
    expected_client_ip: str | None = None


@dataclass(frozen=True, slots=True)
class ClientCall:
    """The call by which a client made an attempt, as the audit shows it."""

    path: str
    method: str
    content_length: int
    content_type: str
    user_agent: str | None
    client_request_id: str | None
    ip: str = ""


@dataclass(frozen=True, slots=True)
class Flagged:
    """An attempt of another session in which the same face was seen."""

    session_id: str
    attempt: int
    session_image_id: str | None = None


@dataclass(frozen=True, slots=True)
class Abuse:
    """What abuse monitoring says of an attempt."""

    detected: bool = False
    others: tuple[Flagged, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """How the face compares with the reference image; confidence is 0 to 1."""

    confidence: float
    identical: bool
    reference: ReferenceImage


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that was judged.

    Attributes:
        number: Counts from 1.
        request_id: The `apim-request-id` of the client's answer.
        received_at: Seconds since 1970.
        call: What the client sent.
        outcome: The decision, or why there is none.
        face: Where the face was in the picture.
        digest: 64 upper-case hex digits.
        client_digest: What the client's SDK reports; another one only where somebody tampered.
        latency_ms: How long the service took, in milliseconds.
        match: The comparison, in a session with verification.
        session_image_id: The id of the picture that was kept.
        verify_image_hash: SHA-256 of the reference image, if the caller asked for it.
        person: Who was in front of the camera, if the client's picture said so.
        abuse: What abuse monitoring says; `None` where it is switched off.
        late: What keeps the result back from the app server; `None` once it is out.
    """

    number: int
    request_id: str
    received_at: float
    call: ClientCall
    outcome: Decision | Failure
    face: Rectangle
    digest: str
    client_digest: str
    latency_ms: int
    match: Match | None
    session_image_id: str | None
    verify_image_hash: str | None
    person: str | None = None
    abuse: Abuse | None = None
    late: Pace | None = None

    @property
    def failed(self) -> bool:
        """Whether it came to no decision."""
        return isinstance(self.outcome, Failure)


@dataclass(frozen=True, slots=True)
class Session:
    """One session.

    Attributes:
        id: A UUID in lower case.
        kind: With or without verification.
        options: What was asked for.
        created_at: Seconds since 1970.
        reference: The reference image that the app server gave.
        scenario: The scenario this session is bound to; `None` follows the tenant's.
        pinned: The scenario that was chosen for this very session, above the former.
        pace: The pace this session is bound to; `None` follows the scenario's and the tenant's.
        attempts: Oldest first.
        started_at: When the client first said that it begins, in seconds since 1970.
        abuse_monitoring: Whether it was switched on when the session was created.
    """

    id: str
    kind: Kind
    options: Options
    created_at: float
    reference: ReferenceImage | None = None
    scenario: str | None = None
    pinned: str | None = None
    pace: Pace | None = None
    attempts: tuple[Attempt, ...] = ()
    started_at: float | None = None
    abuse_monitoring: bool = True

    @property
    def token_expires_at(self) -> float:
        """When the token ends, in seconds since 1970."""
        return self.created_at + self.options.token_seconds

    @property
    def expires_at(self) -> float:
        """When the session ends, in seconds since 1970."""
        return self.created_at + LIFETIME_SECONDS

    @property
    def answered(self) -> tuple[Attempt, ...]:
        """The attempts whose results are out, oldest first."""
        return tuple(attempt for attempt in self.attempts if attempt.late is None)

    @property
    def progress(self) -> Progress:
        """Classified by the first attempt that succeeds, failed when none is left."""
        failed = 0
        for attempt in self.attempts:
            if attempt.late is None:
                if isinstance(attempt.outcome, Decision):
                    return Progress.CLASSIFIED
                failed += 1
        if failed >= self.options.attempts:
            return Progress.FAILED
        if failed:
            return Progress.RUNNING
        begun = self.attempts or self.started_at is not None
        return Progress.STARTED if begun else Progress.WAITING

    def seen(self, now: float, *, read: bool = False) -> Self:
        """The session as it is when somebody looks: late results may be out by now.

        Args:
            now: Seconds since 1970.
            read: Whether this look is a read of the result, which late results may wait for.
        """
        if len(self.answered) == len(self.attempts):
            return self
        attempts = (
            replace(
                attempt,
                late=attempt.late and attempt.late.left(attempt.received_at, now, read=read),
            )
            for attempt in self.attempts
        )
        return replace(self, attempts=tuple(attempts))

    def paced(self, pace: Pace) -> Self:
        """The session bound to a pace, results that are not out yet included."""
        attempts = (
            replace(attempt, late=attempt.late and pace.late()) for attempt in self.attempts
        )
        return replace(self, pace=pace, attempts=tuple(attempts))
