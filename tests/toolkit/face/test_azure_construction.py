"""How the doors are made, what opens the service, and what is refused before the first call."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError

from livegate.errors import ConfigurationError, FaceAccessError, MissingDependencyError
from livegate.face.azure import AsyncAzureFace, AzureFace
from livegate.session import SessionKind
from livegate.settings import Settings

if TYPE_CHECKING:
    from tests.toolkit.face.conftest import Door, FaceOnLoopback

    from livegate.face.base import FaceSessionRequest

ENDPOINT = "https://name.cognitiveservices.azure.com"
REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"
EXPIRES = 4_000_000_000


class Credential:
    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(f"token for {','.join(scopes)}", EXPIRES)


class AsyncCredential:
    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return AccessToken(f"token for {','.join(scopes)}", EXPIRES)

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> AsyncCredential:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""


class NoCredential(Credential):
    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        raise ClientAuthenticationError("canary: the secret was refused")


class NoAsyncCredential(AsyncCredential):
    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        raise ClientAuthenticationError("canary: the secret was refused")


@pytest.fixture
def kind() -> SessionKind:
    return SessionKind.LIVENESS


@pytest.fixture
def result(good_results: dict[str, Any]) -> Any:
    return good_results["v1.2"]


def test_a_token_credential_opens_the_service(
    door: Door, service: FaceOnLoopback, wanted: FaceSessionRequest, created: dict[str, Any]
) -> None:
    service.answer(200, created)
    credential = AsyncCredential() if door.is_async else Credential()
    door("create", wanted, endpoint=service.endpoint, credential=credential)
    headers = service.seen[0].headers
    assert headers["Authorization"] == (
        "Bearer token for https://cognitiveservices.azure.com/.default"
    )
    assert headers["Ocp-Apim-Subscription-Key"] is None


def test_a_token_credential_that_gives_none(
    door: Door, service: FaceOnLoopback, wanted: FaceSessionRequest
) -> None:
    credential = NoAsyncCredential() if door.is_async else NoCredential()
    with pytest.raises(FaceAccessError, match="ClientAuthenticationError") as raised:
        door("create", wanted, endpoint=service.endpoint, credential=credential)
    assert "canary" not in str(raised.value)
    assert service.seen == []


def test_a_key_may_be_rotated(
    door: Door, service: FaceOnLoopback, created: dict[str, Any], wanted: FaceSessionRequest
) -> None:
    service.answer(200, created)
    credential = AzureKeyCredential("first")
    for key in ("first", "second"):
        credential.update(key)
        door("create", wanted, endpoint=service.endpoint, credential=credential)
        assert service.seen[-1].headers["Ocp-Apim-Subscription-Key"] == key


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"endpoint": "name.cognitiveservices.azure.com"}, "VISION_ENDPOINT or LIVEGATE_ENDPOINT"),
        ({"endpoint": "http://name.example"}, "VISION_ENDPOINT .* https://"),
        ({"endpoint": f"{ENDPOINT}/face/v1.2"}, "VISION_ENDPOINT .* without a path"),
        ({"endpoint": None}, "VISION_ENDPOINT or LIVEGATE_ENDPOINT is not set"),
        ({"credential": ""}, "VISION_KEY or LIVEGATE_KEY"),
        ({"credential": "a\nb"}, "VISION_KEY or LIVEGATE_KEY"),
        ({"credential": "clé"}, "VISION_KEY or LIVEGATE_KEY"),
        ({"credential": AzureKeyCredential("key\n")}, "VISION_KEY or LIVEGATE_KEY"),
        ({"credential": object()}, "VISION_KEY or LIVEGATE_KEY"),
        ({"api_version": "v9.9"}, r"LIVEGATE_API_VERSION.*v9\.9.*v1\.2, v1\.2-preview\.1"),
        ({"timeout": 0}, "LIVEGATE_FACE_TIMEOUT"),
        ({"timeout": float("inf")}, "LIVEGATE_FACE_TIMEOUT"),
        ({"timeout": float("nan")}, "LIVEGATE_FACE_TIMEOUT"),
        ({"retries": -1}, "LIVEGATE_FACE_RETRIES"),
    ],
)
def test_what_cannot_work_is_refused(door: Door, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        door.open(**({"endpoint": ENDPOINT} | wrong))


def test_a_credential_of_the_other_colour_is_refused(door: Door) -> None:
    credential = Credential() if door.is_async else AsyncCredential()
    with pytest.raises(ConfigurationError, match=r"azure\.identity\.aio"):
        door.open(endpoint=ENDPOINT, credential=credential)


def test_the_slash_at_the_end_breaks_nothing(
    door: Door, service: FaceOnLoopback, created: dict[str, Any], wanted: FaceSessionRequest
) -> None:
    service.answer(200, created)
    door("create", wanted, endpoint=service.endpoint + "/", credential=" key \n")
    assert service.seen[0].path == "/face/v1.2/detectLiveness-sessions"
    assert service.seen[0].headers["Ocp-Apim-Subscription-Key"] == "key"


@pytest.mark.parametrize("made", [AzureFace, AsyncAzureFace])
def test_from_settings(made: type[AzureFace | AsyncAzureFace]) -> None:
    settings = Settings(endpoint=f"{ENDPOINT}/", key="canary", api_version="v1.2-preview.1")
    face = made.from_settings(settings)
    assert face.api_version == "v1.2-preview.1"
    assert ENDPOINT in repr(face)
    assert "canary" not in repr(face)


@pytest.mark.parametrize("made", [AzureFace, AsyncAzureFace])
def test_from_settings_names_what_is_missing(made: type[AzureFace | AsyncAzureFace]) -> None:
    with pytest.raises(ConfigurationError, match="VISION_ENDPOINT or LIVEGATE_ENDPOINT"):
        made.from_settings(Settings(key="canary"))
    with pytest.raises(ConfigurationError, match="VISION_KEY or LIVEGATE_KEY"):
        made.from_settings(Settings(endpoint=ENDPOINT))


def test_settings_need_no_key_beside_a_token_credential() -> None:
    settings = Settings(endpoint=ENDPOINT)
    AzureFace.from_settings(settings, credential=Credential()).close()


def test_a_session_outlives_a_change_of_the_version(
    door: Door, service: FaceOnLoopback, version: str
) -> None:
    # given sessions of two versions
    service.answer(204)
    calls = [
        ("delete", SessionKind.LIVENESS, REMOTE_ID, old)
        for old in ("v1.2", "v1.2-preview.1", "v1.2")
    ]
    # when one object, made for new sessions of either, deletes them
    door.each(calls, endpoint=service.endpoint, api_version=version)
    # then each is deleted with its own version
    assert [seen.path.split("/")[2] for seen in service.seen] == ["v1.2", "v1.2-preview.1", "v1.2"]


def test_a_version_that_nobody_speaks_any_more(door: Door) -> None:
    with pytest.raises(ConfigurationError, match="LIVEGATE_API_VERSION"):
        door("read", SessionKind.LIVENESS, REMOTE_ID, "v0.9", endpoint=ENDPOINT)


def test_a_connection_serves_many_calls(
    door: Door, service: FaceOnLoopback, result: dict[str, Any]
) -> None:
    service.answer(200, result)
    read = ("read", SessionKind.LIVENESS, REMOTE_ID, "v1.2")
    door.each([read] * 5, endpoint=service.endpoint)
    assert (len(service.seen), service.connections) == (5, 1)


def test_closing_twice(door: Door, service: FaceOnLoopback) -> None:
    service.answer(204)
    calls = [("delete", SessionKind.LIVENESS, REMOTE_ID, "v1.2"), ("close",), ("close",)]
    door.each(calls, endpoint=service.endpoint)


def test_many_threads_share_one_object(service: FaceOnLoopback) -> None:
    service.answer(204)
    with AzureFace(endpoint=service.endpoint, credential="key") as face:
        with ThreadPoolExecutor(8) as threads:
            calls = [
                threads.submit(face.delete, SessionKind.LIVENESS, REMOTE_ID, "v1.2")
                for _ in range(40)
            ]
        assert [call.result() for call in calls] == [None] * 40
    assert len(service.seen) == 40


def test_many_tasks_share_one_object(service: FaceOnLoopback) -> None:
    service.answer(204)

    async def delete_many() -> None:
        async with AsyncAzureFace(endpoint=service.endpoint, credential="key") as face:
            delete = [face.delete(SessionKind.LIVENESS, REMOTE_ID, "v1.2") for _ in range(40)]
            await asyncio.gather(*delete)

    asyncio.run(delete_many())
    assert len(service.seen) == 40


def test_a_cancelled_task_is_cancelled(service: FaceOnLoopback) -> None:
    # given a call that waits for an answer
    service.answer(how="silent")

    async def cancel() -> None:
        async with AsyncAzureFace(endpoint=service.endpoint, credential="key") as face:
            task = asyncio.create_task(face.delete(SessionKind.LIVENESS, REMOTE_ID, "v1.2"))
            await asyncio.to_thread(service.is_called.wait)
            # when its task is cancelled
            task.cancel()
            # then it is not taken for a failure of the service
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancel())


def test_another_event_loop_is_told() -> None:
    face = AsyncAzureFace(endpoint=ENDPOINT, credential="key")

    async def use() -> None:
        face._client("v1.2")

    asyncio.run(use())
    with pytest.raises(ConfigurationError, match="another event loop"):
        asyncio.run(use())
    asyncio.run(face.close())
    asyncio.run(use())


def test_a_missing_package_is_named(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.ai.vision.face", None)
    with pytest.raises(MissingDependencyError, match=r"azure-ai-vision-face.*livegate\[azure\]"):
        door.open(endpoint=ENDPOINT)


def test_a_missing_async_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(MissingDependencyError, match=r"aiohttp.*livegate\[azure\]"):
        AsyncAzureFace(endpoint=ENDPOINT, credential="key")
    AzureFace(endpoint=ENDPOINT, credential="key").close()


@pytest.mark.parametrize("module", ["livegate", "livegate.face", "livegate.face.dialects"])
def test_importing_brings_no_azure_package(module: str) -> None:
    code = f"import sys, {module}; print([name for name in sys.modules if 'azure' in name])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
