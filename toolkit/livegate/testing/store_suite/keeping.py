"""What goes in comes out, is replaced by its next version alone, or is not there at all."""
# ruff: noqa: S101 - a kit of assertions

from __future__ import annotations

from dataclasses import fields, replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest

from livegate.errors import KeyTakenError, StoreError, VersionConflictError
from livegate.session import LivenessSession, SessionState
from livegate.stores.base import SessionQuery
from livegate.testing.store_suite.driven import StoreSuite
from livegate.testing.store_suite.samples import (
    HOSTILE,
    LOOK_ALIKES,
    SECOND,
    a_full_session,
    a_session,
    next_of,
)

if TYPE_CHECKING:
    from livegate.testing.store_suite.driven import DrivenStore

SURROGATE: Final = "\ud800"
ALL: Final = SessionQuery(limit=100)

each_hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())


class Interruption(Exception):  # noqa: N818 - not an error: the kit stops the store on purpose
    """The process stops here, as far as the store can see."""


def breaking(session: LivenessSession, reads: int) -> LivenessSession:
    """*session*, but whoever reads from it once more than *reads* times is interrupted."""
    names = [field.name for field in fields(LivenessSession)]
    left = iter(range(reads))

    class Breaking(LivenessSession):
        __slots__ = ()

        def __getattribute__(self, name: str) -> Any:
            if name in names and next(left, None) is None:
                raise Interruption
            return super().__getattribute__(name)

    return Breaking(**{name: getattr(session, name) for name in names})


