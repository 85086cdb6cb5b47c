"""Recordings: written, played back, and sent again."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.mockface.conftest import KEY, Face

from mockface import Mockface
from mockface.engine import Engine
from mockface.images import portrait
from mockface.journal.recording import Player, Recorder, read
from mockface.journal.resending import resend
from mockface.remote.sending import in_process
from mockface.service import Service
from mockface.wire import Request


@pytest.fixture
def recording(version: str, tmp_path: Path) -> Path:
    """A file with two sessions, one of them with a reference image, and an error."""
    path = tmp_path / "recording.jsonl"
    recorder = Recorder(path)
    service = Service(Engine(seed="first"))
    service.journal.listener = recorder.write
    face = Face(service, version)
    face.run(deviceCorrelationId="mock-spoof")
    session_id, _ = face.run(verify=True)
    face.delete(session_id, verify=True)
    face.result(session_id, verify=True)
    recorder.close()
    return path


def test_it_has_a_line_for_each_exchange_and_no_secret(recording: Path) -> None:
    exchanges = read(recording)

    assert [(e["route"], e["status"]) for e in exchanges][-2:] == [
        ("delete-with-verify", exchanges[-2]["status"]),
        ("result-with-verify", 404),
    ]
    assert len(exchanges) == 8
    text = recording.read_text()
    assert f'"{KEY}"' not in text
    tokens = [e["answer"]["body"].get("authToken", "") for e in exchanges if e["answer"]["body"]]
    assert max(map(len, tokens)) < 20
    assert exchanges[3]["request"]["body"]["VerifyImage"]["bytes"] == len(portrait(1))


def test_a_recording_answers_as_the_emulator_did(recording: Path, version: str) -> None:
    exchanges = read(recording)
    player = Service(Engine(), player=Player(exchanges))
    face = Face(player, version, key="any")

    created = face.create(deviceCorrelationId="mock-spoof")
    result = face.result(created.json["sessionId"])

    assert created.json == exchanges[0]["answer"]["body"]
    assert created.headers["apim-request-id"] == exchanges[0]["requestId"]
    assert created.headers["x-mockface"] == "emulator"
    assert face.outcome(result.json) == "spoofface"
    # The last answer is given again and again, a body that was never sent gets the nearest
    assert face.result(created.json["sessionId"]).json == result.json
    assert face.create(deviceCorrelationId="other").json == created.json
    missing = face.send("GET", "/nowhere")
    assert (missing.status, missing.code) == (404, "404")
    assert face.send("GET", "/_mock/journal").status == 200


def test_a_portrait_stands_in_for_a_picture() -> None:
    exchange: dict[str, Any] = {
        "method": "GET",
        "path": "/picture",
        "query": "",
        "status": 200,
        "request": {"headers": {}, "body": None},
        "answer": {
            "headers": {"content-type": "application/octet-stream"},
            "body": {"bytes": 9, "sha256": "ab" * 32},
        },
    }
    answer = Player([exchange]).answer(Request("GET", "/picture"))

    assert answer.body.startswith(b"\xff\xd8\xff")
    (found,) = resend([exchange], "http://x", "", send=in_process(lambda _: answer))
    assert found == (exchange, [])


def test_answers_come_in_their_order(face: Face, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "r")
    face.service.journal.listener = recorder.write
    ids = [face.create().json["sessionId"] for _ in range(3)]
    recorder.close()
    again = Face(Service(Engine(), player=Player(read(tmp_path / "r"))), face.version)

    assert [again.create().json["sessionId"] for _ in range(4)] == [*ids, ids[-1]]


def sent_again(recording: Path, service: Service, **options: Any) -> list[list[Any]]:
    found = resend(
        read(recording), "http://localhost", "k", send=in_process(service.handle), **options
    )
    return [differences for _, differences in found]


def test_another_emulator_answers_alike(recording: Path) -> None:
    """Other ids and other tokens, and yet every request finds its session."""
    assert sent_again(recording, Service(Engine(seed="second"))) == [[]] * 8


def test_what_answers_differently_is_shown(recording: Path, version: str) -> None:
    service = Service(Engine(seed="second", scenario="mask"))
    by_request = sent_again(recording, service)

    assert [bool(each) for each in by_request] == [
        False, False, False, False, True, True, False, False
    ]  # fmt: skip
    attempt = by_request[4]
    assert (attempt[0].field, attempt[0].actual) == ("status", 400)


def test_values_are_compared_if_wanted(recording: Path) -> None:
    by_request = sent_again(recording, Service(Engine(seed="second")), exact=True)
    fields = {each.field.rpartition(".")[2] for found in by_request for each in found}
    assert "digest" in fields
    assert "sessionId" not in fields
    assert "livenessDecision" not in fields


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("{", "no JSON"),
        ("[]", "no exchange"),
        ('{"method": 1}', "method"),
        (json.dumps({"method": "GET", "path": "/", "query": "", "status": "200"}), "status"),
    ],
)
def test_a_damaged_recording_is_named_with_its_line(tmp_path: Path, line: str, word: str) -> None:
    path = tmp_path / "r"
    path.write_text(f"\n{line}\n")
    with pytest.raises(ValueError, match=f"r:2 .*{word}"):
        Mockface(replay=path)


def test_an_emulator_records_and_replays(tmp_path: Path) -> None:
    path = tmp_path / "r"
    with Mockface(record=path) as mock:
        mock.control("k").call("GET", "")
        Face(mock.service, "v1.2").run()
    assert len(read(path)) == 3
    with pytest.raises(FileNotFoundError):
        Mockface(record=tmp_path / "no" / "r")
    with pytest.raises(FileNotFoundError):
        Mockface(replay=tmp_path / "none")


def test_who_cannot_serve_leaves_an_older_recording_whole(tmp_path: Path) -> None:
    # Given a recording, and a port that is taken
    path = tmp_path / "r"
    path.write_text("older\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        second = Mockface(record=path, port=taken.getsockname()[1])

        # When another emulator is to record into the same file
        with pytest.raises(OSError, match="in use"):
            second.listen()

    # Then nothing is lost
    assert path.read_text() == "older\n"

    # And one that serves begins the file anew, even if nobody calls
    with Mockface(record=path):
        pass
    assert path.read_text() == ""


def test_the_file_that_is_replayed_is_not_recorded_into(recording: Path) -> None:
    before = recording.read_text()
    with pytest.raises(ValueError, match="at once"):
        Mockface(record=recording, replay=recording.parent / "." / recording.name)
    assert recording.read_text() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to offer")
def test_a_full_disk_ends_the_recording_and_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    # Given an emulator that records onto a full disk
    mock = Mockface(record=Path("/dev/full"))
    face = Face(mock.service, "v1.2")

    # When it is called
    statuses = [face.create().status for _ in range(2)]

    # Then it answers, and says once that the recording has ended
    assert statuses == [200, 200]
    assert [record.getMessage() for record in caplog.records] == [
        "The recording /dev/full ends here: No space left on device"
    ]
