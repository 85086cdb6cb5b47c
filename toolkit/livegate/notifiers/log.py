"""Changes of sessions in the log: ids and states, nothing of the person.

The logger ``livegate.sessions`` gets a line for each change at once, from the process that made it;
this is always on, and a line is missed if the process dies. The notifier ``log://`` writes every
event to the logger ``livegate.events``: from the worker, at least once, in order for each session.
It is for an audit trail without a gap.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from livegate.errors import ConfigurationError
from livegate.lifecycle import event_name
from livegate.plugins.hookspecs import hookimpl

if TYPE_CHECKING:
    from livegate.lifecycle import Event
    from livegate.models import LivenessSession, SessionEvent
    from livegate.plugins.uri import Uri

sessions_log = logging.getLogger("livegate.sessions")
events_log = logging.getLogger("livegate.events")


@hookimpl
def session_changed(
    before: LivenessSession | None, after: LivenessSession, event: Event | None
) -> None:
    """Log the change; its parts are fields of the log record, for structured logs."""
    sessions_log.info(
        "session %s: %s -> %s (%s)",
        after.id,
        before.state if before else "-",
        after.state,
        event_name(event) if event else "requested",
        extra={
            "livegate_session_id": after.id,
            "livegate_state": after.state.value,
            "livegate_remote": after.remote.value,
            "livegate_reasons": after.reasons,
        },
    )


@hookimpl
def open_notifier(uri: Uri) -> LogNotifier | None:
    """The notifier for ``log://``.

    Raises:
        ConfigurationError: There is more in the URI.
    """
    if uri.scheme != "log":
        return None
    if uri.text.lower() != "log://":
        raise ConfigurationError("The log notifier takes nothing more: write log://.")
    return LogNotifier()


class LogNotifier:
    """Writes each event to the logger ``livegate.events``."""

    name = "log"

    def deliver(self, event: SessionEvent) -> None:
        """Log *event*; its parts are fields of the log record."""
        events_log.info(
            "event %s: session %s is %s (%s)",
            event.id,
            event.session_id,
            event.state,
            event.name,
            extra={
                "livegate_event_id": event.id,
                "livegate_event": event.name,
                "livegate_sequence": event.sequence,
                "livegate_session_id": event.session_id,
                "livegate_purpose": event.purpose,
                "livegate_state": event.state.value,
                "livegate_remote": event.remote.value,
                "livegate_occurred_at": event.occurred_at.isoformat(),
            },
        )

    def close(self) -> None:
        """There is nothing to release."""
