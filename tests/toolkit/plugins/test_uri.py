"""URIs of stores and notifiers: parsed once, and shown without their secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livegate.errors import ConfigurationError
from livegate.hooks import Uri


def test_a_uri_has_all_its_parts_decoded() -> None:
    uri = Uri.parse("Redis+TLS://us%40er:p%2Fw@Host.example:6379/a%20b?db=1&name=x%26y&empty=")

    assert uri == Uri(
        scheme="redis+tls",
        username="us@er",
        password="p/w",
        host="host.example",
        port=6379,
        path="/a b",
        options={"db": "1", "name": "x&y", "empty": ""},
    )


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sqlite:///sessions.db", "/sessions.db"),
        ("sqlite:////srv/My File.db", "//srv/My File.db"),
        ("sqlite:///C:/sessions.db", "/C:/sessions.db"),
        ("sqlite:///a%23b%3Fc.db", "/a#b?c.db"),
        ("memory://", ""),
    ],
)
def test_the_path_of_a_uri_without_a_host(text: str, path: str) -> None:
    uri = Uri.parse(text)

    assert (uri.host, uri.port, uri.username, uri.password) == ("", None, None, None)
    assert uri.path == path


def test_the_text_is_kept_for_drivers_that_parse_it() -> None:
    assert Uri.parse(" postgresql://u:p@h/db?sslmode=require ").text == (
        "postgresql://u:p@h/db?sslmode=require"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with SCHEME://"),
        (None, "begins with SCHEME://"),
        (b"memory://", "begins with SCHEME://"),
        ("sessions.sqlite", "begins with SCHEME://"),
        ("sqlite:sessions", "begins with SCHEME://"),
        ("memory://\n#", "cannot be printed"),
        ("redis://host\r\n/0", "cannot be printed"),
        ("redis://:hun#ter2@host", "%23"),
        ("redis://:hunter2/@host", "percent-encode"),
        ("redis://host:hunter2", "percent-encode"),
        ("redis://[::1", "percent-encode"),
        ("redis://host?key=hunter2&key=1", "an option twice"),
    ],
)
def test_what_is_not_a_uri_is_an_error_that_quotes_nothing(text: object, message: str) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        Uri.parse(text)
    assert "hun" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_a_repr_shows_no_secret() -> None:
    uri = Uri.parse("https://user:pw1@hooks.example:8443/services/pw2?key=pw3&keep=pw4")

    assert repr(uri) == "<Uri https://***@hooks.example:8443/***?key=***&keep=***>"
    assert repr(Uri.parse("redis://:pw@host/0")) == "<Uri redis://***@host/***>"
    assert repr(Uri.parse("redis://token@host")) == "<Uri redis://***@host>"
    assert repr(Uri.parse("memory://")) == "<Uri memory://>"


def test_unknown_options_are_an_error_that_quotes_none() -> None:
    uri = Uri.parse("sqlite:///x?hunter2=1&synchronous=normal")

    with pytest.raises(ConfigurationError, match="sqlite takes the options synchronous, t") as one:
        uri.check_options("synchronous", "t")
    with pytest.raises(ConfigurationError, match="sqlite takes no options"):
        uri.check_options()
    uri.check_options("hunter2", "synchronous")
    assert "hunter2" not in str(one.value)


@given(st.text() | st.text().map(lambda text: f"redis://{text}"))
def test_any_text_is_a_uri_or_a_value_error(text: str) -> None:
    try:
        uri = Uri.parse(text)
    except ValueError:
        return
    assert uri.text == text.strip()
    assert repr(uri).startswith(f"<Uri {uri.scheme}://")
