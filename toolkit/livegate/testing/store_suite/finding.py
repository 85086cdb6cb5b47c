"""Pages show every session that a query names, newest first, each one once."""
# ruff: noqa: S101 - a kit of assertions

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Final

import pytest

from livegate.errors import InvalidRequestError
from livegate.session import SessionState
from livegate.stores.base import MAX_PAGE, SessionQuery
from livegate.testing.store_suite.driven import StoreSuite
from livegate.testing.store_suite.samples import NOW, SECOND, a_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from livegate.session import LivenessSession
    from livegate.testing.store_suite.driven import DrivenStore

STATES = (SessionState.REQUESTED, SessionState.PASSED, SessionState.NEEDS_REVIEW)

SOME_STATES: Final[tuple[frozenset[SessionState], ...]] = (
    frozenset(),
    frozenset(STATES[:1]),
    frozenset(STATES[1:]),
    frozenset(SessionState),
)
SOME_TIMES = (None, NOW, NOW + 3 * SECOND, NOW + 1000 * SECOND)


def a_mixture() -> list[LivenessSession]:
    """Sessions of three subjects, in three states, several created at the same moment."""
    return [
        a_session(
            f"{number:02}",
            subject=f"subject {number % 3}",
            state=STATES[number // 3 % 3],
            created_at=NOW + number // 4 * SECOND,
        )
        for number in range(27)
    ]


def newest_first(sessions: list[LivenessSession]) -> list[str]:
    """The ids of *sessions* in the order of pages."""
    ordered = sorted(sessions, key=lambda session: (session.created_at, session.id), reverse=True)
    return [session.id for session in ordered]


def pages(store: DrivenStore, query: SessionQuery) -> Iterator[list[str]]:
    """The ids on each page."""
    while True:
        page = store.find(query)
        assert len(page.sessions) <= query.limit
        yield [session.id for session in page.sessions]
        if page.cursor is None:
            return
        query = replace(query, cursor=page.cursor)


class Finding(StoreSuite):
    """``find``."""

    @pytest.mark.parametrize("limit", [1, 2, 3, 9, 26, 27, 28, 100])
    def test_pages_show_everything_once(self, driven: DrivenStore, limit: int) -> None:
        """Given sessions with equal times; the pages of any size show each once, newest first."""
        sessions = a_mixture()
        for session in sessions:
            driven.insert(session)
        shown = list(pages(driven, SessionQuery(limit=limit)))
        assert [one for page in shown for one in page] == newest_first(sessions)
        assert all(shown), "a page without sessions"

    @pytest.mark.parametrize("subject", [None, "subject 1", "nobody"])
    def test_every_condition_has_to_hold(self, driven: DrivenStore, subject: str | None) -> None:
        """Given a mixture; a query shows what it names and nothing else, whatever it combines."""
        sessions = a_mixture()
        for session in sessions:
            driven.insert(session)
        for states, before, limit in product(SOME_STATES, SOME_TIMES, (1, 4, 100)):
            expected = [
                session
                for session in sessions
                if (subject is None or session.subject == subject)
                and (not states or session.state in states)
                and (before is None or session.created_at < before)
            ]
            query = SessionQuery(subject, states, before, limit)
            shown = [one for page in pages(driven, query) for one in page]
            assert shown == newest_first(expected), query

    def test_the_answer_is_what_was_saved_last(self, driven: DrivenStore) -> None:
        """Given a session that was saved; the page holds its newest version."""
        session = a_session()
        driven.insert(session)
        saved = replace(session, version=2, state=SessionState.PASSED)
        driven.save(saved, 1)
        assert driven.find(SessionQuery(subject="alice")).sessions == (saved,)

    def test_sessions_that_come_move_no_page(self, driven: DrivenStore) -> None:
        """Given a first page; when others come, nothing is shown twice or missed."""
        sessions = a_mixture()
        for session in sessions:
            driven.insert(session)
        shown: list[str] = []
        for number, page in enumerate(pages(driven, SessionQuery(limit=5))):
            shown += page
            driven.insert(a_session(f"new {number}", created_at=NOW + 1000 * SECOND))
            driven.insert(a_session(f"old {number}", created_at=NOW - 1000 * SECOND))
        assert [one for one in shown if "old" not in one] == newest_first(sessions)
        assert len(set(shown)) == len(shown)

    def test_sessions_that_go_move_no_page(self, driven: DrivenStore) -> None:
        """Given a first page; when what was on it is erased, the next begins as before."""
        sessions = a_mixture()
        for session in sessions:
            driven.insert(session)
        first = driven.find(SessionQuery(limit=5))
        driven.erase(first.sessions[-1].subject)
        rest = pages(driven, SessionQuery(limit=5, cursor=first.cursor))
        left = [s for s in sessions if s.subject != first.sessions[-1].subject]
        seen = {session.id for session in first.sessions}
        assert [one for page in rest for one in page] == [
            one for one in newest_first(left) if one not in seen
        ]

    def test_a_cursor_fits_into_a_url(self, driven: DrivenStore) -> None:
        """Given ids of all kinds; the cursor is made of characters that need no escaping."""
        for number, name in enumerate(("a/b?c&d=e#f", "\N{PILE OF POO}", "x")):
            driven.insert(a_session(name, created_at=NOW - number * SECOND))
        query = SessionQuery(limit=1)
        for _ in range(2):
            cursor = driven.find(query).cursor
            assert cursor is not None
            assert re.fullmatch(r"[A-Za-z0-9._~-]+", cursor)
            query = replace(query, cursor=cursor)

    @pytest.mark.parametrize(
        "cursor",
        [
            "",
            "0",
            "garbage",
            "=" * 9,
            "\N{PILE OF POO}",
            "\ud800",
            "'; --",
            "A" * 10_000,
            "W10",
            "\0",
        ],
        ids=ascii,
    )
    def test_a_foreign_cursor_is_refused(self, driven: DrivenStore, cursor: str) -> None:
        """Given a cursor that no page has given; the error names it."""
        with pytest.raises(InvalidRequestError) as caught:
            driven.find(SessionQuery(cursor=cursor))
        assert caught.value.field == "cursor"

    @pytest.mark.parametrize("limit", [0, -1, MAX_PAGE + 1, 10**30])
    def test_a_limit_out_of_range_is_refused(self, driven: DrivenStore, limit: int) -> None:
        """Given a page's size that is none; the error names it."""
        with pytest.raises(InvalidRequestError) as caught:
            driven.find(SessionQuery(limit=limit))
        assert caught.value.field == "limit"
