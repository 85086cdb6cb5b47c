"""The control API under `/_mock`: what a test or a person tells the emulator.

A call that carries a resource key in the service's own header speaks of that key's tenant, one
without it of the whole emulator.
"""

from __future__ import annotations

import re
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import UNSET

from mockface.api.models import timestamp
from mockface.control import bodies
from mockface.control.bodies import bad
from mockface.control.journal import JournalControl
from mockface.control.order import KEY_HEADER, PREFIX, Order, Places, check_caller, is_loopback
from mockface.errors import Reason, RefusedError
from mockface.faults import BODIES, Fault
from mockface.limits import TIERS
from mockface.operations import NAMES, VERSIONS
from mockface.responses import answer, error
from mockface.scenarios import SCENARIOS
from mockface.validation import given
from mockface.wire import Request, Response

if TYPE_CHECKING:
    from mockface.engine import Engine
    from mockface.faults import Faults
    from mockface.journal.entries import Journal
    from mockface.limits import Limits
    from mockface.sessions.defaults import Common, Defaults
    from mockface.sessions.tenant import Tenant

__all__ = ["KEY_HEADER", "PREFIX", "Control", "is_loopback"]

_SEEDED = ("people", "portraits")  # what follows is a seed, which may have slashes in it
_NUMBER = re.compile(r"[0-9]{1,9}")
_PORTRAITS = MappingProxyType({"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG"})


_PAGE_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


