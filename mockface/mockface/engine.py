"""The emulated service: who its tenants are, and whom a key or a token lets in.

It knows no HTTP: the dialects turn requests into calls of these verbs and their values into
answers. Time comes from the clock that is handed in, everything random from one seed. Every verb is
safe to call from any thread.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING

from mockface.addresses import LONGEST_KEY
from mockface.clock import Clock
from mockface.dice import Dice
from mockface.errors import Reason, RefusedError
from mockface.scenarios import DEFAULT, Pace
from mockface.sessions.defaults import Common
from mockface.sessions.rules import session_gone
from mockface.sessions.tenant import Tenant
from mockface.sessions.tokens import TokenIssuer
from mockface.vision import ImageInspector

if TYPE_CHECKING:
    from collections.abc import Collection

    from mockface.sessions.tokens import Claims

MOST_TENANTS = 10_000
_AT_ONCE = Pace()


class Engine:
    """The service as a whole.

    Args:
        clock: What time it is.
        seed: Where everything random comes from; `None` takes an unguessable one.
        keys: The resource keys that are accepted; `None` accepts any, each with a tenant of its
            own.
        scenario: What attempts are when nobody says otherwise.
        vision: Whether OpenCV looks for faces in posted pictures.
        pace: When results are out when nobody says otherwise.

    Raises:
        ImportError: `vision` without OpenCV 4; the message names the remedy.
        UnknownScenarioError: There is no such scenario.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        seed: str | None = None,
        keys: Collection[str] | None = None,
        scenario: str = DEFAULT,
        vision: bool = False,
        pace: Pace = _AT_ONCE,
    ) -> None:
        self.clock = clock or Clock()
        self.common = Common(self.clock, scenario, pace)
        self.inspector = ImageInspector(vision=vision)
        self.dice = Dice(seed)
        self.tokens = TokenIssuer(self.dice)
        self._keys = None if keys is None else frozenset(keys)
        self._lock = Lock()
        self._tenants: dict[str, Tenant] = {}
        self._tenant_id = lru_cache(maxsize=1024)(self._make_tenant_id)
        self._strangers = 0
        # Without a seed no id comes twice, not even after a reset.
        self._lives = None if seed is not None else count()

    def tenant(self, key: str | None) -> Tenant:
        """The tenant of a resource key; made on first use.

        Raises:
            RefusedError: `ACCESS_DENIED`: no key, or none that is accepted. `TOO_MANY_TENANTS`.
        """
        return self._of(self.tenant_id(key))

    def tenant_id(self, key: str | None) -> str:
        """The id of the tenant of a resource key, whether it was used before or not.

        Raises:
            RefusedError: `ACCESS_DENIED`: no key, or none that is accepted.
        """
        if not key or len(key) > LONGEST_KEY or (self._keys is not None and key not in self._keys):
            raise RefusedError(
                Reason.ACCESS_DENIED,
                "Access denied: the subscription key is missing, wrong, or for another endpoint.",
            )
        return self._tenant_id("key", key)

    def trusted_tenant(self) -> Tenant:
        """The tenant of a caller whom a front has let in by other means than a key."""
        return self.only_tenant() or self._of(self._tenant_id("trusted"))

    def only_tenant(self) -> Tenant | None:
        """The tenant, where exactly one key is accepted."""
        if self._keys is not None and len(self._keys) == 1:
            return self.tenant(*self._keys)
        return None

    def tenants(self) -> list[Tenant]:
        """All tenants that have been used, oldest first."""
        with self._lock:
            return list(self._tenants.values())

    def admit(self, token: str) -> tuple[Tenant, Claims]:
        """Who a session token lets in.

        Raises:
            RefusedError: `TOKEN_INVALID`: forged, damaged or expired. `SESSION_GONE`: its tenant
                was reset.
        """
        try:
            claims = self.tokens.read(token)
        except ValueError:
            raise RefusedError(Reason.TOKEN_INVALID, "The session token is not valid.") from None
        with self._lock:
            tenant = self._tenants.get(claims.tenant_id)
        if (tenant or self).clock.now() >= claims.expires_at:
            raise RefusedError(Reason.TOKEN_INVALID, "The session token has expired.")
        if tenant is None:
            raise session_gone()
        return tenant, claims

    def stranger_request_id(self) -> str:
        """The id of a request that belongs to no tenant."""
        with self._lock:
            self._strangers += 1
            return self.dice.uuid("request", self._strangers)

    def forget(self, tenant: Tenant) -> None:
        """Forgets a tenant and all that it has; its next call makes it anew.

        So an emulator that serves many runs of many tests does not grow with them.
        """
        with self._lock:
            self._tenants.pop(tenant.id, None)

    def reset(self) -> None:
        """Forgets everything and puts the clock back: the same calls give the same bytes again."""
        with self._lock:
            self._tenants.clear()
            self._strangers = 0
        self.common.reset()

    def forget_expired(self) -> None:
        """Gives memory of expired sessions back, to be called now and then."""
        for tenant in self.tenants():
            tenant.forget_expired()

    def _of(self, tenant_id: str) -> Tenant:
        with self._lock:
            tenant = self._tenants.get(tenant_id)
            if tenant is None:
                if len(self._tenants) >= MOST_TENANTS:
                    raise RefusedError(
                        Reason.TOO_MANY_TENANTS,
                        f"The emulator has {MOST_TENANTS} tenants, one for each key that was used: "
                        "reset it, or a tenant when its test is done.",
                    )
                tenant = self._tenants[tenant_id] = Tenant(
                    tenant_id,
                    common=self.common,
                    dice=self.dice if self._lives is None else self.dice.child(next(self._lives)),
                    inspector=self.inspector,
                    tokens=self.tokens,
                )
        return tenant

    def _make_tenant_id(self, *names: str) -> str:
        return self.dice.bytes("tenant", *names, size=8).hex()
