"""What a dialect makes of our request, and of the answer to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livegate.errors import ConfigurationError, FaceAnswerError
from livegate.face.base import FaceSessionRequest
from livegate.face.dialects import KNOWN_VERSIONS, dialect_of
from livegate.session import OperationMode, ReferenceImage, SessionKind

if TYPE_CHECKING:
    from livegate.face.base import FaceSession

IMAGE = ReferenceImage(b"\xff\xd8\xffcanary")


def test_the_known_versions() -> None:
    assert KNOWN_VERSIONS == ("v1.2", "v1.2-preview.1")


def test_an_unknown_version_names_the_setting_and_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="LIVEGATE_API_VERSION") as raised:
        dialect_of("v1.4")
    assert all(version in str(raised.value) for version in KNOWN_VERSIONS)


@pytest.mark.parametrize("mode", OperationMode)
def test_the_mode_is_the_services_own_word(version: str, mode: OperationMode) -> None:
    request = FaceSessionRequest(SessionKind.LIVENESS, mode, "device", 60)
    wire = dialect_of(version).create(request)
    assert wire.json is not None
    assert wire.json["livenessOperationMode"] in ("Passive", "PassiveActive")
    assert wire.json["livenessOperationMode"] == mode.value


def test_no_repr_holds_the_image(version: str, wanted: FaceSessionRequest) -> None:
    assert "canary" not in repr(dialect_of(version).create(wanted))


@pytest.mark.parametrize(
    ("kind", "image"),
    [(SessionKind.LIVENESS, IMAGE), (SessionKind.LIVENESS_WITH_VERIFY, None)],
)
def test_a_kind_and_an_image_that_do_not_belong_together(
    kind: SessionKind, image: ReferenceImage | None
) -> None:
    with pytest.raises(ValueError, match="reference image"):
        FaceSessionRequest(kind, OperationMode.PASSIVE, "device", 60, image)


def created(version: str, body: dict[str, Any]) -> FaceSession:
    return dialect_of(version).created(body)


def test_the_token_is_in_no_repr(version: str) -> None:
    session = created(version, {"sessionId": "a-B_9", "authToken": "canary"})
    assert (session.remote_id, session.auth_token) == ("a-B_9", "canary")
    assert "canary" not in repr(session)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(deadline=None)
@given(
    st.sampled_from(KNOWN_VERSIONS),
    st.fixed_dictionaries({}, optional={"sessionId": ANYTHING, "authToken": ANYTHING}),
)
def test_a_session_is_usable_or_none(version: str, body: dict[str, Any]) -> None:
    try:
        session = created(version, body)
    except FaceAnswerError:
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
def test_an_unusable_session_is_refused(version: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(FaceAnswerError, match=next(iter(wrong))):
        created(version, {"sessionId": "id", "authToken": "token"} | wrong)
