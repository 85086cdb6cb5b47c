"""Sweeping: look after the sessions that nobody calls for."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from livegate.checks import check_number
from livegate.driving import Flow, ask
from livegate.errors import LivegateError
from livegate.flows.concluding import look_after
from livegate.session import RemoteState

if TYPE_CHECKING:
    from livegate.flows.context import Context

log = logging.getLogger("livegate.flows")

LEASE: Final = timedelta(minutes=1)
"""How long a sweep has a session to itself; longer than one session's calls to the service take."""

MOST: Final = 10_000
"""Sessions that one sweep may ask for."""


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What one sweep did.

    Attributes:
        due: Sessions that were due.
        settled: Of these, how many reached a verdict or their end.
        deleted: How many remote sessions the service confirmed to be gone.
        failed: How many could not be looked after to the end; they are due again later.
    """

    due: int = 0
    settled: int = 0
    deleted: int = 0
    failed: int = 0


def sweep(context: Context, limit: int) -> Flow[SweepReport]:
    """See :meth:`livegate.Orchestrator.sweep`."""
    check_number("limit", limit, MOST)
    sessions = yield from ask(context.store.due(context.clock(), limit, LEASE))
    settled = deleted = failed = 0
    for session in sessions:
        try:
            after = yield from look_after(context, session)
        except LivegateError as error:
            log.warning("sweep: session %s is to be tried again: %s", session.id, error)
            failed += 1
            continue
        except Exception:
            # A mistake in a program, a plugin's perhaps; the others must not wait for its end.
            log.exception("sweep: session %s could not be looked after", session.id)
            failed += 1
            continue
        settled += after.state is not session.state and not after.state.is_open
        deleted += after.remote is not session.remote and after.remote is RemoteState.DELETED
        failed += after.remote is RemoteState.DELETING
    return SweepReport(len(sessions), settled, deleted, failed)
