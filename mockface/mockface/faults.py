"""What goes wrong on command: which answers are hit, and what becomes of them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from mockface.api.models import timestamp
from mockface.operations import NAMES, matches
from mockface.responses import WireError, answer, error
from mockface.validation import integer, length, number, one_of
from mockface.wire import Delivery, Json, Response

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from mockface.dice import Dice

BODIES = ("service", "gateway", "garbage", "truncated", "empty")
"""What an answer's body can be: the service's own, the gateway's, no JSON, cut off, or nothing."""

_MOST_WAITING = 1_000
_MOST_BYTES = 64 * 1024 * 1024
_LONGEST_DELAY = 600.0  # seconds, whatever is drawn
_A_YEAR = 366 * 86_400.0
_DELAYS = "seconds from 0 to 600, {low, high} of them in this order, or {median, sigma}"
_GARBAGE = b'{"error": {"code": "Oops", <html><body>\xff\xfe upstream'
_MESSAGES = {
    401: "Access denied: the subscription key is missing or wrong.",
    403: "The subscription is not approved for this feature.",
    429: "The rate limit is exceeded.",
    500: "Something went wrong inside the service.",
    503: "The service is not available right now.",
}
_CODES = {
    400: "BadArgument",
    403: "UnsupportedFeature",
    404: "SessionNotFound",
    409: "ConcurrentOperationConflict",
    415: "BadArgument",
}

_Delay = Annotated[float, number(0, _LONGEST_DELAY)]


