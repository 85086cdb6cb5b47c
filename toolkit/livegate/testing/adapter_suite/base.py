"""The fixtures that every part of the contract uses."""
# ruff: noqa: S101, PLR2004 - tests

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import uuid4

import pytest

from livegate.testing.adapter_suite.backend import Backend
from livegate.testing.adapter_suite.described import PROBLEM, Description
from livegate.testing.adapter_suite.http1 import HttpClient, RawResponse

if TYPE_CHECKING:
    from livegate.testing.doubles import FakeFaceService, ManualClock


class AdapterSuite:
    """The fixtures. A subclass gives ``base_url``."""

    is_async: ClassVar[bool] = False
    """Whether the adapter takes an :class:`livegate.AsyncOrchestrator`."""

    server_waits_for_bodies: ClassVar[bool] = False
    """Whether the server reads the whole body before it calls the application."""

    @pytest.fixture
    def backend(self) -> Backend | None:
        """What the application is bound to; None for an application in another process."""
        return Backend(is_async=self.is_async)

    @pytest.fixture
    def http(self, base_url: str) -> HttpClient:
        """A client of the application; it checks each response against the document."""
        client = HttpClient(base_url)
        client.check = Description(client.send("GET", "/openapi.json").json).check
        return client

    @pytest.fixture
    def alice(self) -> str:
        """A user without sessions."""
        return f"alice-{uuid4().hex}"

    @pytest.fixture
    def bob(self) -> str:
        """Another one."""
        return f"bob-{uuid4().hex}"

    @pytest.fixture
    def face(self, backend: Backend | None) -> FakeFaceService:
        """The service behind the application."""
        return _required(backend).face

    @pytest.fixture
    def clock(self, backend: Backend | None) -> ManualClock:
        """The application's time."""
        return _required(backend).clock


def _required(backend: Backend | None) -> Backend:
    if backend is None:
        pytest.skip("the application runs in another process")
    return backend


def start(http: HttpClient, user: str, **fields: str) -> str:
    """The id of a new session of *user*."""
    response = http.json("POST", "/sessions", fields, user=user)
    assert response.status == 201, response.body
    session_id: str = response.json["sessionId"]
    return session_id


def assert_problem(response: RawResponse, status: int, code: str, field: str | None = None) -> None:
    """See that *response* is this problem."""
    assert response.header("Content-Type") == PROBLEM, response
    problem = response.json
    found = (response.status, problem["code"], problem.get("field"))
    assert found == (status, code, field), problem
