"""One log line a change: ids and states, nothing of the person."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from livegate.hooks import hookimpl
from livegate.lifecycle import name_of

if TYPE_CHECKING:
    from livegate.lifecycle import Event
    from livegate.session import LivenessSession

log = logging.getLogger("livegate.sessions")


@hookimpl
def session_changed(
    before: LivenessSession | None, after: LivenessSession, event: Event | None
) -> None:
    """Log the change, with its parts as fields of the record for structured logs."""
    log.info(
        "session %s: %s -> %s (%s)",
        after.id,
        before.state if before else "-",
        after.state,
        name_of(event) if event else "requested",
        extra={
            "livegate_session_id": after.id,
            "livegate_state": after.state.value,
            "livegate_remote": after.remote.value,
            "livegate_reasons": after.reasons,
        },
    )
