"""Everything that is kept of one subject: to hand out, and to erase here and at the service."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from livegate._record import to_session
from livegate._sync import maybe_await
from livegate.errors import SessionNotFoundError
from livegate.lifecycle import EraseRequested
from livegate.models import EraseReceipt, RemoteState
from livegate.operations.results import delete_remote
from livegate.protocols import MAX_PAGE, RecordQuery
from livegate.validation import check_subject

if TYPE_CHECKING:
    from livegate.models import LivenessSession
    from livegate.operations._runtime import Runtime
    from livegate.protocols import Record

SETTLED = frozenset({RemoteState.NONE, RemoteState.DELETED})
"""Nothing is left to delete at the service."""


async def export(runtime: Runtime, subject: str) -> list[dict[str, Any]]:
    """See :meth:`livegate.Orchestrator.export`."""
    check_subject(subject)
    sessions = [to_session(record) for record in await _records_of(runtime, subject)]
    exported: list[dict[str, Any]] = json.loads(json.dumps(sessions, default=_plain))
    return exported


async def erase(runtime: Runtime, subject: str) -> EraseReceipt:
    """See :meth:`livegate.Orchestrator.erase`.

    Every unfinished session is marked before anything else happens, so that the erasure survives a
    crash: the worker goes on with it. The others go with the last of these.
    """
    check_subject(subject)
    for session in await _mark(runtime, await _records_of(runtime, subject)):
        await delete_remote(runtime, session)
    return await remove_if_deleted(runtime, subject)


async def remove_if_deleted(runtime: Runtime, subject: str) -> EraseReceipt:
    """Remove the records of a subject to be erased, once the service has deleted its sessions."""
    records = await _records_of(runtime, subject)
    ids = tuple(each.id for each in records)
    # Also those that were started while the erasure was under way.
    marked = await _mark(runtime, records)
    pending = tuple(each.id for each in marked if each.remote not in SETTLED)
    if pending:
        return EraseReceipt(ids, pending, None)
    await maybe_await(runtime.store.erase(subject))
    return EraseReceipt(ids, (), runtime.now())


async def _records_of(runtime: Runtime, subject: str) -> list[Record]:
    """All records of *subject*, newest first."""
    records: list[Record] = []
    after = None
    while True:
        query = RecordQuery(subject, limit=MAX_PAGE, after=after)
        page = await maybe_await(runtime.store.find(query))
        records += page
        if len(page) < MAX_PAGE:
            return records
        after = (page[-1].created_at, page[-1].id)


async def _mark(runtime: Runtime, records: list[Record]) -> list[LivenessSession]:
    """The sessions of those *records* that are not finished, cancelled and marked."""
    unfinished = [to_session(each) for each in records if not each.is_finished]
    return [await _request_erase(runtime, each) for each in unfinished]


async def _request_erase(runtime: Runtime, session: LivenessSession) -> LivenessSession:
    async def step(found: LivenessSession) -> LivenessSession:
        return await runtime.commit(found, EraseRequested())

    if session.erase_requested_at is not None:
        return session
    try:
        return await runtime.update(lambda: runtime.load(session.id), step)
    except SessionNotFoundError:
        return session  # removed at the same moment


def _plain(value: Any) -> Any:
    """A session, an attempt or a time in types that JSON has."""
    if isinstance(value, datetime):
        return value.isoformat()
    return {each.name: getattr(value, each.name) for each in fields(value)}
