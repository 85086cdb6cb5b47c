"""The backend of the conformance suite, without an application."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from livegate.testing.adapter_contract import Backend

if TYPE_CHECKING:
    from livegate.operations import Runtime


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def runtime(backend: Backend) -> Runtime:
    runtime: Runtime = backend.orchestrator.runtime
    return runtime
