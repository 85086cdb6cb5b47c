"""Where hooks run, and with which context variables."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.plugins.samples import ALICE, ATTEMPT, IMAGE, LOGIN, PAYOUT, REAL, SESSION

from livegate._sync import run_sync
from livegate.hooks import (
    GiveUp,
    PolicyUnavailableError,
    PolicyViolation,
    ReferenceImage,
    SessionState,
    StartRequest,
    Verdict,
    hookimpl,
)
from livegate.notifiers.callback import CallbackNotifier
from livegate.plugins.manager import Plugins

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[[Any], Any]

user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")


def recorder(seen: list[Any]) -> tuple[object, object]:
    """Two plugins that record who is signed in and the thread they run in."""

    class Plain:
        @hookimpl
        def before_start(self) -> None:
            seen.append((user.get(), threading.current_thread()))

    class Awaited:
        @hookimpl
        async def before_start(self) -> None:
            await asyncio.sleep(0)
            seen.append((user.get(), threading.current_thread()))

    return Plain(), Awaited()


def test_sync_orchestrators_keep_context_variables_also_below_a_running_loop() -> None:
    seen: list[Any] = []
    plugins = Plugins(recorder(seen), is_async=False)

    def start() -> None:
        user.set("alice")
        run_sync(plugins.before_start(ALICE, LOGIN, ATTEMPT))

    async def below_a_loop() -> None:
        start()

    contextvars.copy_context().run(start)
    asyncio.run(below_a_loop())

    assert [name for name, _ in seen] == ["alice"] * 4
    here = threading.current_thread()
    # awaited, plain; then the awaited one had to leave the thread with its running loop
    assert [thread is here for _, thread in seen] == [True, True, False, True]


def test_a_hook_below_a_running_loop_returns_and_raises_as_any_other() -> None:
    class Limits:
        @hookimpl
        async def before_start(self, request: StartRequest) -> PolicyViolation:
            if request.subject == "alice":
                return PolicyViolation("limited", "Later.")
            raise PolicyUnavailableError("No limits now.")

    plugins = Plugins([Limits()], is_async=False)

    async def below_a_loop() -> None:
        found = run_sync(plugins.before_start(ALICE, LOGIN, ATTEMPT))
        assert [violation.code for violation in found] == ["limited"]
        with pytest.raises(PolicyUnavailableError):
            run_sync(plugins.before_start(StartRequest("bob"), LOGIN, ATTEMPT))

    asyncio.run(below_a_loop())


def test_async_orchestrators_call_a_def_image_source_in_a_thread() -> None:
    threads: list[threading.Thread] = []

    def portrait_of(request: StartRequest) -> ReferenceImage:
        threads.append(threading.current_thread())
        return IMAGE

    plugins = Plugins(is_async=True)

    assert asyncio.run(plugins.image_from(portrait_of, ALICE, PAYOUT)) == IMAGE
    assert threads[0] is not threading.current_thread()


def test_async_orchestrators_run_def_hooks_in_a_thread_with_the_context_variables() -> None:
    seen: list[Any] = []
    plugins = Plugins(recorder(seen), is_async=True)

    async def start() -> None:
        user.set("alice")
        await plugins.before_start(ALICE, LOGIN, ATTEMPT)

    asyncio.run(start())

    here = threading.current_thread()
    assert [(name, thread is here) for name, thread in seen] == [("alice", True), ("alice", False)]


def test_async_orchestrators_run_built_in_hooks_without_a_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plugins = Plugins(is_async=True)
    monkeypatch.delattr(asyncio, "to_thread")

    async def main() -> Verdict:
        await plugins.observe(None, SESSION, None)
        assert await plugins.check_reference_image(IMAGE, ALICE, PAYOUT) == ()
        return await plugins.decide(SESSION, REAL, LOGIN, None)

    assert asyncio.run(main()).state == "passed"


def test_a_def_hook_that_blocks_does_not_hold_the_event_loop_up() -> None:
    released = threading.Event()

    class Blocks:
        @hookimpl
        def before_start(self) -> None:
            assert released.wait(10)

    plugins = Plugins([Blocks()], is_async=True)

    async def main() -> None:
        start = asyncio.create_task(plugins.before_start(ALICE, LOGIN, ATTEMPT))
        await asyncio.sleep(0)
        released.set()  # the loop runs while the hook waits
        await start

    asyncio.run(main())


def test_a_def_observer_that_hangs_is_given_up_under_an_event_loop(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    released = threading.Event()

    class Blocks:
        @hookimpl
        def session_changed(self) -> None:
            released.wait(10)

    monkeypatch.setattr("livegate.plugins.manager.OBSERVER_TIMEOUT", 0.01)
    plugins = Plugins([Blocks()], is_async=True)

    async def main() -> float:
        began = time.monotonic()
        await plugins.observe(None, SESSION, None)
        elapsed = time.monotonic() - began
        released.set()
        return elapsed

    assert asyncio.run(main()) < 5
    assert "failed with TimeoutError" in caplog.text


def test_a_def_hook_may_return_an_awaitable(make: Callable[..., Plugins], call: Call) -> None:
    async def verdict() -> Verdict:
        return Verdict(SessionState.REJECTED, ("late",))

    class Hands:
        @hookimpl
        def decide(self) -> Any:
            return verdict()

    assert call(make(Hands()).decide(SESSION, REAL, LOGIN, None)).reasons == ("late",)


def test_a_cancelled_operation_cancels_the_hook_that_it_waits_for() -> None:
    ended = []

    class Waits:
        @hookimpl
        async def before_start(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cancelled")

    plugins = Plugins([Waits()], is_async=True)

    async def main() -> None:
        task = asyncio.create_task(plugins.before_start(ALICE, LOGIN, ATTEMPT))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert ended == ["cancelled"]


def test_a_notifier_delivers_in_a_thread_where_it_would_block_the_loop() -> None:
    seen: list[Any] = []

    async def later(event: Any) -> None:
        seen.append((event, threading.current_thread()))

    def now(event: Any) -> None:
        seen.append((event, threading.current_thread()))

    event: Any = "the event"
    here = threading.current_thread()

    for is_async in (False, True):
        plugins = Plugins(is_async=is_async)
        for function in (now, later):
            step = plugins.deliver(CallbackNotifier("callback", function), event)
            asyncio.run(step) if is_async else run_sync(step)

    assert [each for each, _ in seen] == [event] * 4
    # Called in the caller's thread, but for what may block an event loop.
    assert [thread is here for _, thread in seen] == [True, True, False, True]


@pytest.mark.parametrize("is_async", [False, True])
def test_what_a_notifier_raises_leaves_as_it_is(is_async: bool) -> None:
    def reject(event: Any) -> None:
        raise GiveUp("unknown account")

    plugins = Plugins(is_async=is_async)
    event: Any = "the event"
    step = plugins.deliver(CallbackNotifier("callback", reject), event)

    with pytest.raises(GiveUp, match="unknown account"):
        asyncio.run(step) if is_async else run_sync(step)
