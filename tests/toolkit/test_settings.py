"""Settings: where they come from, and that every fault is reported, by its name, at once."""

from __future__ import annotations

import os
import pickle
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livegate.errors import ConfigurationError
from livegate.lifecycle import Timing
from livegate.models import OperationMode
from livegate.orchestrator import Orchestrator
from livegate.settings import Settings, normal_endpoint, validate_key


def test_settings_come_from_the_environment() -> None:
    settings = Settings.from_env(
        {
            "VISION_ENDPOINT": "https://me.cognitiveservices.azure.com/",
            "VISION_KEY": " 0123 ",
            "LIVEGATE_STORE": "sqlite:///x",
            "LIVEGATE_API_VERSION": "v1.3-preview.1",
            "LIVEGATE_MODE": "passive",
            "LIVEGATE_TOKEN_LIFETIME": "60",
            "LIVEGATE_FACE_TIMEOUT": "2.5",
            "LIVEGATE_FACE_CONNECTIONS": "2000",
            "LIVEGATE_ALLOWED_ORIGINS": "https://a.example, https://b.example:8443",
            "LIVEGATE_NOTIFIERS": "log://, queue://host/x",
            "LIVEGATE_PLUGINS": "one, two",
            "LIVEGATE_EVENT_MAX_AGE": "3600",
            "LIVEGATE_WORKER_INTERVAL": "1",
            "LIVEGATE_POLL_INTERVAL": "",
            "PATH": "/bin",
        }
    )

    assert settings.api_version == "v1.3-preview.1"
    assert settings == Settings(
        endpoint="https://me.cognitiveservices.azure.com",
        key="0123",
        store="sqlite:///x",
        api_version="v1.3-preview.1",
        mode=OperationMode.PASSIVE,
        token_lifetime=60,
        face_timeout=2.5,
        face_connections=2000,
        allowed_origins=("https://a.example", "https://b.example:8443"),
        notifiers=("log://", "queue://host/x"),
        plugins=("one", "two"),
        event_max_age=3600,
        worker_interval=1,
    )


def test_the_defaults_are_the_documented_ones() -> None:
    settings = Settings()
    day = 86400

    assert (settings.endpoint, settings.key, settings.store) == (None, None, None)
    assert (settings.allowed_origins, settings.notifiers, settings.plugins) == ((), (), ())
    assert (settings.event_max_age, settings.review_timeout) == (3 * day, 7 * day)
    assert (settings.detail_retention, settings.record_retention) == (30 * day, 90 * day)
    assert (settings.worker_interval, settings.poll_interval) == (5, 2)
    assert (settings.token_lifetime, settings.result_grace) == (600, 600)
    assert (settings.face_timeout, settings.face_retries) == (10.0, 2)
    assert (settings.face_connections, settings.api_version) == (500, "v1.2")
    assert settings.mode is OperationMode.PASSIVE_ACTIVE
    assert Settings.from_env({}) == settings


@pytest.mark.parametrize(
    "mappings",
    [
        ({"LIVEGATE_KEY": "first"}, {"VISION_KEY": "second", "LIVEGATE_KEY": "third"}),
        ({"LIVEGATE_KEY": "second", "VISION_KEY": "first"},),
        ({"LIVEGATE_KEY": ""}, {"LIVEGATE_KEY": None}, {"LIVEGATE_KEY": "first"}),
    ],
)
def test_the_first_mapping_wins_and_in_it_the_name_of_the_samples(
    mappings: tuple[dict[str, Any], ...],
) -> None:
    assert Settings.from_mapping(*mappings).key == "first"


def test_settings_can_be_handed_to_another_process() -> None:
    settings = Settings.from_mapping({"LIVEGATE_PLUGIN_LOCK_OUT_MAX": "3"})

    assert pickle.loads(pickle.dumps(settings)) == settings
    assert hash(settings) == hash(Settings())


