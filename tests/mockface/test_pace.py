"""Results that are late: by reads and by time, per session, scenario, tenant and emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.mockface.conftest import NOON, Face

from mockface.engine import Engine
from mockface.scenarios import Pace
from mockface.service import Service

if TYPE_CHECKING:
    from mockface.clock import Clock

HOURS = 3600.0


@pytest.fixture(params=["v1.2-preview.1", "v1.2"])
def version(request: pytest.FixtureRequest) -> str:
    """One preview and one release: they show a late result differently."""
    return str(request.param)


def attempted(face: Face, name: str | None = None, **options: Any) -> tuple[str, str]:
    """A session with one attempt, its result not read yet: its id and token."""
    if name is not None:
        options["deviceCorrelationId"] = f"mock-{name}"
    created = face.create(**options).json
    face.attempt(created["authToken"])
    return created["sessionId"], created["authToken"]


def reads(face: Face, session_id: str, count: int) -> list[Any]:
    return [_said(face, face.result(session_id).json) for _ in range(count)]


def _said(face: Face, result: Any) -> Any:
    """The status, and the outcome if it is out."""
    out = "result" in result if face.preview else not _is_running(result)
    return result["status"], face.outcome(result) if out else None


def _is_running(result: Any) -> bool:
    newest = result["results"]["attempts"][0]
    if newest["attemptStatus"] != "Running":
        return False
    assert newest == {"attemptId": 1, "attemptStatus": "Running"}
    return True


@pytest.fixture
def waiting(face: Face) -> tuple[str, None]:
    return ("Started" if face.preview else "Running"), None


@pytest.fixture
def done(face: Face) -> tuple[str, str]:
    return ("ResultAvailable" if face.preview else "Succeeded"), "realface"


@pytest.mark.parametrize(("name", "late"), [("late", 2), ("late=1read", 1), ("late=5reads", 5)])
def test_a_result_is_out_after_some_reads(
    face: Face, name: str, late: int, waiting: object, done: object
) -> None:
    session_id, _ = attempted(face, name)

    assert reads(face, session_id, late + 2) == [waiting] * late + [done] * 2


def test_a_result_is_out_after_some_seconds(
    face: Face, clock: Clock, waiting: object, done: object
) -> None:
    session_id, _ = attempted(face, "late=30s")

    assert reads(face, session_id, 9) == [waiting] * 9
    clock.advance(29.9)
    assert reads(face, session_id, 1) == [waiting]
    clock.advance(0.1)
    assert reads(face, session_id, 2) == [done] * 2


def test_only_a_read_of_the_result_counts(face: Face, waiting: object, done: object) -> None:
    session_id, _ = attempted(face, "late=2reads")

    for _ in range(5):
        face.send("GET", face.paths[False])
        face.send("GET", "/_mock/sessions")
        face.send("GET", f"{face.paths[False]}/{session_id}/audit")
        face.result("another")
    assert reads(face, session_id, 3) == [waiting, waiting, done]


def test_a_result_that_is_not_out_is_not_in_the_audit(service: Service, clock: Clock) -> None:
    face = Face(service, "v1.2-preview.1")
    session_id, token = attempted(face, "mask,late=30s")
    face.attempt(token)
    path = f"{face.paths[False]}/{session_id}/audit"

    before = [entry["id"] for entry in face.send("GET", path).json]
    clock.advance(30)

    assert before == [1]
    assert [entry["id"] for entry in face.send("GET", path).json] == [2, 1]


def test_what_failed_before_is_seen_while_the_next_one_is_late(face: Face, clock: Clock) -> None:
    session_id, token = attempted(face, "mask,late=30s")
    face.attempt(token)

    result = face.result(session_id).json

    if face.preview:
        assert face.outcome(result) == "FaceWithMaskDetected"
    else:
        assert result["status"] == "Running"
        statuses = [each["attemptStatus"] for each in result["results"]["attempts"]]
        assert statuses == ["Running", "Failed"]
    clock.advance(30)
    assert face.outcome(face.result(session_id).json) == "realface"


def test_late_attempts_use_up_the_session_too(face: Face) -> None:
    session_id, token = attempted(face, "mask+late=30s")
    assert [face.attempt(token).status for _ in range(3)] == [400, 400, 403]
    assert face.result(session_id).json["status"] == ("Started" if face.preview else "Running")


def test_a_client_that_may_see_the_verdict_has_it_at_once(service: Service) -> None:
    face = Face(service, "v1.2-preview.1")
    created = face.create(sendResultsToClient=True, deviceCorrelationId="mock-late").json

    assert face.attempt(created["authToken"]).json["livenessDecision"] == "realface"
    assert face.result(created["sessionId"]).json["status"] == "Started"


def test_a_late_result_ends_with_its_session(face: Face, clock: Clock) -> None:
    late, _ = attempted(face, "late=172800s")
    clock.advance(48 * HOURS - 1)
    assert face.result(late).status == 200

    clock.advance(1)

    assert face.result(late).code == "SessionNotFound"


def test_late_results_of_a_frozen_clock_wait_for_it(face: Face, clock: Clock) -> None:
    clock.resume()
    session_id, _ = attempted(face, "late=3600s")
    clock.advance(1800)
    clock.freeze()
    assert _said(face, face.result(session_id).json)[1] is None
    clock.advance(1800)
    assert _said(face, face.result(session_id).json)[1] == "realface"


# --- who says how late ---------------------------------------------------------------------------


def test_who_has_the_last_word_on_the_pace(service: Service, version: str, clock: Clock) -> None:
    """The session's own, then the scenario, the tenant, and the emulator."""
    mine, other, everybody = (Face(service, version, key=key) for key in ("a", "b", None))
    everybody.put_json("/_mock/pace", {"pace": "10s"})
    mine.put_json("/_mock/pace", {"pace": "20s"})
    sessions = {
        10: (other, attempted(other)[0]),
        20: (mine, attempted(mine)[0]),
        30: (mine, attempted(mine, "late=30s")[0]),
        40: (mine, attempted(mine, "late=30s")[0]),
    }
    mine.put_json(f"/_mock/sessions/{sessions[40][1]}/pace", {"pace": "40s"})

    for seconds, (face, session_id) in sessions.items():
        clock.advance(NOON + seconds - 1 - clock.now())
        assert _said(face, face.result(session_id).json)[1] is None
        clock.advance(1)
        assert _said(face, face.result(session_id).json)[1] == "realface"


