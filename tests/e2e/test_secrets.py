"""Marked secrets go through everything; then everything that was written is searched for them.

The secrets are the resource key, the tokens and the pictures, a user's name where it has no place,
and a password in a URI.
"""

from __future__ import annotations

import base64
import io
import logging
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from emulated import Emulated, emulate
from livegate import CallbackNotifier, LivegateError, ReferenceImage, StartRequest, cli
from livegate.hooks import hookimpl
from livegate.orchestrator import Orchestrator
from mockface import Mockface

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CANARY_KEY = "canary-key-5b1d7a"
CANARY_PASSWORD = "canary-password-77aa01"
MARK = b"canary-image-93c1f0"
FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 401},
    {"status": 429},
    {"status": 500},
    {"body": "garbage"},
)


class Recorder:
    """A plugin, and a destination of events, that keep the repr of all that they are given."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    @hookimpl
    def configure(self, context: Any) -> None:
        self.seen.append(repr(context))

    @hookimpl
    def before_start(self, request: Any, purpose: Any, attempt: Any) -> None:
        self.seen.append(repr((request, purpose, attempt)))

    @hookimpl
    def start_settled(self, attempt: Any, outcome: Any) -> None:
        self.seen.append(repr((attempt, outcome)))

    @hookimpl
    def check_reference_image(self, image: Any, request: Any) -> None:
        self.seen.append(repr((image, request)))

    @hookimpl
    def decide(self, session: Any, outcome: Any, context: Any) -> None:
        self.seen.append(repr((session, outcome, context)))

    @hookimpl
    def session_changed(self, before: Any, after: Any, event: Any) -> None:
        self.seen.append(repr((before, after, event)))

    def deliver(self, event: Any) -> None:
        self.seen.append(repr(event))
        if event.sequence == 2:
            raise ConnectionError(f"https://app:{CANARY_PASSWORD}@hooks.example/")


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """Whatever any library logs, at any level, with its exceptions and extra fields."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.format = lambda record: f"{logging.Formatter().format(record)} {vars(record)}"  # type: ignore[method-assign]
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def test_no_secret_is_written_anywhere(
    tmp_path: Path,
    everything_logged: io.StringIO,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorder = Recorder()
    with Mockface(keys=[CANARY_KEY], seed="canary") as mock:
        notifiers: list[Any] = ["log://", CallbackNotifier("recorder", recorder.deliver)]
        with emulate(
            mock, tmp_path, key=CANARY_KEY, plugins=[recorder], notifiers=notifiers
        ) as site:
            # When sessions pass, sessions fail in every way, and their events are delivered
            image = marked(site.control.portrait("alice"))
            tokens, responses = run_sessions(site, image)
            mock.clock.advance(3600)
            for _ in range(3):
                site.orchestrator.sweep()
                mock.clock.advance(3600)
            started = site.orchestrator.start(StartRequest("alice"))
            tokens.append(started.auth_token)
            reprs = [repr(each) for each in (site.orchestrator, site.orchestrator.runtime, started)]
            errors = provoke_errors(site)
        # and an operator uses the command
        monkeypatch.setenv("VISION_ENDPOINT", mock.url)
        monkeypatch.setenv("VISION_KEY", CANARY_KEY)
        monkeypatch.setenv("LIVEGATE_STORE", f"sqlite:///{tmp_path}/sessions.sqlite")
        for arguments in ("sessions --subject alice", "export alice", "doctor", "plugins", "sweep"):
            assert cli.main(arguments.split()) == 0
        monkeypatch.setenv("LIVEGATE_STORE", f"postgres://app:{CANARY_PASSWORD}@db/app")
        assert cli.main(["doctor"]) == 1
        assert cli.main(["sweep"]) == 2

    # Then no secret is in any log, repr, exception, response, event, output or file
    captured = capsys.readouterr()
    written = {
        "logs": everything_logged.getvalue(),
        "output": captured.out + captured.err,
        "plugins": "\n".join(recorder.seen),
        "reprs": "\n".join(reprs),
        "errors": "\n".join(errors),
        "responses": "\n".join(responses),
        "files": files_in(tmp_path),
    }
    assert all(len(text) > 100 for text in written.values())
    secrets = [CANARY_KEY, CANARY_PASSWORD, MARK.decode(), base64.b64encode(MARK)[4:-4].decode()]
    secrets += [part for token in tokens for part in (token, token.split(".")[2])]
    for name, text in written.items():
        for secret in secrets:
            assert secret not in text, f"{secret!r} is in the {name}"


def test_name_of_a_user_is_in_no_log_and_no_error(
    mock: Mockface, tmp_path: Path, everything_logged: io.StringIO
) -> None:
    with emulate(mock, tmp_path, notifiers=["log://"]) as site:
        site.run_session("real", user="canary-user-1f")
        site.call("GET", "/sessions/nothing-of-that-name-here", user="canary-user-1f")
        errors = provoke_errors(site, subject="canary-user-1f")
        site.orchestrator.sweep()

    assert "canary-user-1f" not in everything_logged.getvalue()
    assert "canary-user-1f" not in "\n".join(errors)


def marked(picture: bytes) -> bytes:
    """The JPEG with the mark in a comment."""
    comment = b"\xff\xfe" + (2 + len(MARK)).to_bytes(2, "big") + MARK
    return picture[:2] + comment + picture[2:]


def run_sessions(site: Emulated, image: bytes) -> tuple[list[str], list[str]]:
    """Tokens that were handed out, and all responses without them."""
    enrol = {"purpose": (None, "enrol"), "referenceImage": ("me.jpg", image)}
    tokens: list[str] = []
    responses: list[str] = []

    def start(**request: Any) -> str:
        started = site.call("POST", "/sessions", **request).json()
        tokens.append(started.pop("authToken"))
        responses.append(repr(started))
        return str(started["sessionId"])

    for kind in ("json", "files"):
        session_id = start(**{kind: enrol if kind == "files" else {}})
        report = site.attempt(tokens[-1], "real")
        responses.append(site.finish(session_id, report).text)
    for fault in FAULTS:
        for route in ("*create*", "*result*", "*delete*"):
            site.control.add_fault(route, **fault)
        responses.append(site.call("POST", "/sessions", files=enrol).text)
        session_id = start(json={})
        report = site.attempt(tokens[-1], "real")
        responses.append(site.finish(session_id, report).text)
        responses.append(repr(site.read(session_id)))
    responses.append(site.call("GET", "/sessions").text)
    return tokens, responses


def provoke_errors(site: Emulated, subject: str = "alice") -> list[str]:
    """What a developer sees of exceptions, with their causes."""
    image = ReferenceImage(b"\x00" + MARK)
    gate = site.orchestrator
    calls: list[Callable[[], object]] = [
        lambda: gate.start(StartRequest(subject, "enrol", reference_image=image)),
        lambda: gate.get("nothing-of-that-name-here", subject=subject),
        lambda: gate.consume("nothing-of-that-name", subject=subject, purpose="nothing"),
        lambda: Orchestrator(gate.runtime.settings, store=f"x://app:{CANARY_PASSWORD}@db/x"),
        lambda: Orchestrator(gate.runtime.settings, notifiers=[f"x://app:{CANARY_PASSWORD}@h"]),
    ]
    errors = []
    for call in calls:
        try:
            call()
        except (LivegateError, ValueError) as error:
            errors.append("".join(traceback.format_exception(error)))
    assert len(errors) == len(calls)
    return errors


def files_in(folder: Path) -> str:
    content = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    return content.decode("latin-1")
