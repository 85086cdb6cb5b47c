"""The control API's calls that keep what a tenant is, and bring it back."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from mockface.control import bodies
from mockface.dialects import reading
from mockface.dialects.reading import Field
from mockface.dialects.rendering import Json, timestamp
from mockface.wire import Response, WireError, answer, error

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockface.control.order import Order, Places
    from mockface.faults.limits import Kept, Limits
    from mockface.faults.waiting import Faults, Waiting
    from mockface.sessions.tenant import State, Tenant

_MOST = 100
_BODY = (Field("name", "name", reading.text(64)),)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A tenant at a moment; what it has written into the journal is no part of it.

    Attributes:
        taken_at: Seconds since 1970 by the tenant's clock.
        state: Its sessions, and all that the next answers depend on.
        faults: What waits to go wrong for it.
        limit: Its price tier, and what it has called lately.
    """

    taken_at: float
    state: State
    faults: Waiting
    limit: Kept


class SnapshotControl:
    """Carries them out; the snapshots live as long as the emulator, or until all of it is reset.

    Args:
        faults: What waits to go wrong.
        limits: Who is in which tier.
        one_tenant: The tenant that a call is about.
    """

    def __init__(
        self, faults: Faults, limits: Limits, one_tenant: Callable[[Order], Tenant]
    ) -> None:
        self._faults = faults
        self._limits = limits
        self._one_tenant = one_tenant
        self._lock = Lock()
        self._kept: dict[tuple[str, str], Snapshot] = {}
        self.places: Places = {
            ("GET", "snapshot"): self._list,
            ("POST", "snapshot"): self._take,
            ("PUT", "snapshot"): self._restore,
            ("DELETE", "snapshot"): self._drop,
        }

    def clear(self) -> None:
        """Forgets them all."""
        with self._lock:
            self._kept.clear()

    def _list(self, order: Order) -> Response:
        tenant = self._one_tenant(order)
        with self._lock:
            mine = {name: kept for (whose, name), kept in self._kept.items() if whose == tenant.id}
        return answer(200, {"snapshots": [_about(name, kept) for name, kept in mine.items()]})

    def _take(self, order: Order) -> Response:
        tenant, name = self._one_tenant(order), _name(order)
        snapshot = Snapshot(
            tenant.now(),
            tenant.state(),
            self._faults.save(tenant.id),
            self._limits.save(tenant.id),
        )
        with self._lock:
            if len(self._kept) >= _MOST and (tenant.id, name) not in self._kept:
                raise WireError(400, "BadArgument", f"At most {_MOST} snapshots are kept.")
            self._kept[tenant.id, name] = snapshot
        return answer(201, _about(name, snapshot))

    def _restore(self, order: Order) -> Response:
        tenant, name = self._one_tenant(order), _name(order)
        with self._lock:
            snapshot = self._kept.get((tenant.id, name))
        if snapshot is None:
            return error(404, "404", f"There is no snapshot {name!r}.")
        tenant.restore(snapshot.state)
        self._faults.restore(tenant.id, snapshot.faults)
        self._limits.restore(tenant.id, snapshot.limit)
        return answer(200, _about(name, snapshot))

    def _drop(self, order: Order) -> Response:
        tenant = self._one_tenant(order)
        with self._lock:
            for place in [place for place in self._kept if place[0] == tenant.id]:
                del self._kept[place]
        return Response(204)


def _name(order: Order) -> str:
    """The snapshot's name; who has only one need not think of one."""
    if not order.request.body:
        return "default"
    return str(bodies.told(_BODY, order.request).get("name", "default"))


def _about(name: str, snapshot: Snapshot) -> Json:
    return {"name": name, "takenAt": timestamp(snapshot.taken_at)}
