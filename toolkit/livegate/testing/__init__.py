"""Conformance kits: what a third party's part has to do, as tests to subclass. They need pytest."""

import pytest

pytest.register_assert_rewrite("livegate.testing.store_suite")

from livegate.testing.store_contract import StoreContract  # noqa: E402 - asserts as from here on

__all__ = ["StoreContract"]
