"""The hooks as the operations call them: what a plugin may do, and what it may not.

For each hook there is a ``test_hook_<name>``; a test sees to that.
"""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.toolkit.plugins.samples import (
    ALICE,
    ATTEMPT,
    IMAGE,
    LOGIN,
    NOW,
    PAYOUT,
    REAL,
    SECRET,
    SESSION,
    SPOOF,
    FaultError,
)

from livegate.errors import (
    ConfigurationError,
    PolicyFailedError,
    PolicyUnavailableError,
    StoreError,
)
from livegate.hooks import (
    HOOKS,
    LivenessSession,
    PolicyViolation,
    ReferenceImage,
    RequestContext,
    SessionState,
    StartOutcome,
    StartRequest,
    Verdict,
    hookimpl,
)
from livegate.lifecycle import Created
from sample_plugin import PORTRAIT, SampleNotifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from livegate.plugins.manager import Plugins

    Call = Callable[[Any], Any]

# --- each hook, as def and as async def, under both orchestrators ----------------------------


def test_hook_configure(make: Callable[..., Plugins], plugin: Any) -> None:
    make(plugin)

    assert plugin.seen == [("configured", "sample", "1.0")]


def test_hook_shutdown_runs_once(make: Callable[..., Plugins], call: Call, plugin: Any) -> None:
    plugins = make(plugin)

    call(plugins.shutdown())
    call(plugins.shutdown())

    assert plugin.seen[1:] == ["shut down"]


def test_hook_open_store(make: Callable[..., Plugins], plugin: Any) -> None:
    plugins = make(plugin)

    store = plugins.open_store("sample://here/x")

    assert type(store).__name__ == "MemoryStore"
    assert plugin.seen[1:] == [("here", "v1.2")]


def test_hook_open_notifier(make: Callable[..., Plugins], plugin: Any) -> None:
    plugins = make(plugin)

    assert isinstance(plugins.open_notifier("sample://"), SampleNotifier)
    assert plugins.open_notifier("log://").name == "log"


def test_hook_provide_reference_image(
    make: Callable[..., Plugins], call: Call, plugin: Any
) -> None:
    plugins = make(plugin)

    assert call(plugins.provide_reference_image(ALICE, PAYOUT)) == PORTRAIT
    assert call(plugins.provide_reference_image(ALICE, LOGIN)) is None


def test_hook_check_reference_image(make: Callable[..., Plugins], call: Call, plugin: Any) -> None:
    plugins = make(plugin)
    bad = ReferenceImage(IMAGE.content + b"reject me")

    assert call(plugins.check_reference_image(IMAGE, ALICE, PAYOUT)) == ()
    (violation,) = call(plugins.check_reference_image(bad, ALICE, PAYOUT))
    assert violation.code == "image_rejected"


def test_hook_before_start(make: Callable[..., Plugins], call: Call, plugin: Any) -> None:
    plugins = make(plugin, sample={"locked": "bob"})

    assert call(plugins.before_start(ALICE, LOGIN, ATTEMPT)) == ()
    (violation,) = call(plugins.before_start(StartRequest("bob"), LOGIN, ATTEMPT))
    assert violation.code == "account_locked"


def test_hook_start_settled(make: Callable[..., Plugins], call: Call, plugin: Any) -> None:
    call(make(plugin).start_settled(ATTEMPT, StartOutcome.NOT_CREATED))

    assert plugin.seen[1:] == [("s1", "not_created")]


def test_hook_decide(make: Callable[..., Plugins], call: Call, plugin: Any) -> None:
    plugins = make(plugin)
    robot = RequestContext(user_agent="robot")

    assert call(plugins.decide(SESSION, REAL, LOGIN, None)).state == "passed"
    assert call(plugins.decide(SESSION, REAL, LOGIN, robot)).reasons == ("high_value",)


def test_hook_session_changed(make: Callable[..., Plugins], call: Call, plugin: Any) -> None:
    plugins = make(plugin)
    ready = replace(SESSION, state=SessionState.READY)

    call(plugins.observe(None, SESSION, None))
    call(plugins.observe(SESSION, ready, Created("remote", NOW)))

    assert plugin.seen[1:] == [("requested", "awaiting_result"), ("created", "ready")]


def test_every_hook_is_documented_and_tested() -> None:
    for name, protocol in HOOKS.items():
        assert "Runs" in getattr(protocol, name).__doc__
        assert any(test.startswith(f"test_hook_{name}") for test in globals())


# --- policies ---------------------------------------------------------------------------------


def before_start(result: object) -> object:
    """A plugin whose ``before_start`` returns or raises *result*."""

    class Policy:
        name = "odd"

        @hookimpl
        def before_start(self) -> Any:
            if isinstance(result, BaseException):
                raise result
            return result

    return Policy()


def decide(result: object) -> object:
    """A plugin whose ``decide`` returns or raises *result*."""

    class Policy:
        name = "odd"

        @hookimpl
        def decide(self) -> Any:
            if isinstance(result, BaseException):
                raise result
            return result() if callable(result) else result

    return Policy()