class Fault(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """An instruction; `ControlClient.add_fault` says what its fields mean.

    Raises:
        ValueError: No operation has the route, the delay is none, or nothing would go wrong.
    """

    route: Annotated[str, length(64)]
    status: Annotated[int, integer(400, 599)] | None = None
    retry_after: Annotated[int, integer(0, 86_400)] | None = None
    body: Annotated[str, one_of(*BODIES)] = "service"
    delay: Annotated[_Delay | dict[str, _Delay] | None, Meta(description=_DELAYS)] = None
    cut_after: Annotated[int, integer(0, _MOST_BYTES)] | None = None
    bytes_per_second: Annotated[float, number(1, _MOST_BYTES)] | None = None
    reset: bool = False
    count: Annotated[int, integer(0, 1_000_000)] = 1
    probability: Annotated[float, number(1e-6, 1)] = 1.0
    seconds: Annotated[float, number(0, _A_YEAR)] | None = None

    def __post_init__(self) -> None:
        if not any(matches(self.route, name) for name in NAMES):
            raise ValueError(f"route must fit one of: {', '.join(NAMES)}; * is allowed")
        if isinstance(self.delay, dict):
            known = self.delay.keys() in ({"low", "high"}, {"median", "sigma"})
            if not known or self.delay.get("low", 0) > self.delay.get("high", 0):
                raise ValueError(f"delay must be {_DELAYS}")
        effects = (self.status, self.retry_after, self.delay, self.cut_after, self.bytes_per_second)
        if self.body == "service" and not self.reset and effects == (None,) * len(effects):
            raise ValueError(
                "say at least one of status, retryAfter, body, delay, cutAfter, bytesPerSecond and "
                "reset"
            )

    def draw_delay(self, generator: random.Random) -> float:
        """The seconds before the next answer."""
        match self.delay:
            case {"low": low, "high": high}:
                return generator.uniform(low, high)
            case {"median": median, "sigma": sigma}:
                return min(median * math.exp(sigma * generator.gauss(0, 1)), _LONGEST_DELAY)
            case float(seconds):
                return seconds
        return 0.0


@dataclass(slots=True)
class _Waiting:
    """A fault that waits: whose it is, and what it still has to hit."""

    id: int
    fault: Fault
    tenant_id: str | None  # None is for everybody
    serial: int  # among the faults of its tenant; chance goes by it
    until: float | None  # seconds since 1970
    left: int | None  # None is all
    hits: int = 0
    draws: Counter[str] = field(default_factory=Counter)  # by tenant

    def fits(self, route: str, tenant_id: str) -> bool:
        return self.tenant_id in (None, tenant_id) and matches(self.fault.route, route)

    def as_json(self) -> Json:
        said: Json = {
            "id": self.id,
            "tenant": self.tenant_id,
            "hits": self.hits,
            "until": None if self.until is None else timestamp(self.until),
        }
        said |= msgspec.to_builtins(self.fault)
        return said | {"count": self.left or 0}


class Hit(NamedTuple):
    """A fault that hits an answer, its number, and the seconds drawn for its delay."""

    id: int
    fault: Fault
    delay: float


class Faults:
    """The faults that wait; the oldest that fits and whose dice fall so is used first.

    Each tenant has draws of its own, so what others do changes nothing for it.

    Args:
        dice: Where chances and delays come from.
    """

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._lock = Lock()
        self._waiting: dict[int, _Waiting] = {}
        self._made = 0
        self._serials: Counter[str | None] = Counter()

    def add(self, fault: Fault, tenant_id: str | None, now: float) -> Json:
        """Adds one, and says how it waits.

        Args:
            fault: What is to go wrong.
            tenant_id: Whose answers; `None` is everybody's.
            now: Seconds since 1970.

        Raises:
            WireError: Too many wait already.
        """
        with self._lock:
            if len(self._waiting) >= _MOST_WAITING:
                raise WireError(400, "BadArgument", f"At most {_MOST_WAITING} faults can wait.")
            self._made += 1
            self._serials[tenant_id] += 1
            until = None if fault.seconds is None else now + fault.seconds
            waiting = self._waiting[self._made] = _Waiting(
                self._made, fault, tenant_id, self._serials[tenant_id], until, fault.count or None
            )
            return waiting.as_json()

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
            for each in list(self._waiting.values()):
                if each.until is not None and now() >= each.until:
                    if each.hits:  # one that hit nothing stays, so that its test learns of it
                        del self._waiting[each.id]
                elif each.fits(route, tenant_id):
                    each.draws[tenant_id] += 1
                    # One name for one draw: whose fault, which of theirs, at whom, for which time.
                    draw = (each.tenant_id or "", each.serial, tenant_id, each.draws[tenant_id])
                    if each.fault.probability >= self._dice.fraction(0, 1, "chance", *draw):
                        self._count_down(each)
                        delay = each.fault.draw_delay(self._dice.generator("delay", *draw))
                        return Hit(each.id, each.fault, delay)
        return None

    def waiting(self, tenant_id: str | None = None) -> list[Json]:
        """The faults that are left or hit nothing, oldest first; with a tenant, its own alone."""
        with self._lock:
            return [
                each.as_json()
                for each in self._waiting.values()
                if tenant_id in (None, each.tenant_id)
            ]

    def drop(self, fault_id: int, tenant_id: str | None = None) -> bool:
        """Drops one, with a tenant only one of its own; gives back whether there was one."""
        with self._lock:
            each = self._waiting.get(fault_id)
            if each is None or tenant_id not in (None, each.tenant_id):
                return False
            del self._waiting[fault_id]
            return True

    def clear(self, tenant_id: str | None = None) -> None:
        """Drops them; with a tenant, only the tenant's own.

        Then chance begins anew: the same instructions hit the same answers again.
        """
        with self._lock:
            if tenant_id is None:
                self._waiting.clear()
                self._serials.clear()
                self._made = 0
            else:
                own = [n for n, each in self._waiting.items() if each.tenant_id == tenant_id]
                for number in own:
                    del self._waiting[number]
                del self._serials[tenant_id]

    def _count_down(self, waiting: _Waiting) -> None:
        waiting.hits += 1
        if waiting.left is not None:
            waiting.left -= 1
            if not waiting.left:
                del self._waiting[waiting.id]


def apply(hit: Hit, carry_out: Callable[[], Response]) -> Response:
    """The answer that a fault makes of an operation.

    Args:
        hit: The fault, and what was drawn for it.
        carry_out: Carries the operation out; called only by a fault that has no status of its own.
    """
    fault = hit.fault
    response = carry_out() if fault.status is None else refusal(fault.status, fault.retry_after)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = str(fault.retry_after)
    response.delay = hit.delay
    if fault.body == "gateway":  # in front of the service; it gives a number instead of a code
        said = _MESSAGES.get(response.status, "Refused.")
        shape = {"error": {"statusCode": response.status, "message": said}}
        response.body = answer(response.status, shape).body
    elif fault.body == "empty":
        response.body = b""
    cut_after = fault.cut_after
    if fault.body in ("garbage", "truncated") or cut_after is not None:
        if (
            response.status == HTTPStatus.NO_CONTENT
        ):  # which has no body, so nothing could be wrong with it
            response.status = 200
        response.body = _GARBAGE if fault.body == "garbage" else response.body or b"{}"
    if fault.body == "truncated" and cut_after is None:
        cut_after = len(response.body) // 2
    how = Delivery(fault.bytes_per_second, cut_after, fault.reset)
    if how != response.delivery:
        response.delivery = how
    return response


def refusal(status: int, retry_after: int | None = None, remedy: str = "") -> Response:
    """An error of the service, with a sentence for people if there is a remedy.

    The error page has the codes, and for a 429 a message that names the seconds; that `Retry-After`
    goes with it is an assumption.
    """
    message = _MESSAGES.get(status, "The emulator was told to answer so.")
    if status == HTTPStatus.TOO_MANY_REQUESTS and retry_after is not None:
        message = f"The rate limit is exceeded. Try again in {retry_after} seconds."
    unnamed = "Unspecified" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else str(status)
    code = _CODES.get(status, unnamed)
    response = error(status, code, f"{message} {remedy}".rstrip())
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response
