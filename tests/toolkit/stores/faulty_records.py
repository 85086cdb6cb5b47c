"""Stores that change, lose or confuse records; see :mod:`tests.toolkit.stores.faults`."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import UTC, timedelta

from tests.toolkit.stores.faults import Events, fails

from livegate.errors import DuplicateKeyError
from livegate.protocols import FINAL, Record
from livegate.stores.memory import MemoryStore


class ChangesRecords(MemoryStore):
    """Changes records on their way in."""

    def changed(self, record: Record) -> Record:
        return record

    def insert(self, record: Record, events: Events = ()) -> None:
        super().insert(self.changed(record), events)

    def save(self, record: Record, expected_version: int, events: Events = ()) -> None:
        super().save(self.changed(record), expected_version, events)


@fails(
    "test_body_is_read_back_byte_for_byte",
    "test_save_replaces_the_record",
)
class CutsBodiesAtNul(ChangesRecords):
    def changed(self, record: Record) -> Record:
        return replace(record, body=record.body.split(b"\0")[0])


@fails(
    "test_times_do_not_depend_on_the_time_zone_of_the_process",
)
class KeepsLocalTimes(ChangesRecords):
    def changed(self, record: Record) -> Record:
        local = record.created_at.astimezone().replace(tzinfo=None, fold=0)
        return replace(record, created_at=local.astimezone(UTC))


@fails(
    "test_times_are_read_back_in_utc_to_the_microsecond",
)
class WrapsTimesIn2038(ChangesRecords):
    def changed(self, record: Record) -> Record:
        wrapped = record.updated_at
        while wrapped.timestamp() >= 1 << 31:
            wrapped -= timedelta(seconds=1 << 31)
        return replace(record, updated_at=wrapped)


@fails(
    "test_erase_removes_finished_records_of_one_subject",
    "test_every_state_is_read_back_as_a_plain_str",
    "test_purge_goes_by_what_was_saved_last",
    "test_purge_removes_final_records_with_nothing_left_at_the_service",
    "test_removed_records_move_no_page",
    "test_save_replaces_the_record",
)
class KnowsTwoRemoteStates(ChangesRecords):
    def changed(self, record: Record) -> Record:
        return replace(record, remote="deleted" if record.remote == "deleted" else "present")


@fails(
    "test_any_legal_name_is_kept_and_found",
)
class LosesWhatIsBehindCharacter190(ChangesRecords):
    def changed(self, record: Record) -> Record:
        return replace(record, subject=record.subject[:190])


@fails(
    "test_look_alike_of_a_name_finds_nothing",
    "test_names_that_look_alike_are_different",
)
class ComparesIdsWithoutCase(MemoryStore):
    def get(self, session_id: str) -> Record | None:
        ids = [taken for taken in self._rows if taken.lower() == session_id.lower()]
        return super().get(ids[0] if ids else session_id)


@fails(
    "test_look_alike_of_a_name_finds_nothing",
    "test_names_that_look_alike_are_different",
)
class ComparesSubjectsOfKeysWithoutCase(MemoryStore):
    def get_by_idempotency_key(self, subject: str, key: str) -> Record | None:
        for (owner, taken), session_id in self._ids_by_key.items():
            if (owner.lower(), taken) == (subject.lower(), key):
                return self.get(session_id)
        return super().get_by_idempotency_key(subject, key)


@fails(
    "test_look_alike_of_a_name_finds_nothing",
    "test_names_that_look_alike_are_different",
)
class ComparesKeysWithoutTrailingBlanks(MemoryStore):
    def get_by_idempotency_key(self, subject: str, key: str) -> Record | None:
        for (owner, taken), session_id in self._ids_by_key.items():
            if (owner, taken.rstrip(" ")) == (subject, key.rstrip(" ")):
                return self.get(session_id)
        return super().get_by_idempotency_key(subject, key)


@fails(
    "test_names_that_look_alike_are_different",
)
class ErasesByTheNormalForm(MemoryStore):
    def erase(self, subject: str) -> int:
        normal = unicodedata.normalize("NFC", subject)
        names = [n for n in self._places_by_subject if unicodedata.normalize("NFC", n) == normal]
        return sum(MemoryStore.erase(self, name) for name in names or [subject])


@fails(
    "test_erase_removes_finished_records_of_one_subject",
    "test_idempotency_key_belongs_to_its_subject",
    "test_look_alike_of_a_name_finds_nothing",
    "test_names_that_look_alike_are_different",
    "test_record_is_read_back_equal_with_the_same_types",
    "test_save_never_changes_immutable_fields",
    "test_unknown_name_finds_nothing",
)
class SharesKeysAmongSubjects(MemoryStore):
    def get_by_idempotency_key(self, subject: str, key: str) -> Record | None:
        for (_, taken), session_id in self._ids_by_key.items():
            if taken == key:
                return self.get(session_id)
        return super().get_by_idempotency_key(subject, key)


@fails(
    "test_idempotency_key_belongs_to_its_subject",
)
class JoinsSubjectAndKey(MemoryStore):
    def insert(self, record: Record, events: Events = ()) -> None:
        if f"{record.subject}:{record.key}" in map(":".join, self._ids_by_key):
            raise DuplicateKeyError("taken")
        super().insert(record, events)


@fails(
    "test_records_without_a_key_never_clash",
)
class KeepsNoKeyAsText(MemoryStore):
    def get_by_idempotency_key(self, subject: str, key: str) -> Record | None:
        without = [place[1] for place in self._places_by_subject.get(subject, ())]
        if key == "None" and without:
            return self.get(without[0])
        return super().get_by_idempotency_key(subject, key)


@fails(
    "test_any_legal_name_is_kept_and_found",
    "test_duplicate_key_error_quotes_nothing",
    "test_idempotency_key_is_remembered_when_the_session_is_final",
    "test_idempotency_key_is_taken_once",
)
class TakesAKeyTwice(MemoryStore):
    def insert(self, record: Record, events: Events = ()) -> None:
        if record.key is not None and record.id not in self._rows:
            self._ids_by_key.pop((record.subject, record.key), None)
        super().insert(record, events)

    def _remove(self, session_id: str) -> None:
        record = self._rows[session_id].record
        if record.key is not None:
            self._ids_by_key[record.subject, record.key] = session_id
        super()._remove(session_id)


@fails(
    "test_any_legal_name_is_kept_and_found",
    "test_idempotency_key_is_remembered_when_the_session_is_final",
    "test_save_replaces_the_record",
)
class ForgetsKeysOfFinalSessions(MemoryStore):
    def save(self, record: Record, expected_version: int, events: Events = ()) -> None:
        super().save(record, expected_version, events)
        if record.state in FINAL and record.key is not None:
            self._ids_by_key.pop((record.subject, record.key), None)

    def _remove(self, session_id: str) -> None:
        record = self._rows[session_id].record
        if record.key is not None:
            self._ids_by_key[record.subject, record.key] = session_id
        super()._remove(session_id)


@fails(
    "test_id_is_taken_once",
)
class ClaimsKeysBeforeIds(MemoryStore):
    """Leaves the key behind when the id turns out to be taken."""

    def insert(self, record: Record, events: Events = ()) -> None:
        if record.id in self._rows and record.key is not None:
            self._ids_by_key.setdefault((record.subject, record.key), record.id)
        super().insert(record, events)


@fails(
    "test_rejected_save_leaves_next_at",
    "test_rejected_save_leaves_the_lease",
    "test_save_requires_the_version_that_is_stored",
    "test_version_conflict_error_quotes_nothing",
)
class SavesOverAnyVersion(MemoryStore):
    def save(self, record: Record, expected_version: int, events: Events = ()) -> None:
        found = self.get(record.id)
        super().save(record, found.version if found else expected_version, events)


@fails(
    "test_save_does_not_bring_back_a_removed_session",
    "test_save_requires_a_record",
    "test_version_conflict_error_quotes_nothing",
)
class SavesWhatIsGone(MemoryStore):
    def save(self, record: Record, expected_version: int, events: Events = ()) -> None:
        if self.get(record.id) is None:
            return self.insert(record, events)
        return super().save(record, expected_version, events)


@fails(
    "test_purge_goes_by_what_was_saved_last",
)
class KeepsUpdatedAt(MemoryStore):
    def save(self, record: Record, expected_version: int, events: Events = ()) -> None:
        before = self.get(record.id)
        super().save(record, expected_version, events)
        if before is not None and record.id in self._purgeable._place_of:
            self._purgeable.put(record.id, before.updated_at)


@fails(
    "test_interrupted_insert_writes_nothing",
)
class WritesEventsOneByOne(MemoryStore):
    def insert(self, record: Record, events: Events = ()) -> None:
        super().insert(record)
        for event in events:
            row = self._rows[record.id]
            row.events += (event,)
            self._queue(row)


@fails(
    "test_interrupted_save_writes_nothing",
)
class WritesTheRecordBeforeItsEvents(MemoryStore):
    def save(self, record: Record, expected_version: int, events: Events = ()) -> None:
        super().save(record, expected_version)
        row = self._rows[record.id]
        row.events += tuple(events)
        self._queue(row)


@fails(
    "test_interrupted_save_writes_nothing",
    "test_save_never_changes_immutable_fields",
)
class ChangesTheSubject(MemoryStore):
    def save(self, record: Record, expected_version: int, events: Events = ()) -> None:
        found = self.get(record.id)
        if found is not None and found.version == expected_version:
            self._rows[record.id].record = replace(record, version=expected_version)
        super().save(record, expected_version, events)
