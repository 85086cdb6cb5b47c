"""Settings: where they come from, and that a wrong one is told by its name before anything runs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livegate import OperationMode, Orchestrator, Settings
from livegate.errors import ConfigurationError
from livegate.settings import normal_endpoint


def test_settings_come_from_the_environment() -> None:
    settings = Settings.from_env(
        {
            "VISION_ENDPOINT": "https://me.cognitiveservices.azure.com/",
            "VISION_KEY": " 0123 ",
            "LIVEGATE_STORE": "sqlite:///x",
            "LIVEGATE_MODE": "passive",
            "LIVEGATE_TOKEN_LIFETIME": "60",
            "LIVEGATE_FACE_TIMEOUT": "2.5",
            "LIVEGATE_PLUGINS": "one, two",
            "LIVEGATE_POLL_INTERVAL": "",
            "PATH": "/bin",
        }
    )

    assert settings == Settings(
        endpoint="https://me.cognitiveservices.azure.com",
        key="0123",
        store="sqlite:///x",
        mode=OperationMode.PASSIVE,
        token_lifetime=60,
        face_timeout=2.5,
        plugins=("one", "two"),
    )


def test_an_earlier_mapping_goes_first_and_our_own_name_after_the_samples() -> None:
    settings = Settings.from_mapping(
        {"LIVEGATE_KEY": "config"},
        {"LIVEGATE_KEY": "environment", "LIVEGATE_STORE": "memory://"},
    )

    assert (settings.key, settings.store) == ("config", "memory://")


def test_no_secret_is_in_a_repr() -> None:
    settings = Settings(key="0123", store="redis://user:4567@host")

    assert "0123" not in repr(settings)
    assert "4567" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("plugins", None),
        ("plugins", 5),
        ("plugins", b"bank"),
        ("plugins", (1,)),
        ("token_lifetime", float("inf")),
        ("token_lifetime", None),
        ("key", b"0123"),
        ("key", 5),
    ],
)
def test_a_value_of_another_kind_is_named_too(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"LIVEGATE_{name.upper()} has to"):
        Settings(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VISION_ENDPOINT", "me.cognitiveservices.azure.com"),
        ("VISION_ENDPOINT", "https://me.cognitiveservices.azure.com/face/v1.2"),
        ("VISION_ENDPOINT", "https://user:pass@me.cognitiveservices.azure.com"),
        ("VISION_ENDPOINT", "https://me.cognitiveservices.azure.com?x=1"),
        ("VISION_ENDPOINT", "http://me.cognitiveservices.azure.com"),
        ("VISION_ENDPOINT", "https://me.example:port"),
        ("VISION_ENDPOINT", "https://me\r\nHost: evil"),
        ("VISION_KEY", "two\nlines"),
        ("VISION_KEY", "schlüssel"),
        ("LIVEGATE_API_VERSION", "1.2"),
        ("LIVEGATE_API_VERSION", "v1.2/../../x"),
        ("LIVEGATE_STORE", "sessions.sqlite"),
        ("LIVEGATE_MODE", "Active"),
        ("LIVEGATE_TOKEN_LIFETIME", "59"),
        ("LIVEGATE_TOKEN_LIFETIME", "86401"),
        ("LIVEGATE_TOKEN_LIFETIME", "ten"),
        ("LIVEGATE_RESULT_GRACE", "-1"),
        ("LIVEGATE_POLL_INTERVAL", "0"),
        ("LIVEGATE_FACE_TIMEOUT", "nan"),
        ("LIVEGATE_FACE_RETRIES", "6"),
        ("LIVEGATE_ALLOW_CROSS_SITE", "perhaps"),
        # What a framework's configuration can hold and the environment cannot.
        ("VISION_KEY", b"key"),
        ("LIVEGATE_TOKEN_LIFETIME", float("inf")),
        ("LIVEGATE_TOKEN_LIFETIME", 600.9),
        ("LIVEGATE_PLUGINS", 5),
        ("LIVEGATE_PLUGINS", [object()]),
    ],
)
def test_a_wrong_setting_is_named_with_its_remedy(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError) as error:
        Settings.from_mapping({name: value})

    assert name in str(error.value)
    assert "has to" in str(error.value)
    assert "pass@" not in str(error.value)
    assert "schlüssel" not in str(error.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as error:
        Settings(token_lifetime=1, poll_interval=0, key="a\nb")

    for name in ("LIVEGATE_TOKEN_LIFETIME", "LIVEGATE_POLL_INTERVAL", "VISION_KEY"):
        assert name in str(error.value)


def test_a_misspelt_setting_is_an_error_and_somebody_elses_is_not() -> None:
    with pytest.raises(ConfigurationError, match="LIVEGATE_STOER is no setting; did you mean "):
        Settings.from_mapping({"LIVEGATE_STOER": "memory://"})
    Settings.from_mapping({"LIVEGATE_THEIRS": "x"}, known=("LIVEGATE_THEIRS",))


@pytest.mark.parametrize("name", ["endpoint", "key", "store"])
def test_a_missing_setting_is_named_when_it_is_needed(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"LIVEGATE_{name.upper()} is not set. Set it to"):
        Settings().require(name)


def test_an_orchestrator_without_a_store_says_what_to_set(scripted: Any) -> None:
    with pytest.raises(ConfigurationError, match="LIVEGATE_STORE"):
        Orchestrator(Settings(), face=scripted)


@pytest.fixture
def scripted() -> Any:
    from livegate.testing.doubles import ScriptedFace

    return ScriptedFace()


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://ME.cognitiveservices.azure.com/", "https://me.cognitiveservices.azure.com"),
        ("https://me.example:8443", "https://me.example:8443"),
        (" https://me.example// ", "https://me.example"),
        ("http://127.0.0.1:5000/", "http://127.0.0.1:5000"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_an_endpoint_loses_the_slash_at_its_end(given: str, normal: str) -> None:
    assert normal_endpoint(given) == normal


@given(st.text())
def test_any_text_is_an_endpoint_or_a_clear_error(text: str) -> None:
    try:
        endpoint = normal_endpoint(text)
    except ValueError as error:
        assert "https://" in str(error)
        return
    assert endpoint is not None
    assert normal_endpoint(endpoint) == endpoint
