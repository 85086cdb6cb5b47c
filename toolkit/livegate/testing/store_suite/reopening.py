"""What was written is there for other handles and processes, and after a kill.

Tests over two handles are for stores that claim to be shared, the others for durable ones too.
"""
# ruff: noqa: S101 - a suite of assertions

from __future__ import annotations

from time import perf_counter, sleep
from typing import TYPE_CHECKING

import pytest

from livegate.errors import DuplicateKeyError, VersionConflictError
from livegate.protocols import RecordQuery
from livegate.testing.store_suite import tasks
from livegate.testing.store_suite.base import StoreSuite
from livegate.testing.store_suite.samples import (
    ALL,
    HOUR,
    NOW,
    SECOND,
    TICK,
    a_record,
    an_event,
    assert_faithful,
    claimed_ids,
    due_since,
    finished,
    next_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate.testing.store_suite.handles import StoreHandle
    from livegate.testing.store_suite.processes import StoreProcess

    OpenHandle = Callable[[], StoreHandle]
    StartProcess = Callable[[], StoreProcess]

EVENTS = (an_event(1), an_event(2))


class Reopening(StoreSuite):
    """Handles opened later, and killed processes."""

    def test_records_are_there_when_the_store_is_opened_again(
        self, store: StoreHandle, reopen: OpenHandle
    ) -> None:
        """Given records inserted, saved and erased; a handle opened later finds the same."""
        store.insert(a_record("1", key="key-1"))
        saved = next_of(a_record("1", key="key-1"), state="passed", due_at=NOW)
        store.save(saved, 1)
        store.insert(finished("2", subject="bob"))
        assert store.erase("bob") == 1
        again = reopen()
        assert_faithful(again.get("1"), saved)
        assert again.get_by_idempotency_key("alice", "key-1") == saved
        assert again.find(RecordQuery("alice")) == (saved,)
        assert again.get("2") is None
        with pytest.raises(DuplicateKeyError):
            again.insert(a_record("3", key="key-1"))

    def test_work_is_there_when_the_store_is_opened_again(
        self, store: StoreHandle, reopen: OpenHandle
    ) -> None:
        """Given due sessions, and events; a handle opened later claims them, the due one first."""
        store.insert(finished("events"), EVENTS)
        store.insert(due_since(NOW + HOUR, "later"))
        store.insert(due_since(NOW, "due"))
        claims = reopen().claim(NOW, ALL, HOUR)
        assert [claim.record.id for claim in claims] == ["due", "events"]
        assert [claim.events for claim in claims] == [(), EVENTS]

    def test_leases_are_there_when_the_store_is_opened_again(
        self, store: StoreHandle, reopen: OpenHandle
    ) -> None:
        """Given a leased session; a handle opened later keeps the lease, and can release it."""
        store.insert(due_since(NOW), EVENTS)
        (claim,) = store.claim(NOW, ALL, HOUR)
        again = reopen()
        assert again.claim(NOW + HOUR - TICK, ALL, HOUR) == ()
        assert again.release(claim, delivered_up_to=1) is True
        assert [each.events for each in again.claim(NOW + SECOND, ALL, HOUR)] == [EVENTS[1:]]

    def test_what_release_wrote_is_there_when_the_store_is_opened_again(
        self, store: StoreHandle, reopen: OpenHandle
    ) -> None:
        """Given delivered events, progress and a ``next_at``; a handle opened later has them."""
        store.insert(due_since(NOW), EVENTS)
        (claim,) = store.claim(NOW, ALL, HOUR)
        assert store.release(claim, NOW + HOUR, delivered_up_to=1, progress=b"p")
        again = reopen()
        assert again.claim(NOW + HOUR - TICK, ALL, HOUR) == ()
        (after,) = again.claim(NOW + HOUR, ALL, HOUR)
        assert (after.events, after.progress) == (EVENTS[1:], b"p")

    def test_fences_do_not_restart_when_the_store_is_opened_again(
        self, store: StoreHandle, reopen: OpenHandle
    ) -> None:
        """Given claims, and no session left; the first fence of a later handle is higher."""
        store.insert(finished(due_at=NOW))
        (claim,) = store.claim(NOW, ALL, HOUR)
        assert store.erase("alice") == 1
        again = reopen()
        again.insert(due_since(NOW))
        (after,) = again.claim(NOW, ALL, HOUR)
        assert after.fence > claim.fence
        assert again.release(claim) is False

    def test_returned_operations_survive_a_kill(
        self, start_process: StartProcess, open_handle: OpenHandle
    ) -> None:
        """Given a process that is killed after its operations returned; all they wrote is there."""
        process = start_process()
        process.run(tasks.call, "insert", a_record("inserted", key="key-1"))
        saved = next_of(a_record("saved"), state="started")
        process.run(tasks.call, "insert", a_record("saved"))
        process.run(tasks.call, "save", saved, 1, EVENTS)
        process.run(tasks.call, "insert", due_since(NOW - HOUR, "released"), EVENTS)
        (claim,) = process.run(tasks.call, "claim", NOW, 1, HOUR)
        assert claim.record.id == "released"
        assert process.run(tasks.call, "release", claim, NOW + HOUR, 1, b"p")
        process.run(tasks.call, "insert", due_since(NOW - HOUR, "leased"))
        (leased,) = process.run(tasks.call, "claim", NOW, 1, HOUR)
        process.run(tasks.call, "insert", finished("erased", subject="bob"))
        assert process.run(tasks.call, "erase", "bob") == 1
        process.run(tasks.call, "insert", finished("purged"))
        assert process.run(tasks.call, "purge", NOW + HOUR, 1) == 1
        process.kill()

        store = open_handle()
        assert store.get_by_idempotency_key("alice", "key-1") == a_record("inserted", key="key-1")
        assert store.get("saved") == saved
        assert store.get("erased") is store.get("purged") is None
        (claim,) = store.claim(NOW + HOUR - TICK, ALL, HOUR)
        assert (claim.record.id, claim.events) == ("saved", EVENTS)
        claims = {claim.record.id: claim for claim in store.claim(NOW + HOUR, ALL, HOUR)}
        assert claims.keys() == {"released", "leased"}
        assert (claims["released"].events, claims["released"].progress) == (EVENTS[1:], b"p")
        assert claims["leased"].fence > leased.fence

    @pytest.mark.parametrize("moment", [0.2, 0.5, 0.8])
    def test_kill_leaves_no_half_of_a_save(
        self, start_process: StartProcess, open_handle: OpenHandle, moment: float
    ) -> None:
        """Given a process killed while it saves; the last version is there, with all its events."""
        record = a_record()
        process = start_process()
        process.run(tasks.call, "insert", record)
        process.begin(tasks.save_forever, record)
        reported = [process.report() for _ in range(10)]
        begin = perf_counter()
        reported += [process.report() for _ in range(10)]
        duration_of_a_save = (perf_counter() - begin) / 10
        sleep(moment * duration_of_a_save)
        reported += process.kill()

        store = open_handle()
        found = store.get(record.id)
        assert found is not None
        assert found.version in {reported[-1], reported[-1] + 1}, "what was reported is not there"
        assert found.body == b"version %d" % found.version
        (claim,) = store.claim(NOW, ALL, HOUR)
        assert claim.events == tuple(an_event(number) for number in range(1, found.version))
        store.save(next_of(found), found.version)


class Sharing(StoreSuite):
    """Two handles at a time, in one process and in two."""

    def test_each_handle_reads_what_the_other_wrote(
        self, store: StoreHandle, other: StoreHandle
    ) -> None:
        """Given two handles that write in turn; each finds at once what the other one wrote."""
        record = a_record(key="key-1")
        store.insert(record)
        for writer, reader in [(other, store), (store, other)] * 2:
            record = next_of(record, state=("ready", "started")[record.version % 2])
            writer.save(record, record.version - 1)
            assert_faithful(reader.get(record.id), record)
            assert reader.get_by_idempotency_key("alice", "key-1") == record
            assert reader.find(RecordQuery("alice", frozenset({record.state}))) == (record,)
            with pytest.raises(VersionConflictError):
                reader.save(record, record.version - 1)
        with pytest.raises(DuplicateKeyError):
            other.insert(a_record("2", key="key-1"))
        other.save(next_of(record, state="passed", remote="deleted"), record.version)
        assert other.erase("alice") == 1
        assert store.get(record.id) is None

    def test_work_and_leases_hold_for_the_other_handle(
        self, store: StoreHandle, other: StoreHandle
    ) -> None:
        """Given work written by one handle; the other leases it, and then it is leased for both."""
        store.insert(due_since(NOW, "1"))
        store.insert(finished("2"), EVENTS)
        one, two = other.claim(NOW, ALL, HOUR)
        assert (one.record.id, two.events) == ("1", EVENTS)
        assert store.claim(NOW + HOUR - TICK, ALL, HOUR) == ()
        assert store.release(two, delivered_up_to=1, progress=b"p") is True
        assert store.release(one, next_at=NOW + HOUR) is True
        (again,) = other.claim(NOW + SECOND, ALL, HOUR)
        assert (again.events, again.progress) == (EVENTS[1:], b"p")
        assert again.fence > two.fence
        assert other.release(two) is False
        store.save(next_of(due_since(NOW, "1")), 1)
        assert claimed_ids(other, NOW + SECOND) == ["1"]

    @pytest.mark.usefixtures("other")
    def test_no_save_of_two_processes_is_lost(
        self, store: StoreHandle, start_process: StartProcess
    ) -> None:
        """Given two processes that read, change and save until they win; all changes are there."""
        record = a_record(body=b"")
        store.insert(record)
        words = [b"%02d " % number for number in range(50)]
        processes = [start_process(), start_process()]
        for number, process in enumerate(processes):
            process.begin(tasks.add_to_body, record.id, words[number::2])
        for process in processes:
            process.result()
        found = store.get(record.id)
        assert found is not None
        assert found.version == 1 + len(words)
        assert sorted(found.body.split()) == [word.strip() for word in words]

    @pytest.mark.usefixtures("other")
    def test_one_of_two_processes_takes_each_key(
        self, store: StoreHandle, start_process: StartProcess
    ) -> None:
        """Given two processes that insert with the same keys; each key is taken once."""
        keys = [f"{number}" for number in range(30)]
        processes = [start_process() for _ in "ab"]
        for name, process in zip("ab", processes, strict=True):
            records = [a_record(f"{name} {key}", key=key) for key in keys]
            process.begin(tasks.insert_each, records)
        inserted = [session_id for process in processes for session_id in process.result()]
        assert sorted(session_id.split()[1] for session_id in inserted) == sorted(keys)
        found = store.find(RecordQuery("alice", limit=100))
        assert {record.id for record in found} == set(inserted)

    @pytest.mark.usefixtures("other")
    def test_no_session_is_leased_to_two_processes(
        self, store: StoreHandle, start_process: StartProcess
    ) -> None:
        """Given many due sessions; when two processes claim them, each goes to one."""
        ids = [f"{number}" for number in range(60)]
        for session_id in ids:
            store.insert(due_since(NOW, session_id))
        processes = [start_process() for _ in range(2)]
        for process in processes:
            process.begin(tasks.claim_all, NOW, 2)
        claimed = [session_id for process in processes for session_id in process.result()]
        assert sorted(claimed) == sorted(ids)
