"""Stores that break a promise each, and the tests of the kit that have to notice."""

from __future__ import annotations

import time
from dataclasses import fields, replace
from typing import TYPE_CHECKING, ClassVar

from livegate.errors import KeyTakenError
from livegate.session import LivenessSession, Page
from livegate.stores import paging
from livegate.stores.base import check_save
from livegate.stores.memory import MemoryStore, _Row

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from livegate.stores.base import SessionQuery


class SavesOverAnything(MemoryStore):
    def save(self, session: LivenessSession, expected_version: int) -> None:
        with self._opened():
            if session.id in self._rows:
                self._drop(session.id)
            self._put(_Row.of(session))


class LooksLongBeforeItSaves(MemoryStore):
    def save(self, session: LivenessSession, expected_version: int) -> None:
        check_save(self.get(session.id), session, expected_version)
        time.sleep(0.001)
        with self._opened():
            self._drop(session.id)
            self._put(_Row.of(session))


class LooksLongBeforeItInserts(MemoryStore):
    def insert(self, session: LivenessSession) -> None:
        row = _Row.of(session)
        if self.get(row.id) or (row.key and self.lookup(*row.key)):
            raise KeyTakenError("taken")
        time.sleep(0.001)
        with self._opened():
            self._put(row)


class LeasesNothing(MemoryStore):
    def due(self, now: datetime, limit: int, lease: timedelta) -> tuple[LivenessSession, ...]:
        return super().due(now, limit, 0 * lease)


class LeasesForEver(MemoryStore):
    def due(self, now: datetime, limit: int, lease: timedelta) -> tuple[LivenessSession, ...]:
        return super().due(now, limit, 1000 * lease)


class KeepsALeaseOverASave(MemoryStore):
    def save(self, session: LivenessSession, expected_version: int) -> None:
        lease = self._leased_until.get(session.id)
        super().save(session, expected_version)
        if lease:
            self._leased_until[session.id] = lease


class ReadsOnAfterItHasWritten(MemoryStore):
    def insert(self, session: LivenessSession) -> None:
        super().insert(_copy_of(session))
        str(session.subject)

    def save(self, session: LivenessSession, expected_version: int) -> None:
        super().save(_copy_of(session), expected_version)
        str(session.subject)


class SharesKeysAmongSubjects(MemoryStore):
    def lookup(self, subject: str, idempotency_key: str) -> LivenessSession | None:
        found = (row.session for row in self._rows.values())
        return next((s for s in found if s.idempotency_key == idempotency_key), None)


class GluesSubjectAndKey(MemoryStore):
    def insert(self, session: LivenessSession) -> None:
        glued = f"{session.subject}:{session.idempotency_key}"
        if any(":".join(row.key) == glued for row in self._rows.values() if row.key):
            raise KeyTakenError("taken")
        super().insert(session)


class ComparesWithoutCase(MemoryStore):
    def get(self, session_id: str) -> LivenessSession | None:
        found = (row.session for row in self._rows.values())
        return next((s for s in found if s.id.lower() == session_id.lower()), None)


class ErasesWithoutCase(MemoryStore):
    def erase(self, subject: str) -> int:
        return self._forget(lambda session: session.subject.lower() == subject.lower())


class HandsOutByTheId(MemoryStore):
    def due(self, now: datetime, limit: int, lease: timedelta) -> tuple[LivenessSession, ...]:
        return tuple(sorted(super().due(now, limit, lease), key=lambda session: session.id))


class StopsAtANul(MemoryStore):
    def insert(self, session: LivenessSession) -> None:
        super().insert(replace(session, purpose=session.purpose.split("\0")[0]))


class CountsItsWayToTheNextPage(MemoryStore):
    def find(self, query: SessionQuery) -> Page:
        skip = int(query.cursor or 0)
        rows = sorted(self._rows.values(), key=lambda row: row.position, reverse=True)
        found = [row.session for row in rows[skip : skip + query.limit + 1]]
        more = len(found) > query.limit
        return Page(tuple(found[: query.limit]), str(skip + query.limit) if more else None)


class OrdersByTimeAlone(MemoryStore):
    def find(self, query: SessionQuery) -> Page:
        page = super().find(query)
        if page.cursor is None:
            return page
        moment, _ = paging.from_cursor(page.cursor)
        return Page(page.sessions, paging.to_cursor((moment, "")))


class PurgesWhatIsStillToBeDeleted(MemoryStore):
    def purge(self, before: datetime) -> int:
        return self._forget(lambda s: s.state.is_final and s.updated_at < before)


class ForgetsTheSessionAndNotItsKey(MemoryStore):
    def erase(self, subject: str) -> int:
        keys = dict(self._ids_by_key)
        gone = super().erase(subject)
        self._ids_by_key.update(keys)
        return gone


class GoesOnWhenItIsClosed(MemoryStore):
    def close(self) -> None:
        """Not even this."""


class ClaimsWhatNobodyCanCheck(MemoryStore):
    capabilities: ClassVar[frozenset[str]] = frozenset({"durable"})


class ClaimsWhatIsNotSo(MemoryStore):
    """Its other handle is a store of its own: see the test."""

    capabilities: ClassVar[frozenset[str]] = frozenset({"shared"})


def _copy_of(session: LivenessSession) -> LivenessSession:
    return LivenessSession(*(getattr(session, field.name) for field in fields(LivenessSession)))


NOTICED_BY: dict[type[MemoryStore], set[str]] = {
    SavesOverAnything: {
        "test_save_wants_the_version_that_was_read",
        "test_save_wants_a_record",
        "test_save_wants_a_successor",
        "test_one_of_many_saves_wins",
        "test_a_refused_save_leaves_the_lease",
    },
    LooksLongBeforeItSaves: {"test_one_of_many_saves_wins", "test_no_save_is_lost"},
    LooksLongBeforeItInserts: {
        "test_one_of_many_inserts_takes_the_key",
        "test_one_of_many_inserts_takes_the_id",
    },
    LeasesNothing: {"test_a_lease_lasts_to_its_end", "test_no_session_is_leased_twice"},
    LeasesForEver: {"test_a_lease_lasts_to_its_end"},
    KeepsALeaseOverASave: {"test_a_save_ends_the_lease"},
    ReadsOnAfterItHasWritten: {
        "test_an_insert_that_is_interrupted_leaves_nothing",
        "test_a_save_that_is_interrupted_leaves_the_old",
    },
    SharesKeysAmongSubjects: {"test_an_idempotency_key_is_the_subjects_own"},
    GluesSubjectAndKey: {"test_an_idempotency_key_is_the_subjects_own"},
    ComparesWithoutCase: {"test_names_that_look_alike_are_different"},
    ErasesWithoutCase: {"test_names_that_look_alike_are_different"},
    HandsOutByTheId: {"test_the_longest_due_come_first"},
    StopsAtANul: {"test_every_text_survives"},
    CountsItsWayToTheNextPage: {
        "test_sessions_that_come_move_no_page",
        "test_sessions_that_go_move_no_page",
    },
    OrdersByTimeAlone: {"test_pages_show_everything_once"},
    PurgesWhatIsStillToBeDeleted: {"test_purge_takes_what_is_final_here_and_there"},
    ForgetsTheSessionAndNotItsKey: {"test_erase_sets_the_key_free"},
    GoesOnWhenItIsClosed: {"test_a_closed_store_says_so"},
    ClaimsWhatNobodyCanCheck: {"test_what_was_written_stays"},
    ClaimsWhatIsNotSo: {"test_what_one_writes_the_other_reads"},
}
