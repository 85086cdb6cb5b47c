"""What `Mockface` is made with, checked: a wrong argument is named, and what it has to be."""

from __future__ import annotations

from collections.abc import Callable, Collection
from os import PathLike
from types import MappingProxyType

from mockface.addresses import LONGEST_KEY, is_key, is_sendable, is_url
from mockface.clock import Clock
from mockface.limits import TIERS
from mockface.scenarios import Pace

_Rule = tuple[Callable[[object], bool], str]


def check(**given: object) -> None:
    """Checks arguments by their names.

    Raises:
        ValueError: The first that is wrong.
    """
    for name, value in given.items():
        right, must = _RULES[name]
        if not right(value):
            raise ValueError(f"{name} must be {must}.")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_token(value: object) -> bool:
    return isinstance(value, str) and is_sendable(value)


def _are_keys(value: object) -> bool:
    # A text is a collection too, of its letters.
    if not isinstance(value, Collection) or isinstance(value, str | bytes):
        return False
    return bool(value) and all(is_key(each) for each in value)


def _is_pace(value: object) -> bool:
    try:
        Pace.parse(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _or_none(right: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or right(value)


def _whole(low: int, high: int) -> _Rule:
    def right(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    return right, f"a whole number from {low} to {high}"


_FLAG: _Rule = (lambda value: isinstance(value, bool), "True or False")
_FILE: _Rule = (
    _or_none(lambda value: isinstance(value, str | PathLike)),
    "the path of a PEM file, or None",
)
_RULES: MappingProxyType[str, _Rule] = MappingProxyType(
    {
        "keys": (
            _or_none(_are_keys),
            f'a list such as ["any-key"], of 1 to {LONGEST_KEY} characters of ASCII each, or None',
        ),
        "seed": (_or_none(lambda value: isinstance(value, str)), 'a text such as "1", or None'),
        "scenario": (_is_text, "the name of a scenario"),
        "pace": (_is_pace, "at-once, or reads such as 3reads, or seconds such as 30s"),
        "clock": (_or_none(lambda value: isinstance(value, Clock)), "a mockface.Clock or None"),
        "vision": _FLAG,
        "bearer": (_or_none(_is_token), "a token of printable ASCII, or None"),
        "public_url": (_or_none(is_url), "a URL such as http://localhost:8178, or None"),
        "trust_proxy": _FLAG,
        "tls": _FLAG,
        "tls_certificate": _FILE,
        "tls_key": _FILE,
        "access_log": _FLAG,
        "host": (_is_text, "an address or a name such as 127.0.0.1"),
        "port": _whole(0, 65_535),
        "threads": _whole(1, 256),
        "loose": _FLAG,
        "accept_newer": _FLAG,
        "tier": (
            _or_none(lambda value: value in tuple(TIERS)),
            f"one of {', '.join(TIERS)}, or None",
        ),
        "journal_entries": _whole(0, 10**7),
        "journal_bytes": _whole(0, 10**9),
        "allow_remote": _FLAG,
    }
)
