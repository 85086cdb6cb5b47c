"""The models of v1.2-preview.1 in which it differs from the other preview."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, UnsetType

from mockface.api import previews
from mockface.api.models import Int32, Int64, Model

_MODELS = ["2022-10-15-preview.04", "2023-12-20-preview.06"]
ModelVersion = Annotated[str, Meta(extra_json_schema={"enum": _MODELS})]


class LivenessResponseBody(previews.ResponseBody):
    """The decision of an attempt."""

    model_version_used: ModelVersion | UnsetType = UNSET


class AuditLivenessResponseInfo(Model):
    """What an attempt was answered with."""

    body: LivenessResponseBody
    status_code: Int32
    latency_in_milliseconds: Int64


class LivenessSessionAuditEntry(previews.AuditEntry, kw_only=True):
    """An attempt."""

    response: AuditLivenessResponseInfo
    session_image_id: str | UnsetType = UNSET
    verify_image_hash: str | UnsetType = UNSET


class LivenessSession(previews.SessionState):
    """A session, with its newest attempt."""

    result: LivenessSessionAuditEntry | UnsetType = UNSET


class LivenessWithVerifySession(previews.SessionState):
    """A session with verification, with its newest attempt."""

    result: LivenessSessionAuditEntry | UnsetType = UNSET


class Shapes(previews.Shapes):
    """The models of this version."""

    session: Any = LivenessSession
    entry: Any = LivenessSessionAuditEntry
    response: Any = AuditLivenessResponseInfo
    body: Any = LivenessResponseBody
    keeps_images = True
