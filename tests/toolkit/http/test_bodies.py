"""Bodies: limits, chunks, what cannot be received or parsed."""

from __future__ import annotations

import sys
import tempfile
from typing import TYPE_CHECKING

import pytest

from http_calls import Stream, call, post_json
from livegate.testing.adapter_suite.backend import JPEG
from livegate.testing.adapter_suite.http1 import form_body, form_type

if TYPE_CHECKING:
    from livegate.operations import Runtime
    from livegate.testing.adapter_contract import Backend

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": form_type()}
MAX_JSON = 16 * 1024


def test_body_may_come_in_chunks_of_any_size(backend: Backend, runtime: Runtime) -> None:
    body = form_body(("purpose", b"enrol"), ("referenceImage", JPEG))

    answer = call(
        runtime, "POST", "/sessions", headers=FORM, chunks=[bytes([each]) for each in body]
    )

    assert answer.status == 201
    image = backend.face.requests[0].reference_image
    assert image is not None
    assert image.content == JPEG


@pytest.mark.parametrize("length", [str(MAX_JSON + 1), "1" * 5000])
def test_declared_length_over_the_limit_is_rejected_unread(runtime: Runtime, length: str) -> None:
    stream = Stream([b"{}"])

    answer = call(
        runtime, "POST", "/sessions", headers={**JSON, "Content-Length": length}, read=stream.read
    )

    assert (answer.status, answer.json["code"]) == (413, "body_too_large")
    assert stream.sizes == []


def test_undeclared_body_is_read_up_to_its_limit(runtime: Runtime) -> None:
    stream = Stream([b" " * 6000] * 1000)

    answer = call(runtime, "POST", "/sessions", headers=JSON, read=stream.read)

    assert (answer.status, answer.json["code"]) == (413, "body_too_large")
    assert stream.sizes == [MAX_JSON + 1, MAX_JSON - 5999, MAX_JSON - 11999]


@pytest.mark.parametrize("length", ["", "-1", "x", "1.5", "٣"])
def test_length_that_is_no_number_is_ignored(runtime: Runtime, length: str) -> None:
    headers = {**JSON, "Content-Length": length}

    assert call(runtime, "POST", "/sessions", headers=headers, body=b"{}").status == 201


@pytest.mark.parametrize(
    ("headers", "chunks"),
    [
        ({}, [b'{"purpose": ', ConnectionResetError("gone")]),
        ({}, [b"{}", ValueError("of the framework")]),
        ({"Content-Length": "3"}, [b"{}"]),
        ({"Content-Length": "3"}, []),
        ({"Transfer-Encoding": "chunked"}, []),
    ],
)
def test_body_that_does_not_come_whole_is_a_400(
    runtime: Runtime,
    caplog: pytest.LogCaptureFixture,
    headers: dict[str, str],
    chunks: list[bytes | Exception],
) -> None:
    answer = call(runtime, "POST", "/sessions", headers=JSON | headers, chunks=chunks)

    assert (answer.status, answer.json["code"]) == (400, "body_incomplete")
    assert "exempt livegate's routes" in caplog.text
    assert call(runtime, "GET", "/sessions").json["sessions"] == []


@pytest.mark.parametrize(
    "body",
    [
        b'{"purpose": 1' + b"0" * 5000 + b"}",
        b'{"purpose": ' * 1200,
        '\ufeff{"purpose": "default"}'.encode(),
        '{"purpose": "default"}'.encode("utf-16"),
        b"{} {}",
    ],
)
def test_what_is_not_json_in_utf_8_is_a_400(runtime: Runtime, body: bytes) -> None:
    answer = post_json(runtime, "/sessions", body)

    assert answer.status == 400
    assert answer.json["code"] in {"invalid_json", "unknown_field"}


def test_endless_digits_of_a_limit_are_a_400(runtime: Runtime) -> None:
    answer = call(runtime, "GET", f"/sessions?limit={'1' * 10_000}")

    assert (answer.status, answer.json["field"]) == (400, "limit")


def test_name_of_a_field_is_cleaned_before_it_is_shown(runtime: Runtime) -> None:
    answer = call(runtime, "GET", "/sessions?%3Cscript%3E%0A%C3%A9" + "x" * 500)

    assert answer.json["code"] == "unknown_field"
    assert answer.json["field"] == "?script???" + "x" * 54
    assert answer.json["field"] in answer.json["detail"]
    assert "<" not in answer.body.decode()


def test_error_for_an_unknown_field_names_those_that_are_known(runtime: Runtime) -> None:
    listed = call(runtime, "GET", "/sessions?x=1")
    retried = post_json(runtime, "/sessions/x/retry", {"purpose": "once"})

    assert listed.json["detail"] == "x: unknown field; expected limit, state, cursor."
    assert retried.json["detail"] == "purpose: unknown field; none is expected here."


def test_form_is_never_written_to_a_file(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a temporary file")

    for name in ("TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, fail)
    image = JPEG[:-2] + bytes(5 << 20) + JPEG[-2:]
    body = form_body(("purpose", b"enrol"), ("referenceImage", image))

    assert call(runtime, "POST", "/sessions", headers=FORM, body=body).status == 201


@pytest.mark.parametrize(
    "head",
    [
        "Content-Disposition: form-data; name=purpose",
        "content-disposition:form-data;name=purpose",
        'Content-Type: text/plain\r\nContent-Disposition: form-data; name="purpose"',
        'Content-Disposition: form-data; name="purpose"; filename="undefined"',
        'Content-Disposition: form-data; name="purpose"\r\nContent-Length: 4\r\nX-Other: y',
    ],
)
def test_part_is_known_by_its_name_however_it_is_written(runtime: Runtime, head: str) -> None:
    body = f"--a-boundary\r\n{head}\r\n\r\nonce\r\n--a-boundary--\r\n".encode()

    answer = call(runtime, "POST", "/sessions", headers=FORM, body=body)

    assert answer.status == 201
    (session,) = call(runtime, "GET", "/sessions").json["sessions"]
    assert session["purpose"] == "once"


def test_missing_parser_of_forms_is_an_error_of_the_server(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "python_multipart", None)

    answer = call(runtime, "POST", "/sessions", headers=FORM, body=form_body())

    assert (answer.status, answer.json["code"]) == (500, "missing_dependency")
    assert "python-multipart is not installed; run: pip install" in caplog.text
