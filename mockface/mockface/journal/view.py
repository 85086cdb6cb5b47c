"""What the journal shows of an entry: lines, and whole messages with secrets shortened."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mockface.api.models import timestamp
from mockface.journal import redaction

if TYPE_CHECKING:
    from mockface.journal.entries import Body, Entry
    from mockface.wire import Json


def line(entry: Entry) -> Json:
    """An entry without headers and bodies."""
    return {
        "id": entry.id,
        "at": timestamp(entry.at),
        "tenant": entry.tenant_id,
        "method": entry.method,
        "path": path_of(entry),
        "query": redaction.text(entry.query, _secrets(entry)),
        "route": entry.route,
        "sessionId": session_of(entry),
        "status": entry.status,
        "code": entry.code,
        "requestId": entry.request_id,
        "fault": entry.fault,
    }


def whole(entry: Entry) -> Json:
    """An entry with headers and bodies."""
    secrets = _secrets(entry)
    asked, answered = _headers(entry.asked_headers), _headers(entry.answered_headers)
    return line(entry) | {
        "request": {
            "headers": {name: redaction.header(name, value) for name, value in asked.items()},
            "body": _body(asked, entry.asked, secrets),
        },
        "answer": {
            "headers": {name: redaction.text(value) for name, value in answered.items()},
            "body": _body(answered, entry.answered, secrets),
        },
    }


def path_of(entry: Entry) -> str:
    """The path that was called."""
    return redaction.text(entry.path, _secrets(entry))


def session_of(entry: Entry) -> str:
    """The session that an entry is about; a create tells it in its answer."""
    body = entry.answered
    if entry.session_id or not isinstance(body, bytes) or b'"sessionId"' not in body:
        return entry.session_id
    try:
        said = json.loads(body)
    except ValueError:
        return ""
    found = said.get("sessionId") if isinstance(said, dict) else None
    return found if isinstance(found, str) else ""


def _body(headers: dict[str, str], body: Body, secrets: list[str]) -> object:
    if isinstance(body, bytes):
        return redaction.body(headers.get("content-type", ""), body, secrets)
    return redaction.hidden(body, secrets)


def _headers(lines: str) -> dict[str, str]:
    """Headers by their names in lower case."""
    pairs = (each.partition(":") for each in lines.split("\n") if each)
    return {name.lower(): value for name, _, value in pairs}


def _secrets(entry: Entry) -> list[str]:
    return redaction.secrets(_headers(entry.asked_headers), entry.query)
