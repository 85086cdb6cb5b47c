"""Marked secrets go through everything; then everything that was written is searched for them."""

from __future__ import annotations

import base64
import io
import logging
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from emulated import emulate
from livegate import LivegateError, Settings, StartRequest, hookimpl
from livegate.session import ReferenceImage
from mockface import Mockface

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CANARY_KEY = "canary-key-5b1d7a"
MARK = b"canary-image-93c1f0"


class Recorder:
    """A plugin that writes down the repr of all that it is shown."""

    def __init__(self) -> None:
        self.written: list[str] = []

    @hookimpl
    def before_start(self, request: StartRequest) -> None:
        self.written.append(repr(request))

    @hookimpl
    def review_reference_image(self, image: ReferenceImage) -> None:
        self.written.append(repr(image))

    @hookimpl
    def decide(self, session: Any, outcome: Any) -> None:
        self.written.append(repr((session, outcome)))

    @hookimpl
    def session_changed(self, before: Any, after: Any, event: Any) -> None:
        self.written.append(repr((before, after, event)))


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """Whatever any library logs, at any level, and the exceptions with it."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)


def test_no_secret_is_written_anywhere(
    tmp_path: Path,
    api_version: str,
    everything_logged: io.StringIO,
    capfd: pytest.CaptureFixture[str],
) -> None:
    recorder = Recorder()
    answers: list[bytes] = []
    tokens: list[str] = []
    with Mockface(keys=[CANARY_KEY], seed="canary") as mock:
        path = emulate(mock, tmp_path, api_version, plugins=[recorder], key=CANARY_KEY)
        picture = path.hand.portrait("alice")
        comment = b"\xff\xfe" + (2 + len(MARK)).to_bytes(2, "big") + MARK
        image = picture[:2] + comment + picture[2:]

        # When whole sessions run, and sessions fail in every way
        for reference in (None, image):
            started = path.start(reference)
            tokens.append(started.pop("authToken"))
            answers.append(repr(started).encode())
            report = path.attempt(tokens[-1], "real")
            answers.append(path.finish(started["sessionId"], report).data)
        for fault in ({"status": 401}, {"status": 429}, {"status": 500}, {"body": "garbage"}):
            for route in ("*create*", "*result*"):
                path.hand.add_fault(route, **fault)
            answers.append(path.call("POST", "/sessions", json={}).data)
            started = path.start()
            tokens.append(started["authToken"])
            answers.append(path.finish(started["sessionId"]).data)
        reprs = [repr(each) for each in (path.orchestrator.settings, path.orchestrator.context)]
        settings = Settings(endpoint=mock.url, key=CANARY_KEY)
        try:
            path.orchestrator.start(
                StartRequest("alice", reference_image=ReferenceImage(b"\x00" + MARK))
            )
        except LivegateError as error:
            reprs.append("".join(traceback.format_exception(error)))
        path.orchestrator.close()

    # Then neither key nor token nor image is in any log, repr, exception, answer or file
    captured = capfd.readouterr()
    files = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    written = {
        "logs": everything_logged.getvalue().encode(),
        "output": (captured.out + captured.err).encode(),
        "reprs": "\n".join([*recorder.written, *reprs, repr(settings)]).encode(),
        "answers": b"\n".join(answers),
        "files": files,
    }
    assert all(len(text) > 100 for name, text in written.items() if name != "output")
    secrets = [CANARY_KEY.encode(), MARK, base64.b64encode(MARK)[4:-4]]
    secrets += [token.encode() for token in tokens]
    secrets += [token.split(".")[2].encode() for token in tokens]
    for name, text in written.items():
        for secret in secrets:
            assert secret not in text, f"{secret!r} is in the {name}"
