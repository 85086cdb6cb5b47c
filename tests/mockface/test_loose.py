"""What is overlooked loosely and refused strictly: the mistakes that samples and clients make."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.mockface.conftest import LATER, OPTIONS, Answer, Face, form

from mockface.cli import serve
from mockface.engine import Engine
from mockface.images import portrait
from mockface.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable


def strictly_and_loosely(version: str, act: Callable[[Face], Answer]) -> tuple[Answer, Answer]:
    strict, loose = (
        act(Face(Service(Engine(seed="loose"), loose=loose), version)) for loose in (False, True)
    )
    return strict, loose


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("authTokenTimeToLiveInSeconds", "60", "InvalidTokenLifetime"),
        ("deviceCorrelationIdSetInClient", "False", "BadArgument"),
        ("enableSessionImage", "true", "BadArgument"),
    ],
)
def test_a_text_may_stand_for_what_it_says(version: str, field: str, value: Any, code: str) -> None:
    strict, loose = strictly_and_loosely(version, lambda face: face.create(**{field: value}))

    if field == "enableSessionImage" and version == "v1.1-preview.1":
        assert strict.status == 200
    else:
        assert (strict.status, strict.code) == (400, code)
    assert loose.status == 200


def test_a_mode_in_lower_case_is_a_mode_in_any_case(version: str) -> None:
    for answer in strictly_and_loosely(
        version, lambda face: face.create(livenessOperationMode="passiveactive")
    ):
        assert answer.status == 200


def test_both_sides_may_name_the_device(version: str) -> None:
    strict, loose = strictly_and_loosely(
        version, lambda face: face.create(deviceCorrelationIdSetInClient=True)
    )

    assert strict.status == (200 if "preview" in version and "v1.3" not in version else 400)
    assert loose.status == 200


@pytest.mark.parametrize("version", LATER)
def test_the_reference_image_may_be_left_to_the_client_in_json_too(version: str) -> None:
    strict, loose = strictly_and_loosely(
        version, lambda face: face.post_json(face.paths[True], OPTIONS)
    )
    assert strict.status == 415
    assert loose.status == 200
    assert loose.json["results"] == {"attempts": [], "verifyReferences": []}


def test_a_picture_without_a_filename(version: str) -> None:
    texts = {"Parameters": json.dumps(OPTIONS).encode()}
    body = form(texts, {"VerifyImage": portrait(1)}).replace(b'; filename="VerifyImage.jpg"', b"")
    strict, loose = strictly_and_loosely(
        version,
        lambda face: face.send(
            "POST",
            face.paths[True],
            body,
            content_type="multipart/form-data; boundary=frontier",
        ),
    )

    assert (strict.status, strict.code) == (400, "InvalidRequestBody")
    assert loose.status == 200


def test_settings_take_a_text_too() -> None:
    body = b'{"livenessAbuseMonitoring": {"enabled": "false"}}'
    strict, loose = strictly_and_loosely(
        "v1.3-preview.1",
        lambda face: face.send("PATCH", "/settings", body, content_type="application/json"),
    )

    assert strict.status == 400
    assert loose.json == {"livenessAbuseMonitoring": {"enabled": False}}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("livenessOperationMode", "Active"),
        ("authTokenTimeToLiveInSeconds", "soon"),
        ("authTokenTimeToLiveInSeconds", "59"),
        ("deviceCorrelationIdSetInClient", "maybe"),
        ("deviceCorrelationId", None),
    ],
)
def test_what_says_nothing_is_refused_loosely_too(version: str, field: str, value: Any) -> None:
    _, loose = strictly_and_loosely(version, lambda face: face.create(**{field: value}))
    assert loose.status == 400


@pytest.mark.parametrize(
    ("arguments", "variable", "loose"),
    [
        ([], "", False),
        (["--loose"], "", True),
        (["--strict"], "", False),
        ([], "0", False),
        ([], "true", True),
        (["--strict"], "1", False),
        (["--loose"], "0", True),
    ],
)
def test_the_command_and_the_environment_say_which(
    arguments: list[str], variable: str, loose: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKFACE_LOOSE", variable)
    given = serve.make_context("serve", arguments, auto_envvar_prefix="MOCKFACE").params

    assert given["loose"] is loose
