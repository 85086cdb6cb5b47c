"""What was asked and answered lately, kept small and shown on demand.

On the way of a request only references are kept, and what is large becomes its hash at once. What
`view` shows of an entry, with secrets shortened, is made when somebody asks.
"""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import dataclass
from itertools import takewhile
from threading import Condition
from typing import TYPE_CHECKING

from mockface.journal import redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mockface.wire import Request, Response

MOST_ENTRIES = 10_000
MOST_BYTES = 16 * 1024 * 1024

_BESIDES = 600  # bytes of memory that an entry takes besides its texts and bodies
_LARGE = 2048  # a body of more bytes is kept as what may be shown of it
_LARGEST = 16 * 1024  # a JSON answer of more bytes is kept as its hash
_LONGEST_METHOD = 20
_LONGEST_PATH = 500
_LONGEST_HEADERS = 4096
_NOISE = frozenset(
    {"accept", "accept-encoding", "accept-language", "cache-control", "connection", "host"}
)

Body = bytes | dict[str, object]
"""Small ones as they were; large ones as they may be shown."""


@dataclass(slots=True)
class Entry:
    """One request and its answer; nobody changes one that is in the journal.

    Attributes:
        at: Seconds since 1970.
        tenant_id: Whose request; empty for a request that showed no good key.
        method: In upper case.
        path: As it was called.
        query: As it was called.
        route: The operation's name; empty for a path that is none.
        session_id: The session that path or token names; empty for a create.
        request_id: The answer's `apim-request-id`.
        fault: The number of the fault that hit it, or `None`.
        asked_headers: A line each, with their secrets.
        asked: The request's body.
        status: Of the answer.
        code: The service's error code, or empty.
        answered_headers: A line each.
        answered: The answer's body.
        size: About how many bytes of memory it takes.
        id: Counts from 1.
    """

    at: float
    tenant_id: str
    method: str
    path: str
    query: str
    route: str
    session_id: str
    request_id: str
    fault: int | None
    asked_headers: str
    asked: Body
    status: int
    code: str
    answered_headers: str
    answered: Body
    size: int
    id: int = 0


def entry(
    request: Request,
    response: Response,
    *,
    at: float,
    tenant_id: str,
    route: str,
    session_id: str,
    request_id: str,
    fault: int | None,
) -> Entry:
    """The entry for a request and its answer; the attributes are those of `Entry`."""
    asked_headers = _lines(request.headers)
    answered_headers = _lines(response.headers)
    asked, answered = request.body, response.body
    kept_asked: Body = asked
    kept_answered: Body = answered
    size = _BESIDES + len(asked_headers) + len(answered_headers) + len(asked) + len(answered)
    if len(asked) > _LARGE:
        kept_asked = _small(request.headers.get("content-type", ""), asked)
        size += len(json.dumps(kept_asked)) - len(asked)
    if len(answered) > _LARGEST:
        kept_answered = redaction.picture(answered)
        size -= len(answered)
    return Entry(
        at,
        tenant_id,
        request.method[:_LONGEST_METHOD],
        request.path[:_LONGEST_PATH],
        request.query[:_LONGEST_PATH],
        route,
        session_id,
        request_id,
        fault,
        asked_headers,
        kept_asked,
        response.status,
        response.headers.get("x-ms-error-code", ""),
        answered_headers,
        kept_answered,
        size,
    )


class Journal:
    """The latest entries; older ones are forgotten, so its memory is bounded.

    Args:
        most_entries: How many are kept; 0 keeps none.
        most_bytes: How much memory they may take, roughly.
    """

    def __init__(self, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES) -> None:
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._entries: deque[Entry] = deque()
        self._bytes = 0
        self._last = 0
        self._forgotten: dict[str, int] = {}  # by tenant, the number of the newest one
        self._changed = Condition()
        self._interruptions = 0

    @property
    def is_off(self) -> bool:
        """Whether it keeps nothing."""
        return self._most_entries == 0

    def has_forgotten(self, tenant_id: str | None = None, *, since: int = 0) -> bool:
        """Whether entries after a number had to make room; with a tenant, the tenant's."""
        with self._changed:
            return any(
                number > since and tenant_id in (None, whose)
                for whose, number in self._forgotten.items()
            )

    @property
    def size(self) -> int:
        """About how many bytes of memory the entries take."""
        return self._bytes

    def add(self, entry: Entry) -> None:
        """Writes an entry, and gives it its number."""
        with self._changed:
            self._last += 1
            entry.id = self._last
            self._entries.append(entry)
            self._bytes += entry.size
            while len(self._entries) > self._most_entries or self._bytes > self._most_bytes:
                oldest = self._entries.popleft()
                self._bytes -= oldest.size
                self._forgotten[oldest.tenant_id] = oldest.id
            self._changed.notify_all()

    def entries(self, tenant_id: str | None = None, *, since: int = 0) -> list[Entry]:
        """Oldest first; with a tenant, only the tenant's; only those after the number `since`."""
        with self._changed:
            return self._after(since, tenant_id)

    def wait(
        self,
        fits: Callable[[Entry], bool],
        *,
        tenant_id: str | None = None,
        since: int = 0,
        count: int = 1,
        seconds: float,
    ) -> list[Entry]:
        """Waits until enough entries fit.

        Args:
            fits: Whether an entry is one of those that are waited for.
            tenant_id: Whose entries; `None` is everybody's.
            since: Only entries after this number count.
            count: How many are wanted.
            seconds: How long to wait in real time, whatever the emulated clock says.

        Returns:
            The entries that fit, oldest first; fewer than `count` if time ran out.
        """
        end = time.monotonic() + seconds
        found: list[Entry] = []
        interruptions = self._interruptions
        while True:
            with self._changed:
                new = self._after(since, tenant_id)
                since = self._last
            found += [each for each in new if fits(each)]
            left = end - time.monotonic()
            if len(found) >= count or left <= 0 or self._interruptions > interruptions:
                return found
            with self._changed:
                if self._last == since and self._interruptions == interruptions:
                    self._changed.wait(left)

    def interrupt(self) -> None:
        """Lets all that wait go on, with what there is: the server stops."""
        with self._changed:
            self._interruptions += 1
            self._changed.notify_all()

    def clear(self, tenant_id: str | None = None) -> None:
        """Forgets them; with a tenant, only the tenant's. The numbers go on."""
        with self._changed:
            kept = [e for e in self._entries if tenant_id not in (None, e.tenant_id)]
            self._entries = deque(kept)
            self._bytes = sum(e.size for e in kept)
            if tenant_id is None:
                self._forgotten.clear()
            else:
                self._forgotten.pop(tenant_id, None)

    def _after(self, since: int, tenant_id: str | None) -> list[Entry]:
        new = takewhile(lambda e: e.id > since, reversed(self._entries))
        return [e for e in new if tenant_id in (None, e.tenant_id)][::-1]


def _lines(headers: Mapping[str, str]) -> str:
    lines = [f"{name}:{value}" for name, value in headers.items() if name not in _NOISE]
    return "\n".join(lines)[:_LONGEST_HEADERS]


def _small(content_type: str, data: bytes) -> dict[str, object]:
    kind = content_type.partition(";")[0].strip().lower()
    shown = redaction.form(content_type, data) if kind == "multipart/form-data" else None
    return shown if isinstance(shown, dict) else redaction.picture(data)
