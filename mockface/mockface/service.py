"""The emulator as one function: a neutral request goes in, a neutral answer comes out."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from mockface import faults, versions
from mockface.api.attempts import DIGEST_HEADER, SCENARIO_HEADER
from mockface.api.errors import on_the_wire
from mockface.control.api import KEY_HEADER, PREFIX, Control
from mockface.errors import Reason, RefusedError, UnknownScenarioError
from mockface.journal.entries import Journal, entry
from mockface.limits import Limits
from mockface.operations import OPERATIONS, VERSIONS, Call, Operation, Router, of_version
from mockface.responses import WireError, error
from mockface.sessions.session_images import session_of
from mockface.wire import MOST_BODY_BYTES, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from mockface.engine import Engine
    from mockface.sessions.tenant import Tenant

MOCK_HEADER = "x-mockface"
"""Every answer has it, so that nobody takes the emulator for the service."""

_PLACES_OF_PEOPLE = ("/", PREFIX, f"{PREFIX}/")

_log = logging.getLogger("mockface")
_ROUTER = Router(OPERATIONS)
_NEWEST = VERSIONS[-1]
_FROZEN = "The emulator's clock is frozen, so waiting does not help: advance it or let it run."

# The front end's page comes from the app server, so its calls are cross-origin.
_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": f"apim-request-id, x-ms-error-code, {DIGEST_HEADER}",
}
_PREFLIGHT = {
    **_CORS,
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": (
        f"authorization, client-request-id, content-type, {SCENARIO_HEADER}"
    ),
    "Access-Control-Max-Age": "600",
}


class Service:
    """Routes, authenticates, lets faults happen, and carries the operation out.

    Args:
        engine: The emulated service.
        bearer: An Entra token that is taken instead of a resource key, if one is.
        public_url: Scheme and host that go into tokens; by default those of the request.
        trust_proxy: Whether `X-Forwarded-Proto` says by which scheme clients call.
        remote_control: Whether the control API answers callers that are not on this machine.
        loose: Whether small mistakes of callers are overlooked.
        accept_newer: Whether a version newer than all known ones is answered as the newest.
        tier: The price tier whose rate limit holds, `F0` or `S0`; `None` has no limit.
        journal: Where requests and answers are kept; by default a journal of the default size.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        bearer: str | None = None,
        public_url: str | None = None,
        trust_proxy: bool = False,
        remote_control: bool = False,
        loose: bool = False,
        accept_newer: bool = False,
        tier: str | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.engine = engine
        self.faults = faults.Faults(engine.dice.child("faults"))
        self.limits = Limits(tier)
        self.journal = Journal() if journal is None else journal
        self._loose = loose
        self._accept_newer = accept_newer
        self._bearer = bearer
        self._public_url = None if public_url is None else public_url.rstrip("/")
        self._trust_proxy = trust_proxy
        self._control = Control(
            engine, self.faults, self.limits, self.journal, open_to_all=remote_control
        )

    def handle(self, request: Request) -> Response:
        """Answers a request; never raises."""
        if request.path in _PLACES_OF_PEOPLE and "text/html" in (request.header("accept") or ""):
            # A browser; programs that call the same places take JSON.
            response = Response(302, headers={"Location": f"{request.origin}{PREFIX}/ui"})
            response.headers["apim-request-id"] = self.engine.stranger_request_id()
        elif request.path == PREFIX or request.path.startswith(f"{PREFIX}/"):
            response = guarded(partial(self._control.handle, request))
            response.headers["apim-request-id"] = self.engine.stranger_request_id()
        else:
            response = self._exchange(request)
        response.headers[MOCK_HEADER] = "emulator"
        return response

    def _exchange(self, request: Request) -> Response:
        """One request to the emulated service, and its line in the journal."""
        # Clients whose endpoint ends in a slash call //face/..., and the service takes it.
        path = f"/{request.path.lstrip('/')}"
        routes, session_id = _ROUTER.find(path)
        warning = ""
        if not routes and self._accept_newer:
            routes, session_id, warning = _stand_in(path)
        seen = _Seen(route=routes.get(request.method))
        response = guarded(partial(self._answer, request, routes, session_id, seen))
        request_id = seen.request_id or self.engine.stranger_request_id()
        response.headers["apim-request-id"] = request_id
        if _client_side(routes):
            response.headers.update(_CORS)
        if warning:
            response.headers["Warning"] = warning
        if not self.journal.is_off:
            self.journal.add(
                entry(
                    request,
                    response,
                    at=(seen.tenant or self.engine).clock.now(),
                    tenant_id=seen.tenant.id if seen.tenant else self._owner(request),
                    route=seen.route.name if seen.route else "",
                    session_id=session_of(seen.session_id) or seen.session_id,
                    request_id=request_id,
                    fault=seen.fault,
                )
            )
        return response

    def _answer(
        self, request: Request, routes: dict[str, Operation], session_id: str, seen: _Seen
    ) -> Response:
        route = seen.route
        if route is None:
            if request.method == "OPTIONS" and _client_side(routes):
                return Response(204, headers=dict(_PREFLIGHT))
            # A wrong method is no operation either: the gateway in front knows operations only
            # (assumption).
            return error(404, "404", _not_found(request.path))
        if request.oversized or len(request.body) > MOST_BODY_BYTES:
            raise WireError(
                413, "InvalidRequestBody", f"The body has more than {MOST_BODY_BYTES} bytes."
            )
        call = self._admit(request, route, session_id)
        seen.tenant, seen.request_id = call.tenant, call.request_id
        seen.session_id = call.session_id
        wait = self.limits.wait(call.tenant.id, call.tenant.now)
        if wait is not None:
            frozen = call.tenant.clock.frozen
            return faults.refusal(429, wait, _FROZEN if frozen else "")
        hit = self.faults.take(route.name, call.tenant.id, call.tenant.now)
        if hit is None:
            return _carried_out(route, call)
        seen.fault = hit.id
        return faults.apply(hit, partial(guarded, partial(_carried_out, route, call, hit.delay)))

    def _owner(self, request: Request) -> str:
        """The tenant of a caller who was not let in, or called no operation; empty if unknown."""
        with suppress(RefusedError):
            token = _bearer(request)
            if token and token == self._bearer:
                return self.engine.trusted_tenant().id
            if token and not request.header(KEY_HEADER):
                return self.engine.admit(token)[0].id
            return self.engine.tenant_id(request.header(KEY_HEADER))
        return ""

    def _admit(self, request: Request, route: Operation, session_id: str) -> Call:
        """Lets the caller in: by key or Entra token, on the client's routes by session token."""
        if self._public_url is not None:
            request = replace(request, origin=self._public_url)
        elif self._trust_proxy:
            scheme = (request.header("x-forwarded-proto") or "").partition(",")[0].strip().lower()
            if scheme in {"http", "https"}:
                host = request.origin.partition("://")[2]
                request = replace(request, origin=f"{scheme}://{host}")
        token = _bearer(request)
        if route.client_side:
            tenant, claims = self.engine.admit(token)
            session_id = claims.session_id
        elif token and token == self._bearer:
            tenant = self.engine.trusted_tenant()
        else:
            key = request.header(KEY_HEADER)
            if token and key is None:
                raise RefusedError(
                    Reason.ACCESS_DENIED,
                    "Access denied: this is not the Entra token that the emulator was told to "
                    "accept (--bearer), and there is no subscription key.",
                )
            tenant = self.engine.tenant(key)
        return Call(route, request, tenant.next_request_id(), tenant, session_id, self._loose)


