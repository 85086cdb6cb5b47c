"""What somebody expects to have been asked: which entries meet it, and how the others differ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from mockface.journal import view
from mockface.operations import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mockface.journal.entries import Entry
    from mockface.wire import Json

WORDS: MappingProxyType[str, Callable[[Entry], object]] = MappingProxyType(
    {
        "route": attrgetter("route"),
        "method": attrgetter("method"),
        "path": view.path_of,
        "status": attrgetter("status"),
        "code": attrgetter("code"),
        "session": view.session_of,
        "requestId": attrgetter("request_id"),
        "fault": attrgetter("fault"),
    }
)
"""What a query can ask for, and where an entry has it."""

MESSAGES = ("query", "headers", "body", "answer")
"""What an expectation can say besides, each against the whole entry: only what is named counts."""

_STATUS = re.compile("[1-5](?:xx|[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Difference:
    """Where an entry is not as expected.

    Attributes:
        field: Such as `status` or `body.livenessOperationMode`.
        expected: The value or the pattern.
        actual: What the entry has; `None` where it has nothing.
    """

    field: str
    expected: object
    actual: object


def differences(expected: Json, entry: Entry) -> list[Difference]:
    """How an entry differs from what is expected; empty if it meets it.

    Args:
        expected: By the names of `WORDS` and `MESSAGES`. A text may be a pattern with `*` and `?`;
            a status may be a class, such as `4xx`.
        entry: What happened.
    """
    found = [
        Difference(name, wanted, actual)
        for name, wanted in expected.items()
        if name in WORDS and not _is(name, wanted, actual := WORDS[name](entry))
    ]
    return found + _in_messages(expected, entry)


def check(words: Json, routes: Iterable[str]) -> None:
    """Refuses what no entry can fit: that it never happened would always be true.

    Args:
        words: What an entry is asked for by.
        routes: The names of all operations.

    Raises:
        ValueError: A route, a status or a method is none.
    """
    route = words.get("route", "")  # what is no operation has an empty one
    if route != "" and not any(_is("route", route, name) for name in routes):
        raise ValueError(f"route must fit one of: {', '.join(routes)}; * is allowed")
    if "status" in words and not _STATUS.fullmatch(str(words["status"])):
        raise ValueError("status must be one such as 404 or 4xx")
    if "method" in words and str(words["method"]) != str(words["method"]).upper():
        raise ValueError("method must be in capital letters, such as POST")


def nearest(expected: Json, entries: Iterable[Entry]) -> tuple[Entry, list[Difference]] | None:
    """The entry that differs least, the newest of several; `None` if there is none at all."""
    best: tuple[Entry, list[Difference]] | None = None
    for entry in entries:
        found = differences(expected, entry)
        if best is None or len(found) <= len(best[1]):
            best = (entry, found)
    return best


def about(found: Difference) -> Json:
    """A difference as the control API tells it."""
    return {"field": found.field, "expected": found.expected, "actual": found.actual}


def _in_messages(expected: Json, entry: Entry) -> list[Difference]:
    if not any(name in expected for name in MESSAGES):
        return []
    whole: dict[str, Any] = view.whole(entry)
    actual = {
        "query": _parameters(whole["query"]),
        "headers": whole["request"]["headers"],
        "body": whole["request"]["body"],
        "answer": whole["answer"]["body"],
    }
    return [
        difference
        for name in MESSAGES
        if name in expected
        for difference in _compare(name, expected[name], actual[name])
    ]


def _compare(place: str, expected: object, actual: object) -> Iterator[Difference]:
    """Objects may have more than is expected, lists may not."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            inner = name.lower() if place == "headers" else name
            yield from _compare(f"{place}.{name}", value, actual.get(inner))
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for at, (wanted, given) in enumerate(zip(expected, actual, strict=True)):
            yield from _compare(f"{place}[{at}]", wanted, given)
    elif not _fits(expected, actual):
        yield Difference(place, expected, actual)


def _is(name: str, expected: object, actual: object) -> bool:
    if name == "route" and isinstance(expected, str) and isinstance(actual, str):
        return matches(_pattern(expected), actual)
    return _fits(expected, actual)


def _fits(expected: object, actual: object) -> bool:
    if isinstance(expected, str) and isinstance(actual, str):
        return expected == actual or (
            any(sign in expected for sign in "*?") and fnmatchcase(actual, _pattern(expected))
        )
    if isinstance(expected, str) and isinstance(actual, int) and not isinstance(actual, bool):
        text = str(actual)
        return expected in (text, f"{text[0]}xx")
    return expected == actual and isinstance(expected, bool) == isinstance(actual, bool)


def _pattern(text: str) -> str:
    """Only * and ? are signs."""
    return text.replace("[", "[[]")


def _parameters(query: object) -> dict[str, str]:
    return dict(parse_qsl(str(query), keep_blank_values=True))
