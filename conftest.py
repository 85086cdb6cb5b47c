"""For the tests that run tests."""

pytest_plugins = ["pytester"]
