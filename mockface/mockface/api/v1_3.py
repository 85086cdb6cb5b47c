"""What v1.3-preview.1 adds: addresses, abuse monitoring, settings, and a token for client files."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from msgspec import UNSET, UnsetType

from mockface.api import reading, released
from mockface.api.models import Int32, Model, Time, optional, timestamp
from mockface.responses import answer
from mockface.validation import read

if TYPE_CHECKING:
    from mockface.operations import Call
    from mockface.sessions.nouns import Abuse, Attempt, Session
    from mockface.wire import Response

ASSETS_TOKEN_SECONDS = 24 * 3600
"""How long the token for the client's files is good, in seconds: assumption."""


class ClientInformation(Model):
    """Where the client was."""

    ip: str


class OtherFlaggedSessions(Model):
    """An attempt of another session in which the same face was seen."""

    attempt_id: Int32
    session_id: str
    session_image_id: str | UnsetType = UNSET


class AbuseMonitoringResult(Model):
    """Whether a face was seen elsewhere."""

    is_abuse_detected: bool
    other_flagged_sessions: list[OtherFlaggedSessions]


class LivenessSessionAttempt(released.LivenessSessionAttempt):
    """An attempt."""

    client_information: list[ClientInformation] | UnsetType = UNSET
    abuse_monitoring_result: AbuseMonitoringResult | UnsetType = UNSET


class LivenessWithVerifySessionAttempt(released.LivenessWithVerifySessionAttempt):
    """An attempt in a session with verification."""

    client_information: list[ClientInformation] | UnsetType = UNSET
    abuse_monitoring_result: AbuseMonitoringResult | UnsetType = UNSET


class LivenessSessionResults(Model):
    """What came out so far, the newest attempt first."""

    attempts: list[LivenessSessionAttempt]


class LivenessWithVerifySessionResults(Model):
    """The same with the reference image."""

    verify_references: list[released.LivenessWithVerifyReference]
    attempts: list[LivenessWithVerifySessionAttempt]


class LivenessSession(released.SessionState, kw_only=True):
    """A session."""

    results: LivenessSessionResults
    is_abuse_monitoring_enabled: bool | UnsetType = UNSET
    expected_client_ip_address: str | UnsetType = UNSET


class LivenessWithVerifySession(released.SessionState, kw_only=True):
    """A session with verification."""

    results: LivenessWithVerifySessionResults
    is_abuse_monitoring_enabled: bool | UnsetType = UNSET
    expected_client_ip_address: str | UnsetType = UNSET


class LivenessAbuseMonitoringSetting(Model):
    """Whether faces are looked for in other sessions."""

    enabled: bool


class Settings(Model):
    """The settings of a resource."""

    liveness_abuse_monitoring: LivenessAbuseMonitoringSetting


class AbuseMonitoringUpdate(Model):
    """What is to change of it."""

    enabled: bool | UnsetType = UNSET


class SettingsUpdate(Model):
    """What is to change of the settings."""

    liveness_abuse_monitoring: AbuseMonitoringUpdate | UnsetType = UNSET


class ClientAssetsAccessTokenResponse(Model):
    """The password of a package feed, which the emulator has not."""

    expiry: Time
    access_token: str
    base64_access_token: str


class Shapes(released.Shapes):
    """The models of this version."""

    session: Any = LivenessSession, LivenessWithVerifySession
    results: Any = LivenessSessionResults, LivenessWithVerifySessionResults
    attempt: Any = LivenessSessionAttempt, LivenessWithVerifySessionAttempt

    def more_of_session(self, session: Session) -> dict[str, object]:
        """Whether its face is looked for elsewhere, and where its client has to be."""
        return {
            "is_abuse_monitoring_enabled": session.abuse_monitoring,
            "expected_client_ip_address": optional(session.options.expected_client_ip),
        }

    def more_of_attempt(self, attempt: Attempt) -> dict[str, object]:
        """Where the client was, and whether its face was seen elsewhere.

        A failed attempt has no result of the monitoring: the official example shows none there.
        """
        seen = None if attempt.failed else attempt.abuse
        return {
            "client_information": [ClientInformation(ip=attempt.call.ip)],
            "abuse_monitoring_result": optional(seen and _abuse(seen)),
        }


def _abuse(seen: Abuse) -> AbuseMonitoringResult:
    others = [
        OtherFlaggedSessions(
            attempt_id=other.attempt,
            session_id=other.session_id,
            session_image_id=optional(other.session_image_id),
        )
        for other in seen.others
    ]
    return AbuseMonitoringResult(is_abuse_detected=seen.detected, other_flagged_sessions=others)


def settings(call: Call) -> Response:
    """GetSettings."""
    enabled = LivenessAbuseMonitoringSetting(enabled=call.tenant.abuse_monitoring)
    return answer(200, Settings(liveness_abuse_monitoring=enabled))


def update_settings(call: Call) -> Response:
    """PatchSettings: what is not named stays as it is."""
    asked = read(SettingsUpdate, reading.json_body(call.request), loose=call.loose)
    change = asked.liveness_abuse_monitoring
    if change is not UNSET and change.enabled is not UNSET:
        call.tenant.abuse_monitoring = change.enabled
    return settings(call)


def client_assets_token(call: Call) -> Response:
    """GetClientAssetsAccessToken."""
    token = f"mockface-assets-{call.request_id}"
    return answer(
        200,
        ClientAssetsAccessTokenResponse(
            expiry=timestamp(call.now + ASSETS_TOKEN_SECONDS),
            access_token=token,
            base64_access_token=base64.b64encode(token.encode("ascii")).decode("ascii"),
        ),
    )
