"""From what came back to our errors: one table, read from the top.

The words speak to the operator and name the setting to look at. They never quote the service: its
code is shown only if it is a plain word, its message not at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from livegate.errors import (
    FaceAccessError,
    FaceAnswerError,
    FaceError,
    FaceRefusedError,
    FaceSessionNotFoundError,
    FaceThrottledError,
    FaceUnavailableError,
)
from livegate.face.dialects.reading import a_word
from livegate.face.replies import Call, NoReply, Reply, Silence

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from livegate.face.replies import Answer

_DONE: Final = {
    Call.CREATE: frozenset({200, 201}),
    Call.READ: frozenset({200}),
    Call.DELETE: frozenset({200, 204}),
}
"""A delete answers 200 in the previews and 204 since v1.2."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A reply, as far as the table looks at it."""

    call: Call
    status: int
    code: str | None
    message: str


@dataclass(frozen=True, slots=True)
class _Rule:
    statuses: Collection[int]
    error: type[FaceError]
    words: str
    only: Callable[[_Case], bool] = lambda _: True

    def applies(self, case: _Case) -> bool:
        return case.status in self.statuses and self.only(case)


_RULES: Final = (
    _Rule(
        {401},
        FaceAccessError,
        "The Face service does not accept the credential: VISION_KEY is wrong, or it is the key of "
        "another resource than VISION_ENDPOINT.",
    ),
    _Rule(
        {403},
        FaceAccessError,
        "The subscription is not approved for liveness, which Microsoft gives Limited Access to: "
        "apply for it. VISION_KEY and VISION_ENDPOINT themselves are accepted.",
        only=lambda case: case.code == "UnsupportedFeature",
    ),
    _Rule(
        {403},
        FaceAccessError,
        "The call volume of the Face resource is used up: wait until it is replenished, or raise "
        "the resource's tier.",
        only=lambda case: "quota" in case.message.lower(),
    ),
    _Rule(
        {403},
        FaceAccessError,
        "The Face service forbids the call: VISION_KEY (or the role of the token) lacks "
        "permission, or the resource of VISION_ENDPOINT blocks this network.",
    ),
    # The gateway answers with the code "404" where the service would say SessionNotFound: then it
    # is the address that is wrong, and nothing is said of the session, least of all that it is
    # deleted.
    _Rule(
        {404},
        FaceAccessError,
        "There is no Face API at this address: check VISION_ENDPOINT, and whether the resource "
        "offers LIVEGATE_API_VERSION.",
        only=lambda case: case.call is Call.CREATE or case.code == "404",
    ),
    _Rule(
        {404},
        FaceSessionNotFoundError,
        "The Face service knows no such session: it was deleted, or is older than 48 hours.",
    ),
    _Rule(
        {429},
        FaceThrottledError,
        "The Face resource has made more calls than its tier allows.",
    ),
    _Rule(
        {408, *range(500, 600)},
        FaceUnavailableError,
        "The Face service has a fault of its own.",
    ),
    _Rule(
        {409},
        FaceUnavailableError,
        "The Face service is at work on the same session for another call.",
    ),
    _Rule(
        {400, 413, 415, 422},
        FaceRefusedError,
        "The Face service refuses the request.",
        only=lambda case: case.call is Call.CREATE,
    ),
    _Rule(
        range(300, 400),
        FaceAnswerError,
        "The Face service redirects, and no credential is sent after it: check VISION_ENDPOINT.",
    ),
)

_NO_RULE: Final = _Rule(
    (),
    FaceAnswerError,
    "The Face service gave an answer that is not in its description.",
)

_SILENCE: Final[dict[Silence, tuple[type[FaceError], str]]] = {
    Silence.LOST: (
        FaceUnavailableError,
        "There is no connection to the Face service; is VISION_ENDPOINT right?",
    ),
    Silence.TIMED_OUT: (
        FaceUnavailableError,
        "The Face service did not answer in time; see LIVEGATE_FACE_TIMEOUT.",
    ),
    Silence.NO_CREDENTIAL: (
        FaceAccessError,
        "The credential gave no token for the Face service.",
    ),
    Silence.BROKEN: (
        FaceUnavailableError,
        "The call to the Face service broke off.",
    ),
}


def failure_of(call: Call, answer: Answer) -> FaceError | None:
    """The error that *answer* is to *call*, or None if the service did what it was asked for.

    A delete of what the service does not know is done.
    """
    if isinstance(answer, NoReply):
        error, words = _SILENCE[answer.why]
        return error(f"{words} ({answer.cause})")
    if answer.status in _DONE[call]:
        return None
    case = _case_of(call, answer)
    rule = next((rule for rule in _RULES if rule.applies(case)), _NO_RULE)
    if call is Call.DELETE and rule.error is FaceSessionNotFoundError:
        return None
    return rule.error(
        f"{rule.words} ({_origin(answer, case.code)})",
        service_status=answer.status,
        service_code=case.code,
        request_id=answer.request_id,
        retry_after=_retry_after(case, answer),
    )


def bad_answer(reply: Reply, words: str) -> FaceAnswerError:
    """The error that *reply* is although its status is good."""
    return FaceAnswerError(
        f"{words} ({_origin(reply, None)})",
        service_status=reply.status,
        request_id=reply.request_id,
    )


def _case_of(call: Call, reply: Reply) -> _Case:
    """The code stands in the body, in a header, or nowhere if the gateway answered."""
    error = reply.error
    message = error.get("message")
    return _Case(
        call,
        reply.status,
        a_word(error.get("code")) or a_word(reply.headers.get("x-ms-error-code")),
        message if isinstance(message, str) else "",
    )


def _origin(reply: Reply, code: str | None) -> str:
    request = f"request {reply.request_id}" if reply.request_id else None
    return ", ".join(word for word in (f"HTTP {reply.status}", code, request) if word)


def _retry_after(case: _Case, reply: Reply) -> float | None:
    """What the header says; else what the gateway's message does: "Try again in 26 seconds"."""
    if reply.retry_after is not None:
        return reply.retry_after
    found = re.search(r"\bin (\d{1,5}) seconds?\b", case.message, re.ASCII)
    return float(found[1]) if found and case.status == HTTPStatus.TOO_MANY_REQUESTS else None
