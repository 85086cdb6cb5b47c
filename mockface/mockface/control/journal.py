"""The control API's calls about what happened: read, count, wait and verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from msgspec import UNSET, UnsetType

from mockface.clock import moment
from mockface.control.bodies import Closed, bad, query, read
from mockface.journal import expectations, view
from mockface.responses import answer, error
from mockface.validation import integer, length, number
from mockface.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from mockface.control.order import Order, Places
    from mockface.journal.entries import Entry, Journal
    from mockface.wire import Json

_MOST_COUNT = 1_000_000
_LONGEST_WAIT = 60.0
_LINES = 1000

_Word = Annotated[str, length(500)]
_Since = Annotated[str, length(64)]
_Timeout = Annotated[float, number(0, _LONGEST_WAIT)]


class JournalQuery(Closed):
    """Which entries are asked for, and how many."""

    route: _Word | UnsetType = UNSET
    method: _Word | UnsetType = UNSET
    path: _Word | UnsetType = UNSET
    status: _Word | UnsetType = UNSET
    code: _Word | UnsetType = UNSET
    session: _Word | UnsetType = UNSET
    request_id: _Word | UnsetType = UNSET
    fault: _Word | UnsetType = UNSET
    since: _Since | UnsetType = UNSET
    limit: Annotated[int, integer(1, _MOST_COUNT)] = _LINES
    bodies: bool = False
    count: Annotated[int, integer(1, _MOST_COUNT)] = 1
    timeout: _Timeout = 0.0

    def words(self) -> Json:
        """What is asked for, by the names of `expectations.WORDS`."""
        values = {name: getattr(self, _SNAKE.get(name, name)) for name in expectations.WORDS}
        return {name: value for name, value in values.items() if value is not UNSET}


class Expectation(Closed):
    """What somebody expects to have been asked and answered."""

    expect: dict[str, Any]
    at_least: Annotated[int, integer(0, _MOST_COUNT)] | UnsetType = UNSET
    at_most: Annotated[int, integer(0, _MOST_COUNT)] | UnsetType = UNSET
    since: _Since | UnsetType = UNSET
    timeout: _Timeout = 0.0

    def checked(self) -> Json:
        """What is expected.

        Raises:
            WireError: It has a name that no entry has, or a value that none can have.
        """
        known = [*expectations.WORDS, *expectations.MESSAGES]
        unknown = sorted(self.expect.keys() - set(known))
        if unknown:
            raise bad(f"expect has {', '.join(unknown)}; what it can have is {', '.join(known)}.")
        for word in expectations.WORDS:
            if not isinstance(self.expect.get(word, ""), str | int):
                raise bad(f"expect has a {word} that is neither a str nor a number.")
        return self.expect


_SNAKE = {"requestId": "request_id"}


class JournalControl:
    """Carries them out.

    Args:
        journal: What has happened.
        routes: The names of all operations.
    """

    def __init__(self, journal: Journal, routes: Collection[str]) -> None:
        self._journal = journal
        self._routes = routes
        self.places: Places = {
            ("GET", "journal"): self._read,
            ("GET", "journal/{}"): self._named,
            ("POST", "journal/{}"): self._verify,
            ("DELETE", "journal"): self._clear,
        }
        self._reports: Mapping[str, Callable[[Order], Response]] = {
            "count": self._count,
            "wait": self._wait,
        }

    def _read(self, order: Order) -> Response:
        asked = query(JournalQuery, order.request)
        found = self._found(order, asked)
        # After a number one reads on; without one the newest are wanted.
        found = found[: asked.limit] if asked.since else found[-asked.limit :]
        show = view.whole if asked.bodies else view.line
        return answer(200, {"entries": [show(entry) for entry in found]})

    def _count(self, order: Order) -> Response:
        asked = query(JournalQuery, order.request)
        self._check_on()
        return answer(200, {"count": len(self._found(order, asked))})

    def _wait(self, order: Order) -> Response:
        asked = query(JournalQuery, order.request)
        wanted = asked.count
        found = self._wait_for(order, self._possible(asked.words()), wanted, asked)
        lines = [view.line(entry) for entry in found[-_LINES:]]
        return answer(200, {"met": len(found) >= wanted, "count": len(found), "entries": lines})

    def _named(self, order: Order) -> Response:
        report = self._reports.get(order.name)
        if report is not None:
            return report(order)
        for entry in self._journal.entries(order.tenant_id):
            if str(entry.id) == order.name:
                return answer(200, view.whole(entry))
        return error(404, "404", "The journal has no such entry.")

    def _verify(self, order: Order) -> Response:
        if order.name != "verify":
            return error(404, "404", "The control API has no such call.")
        asked = read(Expectation, order.request)
        expected = self._possible(asked.checked())
        most = None if asked.at_most is UNSET else asked.at_most
        least = asked.at_least
        if least is UNSET:
            least = 1 if most is None else 0
        if most is not None and least > most:
            raise bad("atLeast must not be more than atMost.")
        # That it does not come too often is known when the time is up, or it has.
        enough = least if most is None else most + 1
        found = self._wait_for(order, expected, enough, asked)
        if most is not None and self._journal.has_forgotten(
            order.tenant_id, since=_start(asked)[0]
        ):
            raise bad(
                "atMost cannot be told: the journal was full and has forgotten calls. Clear it, or "
                "start the emulator with more --journal-entries and --journal-bytes.",
            )
        met = len(found) >= least and (most is None or len(found) <= most)
        said: Json = {"met": met, "count": len(found)}
        if len(found) < least:
            meeting = {entry.id for entry in found}
            others = [e for e in self._since(order, asked) if e.id not in meeting]
            said["nearest"] = _about_nearest(expected, others)
        return answer(200, said)

    def _clear(self, order: Order) -> Response:
        self._journal.clear(order.tenant_id)
        return Response(204)

    def _check_on(self) -> None:
        """Refuses to count in a journal that keeps nothing: everything would have come 0 times."""
        if self._journal.is_off:
            raise bad("The journal is off: start the emulator with --journal-entries above 0.")

    def _possible(self, words: Json) -> Json:
        """The words, if there can be an entry that they fit."""
        try:
            expectations.check(words, self._routes)
        except ValueError as wrong:
            raise bad(f"{wrong}.") from None
        return words

    def _found(self, order: Order, asked: JournalQuery) -> list[Entry]:
        words = self._possible(asked.words())
        return [e for e in self._since(order, asked) if not expectations.differences(words, e)]

    def _since(self, order: Order, asked: JournalQuery | Expectation) -> list[Entry]:
        number, at = _start(asked)
        entries = self._journal.entries(order.tenant_id, since=number)
        return [entry for entry in entries if entry.at >= at]

    def _wait_for(
        self, order: Order, expected: Json, count: int, asked: JournalQuery | Expectation
    ) -> list[Entry]:
        self._check_on()
        number, at = _start(asked)
        return self._journal.wait(
            lambda entry: entry.at >= at and not expectations.differences(expected, entry),
            tenant_id=order.tenant_id,
            since=number,
            count=count,
            seconds=asked.timeout,
        )


def _start(asked: JournalQuery | Expectation) -> tuple[int, float]:
    """The number and the time after which entries count: `since` is either."""
    since = asked.since or "0"
    if since.isascii() and since.isdigit():
        return int(since), -1e12
    try:
        return 0, moment(since)
    except ValueError as wrong:
        raise bad(f"since must be an entry's number, or {wrong}.") from None


def _about_nearest(expected: Json, entries: list[Entry]) -> Json | None:
    best = expectations.nearest(expected, entries)
    if best is None:
        return None
    entry, found = best
    return {
        "entry": view.whole(entry),
        "differences": [expectations.about(each) for each in found],
    }
