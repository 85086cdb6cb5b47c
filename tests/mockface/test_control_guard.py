"""Who may use the control API: callers of this machine, and no page of another site."""

from __future__ import annotations

import pytest

from mockface.engine import Engine
from mockface.service import Service
from mockface.wire import Request


def status(service: Service, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return service.handle(Request("POST", "/_mock/reset", headers=named)).status


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "localhost:8178"},
        {"host": "127.0.0.1:8178"},
        {"host": "[::1]:8178"},
        {"host": "mock.localhost"},
        {"host": "127.0.0.1:8178", "origin": "http://127.0.0.1:8178"},
        {"host": "localhost", "sec_fetch_site": "same-origin"},
        {"host": "localhost", "sec_fetch_site": "none"},
    ],
    ids=str,
)
def test_it_answers_its_own_machine(headers: dict[str, str]) -> None:
    assert status(Service(Engine()), **headers) == 204


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "rebound.example:8178"},
        {"host": "203.0.113.7"},
        {"host": "["},
        {"host": ""},
        {"host": "localhost.example"},
    ],
    ids=str,
)
def test_a_foreign_name_is_refused_unless_other_machines_are_let_in(
    headers: dict[str, str],
) -> None:
    assert status(Service(Engine()), **headers) == 403
    assert status(Service(Engine(), remote_control=True), **headers) == 204


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:3000"},
        {"origin": "null"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("remote", [False, True])
def test_a_page_of_another_site_is_refused(headers: dict[str, str], remote: bool) -> None:
    service = Service(Engine(), remote_control=remote)
    assert status(service, host="localhost:8178", **headers) == 403


def test_the_front_ends_calls_come_from_another_site(service: Service) -> None:
    """The guard is for the control API alone."""
    request = Request(
        "OPTIONS",
        "/face/v1.2/detectLiveness/singleModal",
        headers={"host": "mock.example", "origin": "https://app.example"},
    )
    assert service.handle(request).status == 204
