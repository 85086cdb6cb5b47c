"""What an orchestrator is made of: what does not fit is an error when it is made."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.operations.samples import ALICE

from livegate import AsyncOrchestrator, CallbackNotifier, Orchestrator, Purpose, Settings
from livegate.errors import ConfigurationError, StoreError
from livegate.hooks import Uri, hookimpl
from livegate.stores.memory import MemoryStore
from livegate.stores.threads import ThreadedStore
from livegate.testing import AsyncFakeFaceService, FakeFaceService

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrators import EitherOrchestrator


def naive() -> datetime:
    return datetime(2026, 1, 1)  # noqa: DTZ001 - the mistake itself


class NoDelivery:
    name = "no-delivery"

    def close(self) -> None: ...


class MixedStore(MemoryStore):
    async def save(self, *args: Any) -> None:  # type: ignore[override]
        super().save(*args)


class NotClosed(MemoryStore):
    close = None  # type: ignore[assignment]


FIRST = CallbackNotifier("audit", print)
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "naive clock": ({"clock": naive}, "clock.*time zone"),
    "clock without a time": ({"clock": lambda: 1}, "clock.*time zone"),
    "time": ({"clock": naive()}, "clock.*time zone"),
    "settings": ({"settings": {}}, "settings has to be a Settings"),
    "store class": ({"store": MemoryStore}, "MemoryStore is a class; pass an object"),
    "not a store": ({"store": object()}, "object cannot be a store.*insert.*claim"),
    "store without close": ({"store": NotClosed()}, "NotClosed cannot be a store: it has no close"),
    "unknown scheme": ({"store": "nothing://"}, "nothing"),
    "purposes": ({"purposes": ["payout"]}, "purposes= takes Purpose objects"),
    "same purposes": ({"purposes": [Purpose("a"), Purpose("a")]}, "same name"),
    "not a face": ({"face": object()}, "object cannot be a face service.*create"),
    "not a notifier": ({"notifiers": [NoDelivery()]}, "NoDelivery cannot be a notifier"),
    "nameless notifier": ({"notifiers": [type("N", (), {})()]}, "N cannot be a notifier"),
    "same notifiers": ({"notifiers": [FIRST, FIRST]}, "Two notifiers have the same name"),
    "unknown plugin": ({"plugin_config": {"unknown": {}}}, "plugin_config names unknown"),
    "no plugin": ({"plugins": [object()]}, "object"),
}


def make(kind: str, **options: Any) -> Orchestrator | AsyncOrchestrator:
    settings = Settings(store="memory://")
    if kind == "sync":
        return Orchestrator(**{"settings": settings, "face": FakeFaceService(), **options})
    return AsyncOrchestrator(**{"settings": settings, "face": AsyncFakeFaceService(), **options})


@pytest.mark.both_kinds
@pytest.mark.parametrize("case", WRONG)
def test_a_part_that_does_not_fit_is_named(kind: str, case: str) -> None:
    options, message = WRONG[case]

    with pytest.raises(ConfigurationError, match=message):
        make(kind, **options)


def test_ports_of_the_other_kind_are_named() -> None:
    sync_face: Any = FakeFaceService()
    async_face: Any = AsyncFakeFaceService(sync_face)
    async_store: Any = ThreadedStore(MemoryStore())

    with pytest.raises(ConfigurationError, match="AsyncFakeFaceService cannot be the face service"):
        make("sync", face=async_face)
    with pytest.raises(ConfigurationError, match="FakeFaceService cannot be the face service here"):
        make("async", face=sync_face)
    with pytest.raises(ConfigurationError, match="ThreadedStore cannot be the store here"):
        make("sync", store=async_store)


def test_a_store_whose_methods_are_partly_async_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"store here: save has to be sync"):
        make("sync", store=MixedStore())


@pytest.mark.both_kinds
def test_a_fault_in_another_part_opens_no_store(kind: str) -> None:
    opened: list[str] = []

    class Opens:
        @hookimpl
        def open_store(self, uri: Uri) -> None:
            opened.append(uri.scheme)

    for case in ("purposes", "not a face", "not a notifier", "same notifiers", "naive clock"):
        with pytest.raises(ConfigurationError):
            make(kind, plugins=[Opens()], store="mine://", **WRONG[case][0])
    assert opened == []


@pytest.mark.both_kinds
def test_everything_that_is_not_set_is_reported_at_once(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("VISION_ENDPOINT", "VISION_KEY", "LIVEGATE_STORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LIVEGATE_POLL_INTERVAL", "often")

    with pytest.raises(ConfigurationError) as error:
        make(kind, settings=None, face=None)

    for name in ("LIVEGATE_ENDPOINT", "LIVEGATE_KEY", "LIVEGATE_STORE", "LIVEGATE_POLL_INTERVAL"):
        assert name in str(error.value)


def test_an_async_orchestrator_uses_a_sync_store_as_the_store_says() -> None:
    store = MemoryStore()

    assert make("async", store=store).runtime.store is store
    assert isinstance(make("async", store="memory://").runtime.store, MemoryStore)


# --- closing -------------------------------------------------------------------------------------


class Closes(NoDelivery):
    """A plugin and a notifier that notice their end."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def deliver(self, event: object) -> None: ...

    def close(self) -> None:
        self.events.append("closed")

    @hookimpl
    def shutdown(self) -> None:
        self.events.append("shut down")


@pytest.mark.both_kinds
def test_closing_releases_every_part_although_one_cannot_be_closed(
    make_orchestrator: Callable[..., EitherOrchestrator], face: FakeFaceService
) -> None:
    # Given a store that cannot be closed at first
    class Store(MemoryStore):
        is_broken = True

        def close(self) -> None:
            if self.is_broken:
                raise StoreError("the disk is gone")

    store, part = Store(), Closes()
    orchestrator = make_orchestrator(store=store, notifiers=[part], plugins=[part])

    # When the orchestrator is closed, then its error is raised, and all else is released
    with pytest.raises(StoreError, match="the disk is gone"):
        orchestrator.close()
    assert face.calls == ["close"]
    assert part.events == ["closed", "shut down"]
    store.is_broken = False


@pytest.mark.both_kinds
def test_closing_twice_is_no_error(make_orchestrator: Callable[..., EitherOrchestrator]) -> None:
    part = Closes()
    orchestrator = make_orchestrator(notifiers=[part], plugins=[part])

    orchestrator.close()
    orchestrator.close()

    assert part.events.count("shut down") == 1
    with pytest.raises(StoreError, match="closed"):
        orchestrator.start(ALICE)


def test_an_orchestrator_is_a_context_manager(face: FakeFaceService) -> None:
    with Orchestrator(Settings(), face=face, store=MemoryStore()) as orchestrator:
        orchestrator.start(ALICE)

    assert face.calls == ["create", "close"]


async def _use(face: FakeFaceService) -> None:
    async with AsyncOrchestrator(
        Settings(), face=AsyncFakeFaceService(face), store=MemoryStore()
    ) as orchestrator:
        await orchestrator.start(ALICE)


def test_an_async_orchestrator_is_an_async_context_manager(face: FakeFaceService) -> None:
    asyncio.run(_use(face))

    assert face.calls == ["create", "close"]
