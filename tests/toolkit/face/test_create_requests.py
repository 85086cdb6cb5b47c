"""The request that creates a session, and its response, in every version."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livegate.errors import ConfigurationError, FaceResponseError
from livegate.face.versions import API_VERSIONS, get_version
from livegate.face.versions.common import parse_session
from livegate.models import OperationMode, SessionKind
from livegate.protocols import FaceSessionRequest


def test_the_supported_versions() -> None:
    assert API_VERSIONS == ("v1.2", "v1.2-preview.1")


def test_an_unknown_version_names_the_setting_and_the_supported_ones() -> None:
    with pytest.raises(ConfigurationError, match="LIVEGATE_API_VERSION") as raised:
        get_version("v1.4")
    assert all(version in str(raised.value) for version in API_VERSIONS)


@pytest.mark.parametrize("mode", OperationMode)
def test_the_mode_is_sent_as_the_service_names_it(version: str, mode: OperationMode) -> None:
    request = FaceSessionRequest(SessionKind.LIVENESS, mode, "device", 60)
    wire = get_version(version).create_request(request)
    assert wire.json is not None
    assert wire.json["livenessOperationMode"] in ("Passive", "PassiveActive")
    assert wire.json["livenessOperationMode"] == mode.value


def test_the_image_is_in_no_repr(version: str, verify: FaceSessionRequest) -> None:
    assert "canary" not in repr(get_version(version).create_request(verify))


def test_the_token_is_in_no_repr() -> None:
    session = parse_session({"sessionId": "a-B_9", "authToken": "canary"})
    assert (session.remote_id, session.auth_token) == ("a-B_9", "canary")
    assert "canary" not in repr(session)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional={"sessionId": ANYTHING, "authToken": ANYTHING}))
def test_any_session_that_is_parsed_is_safe_in_a_path_and_a_header(body: dict[str, Any]) -> None:
    try:
        session = parse_session(body)
    except FaceResponseError:
        return
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", session.remote_id)
    assert session.auth_token.isascii()
    assert session.auth_token.isprintable()
    assert session.auth_token == session.auth_token.strip() != ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"sessionId": None},
        {"sessionId": ""},
        {"sessionId": "../v1.1"},
        {"sessionId": "a" * 65},
        {"sessionId": "id\n"},
        {"sessionId": 5},
        {"authToken": None},
        {"authToken": ""},
        {"authToken": "two words"},
        {"authToken": "line\r\nfeed"},
        {"authToken": "t" * 16385},
        {"authToken": ["token"]},
    ],
    ids=lambda wrong: str(wrong)[:30],
)
def test_an_invalid_field_of_a_session_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(FaceResponseError, match=next(iter(wrong))):
        parse_session({"sessionId": "id", "authToken": "token"} | wrong)
