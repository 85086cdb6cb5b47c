"""What goes wrong on the way, on command: the next N answers of a route."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING

from mockface.wire import Delivery, Response, answer, error

if TYPE_CHECKING:
    from collections.abc import Callable

_GARBAGE = b'{"error": {"code": "Oops", <html><body>\xff\xfe upstream'

_MESSAGES = MappingProxyType(
    {
        401: "Access denied: the subscription key is missing or wrong.",
        403: "The subscription is not approved for this feature.",
        429: "The rate limit is exceeded.",
        500: "Something went wrong inside the service.",
        503: "The service is not available right now.",
    }
)
_CODES = MappingProxyType(
    {403: "UnsupportedFeature", 404: "SessionNotFound", 409: "ConcurrentOperationConflict"}
)
_CODE_OF_500 = "Unspecified"


@dataclass(frozen=True, slots=True)
class Fault:
    """One instruction.

    Attributes:
        id: Its number.
        route: The name of a route, or a pattern such as `create*` or `*`.
        status: The status of the answer; the operation is then not carried out. `None` carries it
            out.
        retry_after: Seconds in a `Retry-After` header.
        body: What the answer's body is, a key of `BODIES`.
        delay: Seconds before the answer.
        left: How many answers are still to be hit; `None` is all of them.
        tenant_id: Whose answers; `None` is everybody's.
    """

    id: int
    route: str
    status: int | None = None
    retry_after: int | None = None
    body: str = "service"
    delay: float = 0.0
    left: int | None = 1
    tenant_id: str | None = None


class Faults:
    """The instructions that wait; the oldest that fits is used first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[int, Fault] = {}
        self._made = 0

    def add(self, fault: Fault) -> Fault:
        """Adds an instruction; gives it back with its number."""
        with self._lock:
            self._made += 1
            numbered = replace(fault, id=self._made)
            self._waiting[numbered.id] = numbered
            return numbered

    def take(self, route: str, tenant_id: str) -> Fault | None:
        """The fault for the next answer, counted down; `None` if all goes well."""
        if not self._waiting:
            return None
        with self._lock:
            for fault in self._waiting.values():
                mine = fault.tenant_id is None or fault.tenant_id == tenant_id
                if mine and fnmatchcase(route, fault.route):
                    self._count_down(fault)
                    return fault
        return None

    def waiting(self, tenant_id: str | None = None) -> list[Fault]:
        """The instructions that are left; with a tenant, those that are the tenant's own."""
        with self._lock:
            return [f for f in self._waiting.values() if tenant_id in (None, f.tenant_id)]

    def clear(self, tenant_id: str | None = None) -> None:
        """Drops them; with a tenant, only the tenant's own."""
        for fault in self.waiting(tenant_id):
            with self._lock:
                self._waiting.pop(fault.id, None)

    def _count_down(self, fault: Fault) -> None:
        if fault.left is None:
            return
        if fault.left > 1:
            self._waiting[fault.id] = replace(fault, left=fault.left - 1)
        else:
            del self._waiting[fault.id]


def apply(fault: Fault, carry_out: Callable[[], Response]) -> Response:
    """The answer that a fault makes of an operation.

    Args:
        fault: The instruction.
        carry_out: Carries the operation out; called only by a fault that has no status of its own.
    """
    response = carry_out() if fault.status is None else _refusal(fault.status, fault.retry_after)
    if fault.retry_after is not None:
        response.headers["Retry-After"] = str(fault.retry_after)
    response.delay += fault.delay
    BODIES[fault.body](response)
    return response


def _refusal(status: int, retry_after: int | None) -> Response:
    message = _MESSAGES.get(status, "The emulator was told to answer so.")
    if status == 429 and retry_after is not None:  # noqa: PLR2004 - an HTTP status
        message = f"The rate limit is exceeded. Try again in {retry_after} seconds."
    default = _CODE_OF_500 if status >= 500 else str(status)  # noqa: PLR2004 - an HTTP status
    return error(status, _CODES.get(status, default), message)


def _gateway(response: Response) -> None:
    """The shape of the gateway in front of the service: a number instead of a code."""
    said = {"statusCode": response.status, "message": _MESSAGES.get(response.status, "Refused.")}
    response.body = answer(response.status, {"error": said}).body


def _garbage(response: Response) -> None:
    _make_room(response)
    response.body = _GARBAGE


def _truncated(response: Response) -> None:
    _make_room(response)
    response.body = response.body or b"{}"
    response.delivery = Delivery(cut_after=len(response.body) // 2)


def _empty(response: Response) -> None:
    response.body = b""


def _make_room(response: Response) -> None:
    """A 204 has no body, so nothing could be wrong with it."""
    if response.status == 204:  # noqa: PLR2004 - an HTTP status
        response.status = 200


def _as_it_is(response: Response) -> None:
    """The body stays."""


BODIES: MappingProxyType[str, Callable[[Response], None]] = MappingProxyType(
    {
        "service": _as_it_is,
        "gateway": _gateway,
        "garbage": _garbage,
        "truncated": _truncated,
        "empty": _empty,
    }
)
"""What an answer's body can be: the service's own, the gateway's, no JSON, cut off, or nothing."""