def test_the_violations_of_all_plugins_come_together_in_the_order_of_the_calls(
    make: Callable[..., Plugins], call: Call, plugin: Any
) -> None:
    class Other:
        @hookimpl
        def check_reference_image(self) -> tuple[PolicyViolation, ...]:
            return (PolicyViolation("too_blue", "Too blue."), PolicyViolation("too_old", "Old."))

    plugins = make(plugin, Other())

    found = call(plugins.check_reference_image(ReferenceImage(b"reject me"), ALICE, PAYOUT))

    codes = [violation.code for violation in found]
    assert codes == [
        "too_blue",
        "too_old",
        "image_rejected",
        "image_too_small",
        "image_format_unknown",
    ]


@pytest.mark.parametrize(
    "error", [FaultError(SECRET), StopIteration(SECRET), StoreError(SECRET), TimeoutError(SECRET)]
)
def test_a_policy_that_raises_rejects_the_start_without_a_word_of_its_error(
    make: Callable[..., Plugins], call: Call, error: Exception
) -> None:
    plugins = make(before_start(error))

    with pytest.raises(PolicyFailedError, match="before_start of plugin odd failed with") as raised:
        call(plugins.before_start(ALICE, LOGIN, ATTEMPT))

    assert "hunter2" not in "".join(traceback.format_exception(raised.value))
    assert raised.value.__context__ is None
    assert raised.value.status == 500


def test_the_error_of_a_policy_names_its_class_and_line(
    make: Callable[..., Plugins], call: Call
) -> None:
    plugins = make(before_start(FaultError()))

    with pytest.raises(PolicyFailedError, match=r"with FaultError at test_hooks.py, line \d+\.$"):
        call(plugins.before_start(ALICE, LOGIN, ATTEMPT))


def test_the_error_of_a_policy_names_its_own_line_and_not_that_of_a_library(
    make: Callable[..., Plugins], call: Call
) -> None:
    class Parses:
        @hookimpl
        def before_start(self) -> None:
            json.loads("no json")

    with pytest.raises(PolicyFailedError, match=r"with JSONDecodeError at test_hooks.py, line"):
        call(make(Parses()).before_start(ALICE, LOGIN, ATTEMPT))


def test_a_policy_that_is_unavailable_is_a_503_without_its_cause(
    make: Callable[..., Plugins], call: Call
) -> None:
    class Limits:
        @hookimpl
        def before_start(self) -> None:
            try:
                raise FaultError(SECRET)
            except FaultError as error:
                raise PolicyUnavailableError("No limits now.", retry_after=7) from error

    plugins = make(Limits())

    with pytest.raises(PolicyUnavailableError, match="No limits now") as raised:
        call(plugins.before_start(ALICE, LOGIN, ATTEMPT))

    assert (raised.value.status, raised.value.retry_after) == (503, 7)
    assert "hunter2" not in "".join(traceback.format_exception(raised.value))
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


@pytest.mark.parametrize(
    "result",
    [True, "no", [None], 0, "", {}, b"", set(), iter(())],
    ids=["true", "str", "list-of-none", "zero", "empty-str", "dict", "bytes", "set", "iterator"],
)
def test_a_policy_that_returns_anything_else_rejects_the_start(
    make: Callable[..., Plugins], call: Call, result: object
) -> None:
    plugins = make(before_start(result))

    with pytest.raises(PolicyFailedError, match=r"plugin odd returned a .* in place of"):
        call(plugins.before_start(ALICE, LOGIN, ATTEMPT))


@pytest.mark.parametrize("result", [None, [], ()])
def test_a_policy_without_a_violation_lets_the_start_pass(
    make: Callable[..., Plugins], call: Call, result: object
) -> None:
    assert call(make(before_start(result)).before_start(ALICE, LOGIN, ATTEMPT)) == ()


def test_two_plugins_that_provide_an_image_are_an_error_that_names_both(
    make: Callable[..., Plugins], call: Call, plugin: Any
) -> None:
    class Archive:
        @hookimpl
        def provide_reference_image(self, request: StartRequest) -> ReferenceImage:
            return PORTRAIT

    plugins = make(plugin, Archive())

    with pytest.raises(ConfigurationError, match=r"archive and sample both provide .* payout"):
        call(plugins.provide_reference_image(ALICE, PAYOUT))
    assert call(plugins.provide_reference_image(ALICE, LOGIN)) == PORTRAIT


def portrait_of(request: StartRequest) -> ReferenceImage | None:
    return PORTRAIT if request.subject == "alice" else None


async def portrait_later(request: StartRequest) -> ReferenceImage | None:
    return portrait_of(request)


@pytest.mark.parametrize("source", [portrait_of, portrait_later])
def test_the_image_source_of_a_purpose_is_called_as_a_hook_is(
    make: Callable[..., Plugins], call: Call, source: Any
) -> None:
    plugins = make()

    assert call(plugins.image_from(source, ALICE, PAYOUT)) == PORTRAIT
    assert call(plugins.image_from(source, StartRequest("bob"), PAYOUT)) is None


