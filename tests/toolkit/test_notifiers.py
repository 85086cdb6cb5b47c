"""The built-in notifiers, and the log of sessions."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.toolkit.plugins.samples import SESSION

from livegate.errors import ConfigurationError
from livegate.hooks import (
    GiveUp,
    Notifier,
    PluginContext,
    RemoteState,
    SessionEvent,
    SessionState,
    Settings,
)
from livegate.lifecycle import Created
from livegate.notifiers.callback import CallbackNotifier
from livegate.plugins.manager import Plugins

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVENT = SessionEvent(
    id="s1:4",
    sequence=4,
    name="result_read",
    session_id="s1",
    subject="alice@example.com",
    purpose="payout",
    transaction="IBAN DE00",
    state=SessionState.PASSED,
    remote=RemoteState.DELETING,
    occurred_at=NOW,
)


@pytest.fixture
def plugins() -> Plugins:
    plugins = Plugins(is_async=False)
    plugins.configure(PluginContext(settings=Settings(), clock=lambda: NOW, version="1.0"))
    return plugins


def test_the_log_notifier_writes_ids_and_states_and_nothing_of_the_person(
    plugins: Plugins, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = plugins.open_notifier("log://")

    with caplog.at_level(logging.INFO, "livegate.events"):
        notifier.deliver(EVENT)
    notifier.close()

    (record,) = caplog.records
    assert record.name == "livegate.events"
    assert record.getMessage() == "event s1:4: session s1 is passed (result_read)"
    fields = {name: value for name, value in vars(record).items() if name.startswith("livegate_")}
    assert fields == {
        "livegate_event_id": "s1:4",
        "livegate_event": "result_read",
        "livegate_sequence": 4,
        "livegate_session_id": "s1",
        "livegate_purpose": "payout",
        "livegate_state": "passed",
        "livegate_remote": "deleting",
        "livegate_occurred_at": "2026-01-01T00:00:00+00:00",
    }
    assert "alice" not in repr(vars(record))
    assert "IBAN" not in repr(vars(record))


@pytest.mark.parametrize("uri", ["log://x", "log:///file", "log://?level=info", "LOG://user:pw@h"])
def test_the_log_notifier_takes_nothing_more(plugins: Plugins, uri: str) -> None:
    with pytest.raises(ConfigurationError, match="write log://") as raised:
        plugins.open_notifier(uri)
    assert "pw" not in str(raised.value)


def test_no_event_is_logged_twice_by_default(
    plugins: Plugins, caplog: pytest.LogCaptureFixture
) -> None:
    from livegate._sync import run_sync

    ready = replace(SESSION, state=SessionState.READY)

    with caplog.at_level(logging.INFO):
        run_sync(plugins.observe(None, SESSION, None))
        run_sync(plugins.observe(SESSION, ready, Created("remote-id", NOW)))

    assert Settings().notifiers == ()
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        ("livegate.sessions", "session s1: - -> awaiting_result (requested)"),
        ("livegate.sessions", "session s1: awaiting_result -> ready (created)"),
    ]
    assert "remote-id" not in caplog.text
    assert "alice" not in caplog.text


def test_a_callback_gets_each_event() -> None:
    seen: list[SessionEvent] = []

    async def later(event: SessionEvent) -> None:
        seen.append(event)

    notifier = CallbackNotifier("billing", seen.append)
    assert isinstance(notifier, Notifier)
    assert notifier.name == "billing"
    assert notifier.deliver(EVENT) is None
    result: Any = CallbackNotifier("later", later).deliver(EVENT)
    asyncio.run(result)
    notifier.close()

    assert seen == [EVENT, EVENT]


def test_what_a_callback_raises_is_for_the_worker() -> None:
    def reject(event: SessionEvent) -> None:
        raise GiveUp("unknown account")

    with pytest.raises(GiveUp, match="unknown account"):
        CallbackNotifier("billing", reject).deliver(EVENT)


@pytest.mark.parametrize(
    ("name", "function", "message"),
    [
        ("two words", print, "name of a CallbackNotifier"),
        ("", print, "name of a CallbackNotifier"),
        (5, print, "name of a CallbackNotifier"),
        ("billing", None, "takes a function"),
    ],
)
def test_a_callback_that_cannot_be_used_is_an_error(name: Any, function: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        CallbackNotifier(name, function)
