"""Calls of the emulated service, without a socket: `make bench`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from mockface.clock import Clock
from mockface.engine import Engine
from mockface.service import Service
from mockface.sessions.nouns import Kind, Options
from mockface.wire import Request, Response

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

NOON = 1_767_268_800.0
RELEASED, PREVIEW = (
    "/face/v1.2/detectLiveness-sessions",
    ("/face/v1.2-preview.1/detectLiveness/singleModal/sessions"),
)
HEADERS = {
    "host": "127.0.0.1:8178",
    "content-type": "application/json",
    "ocp-apim-subscription-key": "any-key",
}
BODY = json.dumps(
    {
        "livenessOperationMode": "PassiveActive",
        "deviceCorrelationId": "0f2bb0b2-6a8a-4a53-9a0e-2f0d0f7d0001",
        "authTokenTimeToLiveInSeconds": 600,
    }
).encode()
FORM = "multipart/form-data; boundary=b"
CLIP = (
    b'--b\r\nContent-Disposition: form-data; name="Metadata"\r\n\r\n{}\r\n'
    b'--b\r\nContent-Disposition: form-data; name="Content"; filename="v.webp"\r\n\r\n'
    + bytes(1024)
    + b"\r\n--b--\r\n"
)


@pytest.fixture
def service() -> Service:
    return Service(Engine(clock=Clock(frozen_at=NOON), seed="benchmarks"))


def ask(service: Service, method: str, path: str, body: bytes = b"", **headers: str) -> Response:
    response = service.handle(Request(method, path, "", HEADERS | headers, body))
    assert response.status in (200, 204), response.body
    return response


def create(service: Service, path: str = RELEASED) -> Any:
    return json.loads(ask(service, "POST", path, BODY).body)


@pytest.mark.parametrize("path", [RELEASED, PREVIEW], ids=["v1.2", "v1.2-preview.1"])
def test_create(benchmark: BenchmarkFixture, service: Service, path: str) -> None:
    benchmark(ask, service, "POST", path, BODY)


@pytest.mark.parametrize("path", [RELEASED, PREVIEW], ids=["v1.2", "v1.2-preview.1"])
def test_read(benchmark: BenchmarkFixture, service: Service, path: str) -> None:
    session_id = create(service, path)["sessionId"]
    benchmark(ask, service, "GET", f"{path}/{session_id}")


def test_create_and_delete(benchmark: BenchmarkFixture, service: Service) -> None:
    def both() -> None:
        session_id = create(service)["sessionId"]
        ask(service, "DELETE", f"{RELEASED}/{session_id}")

    benchmark(both)


def test_create_and_attempt(benchmark: BenchmarkFixture, service: Service) -> None:
    def both() -> None:
        token = create(service)["authToken"]
        ask(
            service,
            "POST",
            "/face/v1.2/detectLiveness/singleModal",
            CLIP,
            **{"authorization": f"Bearer {token}", "content-type": FORM},
        )

    benchmark(both)


@pytest.mark.parametrize("count", [1_000, 100_000])
def test_a_page_of_many(benchmark: BenchmarkFixture, count: int) -> None:
    tenant = Engine(clock=Clock(frozen_at=NOON), seed="benchmarks").tenant("any-key")
    fill(tenant, count)
    benchmark(tenant.page, Kind.LIVENESS, after="8", most=100)


@pytest.mark.parametrize("count", [1_000, 100_000])
def test_create_beside_many(benchmark: BenchmarkFixture, count: int) -> None:
    tenant = Engine(clock=Clock(frozen_at=NOON), seed="benchmarks").tenant("any-key")
    fill(tenant, count)
    benchmark(fill, tenant, 1)


def test_sign_a_token(benchmark: BenchmarkFixture, service: Service) -> None:
    claims = service.engine.tokens.read(create(service)["authToken"])
    benchmark(service.engine.tokens.issue, claims)


def fill(tenant: Any, count: int) -> None:
    options = Options("Passive", "a-model", device_correlation_id="d")
    for _ in range(count):
        tenant.create(Kind.LIVENESS, options, endpoint="http://127.0.0.1:8178")
