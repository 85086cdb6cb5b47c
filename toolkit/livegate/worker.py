"""The worker: does what is due although no request comes.

It closes sessions that expired or crashed, reads late results, deletes sessions at the service,
finishes erasures, removes details and records that were kept long enough, and delivers events to
the notifiers: at least once, and in order for each session and destination. Run any number of
workers, in any number of processes: a session is leased to one of them at a time.

:func:`run` is the loop of ``livegate worker``; an application runs it in a thread of its own::

    stop = threading.Event()
    threading.Thread(target=worker.run, args=(orchestrator, stop)).start()

and an application with an event loop runs :func:`run_async` in a task.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from livegate._delivery import Progress, backoff, deliver
from livegate._record import to_session
from livegate._sync import maybe_await, run_sync
from livegate.errors import LivegateError, StoreCorruptError, VersionConflictError
from livegate.lifecycle import due_at
from livegate.models import RemoteState
from livegate.operations.results import process_due
from livegate.operations.subjects import SETTLED, remove_if_deleted

if TYPE_CHECKING:
    import asyncio
    import threading
    from collections.abc import Callable
    from datetime import datetime

    from livegate.operations import Runtime
    from livegate.orchestrator import AsyncOrchestrator, Orchestrator
    from livegate.protocols import Claim

log = logging.getLogger("livegate.worker")

PURGE_BATCH: Final = 500
"""Records that one statement removes, so that it holds nothing up."""
PURGE_INTERVAL: Final = timedelta(minutes=10)
"""Between two purges of a worker that always finds something due."""
PAUSE: Final = timedelta(hours=1)
"""How long a record is left alone that cannot be read, or is due without a reason."""


@dataclass(slots=True)
class SweepReport:
    """What a sweep did.

    Attributes:
        claimed: Sessions that had work, each time that they were claimed.
        settled: Of these, how many reached a verdict or their end.
        deleted: How many sessions the service confirmed to be deleted.
        delivered: How many events were delivered, or given up, at all destinations.
        failed: How often something is to be tried again later.
        purged: How many records were removed, since they were kept long enough.
    """

    claimed: int = 0
    settled: int = 0
    deleted: int = 0
    delivered: int = 0
    failed: int = 0
    purged: int = 0

    def __str__(self) -> str:
        return ", ".join(f"{each.name} {getattr(self, each.name)}" for each in fields(self))


def run(orchestrator: Orchestrator, stop: threading.Event) -> None:
    """Sweep until *stop* is set, with ``worker_interval`` seconds between two sweeps.

    A sweep that did something is logged in one line, and so is one that failed: the next one tries
    again. Once *stop* is set, the session in hand is finished, and this returns.
    """
    runtime = orchestrator.runtime
    while not stop.is_set():
        run_sync(_sweep_and_log(runtime, stop.is_set))
        stop.wait(runtime.settings.worker_interval)


async def run_async(orchestrator: AsyncOrchestrator, stop: asyncio.Event) -> None:
    """Do the same in an event loop; see :func:`run`."""
    import asyncio  # noqa: PLC0415 - costs 40 ms, and run() works without it

    runtime = orchestrator.runtime
    while not stop.is_set():
        await _sweep_and_log(runtime, stop.is_set)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), runtime.settings.worker_interval)


async def _sweep_and_log(runtime: Runtime, is_stopped: Callable[[], bool]) -> None:
    report = SweepReport()
    try:
        await _sweep(runtime, report, is_stopped)
    except LivegateError as error:
        log.warning("worker: %s Trying again in %d s.", error, runtime.settings.worker_interval)
    except Exception:
        # A fault in a program, a store's perhaps: it must not end the worker without a trace.
        log.exception("worker: the sweep failed")
    if report != SweepReport():
        log.info("worker: %s", report)


async def sweep(runtime: Runtime) -> SweepReport:
    """Work until nothing is due; see :meth:`livegate.Orchestrator.sweep`.

    Raises:
        StoreError: The store cannot be asked for work.
    """
    report = SweepReport()
    await _sweep(runtime, report, lambda: False)
    return report


async def _sweep(runtime: Runtime, report: SweepReport, is_stopped: Callable[[], bool]) -> None:
    purge_at = runtime.now() + PURGE_INTERVAL
    while not is_stopped() and await work_once(runtime, report):
        if runtime.now() >= purge_at:  # a worker that is never idle purges, too
            await purge(runtime, report)
            purge_at = runtime.now() + PURGE_INTERVAL
    if not is_stopped():
        await purge(runtime, report)


async def work_once(runtime: Runtime, report: SweepReport) -> bool:
    """Claim one session and do its work.

    One at a time: what else is due is not held up by its lease, and other workers find it.

    Returns:
        False when there was nothing to do.

    Raises:
        StoreError: The store cannot be asked for work.
    """
    lease = _lease(runtime)
    now = runtime.now()
    claims = await maybe_await(runtime.store.claim(now, 1, lease))
    for claim in claims:
        report.claimed += 1
        await _process(runtime, claim, now + lease, report)
    return bool(claims)


async def purge(runtime: Runtime, report: SweepReport) -> None:
    """Remove the records that were kept long enough."""
    before = runtime.now() - timedelta(seconds=runtime.settings.record_retention)
    while purged := await maybe_await(runtime.store.purge(before, PURGE_BATCH)):
        report.purged += purged


def _lease(runtime: Runtime) -> timedelta:
    """Longer than the calls to the service for one session can take, with time for deliveries."""
    settings = runtime.settings
    call = (1 + settings.face_retries) * (settings.face_timeout + 1)
    return timedelta(seconds=2 * call + 30)


async def _process(
    runtime: Runtime, claim: Claim, lease_ends: datetime, report: SweepReport
) -> None:
    """Do the due work of a claimed session, deliver its events, and release it."""
    progress = Progress.decode(claim.progress)
    version = claim.record.version
    claim, work_at = await _do_due(runtime, claim, progress, report)
    delivered_up_to = await deliver(runtime, claim, progress, lease_ends)
    waiting = [each for each in claim.events if each.sequence > delivered_up_to]
    report.delivered += len(claim.events) - len(waiting)
    report.failed += bool(waiting)
    deliver_at = None
    if waiting:
        deliver_at = progress.retry_at(waiting[-1].sequence, runtime.now())
    else:
        progress.places.clear()
    next_at = min((time for time in (work_at, deliver_at) if time is not None), default=None)
    if work_at is None and claim.record.version != version:
        next_at = None  # what was just done is an event, which a destination may take at once
    await maybe_await(
        runtime.store.release(claim, next_at, delivered_up_to or None, progress.encode())
    )


async def _do_due(
    runtime: Runtime, claim: Claim, progress: Progress, report: SweepReport
) -> tuple[Claim, datetime | None]:
    """Do what is due.

    Returns:
        The claim with the record's new version. And when there is work again: what waits for a
        destination must not hold it up; None for as soon as the record says.
    """
    try:
        before = to_session(claim.record)
        after = await process_due(runtime, before, runtime.timing)
        if after.erase_requested_at is not None and after.remote in SETTLED:
            await remove_if_deleted(runtime, after.subject)
    except StoreCorruptError as error:
        log.error("worker: %s", error)  # noqa: TRY400 - the message says all
        report.failed += 1
        return claim, runtime.now() + PAUSE
    except VersionConflictError:
        return claim, None  # changed by another process, which did what was due
    except LivegateError as error:
        log.warning("worker: session %s is to be tried again: %s", claim.record.id, error)
        return claim, _after_failure(runtime, progress, report)
    except Exception:
        # A fault in a program, a plugin's perhaps; the other sessions must not wait for its end.
        log.exception("worker: session %s could not be processed", claim.record.id)
        return claim, _after_failure(runtime, progress, report)
    report.settled += after.state is not before.state and not after.state.is_open
    report.deleted += after.remote is not before.remote and after.remote is RemoteState.DELETED
    claim = replace(claim, record=replace(claim.record, version=after.version))
    now, due = runtime.now(), due_at(after, runtime.timing)
    if due is not None and due <= now:
        return claim, _after_failure(runtime, progress, report)
    report.failed += after.remote is RemoteState.DELETING
    progress.failures = 0
    is_unchanged = after.version == before.version
    if due is None and claim.record.due_at is not None:
        # Written when other rules made it due: without a pause it would be claimed for ever.
        due = now + PAUSE
    return claim, due if is_unchanged else None


def _after_failure(runtime: Runtime, progress: Progress, report: SweepReport) -> datetime:
    """When to try again: after 10 s, doubled to 10 min."""
    report.failed += 1
    progress.failures += 1
    return runtime.now() + backoff(progress.failures)
