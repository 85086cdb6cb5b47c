"""The settings of a resource, and the token for the web element's files (v1.3)."""

from __future__ import annotations

import base64

from mockface.dialects import reading
from mockface.dialects.reading import Field
from mockface.dialects.rendering import timestamp
from mockface.dialects.routes import Body, Call, Route
from mockface.wire import Response, answer

ASSETS_TOKEN_SECONDS = 24 * 3600
"""How long the token for the files is good, in seconds: assumption."""

UPDATE = Body(
    "SettingsUpdate",
    (
        Field(
            "livenessAbuseMonitoring",
            "abuse_monitoring",
            reading.record(Field("enabled", "enabled", reading.boolean())),
        ),
    ),
)


def read(call: Call) -> Response:
    """GetSettings."""
    enabled = call.tenant.abuse_monitoring
    return answer(200, {"livenessAbuseMonitoring": {"enabled": enabled}})


def update(call: Call) -> Response:
    """PatchSettings: what is not named stays as it is."""
    values = reading.json_body(call.request)
    if call.loose:
        values = reading.from_text(UPDATE.fields, values)
    told = reading.fields(UPDATE.fields, values).get("abuse_monitoring", {})
    if "enabled" in told:
        call.tenant.abuse_monitoring = told["enabled"]
    return read(call)


def client_assets_token(call: Call) -> Response:
    """GetClientAssetsAccessToken: the password of a package feed, which the emulator has not."""
    token = f"mockface-assets-{call.request_id}"
    return answer(
        200,
        {
            "expiry": timestamp(call.now + ASSETS_TOKEN_SECONDS),
            "accessToken": token,
            "base64AccessToken": base64.b64encode(token.encode("ascii")).decode("ascii"),
        },
    )


ROUTES = (
    Route("settings", "GET", "/settings", read, operation="GetSettings", gives="Settings"),
    Route(
        "settings-update",
        "PATCH",
        "/settings",
        update,
        operation="PatchSettings",
        json=UPDATE,
        gives="Settings",
    ),
    Route(
        "client-assets-token",
        "GET",
        "/settings/getClientAssetsAccessToken",
        client_assets_token,
        operation="GetClientAssetsAccessToken",
        gives="ClientAssetsAccessTokenResponse",
    ),
)