def test_a_session_s_pace_lets_go_of_what_is_late(
    face: Face, waiting: object, done: object
) -> None:
    session_id, token = attempted(face, "late=100reads")
    assert reads(face, session_id, 2) == [waiting] * 2

    pinned = face.put_json(f"/_mock/sessions/{session_id}/pace", {"pace": "at-once"})

    assert pinned.json == {"sessionId": session_id, "pace": "at-once"}
    assert reads(face, session_id, 1) == [done]
    face.attempt(token)
    assert reads(face, session_id, 1) == [done]


def test_a_pace_is_asked_for_and_reset(service: Service, version: str) -> None:
    mine, everybody = Face(service, version), Face(service, version, key=None)
    everybody.put_json("/_mock/pace", {"pace": "3reads"})

    assert mine.send("GET", "/_mock/pace").json == {"pace": "3reads"}
    mine.put_json("/_mock/pace", {"pace": "1.5s"})
    assert mine.send("GET", "/_mock/pace").json == {"pace": "1.5s"}
    mine.send("POST", "/_mock/reset")
    assert mine.send("GET", "/_mock/pace").json == {"pace": "3reads"}
    everybody.send("POST", "/_mock/reset")
    assert mine.send("GET", "/_mock/pace").json == {"pace": "at-once"}


def test_the_emulator_s_first_pace(version: str) -> None:
    face = Face(Service(Engine(pace=Pace(reads=1))), version)
    everybody = Face(face.service, version, key=None)
    everybody.put_json("/_mock/pace", {"pace": "at-once"})
    everybody.send("POST", "/_mock/reset")

    assert everybody.send("GET", "/_mock/pace").json == {"pace": "1reads"}


@pytest.mark.parametrize("body", [{}, {"pace": None}, {"pace": 3}, {"pace": "soon"}, {"pace": "3"}])
def test_what_is_no_pace_is_refused(face: Face, body: object) -> None:
    session_id = face.create().json["sessionId"]
    for path in ("/_mock/pace", f"/_mock/sessions/{session_id}/pace"):
        refused = face.put_json(path, body)
        assert (refused.status, refused.code) == (400, "BadArgument")
        assert "pace" in refused.json["error"]["message"]


def test_a_session_that_is_none_has_no_pace(face: Face, service: Service) -> None:
    mine = face.create().json["sessionId"]
    other = Face(service, face.version, key="other")
    assert other.put_json(f"/_mock/sessions/{mine}/pace", {"pace": "1s"}).code == "SessionNotFound"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("0reads", "at-once"),
        ("1read", "1reads"),
        ("1000000reads", "1000000reads"),
        ("0s", "at-once"),
        ("0.000001s", "0.000001s"),
        ("1.50s", "1.5s"),
        ("10s", "10s"),
        ("31622400s", "31622400s"),
    ],
)
def test_a_pace_is_said_as_it_may_be_asked_for(face: Face, asked: str, said: str) -> None:
    for pace in (asked, said):
        assert face.put_json("/_mock/pace", {"pace": pace}).json == {"pace": said}


@pytest.mark.parametrize("pace", ["1000001reads", "31622400.000001s"])
def test_a_pace_of_more_than_a_million_reads_or_a_year_is_refused(face: Face, pace: str) -> None:
    refused = face.put_json("/_mock/pace", {"pace": pace})
    assert refused.code == "BadArgument"
    assert "must be at-once, or reads such as" in refused.json["error"]["message"]
