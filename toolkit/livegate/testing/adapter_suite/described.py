"""Checks that a response is what the OpenAPI document says."""
# ruff: noqa: S101, PLR2004 - tests

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from livegate.testing.adapter_suite.http1 import RawResponse

PROBLEM: Final = "application/problem+json"


class Description:
    """The document of an application.

    Args:
        document: As it was served.
    """

    def __init__(self, document: Any) -> None:
        self.document = document
        try:
            from jsonschema import Draft202012Validator, FormatChecker  # noqa: PLC0415 - optional
        except ModuleNotFoundError:
            self.validates = False
            return
        self.validates = True
        self._make_validator: Any = partial(Draft202012Validator, format_checker=FormatChecker())

    def check(self, response: RawResponse) -> None:
        """See that *response* is described, with its body, and has the headers of every response.

        Without the package ``jsonschema`` the schema of the body is not checked.
        """
        assert response.header("Cache-Control") == "no-store"
        assert response.header("X-Content-Type-Options") == "nosniff"
        if response.status >= 400:
            self._check_problem(response)
            return
        described = self._find(response)
        content = described.get("content")
        if response.method == "HEAD" or content is None:
            assert response.body == b""
            return
        ((media_type, media),) = content.items()
        assert response.header("Content-Type") == media_type
        self._validate(response.json, media["schema"])
        for name in described.get("headers", {}):
            if name == "Location":
                assert response.header(name), f"{name} is described and not there"

    def _find(self, response: RawResponse) -> Any:
        for path, item in self.document["paths"].items():
            segments = zip(path.split("/"), response.path.split("/"), strict=False)
            is_same = path.count("/") == response.path.count("/") and all(
                wanted in {"{id}", found} for wanted, found in segments
            )
            method = response.method.lower()
            operation = item.get(method) or (item.get("get") if method == "head" else None)
            if is_same and operation is not None:
                return operation["responses"][str(response.status)]
        raise AssertionError(f"{response.method} {response.path} is not described")

    def _check_problem(self, response: RawResponse) -> None:
        assert response.header("Content-Type") == PROBLEM
        if response.method == "HEAD":
            assert response.body == b""
            return
        problem = response.json
        self._validate(problem, {"$ref": "#/components/schemas/Problem"})
        assert problem["status"] == response.status
        assert problem["type"] == f"urn:livegate:problem:{problem['code']}"

    def _validate(self, content: Any, schema: Any) -> None:
        if self.validates:
            components = self.document["components"]
            self._make_validator({**schema, "components": components}).validate(content)