class Keeping(StoreSuite):
    """``insert``, ``get``, ``lookup`` and ``save``, one caller at a time."""

    def test_a_new_store_is_empty(self, driven: DrivenStore) -> None:
        """Given a new store; nothing is found in it."""
        assert driven.find(ALL).sessions == ()

    @pytest.mark.parametrize("session", [a_session(), a_full_session()], ids=["plain", "full"])
    def test_a_session_comes_out_as_it_went_in(
        self,
        driven: DrivenStore,
        session: LivenessSession,
    ) -> None:
        """Given a session; when it is inserted, it is read back equal, field for field."""
        driven.insert(session)
        assert driven.get(session.id) == session
        assert driven.find(ALL).sessions == (session,)

    @each_hostile
    def test_every_text_survives(self, driven: DrivenStore, text: str) -> None:
        """Given a session full of a hostile text; it is found by it, unchanged."""
        session = a_session(text, subject=text, purpose=text, idempotency_key=text)
        driven.insert(session)
        saved = next_of(session, client_error=text, reasons=(text,), client_digests=(text,))
        driven.save(saved, 1)
        assert driven.get(text) == saved
        assert driven.lookup(text, text) == saved
        assert driven.find(SessionQuery(subject=text)).sessions == (saved,)
        assert driven.erase(text) == 1
        assert driven.get(text) is None

    @each_hostile
    def test_any_text_may_be_asked_for(self, driven: DrivenStore, text: str) -> None:
        """Given one session; when another id, subject or key is asked for, there is nothing."""
        session = a_session(idempotency_key="key-1")
        driven.insert(session)
        assert driven.get(text) is None
        assert driven.lookup(text, "key-1") is None
        assert driven.lookup("alice", text) is None
        assert driven.find(SessionQuery(subject=text)).sessions == ()
        assert driven.erase(text) == 0
        assert driven.get(session.id) == session

    def test_a_lone_surrogate_is_nobodys_name(self, driven: DrivenStore) -> None:
        """Given a text that is no Unicode; it is not found, and not taken as a name."""
        assert driven.get(SURROGATE) is None
        assert driven.lookup(SURROGATE, SURROGATE) is None
        assert driven.find(SessionQuery(subject=SURROGATE)).sessions == ()
        assert driven.erase(SURROGATE) == 0
        for session in (
            a_session(SURROGATE),
            a_session(subject=SURROGATE),
            a_session(idempotency_key=SURROGATE),
        ):
            with pytest.raises(ValueError, match="surrogate"):
                driven.insert(session)
        assert driven.find(ALL).sessions == ()

    def test_a_lone_surrogate_elsewhere_survives(self, driven: DrivenStore) -> None:
        """Given what a client sent as JSON with a lone surrogate in it; it is kept as it is."""
        session = a_session(purpose=SURROGATE, client_error=SURROGATE, reasons=(SURROGATE,))
        driven.insert(session)
        assert driven.get(session.id) == session

    def test_names_that_look_alike_are_different(self, driven: DrivenStore) -> None:
        """Given look-alikes as ids, subjects and keys; each is its own."""
        sessions = [a_session(name, subject=name) for name in LOOK_ALIKES]
        sessions += [a_session("key" + k, subject="k", idempotency_key=k) for k in LOOK_ALIKES]
        for session in sessions:
            driven.insert(session)
        for session in sessions:
            assert driven.get(session.id) == session
        for name in LOOK_ALIKES:
            (found,) = driven.find(SessionQuery(subject=name)).sessions
            assert found.id == name
            by_key = driven.lookup("k", name)
            assert by_key is not None
            assert by_key.id == "key" + name
        for name in LOOK_ALIKES:
            assert driven.erase(name) == 1

    def test_an_id_is_taken_once(self, driven: DrivenStore) -> None:
        """Given a session; when another subject inserts the same id, nothing is written."""
        session = a_session()
        driven.insert(session)
        with pytest.raises(KeyTakenError):
            driven.insert(replace(session, subject="bob", idempotency_key="key-1"))
        assert driven.get(session.id) == session
        assert driven.lookup("bob", "key-1") is None

    def test_an_idempotency_key_is_taken_once(self, driven: DrivenStore) -> None:
        """Given a session with a key; when the subject uses the key again, nothing is written."""
        first = a_session("first", idempotency_key="key-1")
        driven.insert(first)
        with pytest.raises(KeyTakenError):
            driven.insert(a_session("second", idempotency_key="key-1"))
        assert driven.get("second") is None
        assert driven.lookup("alice", "key-1") == first

    def test_an_idempotency_key_is_the_subjects_own(self, driven: DrivenStore) -> None:
        """Given two subjects with one key; each finds its own session by it."""
        pairs = [("alice", "key"), ("bob", "key"), ("a", "b:c"), ("a:b", "c"), ("alice", "")]
        for number, (subject, key) in enumerate(pairs):
            driven.insert(a_session(f"{number}", subject=subject, idempotency_key=key))
        found = [driven.lookup(subject, key) for subject, key in pairs]
        assert [session and session.id for session in found] == ["0", "1", "2", "3", "4"]

    def test_no_idempotency_key_never_clashes(self, driven: DrivenStore) -> None:
        """Given sessions of one subject without a key; all are kept, and no key finds them."""
        for number in range(3):
            driven.insert(a_session(f"{number}"))
        assert len(driven.find(ALL).sessions) == 3  # noqa: PLR2004 - as many as were inserted
        assert driven.lookup("alice", "") is None
        assert driven.lookup("alice", "None") is None

    def test_save_replaces_the_record(self, driven: DrivenStore) -> None:
        """Given a session; when all that may change is saved, it is read back everywhere."""
        first = a_session(idempotency_key="key-1")
        driven.insert(first)
        second = replace(a_full_session(), version=2)
        driven.save(second, 1)
        assert driven.get(first.id) == second
        assert driven.lookup("alice", "key-1") == second
        assert driven.find(SessionQuery(states=frozenset({first.state}))).sessions == ()
        assert driven.find(SessionQuery(states=frozenset({second.state}))).sessions == (second,)

    @pytest.mark.parametrize("expected_version", [0, 1, 3, -1])
    def test_save_wants_the_version_that_was_read(
        self,
        driven: DrivenStore,
        expected_version: int,
    ) -> None:
        """Given version 2; when a save expects any other, nothing is written."""
        first = a_session()
        driven.insert(first)
        second = next_of(first)
        driven.save(second, 1)
        with pytest.raises(VersionConflictError):
            driven.save(replace(second, version=expected_version + 1), expected_version)
        assert driven.get(first.id) == second

    def test_save_wants_a_record(self, driven: DrivenStore) -> None:
        """Given no record; when a session is saved, none is made."""
        with pytest.raises(VersionConflictError):
            driven.save(a_session(version=2, idempotency_key="key-1"), 1)
        assert driven.get("session-1") is None
        assert driven.lookup("alice", "key-1") is None

    @pytest.mark.parametrize(
        "mistake",
        [
            {"version": 1},
            {"version": 3},
            {"subject": "bob"},
            {"purpose": "another"},
            {"idempotency_key": None},
            {"idempotency_key": "another"},
            {"created_at": a_session().created_at + SECOND},
        ],
        ids=str,
    )
    def test_save_wants_a_successor(self, driven: DrivenStore, mistake: dict[str, Any]) -> None:
        """Given a session; when what is saved is no next version of it, nothing is written."""
        session = a_session(idempotency_key="key-1")
        driven.insert(session)
        with pytest.raises(ValueError, match=r"version|never changes"):
            driven.save(next_of(session, **mistake), 1)
        assert driven.get(session.id) == session
        assert driven.find(SessionQuery(subject="bob")).sessions == ()

    def test_an_insert_that_is_interrupted_leaves_nothing(self, driven: DrivenStore) -> None:
        """Given an insert that stops anywhere; there is no trace of it, and it can be repeated."""
        session = a_session(idempotency_key="key-1")
        for reads in count():
            try:
                driven.insert(breaking(session, reads))
            except (Interruption, StoreError):
                assert driven.get(session.id) is None
                assert driven.lookup("alice", "key-1") is None
                assert driven.find(ALL).sessions == ()
            else:
                assert reads > 0, "the store did not look at the session"
                break

    def test_a_save_that_is_interrupted_leaves_the_old(self, driven: DrivenStore) -> None:
        """Given a save that stops anywhere; the old record is there, in all that finds it."""
        first = a_session(idempotency_key="key-1")
        driven.insert(first)
        second = next_of(first, state=SessionState.FAILED)
        for reads in count():
            try:
                driven.save(breaking(second, reads), 1)
            except (Interruption, StoreError):
                assert driven.get(first.id) == first
                assert driven.lookup("alice", "key-1") == first
                assert driven.find(SessionQuery(states=frozenset({first.state}))).sessions
                assert not driven.find(SessionQuery(states=frozenset({second.state}))).sessions
            else:
                assert reads > 0, "the store did not look at the session"
                break
