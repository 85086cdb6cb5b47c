"""API version v1.3-preview.1: v1.2 with users, addresses, a number of attempts, and settings."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import TYPE_CHECKING

from mockface.dialects import attempts, creating, detect, images, reading, released, settings
from mockface.dialects.reading import Field, Type
from mockface.dialects.rendering import Json, present
from mockface.dialects.routes import Dialect

if TYPE_CHECKING:
    from mockface.sessions.nouns import Attempt, Session


# Python's addresses have zones and its blocks netmasks besides.
_BLOCK = re.compile(r"[0-9A-Fa-f.:]+(/[0-9]{1,3})?")


def _network(value: object) -> object:
    said = value if isinstance(value, str) and _BLOCK.fullmatch(value) else ""
    try:
        ip_network(said, strict=False)
    except ValueError:
        raise ValueError("must be an IP address or a block in CIDR notation") from None
    return value


FIELDS = (
    *released.FIELDS,
    Field(
        "numberOfClientAttemptsAllowed",
        "attempts",
        reading.integer(1, 3),
        default=1,
    ),
    Field(
        "userCorrelationId",
        "user_correlation_id",
        reading.text(creating.LONGEST_CORRELATION_ID),
    ),
    Field(
        "userCorrelationIdSetInClient",
        "user_correlation_id_set_in_client",
        reading.boolean(),
        default=False,
    ),
    Field(
        "expectedClientIpAddress",
        "expected_client_ip",
        Type(_network, schema={"type": "string"}),
    ),
)


def _more_of_session(session: Session) -> Json:
    return present(
        isAbuseMonitoringEnabled=session.abuse_monitoring,
        expectedClientIpAddress=session.options.expected_client_ip,
    )


def _more_of_attempt(attempt: Attempt) -> Json:
    """Where the client was, and whether its face was seen elsewhere.

    A failed attempt has no result of the monitoring: the official example shows none there.
    """
    seen = None if attempt.failed else attempt.abuse
    return present(
        clientInformation=[{"ip": attempt.call.ip}],
        abuseMonitoringResult=seen
        and {
            "isAbuseDetected": seen.detected,
            "otherFlaggedSessions": [
                present(
                    attemptId=other.attempt,
                    sessionId=other.session_id,
                    sessionImageId=other.session_image_id,
                )
                for other in seen.others
            ],
        },
    )


DIALECT = Dialect(
    "v1.3-preview.1",
    (
        *released.Released(
            FIELDS, more_of_session=_more_of_session, more_of_attempt=_more_of_attempt
        ).routes(),
        *settings.ROUTES,
        *attempts.ROUTES,
        *images.ROUTES,
        *detect.ROUTES,
    ),
)
