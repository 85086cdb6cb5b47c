"""The checks of ``livegate doctor``: every port is opened and called, and nothing is changed."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

import livegate
from livegate._sync import maybe_await, run_sync
from livegate.errors import FaceSessionNotFoundError, LivegateError
from livegate.models import SessionKind
from livegate.orchestrator import random_id, utc_now
from livegate.plugins.context import PluginContext
from livegate.plugins.manager import Plugins
from livegate.protocols import DURABLE, SHARED
from livegate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from livegate.orchestrator import Orchestrator
    from livegate.protocols import AnyFaceService, AnyStore

OK: Final = "ok"
FAILED: Final = "failed"
SKIPPED: Final = "skipped"

_LONG_AGO: Final = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found.

    Attributes:
        status: :data:`OK`, :data:`FAILED` or :data:`SKIPPED`.
        name: What was checked.
        text: What was found; or what is wrong, and what to do.
    """

    status: str
    name: str
    text: str

    @property
    def has_failed(self) -> bool:
        """Whether something has to be done."""
        return self.status == FAILED

    def __str__(self) -> str:
        return f"{self.status:<9}{self.name}: {self.text}"


def examine_orchestrator(orchestrator: Orchestrator) -> Iterator[Check]:
    """Check the ports of an application's own orchestrator."""
    runtime = orchestrator.runtime
    yield Check(OK, "settings", _describe(runtime.settings))
    yield Check(OK, "plugins", ", ".join(runtime.plugins.names()))
    yield _check("store", lambda: _probe_store(runtime.store))
    yield _check("service", lambda: _probe_service(runtime.face))


def examine_environment() -> Iterator[Check]:
    """Check everything that an orchestrator would be made of, as the environment configures it.

    What is wrong with one part hides no other one.
    """
    settings, faults = Settings.read(os.environ, required=("endpoint", "key", "store"))
    if faults:
        yield from (Check(FAILED, "settings", fault) for fault in faults)
    else:
        yield Check(OK, "settings", _describe(settings))
    try:
        plugins = Plugins((), settings.plugins, is_async=False)
        plugins.configure(PluginContext(settings, utc_now, livegate.__version__))
    except LivegateError as error:
        yield Check(FAILED, "plugins", str(error))
        yield Check(SKIPPED, "store", "plugins open it")
    else:
        yield Check(OK, "plugins", ", ".join(plugins.names()))
        yield from _examine_opened(settings, plugins)
        run_sync(plugins.shutdown())
    if settings.endpoint and settings.key:
        yield _check("service", lambda: _probe_azure(settings))
    else:
        yield Check(SKIPPED, "service", "it needs an endpoint and a key")


def _examine_opened(settings: Settings, plugins: Plugins) -> Iterator[Check]:
    """Check what plugins open by a URI."""

    def open_and_probe(uri: str) -> str:
        store = plugins.open_store(uri)
        try:
            return _probe_store(store)
        finally:
            run_sync(maybe_await(store.close()))

    def open_and_close(uri: str) -> str:
        notifier = plugins.open_notifier(uri)
        run_sync(maybe_await(notifier.close()))
        return notifier.name

    if settings.store is None:
        yield Check(SKIPPED, "store", "it needs a URI")
    else:
        yield _check("store", partial(open_and_probe, settings.store))
    for uri in settings.notifiers:
        yield _check("notifier", partial(open_and_close, uri))


def _check(name: str, probe: Callable[[], str]) -> Check:
    try:
        return Check(OK, name, probe())
    except LivegateError as error:
        return Check(FAILED, name, str(error))
    except Exception as error:  # noqa: BLE001 - of a plugin; its text may hold a URI with a password
        return Check(FAILED, name, f"a fault in its program: {type(error).__name__}")


def _describe(settings: Settings) -> str:
    store = (settings.store or "").partition("://")[0]
    parts = [settings.endpoint, settings.api_version, store and f"store {store}"]
    return ", ".join(part for part in parts if part)


def _probe_store(store: AnyStore) -> str:
    """Read, and remove the records of 1970: a write that changes nothing."""
    run_sync(maybe_await(store.get(random_id())))
    run_sync(maybe_await(store.purge(_LONG_AGO, 1)))
    if DURABLE not in store.capabilities:
        return "it can be read and written; sessions are lost with the process: for tests only"
    if SHARED not in store.capabilities:
        return "it can be read and written; for one process only"
    return "it can be read and written; durable, for any number of processes"


def _probe_azure(settings: Settings) -> str:
    from livegate.face.azure import AzureFace  # noqa: PLC0415 - loads Azure

    with AzureFace.from_settings(settings) as face:
        return _probe_service(face)


def _probe_service(face: AnyFaceService) -> str:
    """Read a session that cannot be: it creates nothing, and costs nothing.

    Raises:
        FaceError: Says what is wrong: the network, the key, the approval or the API version.
    """
    try:
        run_sync(maybe_await(face.read(SessionKind.LIVENESS, str(uuid.uuid4()), face.api_version)))
    except FaceSessionNotFoundError as error:
        if error.service_status is None or error.service_code is not None:
            return (
                f"it responds, accepts the key, has the API version {face.api_version}, and "
                "reports no missing approval for liveness"
            )
    raise LivegateError(
        "what responds is not the Face API: VISION_ENDPOINT has to be the endpoint of a Face "
        "resource"
    )
