"""A record is read back as it was written, is replaced by its next version, or is not there."""
# ruff: noqa: S101 - a suite of assertions

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING, Any, Final, overload

import pytest

from livegate.errors import DuplicateKeyError, StoreError, VersionConflictError
from livegate.protocols import FINAL, EventRecord, RecordQuery
from livegate.testing.store_suite.base import StoreSuite
from livegate.testing.store_suite.samples import (
    ALL,
    HOSTILE,
    HOUR,
    LOOK_ALIKES,
    NOW,
    REMOTES,
    SECOND,
    STATES,
    a_record,
    an_event,
    assert_faithful,
    due_since,
    finished,
    next_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from livegate.testing.store_suite.handles import StoreHandle

TIMES: Final = (
    datetime(2001, 9, 9, 1, 46, 40, 1, tzinfo=UTC),
    datetime(2026, 2, 3, 4, 5, 6, 0, tzinfo=UTC),
    datetime(2026, 6, 30, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 8, 123_457, tzinfo=UTC),
    datetime(2105, 12, 31, 12, 0, 0, 700_001, tzinfo=UTC),
)
BEFORE_AND_AFTER_THE_CLOCKS_GO_BACK: Final = (
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
    datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
)
"""Both are 1:30 in New York."""
ALL_BYTES: Final = bytes(range(256))


class UnreadableEventError(Exception):
    """Raised by :class:`UnreadableEvents`."""


class UnreadableEvents(Sequence[EventRecord]):
    """Two events, of which the second cannot be read."""

    def __len__(self) -> int:
        return 2

    @overload
    def __getitem__(self, index: int) -> EventRecord: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[EventRecord]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if index == 0:
            return an_event(1)
        raise UnreadableEventError


class Records(StoreSuite):
    """``insert``, ``get``, ``get_by_idempotency_key`` and ``save``, one caller at a time."""

    def test_new_store_is_empty(self, store: StoreHandle) -> None:
        """Given a new store; there is no session and no work in it."""
        assert store.get("session-1") is None
        assert store.find(RecordQuery("alice")) == ()
        assert store.claim(NOW, ALL, HOUR) == ()

    def test_record_is_read_back_equal_with_the_same_types(self, store: StoreHandle) -> None:
        """Given records with and without a key, and a due time; they come back field for field."""
        for key, due_at in product((None, "key-1"), (None, NOW)):
            name = f"{key} {due_at}"
            record = a_record(name, subject=name, key=key, due_at=due_at)
            store.insert(record, [an_event()])
            assert_faithful(store.get(record.id), record)
            assert_faithful(store.find(RecordQuery(name))[0], record)
            if key is not None:
                assert_faithful(store.get_by_idempotency_key(name, key), record)
            (claim,) = store.claim(NOW, ALL, HOUR)
            assert_faithful(claim.record, record)

    def test_every_state_is_read_back_as_a_plain_str(self, store: StoreHandle) -> None:
        """Given a record in each state, here and at the service; each is read back."""
        records = [
            a_record(f"{state} {remote}", state=state, remote=remote)
            for state in STATES
            for remote in REMOTES
        ]
        for record in records:
            store.insert(record)
        for record in records:
            assert_faithful(store.get(record.id), record)

    def test_times_are_read_back_in_utc_to_the_microsecond(self, store: StoreHandle) -> None:
        """Given a time in all columns; it is read back in UTC, with all its microseconds."""
        for moment in TIMES:
            first = a_record(f"{moment}", created_at=moment, updated_at=moment, due_at=moment)
            store.insert(first)
            assert_faithful(store.get(first.id), first)
            second = next_of(first, updated_at=moment + HOUR, due_at=moment + 2 * HOUR)
            store.save(second, 1)
            assert_faithful(store.get(first.id), second)

    @pytest.mark.usefixtures("new_york")
    def test_times_do_not_depend_on_the_time_zone_of_the_process(self, store: StoreHandle) -> None:
        """Given an hour that New York has twice; two times in it are read back, and in order."""
        early, late = BEFORE_AND_AFTER_THE_CLOCKS_GO_BACK
        records = [
            a_record("late", created_at=late, updated_at=late, due_at=late),
            a_record("new", created_at=early, updated_at=early, due_at=early),
        ]
        for record in records:
            store.insert(record)
        for record in records:
            assert_faithful(store.get(record.id), record)
        assert store.find(RecordQuery("alice")) == tuple(records)
        assert [claim.record for claim in store.claim(early, ALL, 2 * HOUR)] == records[1:]
        assert [claim.record for claim in store.claim(late, ALL, HOUR)] == records[:1]

    @pytest.fixture
    def new_york(self) -> Iterator[None]:
        """The process is in New York."""
        if not hasattr(time, "tzset"):
            pytest.skip("this system cannot change the time zone of a process")
        before = os.environ.get("TZ")
        os.environ["TZ"] = "America/New_York"
        time.tzset()
        yield
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()

    def test_body_is_read_back_byte_for_byte(self, store: StoreHandle) -> None:
        """Given bytes of all kinds; they are read back from record, event, and progress."""
        for number, body in enumerate((ALL_BYTES, b"\0", b" \r\n", 256 * ALL_BYTES)):
            store.insert(due_since(NOW, f"{number}", body=body), [EventRecord(1, body)])
            (claim,) = store.claim(NOW, ALL, HOUR)
            assert claim.record.body == body
            assert claim.events == (EventRecord(1, body),)
            assert store.release(claim, progress=body)
            (again,) = store.claim(NOW + SECOND, 1, HOUR)
            assert again.progress == body
            assert type(again.progress) is type(again.events[0].body) is bytes

    def test_any_legal_name_is_kept_and_found(self, store: StoreHandle) -> None:
        """Given records named by hostile but legal strs; each is found by its own, unchanged."""
        for name in HOSTILE:
            record = finished(name[:64], subject=name, key=name, purpose=name[:64])
            store.insert(record)
            saved = next_of(record)
            store.save(saved, 1)
            assert_faithful(store.get(record.id), saved)
            assert_faithful(store.get_by_idempotency_key(name, name), saved)
            assert store.find(RecordQuery(name)) == (saved,)
            with pytest.raises(DuplicateKeyError):
                store.insert(replace(record, id="another"))
        for name in HOSTILE:
            assert store.erase(name) == 1
            assert store.get(name[:64]) is None

    def test_unknown_name_finds_nothing(self, store: StoreHandle) -> None:
        """Given a session; another id, subject or key finds nothing and removes nothing."""
        record = finished(key="key-1")
        store.insert(record)
        for name in ("", *HOSTILE):
            assert store.get(name[:64]) is None
            assert store.get_by_idempotency_key(name, "key-1") is None
            assert store.get_by_idempotency_key("alice", name) is None
            assert store.find(RecordQuery(name)) == ()
            assert store.erase(name) == 0
        assert store.get(record.id) == record

    def test_names_that_look_alike_are_different(self, store: StoreHandle) -> None:
        """Given look-alikes as ids, subjects and keys; each is a name of its own."""
        records = [finished(name, subject=name, key="key-1") for name in LOOK_ALIKES]
        records += [a_record("by key " + name, subject="bob", key=name) for name in LOOK_ALIKES]
        for record in records:
            store.insert(record)
        for record in records:
            assert store.get(record.id) == record
            assert record.key is not None
            assert store.get_by_idempotency_key(record.subject, record.key) == record
        for name in LOOK_ALIKES:
            assert [found.id for found in store.find(RecordQuery(name))] == [name]
        for name in LOOK_ALIKES:
            assert store.erase(name) == 1

    def test_look_alike_of_a_name_finds_nothing(self, store: StoreHandle) -> None:
        """Given one session; no look-alike of its id, subject or key finds or removes it."""
        name, *others = LOOK_ALIKES
        record = finished(name, subject=name, key=name)
        store.insert(record)
        for other in others:
            assert store.get(other) is None
            assert store.get_by_idempotency_key(other, name) is None
            assert store.get_by_idempotency_key(name, other) is None
            assert store.find(RecordQuery(other)) == ()
            assert store.erase(other) == 0
        assert store.get(name) == record

    def test_id_is_taken_once(self, store: StoreHandle) -> None:
        """Given a session; inserting its id for another subject fails and writes nothing."""
        record = a_record()
        store.insert(record)
        with pytest.raises(DuplicateKeyError):
            store.insert(due_since(NOW, subject="bob", key="key-1"), [an_event()])
        assert store.get(record.id) == record
        assert store.get_by_idempotency_key("bob", "key-1") is None
        assert store.find(RecordQuery("bob")) == ()
        assert store.claim(NOW, ALL, HOUR) == ()

    def test_idempotency_key_is_taken_once(self, store: StoreHandle) -> None:
        """Given a session with a key; inserting the key again fails and writes nothing."""
        first = a_record("first", key="key-1")
        store.insert(first)
        with pytest.raises(DuplicateKeyError):
            store.insert(due_since(NOW, "second", key="key-1"), [an_event()])
        assert store.get("second") is None
        assert store.get_by_idempotency_key("alice", "key-1") == first
        assert store.find(RecordQuery("alice")) == (first,)
        assert store.claim(NOW, ALL, HOUR) == ()

    def test_idempotency_key_belongs_to_its_subject(self, store: StoreHandle) -> None:
        """Given subjects with one key, and pairs that are equal when joined; each has its own."""
        pairs = [("alice", "key"), ("bob", "key"), ("a", "b:c"), ("a:b", "c"), ("ab", ":c")]
        for number, (subject, key) in enumerate(pairs):
            store.insert(a_record(f"{number}", subject=subject, key=key))
        found = [store.get_by_idempotency_key(*pair) for pair in pairs]
        assert [record and record.id for record in found] == ["0", "1", "2", "3", "4"]

    def test_records_without_a_key_never_clash(self, store: StoreHandle) -> None:
        """Given sessions of one subject without a key; all are kept, and no key finds them."""
        for session_id in "123":
            store.insert(a_record(session_id))
        assert len(store.find(RecordQuery("alice"))) == len("123")
        assert store.get_by_idempotency_key("alice", "None") is None
        assert store.get_by_idempotency_key("alice", "null") is None

    def test_idempotency_key_is_remembered_when_the_session_is_final(
        self, store: StoreHandle
    ) -> None:
        """Given sessions that have ended in all ways; their keys find them, and stay taken."""
        for state in sorted(FINAL):
            first = a_record(state, key=state)
            store.insert(first)
            ended = next_of(first, state=state, remote="deleted")
            store.save(ended, 1)
            assert store.get_by_idempotency_key("alice", state) == ended
            with pytest.raises(DuplicateKeyError):
                store.insert(a_record("second", key=state))

    def test_save_replaces_the_record(self, store: StoreHandle) -> None:
        """Given a session; when all that may change is saved, every operation returns it."""
        first = a_record(key="key-1")
        store.insert(first)
        second = next_of(
            first,
            state="passed",
            remote="deleting",
            updated_at=NOW + HOUR,
            due_at=NOW + 2 * HOUR,
            body=ALL_BYTES,
        )
        store.save(second, 1)
        assert_faithful(store.get(first.id), second)
        assert_faithful(store.get_by_idempotency_key("alice", "key-1"), second)
        assert store.find(RecordQuery("alice", frozenset({"ready"}))) == ()
        assert store.find(RecordQuery("alice", frozenset({"passed"}))) == (second,)
        (claim,) = store.claim(NOW + 2 * HOUR, ALL, HOUR)
        assert_faithful(claim.record, second)

    def test_save_requires_the_version_that_is_stored(self, store: StoreHandle) -> None:
        """Given version 2; a save that expects another one fails and writes nothing."""
        first = a_record()
        store.insert(first)
        second = next_of(first)
        store.save(second, 1)
        for expected in (0, 1, 3):
            with pytest.raises(VersionConflictError):
                store.save(
                    replace(second, version=expected + 1, due_at=NOW), expected, [an_event()]
                )
        assert_faithful(store.get(first.id), second)
        assert store.claim(NOW, ALL, HOUR) == ()

    def test_save_requires_a_record(self, store: StoreHandle) -> None:
        """Given no record; a save fails and makes none."""
        with pytest.raises(VersionConflictError):
            store.save(due_since(NOW, version=2, key="key-1"), 1, [an_event()])
        assert store.get("session-1") is None
        assert store.get_by_idempotency_key("alice", "key-1") is None
        assert store.claim(NOW, ALL, HOUR) == ()

    def test_save_never_changes_immutable_fields(self, store: StoreHandle) -> None:
        """Given saves with another subject, for example; they fail, or they keep the old one."""
        changes: list[dict[str, Any]] = [
            {"subject": "bob"},
            {"key": None},
            {"key": "another"},
            {"purpose": "another"},
            {"created_at": NOW + SECOND},
        ]
        for number, change in enumerate(changes):
            first = a_record(f"{number}", subject=f"{number}", key="key-1")
            store.insert(first)
            second = next_of(first)
            with suppress(ValueError, StoreError):
                store.save(replace(second, **change), 1)
            found = store.get(first.id)
            assert found in {first, second}
            assert store.get_by_idempotency_key(first.subject, "key-1") == found
            assert store.find(RecordQuery(first.subject)) == (found,)
        assert store.find(RecordQuery("bob")) == ()

    def test_interrupted_insert_writes_nothing(self, store: StoreHandle) -> None:
        """Given an insert that stops between two events; there is no trace of it."""
        record = due_since(NOW, key="key-1")
        self._interrupted(lambda: store.insert(record, UnreadableEvents()))
        assert store.get(record.id) is None
        assert store.get_by_idempotency_key("alice", "key-1") is None
        assert store.find(RecordQuery("alice")) == ()
        assert store.claim(NOW, ALL, HOUR) == ()
        store.insert(record, [an_event()])
        assert store.get(record.id) == record

    def test_interrupted_save_writes_nothing(self, store: StoreHandle) -> None:
        """Given a save that stops between two events; the old version is there, with its work."""
        first = a_record(key="key-1")
        store.insert(first)
        second = next_of(first, state="failed", due_at=NOW)
        self._interrupted(lambda: store.save(second, 1, UnreadableEvents()))
        assert store.get(first.id) == first
        assert store.find(RecordQuery("alice", frozenset({"ready"}))) == (first,)
        assert store.find(RecordQuery("alice", frozenset({"failed"}))) == ()
        assert store.claim(NOW, ALL, HOUR) == ()
        store.save(second, 1, [an_event()])
        assert store.get(first.id) == second

    @staticmethod
    def _interrupted(write: Callable[[], None]) -> None:
        with pytest.raises((UnreadableEventError, StoreError)):
            write()
