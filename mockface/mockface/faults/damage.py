"""What a fault makes of an answer."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from mockface.responses import answer, error
from mockface.wire import Delivery, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockface.faults.waiting import Fault, Hit

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
    {
        400: "BadArgument",
        403: "UnsupportedFeature",
        404: "SessionNotFound",
        409: "ConcurrentOperationConflict",
        415: "BadArgument",
    }
)
_CODE_OF_500 = "Unspecified"

_NO_CONTENT, _THROTTLED, _SERVER_ERROR = 204, 429, 500


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
    BODIES[fault.body](response)
    _send_it_so(response, fault)
    return response


def refusal(status: int, retry_after: int | None = None) -> Response:
    """An error of the service.

    The error page has the codes, and for a 429 a message that names the seconds; that `Retry-After`
    goes with it is an assumption.
    """
    message = _MESSAGES.get(status, "The emulator was told to answer so.")
    if status == _THROTTLED and retry_after is not None:
        message = f"The rate limit is exceeded. Try again in {retry_after} seconds."
    default = _CODE_OF_500 if status >= _SERVER_ERROR else str(status)
    response = error(status, _CODES.get(status, default), message)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def _send_it_so(response: Response, fault: Fault) -> None:
    if fault.cut_after is None and fault.bytes_per_second is None and not fault.reset:
        return
    cut_after = response.delivery.cut_after  # of a truncated body
    if fault.cut_after is not None:
        _make_room(response)
        cut_after = fault.cut_after
    response.delivery = Delivery(fault.bytes_per_second, cut_after, fault.reset)


def _gateway(response: Response) -> None:
    """The shape of the gateway in front of the service: a number instead of a code."""
    said = {"statusCode": response.status, "message": _MESSAGES.get(response.status, "Refused.")}
    response.body = answer(response.status, {"error": said}).body


def _garbage(response: Response) -> None:
    _make_room(response)
    response.body = _GARBAGE


def _truncated(response: Response) -> None:
    _make_room(response)
    response.delivery = Delivery(cut_after=len(response.body) // 2)


def _empty(response: Response) -> None:
    response.body = b""


def _make_room(response: Response) -> None:
    """A 204 has no body, so nothing could be wrong with it."""
    if response.status == _NO_CONTENT:
        response.status = 200
    response.body = response.body or b"{}"


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
