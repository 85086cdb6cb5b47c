"""A call of the control API, and who may make one."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mockface.responses import WireError
from mockface.wire import Request, Response

if TYPE_CHECKING:
    from mockface.sessions.tenant import Tenant

PREFIX = "/_mock"
KEY_HEADER = "ocp-apim-subscription-key"

_OWN_SITE = (None, "same-origin", "none")


@dataclass(frozen=True, slots=True)
class Order:
    """A call of the control API: the request, its tenant, and the name in its path."""

    request: Request
    tenant: Tenant | None
    name: str = ""

    @property
    def tenant_id(self) -> str | None:
        """The tenant's id, or `None` for the whole emulator."""
        return None if self.tenant is None else self.tenant.id


Places = dict[tuple[str, str], Callable[[Order], Response]]
"""What there is: by method and by the path below `PREFIX`, in which {} stands for one name."""


def check_caller(request: Request, *, open_to_all: bool) -> None:
    """Lets in who is on this machine, and no page of another site that somebody here looks at.

    Such a page could send forms here, or give its own name this machine's address (DNS rebinding):
    the first shows in the headers that browsers add, the second in `Host`.

    Args:
        request: The call.
        open_to_all: Whether other machines may call, under whatever name they know this one by.

    Raises:
        WireError: 403.
    """
    if not open_to_all and not is_loopback(request.peer):
        raise _forbidden("The control API answers callers on its own machine only.")
    host = request.header("host")
    if not open_to_all and host is not None and not is_loopback(_name(host)):
        raise _forbidden("The control API is called by an address of its own machine.")
    origin = request.header("origin")
    foreign = origin is not None and urlsplit(origin).netloc != (host or "")
    if foreign or request.header("sec-fetch-site") not in _OWN_SITE:
        raise _forbidden("The control API answers no page of another site.")


def is_loopback(host: str) -> bool:
    """Whether an address or a host's name means this machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def _name(host: str) -> str:
    """The name or the address in a `Host` header."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _forbidden(message: str) -> WireError:
    return WireError(403, "Forbidden", message)
