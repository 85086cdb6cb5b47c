"""Whatever is wrong with a request gets a 4xx, a code and a sentence; never a 500."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.mockface.conftest import (
    CLIENT,
    DEVICE,
    FORM,
    GA,
    KEY,
    LATER,
    OPTIONS,
    PREVIEW,
    Face,
    form,
)

from mockface.engine import Engine
from mockface.images import portrait
from mockface.service import Service
from mockface.wire import MOST_BODY_BYTES, Request

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(params=["v1.2-preview.1", "v1.2"])
def version(request: pytest.FixtureRequest) -> str:
    """One version for each way to read a request; test_all_versions.py walks through all."""
    chosen: str = request.param
    return chosen


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("livenessOperationMode", None, "InvalidLivenessOperationMode"),
        ("livenessOperationMode", "Active", "InvalidLivenessOperationMode"),
        ("livenessOperationMode", 1, "InvalidLivenessOperationMode"),
        ("authTokenTimeToLiveInSeconds", 59, "InvalidTokenLifetime"),
        ("authTokenTimeToLiveInSeconds", 86_401, "InvalidTokenLifetime"),
        ("authTokenTimeToLiveInSeconds", "60", "InvalidTokenLifetime"),
        ("authTokenTimeToLiveInSeconds", True, "InvalidTokenLifetime"),
        ("authTokenTimeToLiveInSeconds", 60.5, "InvalidTokenLifetime"),
        ("deviceCorrelationId", None, "InvalidDeviceCorrelationId"),
        ("deviceCorrelationId", "", "InvalidDeviceCorrelationId"),
        ("deviceCorrelationId", "x" * 65, "InvalidDeviceCorrelationId"),
        ("deviceCorrelationIdSetInClient", "true", "BadArgument"),
        ("enableSessionImage", "true", "BadArgument"),
        ("enableSessionImage", 1, "BadArgument"),
    ],
)
def test_a_wrong_field_is_named(face: Face, field: str, value: Any, code: str) -> None:
    answer = face.create(**{field: value})

    if field == "enableSessionImage" and not face.knows_images:
        assert answer.status == 200
        return
    assert (answer.status, answer.code) == (400, code)
    assert field in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("verifyConfidenceThreshold", 1.1),
        ("verifyConfidenceThreshold", -0.1),
        ("verifyConfidenceThreshold", "much"),
        ("returnVerifyImageHash", "maybe"),
    ],
)
def test_a_wrong_field_of_a_form_is_named(face: Face, field: str, value: Any) -> None:
    texts = {"livenessOperationMode": b"Passive", "deviceCorrelationId": b"d"}
    flat = face.post_form(
        face.paths[True], texts | {field: str(value).encode()}, {"verifyImage": portrait(1)}
    )
    parameters = face.create(verify=True, **{field: value})

    for answer in (flat, parameters):
        if not face.knows_images:
            assert answer.status == 200
            continue
        assert (answer.status, answer.code) == (400, "BadArgument")
        assert field in answer.json["error"]["message"]


def test_a_flat_form_carries_every_type_as_text(face: Face) -> None:
    texts = {
        "livenessOperationMode": b"passiveactive",
        "deviceCorrelationId": b"mock-spoof",
        "authTokenTimeToLiveInSeconds": b"60",
        "returnVerifyImageHash": b"True",
        "verifyConfidenceThreshold": b"1e-3",
        "enableSessionImage": b"false",
        "userCorrelationId": b"unknown here, and passed over",
    }
    created = face.post_form(face.paths[True], texts, {"verifyImage": portrait(3, "PNG")}).json
    face.attempt(created["authToken"], verify=True)

    result = face.result(created["sessionId"], verify=True).json
    assert face.outcome(result) == "spoofface"
    assert len(face.newest(result).get("verifyImageHash", "")) == (64 if face.knows_images else 0)
    assert "sessionImageId" not in face.newest(result)


@pytest.mark.parametrize("version", LATER)
def test_later_versions_take_the_device_id_from_one_side_only(face: Face) -> None:
    assert face.create(deviceCorrelationIdSetInClient=True).code == "InvalidDeviceCorrelationId"
    only_client = face.create(deviceCorrelationIdSetInClient=True, deviceCorrelationId=None)
    assert only_client.status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"livenessOperationMode": NaN}',
        b"[" * 20_000,
        b'{"a": ' + b"9" * 10_000 + b"}",
        b'{"a": "' + b"x" * 70_000 + b'"}',
    ],
)
def test_a_body_that_is_no_json_object(face: Face, body: bytes) -> None:
    answer = face.send("POST", face.paths[False], body, content_type="application/json")
    assert (answer.status, answer.code) == (400, "InvalidRequestBody")


def test_a_body_in_another_encoding_is_told_which_one_is_wanted(face: Face) -> None:
    body = json.dumps(OPTIONS).encode("utf-16")
    answer = face.send("POST", face.paths[False], body, content_type="application/json")
    assert answer.code == "InvalidRequestBody"
    assert "UTF-8" in answer.json["error"]["message"]


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/jsonx", FORM])
def test_a_wrong_content_type(face: Face, content_type: str) -> None:
    answer = face.send("POST", face.paths[False], b"{}", content_type=content_type)
    assert (answer.status, answer.code) == (415, "BadArgument")


@pytest.mark.parametrize("version", LATER)
def test_later_versions_have_no_json_create_of_a_verify_session(face: Face) -> None:
    assert face.post_json(face.paths[True], OPTIONS).status == 415


def test_a_create_with_verification_says_what_it_takes(face: Face) -> None:
    answer = face.send("POST", face.paths[True], b"a=b", content_type="text/plain")

    assert (answer.status, answer.code) == (415, "BadArgument")
    message = answer.json["error"]["message"]
    assert "multipart/form-data" in message
    assert ("application/json" in message) is face.preview


FILE = {"verifyImage": portrait(1)}
MODE = {"livenessOperationMode": b"Passive", "deviceCorrelationId": DEVICE.encode()}


@pytest.mark.parametrize(
    "damage",
    [
        lambda body: body[:-20],
        lambda body: body.replace(b"frontier", b"elsewhere"),
        lambda body: b"",
        lambda body: body.replace(b'name="verifyImage"; ', b""),
        lambda body: body.replace(b'; filename="verifyImage.jpg"', b""),
        lambda body: form(MODE, {"picture": portrait(1)}),
        lambda body: form({"Parameters": b"{"}, FILE),
        lambda body: form(MODE | {"deviceCorrelationId": b"\xff"}, FILE),
        lambda body: form({f"field{n}": b"" for n in range(100)}, FILE),
        lambda body: body.replace(b"\r\n\r\n", b"\r\n"),
    ],
)
def test_a_damaged_form(face: Face, damage: Callable[[bytes], bytes]) -> None:
    answer = face.send("POST", face.paths[True], damage(form(MODE, FILE)), content_type=FORM)
    assert (answer.status, answer.code) == (400, "InvalidRequestBody")


def test_a_form_without_an_image_leaves_it_to_the_client(face: Face) -> None:
    """As the mobile samples post it, since v1.2; the previews have JSON for it."""
    answer = face.send("POST", face.paths[True], form(MODE, {}), content_type=FORM)

    assert answer.status == (400 if face.preview else 200)
    if face.preview:
        return
    session_id, token = answer.json["sessionId"], answer.json["authToken"]
    assert answer.json["results"]["verifyReferences"] == []
    assert face.attempt(token, verify=True).code == "VerifyImageNotProvided"
    assert face.attempt(token, verify=True, files={"VerifyImage": portrait(1)}).status == 204
    (reference,) = face.result(session_id, verify=True).json["results"]["verifyReferences"]
    assert reference["qualityForRecognition"] == "high"


def test_a_picture_without_a_filename_is_told_what_is_missing(face: Face) -> None:
    raw = form(MODE, FILE).replace(b'; filename="verifyImage.jpg"', b"")
    answer = face.send("POST", face.paths[True], raw, content_type=FORM)
    assert "verifyImage has no filename" in answer.json["error"]["message"]


def test_a_flat_part_may_be_sent_as_a_file(face: Face) -> None:
    # Given the mode as a form of JavaScript sends it that was given a Blob
    sent = form(MODE, FILE).replace(
        b'name="livenessOperationMode"', b'name="livenessOperationMode"; filename="blob"'
    )
    assert face.send("POST", face.paths[True], sent, content_type=FORM).status == 200


def test_a_form_without_a_boundary(face: Face) -> None:
    answer = face.send(
        "POST", face.paths[True], form(MODE, FILE), content_type="multipart/form-data"
    )
    assert answer.code == "InvalidRequestBody"
    assert "boundary" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (b"", "InvalidImageSize"),
        (portrait(1)[:1023], "InvalidImageSize"),
        (b"\xff\xd8\xff" + bytes(6 * 1024 * 1024), "InvalidImageSize"),
        (portrait(1)[:5000], "InvalidImage"),
        (portrait(1, "PNG")[:-100], "InvalidImage"),
        (b"<svg>" + b" " * 2000, "InvalidImage"),
        (b"RIFF" + bytes(2000), "InvalidImage"),
    ],
)
def test_a_wrong_image(face: Face, image: bytes, code: str) -> None:
    answer = face.create(verify=True, image=image)
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize("key", [None, "", "x" * 300])
def test_no_key_no_access(service: Service, version: str, key: str | None) -> None:
    answer = Face(service, version, key=key).create()
    assert (answer.status, answer.code) == (401, "401")


def test_a_wrong_key(version: str) -> None:
    service = Service(Engine(keys=["right"]))
    assert Face(service, version, key="wrong").create().status == 401
    assert Face(service, version, key="right").create().status == 200


def test_an_entra_token_is_accepted_only_when_configured(version: str) -> None:
    for bearer, status in ((None, 401), ("entra", 200)):
        face = Face(Service(Engine(keys=["k"]), bearer=bearer), version, key=None)
        answer = face.send(
            "POST",
            face.paths[False],
            json.dumps(OPTIONS).encode(),
            content_type="application/json",
            authorization="Bearer entra",
        )
        assert answer.status == status
        if status == 401:
            assert answer.code == "401"
            assert "--bearer" in answer.json["error"]["message"]
    assert (
        Face(Service(Engine(keys=["k"]), bearer="entra"), version, key="k").create().status == 200
    )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/detectLiveness-sessions"),
        ("PATCH", "/detectLiveness/singleModal"),
        ("GET", "/nothing"),
        ("GET", ""),
        ("GET", "//detectLiveness-sessions/some"),
        ("GET", "/detectLiveness-sessions/"),
        ("BREW", "/detectLiveness-sessions/x/y/z"),
    ],
)
def test_no_such_operation(face: Face, method: str, path: str) -> None:
    answer = face.send(method, path)
    assert (answer.status, answer.code) == (404, "404")


def test_no_such_version(service: Service) -> None:
    for version in (
        *("v1.0", "v1.1", "v1.1-preview.2", "v1.2-preview.2", "v0.9", "v9", "..", "v1.2/x"),
        *("v1.4-preview", "v1.4-beta.1", "vv1.4", "v1.4.1", "v99999.1", "latest"),
    ):
        answer = Face(service, version).create()
        assert (answer.status, answer.code) == (404, "404")
        assert "Warning" not in answer.headers


NEWER = ["v1.3-preview.2", "v1.3", "v1.4", "V2.0-preview.1", "v1.21"]


@pytest.mark.parametrize("version", NEWER)
def test_a_newer_version_is_refused_with_the_ones_that_are_served(
    service: Service, version: str
) -> None:
    answer = Face(service, version).create()

    assert (answer.status, answer.code) == (404, "404")
    message = answer.json["error"]["message"]
    assert version in message
    assert "v1.3-preview.1; --accept-newer" in message


@pytest.mark.parametrize("version", NEWER)
def test_a_newer_version_is_answered_as_the_newest_known_when_told_so(version: str) -> None:
    service = Service(Engine(seed="newer"), accept_newer=True)
    face = Face(service, version)
    created = face.create()

    assert created.status == 200
    assert version in created.headers["Warning"]
    assert "v1.3-preview.1" in created.headers["Warning"]
    assert face.send("GET", "/settings").json == {"livenessAbuseMonitoring": {"enabled": True}}
    assert face.attempt(created.json["authToken"]).status == 204
    unknown = face.send("GET", "/nowhere")
    assert (unknown.status, unknown.code) == (404, "404")
    assert version in unknown.headers["Warning"]
    assert "Warning" not in Face(service, "v1.3-preview.1").create().headers


@pytest.mark.parametrize("slashes", ["//", "///"])
def test_an_endpoint_that_ends_in_a_slash_is_taken(face: Face, slashes: str) -> None:
    created = face.create().json
    path = f"{slashes}face/{face.version}{face.paths[False]}/{created['sessionId']}"

    answer = face.service.handle(Request("GET", path, "", {"ocp-apim-subscription-key": KEY}))

    assert answer.status == 200
    (entry,) = face.service.journal.entries(since=1)
    assert (entry.route, entry.path) == ("result", path)


def test_an_oversized_body(face: Face) -> None:
    body = bytes(MOST_BODY_BYTES + 1)
    answer = face.send("POST", face.paths[False], body, content_type="application/json")
    assert (answer.status, answer.code) == (413, "InvalidRequestBody")


def test_an_unknown_scenario_lists_the_known_ones(face: Face) -> None:
    in_band = face.create(deviceCorrelationId="mock-spof")
    token = face.create().json["authToken"]
    in_the_attempt = face.attempt(token, x_mockface_scenario="spof")

    for answer in (in_band, in_the_attempt):
        assert (answer.status, answer.code) == (400, "BadArgument")
        assert "spoof" in answer.json["error"]["message"]


def test_an_attempt_that_is_no_form(face: Face) -> None:
    token = face.create().json["authToken"]
    assert face.attempt(token, content_type="application/json").status == 415
    assert face.attempt(token, content_type="multipart/form-data").code == "InvalidRequestBody"
    assert face.attempt(token).status == 204


# From here on: anything at all. One service for all examples, so that none is the first.
SERVICE = Service(Engine(keys=["a-key"], seed="anything"))
PATHS = st.sampled_from(
    [
        *(*GA.values(), *PREVIEW.values(), *CLIENT.values()),
        *("/session/start", "/session/attempt/end", "/settings", "/detect"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.dictionaries(
    st.sampled_from(
        [
            "livenessOperationMode",
            "deviceCorrelationId",
            "deviceCorrelationIdSetInClient",
            "authTokenTimeToLiveInSeconds",
            "enableSessionImage",
            "livenessModelVersion",
            "verifyConfidenceThreshold",
        ]
    ),
    JSON,
)
ANYTHING = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
VERSIONS = st.sampled_from(
    ["v1.1-preview.1", "v1.2-preview.1", "v1.2", "v1.3-preview.1", "v1.4", "v1.0"]
)


def sound(response: Any) -> None:
    assert response.status < 500
    if response.status >= 400:
        error = json.loads(response.body)["error"]
        assert error["code"]
        assert error["message"]


@ANYTHING
@given(version=VERSIONS, path=PATHS, fields=FIELDS, valid=st.booleans())
def test_no_json_body_breaks_it(
    version: str, path: str, fields: dict[str, object], *, valid: bool
) -> None:
    body = json.dumps((OPTIONS if valid else {}) | fields).encode()
    headers = {"ocp-apim-subscription-key": "a-key", "content-type": "application/json"}
    sound(SERVICE.handle(Request("POST", f"/face/{version}{path}", "", headers, body)))


@ANYTHING
@given(
    version=VERSIONS,
    path=PATHS,
    body=st.binary(max_size=300)
    | st.builds(form, st.just(MODE), st.just(FILE)).map(lambda b: b[:999]),
    content_type=st.sampled_from([FORM, "multipart/form-data; boundary=", FORM + '"']) | st.text(),
)
def test_no_bytes_break_it(version: str, path: str, body: bytes, content_type: str) -> None:
    headers = {"ocp-apim-subscription-key": "a-key", "content-type": content_type}
    sound(SERVICE.handle(Request("POST", f"/face/{version}{path}", "", headers, body)))


@ANYTHING
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
    | st.text(max_size=9),
    path=st.text(max_size=60) | st.builds("/face/v1.2{}/{}".format, PATHS, st.text(max_size=60)),
    query=st.text(max_size=60) | st.just("&".join(["top=1"] * 200)),
    headers=st.dictionaries(
        st.sampled_from(["authorization", "ocp-apim-subscription-key", "content-type", "host"]),
        st.text(max_size=60),
    ),
)
def test_no_path_query_or_header_breaks_it(
    method: str, path: str, query: str, headers: dict[str, str]
) -> None:
    for key in ({}, {"ocp-apim-subscription-key": "a-key"}):
        sound(SERVICE.handle(Request(method, path, query, headers | key)))


@ANYTHING
@given(
    method=st.sampled_from(["POST", "PUT"]),
    place=st.sampled_from(
        ["scenario", "queue", "clock", "faults", "reset", "sessions/x/scenario", "journal"]
    ),
    body=JSON
    | st.dictionaries(
        st.sampled_from(
            ["scenario", "scenarios", "advance", "freeze", "resume", "route", "status", "body"]
        ),
        JSON
        | st.sampled_from(["real", "nothing", "0001-01-01", "9999-12-31T23:59:59Z", ["real"], 429]),
    ),
)
def test_no_control_call_breaks_it(method: str, place: str, body: object) -> None:
    service = Service(Engine(keys=["a-key"], seed="control"))
    headers = {"content-type": "application/json"}
    request = Request(method, f"/_mock/{place}", "", headers, json.dumps(body).encode())
    sound(service.handle(request))
    for path in ("/_mock/clock", "/_mock/sessions", "/_mock/faults"):
        sound(service.handle(Request("GET", path)))


@ANYTHING
@given(
    data=st.binary(max_size=200),
    start=st.sampled_from([b"\xff\xd8\xff", b"BM", b"GIF8", b"\x89PNG\r\n\x1a\n"]),
)
def test_no_picture_breaks_it(data: bytes, start: bytes) -> None:
    face = Face(SERVICE, "v1.2")
    sound(face.create(verify=True, image=(start + data).ljust(1024, b"\xff")).response)


def test_a_bug_in_the_emulator_is_an_error_for_the_caller_and_a_traceback_in_the_log(
    face: Face, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    # Given an emulator that fails where nobody expects it
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr("mockface.sessions.tenant.Tenant.create", fail)

    # When a caller runs into it
    answer = face.create()

    # Then it gets an error of the service's shape that says where to look, and the log has the rest
    assert (answer.status, answer.code) == (500, "Unspecified")
    assert "log" in answer.json["error"]["message"]
    assert "nobody thought" not in answer.response.body.decode()
    assert "nobody thought of this" in caplog.text
