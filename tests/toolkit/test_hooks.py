"""The hooks: a third party's plugin does what it may, in both colours, and nothing that it may not.

For each hook there is a ``test_hook_<name>``; a test sees to that.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import sample_plugin
from livegate import (
    Objection,
    Outcome,
    ReferenceImage,
    SessionState,
    Settings,
    StartRequest,
    Verdict,
    hookimpl,
    hooks,
)
from livegate.errors import (
    ConfigurationError,
    FaceUnavailableError,
    ReferenceImageRefusedError,
    StartRefusedError,
)
from livegate.plugins import BUILT_INS, Plugins, PolicyFailedError
from livegate.session import Attempt, AttemptStatus, OutcomeStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from doors import Door
    from livegate.testing.doubles import ScriptedFace

    MakeGate = Callable[..., Door]

REAL = Attempt(1, AttemptStatus.SUCCEEDED, decision="realface", digest="AB")
SPOOF = Attempt(1, AttemptStatus.SUCCEEDED, decision="spoofface", digest="AB")
ALICE = StartRequest("alice")


def jpeg(mark: bytes = b"") -> ReferenceImage:
    return ReferenceImage(b"\xff\xd8\xff\xda" + mark + bytes(2000) + b"\xff\xd9")


@pytest.fixture(params=["def", "async def"])
def plugin(request: pytest.FixtureRequest) -> object:
    sample_plugin.seen.clear()
    sample_plugin.opened.clear()
    return sample_plugin.Plain() if request.param == "def" else sample_plugin.Awaited()


@pytest.fixture
def gate(make_gate: MakeGate, plugin: object) -> Door:
    return make_gate(plugins=[plugin])


# --- each hook ----------------------------------------------------------------------------------


def test_hook_open_store(make_gate: MakeGate, plugin: object) -> None:
    gate = make_gate(store="sample://here", plugins=[plugin])

    assert sample_plugin.opened == ["sample://here v1.2"]
    session = gate.start(ALICE).session
    assert gate.get(session.id, subject="alice") == session


def test_hook_open_store_leaves_other_schemes_to_others(
    make_gate: MakeGate, plugin: object
) -> None:
    assert make_gate(store="memory://", plugins=[plugin]).start(ALICE).session.state == "ready"
    with pytest.raises(ConfigurationError, match="nobody"):
        make_gate(store="nobody://", plugins=[plugin])


def test_hook_open_notifier(plugin: object) -> None:
    class WithNotifier:
        @hookimpl
        def open_notifier(self, uri: str, settings: Settings) -> str | None:
            return uri if uri == "pigeon:" else None

    # Nothing of the core opens notifiers yet; the hook is there for plugins to fill.
    manager = Plugins([plugin, WithNotifier()])
    assert any("WithNotifier" in name for name in manager.names())


def test_hook_before_start(gate: Door, face: ScriptedFace) -> None:
    with pytest.raises(StartRefusedError) as error:
        gate.start(StartRequest("locked"))

    assert (error.value.code, error.value.status) == ("account_locked", 403)
    assert face.calls == []
    assert gate.find(subject="locked").sessions == ()


def test_a_start_from_before_a_lock_out_is_not_carried_on(
    make_gate: MakeGate, face: ScriptedFace
) -> None:
    locked: list[str] = []

    class LockOut:
        @hookimpl
        def before_start(self, request: StartRequest) -> Objection | None:
            return Objection("locked", "Locked.") if request.subject in locked else None

    gate = make_gate(plugins=[LockOut()])
    request = replace(ALICE, idempotency_key="kept for later")
    face.failures["create"] = FaceUnavailableError("no answer")
    with pytest.raises(FaceUnavailableError):
        gate.start(request)

    locked.append("alice")
    with pytest.raises(StartRefusedError):
        gate.start(request)
    assert face.calls == ["create"]

    locked.clear()
    face.failures.clear()
    assert gate.start(request).session.state == "ready"


def test_hook_review_reference_image(gate: Door, face: ScriptedFace) -> None:
    with pytest.raises(ReferenceImageRefusedError) as error:
        gate.start(StartRequest("alice", reference_image=jpeg(b"refuse me")))

    assert [each.code for each in error.value.objections] == ["image_refused"]
    assert face.calls == []
    assert gate.start(StartRequest("alice", reference_image=jpeg())).session.state == "ready"


def test_hook_decide(gate: Door, face: ScriptedFace) -> None:
    face.outcome = Outcome(OutcomeStatus.ENDED, (REAL,))
    login = gate.start(StartRequest("alice", purpose="login")).session
    payment = gate.start(StartRequest("alice", purpose="payment")).session

    assert gate.finish(login.id, subject="alice").state == "passed"
    sent = gate.finish(payment.id, subject="alice")
    assert (sent.state, sent.reasons) == ("needs_review", ("high_value",))


@pytest.mark.parametrize("reasons", ["high_value", (5,), [None], None, ({"a": 1},)])
def test_reasons_that_are_no_words_fail_the_policy_and_are_not_kept(
    make_gate: MakeGate, face: ScriptedFace, reasons: Any
) -> None:
    class Slip:
        @hookimpl
        def decide(self) -> Verdict:
            return Verdict(SessionState.REJECTED, reasons)

    gate = make_gate(plugins=[Slip()])
    face.outcome = Outcome(OutcomeStatus.ENDED, (REAL,))
    session = gate.start(ALICE).session

    done = gate.finish(session.id, subject="alice")

    assert (done.state, done.reasons) == ("inconclusive", ("policy_failed",))


def test_hook_session_changed(gate: Door, face: ScriptedFace) -> None:
    face.outcome = Outcome(OutcomeStatus.ENDED, (REAL,))
    session = gate.start(ALICE).session
    gate.finish(session.id, subject="alice")

    assert sample_plugin.seen == [
        ("NoneType", "requested"),
        ("Created", "ready"),
        ("ClientFinished", "awaiting_result"),
        ("ResultRead", "passed"),
        ("RemoteDeleted", "passed"),
    ]


def test_every_hook_is_specified_with_words_and_tested() -> None:
    specified = {name for name, value in vars(hooks).items() if hasattr(value, "livegate_spec")}

    assert specified == set(hooks.HOOK_NAMES)
    for name in hooks.HOOK_NAMES:
        assert "Fires" in getattr(hooks, name).__doc__ or name == "open_notifier"
        assert f"test_hook_{name}" in globals()


# --- what a plugin may not do --------------------------------------------------------------------


def test_objections_of_all_plugins_are_told_at_once(make_gate: MakeGate, plugin: object) -> None:
    class Other:
        @hookimpl
        def review_reference_image(self) -> tuple[Objection, ...]:
            return (Objection("too_blue", "Too blue."), Objection("too_old", "Too old."))

    gate = make_gate(plugins=[plugin, Other()])
    image = ReferenceImage(b"refuse me")

    with pytest.raises(ReferenceImageRefusedError) as error:
        gate.start(StartRequest("alice", reference_image=image))

    codes = {each.code for each in error.value.objections}
    assert codes == {
        "too_blue",
        "too_old",
        "image_refused",
        "image_too_small",
        "image_format_unknown",
    }


def test_a_plugin_cannot_make_a_verdict_milder(make_gate: MakeGate, face: ScriptedFace) -> None:
    class Generous:
        @hookimpl(tryfirst=True)
        def decide(self) -> Verdict:
            return Verdict(SessionState.PASSED)

    gate = make_gate(plugins=[Generous()])
    face.outcome = Outcome(OutcomeStatus.ENDED, (SPOOF,))
    session = gate.start(ALICE).session

    assert gate.finish(session.id, subject="alice").state == "rejected"


class FaultError(Exception):
    pass


def test_a_policy_that_raises_refuses_the_start(make_gate: MakeGate, face: ScriptedFace) -> None:
    class Broken:
        @hookimpl
        def before_start(self) -> None:
            raise FaultError("secret of the plugin")

    gate = make_gate(plugins=[Broken()])

    with pytest.raises(PolicyFailedError) as error:
        gate.start(ALICE)
    assert "secret" not in error.value.public_message
    assert face.calls == []


@pytest.mark.parametrize("answer", [True, "no", [None], 0, "", {}, b""])
def test_a_policy_that_answers_nonsense_refuses_the_start(
    make_gate: MakeGate, answer: object
) -> None:
    class Odd:
        @hookimpl
        def before_start(self) -> Any:
            return answer

    with pytest.raises(PolicyFailedError, match=r"plugin \S*Odd"):
        make_gate(plugins=[Odd()]).start(ALICE)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (1, "Locked."),
        ("not a word", "Locked."),
        ("locked\n", "Locked."),
        ("locked", None),
        ("locked", ""),
        ("locked", "\x1b[2J"),
        ("locked", "one\ntwo"),
        ("locked", "\ud800"),
        ("locked", "x" * 1001),
    ],
)
def test_an_objection_is_a_word_and_a_line(make_gate: MakeGate, code: Any, message: Any) -> None:
    class Odd:
        @hookimpl
        def before_start(self) -> Objection:
            return Objection(code, message)

    with pytest.raises(PolicyFailedError):
        make_gate(plugins=[Odd()]).start(ALICE)


@pytest.mark.parametrize(
    "reasons",
    ["spoof", (1,), None, ([],), ("x" * 65,), ("a\r\n",), ("\ud800",), ("",), ("two words",)],
    ids=repr,
)
def test_a_verdict_with_other_reasons_than_words_never_passes_nor_breaks_the_record(
    make_gate: MakeGate, face: ScriptedFace, reasons: Any
) -> None:
    class Odd:
        @hookimpl
        def decide(self) -> Verdict:
            return Verdict(SessionState.REJECTED, reasons)

    gate = make_gate(plugins=[Odd()])
    face.outcome = Outcome(OutcomeStatus.ENDED, (REAL,))

    done = gate.finish(gate.start(ALICE).session.id, subject="alice")

    assert (done.state, done.reasons) == ("inconclusive", ("policy_failed",))
    assert (done.remote, face.sessions) == ("deleted", set())


def test_a_verdict_may_name_its_state_by_the_word(make_gate: MakeGate, face: ScriptedFace) -> None:
    class Words:
        @hookimpl
        def decide(self) -> Any:
            return Verdict("rejected", ["too_late"])  # type: ignore[arg-type]

    gate = make_gate(plugins=[Words()])
    face.outcome = Outcome(OutcomeStatus.ENDED, (REAL,))

    done = gate.finish(gate.start(ALICE).session.id, subject="alice")

    assert done.state is SessionState.REJECTED
    assert (done.reasons, done.remote) == (("too_late",), "deleted")


def test_a_hook_whose_own_work_was_cancelled_has_failed(
    make_gate: MakeGate, face: ScriptedFace
) -> None:
    class Cancelled:
        @hookimpl
        async def decide(self) -> Verdict:
            raise asyncio.CancelledError

        @hookimpl
        async def session_changed(self) -> None:
            raise asyncio.CancelledError

    gate = make_gate(plugins=[Cancelled()])
    face.outcome = Outcome(OutcomeStatus.ENDED, (REAL,))

    done = gate.finish(gate.start(ALICE).session.id, subject="alice")

    assert (done.state, done.reasons) == ("inconclusive", ("policy_failed",))


@pytest.mark.parametrize("answer", [True, "passed", SessionState.PASSED, FaultError("broken")])
def test_a_decision_that_fails_never_passes(
    make_gate: MakeGate, face: ScriptedFace, answer: object
) -> None:
    class Odd:
        @hookimpl
        def decide(self) -> Any:
            if isinstance(answer, Exception):
                raise answer
            return answer

    gate = make_gate(plugins=[Odd()])
    face.outcome = Outcome(OutcomeStatus.ENDED, (REAL,))
    session = gate.start(ALICE).session

    done = gate.finish(session.id, subject="alice")
    assert (done.state, done.reasons) == ("inconclusive", ("policy_failed",))


def test_an_observer_that_raises_or_hangs_changes_nothing_and_is_recorded(
    make_gate: MakeGate,
    face: ScriptedFace,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Raises:
        @hookimpl
        def session_changed(self) -> None:
            raise FaultError

    class Hangs:
        @hookimpl
        async def session_changed(self) -> None:
            await asyncio.Event().wait()

    seen: list[str] = []

    class Sees:
        @hookimpl(trylast=True)
        def session_changed(self, after: Any) -> None:
            seen.append(after.state)

    monkeypatch.setattr("livegate.plugins.OBSERVER_PATIENCE", 0.01)
    gate = make_gate(plugins=[Sees(), Hangs(), Raises()])
    caplog.set_level(logging.ERROR)
    face.outcome = Outcome(OutcomeStatus.ENDED, (REAL,))

    session = gate.start(ALICE).session
    done = gate.finish(session.id, subject="alice")

    assert done.state == "passed"
    assert len(seen) == 5
    assert sum("session_changed of plugin" in each.getMessage() for each in caplog.records) == 10


# --- the register -----------------------------------------------------------------------------


def test_the_built_ins_come_through_the_same_door(gate: Door, make_gate: MakeGate) -> None:
    assert set(make_gate().orchestrator.plugins.names()) == set(BUILT_INS)
    assert set(gate.orchestrator.plugins.names()) > set(BUILT_INS)


def test_a_plugin_of_one_orchestrator_is_none_of_another(
    make_gate: MakeGate, plugin: object
) -> None:
    make_gate(plugins=[plugin])

    assert make_gate().start(StartRequest("locked")).session.state == "ready"


def test_an_unknown_hook_is_an_error(make_gate: MakeGate) -> None:
    class Typo:
        @hookimpl
        def before_begin(self) -> None: ...

    with pytest.raises(ConfigurationError, match="before_begin"):
        make_gate(plugins=[Typo()])


def test_an_unknown_argument_is_an_error(make_gate: MakeGate) -> None:
    class Typo:
        @hookimpl
        def before_start(self, requests: object) -> None: ...

    with pytest.raises(ConfigurationError, match="requests"):
        make_gate(plugins=[Typo()])


def test_a_wrapper_is_an_error(make_gate: MakeGate) -> None:
    class Wraps:
        @hookimpl(wrapper=True)
        def before_start(self) -> Any:
            return (yield)

    with pytest.raises(ConfigurationError, match="wraps"):
        make_gate(plugins=[Wraps()])


class Locks:
    @hookimpl
    def before_start(self, request: StartRequest | None = None) -> Objection | None:
        return None if request is None else Objection("locked", "Locked.")


class LocksByName:
    @hookimpl
    def before_start(self, *, request: StartRequest) -> Objection:
        return Objection("locked", f"{request.subject} is locked.")


class LocksAll:
    @hookimpl
    def before_start(self, **arguments: object) -> Objection | None:
        return Objection("locked", "Locked.") if "request" in arguments else None


@pytest.mark.parametrize("policy", [Locks(), LocksByName(), LocksAll()])
def test_an_argument_is_given_however_the_hook_takes_it(
    make_gate: MakeGate, policy: object
) -> None:
    with pytest.raises(StartRefusedError):
        make_gate(plugins=[policy]).start(ALICE)


class Unmarked:
    def before_start(self, request: object) -> None: ...


class Needy:
    @hookimpl
    def before_start(self, request: object, *, budget: int) -> None: ...


class PartlyMarked(Unmarked):
    @hookimpl
    def session_changed(self) -> None: ...


@pytest.mark.parametrize(
    ("plugins", "says"),
    [
        ([Locks], r"Locks .*is a class.*Locks\(\)"),
        ([Unmarked()], "Unmarked .*before_start.*@livegate.hookimpl"),
        ([PartlyMarked()], "PartlyMarked .*before_start.*@livegate.hookimpl"),
        ([object()], "object .*no hooks"),
        ([None], "NoneType .*no hooks"),
        ([Needy()], "Needy .*before_start that cannot be called.*budget"),
        ("bank", "LIVEGATE_PLUGINS"),
        (Locks(), r"\[MyPlugin\(\)\]"),
        (None, r"\[MyPlugin\(\)\]"),
        ([sample_plugin.Awaited.plain] * 2, r"Plain \(number 2 .*already, as Plain \(number 1"),
    ],
)
def test_what_would_never_be_asked_is_an_error(
    make_gate: MakeGate, plugins: Any, says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        make_gate(plugins=plugins)


# --- entry points --------------------------------------------------------------------------------


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs distributions with an entry point each, ``name = value``."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(**packages: str) -> None:
        for package, entry_point in packages.items():
            info = tmp_path / f"{package}-1.dist-info"
            info.mkdir()
            info.joinpath("METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n"
            )
            info.joinpath("entry_points.txt").write_text(f"[livegate]\n{entry_point}\n")
        tmp_path.joinpath("broken_plugin.py").write_text("raise RuntimeError('no licence')\n")

    return install


PLAIN = "plain = sample_plugin:Awaited.plain"


@pytest.mark.parametrize("names", ["plain", "plain,plain", "plain,*", "*,plain", "*"])
def test_an_entry_point_is_loaded_once_however_often_it_is_named(
    make_gate: MakeGate, installed: Callable[..., None], names: str
) -> None:
    installed(bank=PLAIN)

    gate = make_gate(settings=Settings(plugins=tuple(names.split(","))))

    assert gate.orchestrator.plugins.names().count("plain") == 1


@pytest.mark.parametrize(
    ("packages", "says"),
    [
        (
            {"bank": "bank = broken_plugin"},
            "bank cannot be imported from broken_plugin.*no licence",
        ),
        ({"bank": "bank = no_such_module:plugin"}, "bank cannot be imported.*no_such_module"),
        ({"bank": "bank = sample_plugin:Missing"}, "bank cannot be imported.*Missing"),
        ({"bank": "bank = sample_plugin:Plain"}, "bank is a class"),
        ({"bank": "bank = json"}, "bank has no hooks"),
        (
            {"bank": "bank = json", "other": "bank = csv"},
            "Two installed packages.*(json|csv) and (json|csv)",
        ),
    ],
)
def test_an_entry_point_that_cannot_be_used_is_named(
    make_gate: MakeGate, installed: Callable[..., None], packages: dict[str, str], says: str
) -> None:
    installed(**packages)

    with pytest.raises(ConfigurationError, match=says):
        make_gate(settings=Settings(plugins=("bank",)))


def test_a_plugin_that_is_named_and_handed_over_is_an_error(
    make_gate: MakeGate, installed: Callable[..., None]
) -> None:
    installed(bank=PLAIN)

    with pytest.raises(ConfigurationError, match="registered already, as plain"):
        make_gate(settings=Settings(plugins=("plain",)), plugins=[sample_plugin.Awaited.plain])


def test_entry_points_are_loaded_only_when_they_are_named(make_gate: MakeGate) -> None:
    with pytest.raises(ConfigurationError, match="LIVEGATE_PLUGINS names no-such-plugin"):
        make_gate(settings=Settings(plugins=("no-such-plugin",)))
    assert make_gate(settings=Settings(plugins=("*",))).start(ALICE).session.state == "ready"


def test_a_store_that_fails_to_open_is_told_without_the_words_of_its_driver() -> None:
    class Driver:
        @hookimpl
        def open_store(self, uri: str) -> None:
            raise FaultError(f"cannot connect to {uri}")

    plugins = Plugins([Driver()])

    with pytest.raises(ConfigurationError, match=r"Driver.*sample.*FaultError") as error:
        plugins.open_store("sample://user:secret@host", Settings())
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("uri", ["", "sessions.sqlite"])
def test_a_store_without_a_scheme_is_told_what_to_write(uri: str) -> None:
    with pytest.raises(ConfigurationError, match=r"no URI.*sqlite:///PATH"):
        Plugins().open_store(uri, Settings())


@pytest.mark.parametrize("missing", ["save", "due"])
def test_a_store_that_lacks_an_operation_is_refused_and_named(
    make_gate: MakeGate, missing: str
) -> None:
    from livegate.stores.memory import MemoryStore

    store = MemoryStore()
    setattr(store, missing, None)

    with pytest.raises(ConfigurationError, match=missing):
        make_gate(store=store)


def test_an_async_store_is_refused_by_the_sync_orchestrator_alone() -> None:
    from livegate import AsyncOrchestrator, Orchestrator
    from livegate.stores.memory import MemoryStore
    from livegate.stores.threads import ThreadedStore
    from livegate.testing.doubles import AsyncScriptedFace, ScriptedFace

    store: Any = ThreadedStore(MemoryStore())

    with pytest.raises(ConfigurationError, match="AsyncOrchestrator"):
        Orchestrator(Settings(), face=ScriptedFace(), store=store)
    AsyncOrchestrator(Settings(), face=AsyncScriptedFace(ScriptedFace()), store=store)