@dataclass(slots=True)
class _Seen:
    """What is known of a request so far."""

    route: Operation | None
    tenant: Tenant | None = None
    request_id: str = ""
    session_id: str = ""
    fault: int | None = None


def _bearer(request: Request) -> str:
    """The token that a caller shows, or empty."""
    scheme, _, token = (request.header("authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _carried_out(route: Operation, call: Call, delay: float = 0.0) -> Response:
    """Does the operation; those of the client one after the other, until the answer is with it."""
    if not route.client_side:
        return route.handler(call)
    with call.tenant.turn(call.session_id, delay=delay):
        return route.handler(call)


def guarded(act: Callable[[], Response]) -> Response:
    """Does it, and turns every way of saying no into an answer."""
    try:
        return act()
    except RefusedError as refused:
        return on_the_wire(refused).response()
    except WireError as wrong:
        return wrong.response()
    except UnknownScenarioError as unknown:
        return error(400, "BadArgument", str(unknown))
    except Exception:  # noqa: BLE001 - the last line: a caller that parses JSON must get JSON
        _log.exception("The emulator failed on a request; this is a bug in it")
        return error(500, "Unspecified", "The emulator failed; its log says how.")


def _stand_in(path: str) -> tuple[dict[str, Operation], str, str]:
    """The newest known version in place of a newer one: operations, session id and a warning."""
    version = versions.named_in(path)
    if not versions.is_newer(version, _NEWEST):
        return {}, "", ""
    found = _ROUTER.find(path.replace(version, _NEWEST, 1))
    said = f"The emulator does not know {version}; this is {_NEWEST}."
    return *found, f'299 mockface "{said}"'


def _not_found(path: str) -> str:
    version = versions.named_in(path)
    if not version or of_version(version):
        return "Resource not found: this version has no such operation."
    return (
        f"Resource not found: the emulator does not serve version {version[:20]!r}. It serves "
        f"{', '.join(VERSIONS)}; --accept-newer answers newer ones as the newest."
    )


def _client_side(routes: dict[str, Operation]) -> bool:
    return any(route.client_side for route in routes.values())