def test_an_image_source_that_fails_names_the_purpose(
    make: Callable[..., Plugins], call: Call
) -> None:
    def broken(request: StartRequest) -> None:
        raise FaultError(SECRET)

    plugins = make()
    wrong: Any = lambda _: b"picture"  # noqa: E731

    with pytest.raises(
        PolicyFailedError, match=r"of the purpose payout failed with FaultError at "
    ):
        call(plugins.image_from(broken, ALICE, PAYOUT))
    with pytest.raises(
        PolicyFailedError, match=r"of the purpose payout returned a bytes in place of"
    ):
        call(plugins.image_from(wrong, ALICE, PAYOUT))


@pytest.mark.parametrize("result", [b"picture", "", ReferenceImage("text")])  # type: ignore[arg-type]
def test_an_image_that_is_none_rejects_the_start(
    make: Callable[..., Plugins], call: Call, result: Any
) -> None:
    class Archive:
        @hookimpl
        def provide_reference_image(self) -> Any:
            return result

    with pytest.raises(PolicyFailedError, match="archive returned a"):
        call(make(Archive()).provide_reference_image(ALICE, PAYOUT))


def test_a_plugin_cannot_make_a_verdict_milder(make: Callable[..., Plugins], call: Call) -> None:
    class Generous:
        @hookimpl(tryfirst=True)
        def decide(self) -> Verdict:
            return Verdict(SessionState.PASSED)

    assert call(make(Generous()).decide(SESSION, SPOOF, LOGIN, None)).state == "rejected"


@pytest.mark.parametrize(
    "result",
    [
        True,
        "passed",
        "",
        SessionState.PASSED,
        FaultError(SECRET),
        lambda: Verdict(SessionState.REJECTED, "spoof"),  # type: ignore[arg-type]
        lambda: Verdict(SessionState.REJECTED, (1,)),  # type: ignore[arg-type]
        lambda: Verdict(SessionState.REJECTED, ("two words",)),
        lambda: Verdict(SessionState.READY),
    ],
)
def test_a_decision_that_fails_is_inconclusive_and_logged_without_its_words(
    make: Callable[..., Plugins], call: Call, result: object, caplog: pytest.LogCaptureFixture
) -> None:
    verdict = call(make(decide(result)).decide(SESSION, REAL, LOGIN, None))

    assert verdict == Verdict(SessionState.INCONCLUSIVE, ("policy_failed",))
    assert "decide of plugin odd" in caplog.text
    assert "hunter2" not in caplog.text


def test_a_decision_that_is_not_possible_now_leaves_the_result_for_later(
    make: Callable[..., Plugins], call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    plugins = make(decide(PolicyUnavailableError("No scores now.")))

    with pytest.raises(PolicyUnavailableError, match="No scores now") as raised:
        call(plugins.decide(SESSION, REAL, LOGIN, None))

    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    assert caplog.text == ""


def test_a_failed_decision_does_not_weaken_the_built_in_rules(
    make: Callable[..., Plugins], call: Call
) -> None:
    verdict = call(make(decide(FaultError())).decide(SESSION, SPOOF, LOGIN, None))

    assert verdict == Verdict(SessionState.REJECTED, ("spoof_detected", "policy_failed"))


# --- observers --------------------------------------------------------------------------------


def test_an_observer_that_fails_or_hangs_changes_nothing_and_is_logged(
    make: Callable[..., Plugins],
    call: Call,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Raises:
        @hookimpl
        def session_changed(self) -> None:
            raise FaultError(SECRET)

        @hookimpl
        def start_settled(self) -> None:
            raise FaultError(SECRET)

        @hookimpl
        def shutdown(self) -> None:
            raise FaultError(SECRET)

    class Hangs:
        @hookimpl
        async def session_changed(self) -> None:
            await asyncio.Event().wait()

    seen: list[str] = []

    class Sees:
        @hookimpl(trylast=True)
        def session_changed(self, after: LivenessSession) -> None:
            seen.append(after.state)

    monkeypatch.setattr("livegate.plugins.manager.OBSERVER_TIMEOUT", 0.01)
    plugins = make(Sees(), Hangs(), Raises())

    call(plugins.observe(None, SESSION, None))
    call(plugins.start_settled(ATTEMPT, StartOutcome.CREATED))
    call(plugins.shutdown())

    assert seen == ["awaiting_result"]
    messages = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert [message.partition(" at ")[0] for message in messages] == [
        "session_changed of plugin raises failed with FaultError",
        "session_changed of plugin hangs failed with TimeoutError",
        "start_settled of plugin raises failed with FaultError",
        "shutdown of plugin raises failed with FaultError",
    ]
    assert "hunter2" not in caplog.text


def test_a_hook_that_cancels_itself_has_failed(
    make: Callable[..., Plugins], call: Call, caplog: pytest.LogCaptureFixture
) -> None:
    class Cancels:
        @hookimpl
        async def decide(self) -> Verdict:
            raise asyncio.CancelledError

        @hookimpl
        async def session_changed(self) -> None:
            raise asyncio.CancelledError

    plugins = make(Cancels())

    assert call(plugins.decide(SESSION, REAL, LOGIN, None)).reasons == ("policy_failed",)
    call(plugins.observe(None, SESSION, None))
    assert "session_changed of plugin cancels failed" in caplog.text
