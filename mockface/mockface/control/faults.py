"""The control API's calls about what goes wrong: faults, and the tiers' rate limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import UNSET

from mockface.control import bodies
from mockface.control.bodies import bad
from mockface.faults.waiting import Fault
from mockface.operations import matches
from mockface.responses import answer, error
from mockface.wire import Response

if TYPE_CHECKING:
    from collections.abc import Collection

    from mockface.clock import Clock
    from mockface.control.order import Order, Places
    from mockface.faults.limits import Limits
    from mockface.faults.waiting import Faults

_NUMBER = re.compile(r"[0-9]{1,9}")


class FaultControl:
    """Carries them out.

    Args:
        faults: What waits to go wrong.
        limits: Who is in which tier.
        clock: The time of everybody who has no own.
        routes: The names of all operations.
    """

    def __init__(
        self, faults: Faults, limits: Limits, clock: Clock, routes: Collection[str]
    ) -> None:
        self._faults = faults
        self._limits = limits
        self._clock = clock
        self._routes = routes
        self.places: Places = {
            ("GET", "faults"): self._list,
            ("POST", "faults"): self._add,
            ("DELETE", "faults"): self._clear,
            ("DELETE", "faults/{}"): self._drop,
            ("GET", "limit"): self._limit,
            ("PUT", "limit"): self._set_limit,
        }

    def _list(self, order: Order) -> Response:
        waiting = self._faults.waiting(order.tenant_id)
        return answer(200, {"faults": [bodies.about_fault(fault) for fault in waiting]})

    def _add(self, order: Order) -> Response:
        asked = bodies.read(bodies.FaultBody, order.request)
        if not any(matches(asked.route, name) for name in self._routes):
            raise bad(f"route must fit one of: {', '.join(self._routes)}; * is allowed.")
        until = None
        if asked.seconds is not UNSET:
            clock = self._clock if order.tenant is None else order.tenant.clock
            until = clock.now() + asked.seconds
        fault = Fault(
            id=0,
            route=asked.route,
            probability=asked.probability,
            left=asked.count or None,
            until=until,
            tenant_id=order.tenant_id,
            **asked.effects(),
        )
        try:
            fault = self._faults.add(fault)
        except OverflowError as wrong:
            raise bad(str(wrong)) from None
        return answer(201, bodies.about_fault(fault))

    def _clear(self, order: Order) -> Response:
        self._faults.clear(order.tenant_id)
        return Response(204)

    def _drop(self, order: Order) -> Response:
        number = int(order.name) if _NUMBER.fullmatch(order.name) else 0
        if not self._faults.drop(number, order.tenant_id):
            return error(404, "404", "No such fault waits.")
        return Response(204)

    def _limit(self, order: Order) -> Response:
        return answer(200, {"tier": self._limits.tier(order.tenant_id) or "none"})

    def _set_limit(self, order: Order) -> Response:
        tier = bodies.read(bodies.TierBody, order.request).tier
        self._limits.set(None if tier == "none" else tier, order.tenant_id)
        return self._limit(order)
