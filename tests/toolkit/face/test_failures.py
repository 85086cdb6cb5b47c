"""The table from what came back to our errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livegate.errors import (
    FaceAccessError,
    FaceAnswerError,
    FaceError,
    FaceRefusedError,
    FaceSessionNotFoundError,
    FaceThrottledError,
    FaceUnavailableError,
)
from livegate.face.failures import failure_of
from livegate.face.replies import LONGEST_WAIT, Call, NoReply, Reply, Silence

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def reply(status: int, body: Any = None, **headers: str) -> Reply:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, named, content, received_at=NOW)


def error(code: str, message: str = "…") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


EVERY = tuple(Call)
CREATE = (Call.CREATE,)
LATER = (Call.READ, Call.DELETE)


@pytest.mark.parametrize(
    ("calls", "answer", "kind", "words"),
    [
        (EVERY, reply(401, error("401")), FaceAccessError, "VISION_KEY .*VISION_ENDPOINT"),
        (EVERY, reply(403, error("UnsupportedFeature")), FaceAccessError, "not approved"),
        (
            EVERY,
            reply(403, {"error": {"statusCode": 403, "message": "Out of call volume quota."}}),
            FaceAccessError,
            "used up",
        ),
        (EVERY, reply(403, error("PermissionDenied")), FaceAccessError, "lacks permission"),
        (CREATE, reply(404, b"<html>"), FaceAccessError, "LIVEGATE_API_VERSION"),
        (EVERY, reply(404, error("404")), FaceAccessError, "LIVEGATE_API_VERSION"),
        ((Call.READ,), reply(404, b""), FaceSessionNotFoundError, "no such session"),
        (
            (Call.READ,),
            reply(404, error("SessionNotFound")),
            FaceSessionNotFoundError,
            "HTTP 404, SessionNotFound",
        ),
        (EVERY, reply(429, error("429")), FaceThrottledError, "tier"),
        (EVERY, reply(408), FaceUnavailableError, "HTTP 408"),
        (EVERY, reply(500, error("Unspecified")), FaceUnavailableError, "HTTP 500, Unspecified"),
        (EVERY, reply(599, b"garbage"), FaceUnavailableError, "HTTP 599"),
        (CREATE, reply(400, error("InvalidImage")), FaceRefusedError, "InvalidImage"),
        (CREATE, reply(409, error("Conflict")), FaceUnavailableError, "Conflict"),
        (CREATE, reply(413), FaceRefusedError, "HTTP 413"),
        (CREATE, reply(415, error("BadArgument")), FaceRefusedError, "BadArgument"),
        (CREATE, reply(422), FaceRefusedError, "HTTP 422"),
        (LATER, reply(400, error("BadArgument")), FaceAnswerError, "BadArgument"),
        (
            LATER,
            reply(409, error("ConcurrentOperationConflict")),
            FaceUnavailableError,
            "Concurrent",
        ),
        (EVERY, reply(307), FaceAnswerError, "redirects"),
        (EVERY, reply(418), FaceAnswerError, "HTTP 418"),
        (EVERY, reply(202), FaceAnswerError, "HTTP 202"),
        ((Call.CREATE, Call.READ), reply(204), FaceAnswerError, "HTTP 204"),
        (EVERY, NoReply(Silence.LOST, "gaierror"), FaceUnavailableError, "gaierror"),
        (EVERY, NoReply(Silence.TIMED_OUT, "T"), FaceUnavailableError, "LIVEGATE_FACE_TIMEOUT"),
        (EVERY, NoReply(Silence.BROKEN, "TypeError"), FaceUnavailableError, "TypeError"),
        (EVERY, NoReply(Silence.NO_CREDENTIAL, "X"), FaceAccessError, "credential"),
    ],
)
def test_each_answer_has_one_error(
    calls: tuple[Call, ...], answer: Reply | NoReply, kind: type[FaceError], words: str
) -> None:
    for call in calls:
        failure = failure_of(call, answer)
        assert type(failure) is kind
        with pytest.raises(kind, match=words):
            raise failure


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (Call.CREATE, reply(200)),
        (Call.CREATE, reply(201)),
        (Call.READ, reply(200)),
        (Call.DELETE, reply(200)),
        (Call.DELETE, reply(204)),
        (Call.DELETE, reply(404)),
        (Call.DELETE, reply(404, error("SessionNotFound"))),
    ],
)
def test_what_is_done_is_no_failure(call: Call, answer: Reply) -> None:
    assert failure_of(call, answer) is None


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (reply(429, None, retry_after="26"), 26),
        (reply(429, None, retry_after=" 0 "), 0),
        (reply(503, None, retry_after="Tue, 14 Nov 2023 22:14:20 GMT"), 60),
        (reply(503, None, retry_after="Tue, 14 Nov 2023 22:14:20 -0000"), 60),
        (reply(503, None, retry_after="Tue, 14 Nov 2023 21:00:00 GMT"), 0),
        (reply(503, None, retry_after="9" * 400), LONGEST_WAIT),
        (reply(503, None, retry_after="Fri, 31 Dec 9999 23:59:59 GMT"), LONGEST_WAIT),
        (reply(429, {"error": {"statusCode": 429, "message": "Try again in 26 seconds."}}), 26),
        (reply(429, error("429", "Try again in 1 second.")), 1),
        (reply(429, error("429", "Try again in 5 seconds."), retry_after="7"), 7),
        (reply(429, error("429", "Try again in 2 days.")), None),
        (reply(429, error("429", "Try again in 9999999999 seconds.")), None),
        (reply(500, error("Unspecified", "in 26 seconds")), None),
        (reply(503, None, retry_after="Mon, 01 Jan 0001 00:00:00 -0000"), 0),
        (reply(503, None, retry_after="Mon, 01 Jan 99999999999999999999 00:00:00 GMT"), None),
        (reply(429, None, retry_after="-1"), None),
        (reply(429, None, retry_after="soon"), None),
        (reply(429, None, retry_after="nan"), None),
        (reply(429, None, retry_after="²"), None),
        (reply(429, None), None),
    ],
)
def test_when_to_try_again(answer: Reply, seconds: float | None) -> None:
    failure = failure_of(Call.READ, answer)
    assert failure is not None
    assert failure.retry_after == seconds


def test_the_code_may_stand_in_the_header() -> None:
    failure = failure_of(Call.CREATE, reply(400, b"", x_ms_error_code="InvalidImage"))
    assert failure is not None
    assert failure.service_code == "InvalidImage"


@settings(deadline=None)
@given(
    st.integers(300, 999),
    st.text(),
    st.text(),
    st.sampled_from([None, b"", b"{}", b'{"error": 5}', b'{"error": {"code": 7}}']),
)
def test_only_plain_words_of_the_service_are_shown(
    status: int, word: str, message: str, body: bytes | None
) -> None:
    # given an error of any status whose code, message and request id are anything
    marked = "<" + word + ">"
    content = json.dumps({"error": {"code": marked, "message": "<" + message}}).encode()
    headers = {"apim-request-id": marked, "x-ms-error-code": marked, "retry-after": marked}
    for answer in (
        Reply(status, headers, content, received_at=NOW),
        Reply(status, headers, body, received_at=NOW),
    ):
        for call in Call:
            # when it becomes ours
            failure = failure_of(call, answer)
            # then nothing of that is in it
            assert failure is None or "<" not in str(failure) + str(vars(failure))