class Control:
    """Carries out what the control API is told.

    Args:
        engine: The emulated service.
        faults: What waits to go wrong.
        limits: Who is in which tier.
        journal: What has happened.
        open_to_all: Whether callers from other machines may use it.
    """

    def __init__(
        self,
        engine: Engine,
        faults: Faults,
        limits: Limits,
        journal: Journal,
        *,
        open_to_all: bool = False,
    ) -> None:
        self._engine = engine
        self._faults = faults
        self._limits = limits
        self._journal = journal
        self._open_to_all = open_to_all
        self._places: Places = {
            ("GET", ""): self._about,
            ("GET", "health"): self._health,
            ("GET", "ui"): self._ui,
            ("GET", "scenario"): self._scenario,
            ("PUT", "scenario"): self._set_scenario,
            ("GET", "queue"): self._queue,
            ("POST", "queue"): self._enqueue,
            ("GET", "sessions"): self._sessions,
            ("PUT", "sessions/{}/scenario"): self._pin,
            ("GET", "pace"): self._pace,
            ("PUT", "pace"): self._set_pace,
            ("PUT", "sessions/{}/pace"): self._pin_pace,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._set_clock,
            ("GET", "faults"): self._list_faults,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("DELETE", "faults/{}"): self._drop_fault,
            ("GET", "limit"): self._limit,
            ("PUT", "limit"): self._set_limit,
            ("POST", "reset"): self._reset,
            ("GET", "openapi/{}"): self._openapi,
            ("GET", "people/{}"): self._person,
            ("GET", "portraits/{}"): self._portrait,
        }
        self._places |= JournalControl(journal, NAMES).places

    def handle(self, request: Request) -> Response:
        """Answers a call whose path is under `PREFIX`.

        Raises:
            WireError: The request is wrong.
            RefusedError: The key or the session is unknown.
            UnknownScenarioError: There is no such scenario.
        """
        check_caller(request, open_to_all=self._open_to_all)
        place, _, name = request.path.removeprefix(PREFIX).strip("/").partition("/")
        if name and place not in _SEEDED:
            name, _, rest = name.partition("/")
            place = f"{place}/{{}}/{rest}".rstrip("/")
        elif name:
            place = f"{place}/{{}}"
        do = self._places.get((request.method, place))
        if do is None:
            return error(404, "404", f"The control API has no {request.method} {request.path}.")
        key = request.header(KEY_HEADER)
        return do(Order(request, None if key is None else self._engine.tenant(key), name))

    def _about(self, _: Order) -> Response:
        return answer(
            200,
            {
                "apiVersions": list(VERSIONS),
                "scenarios": {row.name: row.summary for row in SCENARIOS.values()},
                "routes": list(NAMES),
                "faultBodies": list(BODIES),
                "tiers": list(TIERS),
                "control": sorted(f"{m} {PREFIX}/{p}".rstrip("/") for m, p in self._places),
            },
        )

    def _health(self, _: Order) -> Response:
        return answer(200, {"status": "ok"})

    def _ui(self, _: Order) -> Response:
        # One file that loads nothing from elsewhere, and does only what this API offers.
        page = files("mockface.control").joinpath("dashboard.html").read_bytes()
        return Response(200, page, dict(_PAGE_HEADERS))

    def _scenario(self, order: Order) -> Response:
        return answer(200, {"scenario": self._defaults(order).scenario})

    def _set_scenario(self, order: Order) -> Response:
        self._defaults(order).scenario = _scenario_name(order.request)
        return self._scenario(order)

    def _queue(self, order: Order) -> Response:
        return answer(200, {"scenarios": self._one_tenant(order).defaults.queue})

    def _enqueue(self, order: Order) -> Response:
        names = bodies.read(bodies.QueueBody, order.request).scenarios
        try:
            self._one_tenant(order).defaults.enqueue(names)
        except OverflowError as wrong:
            raise bad(str(wrong)) from None
        return self._queue(order)

    def _sessions(self, order: Order) -> Response:
        limit = bodies.query(bodies.LimitQuery, order.request).limit or None
        tenants = self._engine.tenants() if order.tenant is None else [order.tenant]
        found = [(tenant, session) for tenant in tenants for session in tenant.sessions(limit)]
        shown = [bodies.about_session(*each) for each in found[-(limit or 0) :]]
        return answer(200, {"sessions": shown})

    def _pin(self, order: Order) -> Response:
        name = _scenario_name(order.request)
        tenants = self._engine.tenants() if order.tenant is None else [order.tenant]
        if not any(tenant.pin(order.name, name) for tenant in tenants):
            raise RefusedError(Reason.SESSION_NOT_FOUND, "The session is not found.")
        return answer(200, {"sessionId": order.name, "scenario": name})

    def _pace(self, order: Order) -> Response:
        return answer(200, {"pace": str(self._defaults(order).pace)})

    def _set_pace(self, order: Order) -> Response:
        self._defaults(order).pace = bodies.read(bodies.PaceBody, order.request).parsed()
        return self._pace(order)

    def _pin_pace(self, order: Order) -> Response:
        pace = bodies.read(bodies.PaceBody, order.request).parsed()
        tenants = self._engine.tenants() if order.tenant is None else [order.tenant]
        if not any(tenant.pin_pace(order.name, pace) for tenant in tenants):
            raise RefusedError(Reason.SESSION_NOT_FOUND, "The session is not found.")
        return answer(200, {"sessionId": order.name, "pace": str(pace)})

    def _clock(self, order: Order) -> Response:
        clock = self._defaults(order).clock
        return answer(200, {"now": timestamp(clock.now()), "frozen": clock.frozen})

    def _set_clock(self, order: Order) -> Response:
        asked = bodies.read(bodies.ClockBody, order.request)
        if len(given(asked)) != 1:
            raise bad("Say one of advance, freeze and resume.")
        clock = self._defaults(order).own_clock()
        if asked.advance is not UNSET:
            try:
                clock.advance(asked.advance)
            except ValueError as wrong:
                raise bad(str(wrong)) from None
        elif asked.freeze is not UNSET:
            clock.freeze(asked.frozen_at())
        elif asked.resume:
            clock.resume()
        return self._clock(order)

    def _list_faults(self, order: Order) -> Response:
        return answer(200, {"faults": self._faults.waiting(order.tenant_id)})

    def _add_fault(self, order: Order) -> Response:
        fault = bodies.read(Fault, order.request)
        now = self._defaults(order).clock.now()
        return answer(201, self._faults.add(fault, order.tenant_id, now))

    def _clear_faults(self, order: Order) -> Response:
        self._faults.clear(order.tenant_id)
        return Response(204)

    def _drop_fault(self, order: Order) -> Response:
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

    def _reset(self, order: Order) -> Response:
        if order.tenant is None:
            self._engine.reset()
        else:
            self._engine.forget(order.tenant)
        self._faults.clear(order.tenant_id)
        self._limits.reset(order.tenant_id)
        self._journal.clear(order.tenant_id)
        return Response(204)

    def _openapi(self, order: Order) -> Response:
        from mockface.openapi import document  # noqa: PLC0415 - few ask for it

        try:
            made = document(order.name.removesuffix(".json"), order.request.origin)
        except LookupError as unknown:
            return error(404, "404", str(unknown))
        return answer(200, made)

    def _person(self, order: Order) -> Response:
        # Faker and Pillow are for those who ask for people and portraits.
        from mockface.people import person  # noqa: PLC0415 - see above

        return answer(200, bodies.about_person(person(order.name)))

    def _portrait(self, order: Order) -> Response:
        from mockface.images import portrait  # noqa: PLC0415 - see `_person`

        seed, dot, suffix = order.name.rpartition(".")
        image_format = _PORTRAITS.get(suffix if dot else "jpg")
        if image_format is None:
            return error(404, "404", "A portrait's name ends in .jpg or .png.")
        options = given(bodies.query(bodies.PortraitQuery, order.request))
        drawn = portrait(seed if dot else order.name, image_format, **options)
        return Response(200, drawn, {"Content-Type": f"image/{image_format.lower()}"})

    def _defaults(self, order: Order) -> Defaults | Common:
        """The tenant's, or those of the whole emulator."""
        return self._engine.common if order.tenant is None else order.tenant.defaults

    def _one_tenant(self, order: Order) -> Tenant:
        tenant = order.tenant or self._engine.only_tenant()
        if tenant is None:
            raise bad(f"Whose sessions? Say it with a key in the header {KEY_HEADER}.")
        return tenant


def _scenario_name(request: Request) -> str:
    return bodies.read(bodies.ScenarioBody, request).scenario
