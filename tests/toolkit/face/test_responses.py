"""From the service's response, or the lack of one, to our errors."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livegate.errors import (
    FaceAuthError,
    FaceBadRequestError,
    FaceError,
    FaceResponseError,
    FaceSessionNotFoundError,
    FaceThrottledError,
    FaceUnavailableError,
)
from livegate.face.responses import (
    MAX_RETRY_AFTER,
    FailureReason,
    Operation,
    Response,
    TransportFailure,
    created_session_id,
    error_for,
    parse_json,
)

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def respond(status: int, body: Any = None, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, named, content, None, received_at=NOW)


def error(code: str, message: str = "…") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


EVERY = tuple(Operation)
CREATE = (Operation.CREATE,)
LATER = (Operation.READ, Operation.DELETE)


@pytest.mark.parametrize(
    ("operations", "result", "kind", "text"),
    [
        (EVERY, respond(401, error("401")), FaceAuthError, "VISION_KEY .*VISION_ENDPOINT"),
        (EVERY, respond(403, error("UnsupportedFeature")), FaceAuthError, "not approved"),
        (
            EVERY,
            respond(403, {"error": {"statusCode": 403, "message": "Out of call volume quota."}}),
            FaceAuthError,
            "used up",
        ),
        (EVERY, respond(403, error("PermissionDenied")), FaceAuthError, "lacks permission"),
        (CREATE, respond(404, b"<html>"), FaceAuthError, "LIVEGATE_API_VERSION"),
        (EVERY, respond(404, error("404")), FaceAuthError, "LIVEGATE_API_VERSION"),
        (EVERY, respond(404, b""), FaceAuthError, "LIVEGATE_API_VERSION"),
        ((Operation.DELETE,), respond(404, b"<html>"), FaceAuthError, "VISION_ENDPOINT"),
        (
            (Operation.READ,),
            respond(404, error("SessionNotFound")),
            FaceSessionNotFoundError,
            "HTTP 404, SessionNotFound",
        ),
        (EVERY, respond(429, error("429")), FaceThrottledError, "tier"),
        (EVERY, respond(408), FaceUnavailableError, "HTTP 408"),
        (EVERY, respond(500, error("Unspecified")), FaceUnavailableError, "HTTP 500, Unspecified"),
        (EVERY, respond(599, b"garbage"), FaceUnavailableError, "HTTP 599"),
        (CREATE, respond(400, error("InvalidImage")), FaceBadRequestError, "InvalidImage"),
        (CREATE, respond(409, error("Conflict")), FaceUnavailableError, "Conflict"),
        (CREATE, respond(413), FaceBadRequestError, "HTTP 413"),
        (CREATE, respond(415, error("BadArgument")), FaceBadRequestError, "BadArgument"),
        (CREATE, respond(422), FaceBadRequestError, "HTTP 422"),
        (LATER, respond(400, error("BadArgument")), FaceResponseError, "BadArgument"),
        (
            LATER,
            respond(409, error("ConcurrentOperationConflict")),
            FaceUnavailableError,
            "Concurrent",
        ),
        (EVERY, respond(307), FaceResponseError, "redirects"),
        (EVERY, respond(418), FaceResponseError, "HTTP 418"),
        (EVERY, respond(202), FaceResponseError, "HTTP 202"),
        ((Operation.CREATE, Operation.READ), respond(204), FaceResponseError, "HTTP 204"),
        (
            EVERY,
            TransportFailure(FailureReason.CONNECTION, "gaierror"),
            FaceUnavailableError,
            "gaierror",
        ),
        (
            EVERY,
            TransportFailure(FailureReason.TIMEOUT, "T"),
            FaceUnavailableError,
            "LIVEGATE_FACE_TIMEOUT",
        ),
        (
            EVERY,
            TransportFailure(FailureReason.UNEXPECTED, "TypeError"),
            FaceUnavailableError,
            "TypeError",
        ),
        (EVERY, TransportFailure(FailureReason.CREDENTIAL, "X"), FaceAuthError, "credential"),
    ],
)
def test_each_result_has_one_error(
    operations: tuple[Operation, ...],
    result: Response | TransportFailure,
    kind: type[FaceError],
    text: str,
) -> None:
    for operation in operations:
        failure = error_for(operation, result)
        assert type(failure) is kind
        with pytest.raises(kind, match=text):
            raise failure


@pytest.mark.parametrize(
    ("operation", "response"),
    [
        (Operation.CREATE, respond(200)),
        (Operation.CREATE, respond(201)),
        (Operation.READ, respond(200)),
        (Operation.DELETE, respond(200)),
        (Operation.DELETE, respond(204)),
        (Operation.DELETE, respond(404, error("SessionNotFound"))),
    ],
)
def test_a_success_has_no_error(operation: Operation, response: Response) -> None:
    assert error_for(operation, response) is None


@pytest.mark.parametrize(
    ("response", "seconds"),
    [
        (respond(429, None, retry_after="26"), 26),
        (respond(429, None, retry_after=" 0 "), 0),
        (respond(503, None, retry_after="Tue, 14 Nov 2023 22:14:20 GMT"), 60),
        (respond(503, None, retry_after="Tue, 14 Nov 2023 22:14:20 -0000"), 60),
        (respond(503, None, retry_after="Tue, 14 Nov 2023 21:00:00 GMT"), 0),
        (respond(503, None, retry_after="9" * 400), MAX_RETRY_AFTER),
        (respond(503, None, retry_after="Fri, 31 Dec 9999 23:59:59 GMT"), MAX_RETRY_AFTER),
        (respond(429, {"error": {"statusCode": 429, "message": "Try again in 26 seconds."}}), 26),
        (respond(429, error("429", "Try again in 1 second.")), 1),
        (respond(429, error("429", "Try again in 5 seconds."), retry_after="7"), 7),
        (respond(429, error("429", "Try again in 2 days.")), None),
        (respond(429, error("429", "Try again in 9999999999 seconds.")), None),
        (respond(500, error("Unspecified", "in 26 seconds")), None),
        (respond(503, None, retry_after="Mon, 01 Jan 0001 00:00:00 -0000"), 0),
        (respond(503, None, retry_after="Mon, 01 Jan 99999999999999999999 00:00:00 GMT"), None),
        (respond(429, None, retry_after="-1"), None),
        (respond(429, None, retry_after="soon"), None),
        (respond(429, None, retry_after="nan"), None),
        (respond(429, None, retry_after="²"), None),
        (respond(429, None), None),
    ],
)
def test_retry_after_comes_from_the_header_or_the_message(
    response: Response, seconds: float | None
) -> None:
    failure = error_for(Operation.READ, response)
    assert failure is not None
    assert failure.retry_after == seconds


def test_the_code_may_be_in_the_header() -> None:
    failure = error_for(Operation.CREATE, respond(400, b"", x_ms_error_code="InvalidImage"))
    assert failure is not None
    assert failure.service_code == "InvalidImage"


@settings(deadline=None)
@given(
    st.integers(300, 999),
    st.text(),
    st.text(),
    st.sampled_from([b"", b"{}", b'{"error": 5}', b'{"error": {"code": 7}}']),
)
def test_only_identifiers_of_the_service_are_shown(
    status: int, code: str, message: str, body: bytes
) -> None:
    # given an error of any status whose code, message and request id are anything
    marked = "<" + code + ">"
    content = json.dumps({"error": {"code": marked, "message": "<" + message}}).encode()
    headers = {"apim-request-id": marked, "x-ms-error-code": marked, "retry-after": marked}
    for received in (content, body):
        for operation in Operation:
            # when it becomes our error
            failure = error_for(operation, Response(status, headers, received, None, NOW))
            # then none of them is in it
            assert failure is None or "<" not in str(failure) + str(vars(failure))


# --- bodies ---------------------------------------------------------------------------------------


@settings(deadline=None)
@given(
    st.dictionaries(st.text(), st.none() | st.integers() | st.floats(allow_nan=False) | st.text()),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_an_object_is_parsed_with_or_without_a_byte_order_mark(body: Any, mark: bytes) -> None:
    if float("inf") in body.values() or float("-inf") in body.values():
        return
    assert parse_json(respond(200, mark + json.dumps(body).encode())) == body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[{}]",
        b"null",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": 1} {}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": ' + b"[" * 100_000,
        '{"a": "é"}'.encode("latin-1"),
        '{"a": 1}'.encode("utf-16"),
    ],
    ids=lambda body: repr(body)[:30],
)
def test_any_other_body_is_rejected(body: bytes) -> None:
    with pytest.raises(FaceResponseError):
        parse_json(respond(200, body))


def test_no_repr_holds_the_body_or_a_header() -> None:
    response = Response(200, {"x-echo": "canary"}, b"canary", None, received_at=0)
    assert "canary" not in repr(response)


@settings(deadline=None)
@given(st.binary() | st.binary().map(lambda b: b'{"sessionId": "' + b + b'"'))
def test_any_bytes_are_parsed_or_rejected(body: bytes) -> None:
    response = respond(200, body)
    try:
        parsed = parse_json(response)
    except FaceResponseError:
        parsed = {}
    assert isinstance(parsed, dict)
    assert isinstance(response.error, dict)
    remote_id = created_session_id(response)
    assert remote_id is None or re.fullmatch(r"[A-Za-z0-9_-]{1,64}", remote_id)


@settings(deadline=None)
@given(st.text() | st.from_regex(r"\w{3}, \d+ Jan \d+ \d+:\d+:\d+ [+-]?\w+", fullmatch=True))
def test_no_header_makes_a_caller_wait_for_more_than_a_day(text: str) -> None:
    failure = error_for(Operation.READ, respond(429, retry_after=text))
    assert failure is not None
    seconds = failure.retry_after
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER
