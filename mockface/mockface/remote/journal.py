"""The emulator's journal, read and held to from afar.

What is asked for is said by named arguments: `route`, `method`, `path`, `status`, `code`,
`session`, `requestId`, `fault`. A text may be a pattern with `*` and `?`, a status a class such as
`"4xx"`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockface.remote.call import Call

Json = dict[str, Any]

_PATIENCE = 10.0


class RemoteJournal:
    """What was asked and answered lately, in an emulator that runs elsewhere.

    Args:
        call: Makes a call of the control API.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    def entries(self, *, bodies: bool = False, **wanted: object) -> list[Json]:
        """The entries that fit, oldest first; at most a thousand, unless `limit` says otherwise.

        Args:
            bodies: With headers and bodies; secrets are shortened, pictures are their hashes.
            **wanted: See the module; besides `since`, a number or a time, and `limit`.
        """
        query = wanted | ({"bodies": "true"} if bodies else {})
        return list(self._call("GET", "journal", query=query)["entries"])

    def count(self, **wanted: object) -> int:
        """How many entries fit; see the module."""
        return int(self._call("GET", "journal/count", query=wanted)["count"])

    def wait_for(
        self, *, count: int = 1, timeout: float = _PATIENCE, **wanted: object
    ) -> list[Json]:
        """Waits until entries are there.

        Args:
            count: How many.
            timeout: Seconds to wait, at most 60.
            **wanted: See the module.

        Returns:
            The entries that fit; of more than a thousand the newest.

        Raises:
            AssertionError: They have not come.
        """
        query = {"count": count, "timeout": timeout, **wanted}
        said = self._call("GET", "journal/wait", query=query)
        if not said["met"]:
            raise AssertionError(
                f"{_sentence(wanted)} was to come {_times(count)} within {timeout} seconds; it "
                f"came {_times(said['count'])}."
            )
        return list(said["entries"])

    def expect(
        self,
        *,
        at_least: int | None = None,
        at_most: int | None = None,
        timeout: float = 0.0,
        **expected: object,
    ) -> int:
        """Asserts that something was asked and answered.

        Args:
            at_least: How often at least; 1, unless `at_most` says otherwise.
            at_most: How often at most; 0 asserts that it never was.
            timeout: Seconds to wait for it, at most 60.
            **expected: See the module; besides `query`, `headers`, `body` and `answer`, of which
                only what is named counts.

        Returns:
            How often it was.

        Raises:
            AssertionError: It is not so; if it came too seldom, the nearest entry is named, and how
                it differs.
        """
        bounds = {"atLeast": at_least, "atMost": at_most}
        told = {name: bound for name, bound in bounds.items() if bound is not None}
        body = {"expect": expected, "timeout": timeout} | told
        said = self._call("POST", "journal/verify", body)
        if not said["met"]:
            asked = {"at least": at_least, "at most": at_most}
            wanted = [f"{word} {_times(n)}" for word, n in asked.items() if n is not None]
            raise AssertionError(
                f"{_sentence(expected)} was to come {' and '.join(wanted) or 'at least once'}; it "
                f"came {_times(said['count'])}." + _nearest(said.get("nearest"))
            )
        return int(said["count"])

    def clear(self) -> None:
        """Forgets it."""
        self._call("DELETE", "journal")


def _sentence(wanted: Json) -> str:
    said = ", ".join(f"{name} {value!r}" for name, value in wanted.items())
    return f"A call with {said}" if said else "A call"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _nearest(nearest: Json | None) -> str:
    if nearest is None:
        return ""
    entry = nearest["entry"]
    lines = [f"\nThe nearest is {entry['method']} {entry['path']} -> {entry['status']}:"]
    lines += [
        f"  {each['field']} is {each['actual']!r}, not {each['expected']!r}"
        for each in nearest["differences"]
    ]
    return "\n".join(lines)