def test_no_secret_is_in_a_repr() -> None:
    settings = Settings.from_mapping(
        {
            "LIVEGATE_KEY": "hunter2",
            "LIVEGATE_STORE": "redis://user:hunter2@host",
            "LIVEGATE_NOTIFIERS": "https://hooks.example/hunter2",
            "LIVEGATE_PLUGIN_LOCK_OUT_URL": "redis://:hunter2@host",
        }
    )

    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VISION_ENDPOINT", "me.cognitiveservices.azure.com"),
        ("VISION_ENDPOINT", "https://me.cognitiveservices.azure.com/face/v1.2"),
        ("VISION_ENDPOINT", "https://user:hunter2@me.cognitiveservices.azure.com"),
        ("VISION_ENDPOINT", "https://@me.cognitiveservices.azure.com"),
        ("VISION_ENDPOINT", "https://me.cognitiveservices.azure.com?x=1"),
        ("VISION_ENDPOINT", "https://me.cognitiveservices.azure.com#x"),
        ("VISION_ENDPOINT", "http://me.cognitiveservices.azure.com"),
        ("VISION_ENDPOINT", "http://127.0.0.1.evil.example"),
        ("VISION_ENDPOINT", "ftp://me.example"),
        ("VISION_ENDPOINT", "https://"),
        ("VISION_ENDPOINT", "https://[::1"),
        ("VISION_ENDPOINT", "https://a b"),
        ("VISION_ENDPOINT", "https://me.example:port"),
        ("VISION_ENDPOINT", "https://me\r\nHost: evil"),
        ("VISION_ENDPOINT", "https://me\nevil.example"),
        ("VISION_KEY", "two\nlines"),
        ("VISION_KEY", "hunter2ü"),
        ("LIVEGATE_API_VERSION", "1.2"),
        ("LIVEGATE_API_VERSION", "v1.2/../../x"),
        ("LIVEGATE_STORE", "sessions.sqlite"),
        ("LIVEGATE_STORE", "redis://:hunter2#@host"),
        ("LIVEGATE_MODE", "Active"),
        ("LIVEGATE_TOKEN_LIFETIME", "59"),
        ("LIVEGATE_TOKEN_LIFETIME", "86401"),
        ("LIVEGATE_TOKEN_LIFETIME", "ten"),
        ("LIVEGATE_RESULT_GRACE", "-1"),
        ("LIVEGATE_POLL_INTERVAL", "0"),
        ("LIVEGATE_POLL_INTERVAL", "61"),
        ("LIVEGATE_FACE_TIMEOUT", "nan"),
        ("LIVEGATE_FACE_TIMEOUT", "inf"),
        ("LIVEGATE_FACE_RETRIES", "6"),
        ("LIVEGATE_FACE_CONNECTIONS", "0"),
        ("LIVEGATE_ALLOWED_ORIGINS", "*"),
        ("LIVEGATE_ALLOWED_ORIGINS", "null"),
        ("LIVEGATE_ALLOWED_ORIGINS", "app.example"),
        ("LIVEGATE_ALLOWED_ORIGINS", "https://app.example/path"),
        ("LIVEGATE_ALLOWED_ORIGINS", "https://app.example, http://app.example"),
        ("LIVEGATE_NOTIFIERS", "log"),
        ("LIVEGATE_NOTIFIERS", "log://, redis://:hunter2#@host"),
        ("LIVEGATE_EVENT_MAX_AGE", "59"),
        ("LIVEGATE_REVIEW_TIMEOUT", "1.5"),
        ("LIVEGATE_DETAIL_RETENTION", "-1"),
        ("LIVEGATE_RECORD_RETENTION", "3599"),
        ("LIVEGATE_WORKER_INTERVAL", "0"),
        # What a framework's configuration can hold and the environment cannot.
        ("VISION_KEY", b"hunter2"),
        ("VISION_KEY", 5),
        ("LIVEGATE_TOKEN_LIFETIME", float("inf")),
        ("LIVEGATE_TOKEN_LIFETIME", 600.9),
        ("LIVEGATE_TOKEN_LIFETIME", True),
        ("LIVEGATE_TOKEN_LIFETIME", [600]),
        ("LIVEGATE_STORE", b"memory://"),
        ("LIVEGATE_PLUGINS", 5),
        ("LIVEGATE_PLUGINS", b"bank"),
        ("LIVEGATE_PLUGINS", [object()]),
        ("LIVEGATE_NOTIFIERS", [5]),
        ("LIVEGATE_ALLOWED_ORIGINS", 5),
    ],
)
def test_a_wrong_setting_is_named_and_not_quoted(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Settings.from_mapping({name: value})

    message = str(raised.value)
    assert name in message
    assert "has to" in message or "write" in message
    assert "hunter2" not in message
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("token_lifetime", 60, 86400),
        ("result_grace", 0, 86400),
        ("poll_interval", 1, 60),
        ("face_timeout", 0.1, 60),
        ("face_retries", 0, 5),
        ("face_connections", 1, 100_000),
        ("event_max_age", 60, 31_536_000),
        ("review_timeout", 60, 31_536_000),
        ("detail_retention", 0, 315_360_000),
        ("record_retention", 3600, 315_360_000),
        ("worker_interval", 1, 3600),
    ],
)
def test_a_number_has_these_limits(name: str, low: Any, high: Any) -> None:
    step = 0.05 if name == "face_timeout" else 1

    def set_to(value: Any) -> Any:
        values: dict[str, Any] = {name: value}
        return getattr(Settings(**values), name)

    for right in (low, high):
        assert set_to(right) == set_to(str(right)) == right
    for wrong in (low - step, high + step):
        with pytest.raises(ConfigurationError, match=f"from {low} to {high}$"):
            set_to(wrong)


