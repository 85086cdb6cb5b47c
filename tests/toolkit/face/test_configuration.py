"""How the services are made, with which credentials, and what is rejected before the first call."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import RequestsTransport

from livegate.errors import ConfigurationError, FaceAuthError, MissingDependencyError
from livegate.face.azure import AsyncAzureFace, AzureFace
from livegate.models import SessionKind

if TYPE_CHECKING:
    from tests.toolkit.face.conftest import Caller, FaceServer

    from livegate.protocols import FaceSessionRequest

ENDPOINT = "https://name.cognitiveservices.azure.com"
REMOTE_ID = "b12e033e-bda7-4b83-a211-e721c661f30e"
DELETE = ("delete", SessionKind.LIVENESS, REMOTE_ID, "v1.2")
EXPIRES = 4_000_000_000
BOTH = pytest.mark.parametrize("made", [AzureFace, AsyncAzureFace])


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


@dataclass
class StandInSettings:
    """The settings that the services read."""

    endpoint: str | None = f"{ENDPOINT}/"
    key: str | None = "canary"
    api_version: str = "v1.2-preview.1"
    face_timeout: float = 7
    face_retries: int = 3
    face_connections: int | None = 20

    def require(self, name: str) -> str:
        if not getattr(self, name):
            raise ConfigurationError(f"LIVEGATE_{name.upper()} is not set.")
        return str(getattr(self, name))


# --- credentials ----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_function", [False, True])
def test_a_token_credential_is_sent_as_a_bearer_token(
    caller: Caller, server: FaceServer, is_function: bool
) -> None:
    server.respond(204)
    made: type = AsyncCredential if caller.is_async else Credential
    caller(*DELETE, endpoint=server.endpoint, credential=made if is_function else made())
    headers = server.received[0].headers
    assert headers["Authorization"] == (
        "Bearer token for https://cognitiveservices.azure.com/.default"
    )
    assert headers["Ocp-Apim-Subscription-Key"] is None


@pytest.mark.parametrize("is_function", [False, True])
def test_close_closes_a_credential_only_if_it_was_made_by_the_service(
    caller: Caller, server: FaceServer, is_function: bool
) -> None:
    server.respond(204)
    closed: list[object] = []

    class Sync(Credential):
        def close(self) -> None:
            closed.append(self)

    class Async(AsyncCredential):
        async def close(self) -> None:
            closed.append(self)

    made: type = Async if caller.is_async else Sync
    caller(*DELETE, endpoint=server.endpoint, credential=made if is_function else made())
    assert len(closed) == is_function


def test_a_token_credential_without_a_token_is_an_error(caller: Caller, server: FaceServer) -> None:
    credential = NoAsyncCredential() if caller.is_async else NoCredential()
    with pytest.raises(FaceAuthError, match="ClientAuthenticationError") as raised:
        caller(*DELETE, endpoint=server.endpoint, credential=credential)
    assert "canary" not in str(raised.value)
    assert server.received == []


def test_a_key_can_be_rotated(caller: Caller, server: FaceServer) -> None:
    server.respond(204)
    credential = AzureKeyCredential("first")
    for key in ("first", "second"):
        credential.update(key)
        caller(*DELETE, endpoint=server.endpoint, credential=credential)
        assert server.received[-1].headers["Ocp-Apim-Subscription-Key"] == key


def test_the_other_kind_of_token_credential_is_rejected(caller: Caller) -> None:
    other: Any = Credential if caller.is_async else AsyncCredential
    with pytest.raises(ConfigurationError, match=r"azure\.identity\.aio"):
        caller.make(endpoint=ENDPOINT, credential=other())
    with pytest.raises(ConfigurationError, match=r"azure\.identity\.aio"):
        caller(*DELETE, endpoint=ENDPOINT, credential=other)


def test_a_function_that_returns_no_credential_is_rejected(caller: Caller) -> None:
    with pytest.raises(ConfigurationError, match="neither a key nor a token credential"):
        caller(*DELETE, endpoint=ENDPOINT, credential=lambda: "key")


# --- what is rejected -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"endpoint": "name.cognitiveservices.azure.com"}, "VISION_ENDPOINT or LIVEGATE_ENDPOINT"),
        ({"endpoint": "http://name.example"}, "VISION_ENDPOINT .* https://"),
        ({"endpoint": f"{ENDPOINT}/face/v1.2"}, "VISION_ENDPOINT .* without a path"),
        ({"endpoint": None}, "VISION_ENDPOINT or LIVEGATE_ENDPOINT"),
        ({"credential": ""}, "VISION_KEY or LIVEGATE_KEY"),
        ({"credential": "a\nb"}, "VISION_KEY or LIVEGATE_KEY"),
        ({"credential": "clé"}, "VISION_KEY or LIVEGATE_KEY"),
        ({"credential": AzureKeyCredential("key\n")}, "VISION_KEY or LIVEGATE_KEY"),
        ({"credential": object()}, "VISION_KEY or LIVEGATE_KEY"),
        ({"api_version": "v9.9"}, r"LIVEGATE_API_VERSION.*v9\.9.*v1\.2, v1\.2-preview\.1"),
        ({"timeout": 0}, "LIVEGATE_FACE_TIMEOUT"),
        ({"timeout": float("inf")}, "LIVEGATE_FACE_TIMEOUT"),
        ({"timeout": float("nan")}, "LIVEGATE_FACE_TIMEOUT"),
        ({"timeout": True}, "LIVEGATE_FACE_TIMEOUT"),
        ({"retries": -1}, "LIVEGATE_FACE_RETRIES"),
        ({"retries": True}, "LIVEGATE_FACE_RETRIES"),
        ({"connections": 0}, "LIVEGATE_FACE_CONNECTIONS"),
        ({"transport": RequestsTransport()}, "transport has to be a function.*forked"),
    ],
)
@BOTH
def test_an_argument_that_cannot_work_is_rejected(
    made: type[AzureFace | AsyncAzureFace], wrong: dict[str, Any], text: str
) -> None:
    with pytest.raises(ConfigurationError, match=text):
        made(**({"endpoint": ENDPOINT, "credential": "key"} | wrong))


# --- settings -------------------------------------------------------------------------------------


@BOTH
def test_from_settings_uses_every_setting(made: type[AzureFace | AsyncAzureFace]) -> None:
    settings: Any = StandInSettings()
    face = made.from_settings(settings)
    config = face._config
    assert face.api_version == "v1.2-preview.1"
    assert (config.endpoint, config.credential.key) == (ENDPOINT, "canary")
    assert (config.timeout, config.retries, config.connections) == (7, 3, 20)
    assert ENDPOINT in repr(face)
    assert "canary" not in repr(face) + repr(config)


@BOTH
@pytest.mark.parametrize("missing", ["endpoint", "key"])
def test_from_settings_names_what_is_missing(
    made: type[AzureFace | AsyncAzureFace], missing: str
) -> None:
    settings: Any = StandInSettings()
    setattr(settings, missing, None)
    with pytest.raises(ConfigurationError, match=f"LIVEGATE_{missing.upper()}"):
        made.from_settings(settings)


def test_from_settings_needs_no_key_beside_a_token_credential() -> None:
    settings: Any = StandInSettings(key=None, face_connections=0)
    face = AzureFace.from_settings(settings, credential=Credential())
    assert face._config.connections is None


# --- life -----------------------------------------------------------------------------------------


def test_a_version_that_is_not_supported_any_more_is_named(caller: Caller) -> None:
    with pytest.raises(ConfigurationError, match="LIVEGATE_API_VERSION"):
        caller("read", SessionKind.LIVENESS, REMOTE_ID, "v0.9", endpoint=ENDPOINT)


def test_closing_twice_is_no_error(caller: Caller, server: FaceServer) -> None:
    server.respond(204)
    caller.each([DELETE, ("close",), ("close",)], endpoint=server.endpoint)


def test_a_closed_service_can_be_used_again(caller: Caller, server: FaceServer) -> None:
    server.respond(204)
    caller.each([DELETE, ("close",), DELETE], endpoint=server.endpoint)
    assert len(server.received) == 2


def test_another_event_loop_is_rejected_until_the_service_is_closed(
    server: FaceServer, good_results: dict[str, Any]
) -> None:
    server.respond(204)
    face = AsyncAzureFace(endpoint=server.endpoint, credential="key")

    async def use() -> None:
        await face.delete(SessionKind.LIVENESS, REMOTE_ID, "v1.2")

    async def use_and_close() -> None:
        await use()
        await face.close()

    asyncio.run(use_and_close())
    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(use())
        with pytest.raises(ConfigurationError, match="another event loop"):
            second.run(use())
        first.run(face.close())
        second.run(use_and_close())


def test_cancelling_a_call_is_not_a_failure_of_the_service(server: FaceServer) -> None:
    # given a call that waits for a response
    server.respond(how="silent")

    async def cancel() -> None:
        async with AsyncAzureFace(endpoint=server.endpoint, credential="key") as face:
            task = asyncio.create_task(face.delete(SessionKind.LIVENESS, REMOTE_ID, "v1.2"))
            await asyncio.to_thread(server.wait_for, 1)
            # when its task is cancelled, then it ends as cancelled
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancel())


def test_a_request_needs_an_image_if_and_only_if_it_verifies(
    liveness: FaceSessionRequest, verify: FaceSessionRequest
) -> None:
    for request in (liveness, verify):
        other = verify if request is liveness else liveness
        with pytest.raises(ValueError, match="reference image"):
            replace(request, reference_image=other.reference_image)


# --- packages -------------------------------------------------------------------------------------


def test_a_missing_azure_package_is_named() -> None:
    code = (
        "import sys; sys.modules['azure.ai.vision.face'] = None\n"
        "from livegate.errors import MissingDependencyError\n"
        "try: import livegate.face.azure\n"
        "except MissingDependencyError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "azure-ai-vision-face is not installed" in run.stdout
    assert "livegate[azure]" in run.stdout


def test_only_the_async_service_needs_aiohttp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(MissingDependencyError, match=r"aiohttp.*livegate\[azure\]"):
        AsyncAzureFace(endpoint=ENDPOINT, credential="key")
    AsyncAzureFace(endpoint=ENDPOINT, credential="key", transport=object)
    AzureFace(endpoint=ENDPOINT, credential="key").close()


@pytest.mark.parametrize(
    "module", ["livegate", "livegate.face.versions", "livegate.face.responses"]
)
def test_importing_loads_no_azure_package(module: str) -> None:
    code = f"import sys, {module}; print([name for name in sys.modules if 'azure' in name])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
