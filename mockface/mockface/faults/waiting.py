"""What goes wrong on the way, on command: which answers are hit, and how often.

What a fault makes of an answer is told in `damage`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from threading import Lock
from typing import TYPE_CHECKING

from mockface.faults import delays
from mockface.operations import matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mockface.dice import Dice
    from mockface.faults.delays import Delay

_MOST_WAITING = 1_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One instruction.

    Attributes:
        id: Its number.
        route: The name of a route, or a pattern such as `create*` or `*`.
        probability: How likely it hits an answer that fits, above 0 and up to 1.
        left: How many answers are still to be hit; `None` is all of them.
        until: When it ends, in seconds since 1970 by the emulated clock; `None` is never.
        status: The status of the answer; the operation is then not carried out. `None` carries it
            out.
        retry_after: Seconds in a `Retry-After` header.
        body: What the answer's body is, a key of `damage.BODIES`.
        delay: How long before the answer.
        cut_after: Bytes of the body after which the connection is closed.
        bytes_per_second: How fast the body goes.
        reset: The connection is reset instead of an answer.
        tenant_id: Whose answers; `None` is everybody's.
        serial: Its number among the faults of its tenant; chance goes by it.
        hits: How many answers it has hit.
    """

    id: int
    route: str
    probability: float = 1.0
    left: int | None = 1
    until: float | None = None
    status: int | None = None
    retry_after: int | None = None
    body: str = "service"
    delay: Delay = delays.NONE
    cut_after: int | None = None
    bytes_per_second: float | None = None
    reset: bool = False
    tenant_id: str | None = None
    serial: int = 0
    hits: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """A fault that hits an answer, with what was drawn for it.

    Attributes:
        fault: The instruction.
        delay: Seconds before the answer.
    """

    fault: Fault
    delay: float


class Faults:
    """The instructions that wait; the oldest that fits and whose dice fall so is used first.

    Each tenant has draws of its own, so what others do changes nothing for it.

    Args:
        dice: Where chances and delays come from.
    """

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._lock = Lock()
        self._waiting: dict[int, Fault] = {}
        self._drawn: dict[int, Counter[str]] = {}
        self._made = 0
        self._serials: Counter[str | None] = Counter()

    def add(self, fault: Fault) -> Fault:
        """Adds an instruction; gives it back with its number.

        Raises:
            OverflowError: Too many wait already.
        """
        with self._lock:
            if len(self._waiting) >= _MOST_WAITING:
                raise OverflowError(f"At most {_MOST_WAITING} faults can wait.")
            self._made += 1
            self._serials[fault.tenant_id] += 1
            numbered = replace(fault, id=self._made, serial=self._serials[fault.tenant_id])
            self._waiting[numbered.id] = numbered
            self._drawn[numbered.id] = Counter()
            return numbered

    def take(self, route: str, tenant_id: str, now: Callable[[], float]) -> Hit | None:
        """What hits the next answer, counted down; `None` if all goes well.

        Args:
            route: The operation's name.
            tenant_id: Whose answer it is.
            now: Tells the time of the emulated clock, in seconds since 1970.
        """
        if not self._waiting:  # nearly always, and no lock is needed to see it
            return None
        with self._lock:
            for fault in self._fitting(route, tenant_id, now):
                drawn = self._drawn[fault.id]
                drawn[tenant_id] += 1
                # One name for one draw: whose fault, which of theirs, at whom, for which time.
                draw = (fault.tenant_id or "", fault.serial, tenant_id, drawn[tenant_id])
                if fault.probability >= self._dice.fraction(0, 1, "chance", *draw):
                    self._count_down(fault)
                    return Hit(fault, fault.delay.draw(self._dice.generator("delay", *draw)))
        return None

    def waiting(self, tenant_id: str | None = None) -> list[Fault]:
        """The instructions that are left; with a tenant, those that are the tenant's own."""
        with self._lock:
            return [f for f in self._waiting.values() if tenant_id in (None, f.tenant_id)]

    def drop(self, fault_id: int, tenant_id: str | None = None) -> bool:
        """Drops one, with a tenant only one of its own; gives back whether there was one."""
        with self._lock:
            fault = self._waiting.get(fault_id)
            if fault is None or tenant_id not in (None, fault.tenant_id):
                return False
            self._forget(fault)
            return True

    def clear(self, tenant_id: str | None = None) -> None:
        """Drops them; with a tenant, only the tenant's own.

        Then chance begins anew: the same instructions hit the same answers again.
        """
        with self._lock:
            for fault in list(self._waiting.values()):
                if tenant_id in (None, fault.tenant_id):
                    self._forget(fault)
            if tenant_id is None:
                self._made = 0
                self._serials.clear()
            else:
                del self._serials[tenant_id]

    def _fitting(self, route: str, tenant_id: str, now: Callable[[], float]) -> Iterator[Fault]:
        for fault in list(self._waiting.values()):
            if fault.until is not None and now() >= fault.until:
                self._forget(fault)
            elif fault.tenant_id in (None, tenant_id) and matches(fault.route, route):
                yield fault

    def _count_down(self, fault: Fault) -> None:
        if fault.left == 1:
            self._forget(fault)
            return
        left = None if fault.left is None else fault.left - 1
        self._waiting[fault.id] = replace(fault, left=left, hits=fault.hits + 1)

    def _forget(self, fault: Fault) -> None:
        self._waiting.pop(fault.id, None)
        self._drawn.pop(fault.id, None)
