"""What was asked and answered lately: no keys, no tokens, no bodies."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from threading import Lock

_MOST_ENTRIES = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and its answer.

    Attributes:
        at: Seconds since 1970.
        tenant_id: Whose request; empty for a request that showed no good key.
        method: In upper case.
        path: As it was called.
        route: The operation's name; empty for a path that is none.
        status: Of the answer.
        code: The service's error code, or empty.
        request_id: The answer's `apim-request-id`.
        fault: The number of the fault that hit it, or `None`.
    """

    at: float
    tenant_id: str
    method: str
    path: str
    route: str
    status: int
    code: str
    request_id: str
    fault: int | None


class Journal:
    """The latest entries; older ones are forgotten, so its memory is bounded."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_MOST_ENTRIES)
        self._lock = Lock()

    def add(self, entry: Entry) -> None:
        """Writes an entry."""
        with self._lock:
            self._entries.append(entry)

    def entries(self, tenant_id: str | None = None) -> list[Entry]:
        """Oldest first; with a tenant, only the tenant's."""
        with self._lock:
            return [e for e in self._entries if tenant_id in (None, e.tenant_id)]

    def clear(self, tenant_id: str | None = None) -> None:
        """Forgets them; with a tenant, only the tenant's."""
        with self._lock:
            kept = [e for e in self._entries if tenant_id not in (None, e.tenant_id)]
            self._entries.clear()
            self._entries.extend(kept)
