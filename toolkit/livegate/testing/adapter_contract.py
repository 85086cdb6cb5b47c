"""The conformance suite for adapters to web frameworks.

Subclass :class:`AdapterContract` in a test module, and serve an application::

    class TestMyAdapter(AdapterContract):
        @pytest.fixture
        def base_url(self, backend):
            app = make_app(backend.orchestrator)
            with serve(app) as port:
                yield f"http://127.0.0.1:{port}/liveness"

The application is small: your adapter, bound to the orchestrator that it is given, under any
prefix, with the header ``X-User`` as the subject. It is served by a real server, since the suite
sends its requests over sockets, byte by byte. ``backend`` (:class:`Backend`) is a fake Face
service, a clock and a store in memory; set ``is_async`` where the adapter takes an
:class:`livegate.AsyncOrchestrator`.

For an application in another process override ``backend`` to return None, and have the process make
a :class:`Backend` of its own; the tests that need the service or the clock are skipped then.

Set ``server_waits_for_bodies`` where the server reads the whole body of a request before it calls
the application: then a body that is too large cannot be rejected early.

Every response is compared with the OpenAPI document of the application; the schemas of the bodies
are checked where the package ``jsonschema`` is installed.

A test's name says what holds, its docstring what is given. Later versions of livegate may add
tests; the changelog names them.
"""
# ruff: noqa: E402 - imported after pytest has been told to rewrite their asserts

from __future__ import annotations

import pytest

_PARTS = ("base", "bodies", "described", "http1", "routing", "sessions")
# A failed assert then shows what it compared.
pytest.register_assert_rewrite(*(f"livegate.testing.adapter_suite.{part}" for part in _PARTS))

from livegate.testing.adapter_suite.backend import Backend
from livegate.testing.adapter_suite.bodies import Bodies, Forms, Queries
from livegate.testing.adapter_suite.routing import CrossSite, Owners, Routing
from livegate.testing.adapter_suite.sessions import Failures, Finishing, Retrying, Starting

__all__ = ["AdapterContract", "Backend"]


class AdapterContract(
    Routing, Owners, CrossSite, Bodies, Forms, Queries, Starting, Finishing, Retrying, Failures
):
    """The HTTP API of livegate, as tests of an adapter."""
