"""Whatever is sent, the response is one of the API's, and never a server error."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from http_calls import call, start
from livegate.testing.adapter_contract import Backend

words = st.text(max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(["purpose", "transaction", "digest", "clientError", "x"])
bodies = st.one_of(
    st.binary(max_size=60),
    st.builds(lambda value: json.dumps(value).encode(), json_values),
    st.builds(lambda value: json.dumps(value).encode(), st.dictionaries(names, json_values)),
    st.builds(
        lambda head, content: b"--x\r\n" + head + b"\r\n\r\n" + content + b"\r\n--x--\r\n",
        st.sampled_from([b'Content-Disposition: form-data; name="purpose"', b"A: b"]) | st.binary(),
        st.binary(max_size=40),
    ),
)
header_values = st.text(st.characters(max_codepoint=255), max_size=20)


@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "DELETE", "PUT", "OPTIONS"]) | words,
    path=st.sampled_from(
        ["/sessions", "/sessions/{}", "/sessions/{}/finish", "/sessions/{}/retry", "/{}", "{}"]
    ),
    part=st.text("aZ9%/.-_\n\0é", max_size=20) | st.just("known"),
    query=st.text("limit=&state,cursor%0A1ready", max_size=30),
    body=bodies,
    headers=st.dictionaries(
        st.sampled_from(
            ["Content-Type", "Accept-Language", "Idempotency-Key", "Origin", "Content-Length"]
        ),
        header_values
        | st.sampled_from(["application/json", "multipart/form-data; boundary=x", "de;q=0.5"]),
    ),
)
def test_no_request_is_a_server_error(
    method: str, path: str, part: str, query: str, body: bytes, headers: dict[str, str]
) -> None:
    runtime = Backend().orchestrator.runtime
    session_id = start(runtime) if part == "known" else part

    answer = call(runtime, method, f"{path.format(session_id)}?{query}", body=body, headers=headers)

    assert answer.status < 500
    assert answer.headers["Cache-Control"] == "no-store"
    if answer.status >= 400 and method != "HEAD":
        assert answer.json["status"] == answer.status
