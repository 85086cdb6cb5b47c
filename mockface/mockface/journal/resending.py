"""Sends the requests of a recording again, and compares what is answered now.

Ids and tokens are others now, so those of the recorded answers are replaced by those of the new
ones in every later request. A picture, of which the recording has only the hash, becomes a drawn
portrait.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mockface.journal import redaction
from mockface.journal.expectations import Difference
from mockface.journal.recording import stand_in
from mockface.remote.sending import over_http
from mockface.wire import JSON

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mockface.journal.recording import Exchange
    from mockface.remote.sending import Reply, Send

_BOUNDARY = "mockface-recording"
_OWN_HEADERS = frozenset({"content-length", "content-type", "host"})
_KEY_HEADER = "ocp-apim-subscription-key"
_NAMES = ("sessionId", "authToken", "sessionImageId", "id")


def resend(
    recording: Iterable[Exchange],
    url: str,
    key: str,
    *,
    exact: bool = False,
    send: Send | None = None,
) -> Iterator[tuple[Exchange, list[Difference]]]:
    """Sends them, one after the other.

    Args:
        recording: What was asked and answered.
        url: Where to send it.
        key: The resource key to send it with; empty sends the recording's shortened ones, which an
            emulator takes that accepts any key.
        exact: Whether values are compared, too; else statuses, codes and the shapes of bodies are.
        send: The way there; by default HTTP.

    Yields:
        Each exchange with how the new answer differs.

    Raises:
        OSError: Nothing answers.
        HTTPException: What is answered is no whole answer.
        ValueError: A recorded request cannot be sent.
    """
    names: dict[str, str] = {}
    way = send or over_http()
    for exchange in recording:
        headers, body = _message(exchange, key, names)
        path = quote(_renamed(exchange["path"], names))
        query = f"?{_renamed(exchange['query'], names)}" if exchange["query"] else ""
        reply = way(exchange["method"], f"{url}{path}{query}", headers, body)
        recorded, now = exchange["answer"].get("body"), _said(reply)
        _learn(recorded, now, names)
        found = _differences(exchange, reply)
        compare = _values if exact else _shapes
        found += compare("body", _renamed(recorded, names), now)
        yield exchange, found


def _message(exchange: Exchange, key: str, names: dict[str, str]) -> tuple[dict[str, str], bytes]:
    recorded: dict[str, str] = exchange["request"].get("headers", {})
    headers = {
        name: _renamed(value, names) for name, value in recorded.items() if name not in _OWN_HEADERS
    }
    if key and _KEY_HEADER in headers:
        headers[_KEY_HEADER] = key
    kind = recorded.get("content-type", "")
    content = exchange["request"].get("body")
    if content is None:
        return headers, b""
    if kind.startswith("multipart/form-data") and isinstance(content, dict):
        headers["Content-Type"] = f"multipart/form-data; boundary={_BOUNDARY}"
        return headers, _form(content, names)
    headers["Content-Type"] = kind or JSON
    if isinstance(content, dict) and not kind.startswith(JSON):
        return headers, stand_in(content)
    content = _renamed(content, names)
    text = content if isinstance(content, str) else json.dumps(content)
    return headers, text.encode("utf-8", "replace")


def _form(parts: dict[str, Any], names: dict[str, str]) -> bytes:
    pieces = []
    for name, content in parts.items():
        said = f'name="{name}"'
        data = b""
        if isinstance(content, dict) and "sha256" in content:
            said += f'; filename="{content.get("filename", name)}"'
            data = stand_in(content)
        elif isinstance(content, str):
            data = content.encode("utf-8", "replace")
        else:
            data = json.dumps(_renamed(content, names)).encode("ascii")
        head = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {said}\r\n\r\n"
        pieces.append(head.encode("utf-8", "replace") + data + b"\r\n")
    return b"".join(pieces) + f"--{_BOUNDARY}--\r\n".encode("ascii")


def _learn(recorded: object, now: object, names: dict[str, str]) -> None:
    """Which recorded ids and tokens are called what now."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        for name, value in recorded.items():
            other = now.get(name)
            if name in _NAMES and isinstance(value, str) and isinstance(other, str):
                if value and other:
                    names[value] = other
            else:
                _learn(value, other, names)
    elif isinstance(recorded, list) and isinstance(now, list):
        for old, new in zip(recorded, now, strict=False):
            _learn(old, new, names)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
        return value
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    if isinstance(value, dict):
        return {name: _renamed(each, names) for name, each in value.items()}
    return value


def _said(reply: Reply) -> object:
    """The new answer's body, in the words of a recording, but with its tokens whole."""
    kind = reply.headers.get("content-type", "")
    if kind.startswith(JSON):
        try:
            return json.loads(reply.body)
        except ValueError:
            return reply.body.decode("utf-8", "replace")
    return redaction.body(kind, reply.body)


def _differences(exchange: Exchange, reply: Reply) -> list[Difference]:
    recorded = exchange["status"], exchange.get("code", "")
    now = reply.status, reply.headers.get("x-ms-error-code", "")
    return [
        Difference(name, old, new)
        for name, old, new in zip(("status", "code"), recorded, now, strict=True)
        if old != new
    ]


def _values(place: str, recorded: object, now: object) -> list[Difference]:
    if isinstance(recorded, dict) and isinstance(now, dict):
        names = [*recorded, *(name for name in now if name not in recorded)]
        return [
            found
            for name in names
            for found in _values(f"{place}.{name}", recorded.get(name), now.get(name))
        ]
    if isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        pairs = enumerate(zip(recorded, now, strict=True))
        return [f for at, (old, new) in pairs for f in _values(f"{place}[{at}]", old, new)]
    return [] if recorded == now else [Difference(place, recorded, now)]


def _shapes(place: str, recorded: object, now: object) -> list[Difference]:
    return _values(place, _shape(recorded), _shape(now))


def _shape(value: object) -> object:
    """What kinds of values a body has, and where."""
    if isinstance(value, dict):
        return {name: _shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_shape(each) for each in value]
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    return "a text" if isinstance(value, str) else None
