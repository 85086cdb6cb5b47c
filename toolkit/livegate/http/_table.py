"""The table of operations: routes, limits of bodies and the OpenAPI document come from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from livegate.errors import InvalidRequestError, MethodNotAllowedError
from livegate.http import _endpoints as endpoints
from livegate.http._bodies import FORM, JSON, Body
from livegate.http._openapi import Operation, openapi_document
from livegate.http._schemas import FINISH_FIELDS, START_FIELDS
from livegate.http.types import Response, json_response
from livegate.models import SessionState
from livegate.protocols import MAX_PAGE
from livegate.validation import MAX_IDEMPOTENCY_KEY, MAX_IMAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_JSON: Final = 16 * 1024
"""Bytes of a JSON body."""
MAX_FORM: Final = MAX_IMAGE_BYTES + 64 * 1024
"""Bytes of a form: of the largest reference image, and of what is around it."""


async def _openapi(call: endpoints.Call) -> Response:
    """Describe the API."""
    return json_response(200, openapi_document(OPERATIONS, quote(call.request.base)))


_LOCATION: Final = {"Location": "The path of the new session."}
_RETRY_AFTER: Final = {"Retry-After": "Seconds to wait, as long as there is no verdict."}
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Requests with the same key start one session.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_IDEMPOTENCY_KEY},
}
_LIST_PARAMETERS: Final[tuple[dict[str, Any], ...]] = (
    {
        "name": "limit",
        "in": "query",
        "description": "How many sessions at most.",
        "schema": {
            "type": "integer",
            "minimum": 1,
            "maximum": MAX_PAGE,
            "default": endpoints.DEFAULT_LIMIT,
        },
    },
    {
        "name": "state",
        "in": "query",
        "description": "Only sessions in one of these states.",
        "style": "form",
        "explode": False,
        "schema": {
            "type": "array",
            "items": {"type": "string", "enum": [state.value for state in SessionState]},
        },
    },
    {
        "name": "cursor",
        "in": "query",
        "description": "The `nextCursor` of the page before.",
        "schema": {"type": "string"},
    },
)

OPERATIONS: Final = (
    Operation(
        "startSession",
        "POST",
        "/sessions",
        endpoints.start,
        "Start a session.",
        responses={201: "StartedSession"},
        bodies=(
            Body(JSON, MAX_JSON, "StartRequest", START_FIELDS),
            Body(FORM, MAX_FORM, "StartForm", START_FIELDS),
        ),
        parameters=(_IDEMPOTENCY_KEY,),
        response_headers=_LOCATION,
    ),
    Operation(
        "listSessions",
        "GET",
        "/sessions",
        endpoints.find,
        "List one's own sessions, newest first.",
        responses={200: "SessionPage"},
        parameters=_LIST_PARAMETERS,
    ),
    Operation(
        "readSession",
        "GET",
        "/sessions/{id}",
        endpoints.read,
        "Read a session; the result is fetched from the service if that is due.",
        responses={200: "Session"},
        response_headers=_RETRY_AFTER,
    ),
    Operation(
        "peekSession",
        "HEAD",
        "/sessions/{id}",
        endpoints.peek,
        "Check for a session as it is stored; nothing changes.",
        responses={200: None},
        response_headers=_RETRY_AFTER,
    ),
    Operation(
        "cancelSession",
        "DELETE",
        "/sessions/{id}",
        endpoints.cancel,
        "End a session; one that is over stays as it is.",
        responses={204: None},
    ),
    Operation(
        "finishSession",
        "POST",
        "/sessions/{id}/finish",
        endpoints.finish,
        "Report that the front end is done, and read the verdict.",
        responses={200: "Session", 202: "Session"},
        bodies=(Body(JSON, MAX_JSON, "FinishRequest", FINISH_FIELDS),),
        response_headers=_RETRY_AFTER,
    ),
    Operation(
        "retrySession",
        "POST",
        "/sessions/{id}/retry",
        endpoints.retry,
        "Start a session that repeats this one.",
        responses={201: "StartedSession"},
        bodies=(
            Body(JSON, MAX_JSON, "RetryRequest", {}),
            Body(FORM, MAX_FORM, "RetryForm", {}),
        ),
        response_headers=_LOCATION,
    ),
    Operation(
        "readOpenapi",
        "GET",
        "/openapi.json",
        _openapi,
        "Read this document.",
        responses={200: "OpenapiDocument"},
        needs_subject=False,
    ),
)


class Routes:
    """Finds the operation of a request.

    Args:
        operations: A path that has a GET and no HEAD responds to HEAD as to GET.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._by_path: dict[tuple[str, ...], dict[str, Operation]] = {}
        for operation in operations:
            segments = tuple(operation.path.split("/")[1:])
            methods = self._by_path.setdefault(segments, {})
            methods[operation.method] = operation
            if operation.method == "GET":
                methods.setdefault("HEAD", operation)
        self._by_length: dict[int, list[tuple[tuple[str, ...], dict[str, Operation]]]] = {}
        for segments, methods in self._by_path.items():
            self._by_length.setdefault(len(segments), []).append((segments, methods))

    @property
    def roots(self) -> tuple[str, ...]:
        """What the paths begin with, each once."""
        return tuple(dict.fromkeys(f"/{segments[0]}" for segments in self._by_path))

    def find(self, method: str, path: str) -> tuple[Operation, str]:
        """The operation, and the session's id in the path or an empty str.

        Args:
            method: Of the request.
            path: Below the prefix, percent-encoded.

        Raises:
            InvalidRequestError: There is no such path.
            MethodNotAllowedError: There is, for other methods.
        """
        found = path.split("/")[1:]
        if "%" in path:
            found = [unquote(segment) for segment in found]
        for segments, methods in self._by_length.get(len(found), ()):
            session_id = ""
            for wanted, segment in zip(segments, found, strict=True):
                if wanted == "{id}" and segment:
                    session_id = segment
                elif wanted != segment:
                    break
            else:
                operation = methods.get(method)
                if operation is None:
                    raise MethodNotAllowedError(methods)
                return operation, session_id
        raise InvalidRequestError("There is nothing at this path.", code="path_unknown", status=404)


ROUTES: Final = Routes(OPERATIONS)
