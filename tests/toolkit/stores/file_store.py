"""Small sound stores for the tests of the suite: one in a file, and one that suspends often."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pickle
import struct
from contextlib import contextmanager, suppress
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from livegate.errors import LivegateError, StoreError
from livegate.protocols import DURABLE, SHARED
from livegate.stores.memory import MemoryStore
from livegate.stores.threads import ThreadedStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime, timedelta
    from pathlib import Path

    from livegate.protocols import Claim, EventRecord, Record, RecordQuery

LENGTH = struct.Struct("<I")


class FileStore(MemoryStore):
    """A file of all write operations since the beginning, which every handle repeats in memory.

    An operation is written before it is done, so that a handle that cannot write has done nothing.
    One that was killed while it wrote leaves a part of an entry, which the next one overwrites.
    """

    capabilities: ClassVar[frozenset[str]] = frozenset({DURABLE, SHARED})

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._mutex = Lock()
        self._file: Any = path.open("a+b", buffering=0)
        self._position = 0

    def for_event_loop(self) -> Any:
        return ThreadedStore(self)

    def insert(self, record: Record, events: Sequence[EventRecord] = ()) -> None:
        self._write("insert", record, tuple(events))

    def get(self, session_id: str) -> Record | None:
        with self._up_to_date():
            return super().get(session_id)

    def get_by_idempotency_key(self, subject: str, key: str) -> Record | None:
        with self._up_to_date():
            return super().get_by_idempotency_key(subject, key)

    def save(
        self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
    ) -> None:
        self._write("save", record, expected_version, tuple(events))

    def find(self, query: RecordQuery) -> tuple[Record, ...]:
        with self._up_to_date():
            return super().find(query)

    def claim(self, now: datetime, limit: int, lease: timedelta) -> tuple[Claim, ...]:
        claims: tuple[Claim, ...] = self._write("claim", now, limit, lease)
        return claims

    def release(
        self,
        claim: Claim,
        next_at: datetime | None = None,
        delivered_up_to: int | None = None,
        progress: bytes | None = None,
    ) -> bool:
        return bool(self._write("release", claim, next_at, delivered_up_to, progress))

    def purge(self, before: datetime, limit: int) -> int:
        return int(self._write("purge", before, limit))

    def erase(self, subject: str) -> int:
        return int(self._write("erase", subject))

    def close(self) -> None:
        with self._mutex:
            if not self._is_closed:
                self._flush()
            super().close()
            self._file.close()

    def _flush(self) -> None:
        """Nothing is left to be written."""

    def _write(self, operation: str, *args: object) -> Any:
        with self._up_to_date():
            self._append(operation, *args)
            return self._apply(operation, *args)

    @contextmanager
    def _up_to_date(self) -> Iterator[None]:
        """Alone among all handles, and up to date with what the others wrote."""
        with self._mutex:
            self._check_open()
            try:
                self._lock_file(fcntl.LOCK_EX)
                self._catch_up()
                yield
            except OSError as error:
                raise StoreError("The file cannot be used") from error
            finally:
                with suppress(OSError):
                    self._lock_file(fcntl.LOCK_UN)

    def _lock_file(self, kind: int) -> None:
        fcntl.flock(self._file, kind)

    def _catch_up(self) -> None:
        content = os.pread(self._file.fileno(), 1 << 30, self._position)
        while len(content) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack(content[: LENGTH.size])[0]
            if len(content) < end:
                break
            operation, args = pickle.loads(content[LENGTH.size : end])
            with suppress(LivegateError, ValueError):  # as it was when it was written
                self._apply(operation, *args)
            self._position += end
            content = content[end:]
        if content:
            self._file.truncate(self._position)

    def _append(self, operation: str, *args: object) -> None:
        entry = pickle.dumps((operation, args))
        self._position += self._file.write(LENGTH.pack(len(entry)) + entry)

    def _apply(self, operation: str, *args: object) -> Any:
        return getattr(MemoryStore, operation)(self, *args)


class BrokenFile:
    """A file on a disk that fails."""

    def fileno(self) -> int:
        raise OSError(5, "Input/output error")

    def write(self, content: bytes) -> int:
        raise OSError(28, "No space left on device")


@contextmanager
def broken(store: FileStore) -> Iterator[None]:
    """The disk fails."""
    file, store._file = store._file, BrokenFile()
    try:
        yield
    finally:
        store._file = file


class SuspendingStore:
    """An async store that suspends before and after each step, and copes with a cancellation."""

    capabilities: ClassVar[frozenset[str]] = frozenset()

    def __init__(self) -> None:
        self._store = MemoryStore()
        self._lock = asyncio.Lock()

    async def insert(self, record: Record, events: Sequence[EventRecord] = ()) -> None:
        await self._run("insert", record, events)

    async def get(self, session_id: str) -> Any:
        return await self._run("get", session_id)

    async def get_by_idempotency_key(self, subject: str, key: str) -> Any:
        return await self._run("get_by_idempotency_key", subject, key)

    async def save(
        self, record: Record, expected_version: int, events: Sequence[EventRecord] = ()
    ) -> None:
        await self._run("save", record, expected_version, events)

    async def find(self, query: RecordQuery) -> Any:
        return await self._run("find", query)

    async def claim(self, now: datetime, limit: int, lease: timedelta) -> Any:
        return await self._run("claim", now, limit, lease)

    async def release(
        self,
        claim: Claim,
        next_at: datetime | None = None,
        delivered_up_to: int | None = None,
        progress: bytes | None = None,
    ) -> Any:
        return await self._run("release", claim, next_at, delivered_up_to, progress)

    async def purge(self, before: datetime, limit: int) -> Any:
        return await self._run("purge", before, limit)

    async def erase(self, subject: str) -> Any:
        return await self._run("erase", subject)

    async def close(self) -> None:
        await self._run("close")

    async def _run(self, operation: str, *args: object) -> Any:
        await asyncio.sleep(0)
        async with self._lock:
            await asyncio.sleep(0)
            result = getattr(self._store, operation)(*args)
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        return result
