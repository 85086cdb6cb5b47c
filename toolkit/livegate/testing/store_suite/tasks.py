"""What the child processes of the suite do; see :class:`StoreProcess`."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from livegate.errors import DuplicateKeyError, VersionConflictError
from livegate.testing.store_suite.samples import HOUR, an_event, next_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from livegate.protocols import Record
    from livegate.testing.store_suite.handles import StoreHandle

    Report = Callable[[object], None]


def call(store: StoreHandle, report: Report, operation: str, *args: object) -> Any:  # noqa: ARG001
    """Call one operation of the store."""
    return getattr(store, operation)(*args)


def save_forever(store: StoreHandle, report: Report, record: Record) -> None:
    """Save versions with an event each, and report each version that is saved."""
    for sequence in count(record.version):
        record = next_of(record)
        store.save(record, record.version - 1, [an_event(sequence)])
        report(record.version)


def add_to_body(
    store: StoreHandle,
    report: Report,  # noqa: ARG001 - every task takes it
    session_id: str,
    words: Sequence[bytes],
) -> None:
    """Add each of *words* to the body, each with a save that wins."""
    for word in words:
        while True:
            found = store.get(session_id)
            assert found is not None  # noqa: S101 - the test has inserted it
            try:
                store.save(next_of(found, body=found.body + word), found.version)
            except VersionConflictError:
                continue
            break


def insert_each(
    store: StoreHandle,
    report: Report,  # noqa: ARG001 - every task takes it
    records: Sequence[Record],
) -> list[str]:
    """Insert each of *records*, and return the ids of those that were not there before."""
    inserted: list[str] = []
    for record in records:
        try:
            store.insert(record)
        except DuplicateKeyError:
            continue
        inserted.append(record.id)
    return inserted


def claim_all(
    store: StoreHandle,
    report: Report,  # noqa: ARG001 - every task takes it
    now: datetime,
    limit: int,
) -> list[str]:
    """Claim up to *limit* sessions again and again, until there is none, and return their ids."""
    claimed: list[str] = []
    while claims := store.claim(now, limit, HOUR):
        claimed += [claim.record.id for claim in claims]
    return claimed
