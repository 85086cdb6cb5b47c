"""Protection against requests that a page of another site sends with the user's cookies."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from livegate.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Collection

    from livegate.http.types import Headers

log = logging.getLogger("livegate.http")

SAFE_METHODS: Final = frozenset({"GET", "HEAD"})


def check_origin(headers: Headers, allowed_origins: Collection[str]) -> None:
    """Reject a request of a page of another site, for methods that change something.

    A browser says where a request comes from with ``Sec-Fetch-Site``; one that does not (an older
    one, or a page over plain HTTP) sends ``Origin``. A request with neither comes from no page.

    Args:
        headers: Of the request.
        allowed_origins: Of other sites whose pages may act for the signed-in user.

    Raises:
        InvalidRequestError: The request comes from another site.
    """
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site")
    if site is None:
        if origin is None or _is_of_host(origin, headers.get("host")):
            return
    elif site in {"same-origin", "none"}:
        return
    if origin != "null" and origin in allowed_origins:
        return
    log.warning(
        "A request from %.200r (Sec-Fetch-Site: %.20r) was rejected. If pages of that origin may "
        "act for signed-in users, add it to LIVEGATE_ALLOWED_ORIGINS.",
        origin,
        site,
    )
    raise InvalidRequestError(
        "This request comes from a page of another site.", code="cross_site_request", status=403
    )


def _is_of_host(origin: str, host: str | None) -> bool:
    scheme, found, origin_host = origin.partition("://")
    return bool(scheme and found and origin_host) and origin_host.lower() == (host or "").lower()
