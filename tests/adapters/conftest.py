"""The applications that the contract is tested on."""

from __future__ import annotations

import pytest

from site_under_test import Site


@pytest.fixture(params=["flask"])
def site(request: pytest.FixtureRequest) -> Site:
    return Site()