def test_the_constructor_checks_what_the_mapping_checks() -> None:
    wrong: dict[str, Any] = {"token_lifetime": None, "plugins": None, "key": "a\nb"}

    with pytest.raises(ConfigurationError) as raised:
        Settings(**wrong)

    for name in ("LIVEGATE_TOKEN_LIFETIME", "LIVEGATE_PLUGINS", "VISION_KEY or LIVEGATE_KEY"):
        assert f"{name} has to" in str(raised.value)


def test_all_faults_are_reported_at_once() -> None:
    environ = {
        "LIVEGATE_STOER": "memory://",
        "LIVEGATE_WORD": "x",
        "LIVEGATE_POLL_INTERVAL": "0",
        "VISION_KEY": "a\nb",
    }

    with pytest.raises(ConfigurationError) as raised:
        Settings.from_env(environ, required=("endpoint", "key", "store"))

    parts = str(raised.value).split("; ")
    assert parts[0] == "LIVEGATE_STOER is not a setting: did you mean LIVEGATE_STORE?"
    assert parts[1].startswith("LIVEGATE_WORD is not a setting: ")
    assert [part.split(" ")[0] for part in parts[2:]] == [
        "VISION_KEY",
        "LIVEGATE_POLL_INTERVAL",
        "VISION_ENDPOINT",
        "LIVEGATE_STORE",
    ]
    # A key that is wrong is not missing too.
    assert str(raised.value).count("VISION_KEY") == 1


def test_an_orchestrator_reports_every_fault_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("LIVEGATE_", "VISION_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LIVEGATE_STORE", "sessions.sqlite")
    monkeypatch.setenv("LIVEGATE_STOER", "memory://")

    with pytest.raises(ConfigurationError) as raised:
        Orchestrator(plugin_config={"lock_out": {}})

    assert [part.split(" ")[0] for part in str(raised.value).split("; ")] == [
        "LIVEGATE_STOER",
        "LIVEGATE_STORE",
        "VISION_ENDPOINT",
        "VISION_KEY",
        "plugin_config",
    ]


