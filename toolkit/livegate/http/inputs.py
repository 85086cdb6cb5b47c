"""Reading what a caller sent. Whatever is wrong is told by its name, with what would be right."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from livegate.errors import InvalidRequestError
from livegate.http.messages import MAX_JSON, Request
from livegate.session import ReferenceImage, SessionState, StartRequest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

PURPOSE: Final = (r"[\w.-]{1,64}", "1 to 64 letters, digits, '.', '_' and '-'")
DIGEST: Final = (r"[0-9A-Fa-f]{1,128}", "up to 128 hexadecimal digits")
CLIENT_ERROR: Final = (r"\w{1,64}", "one word of at most 64 letters")
IMAGE: Final = "referenceImage"


def start_request(request: Request, subject: str) -> StartRequest:
    """A start, from JSON or from a multipart form with a reference image.

    Raises:
        InvalidRequestError: Names the field.
    """
    fields: Mapping[str, Any]
    image = None
    if request.form is not None:
        fields = _once(request.form)
        files = _once(request.files)
        _refuse_unknown(files, (IMAGE,), "file part")
        if IMAGE not in files:
            _refuse(IMAGE, f"a multipart form has to have a file part called {IMAGE}", "missing")
        image = ReferenceImage(files[IMAGE])
    else:
        fields = _json_object(request)
    _refuse_unknown(fields, ("purpose",), "field")
    return StartRequest(
        subject=subject,
        purpose=_word(fields, "purpose", PURPOSE) or "default",
        reference_image=image,
        idempotency_key=request.headers.get("idempotency-key"),
    )


def client_report(request: Request) -> tuple[str | None, str | None]:
    """The digest and the client's error of a finish; either, or neither, may be there.

    Raises:
        InvalidRequestError: Names the field.
    """
    fields = _json_object(request)
    _refuse_unknown(fields, ("digest", "clientError"), "field")
    return _word(fields, "digest", DIGEST), _word(fields, "clientError", CLIENT_ERROR)


def list_query(request: Request) -> tuple[frozenset[SessionState], int, str | None]:
    """The states, the limit and the cursor of a list.

    Raises:
        InvalidRequestError: Names the parameter.
    """
    query = _once(request.query)
    _refuse_unknown(query, ("state", "limit", "cursor"), "query parameter")
    states = []
    for word in filter(None, query.get("state", "").split(",")):
        if word not in set(SessionState):
            _refuse("state", f"has to be of {', '.join(SessionState)}")
        states.append(SessionState(word))
    limit = query.get("limit", "20")
    if not re.fullmatch(r"[0-9]{1,4}", limit):
        _refuse("limit", "has to be a number from 1 to 100")
    return frozenset(states), int(limit), query.get("cursor")


def _json_object(request: Request) -> Mapping[str, Any]:
    if request.form is None and not request.body and not request.media_type:
        return {}
    if request.media_type != "application/json":
        raise InvalidRequestError(
            f"Content-Type {request.media_type or '(none)'} is not taken here; "
            "send application/json, or start with a multipart/form-data.",
            code="unsupported_media_type",
            field="Content-Type",
            status=415,
        )
    if len(request.body) > MAX_JSON:
        raise InvalidRequestError(
            f"A JSON body may have at most {MAX_JSON} bytes.", code="body_too_large", status=413
        )
    try:
        content = json.loads(request.body or b"{}", object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("The body is not JSON.", code="invalid_json") from error
    if not isinstance(content, dict):
        raise InvalidRequestError("The body has to be a JSON object.", code="invalid_json")
    return content


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            _refuse(name, "is there twice")
        found[name] = value
    return found


def _word(fields: Mapping[str, Any], name: str, rule: tuple[str, str]) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    pattern, right = rule
    if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
        _refuse(name, f"has to be {right}")
    return value


def _refuse_unknown(found: Collection[str], known: Collection[str], what: str) -> None:
    for name in found:
        if name not in known:
            _refuse(name, f"is no {what} here; known are {', '.join(known)}", "unknown")


def _refuse(name: str, why: str, code: str = "invalid") -> NoReturn:
    shown = re.sub(r"[^\w.-]", "?", name[:64], flags=re.ASCII)
    raise InvalidRequestError(f"{shown}: {why}.", code=f"{code}_field", field=shown)
