"""The hooks: everything that a plugin can do, on one page.

A plugin is a module, or any object, with functions marked by :data:`hookimpl`; it is handed to an
orchestrator (``plugins=[...]``), or it is an entry point of the group ``livegate`` that the setting
``LIVEGATE_PLUGINS`` names. The built-in stores, rules and log lines come through the same door::

    from livegate import Objection, hookimpl

    @hookimpl
    def before_start(request):
        if request.subject in banned:
            return Objection("account_locked", "This account is locked; write to support.")

Every hook may be ``def`` or ``async def``, under either orchestrator. A ``def`` runs in the
caller's thread, also inside an event loop, so a slow one should be ``async def``. A hook names just
the arguments it wants. Wrappers of hooks are not supported, and a hook of another name is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pluggy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from livegate.lifecycle import Event
    from livegate.session import (
        LivenessSession,
        Objection,
        Outcome,
        ReferenceImage,
        StartRequest,
        Verdict,
    )
    from livegate.settings import Settings
    from livegate.stores.base import AnyStore

    Objections = Objection | Iterable[Objection] | None
    """What a policy that may refuse gives back; None for no objection."""

GROUP: Final = "livegate"

hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)
"""Marks a function of a plugin as a hook."""


@hookspec(firstresult=True)
def open_store(uri: str, settings: Settings) -> AnyStore | Awaitable[AnyStore | None] | None:
    """Open the store that *uri* names, or return None if its scheme is not yours.

    Fires once, when an orchestrator is made with a URI instead of a store. The first answer wins;
    plugins that were registered later are asked earlier, the built-in stores last. An ``async def``
    one runs in an event loop that ends with it: what it opens must not be bound to that loop.

    Raise :class:`livegate.errors.ConfigurationError` if the URI is yours and wrong.
    """


@hookspec(firstresult=True)
def open_notifier(uri: str, settings: Settings) -> Any:
    """Open the notifier that *uri* names, or return None if its scheme is not yours.

    The first answer wins, as in :func:`open_store`.
    """


@hookspec
def before_start(request: StartRequest) -> Objections | Awaitable[Objections]:
    """Object to a start: budgets, lock-out, rate limits, consent.

    Fires before anything is stored and before the service is asked, and again when a start that
    failed is repeated with its idempotency key. Every plugin is heard, and the caller gets all
    objections at once. A plugin that raises refuses the start too.
    """


@hookspec
def review_reference_image(
    image: ReferenceImage,
    request: StartRequest,
) -> Objections | Awaitable[Objections]:
    """Object to a reference image.

    Fires with :func:`before_start`, for a request that has an image. Nothing has decoded the image
    yet: treat its bytes as hostile, and do not keep them. All objections are told at once.
    """


@hookspec
def decide(
    session: LivenessSession,
    outcome: Outcome,
) -> Verdict | Awaitable[Verdict | None] | None:
    """Judge an outcome, or return None to leave it to others.

    Fires when the service's result has been read, before the verdict is stored; it may fire again
    for the same outcome if somebody else changed the session in between. The strictest verdict of
    all plugins counts, and the built-in rules always speak, so a plugin can send a session to
    ``needs_review``, ``inconclusive`` or ``rejected`` but never make one ``passed``. A plugin that
    raises, or returns anything else, makes it ``inconclusive`` with the reason ``policy_failed``.
    """


@hookspec
def session_changed(
    before: LivenessSession | None,
    after: LivenessSession,
    event: Event | None,
) -> Awaitable[None] | None:
    """Observe a change.

    Fires after the change is committed; *before* and *event* are None for a new session. It may be
    missed if the process dies in between. An observer that raises is logged and changes nothing; an
    ``async def`` one is given up after five seconds.
    """


HOOK_NAMES: Final = (
    "open_store",
    "open_notifier",
    "before_start",
    "review_reference_image",
    "decide",
    "session_changed",
)