def test_faults_can_be_collected_in_place_of_raised() -> None:
    settings, faults = Settings.read(
        {"LIVEGATE_MODE": "Active", "LIVEGATE_TOKEN_LIFETIME": "60", "LIVEGATE_STOER": "x"},
        required=("store",),
    )

    assert settings == Settings(token_lifetime=60)
    assert [fault.split(" ")[0] for fault in faults] == [
        "LIVEGATE_STOER",
        "LIVEGATE_MODE",
        "LIVEGATE_STORE",
    ]
    assert Settings.read({}) == (Settings(), ())


def test_names_of_other_code_are_no_fault() -> None:
    environ = {"LIVEGATE_THEIRS": "x", "LIVEGATE_PLUGIN_LOCK_OUT_MAX": "3", "VISION_OTHER": "y"}

    settings = Settings.from_mapping(environ, known=("LIVEGATE_THEIRS",))

    assert settings.plugin_values == {"LIVEGATE_PLUGIN_LOCK_OUT_MAX": "3"}
    with pytest.raises(ConfigurationError, match=r"LIVEGATE_PLUGIN is not a .*LIVEGATE_PLUGINS\?"):
        Settings.from_mapping({"LIVEGATE_PLUGIN": "bank"})


def test_values_of_plugins_come_from_the_first_mapping_too() -> None:
    first = {"LIVEGATE_PLUGIN_A_B": "1", "LIVEGATE_PLUGIN_A_C": ""}
    second = {"LIVEGATE_PLUGIN_A_B": "2", "LIVEGATE_PLUGIN_A_C": "3"}

    values = Settings.from_mapping(first, second).plugin_values

    assert values == {"LIVEGATE_PLUGIN_A_B": "1", "LIVEGATE_PLUGIN_A_C": "3"}


@pytest.mark.parametrize("name", ["endpoint", "key", "store"])
def test_a_missing_setting_is_named_with_its_remedy(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"LIVEGATE_{name.upper()} is not set: set it to"):
        Settings().require(name)
    assert len(Settings().missing("endpoint", "key", "store")) == 3


def test_a_setting_that_is_set_is_not_missing() -> None:
    settings = Settings(store="memory://")

    assert settings.require("store") == "memory://"
    assert settings.missing("store") == ()


def test_the_timing_of_sessions_follows_the_settings() -> None:
    timing = Settings(review_timeout=60, detail_retention=0, poll_interval=45).timing()

    assert timing.review == timedelta(minutes=1)
    assert timing.details == timedelta(0)
    # The worker polls less often than the front end.
    assert timing.poll == timedelta(seconds=45)
    assert Settings(poll_interval=2).timing().poll == Timing().poll


# --- endpoints, keys and origins ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://ME.cognitiveservices.azure.com/", "https://me.cognitiveservices.azure.com"),
        ("https://me.example:8443", "https://me.example:8443"),
        (" https://me.example// ", "https://me.example"),
        ("http://127.0.0.1:5000/", "http://127.0.0.1:5000"),
        ("http://localhost:5000/", "http://localhost:5000"),
        ("http://[::1]:5000", "http://[::1]:5000"),
    ],
)
def test_an_endpoint_loses_the_slash_at_its_end(given: str, normal: str) -> None:
    assert normal_endpoint(given) == normal


@given(st.text() | st.text().map(lambda text: f"https://{text}"))
def test_any_text_is_an_endpoint_or_a_clear_error(text: str) -> None:
    try:
        endpoint = normal_endpoint(text)
    except ValueError as error:
        assert "https://" in str(error)
        return
    assert normal_endpoint(endpoint) == endpoint


def test_a_key_loses_the_white_space_around_it() -> None:
    assert validate_key(" 0123\n") == "0123"
    for wrong in ("", " ", None, b"0123", "a b\tc\x00"):
        with pytest.raises(ValueError, match="the key alone"):
            validate_key(wrong)


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://App.Example", "https://app.example"),
        ("https://app.example/", "https://app.example"),
        ("https://app.example:443", "https://app.example"),
        ("https://app.example:8443", "https://app.example:8443"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("https://[::1]:443", "https://[::1]"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(given: str, origin: str) -> None:
    assert Settings(allowed_origins=(given,)).allowed_origins == (origin,)
