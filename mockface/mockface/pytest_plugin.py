"""The pytest plugin: a server for a run, a tenant for a test.

pytest imports this module in every run on a machine that has mockface, so it imports nothing before
a fixture is used; a run that measures the coverage of mockface itself depends on it too.
"""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from azure.ai.vision.face import FaceSessionClient
    from azure.ai.vision.face.aio import FaceSessionClient as AsyncFaceSessionClient

    from mockface.remote.control_client import ControlClient

URL_VARIABLE = "MOCKFACE_URL"
"""Names an emulator that runs already, for all workers of a run to share."""

_HELP = {
    "mockface_seed": "where the emulator takes everything random from: the same seed gives every "
    "test the same session ids and numbers in each run (not for a server that "
    f"{URL_VARIABLE} names)",
    "mockface_scenario": "what an attempt is when a test says nothing; default: real",
    "mockface_pace": "when results are out when a test says nothing: at-once, 3reads or 30s, for "
    "example; default: at-once",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the settings that `pytest --help` lists."""
    for name, text in _HELP.items():
        parser.addini(name, text, default="")


@pytest.fixture(scope="session")
def mockface_server(request: pytest.FixtureRequest) -> Iterator[ControlClient]:
    """An emulator that listens: one for the run, or for each worker of it.

    With the environment variable `MOCKFACE_URL` it is the one that runs there, and stays.

    Yields:
        A hand on the whole emulator.
    """
    from mockface.remote.control_client import ControlClient  # noqa: PLC0415 - see the module

    shared = os.environ.get(URL_VARIABLE)
    if shared:
        try:
            hand = ControlClient(shared)
        except ValueError as wrong:
            message = f"{URL_VARIABLE} names no emulator: {wrong}"
            raise pytest.fail.Exception(message, pytrace=False) from None
        yield hand
        return

    with _extra("mock"):
        from mockface.server import Mockface  # noqa: PLC0415 - see the module

    with Mockface(seed=request.config.getini("mockface_seed") or None) as mock:
        yield ControlClient(mock.url)


@pytest.fixture
def mockface(
    request: pytest.FixtureRequest, mockface_server: ControlClient
) -> Iterator[ControlClient]:
    """A tenant of the emulator for this test alone: its own key, sessions, scenario and time.

    Yields:
        A hand on it.
    """
    from mockface.errors import ControlError  # noqa: PLC0415 - see the module

    hand = mockface_server.tenant(_key(request))
    scenario, pace = (request.config.getini(f"mockface_{what}") for what in ("scenario", "pace"))
    try:
        hand.reset()
        if scenario:
            hand.scenario = scenario
        if pace:
            hand.pace = pace
    except ControlError as wrong:
        message = f"mockface at {hand.url} takes no tenant for this test: {wrong}"
        raise pytest.fail.Exception(message, pytrace=False) from None
    yield hand
    idle = [fault for fault in hand.faults() if not fault["hits"]]
    hand.reset()
    if idle:
        warnings.warn(
            f"{len(idle)} faults of mockface hit no call, the first was for {idle[0]['route']!r}: "
            "the test may not have tested what it was to test.",
            stacklevel=1,
        )


@pytest.fixture
def face_session_client(mockface: ControlClient) -> Iterator[FaceSessionClient]:
    """The client library's client, for this test's tenant; needs `azure-ai-vision-face`."""
    with _extra("azure"):
        from azure.ai.vision.face import FaceSessionClient  # noqa: PLC0415 - see the module
        from azure.core.credentials import AzureKeyCredential  # noqa: PLC0415 - see the module

    with FaceSessionClient(mockface.url, AzureKeyCredential(mockface.key)) as client:
        yield client


@pytest.fixture
def async_face_session_client(mockface: ControlClient) -> Callable[..., AsyncFaceSessionClient]:
    """Makes the client library's asynchronous client, for this test's tenant.

    Returns:
        A function, since such a client belongs to an event loop: `async with
        async_face_session_client() as client`. It hands its named arguments on, such as
        `api_version`.
    """
    with _extra("azure"):
        from azure.ai.vision.face.aio import FaceSessionClient  # noqa: PLC0415 - see the module
        from azure.core.credentials import AzureKeyCredential  # noqa: PLC0415 - see the module

    def make(**options: object) -> AsyncFaceSessionClient:
        return FaceSessionClient(mockface.url, AzureKeyCredential(mockface.key), **options)

    return make


@contextmanager
def _extra(name: str) -> Iterator[None]:
    """Names the remedy when an extra is not installed."""
    try:
        yield
    except ModuleNotFoundError as missing:
        message = f"{missing.name} is not installed; run: pip install 'livegate[{name}]'"
        raise pytest.fail.Exception(message, pytrace=False) from None


def _key(request: pytest.FixtureRequest) -> str:
    """A key of the test's own.

    In an emulator of this run it follows from the test's name, so that a seed gives the same bytes
    in every run. One that others may share needs a key that nobody else can have.
    """
    key = "test-" + sha256(request.node.nodeid.encode("utf-8", "replace")).hexdigest()[:32]
    return f"{key}-{uuid4().hex}" if os.environ.get(URL_VARIABLE) else key
