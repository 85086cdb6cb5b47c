"""The control API's calls about what happened: read, count, wait and verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockface.clock import moment
from mockface.control import bodies
from mockface.dialects import reading
from mockface.dialects.reading import Field, Type
from mockface.journal import expectations, view
from mockface.wire import Response, WireError, answer, error

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from mockface.control.order import Order, Places
    from mockface.dialects.rendering import Json
    from mockface.journal.entries import Entry, Journal

_MOST_COUNT = 1_000_000
_LONGEST_WAIT = 60.0
_LINES = 1000

_QUERY = (
    *(Field(name, name, reading.text(500)) for name in expectations.WORDS),
    Field("since", "since", reading.text(64)),
    Field("limit", "limit", reading.integer(1, _MOST_COUNT)),
    Field("bodies", "bodies", reading.boolean()),
    Field("count", "count", reading.integer(1, _MOST_COUNT)),
    Field("timeout", "timeout", reading.number(0, _LONGEST_WAIT)),
)


def _object(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError("must be an object")  # noqa: TRY004 - wrong values are ValueError here
    unknown = value.keys() - {*expectations.WORDS, *expectations.MESSAGES}
    if unknown:
        known = ", ".join([*expectations.WORDS, *expectations.MESSAGES])
        raise ValueError(f"has {', '.join(sorted(unknown))}; what it can have is {known}")
    for word in expectations.WORDS:
        if not isinstance(value.get(word, ""), str | int):
            raise ValueError(f"has a {word} that is no text and no number")  # noqa: TRY004 - see above
    return value


_VERIFY = (
    Field("expect", "expect", Type(_object), required=True),
    Field("atLeast", "at_least", reading.integer(0, _MOST_COUNT)),
    Field("atMost", "at_most", reading.integer(0, _MOST_COUNT)),
    Field("since", "since", reading.text(64)),
    Field("timeout", "timeout", reading.number(0, _LONGEST_WAIT)),
)


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
        told = bodies.asked(_QUERY, order.request)
        found = self._found(order, told)
        limit: int = told.get("limit", _LINES)
        # After a number one reads on; without one the newest are wanted.
        found = found[:limit] if "since" in told else found[-limit:]
        show = view.whole if told.get("bodies") else view.line
        return answer(200, {"entries": [show(entry) for entry in found]})

    def _count(self, order: Order) -> Response:
        told = bodies.asked(_QUERY, order.request)
        self._check_on()
        return answer(200, {"count": len(self._found(order, told))})

    def _wait(self, order: Order) -> Response:
        told = bodies.asked(_QUERY, order.request)
        wanted = told.get("count", 1)
        found = self._wait_for(order, self._words(told), wanted, told)
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
        told = bodies.told(_VERIFY, order.request)
        expected: Json = self._possible(told["expect"])
        least, most = told.get("at_least", 1 if "at_most" not in told else 0), told.get("at_most")
        if most is not None and least > most:
            raise WireError(400, "BadArgument", "atLeast must not be more than atMost.")
        found = self._wait_for(order, expected, least, told)
        if most is not None and self._journal.has_forgotten(order.tenant_id, since=_start(told)[0]):
            raise WireError(
                400,
                "BadArgument",
                "atMost cannot be told: the journal was full and has forgotten calls. Clear it, or "
                "start the emulator with more --journal-entries and --journal-bytes.",
            )
        met = len(found) >= least and (most is None or len(found) <= most)
        said: Json = {"met": met, "count": len(found)}
        if len(found) < least:
            meeting = {entry.id for entry in found}
            others = [e for e in self._since(order, told) if e.id not in meeting]
            said["nearest"] = _about_nearest(expected, others)
        return answer(200, said)

    def _clear(self, order: Order) -> Response:
        self._journal.clear(order.tenant_id)
        return Response(204)

    def _check_on(self) -> None:
        """Refuses to count in a journal that keeps nothing: everything would have come 0 times."""
        if self._journal.is_off:
            raise WireError(
                400,
                "BadArgument",
                "The journal is off: start the emulator with --journal-entries above 0.",
            )

    def _words(self, told: dict[str, Any]) -> Json:
        return self._possible({name: told[name] for name in expectations.WORDS if name in told})

    def _possible(self, words: Json) -> Json:
        """The words, if there can be an entry that they fit."""
        try:
            expectations.check(words, self._routes)
        except ValueError as wrong:
            raise WireError(400, "BadArgument", f"{wrong}.") from None
        return words

    def _found(self, order: Order, told: dict[str, Any]) -> list[Entry]:
        words = self._words(told)
        return [e for e in self._since(order, told) if not expectations.differences(words, e)]

    def _since(self, order: Order, told: dict[str, Any]) -> list[Entry]:
        number, at = _start(told)
        entries = self._journal.entries(order.tenant_id, since=number)
        return [entry for entry in entries if entry.at >= at]

    def _wait_for(
        self, order: Order, expected: Json, count: int, told: dict[str, Any]
    ) -> list[Entry]:
        self._check_on()
        number, at = _start(told)
        return self._journal.wait(
            lambda entry: entry.at >= at and not expectations.differences(expected, entry),
            tenant_id=order.tenant_id,
            since=number,
            count=count,
            seconds=told.get("timeout", 0.0),
        )


def _start(told: dict[str, Any]) -> tuple[int, float]:
    """The number and the time after which entries count: `since` is either."""
    since = str(told.get("since", "0"))
    if since.isascii() and since.isdigit():
        return int(since), -1e12
    try:
        return 0, moment(since)
    except ValueError as wrong:
        raise WireError(
            400, "BadArgument", f"since must be an entry's number, or {wrong}."
        ) from None


def _about_nearest(expected: Json, entries: list[Entry]) -> Json | None:
    best = expectations.nearest(expected, entries)
    if best is None:
        return None
    entry, found = best
    return {
        "entry": view.whole(entry),
        "differences": [expectations.about(each) for each in found],
    }
