"""The rate limits of the service's price tiers, by the emulated clock."""

from __future__ import annotations

import math
from collections import deque
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

TIERS = MappingProxyType({"F0": (20, 60.0), "S0": (10, 1.0)})
"""How many calls pass at most, in any stretch of how many seconds.

The documentation has the numbers. That they hold in a window that slides is an assumption.
"""


class Limits:
    """Which tenant is in which tier, and what it has called lately.

    Args:
        tier: The tier of all tenants that were given none, a key of `TIERS`; `None` has no limit.
    """

    def __init__(self, tier: str | None = None) -> None:
        self._first = self._tier = tier
        self._lock = Lock()
        self._own: dict[str, str | None] = {}
        self._calls: dict[str, deque[float]] = {}

    def tier(self, tenant_id: str | None = None) -> str | None:
        """A tenant's tier; without a tenant, that of all who were given none."""
        with self._lock:
            return self._tier if tenant_id is None else self._own.get(tenant_id, self._tier)

    def set(self, tier: str | None, tenant_id: str | None = None) -> None:
        """Puts a tenant, or all who were given none, into a tier; counting starts anew."""
        with self._lock:
            if tenant_id is None:
                self._tier = tier
                self._calls.clear()
            else:
                self._own[tenant_id] = tier
                self._calls.pop(tenant_id, None)

    def wait(self, tenant_id: str, now: Callable[[], float]) -> int | None:
        """Counts a call; a refused one does not count (assumption).

        Args:
            tenant_id: Whose call it is.
            now: Tells the time of the emulated clock, in seconds since 1970.

        Returns:
            `None` if it may pass; else the whole seconds after which the next one may.
        """
        if self._tier is None and not self._own:  # nearly always, and no lock is needed to see it
            return None
        with self._lock:
            name = self._own.get(tenant_id, self._tier)
            if name is None:
                return None
            (most, seconds), at = TIERS[name], now()
            calls = self._calls.setdefault(tenant_id, deque())
            while calls and not at - seconds < calls[0] <= at:
                calls.popleft()
            if len(calls) < most:
                calls.append(at)
                return None
            return max(1, math.ceil(calls[0] + seconds - at))

    def reset(self, tenant_id: str | None = None) -> None:
        """Puts a tenant, or everything, back to how it was at the start."""
        with self._lock:
            if tenant_id is None:
                self._tier = self._first
                self._own.clear()
                self._calls.clear()
            else:
                self._own.pop(tenant_id, None)
                self._calls.pop(tenant_id, None)
