"""Calls of the HTTP layer without any framework."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from livegate import http
from livegate._sync import run_sync

if TYPE_CHECKING:
    from collections.abc import Iterable

    from livegate.operations import Runtime


class Headers(dict[str, str]):
    """A mapping that ignores case, as frameworks have it."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in values.items()})

    def get(self, name: str, /) -> str | None:  # type: ignore[override]
        return super().get(name.lower())


@dataclass
class Stream:
    """A body that comes in chunks, and counts what was read."""

    chunks: list[bytes | Exception]
    sizes: list[int] = field(default_factory=list)

    def read(self, size: int) -> bytes:
        self.sizes.append(size)
        chunk = self.chunks.pop(0) if self.chunks else b""
        if isinstance(chunk, Exception):
            raise chunk
        return chunk

    async def read_later(self, size: int) -> bytes:
        return self.read(size)


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def make_request(
    method: str, path: str, headers: dict[str, str] | None = None, **more: Any
) -> http.Request:
    path, _, query = path.partition("?")
    values: dict[str, Any] = {"base": "/base", "query": query, "read": Stream([]).read} | more
    return http.Request(method=method, path=path, headers=Headers(headers or {}), **values)


def call(
    runtime: Runtime,
    method: str,
    path: str,
    *,
    subject: object = "alice",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    chunks: Iterable[bytes | Exception] = (),
    **more: Any,
) -> Answer:
    stream = Stream([*([body] if body else []), *chunks])
    request = make_request(method, path, headers, **({"read": stream.read} | more))
    response = run_sync(http.handle(runtime, request, subject))
    return Answer(response.status, response.headers, response.body)


def post_json(runtime: Runtime, path: str, content: object = None, **more: Any) -> Answer:
    headers = {"Content-Type": "application/json", **more.pop("headers", {})}
    body = content if isinstance(content, bytes) else json.dumps(content or {}).encode()
    return call(runtime, "POST", path, headers=headers, body=body, **more)


def start(runtime: Runtime, **fields: str) -> str:
    """The id of a new session of Alice."""
    answer = post_json(runtime, "/sessions", fields)
    assert answer.status == 201, answer.body
    session_id: str = answer.json["sessionId"]
    return session_id
